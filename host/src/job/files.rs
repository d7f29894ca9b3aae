//! The contents of artifacts and attached files, each once, by its digest.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sha2::{Digest as _, Sha256};

use super::clean::is_older;
use crate::digest::Digest;
use crate::machine::create_private_folder;

/// Holds off those who remove contents.
const LOCK: &str = "lock";

/// A folder of contents.
#[derive(Clone, Debug)]
pub struct Files {
    folder: PathBuf,
}

/// A content cannot be kept or found.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {source}", path = path.display())]
pub struct FileError {
    pub path: PathBuf,
    pub source: std::io::Error,
}

/// What was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) digest: Digest,
    pub(super) size: u64,
}

impl Files {
    /// # Errors
    /// When the folder cannot be made.
    pub fn open(folder: &Path) -> Result<Self, FileError> {
        create_private_folder(folder).map_err(at(folder))?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// Keeps a file of the operator.
    ///
    /// # Errors
    /// When it cannot be read or kept.
    pub fn attach(&self, from: &Path) -> Result<Digest, FileError> {
        let mut file = std::fs::File::open(from).map_err(at(from))?;
        Ok(self.keep(&mut file)?.digest)
    }

    /// Keeps what can be read.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub(super) fn keep(&self, from: &mut dyn Read) -> Result<Kept, FileError> {
        let mut new = tempfile::NamedTempFile::new_in(&self.folder).map_err(at(&self.folder))?;
        let (mut sha, mut size, mut piece) = (Sha256::new(), 0, vec![0; 64 << 10]);
        loop {
            let read = from.read(&mut piece).map_err(at(&self.folder))?;
            let Some(bytes) = piece.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
            sha.update(bytes);
            size += read as u64;
            new.write_all(bytes).map_err(at(new.path()))?;
        }
        new.as_file().sync_all().map_err(at(new.path()))?;
        let digest = Digest::from_hex(hex::encode(sha.finalize()));
        let path = self.path(&digest);
        // From here on it is too young to be cleaned away.
        let _held = self.lock(false)?;
        new.persist(&path).map_err(|error| FileError { path: path.clone(), source: error.error })?;
        Ok(Kept { digest, size })
    }

    /// Makes a content as young as one that was just written.
    ///
    /// # Errors
    /// When it is gone.
    pub(super) fn renew(&self, digest: &Digest) -> Result<(), FileError> {
        let path = self.path(digest);
        let _held = self.lock(false)?;
        let file = std::fs::File::options().append(true).open(&path).map_err(at(&path))?;
        file.set_modified(SystemTime::now()).map_err(at(&path))
    }

    /// Keeps what was written to such a place, which has this digest.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn keep_room(
        &self,
        file: &std::fs::File,
        room: tempfile::TempPath,
        digest: &Digest,
    ) -> Result<(), FileError> {
        file.sync_all().map_err(at(&room))?;
        let path = self.path(digest);
        let _held = self.lock(false)?;
        room.persist(&path).map_err(|error| FileError { path, source: error.error })
    }

    /// Whether the disk has more than so many bytes left.
    pub(super) fn has_room(&self, left: u64) -> bool {
        rustix::fs::statvfs(&self.folder).is_ok_and(|disk| disk.f_bavail.saturating_mul(disk.f_frsize) > left)
    }

    /// A new place for a file that is to be kept.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(super) fn room(&self) -> Result<tempfile::TempPath, FileError> {
        let new = tempfile::NamedTempFile::new_in(&self.folder).map_err(at(&self.folder))?;
        Ok(new.into_temp_path())
    }

    /// Where the content of an artifact is, by the place that the queue has recorded.
    pub fn path_of(&self, place: &str) -> PathBuf {
        self.folder.join(place)
    }

    /// The places of contents, and of copies that were broken off, last written before this moment.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub(super) fn written_before(&self, written: SystemTime) -> Result<Vec<String>, FileError> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(&self.folder).map_err(at(&self.folder))? {
            let entry = entry.map_err(at(&self.folder))?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            if name != LOCK && is_older(&entry.path(), written)? == Some(true) {
                found.push(name);
            }
        }
        Ok(found)
    }

    /// Removes a content that is still as old as that, and answers how many bytes it had.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub(super) fn remove(&self, place: &str, written: SystemTime) -> Result<Option<u64>, FileError> {
        let path = self.path_of(place);
        let _held = self.lock(true)?;
        // The same content may have been kept anew.
        if is_older(&path, written)? != Some(true) {
            return Ok(None);
        }
        let size = path.metadata().map_err(at(&path))?.len();
        std::fs::remove_file(&path).map_err(at(&path))?;
        Ok(Some(size))
    }

    /// Holds off whoever removes, or everybody; until the file is dropped.
    fn lock(&self, alone: bool) -> Result<std::fs::File, FileError> {
        let path = self.folder.join(LOCK);
        let file = std::fs::File::create(&path).map_err(at(&path))?;
        if alone { file.lock() } else { file.lock_shared() }.map_err(at(&path))?;
        Ok(file)
    }

    /// Where a content is.
    pub(super) fn path(&self, digest: &Digest) -> PathBuf {
        self.folder.join(digest.as_str())
    }
}

fn at(path: &Path) -> impl FnOnce(std::io::Error) -> FileError {
    let path = path.to_owned();
    move |source| FileError { path, source }
}
