//! Names of users and groups, from the machine's own `/etc/passwd` and `/etc/group`.
//!
//! No name service is asked: what stead sets up must not depend on a directory server that is down.

use super::{Attributes, InodeError};
use crate::machine::Machine;

/// The users and groups of a machine at one moment.
#[derive(Clone, Debug, Default)]
pub struct Accounts {
    users: Vec<(String, u32)>,
    groups: Vec<(String, u32)>,
}

impl Accounts {
    /// Reads them. A root without these files knows `root` alone.
    ///
    /// # Errors
    /// When a file is there but cannot be read.
    pub fn read(machine: &Machine) -> std::io::Result<Self> {
        let users = entries(machine, "/etc/passwd")?;
        Ok(Self { users, groups: entries(machine, "/etc/group")? })
    }

    /// The user and group ids of a file that is to have these attributes.
    ///
    /// # Errors
    /// When a name is unknown.
    pub fn ids(&self, attributes: &Attributes) -> Result<(u32, u32), InodeError> {
        let user = id(&self.users, &attributes.owner).ok_or_else(|| InodeError::NoUser(attributes.owner.clone()))?;
        let group = id(&self.groups, &attributes.group).ok_or_else(|| InodeError::NoGroup(attributes.group.clone()))?;
        Ok((user, group))
    }

    /// Whether there is a user of this name.
    pub fn has_user(&self, name: &str) -> bool {
        id(&self.users, name).is_some()
    }

    /// Whether there is a group of this name.
    pub fn has_group(&self, name: &str) -> bool {
        id(&self.groups, name).is_some()
    }

    /// The user's name: `preferred` when it is one of several for this id; the number when there is none.
    pub(super) fn user(&self, uid: u32, preferred: Option<&str>) -> String {
        name(&self.users, uid, preferred)
    }

    /// The group's name, as [`Accounts::user`].
    pub(super) fn group(&self, gid: u32, preferred: Option<&str>) -> String {
        name(&self.groups, gid, preferred)
    }
}

fn entries(machine: &Machine, path: &str) -> std::io::Result<Vec<(String, u32)>> {
    let text = match std::fs::read(machine.path(path)) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(vec![("root".to_owned(), 0)]),
        other => other?,
    };
    // passwd(5) and group(5) both have the name first and the id third.
    let entry = |line: &str| {
        let mut fields = line.split(':');
        Some((fields.next()?.to_owned(), fields.nth(1)?.parse().ok()?))
    };
    Ok(String::from_utf8_lossy(&text).lines().filter_map(entry).collect())
}

fn id(entries: &[(String, u32)], name: &str) -> Option<u32> {
    let named = entries.iter().find(|(entry, _)| entry == name).map(|(_, id)| *id);
    named.or_else(|| name.parse().ok())
}

fn name(entries: &[(String, u32)], id: u32, preferred: Option<&str>) -> String {
    let mut names = entries.iter().filter(|(_, entry)| *entry == id).map(|(name, _)| name.as_str());
    let first = names.clone().next();
    let chosen = names.find(|name| Some(*name) == preferred).or(first);
    chosen.map_or_else(|| id.to_string(), str::to_owned)
}
