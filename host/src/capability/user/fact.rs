//! What is there: users, groups, the keys that let a user in, and what a user may do by sudo.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Name;
use crate::digest::Digest;
use crate::machine::inode::{Inode, Pathname};

/// What is there of all that is declared or owned.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Fact {
    pub users: BTreeMap<Name, Found>,
    /// Those that are declared or owned, that users are to be in, and that are called like a user.
    pub groups: BTreeMap<Name, Option<Group>>,
    /// Which user has an id that is declared.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub uids: BTreeMap<u32, String>,
    /// Which group has an id that is declared.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub gids: BTreeMap<u32, String>,
}

/// What was found of one user, who may not be there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Found {
    pub entry: Option<Entry>,
    /// Supplementary groups.
    pub groups: BTreeMap<String, Membership>,
    /// What lies where its home directory is or is to be.
    pub home: Inode,
    /// Another user whose home directory that is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub home_of: Option<String>,
    /// `authorized_keys` in `~/.ssh`.
    pub keys: Placed,
    /// stead's own file for it in `/etc/sudoers.d`.
    pub sudo: Placed,
    /// Whether it is stead that removed it, and can bring it back with its password.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub removed: bool,
}

/// A line of passwd(5), but for the password.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Entry {
    /// `None`: the next free one.
    pub uid: Option<u32>,
    /// `None`: a group of the same name.
    pub primary: Option<Primary>,
    pub comment: String,
    pub home: String,
    pub shell: String,
    /// Whether a new user gets an id below 1000 and no home directory.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub system: bool,
}

/// A user's primary group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Primary {
    /// The id in decimal where group(5) has no such group.
    pub name: String,
    pub gid: u32,
}

/// How a user is in a supplementary group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Membership {
    /// Not at all.
    Outside,
    /// stead put it there, and takes it out when nobody declares it any more.
    Joined,
    /// Somebody else put it there.
    Member,
}

/// A group, by group(5).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Group {
    /// `None`: the next free one.
    pub gid: Option<u32>,
    /// Who comes back when the removal of the group is undone; observed only of what may be removed.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub members: BTreeSet<String>,
    /// A user whose primary group it is; observed only of what may be removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primary_of: Option<String>,
}

/// A file that stead writes as a whole, and the directory that it is in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Placed {
    /// `None`: passwd(5) has no usable path.
    pub path: Option<Pathname>,
    pub directory: Inode,
    pub file: Inode,
    /// The digest of the declared content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wanted: Option<Digest>,
    /// The content, where the user may read it anyway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Why stead neither reads nor replaces it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub foreign: Option<String>,
}

impl Found {
    /// How it is in this group.
    pub fn membership(&self, group: &str) -> Membership {
        self.groups.get(group).copied().unwrap_or(Membership::Outside)
    }

    /// The groups that stead put it in.
    pub fn joined(&self) -> impl Iterator<Item = &String> {
        self.groups.iter().filter(|(_, is)| **is == Membership::Joined).map(|(group, _)| group)
    }
}
