//! From users and groups as they are to those declared: who goes, groups, who comes or changes, groups that go. Then
//! an undo, in reverse, finds every group that a user was in.

use std::collections::BTreeSet;

use super::merge::Wanted;
use super::{Action, Fact, Group, Name, PublicKey, Set, User};
use crate::capability::{Desired, PlanError};
use crate::plan::{Change, Diff, Step};

mod account;
mod shown;

const KEYS_HEADER: &str = "# Written by stead, which replaces it as a whole.\n";

/// The content of an authorized_keys file; see sshd(8).
pub(super) fn keys_text(keys: &[PublicKey]) -> String {
    let lines: String = keys.iter().map(|key| format!("{key}\n")).collect();
    format!("{KEYS_HEADER}{lines}")
}

/// Where useradd(8) of Debian puts the home directory of a user.
pub(super) fn default_home(name: &Name) -> String {
    format!("/home/{name}")
}

pub(super) fn diff(fact: &Fact, desired: &Desired<'_, User>) -> Result<Diff<Action>, PlanError> {
    let view = View { fact, wanted: Wanted::of(desired.specs)?, later: !desired.changed.is_empty() };
    let mut diff = Diff::default();
    let (mut sets, mut groups_gone) = (Vec::new(), Vec::new());
    for (_, release) in desired.pruned() {
        match release {
            Some(Action::User(release)) => sets.extend(view.given_up(release)),
            Some(Action::Group { name, to }) => groups_gone.push((name, to)),
            None => {}
        }
    }
    sets.extend(view.wanted.absent.keys().filter_map(|name| view.removed(name)));
    sets.sort_by(|a: &Set, b| a.name.cmp(&b.name));
    let gone: BTreeSet<Name> = sets.iter().filter(|set| set.to.is_none()).map(|set| set.name.clone()).collect();
    diff.steps.extend(sets.iter().filter(|set| set.to.is_none()).map(|set| view.user(set.clone())));
    for (name, (policy, gid)) in &view.wanted.groups {
        diff.steps.extend(view.declared_group(name, policy, *gid)?);
    }
    for (name, account) in &view.wanted.users {
        let (set, deferred) = view.present(name, account, &gone)?;
        diff.steps.extend(set.map(|set| view.user(set)));
        diff.deferred.extend(deferred);
    }
    diff.steps.extend(sets.into_iter().filter(|set| set.to.is_some()).map(|set| view.user(set)));
    for (name, to) in groups_gone {
        diff.steps.extend(view.given_up_group(name, to.as_ref(), &gone));
    }
    Ok(diff)
}

/// What the comparison looks at.
struct View<'a> {
    fact: &'a Fact,
    wanted: Wanted,
    /// Whether earlier steps may yet bring what is missing.
    later: bool,
}

impl View<'_> {
    fn group_found(&self, name: &Name) -> Option<&Group> {
        self.fact.groups.get(name).and_then(Option::as_ref)
    }

    fn declared_group(&self, name: &Name, policy: &str, gid: Option<u32>) -> Result<Option<Step<Action>>, PlanError> {
        let is = self.group_found(name);
        if let Some(other) = gid.and_then(|gid| self.fact.gids.get(&gid)).filter(|other| *other != name.as_str()) {
            let reason = format!("group {other} has the gid {}", gid.unwrap_or_default());
            let (resource, policy) = (format!("user group/{name}"), policy.to_owned());
            return Err(PlanError::Impossible { resource, policy, reason });
        }
        let to = Group { gid: gid.or(is.and_then(|is| is.gid)), ..is.cloned().unwrap_or_default() };
        Ok(group(name, is, Some(&to)))
    }

    /// A group that nobody declares any more. It stays while it is some user's primary group.
    fn given_up_group(&self, name: &Name, to: Option<&Group>, gone: &BTreeSet<Name>) -> Option<Step<Action>> {
        let is = self.group_found(name)?;
        let user =
            is.primary_of.as_ref().filter(|user| to.is_none() && !gone.iter().any(|gone| gone.as_str() == *user));
        let Some(user) = user else { return group(name, Some(is), to) };
        let stays = Action::Group { name: name.clone(), to: Some(is.clone()) };
        let note = format!("no longer declared; stays, because it is the primary group of {user}");
        Some(Step::new(Change::Update, format!("group/{name}"), stays.clone(), stays).note(note))
    }
}

fn group(name: &Name, is: Option<&Group>, to: Option<&Group>) -> Option<Step<Action>> {
    let gid = |group: Option<&Group>| group.and_then(|group| group.gid).map(|gid| gid.to_string());
    if is.is_some() == to.is_some() && gid(is) == gid(to) {
        return None;
    }
    let set = |to: Option<&Group>| Action::Group { name: name.clone(), to: to.cloned() };
    let step = Step::new(change(is, to), format!("group/{name}"), set(to), set(is));
    let step = step.field("gid", gid(is), gid(to));
    Some(if is.is_some() && to.is_some() { step.note("what files have this group keeps the old id") } else { step })
}

fn change<T>(is: Option<T>, to: Option<T>) -> Change {
    match (is, to) {
        (None, _) => Change::Create,
        (Some(_), Some(_)) => Change::Update,
        (Some(_), None) => Change::Delete,
    }
}
