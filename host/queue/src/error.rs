//! What can go wrong, for all callers and both databases.

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;

use crate::{JobId, Lease, State};

/// Why the queue did not do what it was asked.
///
/// Except for [`QueueError::Database`] and [`QueueError::Lost`], nothing was changed and asking again gives the same.
#[derive(Clone, Debug, thiserror::Error)]
pub enum QueueError {
    /// Another worker has the job, or the attempt has ended: this worker must stop and write nothing more.
    #[error("attempt {} of job {} is over: another one may have taken the job", .0.attempt(), .0.job())]
    Fenced(Lease),
    #[error("there is no job {0}")]
    NoSuchJob(JobId),
    #[error("job {job} has the same idempotency key and another input")]
    KeyReused { job: JobId },
    #[error("job {job} is {state}, and only one that has failed or is dead can be tried again")]
    NotRetryable { job: JobId, state: State },
    #[error("{what}: {size} bytes, and at most {limit} are kept")]
    TooLarge { what: &'static str, size: usize, limit: usize },
    /// The job has used up what one job may store.
    #[error("job {job} may keep at most {limit} {what}")]
    Full { job: JobId, what: &'static str, limit: u64 },
    /// What was appended does not continue what is there.
    #[error("{what} {expected} comes next, not {got}")]
    Gap { what: &'static str, expected: u64, got: u64 },
    /// The run took another way than the one that is recorded.
    #[error("entry {sequence} of the journal of job {job} says something else")]
    Diverged { job: JobId, sequence: u64 },
    #[error("a {what} has 1 to {longest} characters, and no control characters")]
    Name { what: &'static str, longest: usize },

    #[error("not the address of a PostgreSQL database")]
    Address(#[source] Source),
    #[error("cannot open the queue {path}")]
    Open { path: PathBuf, source: Source },
    #[error("cannot connect to the queue's database")]
    Connect(#[source] Source),
    #[error("the queue is of version {found}; this stead knows versions up to {known}")]
    Newer { found: u32, known: u32 },
    /// Nothing was changed; asking again may help.
    #[error("the queue's database failed")]
    Database(#[source] Source),
    /// The connection broke while the change was under way: it may or may not have been made. All writes of a worker
    /// can be sent again, and so can a submission that has an idempotency key.
    #[error("the connection to the queue's database broke, and it is not known whether the change was made")]
    Lost(#[source] Source),
    /// Somebody else wrote to the tables.
    #[error("the queue's database holds something that is not of the queue: {0}")]
    Stored(&'static str),
    #[error("the queue is closed")]
    Closed,
}

/// What the database itself said.
pub type Source = Arc<dyn Error + Send + Sync>;

impl QueueError {
    /// Whether the database is to blame, so that the transaction cannot go on.
    pub(crate) fn is_of_database(&self) -> bool {
        matches!(self, Self::Database(_) | Self::Lost(_) | Self::Stored(_) | Self::Connect(_) | Self::Newer { .. })
    }
}
