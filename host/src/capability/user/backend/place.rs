//! Puts authorized_keys and the rule for sudo in place. A home directory is its owner's: every write goes through
//! [`crate::machine::inode`], which no symbolic link leads astray.

use super::{refused, unwritten};
use crate::capability::ApplyError;
use crate::capability::user::{Name, Place, User};
use crate::machine::inode::{Accounts, Inode, InodeError, Pathname};

impl User {
    pub(super) fn write(&self, place: &Place) -> Result<(), ApplyError> {
        let Place { path, directory, file, content } = place;
        let content = content.as_deref().map(str::as_bytes);
        let parent = path.parent();
        if let (Some(parent), Inode::Directory(_)) = (&parent, directory) {
            self.machine.set(parent, directory, None).map_err(|error| unwritten(parent, error))?;
        }
        self.machine.set(path, file, content).map_err(|error| unwritten(path, error))?;
        match (&parent, directory) {
            (Some(parent), Inode::Absent) => self.clear(parent),
            _ => Ok(()),
        }
    }

    /// Removes a directory that stead made, unless somebody else uses it by now.
    fn clear(&self, directory: &Pathname) -> Result<(), ApplyError> {
        match self.machine.set(directory, &Inode::Absent, None) {
            Err(InodeError::NotEmpty(_)) => Ok(()),
            other => other.map_err(|error| unwritten(directory, error)),
        }
    }

    /// Keeps the content that is there, so that a later prune can bring it back even if this change leaves it alone.
    pub(super) fn keep(&self, path: &Pathname) -> Result<(), ApplyError> {
        let accounts = Accounts::read(&self.machine).map_err(|error| unwritten(path, error.into()))?;
        let Ok(look) = self.machine.look(path, &accounts, None) else { return Ok(()) };
        let Inode::File { digest, .. } = &look.inode else { return Ok(()) };
        self.machine.blobs().keep(digest, &look.content).map_err(|error| unwritten(path, error.into()))
    }

    /// Whether the home directory is one in which sshd(8) accepts keys of the user: its own, or root's.
    pub(super) fn own_home(&self, name: &Name, keys: &Pathname) -> Result<(), ApplyError> {
        let Some(home) = keys.parent().and_then(|directory| directory.parent()) else { return Ok(()) };
        let accounts = Accounts::read(&self.machine).map_err(|error| unwritten(&home, error.into()))?;
        let look = self.machine.look(&home, &accounts, None).map_err(|error| unwritten(&home, error))?;
        match look.inode.attributes().map(|attributes| attributes.owner.as_str()) {
            Some(owner) if owner == name.as_str() || owner == "root" => Ok(()),
            Some(owner) => Err(refused(name, format!("its home directory {home} belongs to {owner}"))),
            None => Err(refused(name, format!("its home directory {home} is not there"))),
        }
    }
}
