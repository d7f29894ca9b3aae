//! Jobs that ended long ago go.

use std::time::Duration;

use super::{Tx, spend};
use crate::sql::values;
use crate::{JobId, JobName, QueueError, State};

/// Lines of a log that one transaction deletes, so that no other caller waits long.
const LINES: i64 = 10_000;

/// Deletes jobs that ended at least this long ago, the oldest first, at most so many, and answers which. What they
/// stored goes with them. A job with a long log takes several calls, of which the last one names it.
pub(crate) fn prune(tx: &mut Tx<'_>, age: Duration, most: u32) -> Result<Vec<JobId>, QueueError> {
    let rows = tx.rows(
        "select id, name, lane, state, (select min(number) from line where job = id), next_line from job
         where ended <= $1 order by ended, id limit $2",
        values![tx.now.before(age), i64::from(most)],
    )?;
    spend::forget(tx)?;
    let (mut gone, mut lines) = (Vec::new(), LINES);
    for row in rows {
        let id = JobId(row.integer(0)?);
        let first = row.maybe_integer(4)?.unwrap_or(row.integer(5)?);
        let left = row.integer(5)? - first;
        tx.execute("delete from line where job = $1 and number < $2", values![id, first + lines])?;
        if left > lines {
            break;
        }
        lines -= left;
        delete(tx, id)?;
        tx.moved(&JobName::stored(row.text(1)?), row.integer(2)?, Some(row.word(3, State::from_word)?), None);
        gone.push(id);
    }
    Ok(gone)
}

fn delete(tx: &mut Tx<'_>, id: JobId) -> Result<(), QueueError> {
    for table in ["entry", "artifact", "attempt", "input", "result"] {
        tx.execute(&format!("delete from {table} where job = $1"), values![id])?;
    }
    tx.execute("delete from job where id = $1", values![id]).map(drop)
}

/// Of these places, those where no artifact of any job lies.
pub(crate) fn unused(tx: &mut Tx<'_>, places: &[String]) -> Result<Vec<String>, QueueError> {
    let mut unused = Vec::new();
    for place in places {
        if tx.row("select 1 from artifact where place = $1 limit 1", values![place.as_str()])?.is_none() {
            unused.push(place.clone());
        }
    }
    Ok(unused)
}
