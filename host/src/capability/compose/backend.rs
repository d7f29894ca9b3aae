//! Reads projects: the folder, the Compose plugin and the engine, brought together.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use bollard::Docker;
use futures::future::try_join_all;
use jiff::Timestamp;

use super::docker::{Image, Listed};
use super::loader::{Plugin, Resolved, Variables};
use super::state::{Engine, Fact, Found, Record, SecretValue, Service, Set, Version, Wanted};
use super::{Compose, EngineName, Files, Project, Spec, cache, docker, engine, files, record, summary, swarm};
use crate::capability::{Declared, ObserveError, Owned};
use crate::digest::Digest;

/// What the plugin read in this run, by the digest of all that it follows from.
type Read = Mutex<BTreeMap<Digest, Arc<Resolved>>>;

impl Compose {
    pub(super) async fn read(&self, specs: &[Declared<Spec>], owned: &Owned<Set>) -> Result<Fact, ObserveError> {
        let nothing = |engine| Fact { engine, projects: BTreeMap::new() };
        if !self.machine.has_kernel() {
            return Ok(nothing(Engine::Recorded));
        }
        let docker = match docker::connect(&self.machine).await {
            Ok(docker) => docker,
            Err(engine) => return Ok(nothing(engine)),
        };
        let plugin = Plugin::find(&self.machine);
        if plugin.is_none() && !specs.is_empty() {
            return Ok(nothing(Engine::NoPlugin));
        }
        let declared: BTreeMap<&Project, &Spec> =
            specs.iter().map(|declared| (&declared.spec.project, &declared.spec)).collect();
        let owned: Vec<Project> = owned.keys().filter_map(|name| name.parse().ok()).collect();
        let names: BTreeSet<&Project> = declared.keys().copied().chain(&owned).collect();
        let found = names.into_iter().map(|project| {
            let (docker, plugin, spec) = (&docker, plugin.as_ref(), declared.get(project).copied());
            async move { Ok::<_, ObserveError>((project.clone(), self.find(docker, plugin, project, spec).await?)) }
        });
        Ok(Fact { engine: Engine::Up, projects: try_join_all(found).await?.into_iter().collect() })
    }

    async fn find(
        &self,
        docker: &Docker,
        plugin: Option<&Plugin>,
        project: &Project,
        spec: Option<&Spec>,
    ) -> Result<Found, ObserveError> {
        let unreadable = |reason: String| ObserveError::Unreadable { resource: format!("compose {project}"), reason };
        let wanted = match (spec, plugin) {
            (Some(spec), Some(plugin)) => Some(self.wanted(docker, plugin, spec).await?),
            _ => None,
        };
        let record = record::get(&self.machine, project).map_err(|error| unreadable(error.to_string()))?;
        let ours = record.iter().flat_map(|record| record.version.files.keys());
        let names: BTreeSet<_> = ours.chain(wanted.iter().flat_map(|wanted| wanted.version.files.keys())).collect();
        let files = files::at(self.machine.key(), &self.lasting(project), names.into_iter())
            .or_else(
                |error| if error.kind() == std::io::ErrorKind::NotFound { Ok(BTreeMap::new()) } else { Err(error) },
            )
            .map_err(|error| unreadable(error.to_string()))?;
        let engine = wanted.as_ref().map(|wanted| &wanted.version).or(record.as_ref().map(|record| &record.version));
        if engine.is_some_and(|version| version.engine == EngineName::Swarm) {
            let found = self.find_stack(docker, project, wanted, record, files).await;
            return found.map_err(|error| unreadable(error.to_string()));
        }
        let containers = async {
            let mut listed = docker::containers(docker, &self.machine, project).await?;
            docker::find_done(docker, &mut listed).await?;
            Ok(listed)
        };
        let (containers, networks, volumes) =
            tokio::try_join!(containers, docker::networks(docker, project), docker::volumes(docker, project))
                .map_err(|error| unreadable(error.to_string()))?;
        let listed = match (&wanted, plugin) {
            (Some(wanted), Some(plugin)) => {
                self.recognise(plugin, project, wanted, containers).await.map_err(unreadable)?
            }
            _ => containers,
        };
        let containers = listed.into_iter().map(|listed| listed.container).collect();
        Ok(Found { wanted, record, files, containers, networks, volumes })
    }

    async fn find_stack(
        &self,
        docker: &Docker,
        project: &Project,
        mut wanted: Option<Wanted>,
        record: Option<Record>,
        files: Files,
    ) -> Result<Found, bollard::errors::Error> {
        if let Some(wanted) = &mut wanted
            && !swarm::is_manager(docker).await?
        {
            wanted.unsupported.push(swarm::NO_MANAGER.to_owned());
        }
        let none = BTreeMap::new();
        let specs = record.as_ref().map_or(&none, |record| &record.specs);
        let declared = wanted.as_ref().map(|wanted| &wanted.version.volumes);
        let (containers, networks, volumes) = swarm::look(docker, &self.machine, project, specs, declared).await?;
        Ok(Found { wanted, record, files, containers, networks, volumes })
    }

    /// Knows containers again that docker compose made and that share something: their hashes name other containers.
    async fn recognise(
        &self,
        plugin: &Plugin,
        project: &Project,
        wanted: &Wanted,
        mut listed: Vec<Listed>,
    ) -> Result<Vec<Listed>, String> {
        let version = &wanted.version;
        let shares = |listed: &Listed| {
            let service = version.services.get(&listed.container.service);
            listed.shares.is_none() && service.is_some_and(|service| !service.shares.is_empty())
        };
        if !listed.iter().any(shares) {
            return Ok(listed);
        }
        let (staged, lasting) = (self.machine.app(project.as_str()), self.lasting(project));
        let variables = self.kept_variables(version).map_err(|error| error.to_string())?;
        let resolved = plugin.resolve(project, (&staged, &lasting), &variables, &version.scale).await?;
        let all = listed.clone();
        for listed in listed.iter_mut().filter(|listed| shares(listed)) {
            let name = &listed.container.service;
            let hash = engine::shared_hash(plugin, project, &lasting, &resolved, name, &all).await?;
            if hash.is_some_and(|hash| hash == listed.hash) {
                let plain = resolved.hashes.get(name).map(String::as_str).unwrap_or_default();
                listed.container.config = self.machine.key().digest(plain.as_bytes());
            }
        }
        Ok(listed)
    }

    async fn wanted(&self, docker: &Docker, plugin: &Plugin, spec: &Spec) -> Result<Wanted, ObserveError> {
        let project = &spec.project;
        let unreadable = |reason: String| ObserveError::Unreadable { resource: format!("compose {project}"), reason };
        let staged = self.machine.app(project.as_str());
        if !staged.is_dir() {
            return Err(unreadable(format!("the repo has no folder apps/{project}")));
        }
        let files = files::scan(self.machine.key(), &staged)
            .map_err(|error| unreadable(format!("cannot read apps/{project}: {error}")))?;
        let (secrets, variables) = self.variables(spec)?;
        let version = Version {
            files,
            secrets,
            environment: spec.environment.clone(),
            health_timeout: spec.health_timeout,
            scale: spec.scale.clone(),
            engine: spec.engine,
            ..Version::default()
        };
        let key = cache::key(&self.machine, project, &version, &plugin.identity);
        let lasting = self.lasting(project);
        let mut wanted = match cache::get(&self.machine, project, &key) {
            Some(wanted) => wanted,
            None => {
                std::fs::create_dir_all(&lasting).map_err(|error| unreadable(error.to_string()))?;
                let resolved = plugin.resolve(project, (&staged, &lasting), &variables, &version.scale);
                let resolved = resolved.await.map_err(unreadable)?;
                let resolved = self.remember(&key, resolved);
                let wanted = summary::summarise(self.machine.key(), project, (&staged, &lasting), version, &resolved);
                cache::keep(&self.machine, project, key, &wanted);
                wanted
            }
        };
        wanted.version.health_timeout = spec.health_timeout;
        in_its_way(&mut wanted);
        summary::follow_links(&lasting, &mut wanted.claims);
        let names = wanted.version.services.values().map(|service| service.image.as_str());
        let images = docker::images(docker, names).await.map_err(|error| unreadable(error.to_string()))?;
        let services = wanted.version.services.values_mut();
        let found = services.map(|service| find_image(docker, service, images.get(&service.image), &variables));
        futures::future::join_all(found).await;
        Ok(wanted)
    }

    fn variables(&self, spec: &Spec) -> Result<(BTreeMap<String, SecretValue>, Variables), ObserveError> {
        let mut variables = Variables { public: spec.environment.clone(), ..Variables::default() };
        let mut secrets = BTreeMap::new();
        for (variable, name) in &spec.secrets {
            let value = self.machine.secret(name).ok_or_else(|| ObserveError::NoSecret { name: name.clone() })?;
            let digest = self.machine.key().digest(value.reveal().as_bytes());
            secrets.insert(variable.clone(), SecretValue { name: name.clone(), digest });
            variables.secret.insert(variable.clone(), value.clone());
        }
        Ok((secrets, variables))
    }

    /// Keeps what was read for the apply of the same run, in memory only: it may hold values of secrets.
    fn remember(&self, key: &Digest, resolved: Resolved) -> Arc<Resolved> {
        let resolved = Arc::new(resolved);
        let kept = self.machine.memory().of::<Read>();
        kept.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone(), resolved.clone());
        resolved
    }

    pub(super) fn remembered(&self, key: &Digest) -> Option<Arc<Resolved>> {
        let kept = self.machine.memory().of::<Read>();
        kept.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    /// Where the project's containers mount its files from.
    pub(super) fn lasting(&self, project: &Project) -> PathBuf {
        self.machine.state().join("apps").join(project.as_str())
    }
}

/// What the image of a service is on this machine, and where it is missing or to be renewed, in its registry.
pub(super) async fn find_image(docker: &Docker, service: &mut Service, image: Option<&Image>, variables: &Variables) {
    let built = image.and_then(|image| image.build.as_ref());
    service.is_outdated = built.is_some() && service.build.is_some() && built != service.build.as_ref();
    let is_due = service.pulled_every.is_some_and(|seconds| {
        let named_at = image.and_then(|image| image.named_at);
        named_at.is_none_or(|at| Timestamp::now().duration_since(at).unsigned_abs().as_secs() >= seconds)
    });
    let mut image = image.filter(|_| !service.is_outdated);
    let mut digest = image.and_then(|image| image.digest.clone());
    if service.build.is_none() && (image.is_none() || is_due) {
        let credentials = variables.credentials(&service.image).unwrap_or_default();
        let there = docker::in_registry(docker, &service.image, credentials).await;
        // A registry that does not answer keeps nobody from using what is here.
        if there.is_some() && there != digest {
            service.is_outdated = image.is_some();
            (image, digest) = (None, there);
        }
    }
    service.image_id = image.map(|image| image.id.clone());
    service.image_digest = digest;
}

/// What docker compose does in its own way.
fn in_its_way(wanted: &mut Wanted) {
    if wanted.version.engine == EngineName::Plugin {
        for service in wanted.version.services.values_mut() {
            service.stop_first = Some("docker compose does so".to_owned());
            // It does not look into the files that a container mounts.
            service.mounted = None;
        }
    }
}
