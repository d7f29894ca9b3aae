//! Takes a project down: containers in the reverse order of their dependencies, then networks. Volumes stay.

use bollard::Docker;
use bollard::errors::Error;

use super::network::remove_network;
use super::{Work, hook, said};
use crate::capability::ApplyError;
use crate::capability::compose::Project;
use crate::capability::compose::docker::{self, Listed, unless_gone};
use crate::capability::compose::loader::Variables;
use crate::capability::compose::model::Model;
use crate::capability::compose::state::Status;
use crate::machine::Machine;

/// Leaves no container and no network of the project. Of `hooks`, it runs those that come before a stop.
///
/// # Errors
/// When Docker refuses to remove one: a network that containers of another project use. When a hook fails: its container
/// goes on.
pub(in crate::capability::compose) async fn down(
    docker: &Docker,
    machine: &Machine,
    project: &Project,
    hooks: Option<(&Model, &Variables)>,
) -> Result<(), ApplyError> {
    let refused = &|what: &str| {
        let what = format!("cannot {what}: ");
        let resource = format!("compose {project}");
        move |error: Error| ApplyError::Refused { resource, reason: what + &said(error) }
    };
    let mut left = docker::containers(docker, machine, project).await.map_err(refused("list containers"))?;
    let work = Work::new();
    while !left.is_empty() {
        let (now, later): (Vec<Listed>, Vec<Listed>) =
            left.iter().cloned().partition(|listed| !is_needed(listed, &left));
        // Containers that need each other have no order.
        let (now, later) = if now.is_empty() { (left, Vec::new()) } else { (now, later) };
        let removed = now.iter().map(|listed| async {
            before_stop(docker, listed, hooks)
                .await
                .map_err(|reason| ApplyError::Refused { resource: format!("compose {project}"), reason })?;
            let removed = work.turn(stop_and_remove(docker, listed)).await;
            removed.map_err(refused(&format!("remove the container {}", listed.name)))
        });
        work.all(removed).await.map_err(|error| work.first(error))?;
        left = later;
    }
    let networks = docker::networks(docker, project).await.map_err(refused("list networks"))?;
    let removed = networks.keys().map(|network| async move {
        let removed = remove_network(docker, network).await;
        removed.map_err(refused(&format!("remove network {network}")))
    });
    work.all(removed).await.map(drop).map_err(|error| work.first(error))
}

async fn before_stop(docker: &Docker, listed: &Listed, hooks: Option<(&Model, &Variables)>) -> Result<(), String> {
    let Some((model, variables)) = hooks else { return Ok(()) };
    let running = (listed.container.status == Status::Running).then_some(&listed.container.service);
    let Some(service) = running.and_then(|name| model.services.get(name)) else { return Ok(()) };
    hook::run((docker, variables), "pre_stop", &service.pre_stop, (&listed.id, &listed.name)).await
}

async fn stop_and_remove(docker: &Docker, listed: &Listed) -> Result<(), Error> {
    unless_gone(docker.stop_container(&listed.id, None).await)?;
    super::converge::remove(docker, &listed.id).await
}

fn is_needed(listed: &Listed, by: &[Listed]) -> bool {
    by.iter().any(|other| other.depends_on.contains(&listed.container.service))
}
