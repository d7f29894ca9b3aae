//! Brings a project up over the Docker API, in the order of its dependencies, and takes it down.
//!
//! Each step looks at what is there first, so that a second run, or one after a crash, goes on where the first ended.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use bollard::Docker;
use bollard::errors::Error;

use self::converge::{Running, Task};
use self::image::Chosen;
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
mod hint;
mod hook;
mod host;
mod image;
mod labels;
mod mounts;
mod network;
mod one_off;
mod plugin;
mod pull;
mod replace;
mod resources;
mod shares;
mod work;
mod written;

pub(super) use super::docker::Image;
pub(super) use body::{environment, health};
pub(super) use down::down;
pub(super) use gate::tail;
pub(super) use mounts::of_a_task as mount_request;
pub(super) use network::request as network_request;
pub(super) use one_off::OneOff;
pub(super) use shares::hash as shared_hash;
pub(super) use work::Work;

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
    pub(super) work: &'a Work,
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
        self.check_engine()?;
        let images = self.images().await?;
        let mut listed = self.listed().await?;
        let declared = |listed: &Listed| self.model.services.contains_key(&listed.container.service);
        self.work.all(listed.iter().filter(|listed| !declared(listed)).map(|orphan| self.remove(orphan))).await?;
        let (emptied, volumes) = tokio::join!(self.networks(&listed), self.volumes());
        volumes?;
        if emptied? {
            listed = self.listed().await?;
        }
        let service = |name, started: &_| self.service(name, &images, &listed, self.is_shaken(name, started));
        let started = self.work.in_order(self.model, service).await?;
        let completed = self.gate(&started).await?;
        self.remove_unused_networks().await?;
        let images = images.into_iter().map(|(service, chosen)| (service, chosen.image)).collect();
        Ok(Ended { completed, images })
    }

    /// Whether a service is to be restarted, because what it depends on was made anew.
    fn is_shaken(&self, name: &str, started: &BTreeMap<&str, Vec<Running>>) -> bool {
        let anew = |other: &str| started.get(other).is_some_and(|all| all.iter().any(|running| running.is_new));
        let depends_on = self.model.services.get(name).into_iter().flat_map(|service| &service.depends_on);
        depends_on.into_iter().any(|(other, dependency)| dependency.restart && anew(other))
    }

    /// Brings one service up, after what it depends on was.
    async fn service(
        &self,
        name: &str,
        images: &BTreeMap<String, Chosen>,
        listed: &[Listed],
        restart: bool,
    ) -> Result<Vec<Running>, ApplyError> {
        let (Some(service), Some(planned), Some(image)) =
            (self.model.services.get(name), self.version.services.get(name), images.get(name))
        else {
            return Err(self.refused(format!("the files no longer have the service {name} that was planned")));
        };
        self.await_dependencies(service).await?;
        self.converge(Task { name, service, planned, image }, listed, restart).await
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

/// What Docker said, without what bollard says around it, and what helps.
pub(super) fn said(error: Error) -> String {
    let words = words(error);
    match hint::hint(&words) {
        Some(hint) => format!("{words}; {hint}"),
        None => words,
    }
}

fn words(error: Error) -> String {
    match error {
        Error::DockerResponseServerError { message, .. } => message.trim().to_owned(),
        Error::DockerStreamError { error } => error,
        error => {
            let source = std::error::Error::source(&error).map(|source| format!(": {source}")).unwrap_or_default();
            format!("{error}{source}")
        }
    }
}
