//! `stead vpn keys`: from the hosts that made them to `vpn.toml`, the public halves of their keys.

use clap::Args;

use super::status::tunnels;
use crate::capability::{Capability, vpn};
use crate::cli::Context;
use crate::cli::asking::first_failure;
use crate::cli::planning::Planned;
use crate::cli::targets::{self, Machine, of_repo};
use crate::error::Failure;
use crate::exit::Exit;
use crate::repo::{Mesh, MeshError, Name, Repo, VPN_FILE};

/// Gather the public keys of hosts.
///
/// Asks the hosts of each mesh for the public keys of their interfaces and writes them to vpn.toml, as `stead apply`
/// does by itself.
#[derive(Debug, Args)]
pub(in crate::cli) struct Keys {
    /// The hosts; all hosts of the repo when there is none.
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
}

impl Keys {
    pub(in crate::cli) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let repo = Repo::open(&context.repo)?;
        if repo.meshes().next().is_none() {
            return Err(MeshError::None.into());
        }
        let machines = match self.targets.as_slice() {
            [] => targets::all(context, &repo)?,
            words => of_repo(context, &repo, words)?,
        };
        let of_a_mesh = machines.into_iter().filter_map(|(machine, host)| {
            let host = repo.host(&host)?.name.clone();
            repo.meshes().any(|mesh| mesh.hosts.contains(&host)).then_some((machine, host))
        });
        let failed = gather(context, &repo, &of_a_mesh.collect::<Vec<_>>()).await?;
        Ok(failed.unwrap_or(Exit::Done))
    }
}

/// The hosts whose public keys may be other than `vpn.toml` says, once they are as planned.
pub(in crate::cli) fn unsure(repo: &Repo, planned: &[Planned]) -> Vec<(Machine, Name)> {
    let unsure = planned.iter().filter_map(|one| {
        let host = &repo.host(&one.bundle.host)?.name;
        let mut meshes = repo.meshes().filter(|mesh| mesh.hosts.contains(host));
        let steps = one.plan.steps.iter().map(|planned| planned.capability.as_str());
        let deferred = one.plan.deferred.iter().map(|planned| planned.capability.as_str());
        let changes = steps.chain(deferred).any(|capability| capability == vpn::Vpn::NAME);
        meshes.any(|mesh| changes || keyless(repo, mesh, host)).then(|| (one.machine.clone(), host.clone()))
    });
    unsure.collect()
}

fn keyless(repo: &Repo, mesh: &Mesh, host: &Name) -> bool {
    repo.directory().of(mesh).host.get(host).is_none_or(|member| member.public_key.is_none())
}

/// Asks the machines for their public keys, and writes those that are new. The exit code is that of the first failure.
///
/// # Errors
/// When `vpn.toml` cannot be written.
pub(in crate::cli) async fn gather(
    context: &Context,
    repo: &Repo,
    machines: &[(Machine, Name)],
) -> Result<Option<Exit>, Failure> {
    let hosts: Vec<Machine> = machines.iter().map(|(machine, _)| machine.clone()).collect();
    let answers = tunnels(context, &hosts).await;
    let mut directory = repo.directory().clone();
    for ((_, host), answer) in machines.iter().zip(&answers) {
        let Ok(tunnels) = answer else { continue };
        for tunnel in tunnels {
            if let Some(key) = tunnel.public_key.filter(|key| directory.set_key(&tunnel.name, host, *key)) {
                context.terminal.say(&format!("{VPN_FILE}: the public key of {host} in {} is {key}\n", tunnel.name));
            }
        }
        context.terminal.say(&missing(repo, host, tunnels));
    }
    let news = &directory != repo.directory();
    directory.save(repo.folder())?;
    if news {
        context.terminal.say(&format!("commit {VPN_FILE}, and apply to the other hosts, which do not know this yet\n"));
    }
    Ok(first_failure(context, &hosts.iter().collect::<Vec<_>>(), &answers))
}

/// The meshes of a host that are not there.
fn missing(repo: &Repo, host: &Name, tunnels: &[vpn::Tunnel]) -> String {
    let meshes = repo.meshes().filter(|mesh| mesh.hosts.contains(host)).map(|mesh| mesh.name.as_str());
    let missing = meshes.filter(|name| tunnels.iter().all(|tunnel| tunnel.name.as_str() != *name));
    let said = |name| format!("{host} has no {name} yet: does a policy of it call vpn.add-mesh({name:?})?\n");
    missing.map(said).collect()
}
