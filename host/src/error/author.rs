//! What is wrong with a policy before it is one: its source, its world, the compiler.

use super::{Blame, Failure, by_value};
use crate::author::{BuildError, CargoError, InitError, InspectError};
use crate::exit::Exit;

impl From<&InitError> for Failure {
    fn from(error: &InitError) -> Self {
        let failure = Self::new(Blame::Operator, Exit::Input, error);
        match error {
            InitError::Exists { .. } => failure.help("choose a folder that does not hold a repo yet"),
            InitError::File(error) => failure.maybe_help(super::machine::write_help(&error.source)),
        }
    }
}

impl From<&BuildError> for Failure {
    fn from(error: &BuildError) -> Self {
        let new = |blame, exit| Self::new(blame, exit, error);
        match error {
            BuildError::NoPackage { .. } => new(Blame::Operator, Exit::Input)
                .help("`source` in stead.toml names the folder of a Rust package; for another language build it yourself and give `component`"),
            BuildError::Cargo(CargoError::Failed { .. } | CargoError::NoModule) => new(Blame::Policy, Exit::Input),
            BuildError::Cargo(_) => new(Blame::Operator, Exit::Unavailable),
            BuildError::World(_) | BuildError::NotAPolicy { .. } => new(Blame::Policy, Exit::Input),
            BuildError::File(error) => {
                new(Blame::Operator, Exit::Input).maybe_help(super::machine::write_help(&error.source))
            }
        }
    }
}

impl From<&InspectError> for Failure {
    fn from(error: &InspectError) -> Self {
        Self::new(Blame::Operator, Exit::Input, error).help("is it the file that you mean? was it copied whole?")
    }
}

by_value!(InitError, BuildError, InspectError);
