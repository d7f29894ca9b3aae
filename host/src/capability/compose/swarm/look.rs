//! What is there of a stack, in the terms in which any project is compared with its files.

use std::collections::{BTreeMap, BTreeSet};

use bollard::Docker;
use bollard::errors::Error;
use bollard::models::{Service as Found, ServiceSpec};
use bollard::query_parameters::{ListNetworksOptions, ListServicesOptions, ListVolumesOptions};
use serde_json::Value;

use super::{IMAGE, NAMESPACE, Specs, no_swarm, of};
use crate::capability::compose::Project;
use crate::capability::compose::docker::{CONFIG, MOUNTED, SETTINGS};
use crate::capability::compose::state::{Container, Kept, Status};
use crate::digest::Digest;
use crate::machine::Machine;

/// Containers, networks and volumes.
type Parts = (Vec<Container>, BTreeMap<String, Option<Digest>>, BTreeSet<String>);

/// Whether the engine manages a swarm.
pub(in crate::capability::compose) async fn is_manager(docker: &Docker) -> Result<bool, Error> {
    let swarm = docker.info().await?.swarm;
    Ok(swarm.is_some_and(|swarm| swarm.control_available == Some(true)))
}

/// What is there. Each replica that a service is to have is a container that runs: it is the swarm that sees to that.
/// A volume is made on the node and at the time that a task needs it, so `declared` ones count as there.
pub(in crate::capability::compose) async fn look(
    docker: &Docker,
    machine: &Machine,
    project: &Project,
    specs: &Specs,
    declared: Option<&BTreeMap<String, Kept>>,
) -> Result<Parts, Error> {
    let mut containers = Vec::new();
    for (name, found) in services(docker, project).await? {
        let one = container(machine, specs, &name, &found);
        let count = replicas(&found).unwrap_or(1);
        containers.extend((1..=count).map(|number| Container { number, ..one.clone() }));
    }
    let networks = networks(docker, project).await?;
    let volumes = match declared {
        Some(declared) => declared.keys().cloned().collect(),
        None => {
            let found = docker.list_volumes(Some(ListVolumesOptions { filters: of(project) })).await?;
            found.volumes.into_iter().flatten().map(|volume| volume.name).collect()
        }
    };
    Ok((containers, networks, volumes))
}

/// The services of a stack, by their names in the file. None where there is no swarm.
pub(super) async fn services(docker: &Docker, project: &Project) -> Result<BTreeMap<String, Found>, Error> {
    let options = ListServicesOptions { filters: of(project), ..ListServicesOptions::default() };
    let found = match docker.list_services(Some(options)).await {
        Err(error) if no_swarm(&error) => return Ok(BTreeMap::new()),
        found => found?,
    };
    let prefix = format!("{project}_");
    let named = |found: Found| {
        let name = found.spec.as_ref()?.name.clone()?;
        Some((name.strip_prefix(&prefix).unwrap_or(&name).to_owned(), found))
    };
    Ok(found.into_iter().filter_map(named).collect())
}

/// The networks of a stack, with the settings that stead wrote on them.
pub(super) async fn networks(docker: &Docker, project: &Project) -> Result<BTreeMap<String, Option<Digest>>, Error> {
    let found = docker.list_networks(Some(ListNetworksOptions { filters: of(project) })).await?;
    let one = |network: bollard::models::Network| {
        let settings = network.labels.and_then(|labels| label(labels.get(SETTINGS)));
        Some((network.name?, settings))
    };
    Ok(found.into_iter().filter_map(one).collect())
}

/// A service as one of its containers.
pub(super) fn container(machine: &Machine, specs: &Specs, name: &str, found: &Found) -> Container {
    let labels = found.spec.as_ref().and_then(|spec| spec.labels.clone()).unwrap_or_default();
    let known = specs.get(name).is_none_or(|spec| *spec == digest(machine, found));
    let config = labels.get(CONFIG).map(String::as_str).filter(|_| known).unwrap_or_default();
    Container {
        service: name.to_owned(),
        number: 1,
        config: machine.key().digest(config.as_bytes()),
        mounted: label(labels.get(MOUNTED)),
        image_id: labels.get(IMAGE).cloned().unwrap_or_default(),
        detached: false,
        status: Status::Running,
    }
}

/// How many replicas a service is to have; `None`: one on each node.
pub(super) fn replicas(found: &Found) -> Option<u32> {
    let replicated = found.spec.as_ref()?.mode.as_ref()?.replicated.as_ref()?;
    u32::try_from(replicated.replicas.unwrap_or(1)).ok()
}

/// The digest of a service's spec, but for what is no change of it: how many there are, and how often it was forced.
pub(super) fn digest(machine: &Machine, found: &Found) -> Digest {
    let mut spec = found.spec.clone().unwrap_or_default();
    if let Some(template) = &mut spec.task_template {
        template.force_update = None;
    }
    if spec.mode.as_ref().is_some_and(|mode| mode.replicated.is_some()) {
        spec.mode = None;
    }
    machine.key().digest(canonical(&spec).as_bytes())
}

/// Maps are sorted in a JSON value.
fn canonical(spec: &ServiceSpec) -> String {
    serde_json::to_value(spec).unwrap_or(Value::Null).to_string()
}

fn label(text: Option<&String>) -> Option<Digest> {
    serde_json::from_value(text?.as_str().into()).ok()
}

/// The labels that are on all that is of a stack.
pub(super) fn labels(project: &Project, own: &BTreeMap<String, String>) -> std::collections::HashMap<String, String> {
    let mut labels: std::collections::HashMap<_, _> = own.clone().into_iter().collect();
    labels.insert(NAMESPACE.to_owned(), project.to_string());
    labels
}
