//! From interfaces as they are to interfaces as declared: one step each.

use super::detail::{Names, describe};
use super::wanted::{self, Wanted};
use super::{Driver, Fact, Name, Seen, Set, State, Vpn};
use crate::capability::{Desired, PlanError};
use crate::plan::{Change, Deferred, Diff, Step};

pub(super) fn diff(fact: &Fact, desired: &Desired<'_, Vpn>) -> Result<Diff<Set>, PlanError> {
    let mut diff = Diff::default();
    let absent = Seen::default();
    for (name, wanted) in wanted::merge(desired.specs)? {
        let seen = fact.interfaces.get(name).unwrap_or(&absent);
        refuse_other(name, seen, &wanted)?;
        if seen.driver.is_none() && !fact.kernel && !fact.userspace {
            diff.deferred.push(without_kernel(name));
            continue;
        }
        let to = Set { name: name.clone(), to: wanted.state(seen, fact)?, secrets: wanted.secrets(&fact.secrets) };
        diff.steps.extend(step(seen, to, &names(seen, &wanted), fact).map(|step| mesh(step, seen, &wanted)));
    }
    for (_, release) in desired.pruned() {
        if let Some(release) = release {
            let seen = fact.interfaces.get(&release.name).unwrap_or(&absent);
            diff.steps.extend(step(seen, release.clone(), &Names::new(), fact).map(Step::leaving));
        }
    }
    Ok(diff)
}

fn step(seen: &Seen, set: Set, names: &Names<'_>, fact: &Fact) -> Option<Step<Set>> {
    let is = &seen.state;
    if *is == set.to {
        return None;
    }
    let nothing = State::default();
    let change = match (*is == nothing, set.to == nothing) {
        (true, _) => Change::Create,
        (_, true) => Change::Delete,
        _ => Change::Update,
    };
    let to = set.to.clone();
    let undo = Set { name: set.name.clone(), to: is.clone(), secrets: Default::default() };
    let step = Step::new(change, set.name.to_string(), set, undo).guarded(true);
    Some(describe(step, seen, &to, names, fact))
}

/// What the mesh lacks.
fn mesh(mut step: Step<Set>, seen: &Seen, wanted: &Wanted<'_>) -> Step<Set> {
    if let Some(key) = wanted.public_key.filter(|key| seen.kept != Some(*key)) {
        step = step.note(format!(
            "the host does not have the key pair of {key} that vpn.toml names; `stead apply` writes the one that it has"
        ));
    }
    let unknown = wanted.without_key.iter();
    unknown.fold(step, |step, host| {
        step.note(format!("{host} is no peer yet: its public key is known once `stead apply` has been there"))
    })
}

/// What the peers are called, and those that leave were.
fn names<'a>(seen: &'a Seen, wanted: &Wanted<'a>) -> Names<'a> {
    let mut names = seen.state.boot.names();
    names.extend(wanted.peers.values().filter_map(|(peer, _)| Some((peer.public_key, peer.name.as_deref()?))));
    names
}

fn refuse_other(name: &Name, seen: &Seen, wanted: &Wanted<'_>) -> Result<(), PlanError> {
    let Some(Driver::Other(kind)) = &seen.driver else { return Ok(()) };
    Err(PlanError::Impossible {
        resource: format!("vpn {name}"),
        policy: wanted.policy.to_owned(),
        reason: format!("an interface of this name is there, but it is of kind {kind}"),
    })
}

fn without_kernel(name: &Name) -> Deferred {
    let reason = format!(
        "the kernel has no WireGuard, and no program serves it: install the packages wireguard-go and wireguard-tools, \
         or run `wireguard-go {name}`"
    );
    Deferred { resource: name.to_string(), reason }
}
