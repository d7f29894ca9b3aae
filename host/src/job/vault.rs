//! The secrets of the repo for jobs: opened when one is asked for, by the key of whoever runs the worker, and never kept.

use std::path::PathBuf;

use crate::capability::Denied;
use crate::grant::Patterns;
use crate::job::mask::SHORTEST;
use crate::policy::job::Failure;
use crate::repo::{Identity, Repo, Secrets, SecretsError};
use crate::secret::Secret;

/// Where they are, and what opens them.
#[derive(Clone, Debug)]
pub(super) struct Vault {
    repo: Repo,
    identities: Vec<PathBuf>,
}

impl Vault {
    pub(super) fn new(repo: Repo, identities: Vec<PathBuf>) -> Self {
        Self { repo, identities }
    }

    /// The secrets of these names, in their order.
    ///
    /// # Errors
    /// When they cannot be opened, one is not there, or one is so short that it could not be hidden.
    pub(super) async fn open(&self, names: &[String]) -> Result<Vec<Secret<String>>, Failure> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let (vault, names) = (self.clone(), names.to_vec());
        let opened = tokio::task::spawn_blocking(move || vault.read(&names)).await;
        opened.map_err(|error| Failure::Other(error.to_string()))?
    }

    fn read(&self, names: &[String]) -> Result<Vec<Secret<String>>, Failure> {
        let failed = |error: SecretsError| {
            let hint = error.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
            Failure::Other(format!("the secrets of the repo: {error}{hint}"))
        };
        // Nobody is there who could be asked for a passphrase.
        let identity = Identity::find(&self.identities, |_| None).map_err(failed)?;
        let values = Secrets::open(&self.repo, &identity).map_err(failed)?.values();
        let one = |name: &String| {
            let value = values.get(name).cloned().ok_or_else(|| {
                Failure::invalid(
                    "secrets",
                    format!("no secret is called {name}: add it with `stead secret set {name}`"),
                )
            })?;
            if value.reveal().trim().len() < SHORTEST {
                let reason = format!("{name} is so short that it could not be kept out of the log");
                return Err(Failure::invalid("secrets", reason));
            }
            Ok(value)
        };
        names.iter().map(one).collect()
    }
}

/// Whether a grant names the secret.
///
/// # Errors
/// [`Denied`], with the TOML that would allow it.
pub(super) fn check(capability: &'static str, granted: Option<&Patterns>, name: &str) -> Result<(), Denied> {
    if granted.is_some_and(|granted| granted.matches(name)) {
        return Ok(());
    }
    Err(Denied { capability, asked: format!("the secret {name}"), key: "secrets", value: Patterns::only(name) })
}

/// A denial as the policy is told.
pub(super) fn told(denied: &Denied, policy: &str) -> Failure {
    Failure::Denied {
        capability: denied.capability.to_owned(),
        asked: denied.asked.clone(),
        grant: denied.grant(policy),
    }
}
