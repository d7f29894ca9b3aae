//! `stead app`: the compose apps of hosts, day to day.

use clap::Subcommand;

use super::Context;
use crate::error::Failure;
use crate::exit::Exit;

mod clean;
mod exec;
mod logs;
mod ls;
mod pin;
mod restart;

/// See and run the compose apps of hosts.
#[derive(Debug, Subcommand)]
pub(super) enum App {
    Ls(ls::Ls),
    Logs(logs::Logs),
    Restart(restart::Restart),
    Exec(exec::Exec),
    Clean(clean::Clean),
    Pin(pin::Pin),
}

impl App {
    pub(super) async fn run(self, context: &Context) -> Result<u8, Failure> {
        match self {
            Self::Ls(ls) => ls.run(context).await.map(Exit::code),
            Self::Logs(logs) => logs.run(context).await.map(Exit::code),
            Self::Restart(restart) => restart.run(context).await.map(Exit::code),
            Self::Exec(exec) => exec.run(context).await,
            Self::Clean(clean) => clean.run(context).await.map(Exit::code),
            Self::Pin(pin) => pin.run(context).await.map(Exit::code),
        }
    }
}
