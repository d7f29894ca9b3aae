//! What the operator lets a policy do with users and groups.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::Error as ListError;

use super::{Account, Fact, GroupSpec, Membership, Name, Spec};
use crate::capability::Denied;
use crate::grant::Patterns;
use crate::machine::inode::Inode;

/// Groups whose members can become root, or read what root alone should: each has to be granted by its own name.
const POWERFUL: [&str; 16] = [
    "adm",
    "admin",
    "disk",
    "docker",
    "incus",
    "incus-admin",
    "kmem",
    "libvirt",
    "lxd",
    "podman",
    "root",
    "shadow",
    "staff",
    "sudo",
    "systemd-journal",
    "wheel",
];

/// `[policy.NAME.grant.user]`. An empty table is an error.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Table")]
pub struct Scope {
    /// Patterns of users. root, and whoever is as powerful already, only by name.
    pub users: Option<Names>,
    /// Patterns of groups to make and to put users in. Those that amount to root only by name.
    pub groups: Option<Names>,
    /// Patterns of users who may get a rule for sudo. root only by name.
    pub sudo: Option<Names>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    users: Option<Names>,
    groups: Option<Names>,
    sudo: Option<Names>,
}

/// Patterns, and the names among them.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub struct Names {
    exact: BTreeSet<String>,
    patterns: Patterns,
}

impl Scope {
    /// Whether the patterns match the user, each of its groups, and its rule for sudo.
    ///
    /// # Errors
    /// [`Denied`] for the first that is not matched.
    pub fn check(&self, spec: &Spec) -> Result<(), Denied> {
        match spec {
            Spec::Group(GroupSpec { name, .. }) => self.group(name, format!("make group {name}")),
            Spec::Absent(name) => self.user(name, format!("remove user {name}")),
            Spec::Present(account) => self.account(account),
        }
    }

    /// Whether a pattern of users does not reach somebody more powerful than this grant could make them: who sets the
    /// keys of such a user, is that user.
    ///
    /// # Errors
    /// [`Denied`] when the user has to be granted by name.
    pub fn check_fact(&self, spec: &Spec, fact: &Fact) -> Result<(), Denied> {
        let (Spec::Present(Account { name, .. }) | Spec::Absent(name)) = spec else { return Ok(()) };
        let Some(found) = fact.users.get(name) else { return Ok(()) };
        let Some(entry) = found.entry.as_ref().filter(|_| !covers(self.users.as_ref(), name, true)) else {
            return Ok(());
        };
        let groups = found.groups.iter().filter(|(_, is)| **is != Membership::Outside).map(|(group, _)| group);
        let primary = entry.primary.iter().map(|primary| &primary.name);
        let ours = |group: &str| self.groups.as_ref().is_some_and(|names| names.exact.contains(group));
        let power = groups.chain(primary).find(|group| POWERFUL.contains(&group.as_str()) && !ours(group));
        let reason = match power {
            _ if entry.uid == Some(0) => "it has the user id 0".to_owned(),
            Some(group) => format!("it is in group {group}"),
            None if found.sudo.file != Inode::Absent && !covers(self.sudo.as_ref(), name, false) => {
                "it may use sudo".to_owned()
            }
            None => return Ok(()),
        };
        Err(denied(format!("change user {name} by a pattern ({reason})"), "users", name))
    }

    fn account(&self, account: &Account) -> Result<(), Denied> {
        let name = &account.name;
        self.user(name, format!("set up user {name}"))?;
        account.groups.iter().try_for_each(|group| self.group(group, format!("put user {name} in group {group}")))?;
        if account.sudo.is_none() || covers(self.sudo.as_ref(), name, name.is_root()) {
            return Ok(());
        }
        Err(denied(format!("let user {name} use sudo"), "sudo", name))
    }

    fn user(&self, name: &Name, asked: String) -> Result<(), Denied> {
        if covers(self.users.as_ref(), name, name.is_root()) { Ok(()) } else { Err(denied(asked, "users", name)) }
    }

    fn group(&self, name: &Name, asked: String) -> Result<(), Denied> {
        let powerful = POWERFUL.contains(&name.as_str());
        if covers(self.groups.as_ref(), name, powerful) { Ok(()) } else { Err(denied(asked, "groups", name)) }
    }
}

fn covers(names: Option<&Names>, name: &Name, by_name_only: bool) -> bool {
    names.is_some_and(|names| {
        names.exact.contains(name.as_str()) || (!by_name_only && names.patterns.matches(name.as_str()))
    })
}

fn denied(asked: String, key: &'static str, name: &Name) -> Denied {
    Denied { capability: "user", asked, key, value: format!("[\"{name}\"]") }
}

impl TryFrom<Vec<String>> for Names {
    type Error = ListError;

    fn try_from(names: Vec<String>) -> Result<Self, ListError> {
        let patterns = Patterns::deserialize(names.clone().into_deserializer())?;
        Ok(Self { exact: names.into_iter().collect(), patterns })
    }
}

impl TryFrom<Table> for Scope {
    type Error = &'static str;

    fn try_from(Table { users, groups, sudo }: Table) -> Result<Self, Self::Error> {
        if users.is_none() && groups.is_none() && sudo.is_none() {
            return Err("an empty table grants nothing: give `users`, `groups` or `sudo`");
        }
        Ok(Self { users, groups, sudo })
    }
}
