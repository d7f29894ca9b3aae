//! `stead vpn show`: the configuration of a laptop or a phone once more, after a host has come or changed its key.

use clap::Args;

use crate::cli::Context;
use crate::error::Failure;
use crate::exit::Exit;
use crate::repo::{Name, Repo};

/// Show the configuration of a laptop or a phone as it is now.
///
/// Its private key is not in it: nobody but its owner has it. For when a host has come, has gone, or has another key.
#[derive(Debug, Args)]
pub(in crate::cli) struct Show {
    /// What it is called.
    name: Name,
    /// The mesh; the only one when there is one.
    #[arg(long, value_name = "MESH")]
    vpn: Option<String>,
}

impl Show {
    pub(in crate::cli) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let repo = Repo::open(&context.repo)?;
        let mesh = repo.mesh(self.vpn.as_deref())?;
        let client = mesh.client(&self.name, repo.directory(), None)?;
        context.terminal.print(client.text.reveal());
        for left_out in client.left_out {
            context.terminal.say(&format!("not in it: {left_out}\n"));
        }
        Ok(Exit::Done)
    }
}
