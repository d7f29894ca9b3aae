//! Answers the calls of a job from a record, as the host does for a job that is continued elsewhere.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use stead::policy::LogLine;
use stead::policy::job::{Answer, Call, Door, Ended, Failure, Outcome};

/// What a job did.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Done {
    pub(crate) calls: Vec<Call>,
    pub(crate) said: Vec<String>,
    pub(crate) progress: Vec<(u16, String)>,
}

pub(crate) struct Record {
    pub(crate) done: Arc<Mutex<Done>>,
    /// Whether the machine is lost at its first command.
    pub(crate) lost: bool,
}

#[async_trait]
impl Door for Record {
    async fn pass(&mut self, call: Call) -> Option<Answer> {
        let answer = match &call {
            Call::Now => Answer::Text("2026-11-26T12:00:00Z".to_owned()),
            Call::Start { .. } if self.lost => Answer::Failed(Failure::Lost("the machine is gone ☃".to_owned())),
            Call::Start { .. } => Answer::Number(7),
            Call::Wait { .. } => Answer::Ended(Ended { outcome: Outcome::Exited(0), output: "3\n".to_owned() }),
            _ => Answer::Done,
        };
        self.done.lock().unwrap().calls.push(call);
        Some(answer)
    }

    async fn said(&mut self, lines: Vec<LogLine>) -> bool {
        self.done.lock().unwrap().said.extend(lines.into_iter().map(|line| line.message));
        true
    }

    async fn progress(&mut self, permille: u16, message: String) -> bool {
        self.done.lock().unwrap().progress.push((permille, message));
        true
    }
}
