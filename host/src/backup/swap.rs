//! Puts what was restored in the place of what is there, at once, and back again.
//!
//! What comes back is made whole beside the old one; then the two change names in one renameat2(2). Until it is discarded,
//! the old one is where the new one was.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::BackupError;
use crate::machine::create_private_folder;

const FOLDER: &str = ".stead-restore";

/// A fresh folder beside the place that it is for.
#[derive(Debug)]
pub(super) struct Swap {
    folder: PathBuf,
    place: PathBuf,
    /// What came back, within the folder.
    came: PathBuf,
    /// Whether something was at the place before.
    replaces: bool,
}

impl Swap {
    /// A folder for what takes the place of `place`; a snapshot holds it under its path `stored`.
    pub(super) fn beside(place: &Path, stored: &str) -> Result<Self, BackupError> {
        let what = || place.display().to_string();
        let failed = || BackupError::files(format!("make room beside {}", what()));
        let parent = place.parent().ok_or_else(|| BackupError::MountPoint { what: what() })?;
        let there = match fs::symlink_metadata(place) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            found => Some(found.map_err(failed())?),
        };
        create_parents(parent).map_err(failed())?;
        let device = fs::symlink_metadata(parent).map_err(failed())?.dev();
        if there.as_ref().is_some_and(|there| there.dev() != device) {
            return Err(BackupError::MountPoint { what: what() });
        }
        let folder = parent.join(FOLDER);
        remove(&folder).map_err(failed())?;
        create_private_folder(&folder).map_err(failed())?;
        let came = folder.join(stored.trim_start_matches('/'));
        Ok(Self { came, place: place.to_owned(), replaces: there.is_some(), folder })
    }

    /// Where restic restores to.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The new one is at the place.
    pub(super) fn forth(&self) -> Result<(), BackupError> {
        self.exchange(&self.came, &self.place)
    }

    /// The old one is at the place again.
    pub(super) fn back(&self) -> Result<(), BackupError> {
        self.exchange(&self.place, &self.came)
    }

    fn exchange(&self, from: &Path, to: &Path) -> Result<(), BackupError> {
        let flags = if self.replaces { RenameFlags::EXCHANGE } else { RenameFlags::NOREPLACE };
        let done = renameat_with(CWD, from, CWD, to, flags);
        done.map_err(|error| BackupError::files(format!("replace {}", self.place.display()))(error.into()))
    }

    /// Whatever is not at the place goes.
    pub(super) fn discard(self) -> Result<(), BackupError> {
        remove(&self.folder).map_err(BackupError::files(format!("remove {}", self.folder.display())))
    }
}

fn create_parents(folder: &Path) -> std::io::Result<()> {
    if folder.is_dir() { Ok(()) } else { fs::create_dir_all(folder) }
}

fn remove(folder: &Path) -> std::io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_old_one_comes_back() -> anyhow::Result<()> {
        let root = tempfile::tempdir()?;
        let place = root.path().join("data");
        for replaces in [true, false] {
            if replaces {
                fs::create_dir(&place)?;
                fs::write(place.join("old"), "")?;
            }
            let swap = Swap::beside(&place, "/var/data")?;
            fs::create_dir_all(swap.folder().join("var/data"))?;
            fs::write(swap.folder().join("var/data/new"), "")?;
            swap.forth()?;
            assert!(place.join("new").exists() && !place.join("old").exists());
            swap.back()?;
            assert_eq!((place.join("old").exists(), place.exists()), (replaces, replaces));
            swap.forth()?;
            swap.discard()?;
            assert!(place.join("new").exists() && fs::read_dir(root.path())?.count() == 1);
            fs::remove_dir_all(&place)?;
        }
        Ok(())
    }
}
