//! How long the policy `baseline` takes in each language, in one process, with its compiled code kept and without.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use stead_tests::language;

use crate::policy::{beside, times};
use crate::sample::output;
use crate::site::Site;
use crate::table::Table;

const GOAL: Duration = Duration::from_millis(10);
const GOAL_OF_INTERPRETERS: Duration = Duration::from_millis(60);

/// Rust is the shipped policy, the others the examples of their SDKs: they ask for the same.
pub(crate) fn measure(site: &Site) -> Result<Vec<Table>> {
    let rust = site.path().join(".stead/build/baseline.wasm");
    let mut tables = vec![table(site, "rust", &rust, GOAL)?];
    for (name, goal) in
        [("c", GOAL), ("go", GOAL), ("javascript", GOAL_OF_INTERPRETERS), ("python", GOAL_OF_INTERPRETERS)]
    {
        let component = language::component(name, &format!("guest-sdk/{name}/examples/baseline"))?;
        tables.push(table(site, name, &component, goal)?);
    }
    Ok(tables)
}

fn table(site: &Site, name: &str, component: &Path, goal: Duration) -> Result<Table> {
    let repo = tempfile::tempdir()?;
    let built = repo.path().join(".stead/build/baseline.wasm");
    fs::create_dir_all(built.parent().context("no folder")?)?;
    fs::copy(component, &built)?;
    fs::copy(site.path().join("stead.toml"), repo.path().join("stead.toml"))?;
    let (_, said) = output(Command::new(beside("bench_in_process")?).arg(repo.path()))?;
    let size = fs::metadata(component)?.len() / 1024;
    Ok(Table::new(format!("The policy `baseline` in {name}, {size} KiB"))
        .goal(goal)
        .row("instantiate and run, in a runtime that is started", times(&said, "runtime")?)
        .row("compiled code kept: start the runtime, load, link, run", times(&said, "process")?)
        .row("nothing kept: compile first", times(&said, "cold")?))
}
