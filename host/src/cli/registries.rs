//! The registries of a command, each with the credentials that it needs.

use std::collections::BTreeMap;
use std::path::Path;

use super::secrets::Revealed;
use super::{Context, prompt};
use crate::error::{Blame, Failure};
use crate::exit::Exit;
use crate::registry::{Credentials, PrivateKey, Reference, Registry, Settings};
use crate::repo::{Repo, RepoError};
use crate::secret::Secret;

/// The variable from which cosign takes the passphrase of a key as well.
const PASSPHRASE: &str = "COSIGN_PASSWORD";

/// Registries, each opened once.
#[derive(Debug, Default)]
pub(super) struct Registries {
    open: BTreeMap<String, Registry>,
    secrets: Revealed,
}

impl Registries {
    /// The registry of a reference, as the repo says that it is reached.
    ///
    /// # Errors
    /// When its credentials cannot be had.
    pub(super) fn of(&mut self, repo: Option<&Repo>, reference: &Reference) -> Result<&Registry, Failure> {
        let host = reference.host();
        if !self.open.contains_key(host) {
            let settings = self.settings(repo, host)?;
            self.open.insert(host.to_owned(), Registry::new(host, settings)?);
        }
        // It has just been put there.
        self.open.get(host).ok_or_else(super::asking::unexpected)
    }

    fn settings(&mut self, repo: Option<&Repo>, host: &str) -> Result<Settings, Failure> {
        let table = repo.and_then(|repo| Some((repo, repo.registry(host)?)));
        let plain_http = table.and_then(|(_, table)| table.plain_http);
        let named = table.and_then(|(repo, table)| Some((repo, table.credentials.as_ref()?)));
        let credentials = match named {
            Some((repo, name)) => {
                let from = format!("the secret {name}");
                let text = self.secrets.value(repo, name.as_str())?;
                let found = Credentials::in_config(&text, host, &from)?;
                let none = || Failure::new(Blame::Operator, Exit::Input, &format!("{from} has nothing for {host}"));
                Some(found.ok_or_else(none)?)
            }
            None => Credentials::of_operator(host)?,
        };
        Ok(Settings { plain_http, credentials })
    }
}

/// The repo, for commands that can do without one.
pub(super) fn repo(context: &Context) -> Result<Option<Repo>, Failure> {
    match Repo::open(&context.repo) {
        Err(RepoError::NotFound { .. }) => Ok(None),
        opened => Ok(Some(opened?)),
    }
}

/// The key that signs, with its passphrase out of the environment or from the terminal.
pub(super) fn key(path: &Path) -> Result<PrivateKey, Failure> {
    let ask = |question: &str| match std::env::var(PASSPHRASE) {
        Ok(passphrase) => Some(Secret::new(passphrase)),
        Err(_) => prompt::hidden(question),
    };
    Ok(PrivateKey::read(path, ask)?)
}
