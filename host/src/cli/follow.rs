//! `stead follow`: applies what the git remote of `[follow]` says, as far as it may, and asks for the rest.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, sleep};

use super::Context;
use super::status::json;
use super::unit::{self, ready};
use crate::error::{Blame, Failure};
use crate::exit::Exit;
use crate::follow;
use crate::installed;
use crate::lock::Lock;
use crate::machine::{create_private_folder, replace};
use crate::remote::operator;
use crate::repo::Repo;

mod round;
mod show;

use round::Follower;

/// How often it is looked whether somebody agreed to a plan.
const LOOK: Duration = Duration::from_secs(1);

/// Follow the git remote of `[follow]`: apply what its branch says, as far as it may, and ask for the rest.
///
/// A commit counts only when it is signed by a key that the commit before it names in `signed-by`, and comes after that
/// one; the keys of the first are those of the repo that this is started in. Runs until it is told to end (SIGTERM,
/// Ctrl-C), which it does after the apply that is at work. At SIGHUP, and when another program has applied to this machine,
/// it ends so that systemd starts it anew.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Follow {
    #[command(subcommand)]
    command: Option<Command>,
    /// Look once, and exit with 2 when somebody has to be asked, or with 72 when something was refused or failed.
    #[arg(long)]
    once: bool,
    /// Print a unit of systemd that runs this, and do nothing else.
    #[arg(long)]
    print_unit: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    Show(Show),
    Approve(Approve),
}

/// Show what is followed, and what each host is at; of one host also the plan that waits for somebody.
#[derive(Debug, Args)]
struct Show {
    /// The host; all when there is none.
    #[arg(value_name = "HOST")]
    host: Option<String>,
    /// Print for machines: one JSON document.
    #[arg(long)]
    json: bool,
}

/// Agree to the plan of a host as `stead follow show HOST` shows it. It is applied by whatever runs `stead follow`, if
/// the host has not changed since.
#[derive(Debug, Args)]
struct Approve {
    /// The hosts whose plans wait.
    #[arg(value_name = "HOST", required = true)]
    hosts: Vec<String>,
}

impl Follow {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        // git(1) runs in another folder.
        let state = std::path::absolute(&context.place.state).unwrap_or_else(|_| context.place.state.clone());
        let folder = follow::folder(&state);
        match self.command {
            Some(Command::Show(show)) => show.run(context, &folder),
            Some(Command::Approve(approve)) => approve.run(context, &folder),
            None if self.print_unit => {
                context.terminal.print(&unit::follow(context, &Repo::open(&context.repo)?)?);
                Ok(Exit::Done)
            }
            None => follow(context, folder, self.once).await,
        }
    }
}

async fn follow(context: &Context, folder: PathBuf, once: bool) -> Result<Exit, Failure> {
    let unusable = |error: std::io::Error| {
        let message = format!("cannot use {}: {error}", folder.display());
        Failure::new(Blame::Host, Exit::State, &message)
    };
    create_private_folder(&folder).map_err(unusable)?;
    let _lock = Lock::take(&folder, &operator(), "follow").map_err(|error| Failure::from(&error))?;
    let mut follower = Follower::open(context, folder.clone()).await?;
    if once {
        return follower.round().await.map(|outcome| outcome.exit);
    }
    ready();
    let mut ends = signal(SignalKind::terminate()).map_err(unusable)?;
    let mut interrupted = signal(SignalKind::interrupt()).map_err(unusable)?;
    let mut hangups = signal(SignalKind::hangup()).map_err(unusable)?;
    let mut leaving = false;
    loop {
        // Nothing that is at work is broken off: what was begun is applied or taken back.
        let every = follower.round().await?.every;
        let again = Instant::now() + every;
        while Instant::now() < again && !follower.is_agreed() {
            if (leaving || is_replaced(context)) && is_idle(context) {
                context.terminal.say("it ends, and whatever its unit says now goes on\n");
                return Ok(Exit::Done);
            }
            tokio::select! {
                _ = ends.recv() => return Ok(Exit::Done),
                _ = interrupted.recv() => return Ok(Exit::Done),
                _ = hangups.recv() => leaving = true,
                () = sleep(LOOK) => {}
            }
        }
    }
}

/// Whether another program has applied to this machine since this one was started, which systemd will start then.
fn is_replaced(context: &Context) -> bool {
    let replaced = || installed::own().is_ok_and(|own| !installed::has_name(&context.place.root, &own));
    std::env::var_os("INVOCATION_ID").is_some() && replaced()
}

/// Whether nobody applies to this machine. An apply finds at its end that what it declared runs.
fn is_idle(context: &Context) -> bool {
    Lock::take(&context.place.state, &operator(), "follow").is_ok()
}

impl Show {
    fn run(self, context: &Context, folder: &std::path::Path) -> Result<Exit, Failure> {
        let record = show::record(folder)?;
        let text = match &self.host {
            None if self.json => json(&record),
            None => show::all(&record),
            Some(host) => show::host(context, folder, &record, host, self.json)?,
        };
        context.terminal.print(&text);
        Ok(Exit::Done)
    }
}

impl Approve {
    fn run(self, context: &Context, folder: &std::path::Path) -> Result<Exit, Failure> {
        let record = show::record(folder)?;
        for host in &self.hosts {
            let plan = show::waiting(&record, host)?;
            let path = round::agreed(folder, host);
            replace(&path, plan.as_str().as_bytes(), 0o600).map_err(|error| {
                Failure::new(Blame::Host, Exit::State, &format!("cannot write {}: {error}", path.display()))
            })?;
            context.terminal.print(&format!("{host}: agreed to plan {}\n", plan.short()));
        }
        Ok(Exit::Done)
    }
}
