//! What the machines of jobs may cost at most, and did: reserved before a machine is asked for, settled when it is gone. As
//! nobody else writes meanwhile, two that ask at the same time never go over a ceiling together.

use std::time::Duration;

use super::Tx;
use crate::sql::{Row, values};
use crate::{JobId, Lease, QueueError, Reserved, Run, Spending, Spent};

/// In milliseconds.
const DAY: i64 = 24 * 60 * 60 * 1000;
const HOUR: u128 = 60 * 60 * 1000;
/// Rows that no ceiling asks for any more.
const KEPT: Duration = Duration::from_secs(2 * 24 * 60 * 60);

/// Reserves what a machine costs at most, unless that goes over a ceiling. Asking again for the same machine of the run
/// replaces what was reserved.
pub(crate) fn reserve(tx: &mut Tx<'_>, lease: Lease, spending: &Spending) -> Result<Reserved, QueueError> {
    let stored = tx.held(lease)?;
    let (run, name) = (stored.job.run, stored.job.name);
    let day = tx.now.as_millis() / DAY;
    let of_job = total(tx.row(
        "select cast(coalesce(sum(micros), 0) as bigint) from spending
         where job = $1 and currency = $2 and not (run = $3 and machine = $4)",
        values![lease.job, spending.currency.as_str(), run.0, spending.machine.as_str()],
    )?)?;
    let of_day = total(tx.row(
        "select cast(coalesce(sum(micros), 0) as bigint) from spending
         where name = $1 and currency = $2 and day = $3 and not (job = $4 and run = $5 and machine = $6)",
        values![name.as_str(), spending.currency.as_str(), day, lease.job, run.0, spending.machine.as_str()],
    )?)?;
    let over = |spent: u64, most: Option<u64>| most.is_some_and(|most| spent.saturating_add(spending.micros) > most);
    if over(of_job, spending.most_per_job) {
        return Ok(Reserved::OverJob { spent: of_job });
    }
    if over(of_day, spending.most_per_day) {
        return Ok(Reserved::OverDay { spent: of_day });
    }
    tx.execute(
        "insert into spending (job, run, machine, name, currency, day, micros, rate, at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         on conflict (job, run, machine) do update set currency = excluded.currency, micros = excluded.micros,
            rate = excluded.rate",
        values![
            lease.job,
            run.0,
            spending.machine.as_str(),
            name.as_str(),
            spending.currency.as_str(),
            day,
            spending.micros,
            spending.micros_per_hour,
            tx.now,
        ],
    )?;
    Ok(Reserved::Yes)
}

/// The machine is gone, so it has cost what its time did, and no more than was reserved; nothing when it never was there.
pub(crate) fn settle(tx: &mut Tx<'_>, lease: Lease, machine: &str, existed: bool) -> Result<(), QueueError> {
    let run = tx.held(lease)?.job.run;
    let found = tx.row(
        "select micros, rate, at from spending where job = $1 and run = $2 and machine = $3",
        values![lease.job, run.0, machine],
    )?;
    let Some(row) = found else { return Ok(()) };
    let lived = row.time(2)?.until(tx.now).as_millis();
    let cost = (u128::from(row.unsigned(1)?) * lived).div_ceil(HOUR);
    let cost = if existed { u64::try_from(cost).unwrap_or(u64::MAX).min(row.unsigned(0)?) } else { 0 };
    // A rate of nothing: settling it again changes nothing.
    tx.execute(
        "update spending set micros = $4, rate = 0 where job = $1 and run = $2 and machine = $3 and rate > 0",
        values![lease.job, run.0, machine, cost],
    )
    .map(drop)
}

/// What the machines of a job have cost, or may yet.
pub(crate) fn spent(tx: &mut Tx<'_>, job: JobId) -> Result<Vec<Spent>, QueueError> {
    tx.stored(job)?;
    let rows = tx.rows(
        "select run, machine, currency, micros, rate from spending where job = $1 order by run, at, machine",
        values![job],
    )?;
    rows.iter().map(read).collect()
}

/// Forgets what jobs that are gone cost before yesterday.
pub(super) fn forget(tx: &mut Tx<'_>) -> Result<(), QueueError> {
    let before = tx.now.before(KEPT);
    let sql = "delete from spending where at <= $1 and not exists (select 1 from job where id = spending.job)";
    tx.execute(sql, values![before]).map(drop)
}

fn total(row: Option<Row>) -> Result<u64, QueueError> {
    row.map(|row| row.unsigned(0)).transpose().map(Option::unwrap_or_default)
}

fn read(row: &Row) -> Result<Spent, QueueError> {
    Ok(Spent {
        run: Run(row.integer(0)?),
        machine: row.text(1)?,
        currency: row.text(2)?,
        micros: row.unsigned(3)?,
        is_settled: row.integer(4)? == 0,
    })
}
