//! An attempt ends, and the job with it or not.

use super::Tx;
use super::row::{Stored, told};
use crate::sql::values;
use crate::{Ending, Lease, Outcome, QueueError, State, Timestamp};

/// What comes after an attempt.
enum Next {
    Rest(State),
    Again { not_before: Timestamp },
}

/// A worker says how its attempt ended. Saying the same twice is harmless.
pub(crate) fn finish(tx: &mut Tx<'_>, lease: Lease, outcome: &Outcome) -> Result<State, QueueError> {
    let limit = tx.settings.limits.result;
    if let Outcome::Succeeded { result } = outcome
        && result.len() > limit
    {
        return Err(QueueError::TooLarge { what: "result", size: result.len(), limit });
    }
    let (how, message) = match outcome {
        Outcome::Succeeded { .. } => (Ending::Succeeded, ""),
        Outcome::Failed { cause, message } => (Ending::Failed(*cause), message.as_str()),
        Outcome::Cancelled => (Ending::Cancelled, ""),
        Outcome::Released => (Ending::Released, ""),
    };
    let stored = match tx.held(lease) {
        Err(QueueError::Fenced(_)) => return said_before(tx, lease, how),
        stored => stored?,
    };
    if let Outcome::Succeeded { result } = outcome {
        tx.execute(
            "insert into result (job, bytes) values ($1, $2) on conflict (job) do update set bytes = excluded.bytes",
            values![lease.job, result.as_slice()],
        )?;
    }
    end(tx, &stored, how, message)
}

/// The answer to a worker that did not get the first one.
fn said_before(tx: &mut Tx<'_>, lease: Lease, how: Ending) -> Result<State, QueueError> {
    let said = tx.row(
        "select number from attempt where job = $1 and number = $2 and ending = $3",
        values![lease.job, lease.attempt, how.word()],
    )?;
    match said {
        Some(_) => Ok(tx.stored(lease.job)?.job.state),
        None => Err(QueueError::Fenced(lease)),
    }
}

/// Ends the attempt that runs.
pub(super) fn end(tx: &mut Tx<'_>, stored: &Stored, how: Ending, message: &str) -> Result<State, QueueError> {
    let lease = stored.lease();
    tx.execute(
        "update attempt set ended = $3, ending = $4, message = $5 where job = $1 and number = $2",
        &[lease.job.into(), lease.attempt.into(), tx.now.into(), how.word().into(), told(message)],
    )?;
    let state = match next(tx, stored, how) {
        Next::Rest(state) => rest(tx, stored, state)?,
        Next::Again { not_before } => again(tx, stored, how, not_before)?,
    };
    tx.moved(&stored.job.name, stored.lane, Some(State::Running), Some(state));
    tx.touched(stored.lane);
    Ok(state)
}

fn next(tx: &Tx<'_>, stored: &Stored, how: Ending) -> Next {
    let job = &stored.job;
    let cause = match how {
        Ending::Succeeded => return Next::Rest(State::Succeeded),
        _ if job.is_cancelled => return Next::Rest(State::Cancelled),
        Ending::Cancelled => return Next::Rest(State::Cancelled),
        Ending::Released => return Next::Again { not_before: tx.now },
        Ending::Failed(cause) => cause,
    };
    match tx.settings.retry.pause(cause, job.id, job.tries) {
        None => Next::Rest(State::Failed),
        Some(_) if job.tries >= job.most_attempts => Next::Rest(State::Dead),
        Some(pause) => Next::Again { not_before: tx.now.after(pause) },
    }
}

fn rest(tx: &mut Tx<'_>, stored: &Stored, state: State) -> Result<State, QueueError> {
    tx.execute(
        "update job set state = $2, lease_until = null, deadline = null, ended = $3 where id = $1",
        values![stored.job.id, state.word(), tx.now],
    )?;
    Ok(state)
}

fn again(tx: &mut Tx<'_>, stored: &Stored, how: Ending, not_before: Timestamp) -> Result<State, QueueError> {
    let new_run = i64::from(!how.keeps_run());
    // Only its own server can go on with what the run has made there, and may be back soon.
    let held = stored.server.is_some() && tx.settings.server.is_some() && how.keeps_run();
    let not_before = if held { tx.now.after(tx.settings.takeover) } else { not_before };
    let untried = i64::from(how == Ending::Released);
    tx.execute(
        "update job set state = 'queued', lease_until = null, deadline = null, not_before = $2, ready = $3,
            paused_until = $6, run = run + $4, next_entry = next_entry * (1 - $4), tries = tries - $5, held = $7,
            server = case when $4 = 1 then null else server end
         where id = $1",
        values![
            stored.job.id,
            not_before,
            not_before <= tx.now,
            new_run,
            untried,
            (not_before > tx.now).then_some(not_before),
            held,
        ],
    )?;
    Ok(State::Queued)
}
