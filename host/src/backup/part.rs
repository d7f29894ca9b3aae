//! One part of a backup: a volume, a database or a path.

use super::Backup;
use crate::capability::backup::{Database, Volume};
use crate::machine::inode::Pathname;

/// One part of a backup.
#[derive(Clone, Debug)]
pub enum Part {
    Volume(Volume),
    Database(Database),
    Path(Pathname),
}

impl Part {
    /// What it is called on the command line, and as a tag of restic: `files/data`.
    pub fn label(&self) -> String {
        match self {
            Self::Volume(volume) => volume.label(),
            Self::Database(database) => database.label(),
            Self::Path(path) => path.to_string(),
        }
    }

    /// Its kind, for people.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Volume(_) => "volume",
            Self::Database(_) => "database",
            Self::Path(_) => "path",
        }
    }
}

impl Backup<'_> {
    /// All of them: paths and volumes first, since a database may need what is in them.
    pub fn parts(&self) -> Vec<Part> {
        let contents = &self.spec.contents;
        let paths = contents.paths.iter().cloned().map(Part::Path);
        let volumes = contents.volumes.iter().cloned().map(Part::Volume);
        paths.chain(volumes).chain(contents.databases.iter().cloned().map(Part::Database)).collect()
    }
}
