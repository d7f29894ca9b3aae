//! The changes: a user or a group becomes what it is to be.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Entry, Group, Membership, Name, Placed};
use crate::machine::inode::{Inode, Pathname};

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    User(Box<Set>),
    /// `None`: the group is not there.
    Group {
        name: Name,
        to: Option<Group>,
    },
}

/// Makes a user what it is to be. What it does not speak of stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Set {
    pub name: Name,
    /// `None`: the user is not there. Its home directory stays in any case.
    pub to: Option<Entry>,
    /// Whether the user comes back with the password that it had when stead removed it. Otherwise a new one has none.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub restored: bool,
    /// The id of the group of the same name, when that group stays without its user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<u32>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub groups: BTreeMap<String, Membership>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<Place>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sudo: Option<Place>,
}

/// Makes a file and the directory that it is in what they are to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    pub path: Pathname,
    pub directory: Inode,
    pub file: Inode,
    /// When absent, the content is one that was kept when an earlier change replaced it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
}

impl Place {
    /// Back to what was found; `None` where nothing could be found.
    pub fn back(is: &Placed) -> Option<Self> {
        let path = is.path.clone().filter(|_| is.foreign.is_none())?;
        Some(Self { path, directory: is.directory.clone(), file: is.file.clone(), content: None })
    }

    /// Whether it is so already.
    pub fn is(&self, is: &Placed) -> bool {
        is.path.as_ref() == Some(&self.path) && is.directory == self.directory && is.file == self.file
    }
}
