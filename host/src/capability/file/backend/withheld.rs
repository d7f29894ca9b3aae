//! Paths that a secret was ever put in: their content is not shown any more, whoever may read the file.
//!
//! Without this, a policy that takes a secret out of a world-readable file would put it into the plan's diff.

use std::path::PathBuf;

use crate::capability::file::File;
use crate::digest::Digest;
use crate::machine::inode::Pathname;
use crate::machine::{create_private_folder, replace};

impl File {
    /// From now on the content of `path` is not shown.
    pub(super) fn withhold(&self, path: &Pathname) -> std::io::Result<()> {
        let mark = self.mark(path);
        if mark.try_exists()? {
            return Ok(());
        }
        create_private_folder(mark.parent().ok_or(std::io::ErrorKind::InvalidInput)?)?;
        replace(&mark, path.as_str().as_bytes(), 0o600)
    }

    /// Whether the content of `path` is not to be shown.
    pub(super) fn is_withheld(&self, path: &Pathname) -> std::io::Result<bool> {
        self.mark(path).try_exists()
    }

    fn mark(&self, path: &Pathname) -> PathBuf {
        self.machine.state().join("withheld").join(Digest::public(path.as_str().as_bytes()).as_str())
    }
}
