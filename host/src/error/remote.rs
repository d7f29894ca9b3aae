//! What is wrong between the operator and the host.

use super::{Blame, Failure, by_value};
use crate::exit::Exit;
use crate::remote::RemoteError;

impl From<&RemoteError> for Failure {
    fn from(error: &RemoteError) -> Self {
        let new = |blame, exit| Self::new(blame, exit, error);
        match error {
            RemoteError::Ssh(_) => {
                new(Blame::Operator, Exit::Unavailable).help("install OpenSSH's client on this machine")
            }
            RemoteError::Unreachable { address, .. } => {
                new(Blame::Remote, Exit::Unreachable).help(format!("`ssh {address} true` must work first"))
            }
            RemoteError::Ship { address, .. } => new(Blame::Remote, Exit::Unavailable)
                .help(format!("log in to {address} as root, or as a user who may use sudo without a password")),
            RemoteError::Processor { there, .. } => new(Blame::Operator, Exit::Unavailable).help(format!(
                "put the program of this version for {there} beside this one, or into a folder of PATH, as stead-{there}"
            )),
            RemoteError::Version { .. } => {
                new(Blame::Operator, Exit::Unavailable).help("both programs come from one release: replace the older one")
            }
            RemoteError::Program { .. } | RemoteError::Encode(_) => new(Blame::Stead, Exit::Internal),
            RemoteError::NotAnEvent { address, .. } | RemoteError::TooLong { address, .. } => {
                new(Blame::Remote, Exit::Unreachable)
                    .help(format!("`ssh {address} true` must print nothing: look at the login shell's start files"))
            }
            RemoteError::Broken { address, .. } => new(Blame::Remote, Exit::Unreachable)
                .help(format!("an apply goes on without you, or is taken back: `stead status {address}` tells")),
        }
    }
}

by_value!(RemoteError);
