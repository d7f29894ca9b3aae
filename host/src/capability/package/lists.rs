//! How old apt's lists are. A fresh server has none, and an image has old ones.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use crate::machine::Machine;

const FOLDER: &str = "/var/lib/apt/lists";
/// Debian and Ubuntu publish security updates daily.
const OLD: Duration = Duration::from_secs(24 * 60 * 60);
/// What apt keeps there besides lists.
const OTHER: &[&str] = &["lock", "partial", "auxfiles"];

/// The folder of lists. Its time of change is that of the last update of all of them.
#[derive(Debug)]
pub(super) struct Lists(PathBuf);

impl Lists {
    pub(super) fn of(machine: &Machine) -> Self {
        Self(machine.path(FOLDER))
    }

    /// Whether an installation has to begin with an update.
    pub(super) fn are_stale(&self) -> bool {
        self.age().elapsed().is_ok_and(|age| age > OLD)
    }

    /// When all lists were updated last; the epoch when there is none.
    pub(super) fn age(&self) -> SystemTime {
        if self.is_empty() {
            return SystemTime::UNIX_EPOCH;
        }
        let modified = std::fs::metadata(&self.0).and_then(|metadata| metadata.modified());
        modified.unwrap_or(SystemTime::UNIX_EPOCH)
    }

    /// Keeps the lists as old as they were before one repository was added to them.
    pub(super) fn set_age(&self, age: SystemTime) {
        // A wrong age costs an update too many or, as when apt fails for want of lists, one that comes later.
        let _ = std::fs::File::open(&self.0).and_then(|folder| folder.set_modified(age));
    }

    /// Says that all lists are new, also when none had changed.
    pub(super) fn set_fresh(&self) {
        self.set_age(SystemTime::now());
    }

    fn is_empty(&self) -> bool {
        let Ok(entries) = std::fs::read_dir(&self.0) else { return true };
        !entries.flatten().any(|entry| !OTHER.iter().any(|other| entry.file_name() == *other))
    }
}
