//! Brings a project up over the Docker API, in the order of its dependencies, and takes it down.
//!
//! Each step looks at what is there first, so that a second run, or one after a crash, goes on where the first ended.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use bollard::Docker;
use bollard::errors::Error;
use futures::future::try_join_all;

use self::converge::{Running, Task};
use super::docker::{self, Listed};
use super::loader::{Plugin, Resolved, Variables};
use super::model::Model;
use super::spec::Project;
use super::state::Version;
use crate::capability::ApplyError;
use crate::digest::Digest;
use crate::machine::Machine;

mod body;
mod build;
mod converge;
mod create;
mod dialect;
mod down;
mod endpoint;
mod gate;
mod hook;
mod host;
mod image;
mod labels;
mod mounts;
mod network;
mod plugin;
mod replace;
mod resources;
mod shares;
mod written;

pub(super) use super::docker::Image;
pub(super) use body::{environment, health};
pub(super) use down::down;
pub(super) use gate::tail;
pub(super) use mounts::of_a_task as mount_request;
pub(super) use network::request as network_request;
pub(super) use shares::hash as shared_hash;

/// A project on its way up.
#[derive(Clone, Copy)]
pub(super) struct Up<'a> {
    pub(super) docker: &'a Docker,
    pub(super) machine: &'a Machine,
    pub(super) project: &'a Project,
    /// The project's folder.
    pub(super) lasting: &'a Path,
    pub(super) version: &'a Version,
    pub(super) plugin: &'a Plugin,
    pub(super) model: &'a Model,
    pub(super) resolved: &'a Resolved,
    pub(super) variables: &'a Variables,
    /// What a swarm's services were when they were last brought up.
    pub(super) specs: &'a BTreeMap<String, Digest>,
}

/// How a project came up.
#[derive(Debug)]
pub(super) struct Ended {
    /// Services that ended with success meanwhile.
    pub(super) completed: BTreeSet<String>,
    /// The image of each service.
    pub(super) images: BTreeMap<String, Image>,
}

impl Up<'_> {
    /// Brings it up.
    ///
    /// # Errors
    /// When Docker refuses something, or a container that was started does not become healthy.
    pub(super) async fn run(&self) -> Result<Ended, ApplyError> {
        let images = self.images().await?;
        let listed = self.listed().await?;
        let declared = |listed: &Listed| self.model.services.contains_key(&listed.container.service);
        let orphans: Vec<_> = listed.iter().filter(|listed| !declared(listed)).collect();
        try_join_all(orphans.iter().map(|orphan| self.remove(orphan))).await?;
        tokio::try_join!(self.networks(&listed), self.volumes())?;
        let mut started: BTreeMap<String, Vec<Running>> = BTreeMap::new();
        for wave in waves(self.model).map_err(|reason| self.refused(reason))? {
            let services = wave.iter().map(|name| self.service(name, &images, &started));
            let brought_up = try_join_all(services).await?;
            started.extend(wave.iter().map(|name| (*name).to_owned()).zip(brought_up));
        }
        let completed = self.gate(&started).await?;
        self.remove_unused_networks().await?;
        Ok(Ended { completed, images })
    }

    /// Brings one service up, after what it depends on.
    async fn service(
        &self,
        name: &str,
        images: &BTreeMap<String, Image>,
        started: &BTreeMap<String, Vec<Running>>,
    ) -> Result<Vec<Running>, ApplyError> {
        let (Some(service), Some(planned)) = (self.model.services.get(name), self.version.services.get(name)) else {
            return Err(self.refused(format!("the files no longer have the service {name} that was planned")));
        };
        self.await_dependencies(service).await?;
        let image = images.get(name).map(|image| image.id.as_str()).unwrap_or_default();
        let anew = |other: &String| started.get(other).is_some_and(|all| all.iter().any(|running| running.is_new));
        let restart = service.depends_on.iter().any(|(other, dependency)| dependency.restart && anew(other));
        self.converge(Task { name, service, planned, image }, restart).await
    }

    /// The project's containers.
    async fn listed(&self) -> Result<Vec<Listed>, ApplyError> {
        docker::containers(self.docker, self.machine, self.project).await.map_err(self.failed("list containers"))
    }

    pub(super) fn timeout(&self) -> Duration {
        Duration::from_secs(self.version.health_timeout.into())
    }

    pub(super) fn refused(&self, reason: impl Into<String>) -> ApplyError {
        ApplyError::Refused { resource: format!("compose {}", self.project), reason: reason.into() }
    }

    /// What Docker refused, without values of secrets.
    pub(super) fn failed(&self, what: impl Into<String>) -> impl FnOnce(Error) -> ApplyError {
        let what = what.into();
        move |error| self.refused(format!("cannot {what}: {}", self.variables.hide(&said(error))))
    }
}

/// What Docker said, without what bollard says around it.
pub(super) fn said(error: Error) -> String {
    match error {
        Error::DockerResponseServerError { message, .. } => message.trim().to_owned(),
        Error::DockerStreamError { error } => error,
        error => error.to_string(),
    }
}

/// Services by the order in which they start: each wave depends on earlier ones only.
pub(super) fn waves(model: &Model) -> Result<Vec<Vec<&str>>, String> {
    let mut left: BTreeSet<&str> = model.services.keys().map(String::as_str).collect();
    let mut waves = Vec::new();
    while !left.is_empty() {
        let waits = |name: &str| {
            let depends_on = model.services.get(name).into_iter().flat_map(|service| service.depends_on.keys());
            depends_on.into_iter().any(|other| left.contains(other.as_str()))
        };
        let wave: Vec<&str> = left.iter().copied().filter(|name| !waits(name)).collect();
        if wave.is_empty() {
            return Err(format!("these services wait for each other: {}", Vec::from_iter(left).join(", ")));
        }
        left.retain(|name| !wave.contains(name));
        waves.push(wave);
    }
    Ok(waves)
}
