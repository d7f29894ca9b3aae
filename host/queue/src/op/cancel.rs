//! Somebody wants a job no more.

use super::Tx;
use crate::sql::values;
use crate::{Cancelled, JobId, QueueError, State};

pub(crate) fn cancel(tx: &mut Tx<'_>, id: JobId) -> Result<Cancelled, QueueError> {
    let stored = tx.stored(id)?;
    match stored.job.state {
        State::Queued => {
            tx.execute(
                "update job set state = 'cancelled', ready = 0, paused_until = null, ended = $2 where id = $1",
                values![id, tx.now],
            )?;
            tx.moved(&stored.job.name, stored.lane, Some(State::Queued), Some(State::Cancelled));
            tx.touched(stored.lane);
            Ok(Cancelled::AtOnce)
        }
        State::Running => {
            tx.execute("update job set cancelled = 1 where id = $1", values![id])?;
            tx.woke.changed = true;
            Ok(Cancelled::Asked)
        }
        ended => Ok(Cancelled::TooLate(ended)),
    }
}
