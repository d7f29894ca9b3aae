//! What the queue is opened with.

use std::sync::Arc;
use std::time::Duration;

use crate::RetryPolicy;
use crate::clock::Clock;

/// How the queue behaves. All processes that share one should say the same.
#[derive(Clone, Debug)]
pub struct Settings {
    pub retry: RetryPolicy,
    pub limits: Limits,
    /// How long a lease lasts after each renewal.
    pub lease: Duration,
    /// Which server this is, where several share the queue: a run that has made something on one goes on there.
    pub server: Option<String>,
    /// For how long such a run waits for its own server after its worker is lost; then another one begins it anew. What it has
    /// made must have ended by itself until then.
    pub takeover: Duration,
    /// Tells the time instead of the database or the machine: for tests.
    pub clock: Option<Arc<dyn Clock>>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            retry: RetryPolicy::default(),
            limits: Limits::default(),
            lease: Duration::from_secs(30),
            server: None,
            takeover: Duration::from_secs(11 * 60),
            clock: None,
        }
    }
}

/// The most that is kept of what policies and their callers send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of an input.
    pub input: usize,
    /// Bytes of a result.
    pub result: usize,
    /// Bytes of the answer in one entry of a journal.
    pub answer: usize,
    /// Entries in the journal of one run.
    pub entries: u64,
    /// Bytes of one line of a log.
    pub line: usize,
    /// Bytes in all lines of one job.
    pub log: u64,
    /// Artifacts of one run.
    pub artifacts: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            input: 1 << 20,
            result: 1 << 20,
            answer: 1 << 20,
            entries: 100_000,
            line: 1 << 16,
            log: 64 << 20,
            artifacts: 1000,
        }
    }
}
