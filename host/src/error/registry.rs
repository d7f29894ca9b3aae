//! What is wrong with a registry, with what lies there, or with the keys and credentials for it.

use super::{Blame, Failure, by_value};
use crate::author::PackageError;
use crate::exit::Exit;
use crate::registry::{CredentialsError, KeyError, RegistryError, SignatureError};

impl From<&RegistryError> for Failure {
    fn from(error: &RegistryError) -> Self {
        let new = |blame, exit| Self::new(blame, exit, error);
        let refused = || new(Blame::Remote, Exit::Input);
        match error {
            RegistryError::Unreachable { host, .. } => new(Blame::Remote, Exit::Unreachable).help(format!(
                "is it up, and is that its name? Without TLS it needs plain-http = true under [registry.\"{host}\"]"
            )),
            RegistryError::Silent { .. } => new(Blame::Remote, Exit::Unreachable),
            RegistryError::Unauthorized { host, who: None } => new(Blame::Operator, Exit::Input).help(format!(
                "`docker login {host}`, or name a secret like Docker's config.json: credentials = \"NAME\" under [registry.\"{host}\"]"
            )),
            RegistryError::Unauthorized { .. } => {
                new(Blame::Operator, Exit::Input).help("is the password still right?")
            }
            RegistryError::Forbidden { .. } => {
                new(Blame::Operator, Exit::Input).help("ask whoever runs the registry for the right to do that")
            }
            RegistryError::NotFound(_) => new(Blame::Operator, Exit::Input)
                .help("is it spelt right? Some registries say so as well of what they do not let you see"),
            RegistryError::BlobMissing { .. } => refused().help("push it again"),
            RegistryError::Answer { .. } => new(Blame::Remote, Exit::Unreachable),
            RegistryError::HugeManifest { .. } | RegistryError::TooLarge { .. } | RegistryError::NotAComponent { .. } => {
                refused().help("`stead policy push` and `wkg oci push` push components")
            }
            RegistryError::Replaced { .. } => refused().help("do not trust that registry until you know why"),
            RegistryError::Truncated { .. } => new(Blame::Remote, Exit::Unreachable).help("try again"),
            RegistryError::Signature { reference, error } => refused().help(signature(error, reference.host())),
            RegistryError::PushToDigest(_) => new(Blame::Operator, Exit::Usage).help("write HOST/REPOSITORY:TAG"),
            RegistryError::Credentials(error) => error.into(),
            RegistryError::Tls(_) => new(Blame::Host, Exit::Unavailable).help("install ca-certificates"),
        }
    }
}

fn signature(error: &SignatureError, host: &str) -> String {
    match error {
        SignatureError::Unsigned => {
            "sign it: `stead policy push --sign KEY`, or `cosign sign --key KEY` without a new bundle format".to_owned()
        }
        SignatureError::NotByKey { .. } => {
            format!("has the key changed? signed-by under [registry.\"{host}\"] or the policy has those that you trust")
        }
        _ => "it was copied from elsewhere: sign it where it lies".to_owned(),
    }
}

impl From<&CredentialsError> for Failure {
    fn from(error: &CredentialsError) -> Self {
        let failure = Self::new(Blame::Operator, Exit::Input, error);
        match error {
            CredentialsError::IdentityToken { host, .. } => {
                failure.help(format!("`docker login {host}` with a user and an access token"))
            }
            CredentialsError::Helper { .. } => failure.help("`docker login` sets it up again"),
            _ => failure,
        }
    }
}

impl From<&KeyError> for Failure {
    fn from(error: &KeyError) -> Self {
        let failure = Self::new(Blame::Operator, Exit::Input, error);
        match error {
            KeyError::Exposed { path } => failure.help(format!("chmod 600 {}", path.display())),
            KeyError::NotPrivate { .. } => failure.help(
                "make one: `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out KEY`, or `cosign generate-key-pair`",
            ),
            KeyError::NoPassphrase { .. } => failure.help("put it into the variable COSIGN_PASSWORD"),
            KeyError::NotPublic | KeyError::Read { .. } | KeyError::Passphrase { .. } => failure,
        }
    }
}

impl From<&PackageError> for Failure {
    fn from(error: &PackageError) -> Self {
        match error {
            PackageError::Inspect(error) => error.into(),
            PackageError::NotAPolicy { .. } => Self::new(Blame::Policy, Exit::Input, error),
            PackageError::Contract { .. } => Self::new(Blame::Stead, Exit::Internal, error),
        }
    }
}

by_value!(RegistryError, CredentialsError, KeyError, PackageError);
