//! Looks at what lies at a path.

use std::fmt;
use std::io::Read;
use std::os::fd::OwnedFd;

use rustix::fs::{AtFlags, Dir, FileType, Mode as Bits, OFlags, Stat, openat, readlinkat, statat};
use rustix::io::Errno;

use super::walk::{Place, system};
use super::{Accounts, Attributes, Inode, InodeError, Mode, Pathname};
use crate::machine::Machine;

/// The largest file whose content is looked at: it is held in memory, and kept when it is replaced.
pub(super) const LARGEST: u64 = 256 << 20;
/// How many names of what is in a directory are told.
const MOST_CHILDREN: usize = 100;

/// What lies at a path, with its content when it is a file.
#[derive(Debug)]
pub struct Look {
    pub inode: Inode,
    pub content: Vec<u8>,
}

/// The names of what is in a directory.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Children {
    /// The first hundred, sorted.
    pub names: Vec<String>,
    /// Whether there are more.
    pub more: bool,
}

impl fmt::Display for Children {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: Vec<_> = self.names.iter().take(3).map(String::as_str).collect();
        f.write_str(&shown.join(", "))?;
        if self.more || self.names.len() > shown.len() {
            f.write_str(" and more")?;
        }
        Ok(())
    }
}

impl Machine {
    /// Looks at `path`. `preferred` decides between several names of one user or group.
    ///
    /// # Errors
    /// When it cannot be read, or lies behind a symbolic link that anybody may have put there.
    pub fn look(
        &self,
        path: &Pathname,
        accounts: &Accounts,
        preferred: Option<&Attributes>,
    ) -> Result<Look, InodeError> {
        match Place::of(self, path) {
            Err(InodeError::NoParent(_)) => Ok(Look { inode: Inode::Absent, content: Vec::new() }),
            place => look(self, &place?, accounts, preferred),
        }
    }

    /// Whether there is a directory in which `path` is or can be.
    ///
    /// # Errors
    /// When that cannot be told.
    pub fn has_parent(&self, path: &Pathname) -> Result<bool, InodeError> {
        match Place::of(self, path) {
            Err(InodeError::NoParent(_)) => Ok(false),
            place => place.map(|_| true),
        }
    }

    /// What is in the directory at `path`; nothing when there is none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn children(&self, path: &Pathname) -> Result<Children, InodeError> {
        match Place::of(self, path).and_then(|place| children(&place)) {
            Err(InodeError::NoParent(_)) => Ok(Children::default()),
            other => other,
        }
    }
}

pub(super) fn look(
    machine: &Machine,
    place: &Place,
    accounts: &Accounts,
    preferred: Option<&Attributes>,
) -> Result<Look, InodeError> {
    let stat = match statat(&place.folder, &*place.name, AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::NOENT) => return Ok(Look { inode: Inode::Absent, content: Vec::new() }),
        other => other.map_err(system)?,
    };
    let mut content = Vec::new();
    let inode = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => {
            let (file, stat) = open_regular(place)?;
            content = read(file, &stat)?;
            let attributes = attributes(&stat, accounts, preferred);
            Inode::File { digest: machine.key().digest(&content), attributes }
        }
        FileType::Directory => Inode::Directory(attributes(&stat, accounts, preferred)),
        FileType::Symlink => {
            let target = readlinkat(&place.folder, &*place.name, Vec::new()).map_err(system)?;
            Inode::Symlink { target: target.into_string().map_err(|_| system(Errno::ILSEQ))? }
        }
        other => Inode::Other(special(other).to_owned()),
    };
    Ok(Look { inode, content })
}

/// Opens what is a regular file also once it is open.
pub(super) fn open_regular(place: &Place) -> Result<(OwnedFd, Stat), InodeError> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = openat(&place.folder, &*place.name, flags, Bits::empty()).map_err(system)?;
    let stat = rustix::fs::fstat(&file).map_err(system)?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Ok((file, stat)),
        other => Err(InodeError::Special(special(other).to_owned())),
    }
}

fn read(file: OwnedFd, stat: &Stat) -> Result<Vec<u8>, InodeError> {
    let size = u64::try_from(stat.st_size).unwrap_or_default();
    let mut content = Vec::new();
    // It may grow while it is read.
    std::fs::File::from(file).take(LARGEST + 1).read_to_end(&mut content)?;
    if size > LARGEST || content.len() as u64 > LARGEST {
        return Err(InodeError::TooLarge);
    }
    Ok(content)
}

fn attributes(stat: &Stat, accounts: &Accounts, preferred: Option<&Attributes>) -> Attributes {
    Attributes {
        mode: Mode::new(stat.st_mode & 0o7777).unwrap_or(Mode::PRIVATE_FILE),
        owner: accounts.user(stat.st_uid, preferred.map(|preferred| preferred.owner.as_str())),
        group: accounts.group(stat.st_gid, preferred.map(|preferred| preferred.group.as_str())),
    }
}

pub(super) fn children(place: &Place) -> Result<Children, InodeError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = match openat(&place.folder, &*place.name, flags, Bits::empty()) {
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return Ok(Children::default()),
        other => other.map_err(system)?,
    };
    let mut names = Vec::new();
    for entry in Dir::read_from(&folder).map_err(system)? {
        let name = entry.map_err(system)?.file_name().to_string_lossy().into_owned();
        if name != "." && name != ".." {
            names.push(name);
        }
    }
    names.sort();
    let more = names.len() > MOST_CHILDREN;
    names.truncate(MOST_CHILDREN);
    Ok(Children { names, more })
}

fn special(kind: FileType) -> &'static str {
    match kind {
        FileType::BlockDevice => "block device",
        FileType::CharacterDevice => "character device",
        FileType::Fifo => "FIFO",
        FileType::Socket => "socket",
        FileType::Directory => "directory",
        FileType::Symlink => "symbolic link",
        _ => "special file",
    }
}
