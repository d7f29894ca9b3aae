//! What jobs, attempts and runs are called. Each name is checked when it is made, so that no other part has to.

use std::fmt;

use crate::QueueError;

/// A job, for as long as there is a queue: numbers grow in the order of submission and are never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId(pub(crate) i64);

impl JobId {
    /// The job of this number, which need not exist.
    pub fn from_number(number: u64) -> Self {
        Self(i64::try_from(number).unwrap_or(i64::MAX))
    }

    /// The number under which people know the job.
    pub fn number(self) -> u64 {
        self.0.unsigned_abs()
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a worker holds while it works on a job: the job, and the number of the attempt, which is the fencing token.
///
/// Attempts of a job count up from 1 and never again, so a write under an earlier one is known to be late.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Lease {
    pub(crate) job: JobId,
    pub(crate) attempt: i64,
}

impl Lease {
    /// The lease that a worker wrote down before, when it goes on after a restart of its own.
    pub fn of(job: JobId, attempt: u64) -> Self {
        Self { job, attempt: i64::try_from(attempt).unwrap_or(i64::MAX) }
    }

    pub fn job(self) -> JobId {
        self.job
    }

    pub fn attempt(self) -> u64 {
        self.attempt.unsigned_abs()
    }
}

/// Attempts that continue each other and share one journal: it changes when a job begins anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Run(pub(crate) i64);

impl Run {
    /// Counts from 1 within its job.
    pub fn number(self) -> u64 {
        self.0.unsigned_abs()
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $longest:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// # Errors
            /// When it is empty, too long, or holds control characters.
            pub fn new(text: impl Into<String>) -> Result<Self, QueueError> {
                checked($what, $longest, text.into()).map(Self)
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// From the database, where it got as one of these.
            pub(crate) fn stored(text: String) -> Self {
                Self(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

name!(
    /// Which kind of work: the name of a job policy.
    JobName, "name", 100
);
name!(
    /// Who works: told to people, and compared with nothing.
    WorkerName, "worker", 200
);
name!(
    /// Under one of these, a kind of work is submitted once, however often it is asked for.
    IdempotencyKey, "idempotency key", 200
);
name!(
    /// Jobs of one name that share a limit of their own.
    ConcurrencyKey, "concurrency key", 200
);
name!(
    /// A call across the boundary of a policy: `vm.launch`.
    CallName, "call", 100
);
name!(
    /// An artifact within its run.
    ArtifactName, "artifact", 255
);

/// A schedule, which is known from when it was first seen; the same name under another rule is another one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Timed {
    pub(crate) name: String,
    pub(crate) rule: String,
}

impl Timed {
    /// The rule says when it is due, in the caller's own words.
    ///
    /// # Errors
    /// When one is empty, too long, or holds control characters.
    pub fn new(name: impl Into<String>, rule: impl Into<String>) -> Result<Self, QueueError> {
        Ok(Self { name: checked("schedule", 100, name.into())?, rule: checked("rule", 300, rule.into())? })
    }
}

fn checked(what: &'static str, longest: usize, text: String) -> Result<String, QueueError> {
    let size = text.chars().count();
    if size == 0 || size > longest || text.chars().any(char::is_control) {
        return Err(QueueError::Name { what, longest });
    }
    Ok(text)
}
