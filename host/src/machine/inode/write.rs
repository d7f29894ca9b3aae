//! Makes a path what it is to be.

use std::io::Write;
use std::os::fd::OwnedFd;

use rustix::fs::{
    AtFlags, Gid, Mode as Bits, OFlags, Uid, fchmod, fchown, fsync, mkdirat, openat, renameat, symlinkat, unlinkat,
};
use rustix::io::Errno;

use super::read::{self, Look};
use super::walk::{Place, system};
use super::{Accounts, Attributes, Inode, InodeError, Pathname};
use crate::digest::Digest;
use crate::machine::Machine;

impl Machine {
    /// `path` is what `to` says, on disk before this returns; doing it twice is the same as doing it once.
    ///
    /// `content` is that of a file; without it, the content is one that was kept when an earlier change replaced it.
    /// What is replaced now is kept as well.
    ///
    /// # Errors
    /// When it cannot be; what was there is then as it was.
    pub fn set(&self, path: &Pathname, to: &Inode, content: Option<&[u8]>) -> Result<(), InodeError> {
        if self.path(path.as_str()).starts_with(self.state()) {
            return Err(InodeError::OwnRecord(path.to_string()));
        }
        let place = match Place::of(self, path) {
            Err(InodeError::NoParent(_)) if *to == Inode::Absent => return Ok(()),
            place => place?,
        };
        let accounts = Accounts::read(self)?;
        let now = read::look(self, &place, &accounts, to.attributes())?;
        if let Inode::File { digest, .. } = &now.inode
            && !matches!(to, Inode::File { digest: wanted, .. } if wanted == digest)
        {
            self.blobs().keep(digest, &now.content)?;
        }
        let change = Change { machine: self, place, accounts, now };
        match to {
            Inode::Absent => change.absent(),
            Inode::File { digest, attributes } => change.file(digest, attributes, content),
            Inode::Directory(attributes) => change.directory(attributes),
            Inode::Symlink { target } => change.symlink(target),
            Inode::Other(kind) => Err(InodeError::Special(kind.clone())),
        }
    }
}

struct Change<'a> {
    machine: &'a Machine,
    place: Place,
    accounts: Accounts,
    now: Look,
}

impl Change<'_> {
    fn absent(&self) -> Result<(), InodeError> {
        // What a killed run left half-written goes as well.
        self.remove_temporary()?;
        self.clear()?;
        self.sync()
    }

    fn directory(&self, attributes: &Attributes) -> Result<(), InodeError> {
        let ids = self.accounts.ids(attributes)?;
        if !matches!(self.now.inode, Inode::Directory(_)) {
            self.clear()?;
            mkdirat(&self.place.folder, &*self.place.name, Bits::RWXU).map_err(system)?;
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder = openat(&self.place.folder, &*self.place.name, flags, Bits::empty()).map_err(system)?;
        dress(&folder, attributes, ids)?;
        fsync(&folder).map_err(system)?;
        self.sync()
    }

    fn symlink(&self, target: &str) -> Result<(), InodeError> {
        if matches!(&self.now.inode, Inode::Symlink { target: now } if now == target) {
            return Ok(());
        }
        self.clear_directory()?;
        self.remove_temporary()?;
        symlinkat(target, &self.place.folder, &*self.temporary()).map_err(system)?;
        self.persist()
    }

    fn file(&self, digest: &Digest, attributes: &Attributes, content: Option<&[u8]>) -> Result<(), InodeError> {
        let ids = self.accounts.ids(attributes)?;
        let same = matches!(&self.now.inode, Inode::File { digest: now, .. } if now == digest);
        if same && self.dress_in_place(attributes, ids)? {
            return Ok(());
        }
        let kept = match content {
            Some(_) => None,
            None if same => Some(self.now.content.clone()),
            None => Some(self.machine.blobs().get(digest)?.ok_or(InodeError::NoContent)?),
        };
        let content = content.or(kept.as_deref()).unwrap_or_default();
        self.clear_directory()?;
        self.remove_temporary()?;
        let written = self.write_temporary(content, attributes, ids).and_then(|()| self.persist());
        if written.is_err() {
            // The error of the write is the one to tell.
            let _ = self.remove_temporary();
        }
        written
    }

    /// Changes no more than mode and ownership, unless the inode has other names: those are not ours to change.
    fn dress_in_place(&self, attributes: &Attributes, ids: (u32, u32)) -> Result<bool, InodeError> {
        let (file, stat) = read::open_regular(&self.place)?;
        if stat.st_nlink != 1 {
            return Ok(false);
        }
        dress(&file, attributes, ids)?;
        fsync(&file).map_err(system)?;
        Ok(true)
    }

    fn write_temporary(&self, content: &[u8], attributes: &Attributes, ids: (u32, u32)) -> Result<(), InodeError> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(&self.place.folder, &*self.temporary(), flags, Bits::RUSR | Bits::WUSR).map_err(system)?;
        let mut file = std::fs::File::from(file);
        file.write_all(content)?;
        let file = OwnedFd::from(file);
        dress(&file, attributes, ids)?;
        fsync(&file).map_err(system)
    }

    /// Gives what was written its name.
    fn persist(&self) -> Result<(), InodeError> {
        let folder = &self.place.folder;
        renameat(folder, &*self.temporary(), folder, &*self.place.name).map_err(system)?;
        self.sync()
    }

    /// Nothing is at the name.
    fn clear(&self) -> Result<(), InodeError> {
        match &self.now.inode {
            Inode::Absent => Ok(()),
            Inode::Directory(_) => self.clear_directory(),
            Inode::Other(kind) => Err(InodeError::Special(kind.clone())),
            Inode::File { .. } | Inode::Symlink { .. } => self.unlink(&self.place.name, AtFlags::empty()),
        }
    }

    /// No directory is at the name, so that a rename(2) can take it. What else is there goes in the rename itself.
    fn clear_directory(&self) -> Result<(), InodeError> {
        match &self.now.inode {
            Inode::Other(kind) => Err(InodeError::Special(kind.clone())),
            Inode::Directory(_) => match self.unlink(&self.place.name, AtFlags::REMOVEDIR) {
                Err(InodeError::System(error)) if error.kind() == std::io::ErrorKind::DirectoryNotEmpty => {
                    Err(InodeError::NotEmpty(read::children(&self.place)?.to_string()))
                }
                other => other,
            },
            _ => Ok(()),
        }
    }

    fn remove_temporary(&self) -> Result<(), InodeError> {
        self.unlink(&self.temporary(), AtFlags::empty())
    }

    fn unlink(&self, name: &str, flags: AtFlags) -> Result<(), InodeError> {
        match unlinkat(&self.place.folder, name, flags) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(system(error)),
        }
    }

    /// Where the new file is written: always the same, so that a killed run leaves nothing that the next one does not
    /// take away. Its leading dot keeps it out of what reads whole directories: run-parts(8), apt.conf(5), glob(7).
    fn temporary(&self) -> String {
        let name = &self.place.name;
        if name.len() < 200 {
            return format!(".{name}.stead-new");
        }
        format!(".{}.stead-new", Digest::public(name.as_bytes()).short())
    }

    fn sync(&self) -> Result<(), InodeError> {
        fsync(self.place.readable_folder()?).map_err(system)
    }
}

/// Ownership first: chown(2) takes the set-user-ID and set-group-ID bits away.
fn dress(file: &OwnedFd, attributes: &Attributes, (user, group): (u32, u32)) -> Result<(), InodeError> {
    fchown(file, Some(Uid::from_raw(user)), Some(Gid::from_raw(group))).map_err(system)?;
    fchmod(file, Bits::from_raw_mode(attributes.mode.bits())).map_err(system)
}
