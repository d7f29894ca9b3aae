//! From packages and repositories as they are to those declared: what is given up goes in one transaction, before
//! its repositories; then come repositories, and one transaction of packages.

use std::collections::BTreeMap;

use super::inverse::Inverse;
use super::wishes::{Wish, Wishes};
use super::{Action, Batch, Fact, Package, Packages, Presence, RepositoryName, State, Target, Version};
use crate::capability::{Desired, PlanError};
use crate::plan::{Change, Detail, Diff, Step};

/// Packages whose change can cost the operator the connection.
const CONNECTION: &[&str] =
    &["ifupdown", "isc-dhcp-client", "netplan.io", "network-manager", "openssh-server", "systemd", "systemd-resolved"];

pub(super) fn diff(fact: &Fact, desired: &Desired<'_, Packages>) -> Result<Diff<Action>, PlanError> {
    let wishes = Wishes::of(desired)?;
    let mut open = wishes.packages;
    open.retain(|name, wish| !wish.target.is_met(state(fact, name)));
    let mut steps = Vec::new();
    if let Some(batch) = leaving(fact, &mut open) {
        steps.push(packages(fact, batch).leaving());
    }
    for (name, text) in &wishes.released {
        steps.extend(repository(fact, name, text.as_ref()).map(Step::leaving));
    }
    for (name, text) in &wishes.repositories {
        steps.extend(repository(fact, name, Some(text)));
    }
    for (recommends, to) in batches(fact, open) {
        steps.push(packages(fact, Batch { to, recommends }));
    }
    Ok(Diff { steps, ..Diff::default() })
}

/// Takes out what is given up, and with it the marks of what stays: a package that came along, and that somebody
/// declares now, must not be swept away with what it came along with.
fn leaving(fact: &Fact, open: &mut BTreeMap<Package, Wish>) -> Option<Batch> {
    if !open.values().any(|wish| wish.released) {
        return None;
    }
    let kept = |name: &Package, wish: &Wish| wish.target.presence.is_met(state(fact, name));
    let to = open.extract_if(.., |name, wish| wish.released || kept(name, wish));
    Some(Batch { to: to.map(|(name, wish)| (name, wish.target)).collect(), recommends: false })
}

/// By whether recommended packages come along, which is one answer a transaction.
fn batches(fact: &Fact, open: BTreeMap<Package, Wish>) -> BTreeMap<bool, BTreeMap<Package, Target>> {
    let mut batches: BTreeMap<bool, BTreeMap<_, _>> = BTreeMap::new();
    for (name, wish) in open {
        let recommends = wish.recommends && state(fact, &name).version.is_none();
        batches.entry(recommends).or_default().insert(name, wish.target);
    }
    batches
}

fn packages(fact: &Fact, batch: Batch) -> Step<Action> {
    let names: Vec<_> = batch.to.keys().map(Package::to_string).collect();
    let (undo, releases, lost) = Inverse::of(fact, &batch).into_parts();
    let there = |name: &Package| state(fact, name).version.is_some();
    let mut step = Step {
        resource: names.join(", "),
        change: change(fact, &batch),
        detail: Vec::new(),
        action: Action::Packages(batch.clone()),
        undo,
        releases,
        guarded: batch.to.keys().any(|name| CONNECTION.contains(&name.base()) && there(name)),
        also: names.into_iter().collect(),
        leaving: false,
    };
    for (name, target) in &batch.to {
        step = describe(step, name, state(fact, name), target);
    }
    step = notes(step, fact, &batch);
    lost.into_iter().fold(step, |step, lost| step.note(format!("cannot be undone: {lost}")))
}

fn change(fact: &Fact, batch: &Batch) -> Change {
    let creates = |(name, target): (&Package, &Target)| {
        matches!(target.presence, Presence::Installed(_)) && state(fact, name).version.is_none()
    };
    if batch.to.iter().all(creates) {
        return Change::Create;
    }
    let deletes = |target: &Target| matches!(target.presence, Presence::Absent { .. });
    if batch.to.values().all(deletes) { Change::Delete } else { Change::Update }
}

fn describe(step: Step<Action>, name: &Package, is: &State, target: &Target) -> Step<Action> {
    let before = is.version.as_ref().map(Version::to_string);
    let Presence::Installed(version) = &target.presence else { return step.field(name.as_str(), before, None) };
    let after = match version {
        Some(version) => Some(version.to_string()),
        None => before.clone().or_else(|| Some("the newest that apt offers".to_owned())),
    };
    let held = target.held.filter(|held| *held != is.held);
    let mut step = step.field(name.as_str(), before, after);
    if let Some(held) = held {
        let word = |held: bool| if held { "held" } else { "not held" }.to_owned();
        let was = is.version.as_ref().map(|_| word(is.held));
        step = step.field(&format!("{name} upgrades"), was, Some(word(held)));
    }
    if is.interrupted {
        step = step.note(format!("{name}: dpkg was interrupted while it installed it, and finishes first"));
    }
    if is.automatic && target.automatic == Some(false) && is.version.is_some() {
        step = step.note(format!("{name} came as a dependency, and is marked as wanted for itself"));
    }
    step
}

/// Names what apt does not know yet, when it could be asked.
fn notes(step: Step<Action>, fact: &Fact, batch: &Batch) -> Step<Action> {
    let unknown = |(name, target): &(&Package, &Target)| {
        let Presence::Installed(version) = &target.presence else { return false };
        !target.presence.is_met(state(fact, name))
            && fact.available.get(*name).is_some_and(|offered| match version {
                Some(version) => !offered.contains(version),
                None => offered.is_empty(),
            })
    };
    let unknown: Vec<_> = batch.to.iter().filter(unknown).map(|(name, _)| name.as_str()).collect();
    if unknown.is_empty() {
        return step;
    }
    step.note(format!("not in apt's lists, which are updated first: {}", unknown.join(", ")))
}

fn repository(fact: &Fact, name: &RepositoryName, to: Option<&String>) -> Option<Step<Action>> {
    let is = fact.repositories.get(name).cloned().flatten();
    if is.as_ref() == to {
        return None;
    }
    let change = match (&is, to) {
        (None, _) => Change::Create,
        (Some(_), Some(_)) => Change::Update,
        (Some(_), None) => Change::Delete,
    };
    let set = |to: Option<String>, refresh| Action::Repository { name: name.clone(), to, refresh };
    let resource = format!("repository/{name}");
    let mut step = Step::new(change, resource, set(to.cloned(), true), set(is.clone(), false));
    step.detail.push(Detail::Text { before: is.unwrap_or_default(), after: to.cloned().unwrap_or_default() });
    Some(step)
}

/// The state of a package; not installed when it was not observed.
pub(super) fn state<'a>(fact: &'a Fact, name: &Package) -> &'a State {
    const ABSENT: &State = &State { version: None, interrupted: false, held: false, automatic: false };
    fact.packages.get(name).unwrap_or(ABSENT)
}
