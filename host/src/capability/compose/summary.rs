//! From a resolved model to what is compared, shown and granted: digests in place of values.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use super::claim::{Ask, Claim};
use super::files::Files;
use super::loader::Resolved;
use super::model::{Condition, Model, MountKind, Network, Parsed, PullPolicy, Service as Declared, parse};
use super::spec::{EngineName, Project};
use super::state::{Kept, Published, Service, Version, Wanted};
use crate::digest::{Digest, Key};

/// Completes a version with its services, networks and volumes.
pub(super) fn summarise(
    key: &Key,
    project: &Project,
    (staged, lasting): (&Path, &Path),
    version: Version,
    resolved: &Resolved,
) -> Wanted {
    let Parsed { model, mut unsupported, swarm_only, plugin_only, idle } = parse(&resolved.model);
    let awaited: BTreeSet<&String> = model.services.values().flat_map(completions).collect();
    let mut contexts = BTreeMap::new();
    for (name, build) in model.services.iter().filter_map(|(name, service)| Some((name, service.build.as_ref()?))) {
        let files = if build.is_remote() { Ok(Vec::new()) } else { build.files(staged, lasting, &version.files) };
        match files {
            Ok(files) => {
                let files: Vec<_> = files.into_iter().map(|(path, _, entry)| (path, entry.clone())).collect();
                contexts.insert(name.clone(), (build.clone(), files));
            }
            Err(reason) => unsupported.push(format!("service {name}, key build: {reason}")),
        }
    }
    let service = |(name, declared): (&String, &Declared)| {
        let hash = resolved.hashes.get(name).map(String::as_str).unwrap_or_default();
        let service = Service {
            config: key.digest(hash.as_bytes()),
            keys: keys(key, resolved.model.pointer("/services").and_then(|services| services.get(name))),
            mounted: mounted(key, lasting, &version.files, &model, declared, resolved),
            image: declared.image_name(project, name),
            image_id: None,
            image_digest: None,
            build: contexts.get(name).map(|context| digest(key, context)),
            pulled_every: pulled_every(declared),
            is_outdated: false,
            replicas: declared.replicas(),
            stop_first: super::order::why_stop_first(declared),
            shares: declared.shares().map(|(_, other)| other.to_owned()).collect(),
            networks: networks(&model, declared).map(|network| network.name.clone()).collect(),
            completes: awaited.contains(name),
            pre_stop: !declared.pre_stop.is_empty(),
        };
        (name.clone(), service)
    };
    let services = model.services.iter().map(service).collect();
    let used: BTreeMap<_, _> =
        model.services.values().flat_map(|service| networks(&model, service)).map(kept(key)).collect();
    let volumes = model
        .services
        .values()
        .flat_map(|service| volumes(&model, service))
        .map(|volume| (volume.name.clone(), Kept { settings: digest(key, volume), external: volume.external }));
    let claims = super::claim::claims(lasting, &model);
    let published = model.services.iter().flat_map(published).collect();
    let version = Version { services, networks: used, volumes: volumes.collect(), ..version };
    let mut wanted = Wanted { version, claims, published, unsupported, plugin_only, idle };
    match wanted.version.engine {
        EngineName::Swarm => super::swarm::complete(&model, &mut wanted),
        EngineName::Stead | EngineName::Plugin => wanted.unsupported.extend(swarm_only),
    }
    wanted
}

fn pulled_every(service: &Declared) -> Option<u64> {
    match PullPolicy::of(service.pull_policy.as_deref()) {
        Some(PullPolicy::Every(span)) if service.build.is_none() => Some(span.as_secs()),
        _ => None,
    }
}

fn published<'a>((name, service): (&'a String, &'a Declared)) -> impl Iterator<Item = Published> {
    service.ports.iter().map(|port| Published {
        service: name.clone(),
        protocol: port.protocol.clone().unwrap_or_else(|| "tcp".to_owned()),
        ports: port.published.clone().unwrap_or_default(),
        host_ip: port.host_ip.clone().filter(|address| !address.is_empty()),
    })
}

fn kept(key: &Key) -> impl Fn(&Network) -> (String, Kept) {
    |network| (network.name.clone(), Kept { settings: digest(key, network), external: network.external })
}

/// The digest of settings.
pub(super) fn digest(key: &Key, settings: &impl serde::Serialize) -> Digest {
    key.digest(&serde_json::to_vec(settings).unwrap_or_default())
}

/// The networks that a service is in.
pub(super) fn networks<'a>(model: &'a Model, service: &'a Declared) -> impl Iterator<Item = &'a Network> {
    let own = service.network_mode.is_none();
    service.networks.keys().filter(move |_| own).filter_map(|name| model.networks.get(name))
}

/// The named volumes that a service mounts.
pub(super) fn volumes<'a>(model: &'a Model, service: &'a Declared) -> impl Iterator<Item = &'a super::model::Volume> {
    let named = service.volumes.iter().filter(|mount| mount.kind == MountKind::Volume);
    named.filter_map(|mount| model.volumes.get(mount.source.as_ref()?))
}

/// Files of the host that become configs and secrets of a service, with the key that says so.
pub(super) fn mounted_files<'a>(
    model: &'a Model,
    service: &'a Declared,
) -> impl Iterator<Item = (&'static str, &'a str)> {
    model.files_of(service).filter_map(|(key, _, source)| Some((key, source.file.as_deref()?)))
}

fn completions(service: &Declared) -> impl Iterator<Item = &String> {
    let depends_on = service.depends_on.iter();
    depends_on.filter(|(_, dependency)| dependency.condition == Condition::Completed).map(|(name, _)| name)
}

fn keys(key: &Key, service: Option<&Value>) -> BTreeMap<String, Digest> {
    let keys = service.and_then(Value::as_object).into_iter().flatten().filter(|(_, value)| !value.is_null());
    keys.map(|(name, value)| (name.clone(), key.digest(value.to_string().as_bytes()))).collect()
}

/// The digest of the project's own files that a service mounts, and of what is written into its containers; `None`
/// when there is neither.
fn mounted(
    key: &Key,
    lasting: &Path,
    files: &Files,
    model: &Model,
    service: &Declared,
    resolved: &Resolved,
) -> Option<Digest> {
    let binds = service.volumes.iter().filter(|mount| mount.kind == MountKind::Bind);
    let sources = binds.filter_map(|mount| mount.source.as_deref());
    let sources = sources.chain(mounted_files(model, service).map(|(_, file)| file));
    let below: Vec<&Path> = sources.filter_map(|source| Path::new(source).strip_prefix(lasting).ok()).collect();
    let mounts = |name: &str| below.iter().any(|below| Path::new(name).starts_with(below));
    let found: BTreeMap<_, _> = files.iter().filter(|(name, _)| mounts(name)).collect();
    let written: Vec<_> = model
        .files_of(service)
        .filter(|(_, _, source)| source.is_written())
        .map(|(_, file, source)| {
            let value = source.environment.as_ref().and_then(|variable| resolved.variables.get(variable));
            (&file.source, source.content.as_deref().or(value.map(|value| value.reveal().as_str())))
        })
        .collect();
    match (found.is_empty(), written.is_empty()) {
        (true, true) => None,
        (_, true) => Some(digest(key, &found)),
        (_, false) => Some(digest(key, &(found, written))),
    }
}

/// Where each bind of a claim really leads on this machine.
pub(super) fn follow_links(lasting: &Path, claims: &mut Vec<Claim>) {
    for claim in claims.iter_mut() {
        if let Ask::Bind { path, real } = &mut claim.ask {
            *real = real_path(Path::new(path)).filter(|real| real != path);
            if [Some(&*path), real.as_ref()].into_iter().flatten().any(|path| is_docker_socket(path)) {
                claim.ask = Ask::DockerSocket;
            }
        }
    }
    let home = real_path(lasting).unwrap_or_default();
    claims.retain(|claim| match &claim.ask {
        Ask::Bind { path, real } => {
            let leads_out = real.as_ref().is_some_and(|real| !Path::new(real).starts_with(&home));
            leads_out || !Path::new(path).starts_with(lasting)
        }
        _ => true,
    });
}

/// The path without symbolic links, as far as it exists.
fn real_path(path: &Path) -> Option<String> {
    let real = path.ancestors().find_map(|ancestor| Some((ancestor, ancestor.canonicalize().ok()?)));
    let (ancestor, real) = real?;
    let rest = path.strip_prefix(ancestor).ok()?;
    let whole = if rest.as_os_str().is_empty() { real } else { real.join(rest) };
    Some(whole.to_string_lossy().into_owned())
}

fn is_docker_socket(path: &str) -> bool {
    let own = std::env::var("DOCKER_HOST").ok().and_then(|host| host.strip_prefix("unix://").map(str::to_owned));
    ["/var/run/docker.sock", "/run/docker.sock"].contains(&path) || own.as_deref() == Some(path)
}
