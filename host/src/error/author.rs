//! What is wrong with a policy before it is one: its source, its world, the compiler.

use super::{Blame, Failure, by_value};
use crate::author::{BuildError, CargoError, CaseError, FileError, InitError, InspectError, MakeError, ToolError};
use crate::exit::Exit;

impl From<&InitError> for Failure {
    fn from(error: &InitError) -> Self {
        let failure = Self::new(Blame::Operator, Exit::Input, error);
        match error {
            InitError::Exists { .. } => failure.help("choose a folder that does not hold a repo yet"),
            InitError::Sdk(error) => Self::from(error),
            InitError::File(error) => failure.maybe_help(super::machine::write_help(&error.source)),
        }
    }
}

impl From<&BuildError> for Failure {
    fn from(error: &BuildError) -> Self {
        let new = |blame, exit| Self::new(blame, exit, error);
        match error {
            BuildError::NoPackage { .. } => new(Blame::Operator, Exit::Input)
                .help("`source` in stead.toml names the folder of a policy; `stead policy new` begins one; for another language build it yourself and give `component`"),
            BuildError::Ambiguous { .. } => new(Blame::Operator, Exit::Input).help("give the policy a folder of its own"),
            BuildError::Cargo(CargoError::Failed { .. } | CargoError::NoModule) => new(Blame::Policy, Exit::Input),
            BuildError::Cargo(_) => new(Blame::Operator, Exit::Unavailable),
            BuildError::Make(MakeError::Tool(ToolError::Failed { .. })) => new(Blame::Policy, Exit::Input),
            BuildError::Make(MakeError::Tool(_)) => new(Blame::Operator, Exit::Unavailable),
            BuildError::Sdk { .. } => new(Blame::Stead, Exit::Internal),
            BuildError::World(_) | BuildError::NotAPolicy { .. } => new(Blame::Policy, Exit::Input),
            BuildError::File(error) | BuildError::Make(MakeError::File(error)) => error.into(),
        }
    }
}

impl From<&FileError> for Failure {
    fn from(error: &FileError) -> Self {
        Self::new(Blame::Operator, Exit::Input, error).maybe_help(super::machine::write_help(&error.source))
    }
}

impl From<&InspectError> for Failure {
    fn from(error: &InspectError) -> Self {
        Self::new(Blame::Operator, Exit::Input, error).help("is it the file that you mean? was it copied whole?")
    }
}

impl From<&CaseError> for Failure {
    fn from(error: &CaseError) -> Self {
        match error {
            CaseError::Grant(error) => Self::from(error),
            CaseError::File(_) | CaseError::Wrong { .. } => Self::new(Blame::Operator, Exit::Input, error),
        }
    }
}

by_value!(InitError, BuildError, FileError, InspectError, CaseError);
