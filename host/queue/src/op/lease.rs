//! A worker says that it is still there.

use super::Tx;
use super::row::told;
use crate::sql::values;
use crate::{Lease, Progress, QueueError, Renewed};

pub(crate) fn renew(tx: &mut Tx<'_>, lease: Lease) -> Result<Renewed, QueueError> {
    let stored = tx.held(lease)?;
    let length = tx.settings.lease;
    // After its deadline an attempt gets one more lease, to clean up and to say that it is over.
    let last = stored.job.deadline.map(|deadline| deadline.after(length));
    let until = tx.now.after(length).min(last.unwrap_or(tx.now.after(length)));
    tx.execute("update job set lease_until = $2 where id = $1", values![lease.job, until])?;
    Ok(Renewed { lasts: tx.now.until(until), is_cancelled: stored.job.is_cancelled })
}

/// Says that the run has made something on this server, where one is named.
pub(crate) fn bind(tx: &mut Tx<'_>, lease: Lease) -> Result<(), QueueError> {
    tx.held(lease)?;
    let Some(server) = tx.settings.server.clone() else { return Ok(()) };
    tx.execute("update job set server = $2 where id = $1", values![lease.job, server.as_str()]).map(drop)
}

pub(crate) fn set_progress(tx: &mut Tx<'_>, lease: Lease, progress: &Progress) -> Result<(), QueueError> {
    tx.held(lease)?;
    tx.execute(
        "update job set progress = $2, progress_message = $3 where id = $1",
        &[lease.job.into(), i64::from(progress.permille.min(1000)).into(), told(&progress.message)],
    )?;
    tx.woke.changed = true;
    Ok(())
}
