//! The operator's git repo: `stead.toml`, and what it names.
//!
//! It only reads. Every key that it does not know, every empty table and every name that leads nowhere is an error
//! with its place: what is written in `stead.toml` is never ignored.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::capability::backup::Backups;
use crate::capability::compose::Engines;
use crate::capability::vpn;
use crate::grant::{Grants, Patterns};
use crate::job::Keep;
use crate::policy::Limits;
use crate::registry::{PublicKey, Reference};

mod address;
mod backup;
mod bundle;
mod component;
mod error;
mod follow;
mod json;
mod mesh;
mod name;
mod parse;
mod pins;
mod pulled;
mod queue;
mod registries;
mod scheduled;
mod secrets;
mod serve;
mod suggest;
mod target;

pub use address::{Address, NotAnAddress};
pub use backup::BackupTable;
pub use bundle::{AppsError, Bundle, BundleError, Bytes, CommitError, Unpacked};
pub use component::ComponentError;
pub use error::{Invalid, Place, Problem, RepoError};
pub use follow::{Branch, Follow, NotToFollow, Remote, SignedBy, Unasked};
pub use mesh::{Client, Directory, Member, Members, Mesh, MeshError, VPN_FILE};
pub use name::{Name, NotAName};
pub use pins::{Pin, Pins};
pub use pulled::PulledError;
pub use queue::QueueServer;
pub use registries::{Keys, RegistryTable};
pub use scheduled::ScheduledJob;
pub use secrets::{AskPassphrase, Identity, Secrets, SecretsError};
pub use serve::{Access, CALLBACK, Listen, Proof, Scope, Serve, Sso, Token};
pub use suggest::nearest;
pub use target::{Location, Target, TargetError};

/// The file that makes a folder a repo.
pub const FILE: &str = "stead.toml";
/// Where `stead build` puts the compiled policies, relative to the repo.
pub const BUILD: &str = ".stead/build";
/// Where `stead policy pull` puts what it has pulled, relative to the repo.
pub const PULLED: &str = ".stead/pulled";
/// What references to registries are pinned to.
pub const PINS_FILE: &str = "stead.lock";

/// The operator's repo.
#[derive(Clone, Debug)]
pub struct Repo {
    folder: PathBuf,
    text: String,
    hosts: BTreeMap<Name, Host>,
    policies: BTreeMap<Name, Policy>,
    secrets: SecretsFile,
    meshes: BTreeMap<vpn::Name, Mesh>,
    /// `[provider.NAME]`.
    providers: BTreeMap<Name, Map<String, Value>>,
    engines: Engines,
    serve: Option<Serve>,
    follow: Option<Follow>,
    /// `[retention]`.
    keep: Keep,
    queue: Option<QueueServer>,
    jobs: BTreeMap<Name, ScheduledJob>,
    backups: BTreeMap<Name, BackupTable>,
    registries: BTreeMap<String, RegistryTable>,
    directory: Directory,
    pins: Pins,
}

/// `[host.NAME]`.
#[derive(Clone, Debug)]
pub struct Host {
    pub name: Name,
    /// Where it is; without one, it is whatever machine the command line names.
    pub address: Option<Address>,
    /// In the order in which they run. Not empty, no duplicates.
    pub policies: Vec<Name>,
    /// How many revisions keep their images when `stead app clean` removes others.
    pub keep_images: Option<u32>,
    /// `[host.NAME.config.POLICY]`.
    config: BTreeMap<Name, Map<String, Value>>,
}

/// `[policy.NAME]`, with the config of one host once it is asked for by [`Repo::policies_of`].
#[derive(Clone, Debug)]
pub struct Policy {
    pub name: Name,
    pub origin: Origin,
    pub grants: Grants,
    pub limits: Limits,
    /// What the WIT interface `config` gives to the policy.
    pub config: Map<String, Value>,
    /// The names of secrets that some grant of it covers: the key `secrets` of any grant table.
    pub secrets: Vec<Patterns>,
    /// One of these keys has signed its component; empty: signatures are not looked at.
    pub signed_by: Vec<PublicKey>,
}

/// Where the component of a policy comes from; relative to the repo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A folder that `stead build` compiles.
    Source(PathBuf),
    /// A file that is there already.
    Component(PathBuf),
    /// What `stead policy pull` takes from a registry.
    Registry(Reference),
}

/// `[secrets]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretsFile {
    /// Relative to the repo.
    pub file: PathBuf,
    /// In the form of age(1): `age1…`, `ssh-ed25519 …`; empty: the operator's own identity.
    pub recipients: Vec<String>,
}

impl Repo {
    /// Opens the repo that `start` lies in: the nearest folder, upwards, with a `stead.toml`.
    ///
    /// # Errors
    /// When there is none, or it cannot be read or is wrong.
    pub fn open(start: &Path) -> Result<Self, RepoError> {
        let start = std::path::absolute(start).map_err(|source| RepoError::Read { path: start.to_owned(), source })?;
        let found = start.ancestors().find(|folder| folder.join(FILE).exists());
        let folder = found.ok_or_else(|| RepoError::NotFound { start: start.clone() })?;
        let path = folder.join(FILE);
        let text = std::fs::read_to_string(&path).map_err(|source| RepoError::Read { path, source })?;
        let written = |name: &str| {
            let path = folder.join(name);
            match std::fs::read_to_string(&path) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
                read => read.map_err(|source| RepoError::Read { path, source }),
            }
        };
        let mut repo = Self::parse(folder, text)?.with_directory(&written(VPN_FILE)?)?;
        repo.pins = Pins::parse(&written(PINS_FILE)?)?;
        Ok(repo)
    }

    /// Reads the text of a `stead.toml`; `folder` is what its paths are relative to.
    ///
    /// # Errors
    /// When the text is wrong; the error has the place.
    pub fn parse(folder: &Path, text: String) -> Result<Self, RepoError> {
        let parsed = match parse::parse(&text) {
            Ok(parsed) => parsed,
            Err(fault) => return Err(fault.place(FILE, text)),
        };
        let parse::Parsed {
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
        } = parsed;
        let directory = Directory::parse("", &meshes)?;
        if queue.as_ref().is_some_and(QueueServer::shows_password) {
            return Err(RepoError::Password);
        }
        Ok(Self {
            folder: folder.to_owned(),
            text,
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
            directory,
            pins: Pins::default(),
        })
    }

    /// The same with what the text of a `vpn.toml` says.
    ///
    /// # Errors
    /// When the text is wrong; the error has the place.
    pub fn with_directory(mut self, text: &str) -> Result<Self, RepoError> {
        self.directory = Directory::parse(text, &self.meshes)?;
        Ok(self)
    }

    /// The folder that holds `stead.toml`.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The text of `stead.toml`.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// All hosts, by name.
    pub fn hosts(&self) -> impl Iterator<Item = &Host> {
        self.hosts.values()
    }

    /// All policies, by name, with their own config.
    pub fn policies(&self) -> impl Iterator<Item = &Policy> {
        self.policies.values()
    }

    /// The host of this name.
    pub fn host(&self, name: &str) -> Option<&Host> {
        self.hosts.get(name)
    }

    /// The policies of a host, in their order, each with the host's config merged over its own, table by table.
    pub fn policies_of(&self, host: &Host) -> Vec<Policy> {
        let configured = |name: &Name| {
            let mut policy = self.policies.get(name.as_str())?.clone();
            if let Some(config) = host.config.get(name) {
                json::merge(&mut policy.config, config.clone());
            }
            Some(policy)
        };
        host.policies.iter().filter_map(configured).collect()
    }

    /// All meshes, by name.
    pub fn meshes(&self) -> impl Iterator<Item = &Mesh> {
        self.meshes.values()
    }

    /// The mesh of this name, or the only one.
    ///
    /// # Errors
    /// When there is none, or no name and several.
    pub fn mesh(&self, name: Option<&str>) -> Result<&Mesh, MeshError> {
        let known = || self.meshes.keys().map(ToString::to_string).collect();
        let mut all = self.meshes.values();
        match (name, all.next(), all.next()) {
            (Some(name), ..) => {
                let unknown = || MeshError::Unknown { name: name.to_owned(), known: known() };
                self.meshes.values().find(|mesh| mesh.name.as_str() == name).ok_or_else(unknown)
            }
            (None, Some(only), None) => Ok(only),
            (None, None, _) => Err(MeshError::None),
            (None, ..) => Err(MeshError::Several { known: known() }),
        }
    }

    /// The settings of the providers of machines, by name.
    pub fn providers(&self) -> impl Iterator<Item = (&Name, &Map<String, Value>)> {
        self.providers.iter()
    }

    /// `[serve]`.
    pub fn serve(&self) -> Option<&Serve> {
        self.serve.as_ref()
    }

    /// `[follow]`.
    pub fn follow(&self) -> Option<&Follow> {
        self.follow.as_ref()
    }

    /// Which jobs are kept after their end.
    pub fn keep(&self) -> Keep {
        self.keep
    }

    /// `queue`: the database that several servers share; none: a file in the state folder.
    pub fn queue(&self) -> Option<&QueueServer> {
        self.queue.as_ref()
    }

    /// `[job.NAME]`, by name.
    pub fn jobs(&self) -> impl Iterator<Item = &ScheduledJob> {
        self.jobs.values()
    }

    /// Each mesh as it is on a host; `None`: the host is not of it.
    pub fn meshes_on(&self, host: &Host) -> vpn::Meshes {
        self.meshes.iter().map(|(name, mesh)| (name.clone(), mesh.on(&host.name, &self.directory))).collect()
    }

    /// `[backup.NAME]`, by name.
    pub fn backups(&self) -> impl Iterator<Item = (&Name, &BackupTable)> {
        self.backups.iter()
    }

    /// The backups of a host.
    pub fn backups_on(&self, host: &Host) -> Backups {
        backup::on(&self.backups, &host.name)
    }

    /// `[app.NAME]`: the engine of each compose app that has one of its own.
    pub fn engines(&self) -> &Engines {
        &self.engines
    }

    /// What `vpn.toml` says, with all that it lacks.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// `stead.lock`.
    pub fn pins(&self) -> &Pins {
        &self.pins
    }

    /// `[registry."HOST"]`.
    pub fn registry(&self, host: &str) -> Option<&RegistryTable> {
        self.registries.get(host)
    }

    /// `[secrets]`.
    pub fn secrets(&self) -> &SecretsFile {
        &self.secrets
    }

    /// The folder of the compose projects, which need not be there.
    pub fn apps(&self) -> PathBuf {
        self.folder.join("apps")
    }
}

impl Policy {
    /// Whether a grant of it covers the secret of this name.
    pub fn may_use_secret(&self, name: &str) -> bool {
        self.secrets.iter().any(|patterns| patterns.matches(name))
    }
}

impl Default for SecretsFile {
    fn default() -> Self {
        Self { file: PathBuf::from("secrets.age"), recipients: Vec::new() }
    }
}

#[cfg(test)]
mod tests;
