//! Runs a job policy: its calls act, through one door that whoever runs the job provides.
//!
//! The door sees every call as plain data, in order, and answers it: from the record of an earlier attempt, or by doing
//! it. This side never does anything itself, and what a guest can tell apart (clock, randomness) is the same each time.

mod bind;
mod call;
pub mod container;
mod guest;
pub mod http;

pub use call::{Answer, Call, Command, Content, Ended, Failure, Outcome, Request};
pub use guest::Door;

pub(super) use bind::{Job, link, run};
pub(crate) use bind::{link_container, link_http, link_vm};
pub(super) use guest::Finished;
pub(crate) use guest::JobGuest;

use super::error::PolicyError;

/// Why a policy wants another attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Something that the job needs does not work now.
    Temporary,
    VmLost,
    NoCapacity,
    Preempted,
}

/// How a job ended that was run to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobEnd {
    /// Its result, a JSON document.
    Done(String),
    /// It gave up.
    Failed { message: String, retry: bool, because: Option<Cause> },
}

/// Why a job was not run to its end.
#[derive(Debug)]
pub enum JobError {
    /// It could not be loaded, crashed, or used more than it may.
    Policy(PolicyError),
    /// The door was closed: the worker has lost the job, or is to stop it.
    Closed,
}
