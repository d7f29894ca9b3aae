//! What is seen of jobs from outside.

use super::Tx;
use super::row::{COLUMNS, job as read_job};
use crate::sql::{Row, Value, values};
use crate::{
    Attempt, Count, Ended, Ending, Filter, Job, JobId, JobName, Lease, QueueError, Run, State, Timestamp, WorkerName,
};

pub(crate) fn job(tx: &mut Tx<'_>, id: JobId) -> Result<Job, QueueError> {
    Ok(tx.stored(id)?.job)
}

/// Jobs that match, the newest first, from before this one on.
pub(crate) fn list(tx: &mut Tx<'_>, filter: &Filter, before: Option<JobId>, most: u32) -> Result<Vec<Job>, QueueError> {
    let mut values: Vec<Value> = values![before.unwrap_or(JobId(i64::MAX)), i64::from(most)].to_vec();
    let matches = match (&filter.name, filter.state) {
        (None, None) => "id < $1".to_owned(),
        (None, Some(state)) => format!("id < $1 and state = '{state}'"),
        (Some(name), state) => {
            values.push(name.as_str().into());
            of_name(state)
        }
    };
    let sql = format!("select {COLUMNS} from job where {matches} order by id desc limit $2");
    tx.rows(&sql, &values)?.iter().map(read_job).collect()
}

/// The index by name has the states before the jobs: one page of each state is looked up, and the best of them are taken.
fn of_name(state: Option<State>) -> String {
    let page = |state: &State| {
        format!(
            "select id from (select id from job where name = $3 and state = '{state}' and id < $1
                order by id desc limit $2) as page"
        )
    };
    let states = state.as_ref().map_or(State::ALL, std::slice::from_ref);
    format!("id in ({})", states.iter().map(page).collect::<Vec<_>>().join(" union all "))
}

/// The attempts of a job, the first one first.
pub(crate) fn attempts(tx: &mut Tx<'_>, job: JobId) -> Result<Vec<Attempt>, QueueError> {
    tx.stored(job)?;
    let rows = tx.rows(
        "select number, run, worker, started, ended, ending, message from attempt where job = $1 order by number",
        values![job],
    )?;
    rows.iter().map(|row| read_attempt(job, row)).collect()
}

fn read_attempt(job: JobId, row: &Row) -> Result<Attempt, QueueError> {
    let ended = |at| Ok(Ended { at, how: row.word(5, Ending::from_word)?, message: row.text(6)? });
    Ok(Attempt {
        lease: Lease::of(job, row.unsigned(0)?),
        run: Run(row.integer(1)?),
        worker: WorkerName::stored(row.text(2)?),
        started: row.time(3)?,
        ended: row.maybe_time(4)?.map(ended).transpose()?,
    })
}

pub(crate) fn input(tx: &mut Tx<'_>, id: JobId) -> Result<Vec<u8>, QueueError> {
    let row = tx.row("select bytes from input where job = $1", values![id])?;
    row.ok_or(QueueError::NoSuchJob(id))?.bytes(0)
}

/// The result of a job, once it has succeeded.
pub(crate) fn result(tx: &mut Tx<'_>, id: JobId) -> Result<Option<Vec<u8>>, QueueError> {
    tx.stored(id)?;
    let row = tx.row("select bytes from result where job = $1", values![id])?;
    row.map(|row| row.bytes(0)).transpose()
}

/// How many jobs there are, by name and state; what there is none of is left out.
pub(crate) fn counts(tx: &mut Tx<'_>) -> Result<Vec<Count>, QueueError> {
    let rows = tx.rows("select name, state, jobs from tally where jobs > 0 order by name, state", &[])?;
    let read = |row: &Row| {
        let (name, state) = (JobName::stored(row.text(0)?), row.word(1, State::from_word)?);
        Ok(Count { name, state, jobs: row.unsigned(2)? })
    };
    rows.iter().map(read).collect()
}

/// When the queued job of each name that was submitted first was submitted; names without one are left out.
pub(crate) fn oldest_queued(tx: &mut Tx<'_>) -> Result<Vec<(JobName, Timestamp)>, QueueError> {
    let rows = tx.rows(
        "select name, (select submitted from job where job.name = tally.name and state = 'queued' order by id limit 1)
            from tally where state = 'queued' and jobs > 0 order by name",
        &[],
    )?;
    rows.iter().map(|row| Ok((JobName::stored(row.text(0)?), row.time(1)?))).collect()
}
