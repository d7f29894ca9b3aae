//! From the machine's root to the directory that a path's last component is in, without being led astray.

use rustix::fs::{Mode, OFlags, fstat, open, openat, readlinkat};
use rustix::io::Errno;

use super::{InodeError, Pathname};
use crate::machine::Machine;

/// An opened directory and the name of an entry that it has or is to have.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) folder: std::os::fd::OwnedFd,
    pub(super) name: String,
}

const FOLDER: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
/// As path_resolution(7) has it.
const MOST_LINKS: usize = 40;

impl Place {
    /// Walks to the directory that `path` is in. A symbolic link on the way is followed only where nobody but root
    /// could have put it, and an absolute one starts again at the machine's root.
    pub(super) fn of(machine: &Machine, path: &Pathname) -> Result<Self, InodeError> {
        let record = rustix::fs::stat(machine.state()).map_err(system)?;
        let root = open(machine.root(), FOLDER.difference(OFlags::NOFOLLOW), Mode::empty()).map_err(system)?;
        let mut above = Vec::new();
        let mut here = root.try_clone()?;
        let mut todo: Vec<String> = path.parent_components().map(str::to_owned).collect();
        let mut links = 0;
        while let Some(component) = todo.pop() {
            if component == ".." {
                here = above.pop().unwrap_or(here);
                continue;
            }
            match openat(&here, &component, FOLDER, Mode::empty()) {
                Ok(folder) => above.push(std::mem::replace(&mut here, folder)),
                Err(Errno::LOOP | Errno::NOTDIR) => {
                    links += 1;
                    let target = follow(&here, &component, links)?;
                    if target.starts_with('/') {
                        above.clear();
                        here = root.try_clone()?;
                    }
                    todo.extend(target.split('/').rev().filter(|part| !matches!(*part, "" | ".")).map(str::to_owned));
                }
                Err(Errno::NOENT) => return Err(InodeError::NoParent(parent(path))),
                Err(error) => return Err(system(error)),
            }
            let stat = fstat(&here).map_err(system)?;
            if (stat.st_dev, stat.st_ino) == (record.st_dev, record.st_ino) {
                return Err(InodeError::OwnRecord(path.to_string()));
            }
        }
        Ok(Self { folder: here, name: path.name().to_owned() })
    }

    /// The directory itself, opened in a way that it can be listed and synced.
    pub(super) fn readable_folder(&self) -> Result<std::os::fd::OwnedFd, InodeError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        openat(&self.folder, ".", flags, Mode::empty()).map_err(system)
    }
}

fn follow(folder: &std::os::fd::OwnedFd, name: &str, links: usize) -> Result<String, InodeError> {
    let target = match readlinkat(folder, name, Vec::new()) {
        Err(Errno::INVAL) => return Err(system(Errno::NOTDIR)),
        other => other.map_err(system)?,
    };
    if links > MOST_LINKS {
        return Err(system(Errno::LOOP));
    }
    let owner = fstat(folder).map_err(system)?;
    let trusted = owner.st_uid == 0 || owner.st_uid == rustix::process::geteuid().as_raw();
    if !trusted || owner.st_mode & 0o022 != 0 {
        return Err(InodeError::Untrusted(name.to_owned()));
    }
    target.into_string().map_err(|_| system(Errno::ILSEQ))
}

fn parent(path: &Pathname) -> String {
    path.parent().map_or_else(|| "/".to_owned(), String::from)
}

pub(super) fn system(error: Errno) -> InodeError {
    InodeError::System(error.into())
}
