//! What can be done: set a unit's state, set a file, and tell systemd that something has changed.

use serde::{Deserialize, Serialize};

use super::{OnChange, UnitName};
use crate::machine::inode::{Inode, Pathname};

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// The unit is in this state.
    Unit { unit: UnitName, to: State },
    /// What lies at the path is this.
    File {
        path: Pathname,
        to: Inode,
        /// A file's content; when absent, it is one that was kept when an earlier change replaced it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        content: Option<String>,
    },
    /// `systemctl daemon-reload`.
    DaemonReload {},
    /// `systemctl reenable`: the links are those that the unit file speaks of now.
    Reenable { unit: UnitName },
    /// Restarts or reloads the unit when it runs.
    Renew { unit: UnitName, by: OnChange },
}

/// What is to be so; `None`: whatever it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub masked: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<bool>,
}

impl State {
    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
