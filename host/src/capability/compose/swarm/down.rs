//! Takes a stack down, as `docker stack rm` does, and waits until it is gone. Volumes stay.

use std::collections::HashMap;
use std::time::Duration;

use bollard::Docker;
use bollard::errors::Error;
use bollard::query_parameters::{ListConfigsOptions, ListContainersOptions, ListSecretsOptions};

use super::{NAMESPACE, PAUSE, look, network, no_swarm, of};
use crate::capability::ApplyError;
use crate::capability::compose::Project;
use crate::capability::compose::docker::unless_gone;
use crate::capability::compose::engine::said;

/// How long tasks may take to stop.
const STOP: Duration = Duration::from_secs(900);

/// Leaves no service, network, config or secret of the stack.
///
/// # Errors
/// When the swarm refuses to remove one.
pub(in crate::capability::compose) async fn down(docker: &Docker, project: &Project) -> Result<(), ApplyError> {
    let refused = |what: &str| {
        let (what, resource) = (format!("cannot {what}: "), format!("compose {project}"));
        move |error: Error| ApplyError::Refused { resource, reason: what + &said(error) }
    };
    for found in look::services(docker, project).await.map_err(refused("list services"))?.into_values() {
        let id = found.id.unwrap_or_default();
        unless_gone(docker.delete_service(&id).await).map_err(refused("remove a service"))?;
    }
    stopped(docker, project).await.map_err(refused("list containers"))?;
    for name in look::networks(docker, project).await.map_err(refused("list networks"))?.keys() {
        network::remove(docker, name).await.map_err(refused("remove a network"))?;
    }
    files(docker, project).await.map_err(refused("remove configs and secrets"))
}

/// Waits until no task of the stack is left on this node.
async fn stopped(docker: &Docker, project: &Project) -> Result<(), Error> {
    let begun = tokio::time::Instant::now();
    let filters = HashMap::from([("label".to_owned(), vec![format!("{NAMESPACE}={project}")])]);
    let options = ListContainersOptions { filters: Some(filters), ..ListContainersOptions::default() };
    while !docker.list_containers(Some(options.clone())).await?.is_empty() && begun.elapsed() < STOP {
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

async fn files(docker: &Docker, project: &Project) -> Result<(), Error> {
    let configs = match docker.list_configs(Some(ListConfigsOptions { filters: of(project) })).await {
        Err(error) if no_swarm(&error) => return Ok(()),
        configs => configs?,
    };
    for id in configs.into_iter().filter_map(|config| config.id) {
        unless_gone(docker.delete_config(&id).await)?;
    }
    let secrets = docker.list_secrets(Some(ListSecretsOptions { filters: of(project) })).await?;
    for id in secrets.into_iter().filter_map(|secret| secret.id) {
        unless_gone(docker.delete_secret(&id).await)?;
    }
    Ok(())
}
