//! The same server by stead, pyinfra, Ansible and a shell script, each over ssh from outside: from fresh, with nothing to do,
//! with one kernel parameter changed, and as a check that changes nothing; and what a run costs beside its time.
//!
//! Each has a server of its own, made in the same way. The runs that are compared take turns.

mod cost;
mod tool;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};
use stead_tests::cache;
use stead_tests::run::{run, words};

use crate::sample::{Sample, timed};
use crate::server::Server;
use crate::site::Site;
use crate::table::Table;
pub(crate) use tool::file;
use tool::{Tool, Work};

/// How often a fresh server is set up by each.
const ROUNDS: usize = 3;
/// How often each is run on a server that is as declared.
const RUNS: usize = 10;
/// The kernel parameter that changes, at the beginning.
const FIRST: u32 = 10;
const SWAPPINESS: &str = "cat /proc/sys/vm/swappiness";
const REQUIREMENTS: &str = include_str!("peers/requirements.txt");
const INSTALL_LIMIT: Duration = Duration::from_secs(900);

type Times = [Vec<Duration>; Tool::ALL.len()];

/// Tables, ready to be printed.
pub(crate) fn measure(site: &Site) -> Result<Vec<String>> {
    let python = python()?;
    let mut first = Times::default();
    let mut servers = set_up(site, &python, &mut first)?;
    for _ in 1..ROUNDS {
        drop(servers);
        servers = set_up(site, &python, &mut first)?;
    }
    let (mut again, mut check, mut change) = (Times::default(), Times::default(), Times::default());
    for round in 1..=RUNS {
        eprintln!("With nothing to do, {round} of {RUNS}…");
        let swappiness = FIRST + u32::try_from(round)?;
        for (index, (tool, server)) in Tool::ALL.iter().zip(&servers).enumerate() {
            site.set_swappiness(swappiness - 1)?;
            let work = |swappiness| Work { site, python: &python, server, swappiness };
            again[index].push(tool.nothing_to_do(&work(swappiness - 1))?);
            if let Some(mut command) = tool.check(&work(swappiness - 1)) {
                check[index].push(timed(&mut command)?);
            }
            site.set_swappiness(swappiness)?;
            change[index].push(timed(&mut tool.apply(&work(swappiness)))?);
            ensure!(server.shell(SWAPPINESS)?.trim() == swappiness.to_string(), "{} changed nothing", tool.name());
        }
    }
    let tables = [
        table("From a fresh server, over ssh", first)?,
        table("Apply with nothing to do, over ssh", again)?,
        table("Apply with one kernel parameter changed, over ssh", change)?,
        table("Check that changes nothing, over ssh", check)?,
    ];
    let costs = costs(site, &python, &servers)?;
    Ok(tables.iter().map(ToString::to_string).chain([costs]).collect())
}

/// What an apply with nothing to do costs beside its time.
fn costs(site: &Site, python: &Path, servers: &[Server]) -> Result<String> {
    let mut text = "### What an apply with nothing to do costs, on both sides together\n\n\
        | what | memory at once | processes and threads of the operator | of the server |\n|---|--:|--:|--:|\n"
        .to_owned();
    for (tool, server) in Tool::ALL.iter().zip(servers) {
        let work = Work { site, python, server, swappiness: FIRST + u32::try_from(RUNS)? };
        let cost::Cost { memory_kib, started: [here, there] } = cost::of(&tool.apply(&work), server)?;
        writeln!(text, "| {} | {} MiB | {here} | {there} |", tool.name(), memory_kib.div_ceil(1024))?;
    }
    Ok(text)
}

/// Sets up a fresh server with each, and gives them back as they are then.
fn set_up(site: &Site, python: &Path, times: &mut Times) -> Result<Vec<Server>> {
    let mut servers = Vec::new();
    for (tool, times) in Tool::ALL.iter().zip(times) {
        eprintln!("A fresh server, by {}…", tool.name());
        let server = Server::start()?;
        site.set_swappiness(FIRST)?;
        let work = Work { site, python, server: &server, swappiness: FIRST };
        times.push(timed(&mut tool.apply(&work))?);
        server.is_set_up()?;
        servers.push(server);
    }
    Ok(servers)
}

fn table(title: &str, times: Times) -> Result<Table> {
    let one = |table: Table, (tool, times): (&Tool, Vec<Duration>)| Ok(table.row(tool.name(), Sample::of(times)?));
    let mut measured = Tool::ALL.iter().zip(times).filter(|(_, times)| !times.is_empty());
    measured.try_fold(Table::new(title), one)
}

/// The interpreter of a virtual environment that holds the peers, made once.
pub(crate) fn python() -> Result<PathBuf> {
    let install = |folder: &Path| {
        eprintln!("Installing the peers from PyPI…");
        run(words("python3 -m venv").arg(folder), INSTALL_LIMIT)?.ok()?;
        let mut pip = Command::new(folder.join("bin/python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]);
        run(pip.arg(tool::file("requirements.txt")), INSTALL_LIMIT)?.ok().map(drop)
    };
    Ok(cache::entry("peers", &cache::key(&[REQUIREMENTS]), install)?.join("bin/python"))
}
