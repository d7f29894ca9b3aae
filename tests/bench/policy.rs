//! How long a policy takes: the shipped one, in one process, with its compiled code kept and without.

use std::env;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::sample::{Sample, output};
use crate::site::Site;
use crate::table::Table;

const GOAL: Duration = Duration::from_millis(10);

pub(crate) fn measure(site: &Site) -> Result<Table> {
    let (_, said) = output(std::process::Command::new(beside("bench_in_process")?).arg(site.path()))?;
    Ok(Table::new("One run of the policy `baseline`, in process")
        .goal(GOAL)
        .row("compiled code kept: start the runtime, load, link, run", times(&said, "process")?)
        .row("the same in a runtime that is started", times(&said, "runtime")?)
        .row("nothing kept: compile first", times(&said, "cold")?))
}

/// A program that is built with this one.
pub(crate) fn beside(name: &str) -> Result<PathBuf> {
    Ok(env::current_exe()?.with_file_name(name))
}

pub(crate) fn times(said: &str, kind: &str) -> Result<Sample> {
    let of_kind = said.lines().filter_map(|line| line.strip_prefix(kind)?.strip_prefix(' '));
    let time = |number: &str| Ok(Duration::from_nanos(number.parse().context("no number of nanoseconds")?));
    Sample::of(of_kind.map(time).collect::<Result<_>>()?)
}
