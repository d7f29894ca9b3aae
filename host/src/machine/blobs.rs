//! Earlier contents of files, kept so that an undo or a rollback can bring them back.
//!
//! They may hold secrets, so the folder is readable by root alone, and nothing in it is ever shown.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::digest::Digest;

/// A folder of contents, each in a file named by its digest.
#[derive(Debug)]
pub struct Blobs {
    folder: PathBuf,
}

impl Blobs {
    /// Opens the store, making its folder when there is none.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn open(folder: &Path) -> std::io::Result<Self> {
        super::create_private_folder(folder)?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// Keeps `content` under `digest`, on disk before it returns.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep(&self, digest: &Digest, content: &[u8]) -> std::io::Result<()> {
        let path = self.path(digest);
        if path.exists() {
            return Ok(());
        }
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        file.write_all(content)?;
        file.as_file().sync_all()?;
        file.persist(&path)?;
        std::fs::File::open(&self.folder)?.sync_all()
    }

    /// The content that was kept under `digest`, if any.
    ///
    /// # Errors
    /// When it is there but cannot be read.
    pub fn get(&self, digest: &Digest) -> std::io::Result<Option<Vec<u8>>> {
        match std::fs::read(self.path(digest)) {
            Ok(content) => Ok(Some(content)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        self.folder.join(digest.as_str())
    }
}
