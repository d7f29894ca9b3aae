//! Jobs in machines: from `stead job submit` to the first line that a command writes there, beside the same machine without stead.
//!
//! *The same machine*: its QEMU has the arguments of a machine that stead has started, on a copy of its seed and a new layer over the
//! same disk, and what is timed ends with the first line over ssh(1). So a ratio has all that stead adds: queue, policy, keys, disk, seed,
//! journal, lease, the unit in which a command runs, and the log.

mod bare;
mod service;

use std::time::Duration;

use anyhow::Result;

use bare::Bare;
use service::Service;

use crate::sample::Sample;
use crate::table::Table;

const BOOTS: usize = 3;
const RESUMES: usize = 7;
const MOST_OF_BOOT: f64 = 1.1;
const MOST_OF_RESUME: f64 = 1.2;

pub(crate) fn measure() -> Result<Vec<Table>> {
    let service = Service::start()?;
    let booted = turns(&service, "boot", BOOTS, MOST_OF_BOOT)?;
    eprintln!("Making a template…");
    service.warm()?;
    Ok(vec![booted, turns(&service, "resume", RESUMES, MOST_OF_RESUME)?])
}

fn turns(service: &Service, what: &str, runs: usize, most: f64) -> Result<Table> {
    let bare = Bare::learn(service)?;
    let (mut alone, mut jobs) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        alone.push(said(what, "bare", bare.first_output()?));
        jobs.push(said(what, "job", service.first_output()?));
    }
    let (alone, jobs) = (Sample::of(alone)?, Sample::of(jobs)?);
    let is_met = jobs.median() <= alone.median().mul_f64(most);
    let title = format!(
        "submit to first output, where machines {what}; goal: a ratio of {most}, {}",
        if is_met { "met" } else { "NOT met" }
    );
    Ok(Table::new(title).row(format!("bare {what}, and ssh"), alone).row("stead job submit", jobs))
}

fn said(what: &str, who: &str, took: Duration) -> Duration {
    eprintln!("{what}, {who}: {took:.2?}");
    took
}
