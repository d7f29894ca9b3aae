//! A ruleset that is much larger than those of small teams, beside what nft(8) itself takes for it.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::policy::beside;
use crate::sample::{Sample, output};
use crate::table::Table;

pub(crate) fn measure() -> Result<Vec<Table>> {
    eprintln!("Loading a large ruleset in a network namespace…");
    let (_, said) = output(Command::new("unshare").arg("--net").arg(beside("bench_ruleset_in_process")?))?;
    let mut times: BTreeMap<&str, Vec<Duration>> = BTreeMap::new();
    let mut memory = BTreeMap::new();
    for line in said.lines() {
        if let Some((kind, nanoseconds)) = line.split_once(": ") {
            times.entry(kind).or_default().push(Duration::from_nanos(nanoseconds.parse()?));
        } else if let Some((whose, kibibytes)) = line.split_once(' ') {
            memory.insert(whose, kibibytes.parse::<u64>()? >> 10);
        }
    }
    let mut sample = |kind: &str| Sample::of(times.remove(kind).with_context(|| format!("no {kind} was timed"))?);
    let of = |whose: &str| memory.get(whose).copied().unwrap_or_default();
    Ok(vec![
        Table::new("Loading 10,000 rules and a set of 100,000 elements")
            .row("nft -f", sample("nft -f")?)
            .row("the step of an apply: the same, and the files for the next boot", sample("apply")?)
            .row("before it, once: try the rules in a namespace, and plan", sample("plan")?)
            .row("a step that changes one rule", sample("rule")?),
        Table::new(format!(
            "The same ruleset with nothing to do (most memory: stead {} MiB, nft {} MiB)",
            of("memory"),
            of("nft-memory")
        ))
        .row("nft list table", sample("nft list")?)
        .row("observe and plan", sample("no-op")?),
        Table::new("One more element in the set")
            .row("nft add element", sample("nft add")?)
            .row("the step of an apply", sample("element")?),
    ])
}
