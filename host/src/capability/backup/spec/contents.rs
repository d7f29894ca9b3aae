//! What is backed up.

use serde::{Deserialize, Serialize};

use super::NotABackup;
use crate::capability::compose::Project;
use crate::machine::inode::Pathname;

/// Volumes and databases of apps, and paths of the host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    #[serde(default, rename = "volume", skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<Volume>,
    #[serde(default, rename = "database", skip_serializing_if = "Vec::is_empty")]
    pub databases: Vec<Database>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<Pathname>,
}

/// `[[backup.NAME.volume]]`: a volume of a compose app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "VolumeTable")]
pub struct Volume {
    pub app: Project,
    /// As the app's compose file calls it.
    pub name: String,
    /// Whether the containers that use it are stopped meanwhile.
    pub stop: bool,
}

/// `[[backup.NAME.database]]`: what a command in a container writes, and another one reads back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "DatabaseTable")]
pub struct Database {
    pub app: Project,
    pub service: String,
    /// Writes all of it to standard output.
    pub dump: Vec<String>,
    /// Reads it from standard input, and makes it so.
    pub restore: Vec<String>,
    /// Apps that are stopped while it is restored: those that use it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stop: Vec<Project>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VolumeTable {
    app: Project,
    name: String,
    #[serde(default)]
    stop: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DatabaseTable {
    app: Project,
    service: String,
    #[serde(rename = "type")]
    kind: Option<Kind>,
    dump: Option<Vec<String>>,
    restore: Option<Vec<String>>,
    #[serde(default)]
    stop: Vec<Project>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Postgresql,
}

/// All databases and roles of a server; see pg_dumpall(1).
const POSTGRESQL_DUMP: [&str; 4] = ["pg_dumpall", "--clean", "--if-exists", "--username=postgres"];
/// Of what pg_dumpall(1) says before the first database, two lines can never work: the role that is at work is neither
/// dropped nor made. Without them every error counts. Whoever is connected to a database is cut off when it is dropped.
const POSTGRESQL_RESTORE: &str = r"sed -e '1,/^\\connect /{' \
    -e '/^DROP ROLE IF EXISTS postgres;$/d' -e '/^CREATE ROLE postgres;$/d' \
    -e '/^DROP DATABASE IF EXISTS /s/;$/ WITH (FORCE);/' -e '}' |
exec psql --username=postgres --dbname=postgres --quiet --no-psqlrc --output=/dev/null --set=ON_ERROR_STOP=1";

impl Kind {
    fn commands(self) -> (Vec<String>, Vec<String>) {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        match self {
            Self::Postgresql => (words(&POSTGRESQL_DUMP), words(&["sh", "-c", POSTGRESQL_RESTORE])),
        }
    }
}

impl TryFrom<VolumeTable> for Volume {
    type Error = NotABackup;

    fn try_from(VolumeTable { app, name, stop }: VolumeTable) -> Result<Self, NotABackup> {
        Ok(Self { app, name: key(name)?, stop })
    }
}

impl TryFrom<DatabaseTable> for Database {
    type Error = NotABackup;

    fn try_from(table: DatabaseTable) -> Result<Self, NotABackup> {
        let DatabaseTable { app, service, kind, dump, restore, stop } = table;
        let known = kind.map(Kind::commands);
        let (known_dump, known_restore) = known.unzip();
        let (dump, restore) = dump.or(known_dump).zip(restore.or(known_restore)).ok_or(NotABackup::NoCommands)?;
        if dump.is_empty() || restore.is_empty() {
            return Err(NotABackup::EmptyCommand);
        }
        Ok(Self { app, service: key(service)?, dump, restore, stop })
    }
}

/// What Compose allows as a key; here it is a part of a label and of a file's name, too.
fn key(name: String) -> Result<String, NotABackup> {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let is_key = !name.is_empty() && name.len() <= 63 && name.chars().all(good) && !name.starts_with('.');
    if is_key { Ok(name) } else { Err(NotABackup::Key(name)) }
}

impl Volume {
    /// What it is called: `files/data`.
    pub fn label(&self) -> String {
        format!("{}/{}", self.app, self.name)
    }
}

impl Database {
    /// What it is called: `postgres/postgres`.
    pub fn label(&self) -> String {
        format!("{}/{}", self.app, self.service)
    }

    /// The file that restic keeps the dump as.
    pub fn file(&self) -> String {
        format!("{}.{}.dump", self.app, self.service)
    }
}
