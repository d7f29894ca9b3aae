//! The one change: a path becomes what it is to be.

use serde::{Deserialize, Serialize};

use super::Content;
use crate::machine::inode::{Inode, Pathname};

/// Makes `path` what `to` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Set {
    pub path: Pathname,
    pub to: Inode,
    /// A file's content; when absent, it is one that was kept when an earlier change replaced it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Content>,
    /// A program and its arguments that has to accept the content first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub validate: Vec<String>,
}

impl Set {
    /// Back to what was found.
    pub fn back(path: &Pathname, to: &Inode) -> Self {
        Self { path: path.clone(), to: to.clone(), content: None, validate: Vec::new() }
    }
}
