//! From the text of `stead.toml` to hosts and policies, keeping the place of everything that can be wrong.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::PathBuf;

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Map, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::error::{Fault, Problem};
use super::{
    Address, BackupTable, Follow, Host, Keys, Mesh, Name, Origin, Policy, QueueServer, RegistryTable, ScheduledJob,
    SecretsFile, Serve, backup, json, mesh, scheduled,
};
use crate::capability;
use crate::capability::compose::{EngineName, Engines, Project};
use crate::capability::vpn::Name as InterfaceName;
use crate::grant::{Grants, Patterns};
use crate::job;
use crate::policy::Limits;
use crate::registry::{NotAReference, PublicKey, Reference, SCHEME};

/// What a `stead.toml` says.
pub(super) struct Parsed {
    pub(super) hosts: BTreeMap<Name, Host>,
    pub(super) policies: BTreeMap<Name, Policy>,
    pub(super) secrets: SecretsFile,
    pub(super) meshes: BTreeMap<InterfaceName, Mesh>,
    pub(super) providers: BTreeMap<Name, Map<String, Value>>,
    pub(super) engines: Engines,
    pub(super) serve: Option<Serve>,
    pub(super) follow: Option<Follow>,
    pub(super) keep: job::Keep,
    pub(super) queue: Option<QueueServer>,
    pub(super) jobs: BTreeMap<Name, ScheduledJob>,
    pub(super) backups: BTreeMap<Name, BackupTable>,
    pub(super) registries: BTreeMap<String, RegistryTable>,
}

pub(super) type Item<'i> = Spanned<DeValue<'i>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    host: BTreeMap<Name, IgnoredAny>,
    #[serde(default)]
    policy: BTreeMap<Name, IgnoredAny>,
    secrets: Option<SecretsTable>,
    #[serde(default)]
    vpn: BTreeMap<InterfaceName, IgnoredAny>,
    #[serde(default)]
    provider: BTreeMap<Name, IgnoredAny>,
    serve: Option<Serve>,
    follow: Option<Follow>,
    #[serde(default)]
    app: BTreeMap<Project, AppTable>,
    #[serde(default)]
    retention: job::Keep,
    queue: Option<QueueServer>,
    #[serde(default)]
    job: BTreeMap<Name, IgnoredAny>,
    #[serde(default)]
    backup: BTreeMap<Name, IgnoredAny>,
    #[serde(default)]
    registry: BTreeMap<Spanned<String>, RegistryTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AppTable {
    engine: EngineName,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HostTable {
    address: Option<Address>,
    #[serde(rename = "keep-images")]
    keep_images: Option<NonZeroU32>,
    policies: Spanned<Vec<Spanned<Name>>>,
    #[serde(default)]
    config: BTreeMap<Spanned<Name>, IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyTable {
    source: Option<Spanned<PathBuf>>,
    component: Option<PathBuf>,
    #[serde(rename = "signed-by")]
    signed_by: Option<Spanned<Keys>>,
    #[serde(default)]
    limits: Limits,
    #[serde(default, rename = "config")]
    _config: Option<IgnoredAny>,
    #[serde(default, rename = "grant")]
    _grant: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SecretsTable {
    file: Option<PathBuf>,
    recipients: Option<Vec<String>>,
}

/// Reads all of it.
pub(super) fn parse(text: &str) -> Result<Parsed, Fault> {
    let document = DeTable::parse(text).map_err(|error| Fault::syntax(&error))?;
    let at = document.span();
    let table = document.get_ref();
    no_empty_table(table, &mut Vec::new())?;
    let read: Document = read(&Spanned::new(at, DeValue::Table(table.clone())))?;
    let registries = registries(read.registry)?;
    let policies = read.policy.into_keys().map(|name| {
        let item = item(table, &["policy", name.as_str()])?;
        Ok((name.clone(), policy(name, item, &registries)?))
    });
    let policies = policies.collect::<Result<BTreeMap<_, _>, Fault>>()?;
    let hosts = read.host.into_keys().map(|name| {
        let item = item(table, &["host", name.as_str()])?;
        Ok((name.clone(), host(name, item, &policies)?))
    });
    let hosts = hosts.collect::<Result<BTreeMap<Name, Host>, Fault>>()?;
    let tables = read.vpn.into_keys().map(|name| item(table, &["vpn", name.as_str()]).map(|item| (name.clone(), item)));
    let tables: Vec<_> = tables.collect::<Result<_, Fault>>()?;
    let meshes = mesh::meshes(tables.into_iter(), &hosts.keys().collect::<Vec<_>>())?;
    let providers = read.provider.into_keys().map(|name| {
        let table = config(Some(item(table, &["provider", name.as_str()])?), &format!("provider.{name}"))?;
        Ok((name, table))
    });
    let providers = providers.collect::<Result<_, Fault>>()?;
    let engines = read.app.into_iter().map(|(name, table)| (name, table.engine)).collect();
    let secrets = read.secrets.map(SecretsTable::into_file).unwrap_or_default();
    let jobs = read.job.into_keys().map(|name| {
        let item = item(table, &["job", name.as_str()])?;
        Ok((name.clone(), scheduled::job(name, item, &policies)?))
    });
    let jobs = jobs.collect::<Result<_, Fault>>()?;
    let backups = read.backup.into_keys().map(|name| {
        let item = item(table, &["backup", name.as_str()])?;
        Ok((name, backup::backup(item, &hosts)?))
    });
    let backups = backups.collect::<Result<_, Fault>>()?;
    let (serve, follow, queue, keep) = (read.serve, read.follow, read.queue, read.retention);
    Ok(Parsed {
        hosts,
        policies,
        secrets,
        meshes,
        engines,
        providers,
        serve,
        follow,
        keep,
        queue,
        jobs,
        backups,
        registries,
    })
}

fn policy(name: Name, item: &Item<'_>, registries: &BTreeMap<String, RegistryTable>) -> Result<Policy, Fault> {
    entries(item, &format!("policy.{name}"))?;
    let read: PolicyTable = read(item)?;
    let origin = match (read.source, read.component) {
        (Some(source), None) => origin(source)?,
        (None, Some(component)) => Origin::Component(component),
        (source, _) => {
            let problem = Problem::Origin { name: name.to_string(), both: source.is_some() };
            return Err(Fault::new(item.span(), problem));
        }
    };
    let signed_by = signed_by(read.signed_by, &origin, registries)?;
    let grant = item.get_ref().get("grant");
    let grants = grant.map(|grant| grants(&name, grant)).transpose()?.unwrap_or_default();
    let secrets = grant.map(secrets).transpose()?.unwrap_or_default();
    let config = config(item.get_ref().get("config"), &format!("policy.{name}.config"))?;
    Ok(Policy { name, origin, grants, limits: read.limits, config, secrets, signed_by })
}

/// A folder, or a reference to a registry.
fn origin(source: Spanned<PathBuf>) -> Result<Origin, Fault> {
    let at = source.span();
    match source.get_ref().to_str() {
        Some(text) if text.starts_with(SCHEME) => {
            let reference = text.parse().map_err(|error: NotAReference| Problem::Value(error.to_string()));
            Ok(Origin::Registry(reference.map_err(|problem| Fault::new(at, problem))?))
        }
        _ => Ok(Origin::Source(source.into_inner())),
    }
}

/// The keys of the policy, else those of the registry that it comes from.
fn signed_by(
    own: Option<Spanned<Keys>>,
    origin: &Origin,
    registries: &BTreeMap<String, RegistryTable>,
) -> Result<Vec<PublicKey>, Fault> {
    match (own, origin) {
        (Some(own), Origin::Registry(_)) => Ok(own.into_inner().0),
        (Some(own), _) => {
            let words = "only what comes from a registry is signed: `source` is no oci://…".to_owned();
            Err(Fault::new(own.span(), Problem::Value(words)))
        }
        (None, Origin::Registry(reference)) => {
            let keys = registries.get(reference.host()).and_then(|table| table.signed_by.as_ref());
            Ok(keys.map(|keys| keys.0.clone()).unwrap_or_default())
        }
        (None, _) => Ok(Vec::new()),
    }
}

fn registries(read: BTreeMap<Spanned<String>, RegistryTable>) -> Result<BTreeMap<String, RegistryTable>, Fault> {
    let table = |(host, table): (Spanned<String>, RegistryTable)| {
        // A name that no reference could have would never be found.
        match format!("{}/x:x", host.get_ref()).parse::<Reference>() {
            Ok(reference) if reference.host() == host.get_ref() => Ok((host.into_inner(), table)),
            _ => {
                let words =
                    format!("{:?} is not the HOST of a registry, as in oci://HOST/REPOSITORY:TAG", host.get_ref());
                Err(Fault::new(host.span(), Problem::Value(words)))
            }
        }
    };
    read.into_iter().map(table).collect()
}

fn grants(policy: &Name, item: &Item<'_>) -> Result<Grants, Fault> {
    let mut grants = Grants::default();
    for (key, scope) in entries(item, &format!("policy.{policy}.grant"))? {
        let name = key.get_ref();
        entries(scope, &format!("policy.{policy}.grant.{name}"))?;
        let table = ValueDeserializer::from(scope.clone());
        match (capability::by_name(name), job::grant::by_name(name)) {
            (Some(capability), _) => grants.add(capability.name(), capability.scope(table)?),
            (None, Some(grant)) => grants.add(grant.name(), grant.scope(table)?),
            (None, None) => {
                let problem = Problem::UnknownCapability { name: name.to_string(), known: known() };
                return Err(Fault::new(key.span(), problem));
            }
        }
    }
    Ok(grants)
}

/// Everything that can be granted.
fn known() -> Vec<&'static str> {
    let of_jobs = job::grant::ALL.iter().map(|grant| grant.name());
    capability::ALL.iter().map(|capability| capability.name()).chain(of_jobs).collect()
}

/// The key `secrets` of every grant table.
fn secrets(grant: &Item<'_>) -> Result<Vec<Patterns>, Fault> {
    let tables = grant.get_ref().as_table().into_iter().flat_map(|table| table.values());
    tables.filter_map(|table| table.get_ref().get("secrets")).map(read).collect()
}

fn host(name: Name, item: &Item<'_>, policies: &BTreeMap<Name, Policy>) -> Result<Host, Fault> {
    entries(item, &format!("host.{name}"))?;
    let read: HostTable = read(item)?;
    let listed = listed(&read.policies, policies)?;
    let config = read.config.into_keys().map(|key| {
        let policy = key.get_ref();
        if !listed.contains(policy) {
            let known = listed.iter().map(ToString::to_string).collect();
            return Err(Fault::new(key.span(), Problem::NotOfThisHost { name: policy.to_string(), known }));
        }
        let item = item.get_ref().get("config").and_then(|config| config.get_ref().get(policy.as_str()));
        Ok((policy.clone(), self::config(item, &format!("host.{name}.config.{policy}"))?))
    });
    let config = config.collect::<Result<_, Fault>>()?;
    let keep_images = read.keep_images.map(NonZeroU32::get);
    Ok(Host { name, address: read.address, keep_images, policies: listed, config })
}

/// The policies of a host: at least one, each known and named once.
fn listed(said: &Spanned<Vec<Spanned<Name>>>, known: &BTreeMap<Name, Policy>) -> Result<Vec<Name>, Fault> {
    let mut listed: Vec<Name> = Vec::new();
    for policy in said.get_ref() {
        let name = policy.get_ref().to_string();
        if !known.contains_key(policy.get_ref()) {
            let known = known.keys().map(ToString::to_string).collect();
            return Err(Fault::new(policy.span(), Problem::UnknownPolicy { name, known }));
        }
        if listed.contains(policy.get_ref()) {
            return Err(Fault::new(policy.span(), Problem::Twice { name }));
        }
        listed.push(policy.get_ref().clone());
    }
    if listed.is_empty() {
        return Err(Fault::new(said.span(), Problem::NoPolicies));
    }
    Ok(listed)
}

pub(super) fn config(item: Option<&Item<'_>>, table: &str) -> Result<Map<String, Value>, Fault> {
    let Some(item) = item else { return Ok(Map::new()) };
    json::object(entries(item, table)?)
}

impl SecretsTable {
    fn into_file(self) -> SecretsFile {
        let default = SecretsFile::default();
        SecretsFile { file: self.file.unwrap_or(default.file), recipients: self.recipients.unwrap_or_default() }
    }
}

/// What an item says, by serde.
pub(super) fn read<T: DeserializeOwned>(item: &Item<'_>) -> Result<T, Fault> {
    Ok(T::deserialize(ValueDeserializer::from(item.clone()))?)
}

fn item<'a, 'i>(table: &'a DeTable<'i>, path: &[&str; 2]) -> Result<&'a Item<'i>, Fault> {
    let found = table.get(path[0]).and_then(|item| item.get_ref().get(path[1]));
    found.ok_or_else(|| Fault::new(0..0, Problem::NotATable(path.join("."))))
}

pub(super) fn entries<'a, 'i>(item: &'a Item<'i>, table: &str) -> Result<&'a DeTable<'i>, Fault> {
    item.get_ref().as_table().ok_or_else(|| Fault::new(item.span(), Problem::NotATable(table.to_owned())))
}

/// Refuses the first table that says nothing; what a policy's own config holds is the policy's affair.
fn no_empty_table<'i>(table: &DeTable<'i>, path: &mut Vec<String>) -> Result<(), Fault> {
    for (key, item) in table {
        let Some(inner) = item.get_ref().as_table() else { continue };
        path.push(key.get_ref().to_string());
        if inner.is_empty() {
            return Err(Fault::new(item.span(), Problem::EmptyTable { table: path.join(".") }));
        }
        let parts: Vec<&str> = path.iter().map(String::as_str).collect();
        if !matches!(parts[..], ["policy", _, "config"] | ["host", _, "config", _] | ["job", _, "input"]) {
            no_empty_table(inner, path)?;
        }
        path.pop();
    }
    Ok(())
}
