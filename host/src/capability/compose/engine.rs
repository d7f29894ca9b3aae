//! Brings a project up over the Docker API, in the order of its dependencies, and takes it down.
//!
//! Each step looks at what is there first, so that a second run, or one after a crash, goes on where the first ended.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use bollard::Docker;
use bollard::errors::Error;
use futures::future::try_join_all;

use super::docker::{self, Listed};
use super::loader::{Resolved, Variables};
use super::model::Model;
use super::spec::Project;
use super::state::Version;
use crate::capability::ApplyError;
use crate::machine::Machine;

mod body;
mod converge;
mod down;
mod gate;
mod image;
mod labels;
mod mounts;
mod network;

pub(super) use down::down;

/// A project on its way up.
#[derive(Clone, Copy)]
pub(super) struct Up<'a> {
    pub(super) docker: &'a Docker,
    pub(super) machine: &'a Machine,
    pub(super) project: &'a Project,
    /// The project's folder.
    pub(super) lasting: &'a Path,
    pub(super) version: &'a Version,
    pub(super) model: &'a Model,
    pub(super) resolved: &'a Resolved,
    pub(super) variables: &'a Variables,
}

impl Up<'_> {
    /// Brings it up; answers with the services that ended with success meanwhile.
    ///
    /// # Errors
    /// When Docker refuses something, or a container that was started does not become healthy.
    pub(super) async fn run(&self) -> Result<BTreeSet<String>, ApplyError> {
        let images = self.images().await?;
        let listed = self.listed().await?;
        let declared = |listed: &Listed| self.model.services.contains_key(&listed.container.service);
        let orphans: Vec<_> = listed.iter().filter(|listed| !declared(listed)).collect();
        try_join_all(orphans.iter().map(|orphan| self.remove(orphan))).await?;
        self.networks(&listed).await?;
        self.volumes().await?;
        let mut started = BTreeMap::new();
        for wave in waves(self.model).map_err(|reason| self.refused(reason))? {
            let services = wave.iter().map(|name| {
                let image = images.get(*name).map(String::as_str).unwrap_or_default();
                async move {
                    self.await_dependencies(name).await?;
                    Ok::<_, ApplyError>(((*name).to_owned(), self.converge(name, image).await?))
                }
            });
            started.extend(try_join_all(services).await?);
        }
        let completed = self.gate(&started).await?;
        self.remove_unused_networks().await?;
        Ok(completed)
    }

    /// The project's containers.
    async fn listed(&self) -> Result<Vec<Listed>, ApplyError> {
        docker::containers(self.docker, self.machine, self.project).await.map_err(self.failed("list containers"))
    }

    fn timeout(&self) -> Duration {
        Duration::from_secs(self.version.health_timeout.into())
    }

    fn refused(&self, reason: impl Into<String>) -> ApplyError {
        ApplyError::Refused { resource: format!("compose {}", self.project), reason: reason.into() }
    }

    /// What Docker refused, without values of secrets.
    fn failed(&self, what: impl Into<String>) -> impl FnOnce(Error) -> ApplyError {
        let what = what.into();
        move |error| self.refused(format!("cannot {what}: {}", self.variables.hide(&said(error))))
    }
}

/// What Docker said, without what bollard says around it.
fn said(error: Error) -> String {
    match error {
        Error::DockerResponseServerError { message, .. } => message.trim().to_owned(),
        Error::DockerStreamError { error } => error,
        error => error.to_string(),
    }
}

/// Services by the order in which they start: each wave depends on earlier ones only.
fn waves(model: &Model) -> Result<Vec<Vec<&str>>, String> {
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
