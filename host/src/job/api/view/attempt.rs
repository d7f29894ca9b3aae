//! One attempt at a job.

use serde::Serialize;
use stead_queue::{Attempt, Ending};
use utoipa::ToSchema;

use super::instant;
use crate::policy::printable;

/// One attempt at a job.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::job::api) struct AttemptView {
    pub(in crate::job::api) attempt: u64,
    pub(in crate::job::api) run: u64,
    pub(in crate::job::api) worker: String,
    #[schema(format = DateTime)]
    pub(in crate::job::api) started: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub(in crate::job::api) ended: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::job::api) outcome: Option<Outcome>,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::job::api) message: Option<String>,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::job::api) enum Outcome {
    Succeeded,
    Cancelled,
    /// Handed back, to be continued by another worker.
    Released,
    PolicyError,
    VmLost,
    NoCapacity,
    Preempted,
    /// What the policy itself said to try again.
    Temporary,
    WorkerLost,
    TimedOut,
}

impl From<Ending> for Outcome {
    fn from(ending: Ending) -> Self {
        use stead_queue::Cause;
        match ending {
            Ending::Succeeded => Self::Succeeded,
            Ending::Cancelled => Self::Cancelled,
            Ending::Released => Self::Released,
            Ending::Failed(Cause::PolicyError) => Self::PolicyError,
            Ending::Failed(Cause::VmLost) => Self::VmLost,
            Ending::Failed(Cause::NoCapacity) => Self::NoCapacity,
            Ending::Failed(Cause::Preempted) => Self::Preempted,
            Ending::Failed(Cause::Temporary) => Self::Temporary,
            Ending::Failed(Cause::WorkerLost) => Self::WorkerLost,
            Ending::Failed(Cause::TimedOut) => Self::TimedOut,
        }
    }
}

impl From<&Attempt> for AttemptView {
    fn from(attempt: &Attempt) -> Self {
        let ended = attempt.ended.as_ref();
        Self {
            attempt: attempt.lease.attempt(),
            run: attempt.run.number(),
            worker: attempt.worker.to_string(),
            started: instant(attempt.started),
            ended: ended.map(|ended| instant(ended.at)),
            outcome: ended.map(|ended| ended.how.into()),
            message: ended.map(|ended| printable(&ended.message)).filter(|message| !message.is_empty()),
        }
    }
}
