//! The durable state of stead's jobs: what waits, who works on it, what came of it.
//!
//! A [`Queue`] lies in a file of SQLite, or in PostgreSQL when several servers share it. A job is [submitted](Queue::submit),
//! [claimed](Queue::next) by a worker under a [`Lease`] that it [renews](Queue::renew), and [finished](Queue::finish). The
//! number of the attempt is the fencing token: every write of a worker carries it and is refused once the job has passed to
//! another one. So a job runs at least once, and never twice at the same time as long as workers stop when their lease ends.
//!
//! The worker journals the calls of a [`Run`] as they are answered. When it dies, the next attempt belongs to the same run,
//! and replays what is recorded.
//!
//! It must never lose what it has acknowledged, and it knows nothing of policies, VMs or schedules.

mod clock;
mod error;
mod id;
mod job;
mod op;
mod postgres;
mod queue;
mod retry;
mod settings;
mod sql;
mod sqlite;
mod state;
mod time;
mod wake;
mod writer;

pub use clock::{Clock, Reading};
pub use error::{QueueError, Source};
pub use id::{ArtifactName, CallName, ConcurrencyKey, IdempotencyKey, JobId, JobName, Lease, Run, Timed, WorkerName};
pub use job::*;
pub use postgres::Server;
pub use queue::{Place, Queue};
pub use retry::{Backoff, RetryPolicy};
pub use settings::{Limits, Settings};
pub use state::{Cause, Ending, State};
pub use time::Timestamp;
pub use wake::Changes;
