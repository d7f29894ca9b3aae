//! The machine's own users and groups.

use super::database::Database;
use super::shadow_utils::Tool;
use super::{Name, User};
use crate::capability::ApplyError;
use crate::machine::inode::{InodeError, Pathname};

mod change;
mod found;
mod group;
mod place;

impl User {
    fn database(&self) -> Result<Database, ApplyError> {
        Database::read(&self.machine).map_err(|(path, source)| ApplyError::File { path, source })
    }

    fn tool(&self, name: &'static str) -> Tool {
        Tool::new(&self.machine, name)
    }

    /// An error of stead's own record.
    fn record_error(&self, source: std::io::Error) -> ApplyError {
        ApplyError::File { path: self.machine.state().join("users").display().to_string(), source }
    }
}

fn refused(name: &Name, reason: impl Into<String>) -> ApplyError {
    ApplyError::Refused { resource: format!("user {name}"), reason: reason.into() }
}

fn unwritten(path: &Pathname, error: InodeError) -> ApplyError {
    match error {
        InodeError::System(source) => ApplyError::File { path: path.to_string(), source },
        InodeError::NoContent => ApplyError::NoBlob { path: path.to_string() },
        other => ApplyError::Refused { resource: path.to_string(), reason: other.to_string() },
    }
}
