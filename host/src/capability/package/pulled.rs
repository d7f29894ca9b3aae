//! The packages that came along as dependencies of what stead installed.
//!
//! They are written down before apt begins, so that an undo finds them also when apt, stead or the machine died
//! in the middle: then the package that needed them may not be there while they are. Whether nothing needs one
//! any more is apt's to say, never this record's.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::PathBuf;

use super::Package;
use crate::capability::ApplyError;
use crate::machine::{Machine, replace};

/// The record of one machine.
#[derive(Debug)]
pub(super) struct Pulled(PathBuf);

impl Pulled {
    pub(super) fn of(machine: &Machine) -> Self {
        Self(machine.state().join("pulled-packages.json"))
    }

    /// All that came along.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub(super) fn read(&self) -> Result<BTreeSet<Package>, ApplyError> {
        match std::fs::read(&self.0) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| ApplyError::Record(error.to_string())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(BTreeSet::new()),
            Err(source) => Err(self.error(source)),
        }
    }

    /// Adds packages, on disk before it returns.
    ///
    /// # Errors
    /// When the record cannot be read or written.
    pub(super) fn add(&self, names: &BTreeSet<Package>) -> Result<(), ApplyError> {
        let mut pulled = self.read()?;
        let known = pulled.len();
        pulled.extend(names.iter().cloned());
        if pulled.len() == known { Ok(()) } else { self.write(&pulled) }
    }

    /// Forgets packages that have gone.
    ///
    /// # Errors
    /// When the record cannot be read or written.
    pub(super) fn forget(&self, names: &BTreeSet<Package>) -> Result<(), ApplyError> {
        let mut pulled = self.read()?;
        let known = pulled.len();
        pulled.retain(|name| !names.contains(name));
        if pulled.len() == known { Ok(()) } else { self.write(&pulled) }
    }

    fn write(&self, pulled: &BTreeSet<Package>) -> Result<(), ApplyError> {
        let json = serde_json::to_vec(pulled).map_err(|error| ApplyError::Record(error.to_string()))?;
        replace(&self.0, &json, 0o600).map_err(|source| self.error(source))
    }

    fn error(&self, source: std::io::Error) -> ApplyError {
        ApplyError::File { path: self.0.display().to_string(), source }
    }
}
