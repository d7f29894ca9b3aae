//! The tree of a package before it is packed: every mode is said, whatever the umask is.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::{ReleaseError, at, output};

/// A folder that becomes a package.
#[derive(Debug)]
pub(super) struct Stage(TempDir);

impl Stage {
    pub(super) fn new() -> Result<Self, ReleaseError> {
        let stage = Self(tempfile::tempdir().map_err(at(&std::env::temp_dir()))?);
        mode(stage.folder(), 0o755)?;
        Ok(stage)
    }

    pub(super) fn folder(&self) -> &Path {
        self.0.path()
    }

    pub(super) fn file(&self, path: &str, content: &[u8]) -> Result<(), ReleaseError> {
        let path = self.place(path)?;
        fs::write(&path, content).map_err(at(&path))?;
        mode(&path, 0o644)
    }

    pub(super) fn program(&self, path: &str, from: &Path) -> Result<(), ReleaseError> {
        let path = self.place(path)?;
        fs::copy(from, &path).map_err(at(from))?;
        mode(&path, 0o755)
    }

    pub(super) fn script(&self, path: &str, text: &str) -> Result<(), ReleaseError> {
        self.file(path, text.as_bytes())?;
        mode(&self.folder().join(path), 0o755)
    }

    /// How much room it takes, for `Installed-Size`: each file in whole KiB, and one for each folder.
    pub(super) fn kibibytes(&self) -> Result<u64, ReleaseError> {
        let mut size = 0;
        for path in self.files()? {
            size += fs::metadata(&path).map_err(at(&path))?.len().div_ceil(1024);
        }
        Ok(size + self.folders()?)
    }

    /// Of what is installed, as md5sum(1) prints them.
    pub(super) fn md5sums(&self) -> Result<String, ReleaseError> {
        let mut command = Command::new("md5sum");
        command.current_dir(self.folder()).arg("--");
        for path in self.files()? {
            command.arg(path.strip_prefix(self.folder()).unwrap_or(&path));
        }
        output(&mut command)
    }

    /// The files outside of `DEBIAN/`, sorted.
    fn files(&self) -> Result<Vec<PathBuf>, ReleaseError> {
        let (mut files, mut folders) = (Vec::new(), vec![self.folder().join("usr")]);
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).map_err(at(&folder))? {
                let path = entry.map_err(at(&folder))?.path();
                if path.is_dir() { folders.push(path) } else { files.push(path) }
            }
        }
        files.sort();
        Ok(files)
    }

    fn folders(&self) -> Result<u64, ReleaseError> {
        let files = self.files()?;
        let above = files.iter().flat_map(|file| file.ancestors().skip(1)).filter(|path| *path != self.folder());
        let above = above.filter(|path| path.starts_with(self.folder()));
        Ok(above.collect::<std::collections::BTreeSet<_>>().len() as u64)
    }

    fn place(&self, path: &str) -> Result<PathBuf, ReleaseError> {
        let mut folder = self.folder().to_owned();
        let relative = Path::new(path);
        for part in relative.parent().into_iter().flat_map(Path::iter) {
            folder.push(part);
            if !folder.is_dir() {
                fs::create_dir(&folder).map_err(at(&folder))?;
                mode(&folder, 0o755)?;
            }
        }
        Ok(self.folder().join(relative))
    }
}

fn mode(path: &Path, mode: u32) -> Result<(), ReleaseError> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(at(path))
}
