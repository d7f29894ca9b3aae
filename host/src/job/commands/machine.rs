//! A command in a machine, as it is followed.

use std::cell::Cell;
use std::time::Instant;

use async_trait::async_trait;
use stead_vm::access::{self, Access, Begun, RunId};

use super::{Followed, Heard, MOST};
use crate::job::machines::{Machine, Trouble};
use crate::policy::job::{Failure, Outcome};

/// A transient unit in a machine.
pub(in crate::job) struct Unit {
    pub(in crate::job) machine: Machine,
    pub(in crate::job) access: Access,
    pub(in crate::job) run: RunId,
    /// When it was this process that has just started it.
    pub(in crate::job) begun: Cell<Option<Begun>>,
}

#[async_trait(?Send)]
impl Followed for Unit {
    async fn follow(&self, heard: &mut Heard) -> Result<Outcome, Trouble> {
        let mut looked = Instant::now();
        let still_there = async || self.machine.look_sometimes(&mut looked).await;
        let ended = match self.begun.take() {
            Some(begun) => self.access.follow_begun(begun, MOST, heard, still_there).await?,
            None => self.access.follow(&self.run, 0, MOST, heard, still_there).await?,
        };
        Ok(outcome(ended.outcome))
    }

    async fn cancel(&self) -> Result<(), Trouble> {
        Ok(self.access.cancel(&self.run).await?)
    }

    async fn why(&self, failure: Failure) -> Failure {
        self.machine.why(failure).await
    }
}

fn outcome(outcome: access::Outcome) -> Outcome {
    match outcome {
        // A status of sh(1) has eight bits.
        access::Outcome::Exited(status) => Outcome::Exited(u8::try_from(status).unwrap_or(u8::MAX)),
        access::Outcome::Killed(signal) => Outcome::Killed(signal),
        access::Outcome::OutOfMemory => Outcome::OutOfMemory,
        access::Outcome::Cancelled => Outcome::TimedOut,
    }
}
