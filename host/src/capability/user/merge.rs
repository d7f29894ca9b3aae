//! What all policies together want of each user and group.

use std::collections::BTreeMap;
use std::fmt::Display;

use super::{Account, GroupSpec, Name, PublicKey, Spec, Sudo};
use crate::capability::{Declared, PlanError};

/// What is wanted, by name.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub users: BTreeMap<Name, Account>,
    /// Who is not to be there.
    pub absent: BTreeMap<Name, String>,
    pub groups: BTreeMap<Name, (String, Option<u32>)>,
    /// The policy that spoke first of each user.
    pub policies: BTreeMap<Name, String>,
}

impl Wanted {
    /// Merges what the policies declare: fields that only one gives, groups of all.
    ///
    /// # Errors
    /// When two policies contradict each other.
    pub(super) fn of(specs: &[Declared<Spec>]) -> Result<Self, PlanError> {
        let mut wanted = Self::default();
        let mut accounts: BTreeMap<&Name, Vec<(&str, &Account)>> = BTreeMap::new();
        for Declared { policy, spec } in specs {
            match spec {
                Spec::Group(group) => wanted.group(policy, group)?,
                Spec::Absent(name) => drop(wanted.absent.entry(name.clone()).or_insert_with(|| policy.clone())),
                Spec::Present(account) => accounts.entry(&account.name).or_default().push((policy, account)),
            }
        }
        for (name, accounts) in accounts {
            let Some((first, _)) = accounts.first().copied() else { continue };
            if let Some(second) = wanted.absent.get(name) {
                return Err(conflict(&format!("user {name}"), (first, second), "one wants it, the other does not"));
            }
            wanted.users.insert(name.clone(), merge(name, &accounts)?);
            wanted.policies.insert(name.clone(), first.to_owned());
        }
        Ok(wanted)
    }

    fn group(&mut self, policy: &str, GroupSpec { name, gid }: &GroupSpec) -> Result<(), PlanError> {
        match self.groups.get(name) {
            Some((first, Some(earlier))) if gid.is_some_and(|gid| gid != *earlier) => {
                let reason = format!("gid {earlier} and {}", gid.unwrap_or_default());
                return Err(conflict(&format!("user group/{name}"), (first, policy), &reason));
            }
            Some((_, Some(_))) => {}
            _ => drop(self.groups.insert(name.clone(), (policy.to_owned(), *gid))),
        }
        Ok(())
    }
}

fn merge(name: &Name, accounts: &[(&str, &Account)]) -> Result<Account, PlanError> {
    let fields = Fields { name, accounts };
    let keys = |keys: &Vec<PublicKey>| format!("{} keys", keys.len());
    let sudo = |sudo: &Sudo| sudo.word().to_owned();
    Ok(Account {
        name: name.clone(),
        uid: fields.agree("uid", |account| account.uid, shown)?,
        shell: fields.agree("shell", |account| account.shell.clone(), shown)?,
        home: fields.agree("home", |account| account.home.clone(), shown)?,
        comment: fields.agree("comment", |account| account.comment.clone(), shown)?,
        system: fields.agree("system", |account| Some(account.system), shown)?.unwrap_or_default(),
        groups: accounts.iter().flat_map(|(_, account)| account.groups.clone()).collect(),
        authorized_keys: fields.agree("authorized-keys", |account| account.authorized_keys.clone(), keys)?,
        sudo: fields.agree("sudo", |account| account.sudo, sudo)?,
    })
}

fn shown<T: Display>(value: &T) -> String {
    value.to_string()
}

struct Fields<'a> {
    name: &'a Name,
    accounts: &'a [(&'a str, &'a Account)],
}

impl Fields<'_> {
    /// The value on which all who give one agree.
    fn agree<T: PartialEq>(
        &self,
        field: &str,
        value: impl Fn(&Account) -> Option<T>,
        shown: impl Fn(&T) -> String,
    ) -> Result<Option<T>, PlanError> {
        let mut given = self.accounts.iter().filter_map(|(policy, account)| Some((*policy, value(account)?)));
        let Some((first, agreed)) = given.next() else { return Ok(None) };
        match given.find(|(_, value)| *value != agreed) {
            None => Ok(Some(agreed)),
            Some((second, other)) => {
                let reason = format!("{field}: {} and {}", shown(&agreed), shown(&other));
                Err(conflict(&format!("user {}", self.name), (first, second), &reason))
            }
        }
    }
}

fn conflict(resource: &str, (first, second): (&str, &str), reason: &str) -> PlanError {
    PlanError::Conflict {
        resource: resource.to_owned(),
        first: first.to_owned(),
        second: second.to_owned(),
        reason: reason.to_owned(),
    }
}
