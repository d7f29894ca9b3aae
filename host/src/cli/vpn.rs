//! `stead vpn`: the WireGuard of all hosts.

use clap::Subcommand;

use super::Context;
use crate::error::Failure;
use crate::exit::Exit;

pub(super) mod keys;
mod status;

/// Look after the WireGuard of all hosts.
#[derive(Debug, Subcommand)]
pub(super) enum Vpn {
    Status(status::Status),
    Keys(keys::Keys),
}

impl Vpn {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        match self {
            Self::Status(status) => status.run(context).await,
            Self::Keys(keys) => keys.run(context).await,
        }
    }
}
