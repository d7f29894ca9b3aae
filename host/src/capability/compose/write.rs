//! Sets projects: their folder, then what the engine makes of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bollard::Docker;
use tempfile::TempDir;

use super::loader::{Plugin, Resolved, Variables};
use super::state::{Engine, Record, SecretValue, Set, State, Version};
use super::{Compose, EngineName, Files, Project, cache, docker, engine, files, record, swarm};
use crate::capability::ApplyError;

/// How long a project may take to stop.
const DOWN: Duration = Duration::from_secs(900);

impl Compose {
    pub(super) async fn write(&self, Set { project, to }: &Set) -> Result<(), ApplyError> {
        let docker = docker::reach(&self.machine).await.map_err(|engine| ApplyError::Refused {
            resource: format!("compose {project}"),
            reason: super::diff::hint(&engine).to_owned(),
        });
        match to {
            State::Up(version) => self.up(&docker?, project, version).await,
            State::Down => {
                self.down(&docker?, project).await?;
                self.forget(project)
            }
            State::Unmanaged => self.forget(project),
        }
    }

    /// Takes a project down as it was brought up.
    async fn down(&self, docker: &Docker, project: &Project) -> Result<(), ApplyError> {
        let record = record::get(&self.machine, project).map_err(self.unwritten(project))?;
        match record.as_ref().map(|record| record.version.engine) {
            Some(EngineName::Swarm) => return swarm::down(docker, project).await,
            Some(EngineName::Plugin) => self.down_by_plugin(project).await?,
            Some(EngineName::Stead) | None => {}
        }
        let has_hooks = |version: &Version| {
            version.engine == EngineName::Stead && version.services.values().any(|service| service.pre_stop)
        };
        let Some(version) = record.map(|record| record.version).filter(has_hooks) else {
            return engine::down(docker, &self.machine, project, None).await;
        };
        let variables = self.kept_variables(&version)?;
        let resolved = self.resolved(&self.plugin(project)?, project, &version, &variables).await?;
        let model = super::model::parse(&resolved.model).model;
        engine::down(docker, &self.machine, project, Some((&model, &variables))).await
    }

    fn plugin(&self, project: &Project) -> Result<Plugin, ApplyError> {
        Plugin::find(&self.machine).ok_or_else(|| ApplyError::Refused {
            resource: format!("compose {project}"),
            reason: super::diff::hint(&Engine::NoPlugin).to_owned(),
        })
    }

    /// What the project was last brought up by.
    fn engine_of(&self, project: &Project) -> Result<Option<EngineName>, ApplyError> {
        let record = record::get(&self.machine, project).map_err(self.unwritten(project))?;
        Ok(record.map(|record| record.version.engine))
    }

    /// Lets the plugin take down what it brought up. What it leaves is taken down by its labels.
    async fn down_by_plugin(&self, project: &Project) -> Result<(), ApplyError> {
        let Some(plugin) = Plugin::find(&self.machine) else { return Ok(()) };
        let host = docker::host(&self.machine);
        let words = (&["down", "--remove-orphans"][..], DOWN);
        let down = plugin.act(project, (&self.lasting(project), None), &Variables::default(), &host, words).await;
        down.map_err(|words| ApplyError::Refused {
            resource: format!("compose {project}"),
            reason: format!("docker compose down: {words}"),
        })
    }

    async fn up(&self, docker: &Docker, project: &Project, version: &Version) -> Result<(), ApplyError> {
        let refused = |reason: String| ApplyError::Refused { resource: format!("compose {project}"), reason };
        let plugin = self.plugin(project)?;
        let variables = self.kept_variables(version)?;
        // A stack and containers of the same project would take each other's ports.
        let former = self.engine_of(project)?.unwrap_or(version.engine);
        if (former == EngineName::Swarm) != (version.engine == EngineName::Swarm) {
            self.down(docker, project).await?;
        }
        let mut record = self.place(project, version)?;
        let lasting = self.lasting(project);
        let resolved = self.resolved(&plugin, project, version, &variables).await?;
        let parsed = super::model::parse(&resolved.model);
        if let Some(words) = parsed.unsupported.into_iter().next() {
            return Err(refused(words));
        }
        let (machine, work) = (&self.machine, engine::Work::new());
        let up = engine::Up {
            docker,
            machine,
            project,
            lasting: &lasting,
            version,
            plugin: &plugin,
            model: &parsed.model,
            resolved: &resolved,
            variables: &variables,
            work: &work,
            specs: &record.specs,
        };
        let brought_up = match version.engine {
            EngineName::Stead => up.run().await.map(|ended| (ended, BTreeMap::new())),
            EngineName::Plugin => up.by_plugin().await.map(|ended| (ended, BTreeMap::new())),
            EngineName::Swarm => swarm::up(&up).await,
        };
        let (ended, specs) = brought_up.map_err(|error| work.first(error))?;
        record.specs = specs;
        record.completed = ended.completed;
        record.version = version.clone();
        for (service, image) in ended.images {
            if let Some(service) = record.version.services.get_mut(&service) {
                (service.image_id, service.image_digest) = (Some(image.id), image.digest);
                service.is_outdated = false;
            }
        }
        record::keep(&self.machine, project, &record).map_err(self.unwritten(project))
    }

    /// What the plugin makes of a version.
    async fn resolved(
        &self,
        plugin: &Plugin,
        project: &Project,
        version: &Version,
        variables: &Variables,
    ) -> Result<Arc<Resolved>, ApplyError> {
        if let Some(resolved) = self.remembered(&cache::key(&self.machine, project, version, &plugin.identity)) {
            return Ok(resolved);
        }
        // Out of a folder of its own: in the lasting one a container may have left a file that the plugin reads.
        let staged = self.stage(version).map_err(self.unwritten(project))?;
        let folders = (staged.path(), &*self.lasting(project));
        let resolved = plugin.resolve(project, folders, variables, &version.scale).await;
        let refused = |reason| ApplyError::Refused { resource: format!("compose {project}"), reason };
        resolved.map(Arc::new).map_err(refused)
    }

    /// The files of a version, and no others.
    fn stage(&self, version: &Version) -> std::io::Result<TempDir> {
        let folder = tempfile::tempdir_in(self.machine.state())?;
        files::put(self.machine.blobs(), folder.path(), &Files::new(), &version.files)?;
        Ok(folder)
    }

    /// Brings the files to the project's folder. What is replaced is kept, and the record knows of each file that is
    /// stead's before it is there.
    fn place(&self, project: &Project, version: &Version) -> Result<Record, ApplyError> {
        let lasting = self.lasting(project);
        let place = || {
            let (blobs, key) = (self.machine.blobs(), self.machine.key());
            files::keep(blobs, key, &self.machine.app(project.as_str()), &version.files)?;
            let mut record = record::get(&self.machine, project)?.unwrap_or_default();
            std::fs::create_dir_all(&lasting)?;
            let names = record.version.files.keys().chain(version.files.keys()).collect::<BTreeSet<_>>();
            let there = files::at(key, &lasting, names.into_iter())?;
            files::keep(blobs, key, &lasting, &there)?;
            let former = record.version.files.clone();
            record.version.files.extend(version.files.clone());
            record.version.engine = version.engine;
            record::keep(&self.machine, project, &record)?;
            files::put(blobs, &lasting, &former, &version.files)?;
            Ok(record)
        };
        place().map_err(self.unwritten(project))
    }

    /// The variables of a version, from this run's secrets or from those kept of earlier ones.
    pub(super) fn kept_variables(&self, version: &Version) -> Result<Variables, ApplyError> {
        let mut variables = Variables { public: version.environment.clone(), ..Variables::default() };
        for (variable, SecretValue { name, digest }) in &version.secrets {
            let missing = || ApplyError::NoSecret { name: name.clone() };
            let value = self.machine.secret(name);
            let value = match value.filter(|value| self.machine.key().digest(value.reveal().as_bytes()) == *digest) {
                Some(value) => {
                    let kept = self.machine.blobs().keep(digest, value.reveal().as_bytes());
                    kept.map_err(|source| ApplyError::File { path: format!("the secret {name}"), source })?;
                    value.clone()
                }
                None => {
                    let kept = self.machine.blobs().get(digest).ok().flatten().ok_or_else(missing)?;
                    crate::secret::Secret::new(String::from_utf8(kept).map_err(|_| missing())?)
                }
            };
            variables.secret.insert(variable.clone(), value);
        }
        Ok(variables)
    }

    fn forget(&self, project: &Project) -> Result<(), ApplyError> {
        let lasting = self.lasting(project);
        let forget = || {
            if let Some(record) = record::get(&self.machine, project)? {
                let key = self.machine.key();
                if lasting.is_dir() {
                    let there = files::at(key, &lasting, record.version.files.keys())?;
                    files::keep(self.machine.blobs(), key, &lasting, &there)?;
                    files::put(self.machine.blobs(), &lasting, &record.version.files, &BTreeMap::new())?;
                    // What containers left there stays.
                    let _ = std::fs::remove_dir(&lasting);
                }
            }
            record::forget(&self.machine, project)
        };
        forget().map_err(self.unwritten(project))
    }

    pub(super) fn unwritten(&self, project: &Project) -> impl Fn(std::io::Error) -> ApplyError {
        let path = self.lasting(project).display().to_string();
        move |source| ApplyError::File { path: path.clone(), source }
    }
}
