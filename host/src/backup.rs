//! Makes backups with restic(1), and brings back what is in them.
//!
//! It works on what the capability `backup` has set up on this machine, in these steps: hold the lock, so that never two are
//! at work (`hold`); run restic with the repository's environment (`restic`); make a snapshot of each volume, database and
//! path (`make`), a dump only when it is known to be whole (`stream`); and restore one (`plan`, `restore`) into a fresh
//! folder that then takes the place of the old one (`swap`), while the containers that use it are stopped (`stopped`).
//!
//! It never shows a secret, never puts one into an argument, and never takes half a dump for a whole one. What it replaces
//! is gone only after what came back is up.

mod error;
mod hold;
mod last;
mod make;
mod part;
mod plan;
mod restic;
mod restore;
mod snapshot;
mod stopped;
mod stream;
mod swap;

pub use error::BackupError;
pub use hold::Hold;
pub use last::{Last, State, states};
pub use part::Part;
pub use plan::{Restoration, Wish, plan};
pub use restore::{Bringing, restore};
pub use snapshot::Snapshot;
pub use stopped::mend;

use crate::capability::backup::{self, Spec};
use crate::machine::Machine;

use restic::Restic;

/// A backup that is set up on this machine.
#[derive(Debug)]
pub struct Backup<'a> {
    machine: &'a Machine,
    spec: Spec,
    restic: Restic,
}

impl<'a> Backup<'a> {
    /// Those that are set up on this machine: all, or the one of this name.
    ///
    /// # Errors
    /// When there is none, or its files cannot be read.
    pub fn all(machine: &'a Machine, name: Option<&str>) -> Result<Vec<Self>, BackupError> {
        let unreadable = |source| BackupError::Files { doing: "read the backups of this host".to_owned(), source };
        let found = backup::definitions(machine).map_err(unreadable)?;
        let known: Vec<String> = found.iter().map(|(spec, _)| spec.name.to_string()).collect();
        let wanted = found.into_iter().filter(|(spec, _)| name.is_none_or(|name| spec.name.as_str() == name));
        let all: Vec<_> = wanted
            .map(|(spec, variables)| {
                let restic = Restic::new(machine, &spec, variables);
                Self { machine, spec, restic }
            })
            .collect();
        match (all.is_empty(), name) {
            (true, Some(name)) if !known.is_empty() => Err(BackupError::Unknown { name: name.to_owned(), known }),
            (true, _) => Err(BackupError::None),
            (false, _) => Ok(all),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.spec.name.as_str()
    }

    /// Where it goes, as restic has it.
    pub fn repository(&self) -> &str {
        self.spec.repository.as_str()
    }

    /// Makes its repository, which must not be there yet.
    ///
    /// # Errors
    /// When restic says so.
    pub async fn init(&self) -> Result<String, BackupError> {
        self.restic.run(["init"]).await?;
        Ok(format!("{}: made the repository {}", self.name(), self.spec.repository.as_str()))
    }

    /// Takes away what processes that have died have left locked in its repository.
    ///
    /// # Errors
    /// When the repository cannot be reached.
    pub async fn unlock(&self) -> Result<(), BackupError> {
        self.restic.unlock().await
    }

    /// Has restic look whether its repository is whole.
    ///
    /// # Errors
    /// When it is not.
    pub async fn check(&self, read_data: bool) -> Result<String, BackupError> {
        self.restic.unlock().await?;
        let options = read_data.then_some("--read-data");
        self.restic.run(["check"].into_iter().chain(options)).await?;
        Ok(format!("{}: the repository {} is whole", self.name(), self.spec.repository.as_str()))
    }

    /// Its snapshots, the oldest first, each with its size.
    ///
    /// # Errors
    /// When the repository cannot be read.
    pub async fn snapshots(&self) -> Result<Vec<Snapshot>, BackupError> {
        let mut snapshots = self.restic.snapshots(&self.spec).await?;
        for snapshot in &mut snapshots {
            if snapshot.size.is_none() {
                snapshot.size = self.restic.size(&snapshot.id).await?;
            }
        }
        Ok(snapshots)
    }
}
