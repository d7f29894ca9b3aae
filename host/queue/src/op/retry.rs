//! Somebody wants a job tried again that has failed or is dead: it begins anew.

use super::Tx;
use crate::sql::values;
use crate::{JobId, QueueError, State};

pub(crate) fn retry(tx: &mut Tx<'_>, id: JobId) -> Result<(), QueueError> {
    let stored = tx.stored(id)?;
    let state = stored.job.state;
    if !matches!(state, State::Failed | State::Dead) {
        return Err(QueueError::NotRetryable { job: id, state });
    }
    tx.execute(
        "update job set state = 'queued', ready = 1, not_before = $2, tries = 0, run = run + 1, next_entry = 0,
            ended = null, progress = null, progress_message = null where id = $1",
        values![id, tx.now],
    )?;
    tx.moved(&stored.job.name, stored.lane, Some(state), Some(State::Queued));
    tx.touched(stored.lane);
    Ok(())
}
