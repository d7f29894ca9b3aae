//! Writes the file of a repository, and proves that apt can use it.

use super::apt::Apt;
use super::transaction::refused;
use super::{Packages, RepositoryName, wait};
use crate::capability::ApplyError;
use crate::machine::{remove, replace};

impl Packages {
    pub(super) async fn write_repository(
        &self,
        name: &RepositoryName,
        to: Option<&str>,
        refresh: bool,
    ) -> Result<(), ApplyError> {
        let path = self.machine.path(name.path());
        let written = match to {
            Some(text) => replace(&path, text.as_bytes(), 0o644),
            None => remove(&path),
        };
        written.map_err(|source| ApplyError::File { path: name.path(), source })?;
        if to.is_none() || !refresh {
            return Ok(());
        }
        wait::until_quiet(&self.machine).await?;
        let updated = Apt::new(&self.machine)?.update_only(name).await;
        updated.map_err(|error| refused(&format!("repository {name}"), error))
    }
}
