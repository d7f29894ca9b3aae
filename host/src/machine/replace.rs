//! Replaces and removes files, so that a killed process leaves nothing behind that the next one does not take away.

use std::fs::{File, Permissions};
use std::io::{ErrorKind, Result, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The file at `path` has this content and mode: no reader sees half of it, and a power loss leaves the old or the new.
///
/// # Errors
/// When it cannot be written; the old file is then untouched.
pub fn replace(path: &Path, content: &[u8], mode: u32) -> Result<()> {
    let folder = path.parent().ok_or(ErrorKind::InvalidInput)?;
    tidy(path)?;
    let unfinished = unfinished(path)?;
    let written = write(&unfinished, content, mode).and_then(|()| std::fs::rename(&unfinished, path));
    if written.is_err() {
        tidy(path)?;
    }
    written?;
    File::open(folder)?.sync_all()
}

/// There is no file at `path`, nor one that a killed [`replace`] left.
///
/// # Errors
/// When one cannot be removed.
pub fn remove(path: &Path) -> Result<()> {
    tidy(path)?;
    without(path)
}

/// There is nothing that a killed [`replace`] left; the file stays as it is.
///
/// # Errors
/// When it cannot be removed.
pub fn tidy(path: &Path) -> Result<()> {
    without(&unfinished(path)?)
}

fn write(path: &Path, content: &[u8], mode: u32) -> Result<()> {
    // It must not be there, so no link that somebody put there is followed.
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(content)?;
    file.set_permissions(Permissions::from_mode(mode))?;
    file.sync_all()
}

/// Where the new file is written: always the same. Its leading dot keeps it out of what reads whole directories.
fn unfinished(path: &Path) -> Result<PathBuf> {
    let name = path.file_name().ok_or(ErrorKind::InvalidInput)?.to_string_lossy();
    Ok(path.with_file_name(format!(".{name}.stead-new")))
}

fn without(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_process_left_is_taken_away() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("file");
        let names =
            || -> Result<Vec<_>> { std::fs::read_dir(folder.path())?.map(|entry| Ok(entry?.file_name())).collect() };
        std::fs::write(folder.path().join(".file.stead-new"), "half of")?;
        replace(&path, b"whole", 0o640)?;
        anyhow::ensure!(std::fs::read(&path)? == b"whole" && names()? == ["file"], "{:?}", names()?);
        anyhow::ensure!(path.metadata()?.permissions().mode() & 0o777 == 0o640, "another mode");
        std::fs::write(folder.path().join(".file.stead-new"), "half of")?;
        remove(&path)?;
        remove(&path)?;
        anyhow::ensure!(names()?.is_empty(), "{:?}", names()?);
        Ok(())
    }

    #[test]
    fn no_link_is_followed_and_nothing_is_left_when_it_fails() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let (path, aim) = (folder.path().join("file"), folder.path().join("aim"));
        std::fs::write(&aim, "safe")?;
        std::os::unix::fs::symlink(&aim, folder.path().join(".file.stead-new"))?;
        replace(&path, b"new", 0o600)?;
        anyhow::ensure!(std::fs::read(&aim)? == b"safe", "it wrote through a link");
        std::fs::create_dir(folder.path().join("folder"))?;
        anyhow::ensure!(replace(&folder.path().join("folder"), b"", 0o600).is_err(), "a folder was replaced");
        anyhow::ensure!(!folder.path().join(".folder.stead-new").exists(), "something is left");
        Ok(())
    }
}
