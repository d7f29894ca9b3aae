//! The words of a backup: restic's own for repositories, systemd's own for times.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::capability::compose::Project;
use crate::repo::Name;

mod contents;
mod words;

pub use contents::{Contents, Database, Volume};
pub use words::{Calendar, Keep, Repository, Variable};

/// Those of one host, by name.
pub type Backups = BTreeMap<Name, Spec>;

/// `[backup.NAME]` on one host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    pub name: Name,
    /// The host as `stead.toml` calls it, and restic too: a server that takes the place of a lost one has its name.
    pub host: Name,
    pub repository: Repository,
    /// The secret that is the repository's password.
    pub password: Name,
    /// The secret behind each variable of restic's environment.
    #[serde(default)]
    pub environment: BTreeMap<Variable, Name>,
    pub at: Calendar,
    #[serde(default)]
    pub keep: Keep,
    #[serde(flatten)]
    pub contents: Contents,
}

/// What is backed up cannot be meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotABackup {
    #[error(
        "{0:?} is no repository: an absolute path, or sftp:, rest:, s3:, b2:, azure:, gs:, swift: or rclone: as restic(1) has it"
    )]
    Repository(String),
    #[error("a password would be in the repo for everybody to read: name a secret in `environment`")]
    Password,
    #[error("{0:?} is no OnCalendar= of systemd.time(7), such as \"03:30\" or \"Sun 04:00\"")]
    Calendar(String),
    #[error("{0:?} is no name of a variable")]
    Variable(String),
    #[error("{0} is set by stead itself")]
    OwnVariable(String),
    #[error("`keep` says nothing: remove it, and everything is kept")]
    KeepNothing,
    #[error("a database has `type = \"postgresql\"`, or both `dump` and `restore`")]
    NoCommands,
    #[error("a command has at least one word")]
    EmptyCommand,
    #[error("{0:?} is no name of a volume or a service")]
    Key(String),
    #[error("{0} is named twice")]
    Twice(String),
    #[error("nothing is backed up: name a volume, a database or a path")]
    Nothing,
}

impl Spec {
    /// The names of all secrets that restic is given.
    pub fn secrets(&self) -> impl Iterator<Item = &Name> {
        std::iter::once(&self.password).chain(self.environment.values())
    }
}

impl Contents {
    /// The apps that it reads from, or stops.
    pub fn apps(&self) -> impl Iterator<Item = &Project> {
        let volumes = self.volumes.iter().map(|volume| &volume.app);
        volumes.chain(self.databases.iter().flat_map(|database| std::iter::once(&database.app).chain(&database.stop)))
    }

    /// What each part of it is called: `files/data`, `postgres/postgres`, `/etc`.
    pub fn labels(&self) -> Vec<String> {
        let volumes = self.volumes.iter().map(Volume::label);
        let databases = self.databases.iter().map(Database::label);
        volumes.chain(databases).chain(self.paths.iter().map(ToString::to_string)).collect()
    }

    /// Whether there is something, and each under a name of its own.
    ///
    /// # Errors
    /// When it is not so.
    pub fn check(&self) -> Result<(), NotABackup> {
        let mut seen = BTreeSet::new();
        let labels = self.labels();
        if labels.is_empty() {
            return Err(NotABackup::Nothing);
        }
        match labels.into_iter().find(|label| !seen.insert(label.clone())) {
            Some(twice) => Err(NotABackup::Twice(twice)),
            None => Ok(()),
        }
    }
}
