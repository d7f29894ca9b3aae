//! Tests that no call costs more the more jobs there are: counted in steps of SQLite's virtual machine, which time does not sway.

use std::cell::Cell;
use std::num::NonZeroU32;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use rusqlite::{Statement, StatementStatus};

use super::SqliteConnection;
use crate::op::{self, Tx};
use crate::sql::Connection;
use crate::*;

thread_local! {
    static STEPS: Cell<i32> = const { Cell::new(0) };
}

pub(super) fn count(statement: &Statement<'_>) {
    STEPS.set(STEPS.get() + statement.reset_status(StatementStatus::VmStep));
}

/// What a call costs in a transaction of its own.
fn steps<T>(
    connection: &mut SqliteConnection,
    settings: &Settings,
    call: impl FnOnce(&mut Tx<'_>) -> Result<T, QueueError>,
) -> Result<(i32, T)> {
    STEPS.set(0);
    let now = connection.begin()?;
    let mut tx = Tx::new(connection, now, settings);
    let answer = call(&mut tx)?;
    tx.settle()?;
    let woke = tx.woke;
    connection.commit(woke)?;
    Ok((STEPS.get(), answer))
}

/// What each kind of call costs when so many jobs wait, are paused, run, and have ended.
fn costs(jobs: usize) -> Result<Vec<(&'static str, i32)>> {
    let shm = Path::new("/dev/shm");
    let folder = if shm.is_dir() { tempfile::tempdir_in(shm)? } else { tempfile::tempdir()? };
    let settings = Settings { lease: Duration::from_secs(3600), ..Settings::default() };
    let mut queue = SqliteConnection::open(&folder.path().join("queue.sqlite"), &settings)?;
    let (worker, name) = (WorkerName::new("w")?, JobName::new("predict")?);
    let full = JobName::new("full")?;
    steps(&mut queue, &settings, |tx| {
        op::set_limit(tx, &full, None, NonZeroU32::new(1))?;
        for number in 0..jobs {
            let mut job = Submission::new(if number % 2 == 0 { name.clone() } else { full.clone() }, "input");
            op::submit(tx, &job)?;
            job.not_before = Some(tx.now.after(Duration::from_secs(3600)));
            op::submit(tx, &job)?;
        }
        let claimed = op::claim(tx, &worker, u32::try_from(jobs / 4).unwrap_or_default())?.jobs;
        for job in claimed.iter().skip(jobs / 8) {
            op::finish(tx, job.lease, &Outcome::Succeeded { result: Vec::new() })?;
        }
        Ok(())
    })?;
    let job = Submission::new(name.clone(), "input");
    let (submit, submitted) = steps(&mut queue, &settings, |tx| op::submit(tx, &job))?;
    let (claim, claimed) = steps(&mut queue, &settings, |tx| op::claim(tx, &worker, 1))?;
    let Some(lease) = claimed.jobs.first().map(|job| job.lease) else { anyhow::bail!("nothing was claimed") };
    let (renew, _) = steps(&mut queue, &settings, |tx| op::renew(tx, lease))?;
    let outcome = Outcome::Failed { cause: Cause::VmLost, message: String::new() };
    let (finish, _) = steps(&mut queue, &settings, |tx| op::finish(tx, lease, &outcome))?;
    let (cancel, _) = steps(&mut queue, &settings, |tx| op::cancel(tx, submitted.job))?;
    let (counts, _) = steps(&mut queue, &settings, op::counts)?;
    let mut list = 0;
    for name in [None, Some(name)] {
        for state in [None, Some(State::Queued), Some(State::Succeeded), Some(State::Dead)] {
            let filter = Filter { name: name.clone(), state };
            list += steps(&mut queue, &settings, |tx| op::list(tx, &filter, None, 10))?.0;
        }
    }
    let (prune, _) = steps(&mut queue, &settings, |tx| op::prune(tx, Duration::ZERO, 5))?;
    Ok(vec![
        ("submit", submit),
        ("claim", claim),
        ("renew", renew),
        ("finish", finish),
        ("cancel", cancel),
        ("counts", counts),
        ("list", list),
        ("prune", prune),
    ])
}

#[test]
fn no_call_costs_more_when_there_are_more_jobs() -> Result<()> {
    for ((call, few), (_, many)) in costs(100)?.into_iter().zip(costs(5_000)?) {
        eprintln!("{call}: {few} steps, {many} with fifty times as many jobs");
        ensure!(few > 0 && f64::from(many) < 1.5 * f64::from(few), "{call}: {few} steps, and {many} with more jobs");
    }
    Ok(())
}
