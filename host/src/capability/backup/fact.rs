//! What is found of backups, and the one change.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Spec;
use crate::machine::inode::{Inode, Pathname};
use crate::repo::Name;

/// What is found, by backup.
pub type Fact = BTreeMap<Name, Found>;

/// A backup as it is set up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Found {
    /// Its definition, its secrets and its units.
    pub files: BTreeMap<Pathname, Inode>,
    /// What they are to be; empty when it is not declared.
    pub wanted: BTreeMap<Pathname, Inode>,
    /// Whether its timer is started at boot.
    pub enabled: bool,
    /// Whether its timer waits now; `None` where no systemd runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits: Option<bool>,
    /// The definition that is in place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spec: Option<Spec>,
    /// What systemd says against its time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wrong_time: Option<String>,
}

/// Sets a backup up: all of its files are these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Set {
    pub name: Name,
    pub files: BTreeMap<Pathname, Inode>,
    /// Whether its timer waits, now and after a boot.
    pub on: bool,
    /// What the contents are made of; absent: they were kept when an earlier change replaced them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spec: Option<Box<Spec>>,
}
