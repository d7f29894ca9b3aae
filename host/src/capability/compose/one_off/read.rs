//! Reads the compose file of a one-off container: one service of it, with what is asked for over it, and what it would do to
//! the host.

use std::collections::BTreeMap;
use std::path::Path;

use super::{OneOffError, OneOffs, Wish, refused};
use crate::capability::compose::loader::{Plugin, Resolved, Variables};
use crate::capability::compose::model::{FileSource, Model, MountKind, Service, parse};
use crate::capability::compose::state::{Engine, Record, Version};
use crate::capability::compose::{Claim, EngineName, Project, Spec, backend, claim, docker, files, record, summary};

/// `docker compose run` finds services whose profile is not active, too.
const PROFILES: (&str, &str) = ("COMPOSE_PROFILES", "*");
/// What a container has written is read from its beginning by whoever comes next, so no line of it may go before it is more
/// than anybody reads.
const LOG: [(&str, &str); 2] = [("max-size", "256m"), ("max-file", "2")];
/// More than any small job has.
const PROCESSES: i64 = 4096;

/// A container that can be made, once what it does to the host is granted.
pub struct Planned {
    pub(super) project: Project,
    pub(super) service: String,
    pub(super) version: Version,
    pub(super) plugin: Plugin,
    /// With this service alone.
    pub(super) model: Model,
    pub(super) resolved: Resolved,
    pub(super) variables: Variables,
    spec: Spec,
    claims: Vec<Claim>,
}

impl Planned {
    /// What it would do to the host.
    pub fn claims(&self) -> &[Claim] {
        &self.claims
    }

    /// The project with the secrets that its compose file is read with.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }
}

impl OneOffs {
    /// Reads the compose file in the repo, with the variables that the app was applied with on this host.
    ///
    /// # Errors
    /// When it cannot be read, or the service is not there or cannot be run here.
    pub async fn plan(&self, project: &Project, wish: &Wish) -> Result<Planned, OneOffError> {
        let machine = &self.compose.machine;
        let (staged, lasting) = (machine.app(project.as_str()), self.compose.lasting(project));
        if !staged.is_dir() {
            return Err(OneOffError::NoApp(project.clone()));
        }
        let plugin = Plugin::find(machine).ok_or(OneOffError::Engine(Engine::NoPlugin))?;
        let unread = |error: std::io::Error| OneOffError::Refused(format!("cannot read apps/{project}: {error}"));
        let applied = record::get(machine, project).map_err(unread)?;
        let (version, variables) = self.version(project, applied, &staged)?;
        std::fs::create_dir_all(&lasting).map_err(unread)?;
        let resolved = plugin.resolve(project, (&staged, &lasting), &variables, &BTreeMap::new()).await;
        let resolved = resolved.map_err(OneOffError::Refused)?;
        let mut wanted = summary::summarise(machine.key(), project, (&staged, &lasting), version, &resolved);
        let parsed = parse(&resolved.model);
        let named = format!("service {},", wish.service);
        let is_ours = |words: &&String| !words.starts_with("service ") || words.starts_with(&named);
        if let Some(words) = parsed.unsupported.iter().chain(&wanted.unsupported).find(is_ours) {
            return Err(OneOffError::Refused(words.clone()));
        }
        let model = alone(parsed.model, project, wish)?;
        self.check_files(project, &staged, &lasting, &model).map_err(|reason| match reason {
            Ok(reason) => OneOffError::Refused(reason),
            Err(error) => unread(error),
        })?;
        wanted.version.services.retain(|name, _| *name == wish.service);
        for service in wanted.version.services.values_mut() {
            let image = docker::image(&self.docker, &service.image).await.map_err(refused)?;
            backend::find_image(&self.docker, service, image.as_ref(), &variables).await;
        }
        let mut claims = claim::claims(&lasting, &model);
        summary::follow_links(&lasting, &mut claims);
        let Version { environment, secrets, health_timeout, engine, .. } = &wanted.version;
        let spec = Spec {
            project: project.clone(),
            environment: environment.clone(),
            secrets: secrets.iter().map(|(variable, secret)| (variable.clone(), secret.name.clone())).collect(),
            health_timeout: *health_timeout,
            scale: BTreeMap::new(),
            engine: *engine,
        };
        let (project, service, version) = (project.clone(), wish.service.clone(), wanted.version);
        Ok(Planned { project, service, version, plugin, model, resolved, variables, spec, claims })
    }

    fn version(
        &self,
        project: &Project,
        applied: Option<Record>,
        staged: &Path,
    ) -> Result<(Version, Variables), OneOffError> {
        let refused = |error: &dyn std::fmt::Display| OneOffError::Refused(error.to_string());
        let applied = applied.unwrap_or_default().version;
        if applied.engine == EngineName::Swarm {
            let words = format!("{project} is a stack of a swarm here, which has no one-off containers");
            return Err(OneOffError::Refused(words));
        }
        let health_timeout = if applied.health_timeout == 0 { 60 } else { applied.health_timeout };
        let mut variables = self.compose.kept_variables(&applied).map_err(|error| refused(&error))?;
        variables.public.insert(PROFILES.0.to_owned(), PROFILES.1.to_owned());
        let files = files::scan(self.compose.machine.key(), staged).map_err(|error| refused(&error))?;
        let (environment, secrets) = (applied.environment, applied.secrets);
        Ok((Version { files, environment, secrets, health_timeout, ..Version::default() }, variables))
    }

    /// Whether the project's own files that it mounts are on this host as they are in the repo.
    fn check_files(
        &self,
        project: &Project,
        staged: &Path,
        lasting: &Path,
        model: &Model,
    ) -> Result<(), Result<String, std::io::Error>> {
        let key = self.compose.machine.key();
        let binds = model.services.values().flat_map(|service| &service.volumes);
        let binds = binds.filter(|mount| mount.kind == MountKind::Bind).filter_map(|mount| mount.source.as_deref());
        let sources = model.configs.values().chain(model.secrets.values()).filter_map(|source| source.file.as_deref());
        let below: Vec<&Path> =
            binds.chain(sources).filter_map(|source| Path::new(source).strip_prefix(lasting).ok()).collect();
        let mut mounted = files::scan(key, staged).map_err(Err)?;
        mounted.retain(|name, _| below.iter().any(|below| Path::new(name).starts_with(below)));
        let there = match mounted.is_empty() {
            true => return Ok(()),
            false => files::at(key, lasting, mounted.keys()).map_err(Err)?,
        };
        match mounted.iter().find(|(name, entry)| there.get(*name) != Some(entry)) {
            Some((name, _)) => Err(Ok(format!(
                "{name}, which it mounts, is not on this server as it is in apps/{project}: bring the app up first, by \
                 `stead apply`"
            ))),
            None => Ok(()),
        }
    }
}

/// The model with one service, as it is asked for.
fn alone(mut model: Model, project: &Project, wish: &Wish) -> Result<Model, OneOffError> {
    let known = || model.services.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    let Some(service) = model.services.get(&wish.service).cloned() else {
        return Err(OneOffError::NoService { app: project.clone(), name: wish.service.clone(), known: known() });
    };
    let service = changed(service, wish);
    let is_used = |sources: &BTreeMap<String, FileSource>, all: &[crate::capability::compose::model::FileMount]| {
        let used = |name: &&String| all.iter().any(|mount| mount.source == **name);
        sources.keys().filter(used).cloned().collect::<Vec<_>>()
    };
    let (configs, secrets) = (is_used(&model.configs, &service.configs), is_used(&model.secrets, &service.secrets));
    model.configs.retain(|name, _| configs.contains(name));
    model.secrets.retain(|name, _| secrets.contains(name));
    let own = service.network_mode.is_none();
    model.networks.retain(|name, _| own && service.networks.contains_key(name));
    let mounts = |name: &String| service.volumes.iter().any(|mount| mount.source.as_ref() == Some(name));
    model.volumes.retain(|name, _| mounts(name));
    model.services = [(wish.service.clone(), service)].into();
    Ok(model)
}

/// The service with another command, as `docker compose run` has it, and within its limits.
fn changed(mut service: Service, wish: &Wish) -> Service {
    if let Some(entrypoint) = &wish.entrypoint {
        service.entrypoint = Some(entrypoint.clone());
        service.command = None;
    }
    if let Some(command) = &wish.command {
        service.command = Some(command.clone());
    }
    let given = wish.environment.iter().map(|(name, value)| (name.clone(), Some(value.clone())));
    service.environment.extend(given);
    service.user = wish.user.clone().or(service.user);
    service.working_dir = wish.working_dir.clone().or(service.working_dir);
    service.ports.clear();
    service.container_name = None;
    service.mac_address = None;
    service.scale = None;
    service.restart = Some("no".to_owned());
    service.deploy.restart_policy = None;
    (service.tty, service.stdin_open) = (false, false);
    service.logging.driver = Some("json-file".to_owned());
    service.logging.options = LOG.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    for attachment in service.networks.values_mut().flatten() {
        // An address can be of one container only.
        (attachment.ipv4_address, attachment.ipv6_address, attachment.mac_address) = (None, None, None);
    }
    limited(service, wish)
}

fn limited(mut service: Service, wish: &Wish) -> Service {
    let most = |granted: u64, own: [Option<i64>; 2]| {
        let granted = i64::try_from(granted).unwrap_or(i64::MAX);
        own.into_iter().flatten().filter(|own| *own > 0).fold(granted, i64::min)
    };
    let limits = &mut service.deploy.resources.limits;
    let memory = most(wish.memory, [limits.memory, service.mem_limit]);
    limits.memory = Some(memory);
    limits.cpus = Some(most(wish.nano_cpus, [limits.cpus, service.cpus]));
    limits.pids = Some(most(PROCESSES.unsigned_abs(), [limits.pids, service.pids_limit]));
    // Swap is memory, too.
    service.memswap_limit = Some(memory);
    let reserved = &mut service.deploy.resources.reservations;
    reserved.memory = reserved.memory.or(service.mem_reservation).map(|reserved| reserved.min(memory));
    (service.mem_reservation, service.oom_kill_disable) = (None, false);
    // Docker takes either a quota or a number of processors.
    (service.cpu_quota, service.cpu_period, service.cpu_count, service.cpu_percent) = (None, None, None, None);
    service
}
