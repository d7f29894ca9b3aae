//! What time does to jobs: pauses end, and so do leases.

use super::Tx;
use super::end::end;
use super::row::{COLUMNS, Stored};
use crate::sql::values;
use crate::{Cause, Ending, QueueError, Timestamp};

/// How many of each kind one transaction sees to, so that no other caller waits long. The rest follows in the next one.
const MOST: i64 = 1000;

/// Once in a transaction.
pub(crate) fn tend(tx: &mut Tx<'_>) -> Result<(), QueueError> {
    if std::mem::replace(&mut tx.is_tended, true) {
        return Ok(());
    }
    let (pause, lease) = soonest(tx)?;
    if lease.is_some_and(|until| until <= tx.now) {
        end_leases(tx)?;
    }
    if pause.is_some_and(|until| until <= tx.now) {
        end_pauses(tx)?;
    }
    Ok(())
}

/// When the first pause ends, and the first lease.
pub(super) fn soonest(tx: &mut Tx<'_>) -> Result<(Option<Timestamp>, Option<Timestamp>), QueueError> {
    let row = tx.row(
        "select (select min(paused_until) from job where paused_until is not null),
                (select min(lease_until) from job where lease_until is not null)",
        &[],
    )?;
    row.map_or(Ok((None, None)), |row| Ok((row.maybe_time(0)?, row.maybe_time(1)?)))
}

fn end_pauses(tx: &mut Tx<'_>) -> Result<(), QueueError> {
    let due = tx.rows(
        "select id, lane from job where paused_until <= $1 order by paused_until limit $2",
        values![tx.now, MOST],
    )?;
    for row in due {
        tx.execute("update job set ready = 1, paused_until = null, held = 0 where id = $1", values![row.integer(0)?])?;
        tx.touched(row.integer(1)?);
    }
    Ok(())
}

fn end_leases(tx: &mut Tx<'_>) -> Result<(), QueueError> {
    let sql = format!("select {COLUMNS} from job where lease_until <= $1 order by lease_until limit $2");
    for row in tx.rows(&sql, values![tx.now, MOST])? {
        let stored = Stored::read(&row)?;
        let is_late = stored.job.deadline.is_some_and(|deadline| deadline <= tx.now);
        let (cause, message) = match is_late {
            true => (Cause::TimedOut, "the attempt took longer than it may, and did not end by itself"),
            false => (Cause::WorkerLost, "the worker did not renew its lease"),
        };
        end(tx, &stored, Ending::Failed(cause), message)?;
    }
    Ok(())
}
