//! What is wrong on the operator's side: the repo, its secrets, the bundle, the words of the command line.

use super::{Blame, Failure, by_value};
use crate::exit::Exit;
use crate::repo::{
    AppsError, BundleError, ComponentError, MeshError, PulledError, RepoError, SecretsError, TargetError,
};

impl From<&RepoError> for Failure {
    fn from(error: &RepoError) -> Self {
        let failure = Self::new(Blame::Operator, Exit::Input, error);
        match error {
            RepoError::NotFound { .. } => {
                failure.help("go to your repo or name it with --repo; `stead init DIR` writes a new one")
            }
            RepoError::Read { .. } => failure.help("the file must be readable, and in UTF-8"),
            RepoError::Invalid(invalid) => {
                let failure = Self { place: Some(invalid.place.clone()), ..failure };
                failure.maybe_help(invalid.problem.hint())
            }
            RepoError::Password => failure.help(
                "make it a secret: [queue] with address = \"postgres://USER@HOST/DATABASE\" and password = \"SECRET\"",
            ),
            RepoError::Mesh(error) => error.into(),
            RepoError::Write { source, .. } => failure.maybe_help(super::machine::write_help(source)),
        }
    }
}

impl From<&MeshError> for Failure {
    fn from(error: &MeshError) -> Self {
        let exit = match error {
            MeshError::Full { .. } | MeshError::NobodyToCall { .. } | MeshError::Write { .. } => Exit::Input,
            _ => Exit::Usage,
        };
        Self::new(Blame::Operator, exit, error).help(error.hint())
    }
}

impl From<&TargetError> for Failure {
    fn from(error: &TargetError) -> Self {
        Self::new(Blame::Operator, Exit::Usage, error).help(error.hint())
    }
}

impl From<&SecretsError> for Failure {
    fn from(error: &SecretsError) -> Self {
        let exit = if matches!(error, SecretsError::Unknown { .. }) { Exit::Usage } else { Exit::Input };
        Self::new(Blame::Operator, exit, error).maybe_help(error.hint())
    }
}

impl From<&BundleError> for Failure {
    fn from(error: &BundleError) -> Self {
        let failure = Self::new(Blame::Operator, Exit::Input, error);
        match error {
            BundleError::NoApp { .. } | BundleError::NoAppToBackUp { .. } => {
                failure.help("is it spelt as the folder is?")
            }
            BundleError::Component(error) => Self::from(error),
            BundleError::Apps(error) => failure.maybe_help(apps(error)),
            BundleError::Commit(_) => failure.help("`git status` in the repo says what is wrong with it"),
            BundleError::Repo(error) => Self::from(error),
            BundleError::NoHost(_) | BundleError::NoComponent(_) => {
                Self { blame: Blame::Stead, exit: Exit::Internal, ..failure }
            }
            BundleError::Unpack { .. } => Self { blame: Blame::Host, exit: Exit::State, ..failure }
                .help("is there room, and may stead write there? `df -h` on the host"),
        }
    }
}

impl From<&ComponentError> for Failure {
    fn from(error: &ComponentError) -> Self {
        let failure = Self::new(Blame::Operator, Exit::Input, error);
        match error {
            ComponentError::NotBuilt { .. } => failure.help("run `stead build`"),
            ComponentError::Stale { policy, .. } => failure.help(format!("run `stead build {policy}`")),
            ComponentError::Source { .. } => {
                failure.help("`source` in stead.toml names the folder of the policy's package")
            }
            ComponentError::Read { .. } => failure.help("the file must be readable by you"),
            ComponentError::TooLarge { .. } => failure.help("is it really the component? `stead policy inspect FILE`"),
            ComponentError::NotPinned { policy, .. } => {
                failure.help(format!("run `stead policy pull {policy}`, and commit stead.lock"))
            }
            ComponentError::Pulled { policy, error, .. } => failure.help(match error.as_ref() {
                PulledError::Contradiction { .. } => "take stead.lock as git has it".to_owned(),
                PulledError::Read { .. } => "the file must be readable by you".to_owned(),
                PulledError::Signature(_) => format!(
                    "run `stead policy pull {policy}`: it looks for signatures again; signed-by in stead.toml has the keys"
                ),
                _ => format!("run `stead policy pull {policy}`"),
            }),
        }
    }
}

fn apps(error: &AppsError) -> Option<String> {
    match error {
        AppsError::Read { .. } => None,
        AppsError::Kind { .. } => Some("move it out of apps/".to_owned()),
        AppsError::LeadsOut { .. } => Some("copy what it leads to into apps/".to_owned()),
        AppsError::TooLarge { .. } => Some("keep data and builds out of apps/: it is sent with every plan".to_owned()),
    }
}

by_value!(RepoError, MeshError, TargetError, SecretsError, BundleError, ComponentError);
