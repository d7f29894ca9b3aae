//! One-off containers of a project's services, for jobs: what `docker compose run --rm` does, in steps that can be repeated.
//!
//! A container is found by its name, whoever made it, and what it has written is read from its beginning each time. What is
//! there of the app (its containers, its networks, its files) is used and never changed.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bollard::Docker;
use bollard::models::{ContainerStateStatusEnum, ContainerSummaryStateEnum};
use bollard::query_parameters::{KillContainerOptions, ListContainersOptions};

use super::docker::{self, unless_gone};
use super::engine::{self, Work};
use super::state::Engine;
use super::{Compose, Project};
use crate::capability::ApplyError;
use crate::machine::Machine;
use crate::secret::Secret;

mod follow;
mod read;

pub use read::Planned;

/// A container for a service, as it is asked for. What is absent is as the compose file says it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wish {
    pub service: String,
    pub command: Option<Vec<String>>,
    pub entrypoint: Option<Vec<String>>,
    /// Over those of the service.
    pub environment: Vec<(String, String)>,
    pub user: Option<String>,
    pub working_dir: Option<String>,
    /// The most, in bytes; also when the service says more.
    pub memory: u64,
    /// The most, in billionths of a processor; also when the service says more.
    pub nano_cpus: u64,
}

/// What it is called, and what it carries.
#[derive(Clone, Debug, Default)]
pub struct Called {
    pub name: String,
    pub labels: BTreeMap<String, String>,
    /// What is put into it before it starts, by absolute path.
    pub files: Vec<(String, Vec<u8>)>,
}

/// How a container ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    pub code: i64,
    pub out_of_memory: bool,
}

/// A container that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub id: String,
    pub labels: BTreeMap<String, String>,
}

/// It cannot be done.
#[derive(Debug, thiserror::Error)]
pub enum OneOffError {
    #[error("{}", super::diff::hint(.0))]
    Engine(Engine),
    #[error("the repo has no folder apps/{0}")]
    NoApp(Project),
    #[error("the app {app} has no service {name:?}: it has {known}")]
    NoService { app: Project, name: String, known: String },
    #[error("{0}")]
    Refused(String),
    #[error("the container is gone")]
    Gone,
    #[error("{path:?} is no file of the container")]
    NoFile { path: String },
    #[error("it has more than {most} bytes")]
    TooLarge { most: u64 },
}

/// The one-off containers of a machine.
#[derive(Debug)]
pub struct OneOffs {
    compose: Compose,
    docker: Docker,
}

impl OneOffs {
    /// Connects to the engine.
    ///
    /// # Errors
    /// When there is none, or it does not answer.
    pub async fn open(machine: Arc<Machine>) -> Result<Self, OneOffError> {
        let docker = docker::connect(&machine).await.map_err(OneOffError::Engine)?;
        Ok(Self { compose: Compose { machine }, docker })
    }

    /// The secrets that the project was applied with on this host: its compose file gives them to its containers.
    ///
    /// # Errors
    /// When the record of it cannot be read.
    pub fn secrets(&self, project: &Project) -> Result<Vec<Secret<String>>, OneOffError> {
        let unread = |error: &dyn std::fmt::Display| OneOffError::Refused(error.to_string());
        let applied = super::record::get(&self.compose.machine, project).map_err(|error| unread(&error))?;
        let variables = self.compose.kept_variables(&applied.unwrap_or_default().version);
        Ok(variables.map_err(|error| unread(&error))?.secret.into_values().collect())
    }

    /// The container of this name, if it was ever started. One that was not is removed: nobody knows what it lacks.
    ///
    /// # Errors
    /// When Docker refuses.
    pub async fn find(&self, name: &str) -> Result<Option<String>, OneOffError> {
        let found = match self.docker.inspect_container(name, None).await {
            Err(error) if is_gone(&error) => return Ok(None),
            found => found.map_err(refused)?,
        };
        let id = found.id.unwrap_or_default();
        match found.state.and_then(|state| state.status) {
            Some(ContainerStateStatusEnum::CREATED) => self.remove(&id).await.map(|()| None),
            _ => Ok(Some(id)),
        }
    }

    /// Makes a container and starts it; answers its id.
    ///
    /// # Errors
    /// When something that it needs is missing, or Docker refuses.
    pub async fn start(&self, planned: &Planned, called: &Called) -> Result<String, OneOffError> {
        let machine = &self.compose.machine;
        let lasting = self.compose.lasting(&planned.project);
        let (work, specs) = (Work::new(), BTreeMap::new());
        let up = engine::Up {
            docker: &self.docker,
            machine,
            project: &planned.project,
            lasting: &lasting,
            version: &planned.version,
            plugin: &planned.plugin,
            model: &planned.model,
            resolved: &planned.resolved,
            variables: &planned.variables,
            work: &work,
            specs: &specs,
        };
        let files = archive(&called.files).map_err(|error| OneOffError::Refused(error.to_string()))?;
        let one = engine::OneOff { called: &called.name, labels: &called.labels, files: files.as_deref() };
        let started = up.one_off(&planned.service, one).await;
        started.map_err(|error| match work.first(error) {
            ApplyError::Refused { reason, .. } => OneOffError::Refused(reason),
            error => OneOffError::Refused(error.to_string()),
        })
    }

    /// Ends a container within the grace period of its service, or at once.
    ///
    /// # Errors
    /// When Docker refuses; that it has ended, or is gone, is no error.
    pub async fn end(&self, id: &str, at_once: bool) -> Result<(), OneOffError> {
        let ended = match at_once {
            true => self.docker.kill_container(id, None::<KillContainerOptions>).await,
            false => self.docker.stop_container(id, None).await,
        };
        match ended {
            // It does not run.
            Err(bollard::errors::Error::DockerResponseServerError { status_code: 409, .. }) => Ok(()),
            ended => unless_gone(ended).map_err(refused),
        }
    }

    /// The container is gone, running or not, and its anonymous volumes with it.
    ///
    /// # Errors
    /// When Docker refuses.
    pub async fn remove(&self, id: &str) -> Result<(), OneOffError> {
        let options = bollard::query_parameters::RemoveContainerOptions { force: true, v: true, link: false };
        match unless_gone(self.docker.remove_container(id, Some(options)).await) {
            // Somebody else is removing it.
            Err(bollard::errors::Error::DockerResponseServerError { status_code: 409, .. }) => Ok(()),
            removed => removed.map_err(refused),
        }
    }

    /// All that carry this label, running or not.
    ///
    /// # Errors
    /// When Docker refuses.
    pub async fn list(&self, label: &str, value: &str) -> Result<Vec<Listed>, OneOffError> {
        let filters = [("label".to_owned(), vec![format!("{label}={value}")])].into();
        let options = ListContainersOptions { all: true, filters: Some(filters), ..ListContainersOptions::default() };
        let found = self.docker.list_containers(Some(options)).await.map_err(refused)?;
        let is_left = |state: Option<ContainerSummaryStateEnum>| state != Some(ContainerSummaryStateEnum::REMOVING);
        let one = |found: bollard::models::ContainerSummary| {
            let labels = found.labels.unwrap_or_default().into_iter().collect();
            is_left(found.state).then_some(Listed { id: found.id?, labels })
        };
        Ok(found.into_iter().filter_map(one).collect())
    }
}

/// Files that everybody in the container may read; `None` when there are none.
fn archive(files: &[(String, Vec<u8>)]) -> std::io::Result<Option<Vec<u8>>> {
    let mut archive = tar::Builder::new(Vec::new());
    for (path, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(u64::try_from(content.len()).unwrap_or(u64::MAX));
        header.set_mode(0o444);
        header.set_mtime(0);
        archive.append_data(&mut header, Path::new(path.trim_start_matches('/')), content.as_slice())?;
    }
    let archive = archive.into_inner()?;
    Ok((!files.is_empty()).then_some(archive))
}

fn is_gone(error: &bollard::errors::Error) -> bool {
    matches!(error, bollard::errors::Error::DockerResponseServerError { status_code: 404, .. })
}

fn refused(error: bollard::errors::Error) -> OneOffError {
    match is_gone(&error) {
        true => OneOffError::Gone,
        false => OneOffError::Refused(engine::said(error)),
    }
}
