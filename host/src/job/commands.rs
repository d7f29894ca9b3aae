//! What one run of a job has started, commands in machines or containers, each followed to its end by a task of its own.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::select_all;
use stead_queue::Timestamp;
use stead_vm::access::{self, Lines, Output, RunId};
use tokio::sync::{Mutex, watch};
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::halt::{Halt, Halting};
use super::lines::Source;
use super::log::Log;
use super::machines::Trouble;
use super::mask::{Masking, Masks};
use crate::policy::job::{Command, Ended, Failure, Outcome};

mod machine;
mod pen;

pub(super) use machine::Unit;

use pen::Pen;

/// How much of the end of its output a policy is told.
const TAIL: usize = 64 << 10;
/// How much one command may write.
pub(super) const MOST: u64 = 64 << 20;

/// All of one kind that the run has started.
#[derive(Debug)]
pub(super) struct Commands {
    /// As the contract calls one.
    what: &'static str,
    all: Vec<Started>,
    log: Arc<Mutex<Log>>,
    halting: Halting,
    pub(super) masks: Masks,
}

/// A command that was started.
#[derive(Debug)]
struct Started {
    /// The machine that it is on, or what it is a container of.
    place: String,
    at: Timestamp,
    timeout: Option<Duration>,
    end: watch::Sender<Option<Result<Ended, Failure>>>,
    follower: Option<AbortHandle>,
}

/// What can be followed to its end.
#[async_trait(?Send)]
pub(super) trait Followed {
    /// Gives all that it writes, from the first byte, and answers how it ended.
    async fn follow(&self, heard: &mut Heard) -> Result<Outcome, Trouble>;
    /// Makes it end.
    async fn cancel(&self) -> Result<(), Trouble>;
    /// What is behind a failure.
    async fn why(&self, failure: Failure) -> Failure;
}

/// A script for sh(1) with its environment.
///
/// # Errors
/// When a name is none of a variable, or something holds a NUL.
pub(super) fn script(command: &Command) -> Result<String, Failure> {
    let mut script = String::new();
    for (name, value) in &command.environment {
        let letters = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if name.is_empty() || name.as_bytes()[0].is_ascii_digit() || !name.bytes().all(letters) {
            return Err(Failure::invalid("environment", format!("{name:?} is no name of a variable")));
        }
        script.push_str(&format!("export {name}='{}'\n", value.replace('\'', "'\\''")));
    }
    script.push_str(&command.script);
    if script.contains('\0') {
        return Err(Failure::invalid("script", "it holds a NUL"));
    }
    Ok(script)
}

impl Commands {
    pub(super) fn new(what: &'static str, log: Arc<Mutex<Log>>, halting: Halting, masks: Masks) -> Self {
        Self { what, all: Vec::new(), log, halting, masks }
    }

    /// What the next one is called on its machine.
    ///
    /// # Errors
    /// Never: numbers are names.
    pub(super) fn next(&self) -> Result<RunId, Failure> {
        run_id(self.all.len() + 1)
    }

    /// Adds one that was started, and answers its number.
    pub(super) fn add(&mut self, place: &str, at: Timestamp, timeout: Option<Duration>) -> u32 {
        let end = watch::Sender::new(None);
        self.all.push(Started { place: place.to_owned(), at, timeout, end, follower: None });
        u32::try_from(self.all.len()).unwrap_or(u32::MAX)
    }

    /// How many have not ended, as far as is known.
    pub(super) fn running(&self) -> usize {
        self.all.iter().filter(|started| started.end.borrow().is_none()).count()
    }

    /// One was taken away: if it had not ended, this is its end.
    pub(super) fn gone(&mut self, number: u32, failure: Failure) {
        let Some(started) = index(number).and_then(|index| self.all.get(index)) else { return };
        if started.end.borrow().is_none() {
            started.follower.iter().for_each(AbortHandle::abort);
            started.end.send_replace(Some(Err(failure)));
        }
    }

    /// Takes the end of one from the record.
    pub(super) fn ended(&mut self, number: u32, end: Result<Ended, Failure>) {
        if let Some(started) = index(number).and_then(|index| self.all.get(index)) {
            started.end.send_replace(Some(end));
        }
    }

    /// Those that nobody follows and whose end is not known, with their places.
    pub(super) fn alone(&self) -> Vec<(u32, String)> {
        let alone = |started: &&Started| started.follower.is_none() && started.end.borrow().is_none();
        let numbered = (1..).zip(&self.all);
        numbered
            .filter(|(_, started)| alone(started))
            .map(|(number, started)| (number, started.place.clone()))
            .collect()
    }

    /// Follows one to its end.
    pub(super) fn follow(&mut self, number: u32, way: Result<Box<dyn Followed>, Failure>) {
        let Some(started) = index(number).and_then(|index| self.all.get_mut(index)) else { return };
        let followed = match way {
            Ok(way) => way,
            Err(failure) => return drop(started.end.send_replace(Some(Err(failure)))),
        };
        let left = started.timeout.map(|timeout| timeout.saturating_sub(started.at.until(Timestamp::now())));
        let source = Source::Command { machine: started.place.clone(), number };
        let follower = Follower { followed, source, log: self.log.clone(), masks: self.masks.clone() };
        let (end, halting) = (started.end.clone(), self.halting.clone());
        let task = tokio::task::spawn_local(async move {
            match follower.follow_for(left).await {
                Ok(ended) => drop(end.send_replace(Some(Ok(ended)))),
                Err(Trouble::Failure(failure)) => {
                    let failure = follower.followed.why(failure).await;
                    drop(end.send_replace(Some(Err(failure))));
                }
                Err(Trouble::Queue(error)) => halting.say(Halt::Lost(error)),
            }
        });
        started.follower = Some(task.abort_handle());
    }

    /// Waits until one has ended.
    ///
    /// # Errors
    /// When there is none of this number, or its machine was lost.
    pub(super) async fn wait(&self, number: u32) -> Result<Ended, Failure> {
        let mut end = self.end(number)?;
        let end = end.wait_for(Option::is_some).await.map(|end| end.clone());
        end.ok().flatten().unwrap_or_else(|| Err(Failure::Lost(format!("nobody follows the {}", self.what))))
    }

    /// Waits until one of these has ended, and answers its number.
    ///
    /// # Errors
    /// When one of them is none.
    pub(super) async fn wait_any(&self, numbers: &[u32]) -> Result<u32, Failure> {
        let mut ends: Vec<_> = numbers.iter().map(|number| self.end(*number)).collect::<Result<_, _>>()?;
        if ends.is_empty() {
            return Err(Failure::invalid(self.what, "there is none to wait for"));
        }
        let _ = select_all(ends.iter_mut().map(|end| Box::pin(end.wait_for(Option::is_some)))).await;
        let first = numbers.iter().zip(&ends).find(|(_, end)| end.borrow().is_some());
        first.map(|(number, _)| *number).ok_or_else(|| Failure::Lost(format!("nobody follows any {}", self.what)))
    }

    fn end(&self, number: u32) -> Result<watch::Receiver<Option<Result<Ended, Failure>>>, Failure> {
        let started = index(number).and_then(|index| self.all.get(index));
        let none = || Failure::invalid(self.what, format!("this job has started no {} {number}", self.what));
        started.map(|started| started.end.subscribe()).ok_or_else(none)
    }
}

impl Drop for Commands {
    fn drop(&mut self) {
        for follower in self.all.iter().filter_map(|started| started.follower.as_ref()) {
            follower.abort();
        }
    }
}

fn index(number: u32) -> Option<usize> {
    usize::try_from(number).ok()?.checked_sub(1)
}

/// What one is called on its machine.
///
/// # Errors
/// Never: numbers are names.
pub(super) fn run_id(number: usize) -> Result<RunId, Failure> {
    format!("c{number}").parse().map_err(|error: access::AccessError| Failure::Other(error.to_string()))
}

/// Whoever follows one.
struct Follower {
    followed: Box<dyn Followed>,
    source: Source,
    log: Arc<Mutex<Log>>,
    masks: Masks,
}

impl Follower {
    async fn follow_for(&self, left: Option<Duration>) -> Result<Ended, Trouble> {
        let Some(left) = left else { return self.follow().await };
        match timeout(left, self.follow()).await {
            Ok(ended) => ended,
            Err(_) => {
                self.followed.cancel().await?;
                Ok(Ended { outcome: Outcome::TimedOut, ..self.follow().await? })
            }
        }
    }

    /// From its beginning: the log passes over what it has.
    async fn follow(&self) -> Result<Ended, Trouble> {
        let masking = Masking::new(self.masks.clone());
        let (lines, tail) = (Lines::new(0), VecDeque::new());
        let mut heard = Heard { masking, lines, tail, pen: Pen::new(self.log.clone(), self.source.clone()) };
        let ended = self.followed.follow(&mut heard).await;
        if let Err(Trouble::Failure(Failure::TooLarge(_))) = ended {
            // What nobody reads any more must not fill its disk either.
            self.followed.cancel().await?;
        }
        let outcome = ended?;
        let output = heard.finish().await?;
        Ok(Ended { outcome, output })
    }
}

/// What was heard of one command.
pub(super) struct Heard {
    masking: Masking,
    lines: Lines,
    tail: VecDeque<u8>,
    pen: Pen,
}

impl Heard {
    async fn finish(mut self) -> Result<String, Trouble> {
        let rest = std::mem::replace(&mut self.masking, Masking::new(Masks::default())).finish();
        self.shown(&rest).await?;
        let mut last = Vec::new();
        self.lines.finish(|line, end| last.push((line.to_vec(), end)));
        self.pen.write(last).await?;
        self.pen.finish().await?;
        let (front, back) = self.tail.as_slices();
        Ok(String::from_utf8_lossy(&[front, back].concat()).into_owned())
    }
}

impl Output for Heard {
    type Error = Trouble;

    async fn take(&mut self, bytes: &[u8], _end: u64) -> Result<(), Trouble> {
        let bytes = self.masking.push(bytes);
        self.shown(&bytes).await
    }
}

impl Heard {
    /// Takes what may be shown.
    async fn shown(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        self.tail.extend(bytes);
        let surplus = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..surplus);
        let mut whole = Vec::new();
        self.lines.push(bytes, |line, end| whole.push((line.to_vec(), end)));
        self.pen.write(whole).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_quoted_for_the_shell() {
        let command = |name: &str, value: &str| Command {
            script: "echo \"$A\"".to_owned(),
            environment: vec![(name.to_owned(), value.to_owned())],
            timeout: None,
        };
        assert_eq!(script(&command("A", "it's $B")).unwrap_or_default(), "export A='it'\\''s $B'\necho \"$A\"");
        for name in ["", "1A", "A B", "A=B", "A;reboot"] {
            assert!(script(&command(name, "")).is_err(), "{name}");
        }
        assert!(script(&command("A", "\0")).is_err());
    }
}
