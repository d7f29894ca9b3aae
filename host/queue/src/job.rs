//! What goes into the queue and what is seen of it.

use std::num::NonZeroU32;
use std::time::Duration;

use crate::{
    ArtifactName, CallName, ConcurrencyKey, Ending, IdempotencyKey, JobId, JobName, Lease, Run, State, Timestamp,
    WorkerName,
};

/// A job to be queued.
#[derive(Clone, Debug)]
pub struct Submission {
    pub name: JobName,
    pub input: Vec<u8>,
    /// The higher goes first; among equals, the older.
    pub priority: i32,
    pub key: Option<IdempotencyKey>,
    /// Not to be started earlier; at once when there is none.
    pub not_before: Option<Timestamp>,
    /// How long one attempt may take.
    pub timeout: Option<Duration>,
    /// How often it is tried at most, counting from the last time that somebody asked for it.
    pub most_attempts: NonZeroU32,
    /// A limit that this job shares with those of the same name and key; otherwise with all of its name.
    pub concurrency: Option<Concurrency>,
}

impl Submission {
    pub fn new(name: JobName, input: impl Into<Vec<u8>>) -> Self {
        Self {
            name,
            input: input.into(),
            priority: 0,
            key: None,
            not_before: None,
            timeout: None,
            most_attempts: const { NonZeroU32::MIN.saturating_add(2) },
            concurrency: None,
        }
    }
}

/// At most this many at once of the jobs that share a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Concurrency {
    pub key: ConcurrencyKey,
    pub most: NonZeroU32,
}

/// What became of a submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Submitted {
    pub job: JobId,
    /// False when the same had been submitted before under the same idempotency key.
    pub is_new: bool,
}

/// What a worker got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    pub lease: Lease,
    pub name: JobName,
    pub input: Vec<u8>,
    pub run: Run,
    /// The entries that are in the journal of the run: those of attempts before, to be replayed.
    pub entries: u64,
    /// The number of the next line of the log.
    pub next_line: u64,
    /// How long the attempt may take; then it must end, within the length of a lease.
    pub time_left: Option<Duration>,
    /// How long the lease lasts unless it is renewed, counted from before the claim was made: a worker's clock need not be
    /// the queue's.
    pub lasts: Duration,
}

/// The answer to a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// As many as were asked for, or all that there are.
    pub jobs: Vec<Claimed>,
    /// When there were too few: how long until a pause or a lease ends. None when there is no such thing.
    pub next: Option<Duration>,
}

/// The answer to a renewal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Renewed {
    /// How long the lease now lasts, counted from before the renewal was asked for.
    pub lasts: Duration,
    /// Somebody wants the job cancelled: stop, clean up, and finish as cancelled.
    pub is_cancelled: bool,
}

/// How a worker says that its attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Succeeded {
        result: Vec<u8>,
    },
    Failed {
        cause: crate::Cause,
        message: String,
    },
    /// As it was asked to.
    Cancelled,
    /// The worker stops and hands its job to another one. That does not count as a try.
    Released,
}

/// The answer to a request to cancel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancelled {
    /// It had not begun.
    AtOnce,
    /// Its worker will learn of it.
    Asked,
    /// It had ended before.
    TooLate(State),
}

/// A job as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    pub id: JobId,
    pub name: JobName,
    pub state: State,
    pub priority: i32,
    pub key: Option<IdempotencyKey>,
    pub concurrency: Option<ConcurrencyKey>,
    pub submitted: Timestamp,
    /// When it may start, as long as it is queued: after a failure, when its pause ends.
    pub not_before: Timestamp,
    pub timeout: Option<Duration>,
    pub most_attempts: u32,
    /// How often it was tried since somebody last asked for it.
    pub tries: u32,
    /// The last attempt; zero before the first.
    pub attempt: u64,
    pub run: Run,
    pub until: Option<Timestamp>,
    pub deadline: Option<Timestamp>,
    /// Whether somebody asked to cancel it while it runs.
    pub is_cancelled: bool,
    pub next_line: u64,
    pub progress: Option<Progress>,
    pub ended: Option<Timestamp>,
}

/// An attempt as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The number, which is also the fencing token.
    pub lease: Lease,
    pub run: Run,
    pub worker: WorkerName,
    pub started: Timestamp,
    pub ended: Option<Ended>,
}

/// How and when an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    pub at: Timestamp,
    pub how: Ending,
    /// For people; empty when there is nothing to say.
    pub message: String,
}

/// How far a job says it has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Up to 1000.
    pub permille: u16,
    pub message: String,
}

/// Which half of a call is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Phase {
    /// It is about to be made: afterwards, nobody knows how much of it happened.
    Intended,
    /// It was made, and this was the answer.
    Answered,
}

/// An entry of a run's journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// From 0, without gaps.
    pub sequence: u64,
    pub phase: Phase,
    pub call: CallName,
    /// Of what was asked, so that a replay sees when it asks something else.
    pub request: [u8; 32],
    pub answer: Vec<u8>,
}

/// An entry as recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    pub entry: Entry,
    pub attempt: u64,
    pub at: Timestamp,
}

/// Where a line of a log came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stream {
    /// What the policy said.
    Log,
    /// A command's standard output.
    Stdout,
    /// A command's standard error.
    Stderr,
}

/// A line of a log, without its end; the bytes need not be UTF-8.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub stream: Stream,
    pub text: Vec<u8>,
}

/// A line as recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// From 0 over all attempts of the job, without gaps.
    pub number: u64,
    pub at: Timestamp,
    pub line: Line,
}

/// A file that outlives the VM. The bytes are somewhere else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    pub name: ArtifactName,
    pub size: u64,
    pub digest: [u8; 32],
    /// Where the caller keeps it, in the caller's own words.
    pub place: String,
}

/// Which jobs to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    pub name: Option<JobName>,
    pub state: Option<State>,
}

/// How many jobs of a name are in a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    pub name: JobName,
    pub state: State,
    pub jobs: u64,
}

/// What was deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    pub jobs: Vec<JobId>,
    /// Whether asking again would find nothing more now.
    pub is_done: bool,
}

/// What a machine costs at most, in millionths of the currency's unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spending {
    /// Its name in its run.
    pub machine: String,
    /// ISO 4217.
    pub currency: String,
    /// For as long as it may live.
    pub micros: u64,
    pub micros_per_hour: u64,
    /// What all machines of the job may cost, over all its runs; none for any amount.
    pub most_per_job: Option<u64>,
    /// What all machines of jobs of this name may cost that are made on one day (UTC); none for any amount.
    pub most_per_day: Option<u64>,
}

/// Whether it may cost that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reserved {
    Yes,
    /// Others of the job have cost so much, or may yet.
    OverJob {
        spent: u64,
    },
    /// Others of the day have cost so much, or may yet.
    OverDay {
        spent: u64,
    },
}

/// What a machine has cost, or may yet when that is not settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spent {
    pub run: Run,
    pub machine: String,
    pub currency: String,
    pub micros: u64,
    pub is_settled: bool,
}
