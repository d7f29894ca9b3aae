//! Secrets that a service needs, where nobody is there to be asked for a passphrase.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::prompt;
use crate::error::{Blame, Failure};
use crate::exit::Exit;
use crate::repo::{Identity, Repo, Secrets, SecretsError};
use crate::secret::Secret;

/// Secrets of the repo, decrypted once and only when one is needed.
#[derive(Debug, Default)]
pub(super) struct Revealed(Option<BTreeMap<String, Secret<String>>>);

impl Revealed {
    /// The value of a secret: the credential of this name that systemd gave to the service (systemd.exec(5),
    /// `LoadCredential=`), else that of the repo.
    ///
    /// # Errors
    /// When there is none, or the secrets cannot be opened.
    pub(super) fn value(&mut self, repo: &Repo, name: &str) -> Result<Secret<String>, Failure> {
        if let Some(folder) = std::env::var_os("CREDENTIALS_DIRECTORY") {
            let path = PathBuf::from(folder).join(name);
            match std::fs::read_to_string(&path) {
                Ok(text) => return Ok(Secret::new(text.strip_suffix('\n').unwrap_or(&text).to_owned())),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => {
                    let message = format!("{}: {error}", path.display());
                    return Err(Failure::new(Blame::Operator, Exit::Input, &message));
                }
            }
        }
        let values = match &mut self.0 {
            Some(values) => values,
            none => none.insert(Secrets::open(repo, &Identity::find(&Identity::places(), prompt::hidden)?)?.values()),
        };
        let unknown =
            || SecretsError::Unknown { name: name.to_owned(), known: values.keys().cloned().collect::<Vec<_>>() };
        values.get(name).cloned().ok_or_else(|| unknown().into())
    }
}
