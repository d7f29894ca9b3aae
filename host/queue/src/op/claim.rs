//! A worker gets jobs: of each lane that has room the head is known, and the best of them is next.

use std::time::Duration;

use super::Tx;
use super::row::{COLUMNS, Stored};
use super::tend::{soonest, tend};
use crate::sql::values;
use crate::{Claim, Claimed, JobId, QueueError, State, WorkerName};

pub(crate) fn claim(tx: &mut Tx<'_>, worker: &WorkerName, most: u32) -> Result<Claim, QueueError> {
    if let Some(next) = tx.idle {
        return Ok(Claim { jobs: Vec::new(), next });
    }
    tend(tx)?;
    let mut jobs = Vec::new();
    while (jobs.len() as u64) < u64::from(most) {
        tx.settle_lanes()?;
        let next = match held(tx)? {
            None => head(tx)?,
            own => own,
        };
        let Some(id) = next else { return Ok(Claim { jobs, next: idle(tx)? }) };
        jobs.push(take(tx, id, worker)?);
    }
    Ok(Claim { jobs, next: None })
}

fn head(tx: &mut Tx<'_>) -> Result<Option<JobId>, QueueError> {
    // The condition is that of the index, word for word.
    let row = tx.row(
        "select head_job from lane where head_job is not null and (most is null or running < most)
         order by head_priority desc, head_job limit 1",
        &[],
    )?;
    row.map(|row| row.integer(0).map(JobId)).transpose()
}

/// A job whose run has made something on this server, and waits for it to come back.
fn held(tx: &mut Tx<'_>) -> Result<Option<JobId>, QueueError> {
    let Some(server) = tx.settings.server.clone() else { return Ok(None) };
    let row = tx.row(
        "select job.id from job join lane on lane.id = job.lane
         where job.held = 1 and job.server = $1 and job.paused_until is not null
            and (lane.most is null or lane.running < lane.most)
         order by job.id limit 1",
        values![server.as_str()],
    )?;
    row.map(|row| row.integer(0).map(JobId)).transpose()
}

fn take(tx: &mut Tx<'_>, id: JobId, worker: &WorkerName) -> Result<Claimed, QueueError> {
    let until = tx.now.after(tx.settings.lease);
    let of = tx.stored(id)?.server;
    // What the run has made is on another server, and out of reach.
    let anew = i64::from(of.is_some() && tx.settings.server.is_some() && of != tx.settings.server);
    let row = tx.row(
        &format!(
            "update job set state = 'running', ready = 0, paused_until = null, attempt = attempt + 1, tries = tries + 1,
                lease_until = $2, deadline = timeout + $3, held = 0, run = run + $4, next_entry = next_entry * (1 - $4),
                server = case when $4 = 1 then null else server end
             where id = $1 returning {COLUMNS}"
        ),
        values![id, until, tx.now, anew],
    )?;
    let stored = Stored::read(&row.ok_or(QueueError::Stored("the head of a lane is no job"))?)?;
    let job = &stored.job;
    tx.execute(
        "insert into attempt (job, number, run, worker, started) values ($1, $2, $3, $4, $5)",
        values![id, job.attempt, job.run.0, worker.as_str(), tx.now],
    )?;
    tx.moved(&job.name, stored.lane, Some(State::Queued), Some(State::Running));
    let input = tx.row("select bytes from input where job = $1", values![id])?;
    Ok(Claimed {
        lease: stored.lease(),
        name: job.name.clone(),
        input: input.ok_or(QueueError::Stored("a job without input"))?.bytes(0)?,
        run: job.run,
        entries: stored.next_entry,
        next_line: job.next_line,
        time_left: job.timeout,
        lasts: tx.settings.lease,
    })
}

/// How long until time makes a difference. Those that share the transaction find nothing either, until something changes.
fn idle(tx: &mut Tx<'_>) -> Result<Option<Duration>, QueueError> {
    let (pause, lease) = soonest(tx)?;
    let next = [pause, lease].into_iter().flatten().min().map(|first| tx.now.until(first));
    tx.idle = Some(next);
    Ok(next)
}
