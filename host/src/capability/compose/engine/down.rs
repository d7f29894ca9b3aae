//! Takes a project down: containers in the reverse order of their dependencies, then networks. Volumes stay.

use bollard::Docker;
use bollard::errors::Error;
use futures::future::try_join_all;

use super::said;
use crate::capability::ApplyError;
use crate::capability::compose::Project;
use crate::capability::compose::docker::{self, Listed, unless_gone};
use crate::machine::Machine;

/// Leaves no container and no network of the project.
///
/// # Errors
/// When Docker refuses to remove one: a network that containers of another project use.
pub(in crate::capability::compose) async fn down(
    docker: &Docker,
    machine: &Machine,
    project: &Project,
) -> Result<(), ApplyError> {
    let refused = |what: &str| {
        let what = format!("cannot {what}: ");
        let resource = format!("compose {project}");
        move |error: Error| ApplyError::Refused { resource, reason: what + &said(error) }
    };
    let mut left = docker::containers(docker, machine, project).await.map_err(refused("list containers"))?;
    while !left.is_empty() {
        let (now, later): (Vec<Listed>, Vec<Listed>) =
            left.iter().cloned().partition(|listed| !is_needed(listed, &left));
        // Containers that need each other have no order.
        let (now, later) = if now.is_empty() { (left, Vec::new()) } else { (now, later) };
        try_join_all(now.iter().map(|listed| stop_and_remove(docker, listed)))
            .await
            .map_err(refused("remove a container"))?;
        left = later;
    }
    for network in docker::networks(docker, project).await.map_err(refused("list networks"))?.keys() {
        unless_gone(docker.remove_network(network).await).map_err(refused("remove a network"))?;
    }
    Ok(())
}

async fn stop_and_remove(docker: &Docker, listed: &Listed) -> Result<(), Error> {
    unless_gone(docker.stop_container(&listed.id, None).await)?;
    super::converge::remove(docker, &listed.id).await
}

fn is_needed(listed: &Listed, by: &[Listed]) -> bool {
    by.iter().any(|other| other.depends_on.contains(&listed.container.service))
}
