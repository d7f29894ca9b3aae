//! What stead has to remember of a user and the machine does not tell: the groups that it put the user in, and the
//! password of one whom it removed.
//!
//! It lies in stead's own record, which root alone reads.

use std::collections::BTreeSet;
use std::io::{ErrorKind, Result};
use std::path::PathBuf;

use super::{Name, User};
use crate::machine::{create_private_folder, remove, replace};

impl User {
    /// The groups that stead put the user in.
    pub(super) fn joined(&self, user: &Name) -> Result<BTreeSet<String>> {
        Ok(self.remembered("joined", user)?.unwrap_or_default().lines().map(str::to_owned).collect())
    }

    /// Remembers these groups instead.
    pub(super) fn remember_joined(&self, user: &Name, groups: &BTreeSet<String>) -> Result<()> {
        let lines: String = groups.iter().map(|group| format!("{group}\n")).collect();
        self.remember("joined", user, Some(lines).filter(|lines| !lines.is_empty()))
    }

    /// The encrypted password that the user had when stead removed it.
    pub(super) fn kept_password(&self, user: &Name) -> Result<Option<String>> {
        self.remembered("passwords", user)
    }

    /// Keeps it, or no longer.
    pub(super) fn keep_password(&self, user: &Name, password: Option<String>) -> Result<()> {
        self.remember("passwords", user, password)
    }

    fn remembered(&self, what: &str, user: &Name) -> Result<Option<String>> {
        match std::fs::read_to_string(self.record(what, user)) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            other => other.map(Some),
        }
    }

    fn remember(&self, what: &str, user: &Name, text: Option<String>) -> Result<()> {
        let path = self.record(what, user);
        let Some(text) = text else {
            return remove(&path);
        };
        create_private_folder(path.parent().ok_or(ErrorKind::InvalidInput)?)?;
        replace(&path, text.as_bytes(), 0o600)
    }

    fn record(&self, what: &str, user: &Name) -> PathBuf {
        self.machine.state().join("users").join(what).join(user.as_str())
    }
}
