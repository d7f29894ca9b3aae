//! What is wrong with a policy: its file, what it asked for, how it ran.

use super::{Blame, Failure, by_value};
use crate::exit::Exit;
use crate::policy::{Blame as PolicyBlame, LoadError, PolicyError, RunError};

impl From<&PolicyError> for Failure {
    fn from(error: &PolicyError) -> Self {
        let blame = match error.blame() {
            PolicyBlame::Policy => Blame::Policy,
            PolicyBlame::Operator => Blame::Operator,
            PolicyBlame::Host => Blame::Host,
        };
        Self::new(blame, exit(error), error).maybe_help(error.hint())
    }
}

fn exit(error: &PolicyError) -> Exit {
    match error {
        PolicyError::Load { error: LoadError::NotGranted { .. }, .. }
        | PolicyError::Run { error: RunError::Denied { .. }, .. } => Exit::Denied,
        PolicyError::Load { .. } => Exit::Input,
        PolicyError::Run { error: RunError::Host { .. }, .. } | PolicyError::Runtime { .. } => Exit::Unavailable,
        PolicyError::Run { .. } => Exit::Policy,
    }
}

by_value!(PolicyError);
