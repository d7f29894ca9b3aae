//! What is wrong on the side of a policy's author.

use super::{Blame, Failure, by_value};
use crate::author::{BuildError, CargoError, FileError, InitError, InspectError};
use crate::exit::Exit;

impl From<&FileError> for Failure {
    fn from(error: &FileError) -> Self {
        Self::new(Blame::Operator, Exit::Input, error)
    }
}

impl From<&InitError> for Failure {
    fn from(error: &InitError) -> Self {
        match error {
            InitError::Exists { .. } => {
                Self::new(Blame::Operator, Exit::Input, error).help("begin in an empty folder, or move the file away")
            }
            InitError::File(error) => error.into(),
        }
    }
}

impl From<&BuildError> for Failure {
    fn from(error: &BuildError) -> Self {
        let policy = Self::new(Blame::Policy, Exit::Input, error);
        match error {
            BuildError::NoPackage { .. } => policy.help("is `source` in stead.toml the folder of the policy?"),
            BuildError::Cargo(CargoError::Missing | CargoError::Start(_)) => {
                Self::new(Blame::Operator, Exit::Unavailable, error).help("policies in Rust need cargo; install rustup")
            }
            BuildError::File(error) => error.into(),
            BuildError::Cargo(_) | BuildError::World(_) | BuildError::NotAPolicy { .. } => policy,
        }
    }
}

impl From<&InspectError> for Failure {
    fn from(error: &InspectError) -> Self {
        Self::new(Blame::Operator, Exit::Input, error)
    }
}

by_value!(FileError, InitError, BuildError, InspectError);
