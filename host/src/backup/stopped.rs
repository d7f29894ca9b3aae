//! Containers that are stopped for a while: they run again whatever happens.
//!
//! Which they are is on disk before the first one stops, so that a process that dies in between leaves nobody without them:
//! the next one starts them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::BackupError;
use crate::capability::compose::{Apps, Users};
use crate::machine::{Machine, remove, replace};

/// How long those that a dead process left may take.
const UP: Duration = Duration::from_secs(180);

/// Containers that are stopped.
#[derive(Debug)]
pub(super) struct Stopped<'a> {
    machine: &'a Machine,
    users: Users,
}

impl<'a> Stopped<'a> {
    /// Stops them.
    pub(super) async fn stop(machine: &'a Machine, users: Users) -> Result<Self, BackupError> {
        let stopped = Self { machine, users };
        if stopped.users.is_empty() {
            return Ok(stopped);
        }
        let text = serde_json::to_vec(&stopped.users).unwrap_or_default();
        replace(&record(machine), &text, 0o600).map_err(BackupError::files("note which containers are stopped"))?;
        if let Err(error) = Apps::open(machine).await?.stop(&stopped.users).await {
            stopped.start(UP).await?;
            return Err(error.into());
        }
        Ok(stopped)
    }

    /// Starts them again, and waits until they are up.
    pub(super) async fn start(&self, limit: Duration) -> Result<(), BackupError> {
        if self.users.is_empty() {
            return Ok(());
        }
        Apps::open(self.machine).await?.start(&self.users, limit).await?;
        forget(&record(self.machine))
    }

    /// Stops them once more.
    pub(super) async fn again(&self) -> Result<(), BackupError> {
        Ok(Apps::open(self.machine).await?.stop(&self.users).await?)
    }
}

/// Starts what a process that has died left stopped; whether there was something.
///
/// # Errors
/// When it does not come up.
pub async fn mend(machine: &Machine) -> Result<bool, BackupError> {
    let path = record(machine);
    let text = match std::fs::read(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        read => read.map_err(BackupError::files("read which containers are stopped"))?,
    };
    let Ok(users) = serde_json::from_slice::<Users>(&text) else { return forget(&path).map(|()| false) };
    Apps::open(machine).await?.start(&users, UP).await?;
    forget(&path)?;
    Ok(true)
}

fn record(machine: &Machine) -> PathBuf {
    machine.state().join("backup/stopped")
}

fn forget(path: &Path) -> Result<(), BackupError> {
    remove(path).map_err(BackupError::files("note that no container is stopped"))
}
