//! What was found of units and of their files.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{State, UnitName};
use crate::digest::Digest;
use crate::machine::inode::{Inode, Pathname};

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Fact {
    /// Whether a manager runs.
    pub live: bool,
    pub units: BTreeMap<UnitName, FoundUnit>,
    pub files: BTreeMap<Pathname, FoundFile>,
}

/// A unit as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct FoundUnit {
    /// Its first name; `None`: there is no such unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// `UnitFileState` of org.freedesktop.systemd1(5): `enabled`, `static`, `masked`, …; empty when it has no file.
    pub file_state: String,
    /// Whether it starts at boot, or would if it were not masked.
    pub enabled: bool,
    /// `None` where no systemd runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active: Option<Active>,
    /// Whether systemd has not read its files since they changed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub needs_reload: bool,
}

/// Whether a unit runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Active {
    Running,
    Stopped,
    /// Starting, stopping, or about to be restarted after a failure.
    Between,
}

/// A unit file or drop-in as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FoundFile {
    pub inode: Inode,
    /// The digest of the declared content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wanted: Option<Digest>,
    /// The content, when it differs from what is to be and may be shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The content that a prune brings back, under the same conditions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restored: Option<String>,
}

impl FoundUnit {
    /// Whether it is masked, now or for good.
    pub fn is_masked(&self) -> bool {
        self.file_state.starts_with("masked")
    }

    /// What is so of what `said` speaks of.
    pub fn state(&self, said: &State) -> State {
        State {
            masked: said.masked.map(|_| self.is_masked()),
            enabled: said.enabled.map(|_| self.enabled),
            running: said.running.map(|_| self.active.is_some_and(|active| active != Active::Stopped)),
        }
    }

    /// What of `said` is not so.
    pub fn unlike(&self, said: &State) -> State {
        let met = |running: &bool| match self.active {
            // In a tree of files nothing runs, and nothing is to be done about it.
            None => true,
            Some(active) => active == if *running { Active::Running } else { Active::Stopped },
        };
        State {
            masked: said.masked.filter(|masked| *masked != self.is_masked()),
            enabled: said.enabled.filter(|enabled| *enabled != self.enabled),
            running: said.running.filter(|running| !met(running)),
        }
    }
}
