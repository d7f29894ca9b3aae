//! How long `stead apply` takes on the machine that it runs on, when there is nothing to do.

use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};
use stead_tests::host::Host;

use crate::sample::{Sample, output, timed};
use crate::server::Server;
use crate::site::Site;
use crate::table::Table;

const GOAL: Duration = Duration::from_millis(100);
const RUNS: usize = 40;
const PROGRAM: &str = "/usr/local/bin/stead";
const REPO: &str = "/root/repo";

pub(crate) fn measure(site: &Site) -> Result<Table> {
    eprintln!("Booting a server to apply to from within…");
    let server = Server::start()?;
    server.host().copy_to(&site.stead, PROGRAM)?;
    server.host().copy_to(site.path(), REPO)?;
    provide_git(&server)?;
    // Nobody logs in to confirm.
    timed(&mut stead(&server, &["apply", "--yes", "--unguarded"])?)?;
    server.is_set_up()?;
    let mut times = [const { Vec::new() }; 3];
    for _ in 0..RUNS {
        let (took, said) = output(&mut stead(&server, &["apply", "--yes"])?)?;
        ensure!(said.contains("Nothing to do"), "an apply that was to do nothing said:\n{said}");
        times[0].push(took);
        times[1].push(timed(&mut stead(&server, &["plan"])?)?);
        times[2].push(timed(&mut server.here("true")?)?);
    }
    let [apply, plan, floor] = times;
    Ok(Table::new("`stead apply --yes` with nothing to do, on the machine itself")
        .goal(GOAL)
        .row("stead apply --yes", Sample::of(apply)?)
        .row("stead plan", Sample::of(plan)?)
        .row("true(1), started in the same way", Sample::of(floor)?))
}

/// The image has no git, and where a repo is, there is one: this machine's, when it runs there.
fn provide_git(server: &Server) -> Result<()> {
    let git = String::from_utf8(Command::new("sh").args(["-c", "command -v git"]).output()?.stdout)?;
    server.host().copy_to(git.trim().as_ref(), "/usr/local/bin/git")?;
    let said = server.shell(&format!("git --version || {{ rm -rf {REPO}/.git; echo without git; }}"))?;
    eprintln!("On the server: {}", said.trim());
    Ok(())
}

fn stead(server: &Server, arguments: &[&str]) -> Result<Command> {
    let mut command = server.here("env")?;
    command.args(["-C", REPO, PROGRAM]).args(arguments);
    Ok(command)
}
