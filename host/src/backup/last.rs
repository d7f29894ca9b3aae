//! How each backup went last: what `stead status` says of it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Backup, BackupError};
use crate::capability::backup;
use crate::machine::{Machine, replace};

/// How a backup went last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Last {
    /// When it was last made, in milliseconds since 1970; `None`: never.
    pub made: Option<i64>,
    /// When it failed since, and how.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<(i64, String)>,
}

/// A backup, and how it went last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    pub name: String,
    #[serde(flatten)]
    pub last: Last,
}

/// Those of all backups that are set up on a machine.
pub fn states(machine: &Machine) -> Vec<State> {
    let names = backup::names(machine).unwrap_or_default();
    names.into_iter().map(|name| State { last: read(machine, name.as_str()), name: name.to_string() }).collect()
}

fn path(machine: &Machine, name: &str) -> PathBuf {
    machine.state().join("backup").join(format!("{name}.last"))
}

fn read(machine: &Machine, name: &str) -> Last {
    let text = std::fs::read(path(machine, name)).ok();
    text.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
}

impl Backup<'_> {
    /// Notes how it went.
    pub(super) fn note(&self, outcome: Result<(), &BackupError>) -> Result<(), BackupError> {
        let now = jiff::Timestamp::now().as_millisecond();
        let last = match outcome {
            Ok(()) => Last { made: Some(now), failed: None },
            Err(error) => Last { failed: Some((now, error.to_string())), ..read(self.machine, self.name()) },
        };
        let text = serde_json::to_vec(&last).unwrap_or_default();
        let path = path(self.machine, self.name());
        replace(&path, &text, 0o600).map_err(BackupError::files("note how the backup went"))
    }
}
