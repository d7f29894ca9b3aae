//! The files that bring the table back at boot. They are recorded by their digests; what they were is among the blobs.

use std::io::{Error, ErrorKind};

use super::Firewall;
use super::state::{Boot, COPY_FILE, ENABLED_LINK, RULESET_FILE, State, Table, UNIT_FILE, boot_file};
use crate::capability::{ApplyError, ObserveError};
use crate::digest::Digest;
use crate::machine::{remove, replace, set_wanted};

impl Firewall {
    pub(super) fn boot(&self) -> Result<Boot, ObserveError> {
        let read = |path: &str| {
            let content = self.content(path);
            content.map_err(|source| ObserveError::File { path: path.to_owned(), source })
        };
        let text = |content| {
            let text = String::from_utf8(content).map_err(|wrong| Error::new(ErrorKind::InvalidData, wrong));
            text.map_err(|source| ObserveError::File { path: UNIT_FILE.to_owned(), source })
        };
        let digest = |content: Vec<u8>| self.machine.key().digest(&content);
        Ok(Boot {
            ruleset: read(RULESET_FILE)?.map(digest),
            copy: read(COPY_FILE)?.map(digest),
            unit: read(UNIT_FILE)?.map(text).transpose()?,
            enabled: self.machine.path(ENABLED_LINK).symlink_metadata().is_ok(),
        })
    }

    fn content(&self, path: &str) -> std::io::Result<Option<Vec<u8>>> {
        match std::fs::read(self.machine.path(path)) {
            Ok(content) => Ok(Some(content)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) fn put_boot(&self, State { table, boot }: &State) -> Result<(), ApplyError> {
        for (path, digest) in [(RULESET_FILE, &boot.ruleset), (COPY_FILE, &boot.copy)] {
            self.put_ruleset(path, digest.as_ref(), table.as_ref())?;
        }
        self.put(UNIT_FILE, boot.unit.as_ref().map(String::as_bytes))?;
        let wanted = set_wanted(&self.machine.path(ENABLED_LINK), UNIT_FILE, boot.enabled);
        wanted.map_err(|source| ApplyError::File { path: ENABLED_LINK.to_owned(), source })
    }

    /// What stead has written follows from the table; anything else was kept when it was replaced.
    fn put_ruleset(&self, path: &str, digest: Option<&Digest>, table: Option<&Table>) -> Result<(), ApplyError> {
        let failed = |source| ApplyError::File { path: path.to_owned(), source };
        let key = self.machine.key();
        let is = self.content(path).map_err(failed)?.map(|content| (key.digest(&content), content));
        let content = match (is, digest) {
            (Some((was, content)), Some(digest)) if was == *digest => Some(content),
            (is, digest) => {
                if let Some((was, content)) = is {
                    self.machine.blobs().keep(&was, &content).map_err(failed)?;
                }
                digest.map(|digest| self.recorded(path, digest, table)).transpose()?
            }
        };
        self.put(path, content.as_deref())
    }

    fn recorded(&self, path: &str, digest: &Digest, table: Option<&Table>) -> Result<Vec<u8>, ApplyError> {
        let own = table.map(boot_file).map(String::into_bytes);
        if let Some(own) = own.filter(|own| self.machine.key().digest(own) == *digest) {
            return Ok(own);
        }
        let kept = self.machine.blobs().get(digest);
        let kept = kept.map_err(|source| ApplyError::File { path: path.to_owned(), source })?;
        kept.ok_or_else(|| ApplyError::NoBlob { path: path.to_owned() })
    }

    fn put(&self, path: &str, content: Option<&[u8]>) -> Result<(), ApplyError> {
        let at = self.machine.path(path);
        let put = || match (content, at.parent()) {
            (Some(content), Some(folder)) => {
                std::fs::create_dir_all(folder)?;
                replace(&at, content, 0o644)
            }
            _ => remove(&at),
        };
        put().map_err(|source| ApplyError::File { path: path.to_owned(), source })
    }
}
