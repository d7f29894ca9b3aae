//! A job as it is now.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use stead_queue::{Job, State};
use utoipa::ToSchema;

use super::{AttemptView, instant};
use crate::policy::printable;

/// Where a job is.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::job::api) enum JobState {
    /// Waits for a worker, for its time, or for room under its limit.
    Queued,
    Running,
    Succeeded,
    /// Ended by a cause that is not tried again.
    Failed,
    Cancelled,
    /// Ended by a cause that is tried again, as often as it may be.
    Dead,
}

impl From<State> for JobState {
    fn from(state: State) -> Self {
        match state {
            State::Queued => Self::Queued,
            State::Running => Self::Running,
            State::Succeeded => Self::Succeeded,
            State::Failed => Self::Failed,
            State::Cancelled => Self::Cancelled,
            State::Dead => Self::Dead,
        }
    }
}

impl From<JobState> for State {
    fn from(state: JobState) -> Self {
        match state {
            JobState::Queued => Self::Queued,
            JobState::Running => Self::Running,
            JobState::Succeeded => Self::Succeeded,
            JobState::Failed => Self::Failed,
            JobState::Cancelled => Self::Cancelled,
            JobState::Dead => Self::Dead,
        }
    }
}

/// A job as it is now.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::job::api) struct JobView {
    pub(in crate::job::api) id: u64,
    pub(in crate::job::api) policy: String,
    pub(in crate::job::api) state: JobState,
    pub(in crate::job::api) priority: i32,
    /// Whether somebody asked to cancel it while it runs.
    pub(in crate::job::api) cancelling: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::job::api) idempotency_key: Option<String>,
    #[schema(format = DateTime)]
    pub(in crate::job::api) submitted: String,
    /// When a queued one may start.
    #[schema(format = DateTime)]
    pub(in crate::job::api) not_before: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub(in crate::job::api) ended: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::job::api) timeout_seconds: Option<u64>,
    /// How often it is tried at most.
    pub(in crate::job::api) attempts: u32,
    /// How often it was tried since somebody last asked for it.
    pub(in crate::job::api) tries: u32,
    /// Attempts that continue each other belong to one run.
    pub(in crate::job::api) run: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::job::api) progress: Option<ProgressView>,
}

/// How far a job says it has come.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::job::api) struct ProgressView {
    /// Of a thousand.
    pub(in crate::job::api) permille: u16,
    pub(in crate::job::api) message: String,
}

impl From<&Job> for JobView {
    fn from(job: &Job) -> Self {
        let said = |progress: &stead_queue::Progress| ProgressView {
            permille: progress.permille,
            message: printable(&progress.message),
        };
        Self {
            id: job.id.number(),
            policy: job.name.to_string(),
            state: job.state.into(),
            priority: job.priority,
            cancelling: job.is_cancelled,
            idempotency_key: job.key.as_ref().map(ToString::to_string),
            submitted: instant(job.submitted),
            not_before: instant(job.not_before),
            ended: job.ended.map(instant),
            timeout_seconds: job.timeout.map(|timeout| timeout.as_secs()),
            attempts: job.most_attempts,
            tries: job.tries,
            run: job.run.number(),
            progress: job.progress.as_ref().map(said),
        }
    }
}

/// A page of jobs.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::job::api) struct Jobs {
    /// The newest first.
    pub(in crate::job::api) jobs: Vec<JobView>,
    /// There may be more: ask again with `before`. A page can be shorter than was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::job::api) next: Option<u64>,
}

/// A job with all that is known of it.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::job::api) struct JobDetails {
    #[serde(flatten)]
    pub(in crate::job::api) job: JobView,
    /// The first one first.
    pub(in crate::job::api) history: Vec<AttemptView>,
    /// What it answered, once it has succeeded: any JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::job::api) result: Option<Value>,
}

/// What became of a request to cancel.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::job::api) struct Cancelling {
    /// False: it runs, and its worker stops it within seconds.
    pub(in crate::job::api) done: bool,
}
