//! A job of a schedule: submitted once for each time at which it is due, however many servers see that it is.

use super::{Tx, submit};
use crate::sql::values;
use crate::{QueueError, Submission, Submitted, Timed, Timestamp};

/// `None`: somebody has done so, or the schedule was not known yet when it was due.
pub(crate) fn submit_due(
    tx: &mut Tx<'_>,
    schedule: &Timed,
    due: Timestamp,
    new: &Submission,
) -> Result<Option<Submitted>, QueueError> {
    let key = values![schedule.name.as_str(), schedule.rule.as_str()];
    let Some(row) = tx.row("select until from schedule where name = $1 and rule = $2", key)? else {
        // What was due before somebody wrote it down is nobody's wish.
        tx.execute(
            "insert into schedule (name, rule, until) values ($1, $2, $3)",
            values![schedule.name.as_str(), schedule.rule.as_str(), tx.now],
        )?;
        return Ok(None);
    };
    if due <= row.time(0)? {
        return Ok(None);
    }
    tx.execute(
        "update schedule set until = $3 where name = $1 and rule = $2",
        values![schedule.name.as_str(), schedule.rule.as_str(), due],
    )?;
    match submit(tx, new) {
        // Somebody has used the key of this time for a job of their own.
        Err(QueueError::KeyReused { .. }) => Ok(None),
        submitted => submitted.map(Some),
    }
}
