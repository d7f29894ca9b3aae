//! What was found at a path, and what a pure comparison cannot find out by itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::machine::inode::{Children, Inode, Pathname};

/// By path.
pub type Fact = BTreeMap<Pathname, Found>;

/// What was found at a path.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    pub inode: Inode,
    /// The digest of the declared content, which may hold a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wanted: Option<Digest>,
    /// The content, when it differs from what is to be and may be shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The content that a prune brings back, under the same conditions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored: Option<String>,
    /// What is in a directory that is to be something else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub children: Option<Children>,
    /// What the declaration needs and the machine does not have yet.
    #[serde(default, skip_serializing_if = "Missing::is_empty")]
    pub missing: Missing,
}

/// What a declaration needs and the machine does not have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Missing {
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub parent: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub owner: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub group: bool,
}

impl Missing {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
