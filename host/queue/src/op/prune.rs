//! Jobs that ended long ago go.

use std::time::Duration;

use super::{Tx, spend};
use crate::sql::{Value, values};
use crate::{JobId, JobName, Pruned, QueueError, State};

/// Lines of a log that one transaction deletes, so that no other caller waits long.
const LINES: i64 = 10_000;

/// Deletes jobs that ended at least this long ago, the oldest first, at most so many. What they stored goes with them. A job
/// with a long log takes several calls, of which the last one names it.
pub(crate) fn prune(tx: &mut Tx<'_>, age: Duration, most: u32) -> Result<Pruned, QueueError> {
    let which = "ended <= $1 order by ended, id limit $2";
    let before = Value::from(tx.now.before(age));
    delete_all(tx, which, before, most)
}

/// The same with all but so many of those that ended last.
pub(crate) fn prune_beyond(tx: &mut Tx<'_>, kept: u64, most: u32) -> Result<Pruned, QueueError> {
    let which = "ended is not null order by ended desc, id desc limit $2 offset $1";
    delete_all(tx, which, kept.into(), most)
}

fn delete_all(tx: &mut Tx<'_>, which: &str, value: Value, most: u32) -> Result<Pruned, QueueError> {
    let rows = tx.rows(
        &format!(
            "select id, name, lane, state, (select min(number) from line where job = id), next_line from job
             where {which}"
        ),
        &[value, i64::from(most).into()],
    )?;
    spend::forget(tx)?;
    let (mut gone, mut lines) = (Vec::new(), LINES);
    for row in &rows {
        let id = JobId(row.integer(0)?);
        let first = row.maybe_integer(4)?.unwrap_or(row.integer(5)?);
        let left = row.integer(5)? - first;
        tx.execute("delete from line where job = $1 and number < $2", values![id, first + lines])?;
        if left > lines {
            return Ok(Pruned { jobs: gone, is_done: false });
        }
        lines -= left;
        delete(tx, id)?;
        tx.moved(&JobName::stored(row.text(1)?), row.integer(2)?, Some(row.word(3, State::from_word)?), None);
        gone.push(id);
    }
    Ok(Pruned { jobs: gone, is_done: u32::try_from(rows.len()).is_ok_and(|found| found < most) })
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
