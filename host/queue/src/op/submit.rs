//! A job comes in.

use std::num::NonZeroU32;

use super::Tx;
use crate::sql::values;
use crate::time::millis;
use crate::{ConcurrencyKey, JobId, JobName, QueueError, State, Submission, Submitted};

pub(crate) fn submit(tx: &mut Tx<'_>, new: &Submission) -> Result<Submitted, QueueError> {
    let limit = tx.settings.limits.input;
    if new.input.len() > limit {
        return Err(QueueError::TooLarge { what: "input", size: new.input.len(), limit });
    }
    if let Some(job) = same(tx, new)? {
        return Ok(Submitted { job, is_new: false });
    }
    let lane = lane(tx, new)?;
    let job = insert(tx, new, lane)?;
    tx.moved(&new.name, lane, None, Some(State::Queued));
    tx.touched(lane);
    Ok(Submitted { job, is_new: true })
}

/// The job that was submitted before under the same key.
fn same(tx: &mut Tx<'_>, new: &Submission) -> Result<Option<JobId>, QueueError> {
    let Some(key) = &new.key else { return Ok(None) };
    let found = tx.row(
        "select id, bytes from job join input on job = id where name = $1 and idempotency = $2",
        values![new.name.as_str(), key.as_str()],
    )?;
    let Some(found) = found else { return Ok(None) };
    let job = JobId(found.integer(0)?);
    if found.bytes(1)? != new.input {
        return Err(QueueError::KeyReused { job });
    }
    Ok(Some(job))
}

fn insert(tx: &mut Tx<'_>, new: &Submission, lane: i64) -> Result<JobId, QueueError> {
    let not_before = new.not_before.unwrap_or(tx.now);
    let row = tx.row(
        "insert into job (name, lane, state, priority, idempotency, concurrency, submitted, not_before, timeout,
            most_attempts, ready, paused_until)
         values ($1, $2, 'queued', $3, $4, $5, $6, $7, $8, $9, $10, $11) returning id",
        values![
            new.name.as_str(),
            lane,
            i64::from(new.priority),
            new.key.as_ref().map(|key| key.as_str()),
            new.concurrency.as_ref().map(|one| one.key.as_str()),
            tx.now,
            not_before,
            new.timeout.map(millis),
            i64::from(new.most_attempts.get()),
            not_before <= tx.now,
            (not_before > tx.now).then_some(not_before),
        ],
    )?;
    let job = JobId(row.ok_or(QueueError::Stored("no id"))?.integer(0)?);
    tx.execute("insert into input (job, bytes) values ($1, $2)", values![job, new.input.as_slice()])?;
    Ok(job)
}

/// The lane of a job: those that share a limit wait in one.
fn lane(tx: &mut Tx<'_>, new: &Submission) -> Result<i64, QueueError> {
    let key = new.concurrency.as_ref().map(|one| &one.key);
    let found = find_lane(tx, &new.name, key)?;
    match (found, &new.concurrency) {
        (Some((lane, _)), None) => Ok(lane),
        (Some((lane, most)), Some(wanted)) if most == Some(wanted.most.get().into()) => Ok(lane),
        (_, wanted) => put_lane(tx, &new.name, key, wanted.as_ref().map(|one| one.most)),
    }
}

fn find_lane(
    tx: &mut Tx<'_>,
    name: &JobName,
    key: Option<&ConcurrencyKey>,
) -> Result<Option<(i64, Option<i64>)>, QueueError> {
    let key = key.map_or("", |key| key.as_str());
    let row = tx.row("select id, most from lane where name = $1 and key = $2", values![name.as_str(), key])?;
    row.map(|row| Ok((row.integer(0)?, row.maybe_integer(1)?))).transpose()
}

fn put_lane(
    tx: &mut Tx<'_>,
    name: &JobName,
    key: Option<&ConcurrencyKey>,
    most: Option<NonZeroU32>,
) -> Result<i64, QueueError> {
    let row = tx.row(
        "insert into lane (name, key, most) values ($1, $2, $3)
         on conflict (name, key) do update set most = excluded.most returning id",
        values![name.as_str(), key.map_or("", |key| key.as_str()), most.map(|most| i64::from(most.get()))],
    )?;
    row.ok_or(QueueError::Stored("no id"))?.integer(0)
}

/// How many jobs of a name, or of a name and a key, may run at once. What runs goes on.
pub(crate) fn set_limit(
    tx: &mut Tx<'_>,
    name: &JobName,
    key: Option<&ConcurrencyKey>,
    most: Option<NonZeroU32>,
) -> Result<(), QueueError> {
    let lane = put_lane(tx, name, key, most)?;
    tx.touched(lane);
    Ok(())
}
