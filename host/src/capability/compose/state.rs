//! What is found of projects, and what they are set to.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::claim::Claim;
use super::files::Files;
use super::spec::{EngineName, Project};
use crate::digest::Digest;

/// Sets a project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Set {
    pub project: Project,
    pub to: State,
}

/// What a project can be set to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Its folder holds these files, and their services run.
    Up(Box<Version>),
    /// No container, no network, no file of it is left; its volumes stay.
    Down,
    /// Its containers stay as they are; stead forgets it.
    Unmanaged,
}

/// All that it takes to bring a project up again, at any later time: contents of files and values of secrets are
/// kept among the blobs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    pub files: Files,
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// By variable.
    #[serde(default)]
    pub secrets: BTreeMap<String, SecretValue>,
    /// In seconds.
    pub health_timeout: u32,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub scale: BTreeMap<String, u32>,
    pub services: BTreeMap<String, Service>,
    /// By their names in Docker.
    #[serde(default)]
    pub networks: BTreeMap<String, Kept>,
    /// By their names in Docker.
    #[serde(default)]
    pub volumes: BTreeMap<String, Kept>,
    /// What brings it up.
    #[serde(default, skip_serializing_if = "EngineName::is_own")]
    pub engine: EngineName,
}

/// A secret behind a variable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretValue {
    pub name: String,
    pub digest: Digest,
}

/// A service in short: enough to see whether a container is still what it should be, and why not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// Of the config hash that Compose itself would put on the container.
    pub config: Digest,
    /// Of each key of the resolved service.
    #[serde(default)]
    pub keys: BTreeMap<String, Digest>,
    /// Of the project's files that are mounted into it.
    #[serde(default)]
    pub mounted: Option<Digest>,
    pub image: String,
    /// What the image's name means on this machine; `None` when it is not there yet.
    #[serde(default)]
    pub image_id: Option<String>,
    /// Its name in its registry, by digest, when it was pulled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_digest: Option<String>,
    /// Of what the image is built from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<Digest>,
    /// The registry is asked whether its name means another image when it was pulled as many seconds ago.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pulled_every: Option<u64>,
    /// Whether the image that is there was built from something else, or the registry has another one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_outdated: bool,
    pub replicas: u32,
    /// Why its containers are stopped before new ones take their place; `None`: the new ones are started first.
    #[serde(default)]
    pub stop_first: Option<String>,
    /// Services whose containers it shares something with.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub shares: BTreeSet<String>,
    #[serde(default)]
    pub networks: BTreeSet<String>,
    /// Whether another service waits for its successful end.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub completes: bool,
    /// Whether something is to be run in its containers before they are stopped.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pre_stop: bool,
}

/// A network or a volume, by the digest of its settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    pub settings: Digest,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub external: bool,
}

/// What is found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    pub engine: Engine,
    /// Empty unless the engine is up.
    #[serde(default)]
    pub projects: BTreeMap<Project, Found>,
}

/// Whether there is a Docker to speak to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Engine {
    NotInstalled,
    /// The machine was recorded, and nobody can say what its engine makes of a project.
    Recorded,
    NoPlugin,
    /// With the reason.
    Down(String),
    Up,
}

/// A project as it is, and as its files in the repo want it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// `None`: no longer declared.
    #[serde(default)]
    pub wanted: Option<Wanted>,
    /// What stead last brought up.
    #[serde(default)]
    pub record: Option<Record>,
    /// The files in the project's folder, as far as they are wanted or recorded.
    #[serde(default)]
    pub files: Files,
    /// Sorted by service and number.
    #[serde(default)]
    pub containers: Vec<Container>,
    /// By their names in Docker, with the settings that stead wrote on them.
    #[serde(default)]
    pub networks: BTreeMap<String, Option<Digest>>,
    #[serde(default)]
    pub volumes: BTreeSet<String>,
}

/// What the repo's files want.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    pub version: Version,
    #[serde(default)]
    pub claims: Vec<Claim>,
    #[serde(default)]
    pub published: Vec<Published>,
    /// What the engine does not carry, in words.
    #[serde(default)]
    pub unsupported: Vec<String>,
    /// What the Compose plugin carries and the engine does not, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub plugin_only: Vec<String>,
    /// What means nothing outside of a swarm, in words.
    #[serde(default)]
    pub idle: Vec<String>,
}

/// Ports of the host behind which a service is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    pub service: String,
    /// `tcp` or `udp`.
    pub protocol: String,
    /// A port, a range of which Docker picks one, or nothing: any.
    pub ports: String,
    /// The address of the host; `None`: all.
    pub host_ip: Option<String>,
}

/// What stead last brought up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    pub version: Version,
    /// Services that ended, successfully, while they were being brought up.
    #[serde(default)]
    pub completed: BTreeSet<String>,
    /// The specs of a swarm's services, as the swarm gave them when they were up.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub specs: BTreeMap<String, Digest>,
}

/// A container of a project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    pub service: String,
    pub number: u32,
    pub config: Digest,
    #[serde(default)]
    pub mounted: Option<Digest>,
    pub image_id: String,
    /// Whether a container that it shares something with is gone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub detached: bool,
    pub status: Status,
}

/// Whether it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    Running,
    Paused,
    /// Never started, or ended with an error.
    Stopped,
    /// Ended with success.
    Completed,
    /// Ended with success soon after it was started, and nothing restarts it: it had a piece of work to do.
    Done,
}

impl Container {
    /// What keeps it from being a container of this service.
    pub fn misfits(&self, service: &Service) -> Vec<Misfit> {
        let mounted = match (&self.mounted, &service.mounted) {
            (Some(is), Some(to)) => is != to,
            // It was made by docker compose, which does not say what it mounted.
            _ => false,
        };
        let image = service.is_outdated || service.image_id.as_ref().is_some_and(|id| *id != self.image_id);
        let found = [
            (Misfit::Config, self.config != service.config),
            (Misfit::Image, image),
            (Misfit::Mounted, mounted),
            (Misfit::Detached, self.detached),
        ];
        found.into_iter().filter(|(_, is)| *is).map(|(misfit, _)| misfit).collect()
    }

    /// Whether it is where the service wants it to be.
    pub fn is_up(&self, service: &Service, completed: bool) -> bool {
        match self.status {
            Status::Running | Status::Done => true,
            Status::Completed => completed || service.completes,
            Status::Paused | Status::Stopped => false,
        }
    }
}

/// Why a container has to be made anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misfit {
    Config,
    Image,
    Mounted,
    /// What it shares is gone.
    Detached,
}
