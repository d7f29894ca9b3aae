//! What the API says of jobs and machines, and what it is told.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use stead_queue::{Artifact, Attempt, Ending, Job, Logged, State, Timestamp};
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};
use utoipa::{IntoParams, ToSchema};

use super::jobs::MOST_FILES;
use super::number::{integer, maybe_natural, natural};
use crate::digest::Digest;
use crate::job::Said;
use crate::policy::{Level, printable};
use crate::repo::Name;

/// An instant, in UTC: RFC 3339.
pub(super) fn instant(at: Timestamp) -> String {
    // The queue keeps no instant beyond the calendar.
    jiff::Timestamp::from_millisecond(at.as_millis()).map(|at| at.to_string()).unwrap_or_default()
}

/// What is to be done.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewJob {
    /// The policy, as in `[policy.NAME]`.
    #[schema(value_type = String, pattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]
    pub(super) policy: Name,
    /// What it gets: any JSON.
    #[serde(default = "nothing")]
    pub(super) input: Value,
    /// The higher goes first; among equals, the older.
    #[serde(default, deserialize_with = "integer")]
    pub(super) priority: i32,
    /// How long one attempt may take.
    #[serde(default = "two_hours", deserialize_with = "integer")]
    #[schema(minimum = 1, maximum = 31_536_000)]
    pub(super) timeout_seconds: u32,
    /// How often it is tried at most.
    #[serde(default = "three", deserialize_with = "integer")]
    #[schema(minimum = 1, maximum = 1000)]
    pub(super) attempts: u32,
    /// Files that it finds among its artifacts: by name, the `sha256` that `POST /v1/files` has answered for each.
    #[serde(default)]
    #[schema(schema_with = attached)]
    pub(super) files: BTreeMap<String, String>,
}

/// Digests by the names of artifacts.
fn attached() -> Object {
    let text = |pattern| ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern));
    let all = ObjectBuilder::new().property_names(Some(text("^[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}$")));
    all.additional_properties(Some(text("^[0-9a-f]{64}$"))).max_properties(Some(MOST_FILES)).build()
}

/// A file that was handed over.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FileView {
    /// What it is called in `files` of a job.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    sha256: String,
    /// In bytes.
    size: u64,
}

impl FileView {
    pub(super) fn new(digest: &Digest, size: u64) -> Self {
        Self { sha256: digest.as_str().to_owned(), size }
    }
}

fn nothing() -> Value {
    Value::Object(serde_json::Map::new())
}

fn two_hours() -> u32 {
    7200
}

fn three() -> u32 {
    3
}

/// Which jobs to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Only those of this policy.
    #[param(value_type = Option<String>, pattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]
    pub(super) policy: Option<Name>,
    /// Only those in this state.
    pub(super) state: Option<JobState>,
    /// Only those submitted before this one: the `next` of the page before.
    #[serde(default, deserialize_with = "maybe_natural")]
    pub(super) before: Option<u64>,
    /// How many at most.
    #[serde(default = "hundred")]
    #[param(minimum = 1, maximum = 1000, default = 100)]
    pub(super) limit: u32,
}

/// Which lines of a log.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Lines {
    /// The number of the first one: the `next` of the page before.
    #[serde(default, deserialize_with = "natural")]
    pub(super) from: u64,
    /// How many at most.
    #[serde(default = "hundred")]
    #[param(minimum = 1, maximum = 1000, default = 100)]
    pub(super) limit: u32,
}

fn hundred() -> u32 {
    100
}

/// Where a job is.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum JobState {
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
pub(super) struct JobView {
    pub(super) id: u64,
    pub(super) policy: String,
    pub(super) state: JobState,
    pub(super) priority: i32,
    /// Whether somebody asked to cancel it while it runs.
    pub(super) cancelling: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) idempotency_key: Option<String>,
    #[schema(format = DateTime)]
    pub(super) submitted: String,
    /// When a queued one may start.
    #[schema(format = DateTime)]
    pub(super) not_before: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub(super) ended: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) timeout_seconds: Option<u64>,
    /// How often it is tried at most.
    pub(super) attempts: u32,
    /// How often it was tried since somebody last asked for it.
    pub(super) tries: u32,
    /// Attempts that continue each other belong to one run.
    pub(super) run: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) progress: Option<ProgressView>,
}

/// How far a job says it has come.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ProgressView {
    /// Of a thousand.
    pub(super) permille: u16,
    pub(super) message: String,
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
pub(super) struct Jobs {
    /// The newest first.
    pub(super) jobs: Vec<JobView>,
    /// There may be more: ask again with `before`. A page can be shorter than was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next: Option<u64>,
}

/// A job with all that is known of it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct JobDetails {
    #[serde(flatten)]
    pub(super) job: JobView,
    /// The first one first.
    pub(super) history: Vec<AttemptView>,
    /// What it answered, once it has succeeded: any JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) result: Option<Value>,
}

/// One attempt at a job.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AttemptView {
    pub(super) attempt: u64,
    pub(super) run: u64,
    pub(super) worker: String,
    #[schema(format = DateTime)]
    pub(super) started: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub(super) ended: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) outcome: Option<Outcome>,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<String>,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Outcome {
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

/// What became of a request to cancel.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Cancelling {
    /// False: it runs, and its worker stops it within seconds.
    pub(super) done: bool,
}

/// A page of a log.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Log {
    pub(super) lines: Vec<LineView>,
    /// From where to go on.
    pub(super) next: u64,
}

/// One of the server-sent events of a log.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it is there for the document alone")]
pub(super) struct Event {
    /// The number of the line.
    id: Option<String>,
    /// `line` or `end`.
    event: Option<String>,
    /// JSON: a line as in a page, or an object with the state of the job.
    data: Option<String>,
}

/// A line of a log.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LineView {
    /// From 0 over all attempts, without gaps but for lines that cannot be shown.
    pub(super) number: u64,
    #[schema(format = DateTime)]
    pub(super) at: String,
    /// `policy`, or `MACHINE/NUMBER` for a command.
    pub(super) source: String,
    pub(super) level: LineLevel,
    pub(super) text: String,
}

#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum LineLevel {
    Debug,
    Info,
    Warn,
    Error,
}

impl LineView {
    /// `None`: nothing that stead has written.
    pub(super) fn of(logged: &Logged) -> Option<Self> {
        let said = Said::read(&logged.line)?;
        let level = match said.level {
            Level::Debug => LineLevel::Debug,
            Level::Info => LineLevel::Info,
            Level::Warn => LineLevel::Warn,
            Level::Error => LineLevel::Error,
        };
        let (number, at, source) = (logged.number, instant(logged.at), said.source.to_string());
        Some(Self { number, at, source, level, text: said.text })
    }
}

/// The files that a job has left.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Artifacts {
    pub(super) artifacts: Vec<ArtifactView>,
}

/// A file that a job has left.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ArtifactView {
    pub(super) name: String,
    pub(super) size: u64,
    /// Of its content, in hexadecimal.
    pub(super) sha256: String,
}

impl From<&Artifact> for ArtifactView {
    fn from(artifact: &Artifact) -> Self {
        Self { name: artifact.name.to_string(), size: artifact.size, sha256: hex::encode(artifact.digest) }
    }
}
