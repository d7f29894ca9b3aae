//! `stead vpn remove`: a laptop or a phone is no peer any more.

use clap::Args;

use crate::cli::Context;
use crate::error::Failure;
use crate::exit::Exit;
use crate::repo::{Repo, VPN_FILE};

/// Put a laptop or a phone out of a mesh.
///
/// Removes it from vpn.toml. It is out of a host with the next `stead apply` there.
#[derive(Debug, Args)]
pub(in crate::cli) struct Remove {
    /// What it is called.
    name: String,
    /// The mesh; the only one when there is one.
    #[arg(long, value_name = "MESH")]
    vpn: Option<String>,
}

impl Remove {
    pub(in crate::cli) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let repo = Repo::open(&context.repo)?;
        let mesh = repo.mesh(self.vpn.as_deref())?;
        let mut directory = repo.directory().clone();
        directory.remove_peer(mesh, &self.name)?;
        directory.save(repo.folder())?;
        let said = format!(
            "commit {VPN_FILE}; {} can come in until the next `stead apply` to the hosts of {}: {}\n",
            self.name,
            mesh.name,
            mesh.hosts.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        );
        context.terminal.say(&said);
        Ok(Exit::Done)
    }
}
