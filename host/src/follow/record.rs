//! What was followed, and what each host is at: kept, so that it is the same after a restart.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::mirror::Commit;
use crate::digest::Digest;
use crate::machine::{create_private_folder, replace};

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The last commit that was trusted.
    #[serde(default)]
    pub commit: Option<Commit>,
    /// Why the remote's branch, or where it is now, is not followed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// By the names of hosts.
    #[serde(default)]
    pub hosts: BTreeMap<String, Followee>,
}

/// A host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Followee {
    /// How it stands with the commit.
    pub standing: Standing,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<Drift>,
}

/// How a host stands with the commit; `at`: since when, in milliseconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Standing {
    /// It is to be planned.
    #[default]
    New,
    /// It is as the commit declares.
    Applied { at: i64, revision: Option<u64> },
    /// Somebody has to agree to the plan first.
    Waiting { at: i64, plan: Digest, because: BTreeSet<String> },
    /// It is tried again when the commit is another one.
    Failed { at: i64, why: String },
    /// It is tried again soon.
    Away { at: i64, why: String },
}

/// How a host differed from what was applied to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drift {
    /// When it was looked at, in milliseconds since 1970.
    pub at: i64,
    /// `CAPABILITY:RESOURCE`, or why it could not be looked at.
    pub found: Result<Vec<String>, String>,
}

/// The record cannot be read or kept.
#[derive(Debug, thiserror::Error)]
#[error("cannot use {path}: {source}", path = path.display())]
pub struct RecordError {
    pub(super) path: PathBuf,
    pub(super) source: std::io::Error,
}

impl Record {
    /// What was kept in `folder`; an empty one when there is nothing yet.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn open(folder: &Path) -> Result<Self, RecordError> {
        let path = path(folder);
        let read = match std::fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            text => text.and_then(|text| Ok(serde_json::from_slice(&text)?)),
        };
        read.map_err(|source| RecordError { path, source })
    }

    /// Keeps it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep(&self, folder: &Path) -> Result<(), RecordError> {
        let path = path(folder);
        let keep = || {
            create_private_folder(folder)?;
            replace(&path, &serde_json::to_vec_pretty(self)?, 0o600)
        };
        keep().map_err(|source| RecordError { path: path.clone(), source })
    }

    /// Another commit is trusted: every host is to be planned anew.
    pub fn trust(&mut self, commit: Commit) {
        self.commit = Some(commit);
        self.refused = None;
        for followee in self.hosts.values_mut() {
            followee.standing = Standing::New;
        }
    }
}

impl Standing {
    /// Whether it is to be planned without anybody doing something.
    pub fn is_due(&self) -> bool {
        matches!(self, Self::New | Self::Away { .. })
    }
}

fn path(folder: &Path) -> PathBuf {
    folder.join("record.json")
}
