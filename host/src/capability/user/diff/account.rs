//! What one user is to be.

use std::collections::{BTreeMap, BTreeSet};

use super::{View, default_home, keys_text};
use crate::capability::PlanError;
use crate::capability::user::{Account, Action, Entry, Found, Membership, Name, Place, Placed, Set, Sudo, sudoers};
use crate::machine::inode::{Attributes, Inode, Mode};
use crate::plan::Deferred;

impl View<'_> {
    pub(super) fn found(&self, name: &Name) -> Found {
        self.fact.users.get(name).cloned().unwrap_or_default()
    }

    /// What is to be done for a declared user, and what has to wait.
    pub(super) fn present(
        &self,
        name: &Name,
        account: &Account,
        gone: &BTreeSet<Name>,
    ) -> Result<(Option<Set>, Vec<Deferred>), PlanError> {
        let is = self.found(name);
        let mut wait = Wait { name, deferred: Vec::new() };
        let to = entry(account, &is);
        if let Some(other) = account.uid.and_then(|uid| self.fact.uids.get(&uid)) {
            let free = other == name.as_str() || gone.iter().any(|gone| gone.as_str() == other);
            let taken = || format!("user {other} has the uid {}", account.uid.unwrap_or_default());
            if !free {
                return Err(self.impossible(name, taken()));
            }
        }
        let set = Set {
            groups: self.groups(account, &is, &mut wait)?,
            keys: self.keys(account, &is, &to, &mut wait)?,
            sudo: self.sudo(account, &is)?,
            ..Set::of(name, Some(to))
        };
        let changes = set.to != is.entry || !set.groups.is_empty() || set.keys.is_some() || set.sudo.is_some();
        Ok((changes.then_some(set), wait.deferred))
    }

    /// The memberships that change.
    fn groups(
        &self,
        account: &Account,
        is: &Found,
        wait: &mut Wait<'_>,
    ) -> Result<BTreeMap<String, Membership>, PlanError> {
        let declared = |group: &str| account.groups.iter().any(|declared| declared.as_str() == group);
        let leave = is.joined().filter(|group| !declared(group)).map(|group| (group.clone(), Membership::Outside));
        let mut changes: BTreeMap<_, _> = leave.collect();
        for group in account.groups.iter().filter(|group| is.membership(group.as_str()) == Membership::Outside) {
            let there = self.group_found(group).is_some() || self.wanted.groups.contains_key(group);
            if there || (is.entry.is_none() && *group == account.name) {
                changes.insert(group.to_string(), Membership::Joined);
            } else if self.later {
                wait.for_(format!("there is no group {group} yet"));
            } else {
                let reason = format!("there is no group {group}: declare it, or the package that brings it");
                return Err(self.impossible(&account.name, reason));
            }
        }
        Ok(changes)
    }

    fn keys(&self, account: &Account, is: &Found, to: &Entry, wait: &mut Wait<'_>) -> Result<Option<Place>, PlanError> {
        let Some(keys) = &account.authorized_keys else { return Ok(None) };
        let name = &account.name;
        self.untouchable(name, &is.keys)?;
        if let Some(other) = &is.home_of {
            return Err(self.impossible(name, format!("its home directory {} is that of {other}", to.home)));
        }
        let will_be_made = is.entry.is_none() && !to.system;
        match &is.home {
            Inode::Absent if will_be_made => {}
            Inode::Absent => {
                wait.for_(format!("its home directory {} is not there yet", to.home));
                return Ok(None);
            }
            Inode::Directory(home) if is_own(home, name, is, to) => {}
            Inode::Directory(home) => {
                let reason = format!("its home directory {} belongs to {}", to.home, home.owner);
                return Err(self.impossible(name, reason));
            }
            other => return Err(self.impossible(name, format!("its home directory is a {}", other.kind()))),
        }
        let group = to.primary.as_ref().map_or_else(|| name.to_string(), |primary| primary.name.clone());
        let own = |mode| Attributes { mode, owner: name.to_string(), group: group.clone() };
        let directory = Inode::Directory(own(Mode::new(0o700).unwrap_or(Mode::PRIVATE_FILE)));
        self.place(name, &is.keys, directory, own(Mode::PRIVATE_FILE), keys_text(keys))
    }

    fn sudo(&self, account: &Account, is: &Found) -> Result<Option<Place>, PlanError> {
        let Some(sudo) = account.sudo else { return Ok(without_sudo(is)) };
        self.untouchable(&account.name, &is.sudo)?;
        let directory = match &is.sudo.directory {
            Inode::Directory(attributes) => attributes.clone(),
            _ => sudoers::directory(),
        };
        let text = sudoers::text(&account.name, sudo);
        self.place(&account.name, &is.sudo, Inode::Directory(directory), sudoers::attributes(), text)
    }

    fn place(
        &self,
        name: &Name,
        is: &Placed,
        directory: Inode,
        attributes: Attributes,
        text: String,
    ) -> Result<Option<Place>, PlanError> {
        let (Some(path), Some(digest)) = (is.path.clone(), is.wanted.clone()) else {
            return Err(self.impossible(name, "it was not observed".to_owned()));
        };
        let place = Place { path, directory, file: Inode::File { digest, attributes }, content: Some(text) };
        Ok((!place.is(is)).then_some(place))
    }

    fn untouchable(&self, name: &Name, is: &Placed) -> Result<(), PlanError> {
        match &is.foreign {
            Some(reason) => Err(self.impossible(name, reason.clone())),
            None => Ok(()),
        }
    }

    fn impossible(&self, name: &Name, reason: String) -> PlanError {
        let policy = self.wanted.policies.get(name).cloned().unwrap_or_default();
        PlanError::Impossible { resource: format!("user {name}"), policy, reason }
    }

    /// A user who is declared not to be there.
    pub(super) fn removed(&self, name: &Name) -> Option<Set> {
        let is = self.found(name);
        is.entry.as_ref()?;
        Some(Set { group: self.group_that_stays(name, &is), sudo: without_sudo(&is), ..Set::of(name, None) })
    }

    /// A user whom nobody declares any more goes back to what it was before stead.
    pub(super) fn given_up(&self, release: &Set) -> Option<Set> {
        let name = &release.name;
        let is = self.found(name);
        // Whom somebody else removed does not come back.
        if is.entry.is_none() && (release.to.is_none() || !is.removed) {
            return None;
        }
        let leave = is.joined().map(|group| (group.clone(), Membership::Outside));
        let place = |release: &Option<Place>, is: &Placed| release.clone().filter(|place| !place.is(is));
        let set = Set {
            groups: if is.entry.is_some() { leave.collect() } else { release.groups.clone() },
            // Keys that somebody else wrote since are not stead's to take away.
            keys: place(&release.keys, &is.keys).filter(|_| is_ours(&is.keys)),
            sudo: place(&release.sudo, &is.sudo).or_else(|| without_sudo(&is).filter(|_| release.sudo.is_none())),
            group: release.group.or_else(|| self.group_that_stays(name, &is)),
            ..release.clone()
        };
        let changes = set.to != is.entry || !set.groups.is_empty() || set.keys.is_some() || set.sudo.is_some();
        changes.then_some(set)
    }

    /// The id of the group of the same name, when it is no user-private one.
    fn group_that_stays(&self, name: &Name, is: &Found) -> Option<u32> {
        let group = self.group_found(name)?;
        let private =
            is.entry.as_ref().and_then(|entry| entry.primary.as_ref()).is_some_and(|p| p.name == name.as_str());
        if private && !self.wanted.groups.contains_key(name) { None } else { group.gid }
    }

    /// What leads back to what was found, of all that this set changes.
    pub(super) fn undo(&self, set: &Set, is: &Found) -> Set {
        let created = is.entry.is_none();
        let groups: BTreeMap<_, _> = match set.to {
            Some(_) => set.groups.keys().map(|group| (group.clone(), is.membership(group))).collect(),
            // userdel(8) takes it out of all of them.
            None => is.groups.clone(),
        };
        Set {
            name: set.name.clone(),
            to: is.entry.clone(),
            restored: set.to.is_none(),
            group: self.group_found(&set.name).and_then(|group| group.gid).filter(|_| created),
            groups: if created { BTreeMap::new() } else { groups },
            keys: set.keys.as_ref().and_then(|_| Place::back(&is.keys)),
            sudo: set.sudo.as_ref().and_then(|_| Place::back(&is.sudo)),
        }
    }
}

impl Set {
    /// Nothing but this line of passwd(5).
    fn of(name: &Name, to: Option<Entry>) -> Self {
        let (groups, name) = (BTreeMap::new(), name.clone());
        Self { name, to, restored: false, group: None, groups, keys: None, sudo: None }
    }
}

impl From<Set> for Action {
    fn from(set: Set) -> Self {
        Self::User(Box::new(set))
    }
}

struct Wait<'a> {
    name: &'a Name,
    deferred: Vec<Deferred>,
}

impl Wait<'_> {
    fn for_(&mut self, reason: String) {
        self.deferred.push(Deferred { resource: self.name.to_string(), reason });
    }
}

fn entry(account: &Account, is: &Found) -> Entry {
    let mut to = is.entry.clone().unwrap_or_else(|| fresh(account, is));
    let set = |field: &mut String, value: Option<String>| *field = value.unwrap_or_else(|| std::mem::take(field));
    set(&mut to.shell, account.shell.clone());
    set(&mut to.home, account.home.clone().map(String::from));
    set(&mut to.comment, account.comment.clone());
    to.uid = account.uid.or(to.uid);
    to
}

/// A new user before anything that was asked for. One whose home directory is still there gets its old id again.
fn fresh(account: &Account, is: &Found) -> Entry {
    let orphaned = is.home.attributes().and_then(|home| home.owner.parse().ok());
    Entry {
        uid: orphaned.filter(|uid| *uid > 0 && (*uid < 1000) == account.system),
        system: account.system,
        home: default_home(&account.name),
        shell: if account.system { "/usr/sbin/nologin" } else { "/bin/bash" }.to_owned(),
        ..Entry::default()
    }
}

/// Whether sshd(8) takes keys of this user from this home directory.
fn is_own(home: &Attributes, name: &Name, is: &Found, to: &Entry) -> bool {
    let orphaned = is.entry.is_none() && home.owner.parse().ok() == to.uid && to.uid.is_some();
    home.owner == name.as_str() || home.owner == "root" || orphaned
}

fn is_ours(keys: &Placed) -> bool {
    keys.text.as_ref().is_some_and(|text| text.starts_with(super::KEYS_HEADER))
}

/// stead's own rule goes; the directory stays.
fn without_sudo(is: &Found) -> Option<Place> {
    let back = Place::back(&is.sudo)?;
    (back.file != Inode::Absent).then_some(Place { file: Inode::Absent, ..back })
}

/// Whether sudo(8) would ask for a password that the user has not.
pub(super) fn needs_password(is: &Found, account: Option<&Account>) -> bool {
    is.entry.is_none() && account.is_some_and(|account| account.sudo == Some(Sudo::All))
}
