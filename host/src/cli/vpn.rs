//! `stead vpn`: the WireGuard of all hosts.

use clap::Subcommand;

use super::Context;
use crate::error::Failure;
use crate::exit::Exit;

mod add;
pub(super) mod keys;
mod qr;
mod remove;
mod rotate;
mod show;
mod status;

/// Look after the WireGuard of all hosts.
#[derive(Debug, Subcommand)]
pub(super) enum Vpn {
    Status(status::Status),
    Add(add::Add),
    Remove(remove::Remove),
    Show(show::Show),
    Keys(keys::Keys),
    Rotate(rotate::Rotate),
}

impl Vpn {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        match self {
            Self::Status(status) => status.run(context).await,
            Self::Add(add) => add.run(context),
            Self::Remove(remove) => remove.run(context),
            Self::Show(show) => show.run(context),
            Self::Rotate(rotate) => rotate.run(context).await,
            Self::Keys(keys) => keys.run(context).await,
        }
    }
}
