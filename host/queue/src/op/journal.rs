//! The journal of a run: what its calls were answered, for the next attempt to replay.

use super::Tx;
use crate::sql::{Row, values};
use crate::{CallName, Entry, JobId, Lease, Phase, QueueError, Recorded, Run};

/// Appends an entry. Appending the same one again is harmless.
pub(crate) fn append_entry(tx: &mut Tx<'_>, lease: Lease, entry: &Entry) -> Result<(), QueueError> {
    let limits = tx.settings.limits;
    if entry.answer.len() > limits.answer {
        return Err(QueueError::TooLarge { what: "answer", size: entry.answer.len(), limit: limits.answer });
    }
    let stored = tx.held(lease)?;
    let (run, next) = (stored.job.run, stored.next_entry);
    if entry.sequence < next {
        return is_same(tx, lease.job, run, entry);
    }
    if entry.sequence > next {
        return Err(QueueError::Gap { what: "entry", expected: next, got: entry.sequence });
    }
    if next >= limits.entries {
        return Err(QueueError::Full { job: lease.job, what: "entries in its journal", limit: limits.entries });
    }
    tx.execute(
        "insert into entry (job, run, sequence, attempt, at, phase, call, request, answer)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        values![
            lease.job,
            run.0,
            next,
            lease.attempt,
            tx.now,
            entry.phase.word(),
            entry.call.as_str(),
            entry.request.as_slice(),
            entry.answer.as_slice(),
        ],
    )?;
    tx.execute("update job set next_entry = next_entry + 1 where id = $1", values![lease.job])?;
    Ok(())
}

fn is_same(tx: &mut Tx<'_>, job: JobId, run: Run, entry: &Entry) -> Result<(), QueueError> {
    let found = page(tx, job, run, entry.sequence, 1)?;
    match found.first().is_some_and(|found| found.entry == *entry) {
        true => Ok(()),
        false => Err(QueueError::Diverged { job, sequence: entry.sequence }),
    }
}

/// Entries of a run in their order, from this one on.
pub(crate) fn journal(
    tx: &mut Tx<'_>,
    job: JobId,
    run: Run,
    from: u64,
    most: u32,
) -> Result<Vec<Recorded>, QueueError> {
    tx.stored(job)?;
    page(tx, job, run, from, most)
}

fn page(tx: &mut Tx<'_>, job: JobId, run: Run, from: u64, most: u32) -> Result<Vec<Recorded>, QueueError> {
    let rows = tx.rows(
        "select sequence, attempt, at, phase, call, request, answer from entry
         where job = $1 and run = $2 and sequence >= $3 order by sequence limit $4",
        values![job, run.0, from, i64::from(most)],
    )?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Recorded, QueueError> {
    let request = row.bytes(5)?.try_into().map_err(|_| QueueError::Stored("not a digest"))?;
    let entry = Entry {
        sequence: row.unsigned(0)?,
        phase: row.word(3, Phase::from_word)?,
        call: CallName::stored(row.text(4)?),
        request,
        answer: row.bytes(6)?,
    };
    Ok(Recorded { entry, attempt: row.unsigned(1)?, at: row.time(2)? })
}
