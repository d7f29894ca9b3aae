//! `stead backup`: the backups of hosts, by restic(1).

use clap::{Args, Subcommand};

use super::Context;
use super::asking::{ask, unexpected};
use super::progress::Progress;
use super::targets::anywhere;
use crate::error::Failure;
use crate::event::Event;
use crate::exit::Exit;
use crate::policy::printable;
use crate::session::{self, Deed, Request};

mod ls;

pub(super) use ls::time;

/// Make and see the backups of hosts.
///
/// What is backed up, where to and when, `[backup.NAME]` of stead.toml says; a timer of the host makes it. The repository is
/// restic's own: on the host, `set -a; . /etc/stead/backup/NAME.env; restic snapshots` works, too.
#[derive(Debug, Subcommand)]
pub(super) enum Backup {
    Init(Init),
    Run(Run),
    Ls(ls::Ls),
    Check(Check),
    #[command(hide = true)]
    Now(Now),
    #[command(hide = true)]
    Mend(Mend),
}

/// Make the repository of a backup, once: `restic init`.
///
/// It is never made unasked: a disk that is not mounted would get a new one.
#[derive(Debug, Args)]
pub(super) struct Init {
    #[command(flatten)]
    which: Which,
}

/// Make a backup now.
///
/// A part that cannot be backed up does not keep the others from it. Of a dump that fails nothing is kept.
#[derive(Debug, Args)]
pub(super) struct Run {
    #[command(flatten)]
    which: Which,
}

/// Look whether a repository is whole: `restic check`.
#[derive(Debug, Args)]
pub(super) struct Check {
    #[command(flatten)]
    which: Which,
    /// Read all of the data, too, which takes as long as a restore of everything.
    #[arg(long)]
    read_data: bool,
}

#[derive(Debug, Args)]
pub(super) struct Which {
    /// The host.
    #[arg(value_name = "TARGET")]
    target: String,
    /// The backup; all of the host when there is none.
    name: Option<String>,
}

/// Make a backup of this machine, as its timer asks for.
///
/// Waits until no other is at work.
#[derive(Debug, Args)]
pub(super) struct Now {
    /// The backup.
    name: String,
}

/// Start the containers that a backup which has died left stopped.
#[derive(Debug, Args)]
pub(super) struct Mend {}

impl Backup {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        match self {
            Self::Init(init) => init.which.ask(context, Deed::Init).await,
            Self::Run(run) => run.which.ask(context, Deed::Run).await,
            Self::Check(check) => check.which.ask(context, Deed::Check { read_data: check.read_data }).await,
            Self::Ls(ls) => ls.run(context).await,
            Self::Now(now) => {
                let tell = |line: String| context.terminal.print(&format!("{}\n", printable(&line)));
                session::now(&context.place, &now.name, tell).await?;
                Ok(Exit::Done)
            }
            Self::Mend(_) => {
                if session::mend(&context.place).await? {
                    context.terminal.print("started what a backup left stopped\n");
                }
                Ok(Exit::Done)
            }
        }
    }
}

impl Which {
    async fn ask(self, context: &Context, deed: Deed) -> Result<Exit, Failure> {
        let machine = anywhere(context, Some(&self.target))?;
        let request = Request::Backup { name: self.name, deed };
        let answer = ask(&machine, request, Progress::new(context.terminal, None)).await?;
        let Event::BackedUp { lines } = answer else { return Err(unexpected()) };
        lines.iter().for_each(|line| context.terminal.print(&format!("{}\n", printable(line))));
        Ok(Exit::Done)
    }
}
