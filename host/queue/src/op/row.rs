//! A job as the tables have it.

use std::time::Duration;

use super::Tx;
use crate::sql::{Row, Value, values};
use crate::{ConcurrencyKey, IdempotencyKey, Job, JobId, JobName, Lease, Progress, QueueError, Run, State};

pub(super) const COLUMNS: &str = "id, name, state, priority, idempotency, concurrency, submitted, not_before, timeout, \
     most_attempts, tries, attempt, run, lease_until, deadline, cancelled, next_line, progress, progress_message, ended, \
     lane, log_bytes, next_entry, server";

/// A job, and what only the operations need of it.
pub(super) struct Stored {
    pub(super) job: Job,
    pub(super) lane: i64,
    pub(super) log_bytes: u64,
    pub(super) next_entry: u64,
    /// On which its run has made something.
    pub(super) server: Option<String>,
}

impl Stored {
    pub(super) fn read(row: &Row) -> Result<Self, QueueError> {
        Ok(Self {
            job: job(row)?,
            lane: row.integer(20)?,
            log_bytes: row.unsigned(21)?,
            next_entry: row.unsigned(22)?,
            server: row.maybe_text(23)?,
        })
    }

    pub(super) fn lease(&self) -> Lease {
        Lease::of(self.job.id, self.job.attempt)
    }
}

impl Tx<'_> {
    /// # Errors
    /// When there is no such job.
    pub(super) fn stored(&mut self, id: JobId) -> Result<Stored, QueueError> {
        let row = self.row(&format!("select {COLUMNS} from job where id = $1"), values![id])?;
        row.as_ref().map(Stored::read).transpose()?.ok_or(QueueError::NoSuchJob(id))
    }

    /// The job of a worker that still has it.
    ///
    /// # Errors
    /// When the lease has passed on. That its time has run out is no reason as long as nobody else has the job: the
    /// work is good.
    pub(super) fn held(&mut self, lease: Lease) -> Result<Stored, QueueError> {
        let stored = self.stored(lease.job)?;
        match stored.job.state == State::Running && stored.lease() == lease {
            true => Ok(stored),
            false => Err(QueueError::Fenced(lease)),
        }
    }
}

pub(super) fn job(row: &Row) -> Result<Job, QueueError> {
    Ok(Job {
        id: JobId(row.integer(0)?),
        name: JobName::stored(row.text(1)?),
        state: row.word(2, State::from_word)?,
        priority: i32::try_from(row.integer(3)?).map_err(|_| QueueError::Stored("not a priority"))?,
        key: row.maybe_text(4)?.map(IdempotencyKey::stored),
        concurrency: row.maybe_text(5)?.map(ConcurrencyKey::stored),
        submitted: row.time(6)?,
        not_before: row.time(7)?,
        timeout: row.maybe_integer(8)?.map(|millis| Duration::from_millis(millis.unsigned_abs())),
        most_attempts: small(row, 9)?,
        tries: small(row, 10)?,
        attempt: row.unsigned(11)?,
        run: Run(row.integer(12)?),
        until: row.maybe_time(13)?,
        deadline: row.maybe_time(14)?,
        is_cancelled: row.flag(15)?,
        next_line: row.unsigned(16)?,
        progress: progress(row)?,
        ended: row.maybe_time(19)?,
    })
}

fn progress(row: &Row) -> Result<Option<Progress>, QueueError> {
    let Some(permille) = row.maybe_integer(17)? else { return Ok(None) };
    let permille = u16::try_from(permille).map_err(|_| QueueError::Stored("not a progress"))?;
    Ok(Some(Progress { permille, message: row.text(18)? }))
}

fn small(row: &Row, column: usize) -> Result<u32, QueueError> {
    u32::try_from(row.integer(column)?).map_err(|_| QueueError::Stored("not a small number"))
}

impl From<JobId> for Value {
    fn from(id: JobId) -> Self {
        Self::Integer(id.0)
    }
}

/// Text as a database keeps it: PostgreSQL has none with a NUL. Cut to a length that people read.
pub(super) fn told(text: &str) -> Value {
    const LONGEST: usize = 4000;
    Value::Text(
        text.chars().take(LONGEST).map(|char| if char == '\0' { char::REPLACEMENT_CHARACTER } else { char }).collect(),
    )
}
