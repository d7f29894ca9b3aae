//! Answers the calls of a job by a script, as the host does from its record for a job that is continued elsewhere.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use stead::policy::job::{Answer, Call, Door};
use stead::policy::{Level, LogLine};

/// What a job did.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Done {
    pub(crate) calls: Vec<Call>,
    pub(crate) said: Vec<(Level, String)>,
    pub(crate) progress: Vec<(u16, String)>,
}

/// The answers for each kind of call, by its name in the contract: each call gets the next one, and one more than there are
/// ends the job. Kinds without answers are done.
pub(crate) struct Script {
    answers: BTreeMap<&'static str, VecDeque<Answer>>,
    done: Arc<Mutex<Done>>,
}

impl Script {
    pub(crate) fn new(answers: impl IntoIterator<Item = (&'static str, Vec<Answer>)>) -> Self {
        let answers = answers.into_iter().map(|(call, answers)| (call, answers.into()));
        Self { answers: answers.collect(), done: Arc::default() }
    }

    /// Where what the job does is written down.
    pub(crate) fn done(&self) -> Arc<Mutex<Done>> {
        self.done.clone()
    }
}

#[async_trait]
impl Door for Script {
    async fn pass(&mut self, call: Call) -> Option<Answer> {
        let answer = match self.answers.get_mut(call.name()) {
            Some(answers) => answers.pop_front(),
            None => Some(Answer::Done),
        };
        self.done.lock().unwrap().calls.push(call);
        answer
    }

    async fn said(&mut self, lines: Vec<LogLine>) -> bool {
        self.done.lock().unwrap().said.extend(lines.into_iter().map(|line| (line.level, line.message)));
        true
    }

    async fn progress(&mut self, permille: u16, message: String) -> bool {
        self.done.lock().unwrap().progress.push((permille, message));
        true
    }
}
