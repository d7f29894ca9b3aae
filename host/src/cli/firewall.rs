//! `stead firewall`: what the rules of a host mean.

use clap::Subcommand;

use super::Context;
use crate::error::Failure;
use crate::exit::Exit;

mod show;
mod test;

/// See what the rules of a host mean.
#[derive(Debug, Subcommand)]
pub(super) enum Firewall {
    Show(show::Show),
    Test(test::Test),
}

impl Firewall {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        match self {
            Self::Show(show) => show.run(context).await,
            Self::Test(test) => test.run(context).await,
        }
    }
}
