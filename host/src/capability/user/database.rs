//! The files passwd(5), group(5) and shadow(5), as they lie on the machine: names from LDAP are not stead's.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;

use super::Primary;
use crate::machine::Machine;

/// A line of passwd(5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub uid: u32,
    pub gid: u32,
    pub comment: String,
    pub home: String,
    pub shell: String,
}

/// A line of group(5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct GroupEntry {
    pub gid: u32,
    pub members: BTreeSet<String>,
}

/// Both files; of names that are there twice, the first counts, as for getpwnam(3).
#[derive(Clone, Debug, Default)]
pub(super) struct Database {
    pub users: BTreeMap<String, Entry>,
    pub groups: BTreeMap<String, GroupEntry>,
}

impl Database {
    /// Reads both files; a file that is not there has no lines.
    ///
    /// # Errors
    /// The path of the file that cannot be read.
    pub(super) fn read(machine: &Machine) -> Result<Self, (String, std::io::Error)> {
        Ok(Self::parse(&text(machine, "/etc/passwd")?, &text(machine, "/etc/group")?))
    }

    fn parse(passwd: &str, group: &str) -> Self {
        let mut database = Self::default();
        for (name, entry) in passwd.lines().filter_map(entry) {
            database.users.entry(name).or_insert(entry);
        }
        for (name, entry) in group.lines().filter_map(group_entry) {
            database.groups.entry(name).or_insert(entry);
        }
        database
    }

    /// The groups that list the user.
    pub(super) fn groups_of(&self, user: &str) -> BTreeSet<String> {
        let listed = self.groups.iter().filter(|(_, group)| group.members.contains(user));
        listed.map(|(name, _)| name.clone()).collect()
    }

    /// Whether anybody is in the group.
    pub(super) fn is_used(&self, group: &GroupEntry) -> bool {
        !group.members.is_empty() || self.users.values().any(|user| user.gid == group.gid)
    }

    /// The group of this number.
    pub(super) fn primary(&self, gid: u32) -> Primary {
        let name = self.groups.iter().find(|(_, group)| group.gid == gid).map(|(name, _)| name.clone());
        Primary { name: name.unwrap_or_else(|| gid.to_string()), gid }
    }
}

/// The encrypted password of a user, or what stands in its place; `None` when there is no line.
///
/// # Errors
/// The path of the file when it cannot be read.
pub(super) fn password(machine: &Machine, user: &str) -> Result<Option<String>, (String, std::io::Error)> {
    let shadow = text(machine, "/etc/shadow")?;
    let mut lines = shadow.lines().map(|line| line.split(':'));
    let password = lines.find_map(|mut fields| (fields.next() == Some(user)).then(|| fields.next()).flatten());
    Ok(password.map(str::to_owned))
}

fn text(machine: &Machine, path: &str) -> Result<String, (String, std::io::Error)> {
    match std::fs::read(machine.path(path)) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err((path.to_owned(), error)),
    }
}

fn entry(line: &str) -> Option<(String, Entry)> {
    let mut fields = line.split(':').map(str::to_owned);
    let (name, _password) = (fields.next()?, fields.next()?);
    let (uid, gid) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some((name, Entry { uid, gid, comment: fields.next()?, home: fields.next()?, shell: fields.next()? }))
}

fn group_entry(line: &str) -> Option<(String, GroupEntry)> {
    let mut fields = line.split(':');
    let (name, _password) = (fields.next()?, fields.next()?);
    let gid = fields.next()?.parse().ok()?;
    let members = fields.next()?.split(',').filter(|member| !member.is_empty()).map(str::to_owned).collect();
    Some((name.to_owned(), GroupEntry { gid, members }))
}

#[cfg(test)]
mod tests {
    use anyhow::{Context, Result};

    use super::*;

    #[test]
    fn reads_users_and_groups() -> Result<()> {
        let database = Database::parse(
            "root:x:0:0:root:/root:/bin/bash\n+nis\ndeploy:x:1000:1000:D,,,:/home/deploy:/bin/sh\ndeploy:x:1:1:::\n",
            "root:x:0:\nsudo:x:27:deploy,other\ndeploy:x:1000:\nbroken\n",
        );
        let deploy = database.users.get("deploy").context("no deploy")?;
        assert_eq!((deploy.uid, deploy.shell.as_str()), (1000, "/bin/sh"));
        assert_eq!(database.groups_of("deploy"), BTreeSet::from(["sudo".to_owned()]));
        assert_eq!(database.primary(1000).name, "deploy");
        assert_eq!(database.primary(5).name, "5");
        Ok(())
    }
}
