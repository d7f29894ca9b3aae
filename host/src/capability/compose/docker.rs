//! The connection to the Docker Engine, and what it says of a project.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bollard::Docker;
use bollard::auth::DockerCredentials;
use bollard::errors::Error;
use bollard::models::{ContainerInspectResponse, ContainerSummary, ContainerSummaryStateEnum, RestartPolicyNameEnum};
use bollard::query_parameters::{ListContainersOptions, ListNetworksOptions, ListVolumesOptions};
use futures::future::try_join_all;
use jiff::Timestamp;
use tokio::time::Instant;

use super::spec::Project;
use super::state::{Container, Engine, Status};
use crate::digest::Digest;
use crate::machine::Machine;

mod ended;
mod hello;

pub(super) use ended::exec_ended;

pub(super) const PROJECT: &str = "com.docker.compose.project";
pub(super) const SERVICE: &str = "com.docker.compose.service";
pub(super) const NUMBER: &str = "com.docker.compose.container-number";
pub(super) const CONFIG_HASH: &str = "com.docker.compose.config-hash";
pub(super) const ONE_OFF: &str = "com.docker.compose.oneoff";
pub(super) const DEPENDS_ON: &str = "com.docker.compose.depends_on";
/// The digest of the project's files that are mounted into a container. Ours.
pub(super) const MOUNTED: &str = "stead.mounted";
/// The config hash of a service that shares something, without the containers that it shares it with. Ours.
pub(super) const CONFIG: &str = "stead.config";
/// The ids of the containers that a container shares something with. Ours.
pub(super) const SHARES: &str = "stead.shares";
/// The digest of what an image was built from. Ours.
pub(super) const BUILD: &str = "stead.build";
/// The digest of a network's settings. Ours.
pub(super) const SETTINGS: &str = "stead.settings";

/// Where the engine listens.
const SOCKET: &str = "/var/run/docker.sock";
/// Longer than any grace period that people give a container to stop.
const TIMEOUT_SECONDS: u64 = 900;
/// An engine that does not say its version by then is not one to work with.
const FIRST_ANSWER: Duration = Duration::from_secs(10);

/// A restart of the engine is over by then.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(250);
/// In seconds: a service that ends with success later than that after its start is one that was to run on.
const SOON: i64 = 60;
/// A registry that does not say what a name means by then is asked again when the image is pulled.
const REGISTRY: Duration = Duration::from_secs(10);

/// A container of a project, with its names in Docker.
#[derive(Clone, Debug)]
pub(super) struct Listed {
    pub(super) id: String,
    pub(super) name: String,
    /// Services that its own waits for when it starts.
    pub(super) depends_on: Vec<String>,
    /// The config hash that Compose knows it by.
    pub(super) hash: String,
    /// The ids of containers that it shares something with; `None`: stead did not make it.
    pub(super) shares: Option<Vec<String>>,
    pub(super) container: Container,
}

/// Connects to the engine, or says what keeps from it.
pub(super) async fn connect(machine: &Machine) -> Result<Docker, Engine> {
    let local = machine.path(SOCKET);
    let given = given(machine);
    if given.is_none() && !local.exists() && !is_installed(machine) {
        return Err(Engine::NotInstalled);
    }
    let host = host(machine);
    let down = |reason: String| Engine::Down(format!("{host}: {reason}"));
    let connecting = async {
        match host.strip_prefix("unix://") {
            Some(socket) => {
                let version = hello::version(Path::new(socket)).await?;
                Docker::connect_with_unix(&host, TIMEOUT_SECONDS, &version).map_err(|error| error.to_string())
            }
            None => {
                let docker = Docker::connect_with_host(&host).map_err(|error| error.to_string())?;
                docker.negotiate_version().await.map_err(|error| error.to_string())
            }
        }
    };
    let connected = tokio::time::timeout(FIRST_ANSWER, connecting).await;
    connected.unwrap_or_else(|_| Err(format!("no answer within {FIRST_ANSWER:?}"))).map_err(down)
}

/// Connects to the engine for a change, which may have to be taken back while the engine restarts.
pub(super) async fn reach(machine: &Machine) -> Result<Docker, Engine> {
    let limit = Instant::now() + PATIENCE;
    loop {
        match connect(machine).await {
            Err(Engine::Down(_)) if Instant::now() < limit => tokio::time::sleep(PAUSE).await,
            reached => return reached,
        }
    }
}

/// As for the docker command line; a tree of files that is no running system never reaches out of itself.
fn given(machine: &Machine) -> Option<String> {
    std::env::var("DOCKER_HOST").ok().filter(|host| machine.is_live() && !host.is_empty())
}

/// Where the engine listens, as the docker command line takes it.
pub(super) fn host(machine: &Machine) -> String {
    given(machine).unwrap_or_else(|| format!("unix://{}", machine.path(SOCKET).display()))
}

/// The socket of the engine; `None`: it is elsewhere.
pub(super) fn socket(machine: &Machine) -> Option<PathBuf> {
    match given(machine) {
        Some(host) => host.strip_prefix("unix://").map(PathBuf::from),
        None => Some(machine.path(SOCKET)),
    }
}

fn is_installed(machine: &Machine) -> bool {
    ["/usr/bin/dockerd", "/usr/sbin/dockerd", "/usr/local/bin/dockerd"].iter().any(|path| machine.path(path).exists())
}

/// The containers of a project, sorted by service and number, without those of `docker compose run`.
pub(super) async fn containers(docker: &Docker, machine: &Machine, project: &Project) -> Result<Vec<Listed>, Error> {
    let options = ListContainersOptions { all: true, filters: Some(of(project)), ..ListContainersOptions::default() };
    let found = docker.list_containers(Some(options)).await?;
    let mut listed: Vec<_> = found.into_iter().filter_map(|summary| read(machine, summary)).collect();
    let ids: BTreeSet<String> = listed.iter().map(|listed| listed.id.clone()).collect();
    for listed in &mut listed {
        listed.container.detached = listed.shares.iter().flatten().any(|id| !ids.contains(id));
    }
    listed.sort_by(|a, b| {
        let key = |listed: &Listed| (listed.container.service.clone(), listed.container.number, listed.id.clone());
        key(a).cmp(&key(b))
    });
    Ok(listed)
}

/// Tells those that had a piece of work to do, and did it, from those that somebody stopped.
pub(super) async fn find_done(docker: &Docker, listed: &mut [Listed]) -> Result<(), Error> {
    let ended = listed.iter_mut().filter(|listed| listed.container.status == Status::Completed);
    try_join_all(ended.map(|listed| async {
        match docker.inspect_container(&listed.id, None).await {
            Err(Error::DockerResponseServerError { status_code: 404, .. }) => {}
            found => {
                if is_done(&found?) {
                    listed.container.status = Status::Done;
                }
            }
        }
        Ok(())
    }))
    .await
    .map(drop)
}

fn is_done(found: &ContainerInspectResponse) -> bool {
    let policy = found.host_config.as_ref().and_then(|config| config.restart_policy.as_ref()?.name);
    let is_restarted = matches!(policy, Some(RestartPolicyNameEnum::ALWAYS | RestartPolicyNameEnum::UNLESS_STOPPED));
    let lasted = found.state.as_ref().and_then(|state| {
        let at = |text: &Option<String>| text.as_deref()?.parse::<Timestamp>().ok();
        Some(at(&state.finished_at)?.duration_since(at(&state.started_at)?))
    });
    !is_restarted && lasted.is_some_and(|lasted| !lasted.is_negative() && lasted.as_secs() < SOON)
}

/// The networks of a project, with the settings that stead wrote on them.
pub(super) async fn networks(docker: &Docker, project: &Project) -> Result<BTreeMap<String, Option<Digest>>, Error> {
    let found = docker.list_networks(Some(ListNetworksOptions { filters: Some(of(project)) })).await?;
    let one = |network: bollard::models::Network| {
        let settings = network.labels.and_then(|mut labels| labels.remove(SETTINGS)).and_then(|text| digest(&text));
        Some((network.name?, settings))
    };
    Ok(found.into_iter().filter_map(one).collect())
}

/// The ids of networks that have the name of another one: Docker makes as many as it is asked for, and then starts no
/// container in them. The oldest stays, unless something is in a younger one already.
pub(super) async fn twins(docker: &Docker, project: &Project) -> Result<Vec<String>, Error> {
    let found = docker.list_networks(Some(ListNetworksOptions { filters: Some(of(project)) })).await?;
    let mut found: Vec<_> = found.into_iter().filter_map(|one| Some((one.name?, one.created, one.id?))).collect();
    found.sort();
    let mut twins = Vec::new();
    for same in found.chunk_by(|one, other| one.0 == other.0).filter(|same| same.len() > 1) {
        let mut empty = Vec::new();
        for (.., id) in same {
            match docker.inspect_network(id, None).await {
                Ok(network) if network.containers.as_ref().is_none_or(|within| within.is_empty()) => {
                    empty.push(id.clone())
                }
                Ok(_) | Err(Error::DockerResponseServerError { status_code: 404, .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let one_stays = usize::from(empty.len() == same.len());
        twins.extend(empty.into_iter().skip(one_stays));
    }
    Ok(twins)
}

/// The names of a project's volumes.
pub(super) async fn volumes(docker: &Docker, project: &Project) -> Result<BTreeSet<String>, Error> {
    let found = docker.list_volumes(Some(ListVolumesOptions { filters: Some(of(project)) })).await?;
    Ok(found.volumes.into_iter().flatten().map(|volume| volume.name).collect())
}

/// An image on this machine.
#[derive(Clone, Debug, Default)]
pub(super) struct Image {
    pub(super) id: String,
    /// Its name in its registry, by digest; `None`: it comes from no registry.
    pub(super) digest: Option<String>,
    /// When it got its name; `None`: the engine does not say.
    pub(super) named_at: Option<Timestamp>,
    /// Of what stead built it from.
    pub(super) build: Option<Digest>,
}

/// What an image's name, or its id, means on this machine.
pub(super) async fn image(docker: &Docker, name: &str) -> Result<Option<Image>, Error> {
    let found = match docker.inspect_image(name).await {
        Err(Error::DockerResponseServerError { status_code: 404, .. }) => return Ok(None),
        found => found?,
    };
    let labels = found.config.and_then(|config| config.labels);
    let build = labels.and_then(|labels| digest(labels.get(BUILD)?));
    let repository = |digest: &String| name.starts_with(digest.split('@').next().unwrap_or_default());
    let digests = found.repo_digests.unwrap_or_default();
    let from = digests.iter().find(|digest| repository(digest)).or(digests.first()).cloned();
    let named_at = found.metadata.and_then(|metadata| metadata.last_tag_time?.parse().ok());
    Ok(found.id.map(|id| Image { id, digest: from, named_at, build }))
}

/// What names, or ids, of images mean on this machine; those that mean nothing are left out.
pub(super) async fn images<'a>(
    docker: &Docker,
    names: impl Iterator<Item = &'a str>,
) -> Result<BTreeMap<String, Image>, Error> {
    let names: BTreeSet<&str> = names.collect();
    let found =
        try_join_all(names.into_iter().map(|name| async move {
            Ok::<_, Error>(image(docker, name).await?.map(|image| (name.to_owned(), image)))
        }));
    Ok(found.await?.into_iter().flatten().collect())
}

/// An image in its registry, by digest; `None`: the registry does not say.
pub(super) async fn in_registry(docker: &Docker, name: &str, credentials: Option<DockerCredentials>) -> Option<String> {
    if name.contains('@') {
        return Some(name.to_owned());
    }
    let asked = tokio::time::timeout(REGISTRY, docker.inspect_registry_image(name, credentials)).await;
    let digest = asked.ok()?.ok()?.descriptor.digest?;
    let repository = name.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')).map_or(name, |(name, _)| name);
    Some(format!("{repository}@{digest}"))
}

/// Whether an object that was to be removed, or stopped, already is.
pub(super) fn unless_gone(done: Result<(), Error>) -> Result<(), Error> {
    match done {
        Err(Error::DockerResponseServerError { status_code: 304 | 404, .. }) => Ok(()),
        done => done,
    }
}

fn of(project: &Project) -> HashMap<String, Vec<String>> {
    HashMap::from([("label".to_owned(), vec![format!("{PROJECT}={project}")])])
}

fn read(machine: &Machine, summary: ContainerSummary) -> Option<Listed> {
    let labels = summary.labels.unwrap_or_default();
    if labels.get(ONE_OFF).is_some_and(|one_off| one_off.eq_ignore_ascii_case("true")) {
        return None;
    }
    let name = summary.names?.into_iter().next()?;
    let depends_on = labels.get(DEPENDS_ON).map(String::as_str).unwrap_or_default().split(',');
    let depends_on = depends_on.filter_map(|one| Some(one.split_once(':')?.0.to_owned())).collect();
    let hash = labels.get(CONFIG_HASH).cloned().unwrap_or_default();
    let shares = labels.get(SHARES).map(|ids| ids.split(',').map(str::to_owned).collect());
    let container = Container {
        service: labels.get(SERVICE)?.clone(),
        number: labels.get(NUMBER).and_then(|number| number.parse().ok()).unwrap_or_default(),
        config: machine.key().digest(labels.get(CONFIG).unwrap_or(&hash).as_bytes()),
        detached: false,
        mounted: labels.get(MOUNTED).and_then(|text| digest(text)),
        image_id: summary.image_id.unwrap_or_default(),
        status: status(summary.state, summary.status.as_deref().unwrap_or_default()),
    };
    Some(Listed { id: summary.id?, name: name.trim_start_matches('/').to_owned(), depends_on, hash, shares, container })
}

fn status(state: Option<ContainerSummaryStateEnum>, words: &str) -> Status {
    match state {
        Some(ContainerSummaryStateEnum::RUNNING | ContainerSummaryStateEnum::RESTARTING) => Status::Running,
        Some(ContainerSummaryStateEnum::PAUSED) => Status::Paused,
        Some(ContainerSummaryStateEnum::EXITED) if words.starts_with("Exited (0)") => Status::Completed,
        _ => Status::Stopped,
    }
}

fn digest(text: &str) -> Option<Digest> {
    serde_json::from_value(text.into()).ok()
}
