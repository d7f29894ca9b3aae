//! One backup or restore at a time on a machine, whoever began it.

use std::time::Duration;

use super::BackupError;
use crate::lock::{Lock, LockError};
use crate::machine::{Machine, create_private_folder};

/// How often one that waits looks again.
const PAUSE: Duration = Duration::from_secs(1);

/// The right to work on backups, until it is dropped.
#[derive(Debug)]
pub struct Hold(#[expect(dead_code, reason = "the lock is held")] Lock);

impl Hold {
    /// Takes it, or says who has it.
    ///
    /// # Errors
    /// When somebody has it.
    pub fn take(machine: &Machine, operator: &str, what: &str) -> Result<Self, BackupError> {
        let folder = machine.state().join("backup");
        create_private_folder(&folder).map_err(BackupError::files("make the folder of the backups"))?;
        Ok(Self(Lock::take(&folder, operator, what)?))
    }

    /// Takes it as soon as nobody has it.
    ///
    /// # Errors
    /// When the lock cannot be used.
    pub async fn wait(machine: &Machine, operator: &str, what: &str) -> Result<Self, BackupError> {
        loop {
            match Self::take(machine, operator, what) {
                Err(BackupError::Lock(LockError::Held(_))) => tokio::time::sleep(PAUSE).await,
                taken => return taken,
            }
        }
    }

    /// Keeps applies from the apps of the machine, as soon as none is at work.
    ///
    /// # Errors
    /// When the lock cannot be used.
    pub(super) async fn apps(machine: &Machine, what: &str) -> Result<Self, BackupError> {
        loop {
            match Lock::take(machine.state(), "stead", what) {
                Err(LockError::Held(_)) => tokio::time::sleep(PAUSE).await,
                taken => return Ok(Self(taken?)),
            }
        }
    }
}
