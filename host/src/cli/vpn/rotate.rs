//! `stead vpn rotate`: another key pair for a host of a mesh.

use clap::Args;

use crate::cli::Context;
use crate::cli::asking::{ask, unexpected};
use crate::cli::progress::Progress;
use crate::cli::targets::of_repo;
use crate::error::Failure;
use crate::event::Event;
use crate::exit::Exit;
use crate::repo::{Name, Repo, VPN_FILE};
use crate::session::Request;

/// Give a host of a mesh another key pair.
///
/// The host makes the pair and keeps it; its public half goes to vpn.toml. The next `stead apply` to all hosts of the mesh
/// sets it, on the host itself and on its peers, and takes it back where you do not get in any more. `stead vpn keys`
/// before that apply takes the rotation back. Laptops and phones need the new public key of the host, too.
#[derive(Debug, Args)]
pub(in crate::cli) struct Rotate {
    /// The host.
    host: Name,
    /// The mesh; the only one when there is one.
    #[arg(long, value_name = "MESH")]
    vpn: Option<String>,
}

impl Rotate {
    pub(in crate::cli) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let repo = Repo::open(&context.repo)?;
        let mesh = repo.mesh(self.vpn.as_deref())?;
        mesh.has(&self.host)?;
        let (machine, _) = of_repo(context, &repo, &[self.host.to_string()])?.pop().ok_or_else(unexpected)?;
        let request = Request::NextKey { interface: mesh.name.clone() };
        let answer = ask(&machine, request, Progress::new(context.terminal, None)).await?;
        let Event::NextKey { public_key } = answer else { return Err(unexpected()) };
        let mut directory = repo.directory().clone();
        directory.set_key(&mesh.name, &self.host, public_key);
        directory.save(repo.folder())?;
        let hosts: Vec<_> = mesh.hosts.iter().map(ToString::to_string).collect();
        let mut said = format!("{VPN_FILE}: the next public key of {} in {} is {public_key}\n", self.host, mesh.name);
        said.push_str(&format!("commit {VPN_FILE}; `stead apply {}` sets it everywhere\n", hosts.join(" ")));
        let peers: Vec<_> = directory.of(mesh).peer.keys().map(ToString::to_string).collect();
        if !peers.is_empty() && mesh.endpoints.contains_key(&self.host) {
            said.push_str(&format!(
                "give the owners of {} what `stead vpn show NAME` says: their configurations have the old key\n",
                peers.join(", ")
            ));
        }
        context.terminal.say(&said);
        Ok(Exit::Done)
    }
}
