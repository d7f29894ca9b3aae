//! The same server by stead, pyinfra and Ansible, each over ssh from outside: from fresh, with nothing to do, and as a
//! check that changes nothing.
//!
//! Each has a server of its own, made in the same way. The runs that are compared take turns.

mod tool;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use stead_tests::cache;
use stead_tests::run::{run, words};

use crate::sample::{Sample, timed};
use crate::server::Server;
use crate::site::Site;
use crate::table::Table;
use tool::{Tool, Work};

/// How often a fresh server is set up by each.
const ROUNDS: usize = 3;
/// How often each is run on a server that is as declared.
const RUNS: usize = 10;
const REQUIREMENTS: &str = include_str!("peers/requirements.txt");
const INSTALL_LIMIT: Duration = Duration::from_secs(900);

type Times = [Vec<Duration>; Tool::ALL.len()];

pub(crate) fn measure(site: &Site) -> Result<Vec<Table>> {
    let python = python()?;
    let mut first = Times::default();
    let mut servers = set_up(site, &python, &mut first)?;
    for _ in 1..ROUNDS {
        drop(servers);
        servers = set_up(site, &python, &mut first)?;
    }
    let (mut again, mut check) = (Times::default(), Times::default());
    for round in 1..=RUNS {
        eprintln!("With nothing to do, {round} of {RUNS}…");
        for (index, (tool, server)) in Tool::ALL.iter().zip(&servers).enumerate() {
            again[index].push(tool.nothing_to_do(&work(site, &python, server))?);
            check[index].push(timed(&mut tool.check(&work(site, &python, server)))?);
        }
    }
    Ok(vec![
        table("From a fresh server, over ssh", first)?,
        table("Apply with nothing to do, over ssh", again)?,
        table("Check that changes nothing, over ssh", check)?,
    ])
}

/// Sets up a fresh server with each, and gives them back as they are then.
fn set_up(site: &Site, python: &Path, times: &mut Times) -> Result<Vec<Server>> {
    let mut servers = Vec::new();
    for (tool, times) in Tool::ALL.iter().zip(times) {
        eprintln!("A fresh server, by {}…", tool.name());
        let server = Server::start()?;
        times.push(timed(&mut tool.apply(&work(site, python, &server)))?);
        server.is_set_up()?;
        servers.push(server);
    }
    Ok(servers)
}

fn work<'a>(site: &'a Site, python: &'a Path, server: &'a Server) -> Work<'a> {
    Work { site, python, server }
}

fn table(title: &str, times: Times) -> Result<Table> {
    let one = |table: Table, (tool, times): (&Tool, Vec<Duration>)| Ok(table.row(tool.name(), Sample::of(times)?));
    Tool::ALL.iter().zip(times).try_fold(Table::new(title), one)
}

/// The interpreter of a virtual environment that holds the peers, made once.
fn python() -> Result<PathBuf> {
    let install = |folder: &Path| {
        eprintln!("Installing the peers from PyPI…");
        run(words("python3 -m venv").arg(folder), INSTALL_LIMIT)?.ok()?;
        let mut pip = Command::new(folder.join("bin/python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]);
        run(pip.arg(tool::file("requirements.txt")), INSTALL_LIMIT)?.ok().map(drop)
    };
    Ok(cache::entry("peers", &cache::key(&[REQUIREMENTS]), install)?.join("bin/python"))
}
