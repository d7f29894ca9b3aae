//! The resolved model of a project, as far as the engine carries it.
//!
//! Every key is named here or refused by name: nothing of a compose file is dropped silently.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

mod build;
mod deploy;
mod device;
mod mount;
mod network;
mod pull;
mod refuse;
mod resource;
mod scalar;
mod service;

pub(super) use build::Build;
pub(super) use deploy::{Order, UpdateConfig};
pub(super) use device::{Blkio, Device, DeviceRequest, Rate, Ulimit, Weight};
pub(super) use mount::{FileMount, Mount, MountKind};
pub(super) use network::{Attachment, Port};
pub(super) use pull::PullPolicy;
pub(super) use resource::{FileSource, Network, Volume};
pub(super) use service::{Condition, Dependency, HealthCheck, Hook, Service};

/// Many times what a server can run.
const MOST_SERVICES: usize = 1000;
/// What is said of a key that the engine does not carry.
const UNSUPPORTED: &str = "not supported yet";

/// A project.
#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) services: BTreeMap<String, Service>,
    pub(super) networks: BTreeMap<String, Network>,
    pub(super) volumes: BTreeMap<String, Volume>,
    pub(super) configs: BTreeMap<String, FileSource>,
    pub(super) secrets: BTreeMap<String, FileSource>,
}

impl Model {
    /// The configs and secrets of a service, with the key that says so.
    pub(super) fn files_of<'a>(
        &'a self,
        service: &'a Service,
    ) -> impl Iterator<Item = (&'static str, &'a FileMount, &'a FileSource)> {
        let configs = service.configs.iter().map(|mount| ("configs", mount, self.configs.get(&mount.source)));
        let secrets = service.secrets.iter().map(|mount| ("secrets", mount, self.secrets.get(&mount.source)));
        configs.chain(secrets).filter_map(|(key, mount, source)| Some((key, mount, source?)))
    }
}

/// A model, and what of it is not carried.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    pub(super) model: Model,
    /// What the engine does not carry, in words: with any of it, nothing is done.
    pub(super) unsupported: Vec<String>,
    /// What is carried in a swarm and not on one machine, in words.
    pub(super) swarm_only: Vec<String>,
    /// What the Compose plugin carries and the engine does not: service and key.
    pub(super) plugin_only: Vec<String>,
    /// What means nothing on one machine, in words.
    pub(super) idle: Vec<String>,
}

/// Reads a resolved model.
pub(super) fn parse(model: &Value) -> Parsed {
    let mut unsupported = Vec::new();
    let mut known = Model::default();
    let count = model.get("services").and_then(Value::as_object).map_or(0, Map::len);
    if count > MOST_SERVICES {
        let unsupported =
            vec![format!("it has {count} services, and one server is not to run more than {MOST_SERVICES}")];
        return Parsed { unsupported, ..Parsed::default() };
    }
    for (key, value) in model.as_object().into_iter().flatten() {
        let words = &mut unsupported;
        match key.as_str() {
            "name" => {}
            "services" => known.services = each("service", value, words),
            "networks" => known.networks = each("network", value, words),
            "volumes" => known.volumes = each("volume", value, words),
            "configs" => known.configs = each("config", value, words),
            "secrets" => known.secrets = each("secret", value, words),
            key if key.starts_with("x-") || says_nothing(value) => {}
            key => words.push(format!("key {key}: {UNSUPPORTED}")),
        }
    }
    for (name, service) in &known.services {
        service.refuse(&mut |key, reason| unsupported.push(format!("service {name}, key {key}: {reason}")));
    }
    let mut swarm_only = Vec::new();
    known.refuse_files(&mut |words| swarm_only.push(words));
    let idle = known.idle();
    let plugin_only = known.plugin_only();
    Parsed { model: known, unsupported, swarm_only, plugin_only, idle }
}

/// Reads each entry of a section key by key, so that what is wrong can be named.
fn each<T: DeserializeOwned + Default>(kind: &str, section: &Value, words: &mut Vec<String>) -> BTreeMap<String, T> {
    let mut entries = BTreeMap::new();
    for (name, entry) in section.as_object().into_iter().flatten() {
        let said: Map<String, Value> = entry
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(key, value)| !says_nothing(value) && !key.starts_with("x-"))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        match T::deserialize(&Value::Object(said.clone())) {
            Ok(entry) => drop(entries.insert(name.clone(), entry)),
            Err(_) => words.extend(wrong_keys::<T>(&said).map(|words| format!("{kind} {name}, {words}"))),
        }
    }
    entries
}

fn wrong_keys<T: DeserializeOwned>(said: &Map<String, Value>) -> impl Iterator<Item = String> {
    said.iter().filter_map(|(key, value)| {
        let alone = Map::from_iter([(key.clone(), value.clone())]);
        let error = T::deserialize(&Value::Object(alone)).err()?.to_string();
        // An unknown key of the entry itself lists all that are known, which helps nobody here.
        let own = error.starts_with(&format!("unknown field `{key}`"));
        Some(format!("key {key}: {}", if own { UNSUPPORTED.to_owned() } else { error }))
    })
}

/// Whether a value is there only because the plugin prints its defaults.
fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(map) => map.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => false,
    }
}
