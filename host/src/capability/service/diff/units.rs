//! Whether units are enabled, masked, running.

use indexmap::IndexMap;

use super::files::{Files, fragment};
use super::{impossible, is_guarded};
use crate::capability::service::spec::FOLDER;
use crate::capability::service::{Action, Fact, FoundUnit, Fragment, Service, Spec, State, Unit, UnitName};
use crate::capability::{Declared, Desired, PlanError};
use crate::machine::inode::Inode;
use crate::plan::{Change, Deferred, Diff, Step};

/// What all policies together say of a unit, and the first that says anything; in the order of declaration.
pub(super) type Wishes = IndexMap<UnitName, Declared<Unit>>;

pub(super) fn merged(specs: &[Declared<Spec>]) -> Result<Wishes, PlanError> {
    let mut wishes = Wishes::new();
    for Declared { policy, spec } in specs {
        let Spec::Unit(unit) = spec else { continue };
        match wishes.get_mut(&unit.name) {
            None => {
                wishes.insert(unit.name.clone(), Declared { policy: policy.clone(), spec: unit.clone() });
            }
            Some(wish) => merge(wish, policy, unit)?,
        }
    }
    Ok(wishes)
}

fn merge(wish: &mut Declared<Unit>, policy: &str, unit: &Unit) -> Result<(), PlanError> {
    let Declared { policy: first, spec } = wish;
    let pairs = [
        ("enabled", &mut spec.enabled, unit.enabled),
        ("running", &mut spec.running, unit.running),
        ("masked", &mut spec.masked, unit.masked),
    ];
    for (word, one, other) in pairs {
        if let (Some(one), Some(other)) = (&*one, other)
            && *one != other
        {
            return Err(PlanError::Conflict {
                resource: format!("service {}", unit.name),
                first: first.clone(),
                second: policy.to_owned(),
                reason: format!("{word} {one} and {other}"),
            });
        }
        *one = one.or(other);
    }
    spec.depends_on.extend(unit.depends_on.iter().cloned());
    spec.on_change = spec.on_change.max(unit.on_change);
    Ok(())
}

/// What is given up goes back to what it was; a unit that is not there any more has nothing to go back to.
pub(super) fn pruned(fact: &Fact, desired: &Desired<'_, Service>) -> Vec<Step<Action>> {
    let step = |(_, release): (&String, &Option<Action>)| {
        let Some(Action::Unit { unit, to }) = release else { return None };
        let found = fact.units.get(unit).filter(|found| found.id.is_some())?;
        step(unit, found, found.unlike(to)).map(Step::leaving)
    };
    desired.pruned().filter_map(step).collect()
}

pub(super) fn steps(
    fact: &Fact,
    wishes: &Wishes,
    files: &Files<'_>,
    desired: &Desired<'_, Service>,
) -> Result<Diff<Action>, PlanError> {
    let mut diff = Diff::default();
    let nothing = FoundUnit::default();
    for (name, wish) in wishes {
        let found = fact.units.get(name).unwrap_or(&nothing);
        let own = own_file(name, files);
        if own.is_some() || (found.id.is_some() && !loses_its_file(name, desired)) {
            possible(wish, found, own)?;
        } else if wish.spec.enabled == Some(true) || wish.spec.running == Some(true) {
            if !desired.changed.iter().any(|changed| changed.starts_with("package:")) {
                return Err(impossible(name.as_str(), wish, "there is no such unit"));
            }
            let reason = "there is no such unit yet; a package of this plan may bring it".to_owned();
            diff.deferred.push(Deferred { resource: name.to_string(), reason });
            continue;
        }
        let Unit { masked, enabled, running, .. } = wish.spec;
        diff.steps.extend(step(name, found, found.unlike(&State { masked, enabled, running })));
    }
    Ok(diff)
}

/// The unit file, of the unit or of its template, that is declared with it.
pub(super) fn own_file<'a>(name: &UnitName, files: &'a Files<'_>) -> Option<&'a Fragment> {
    let own = |name: &UnitName| files.get(&format!("{FOLDER}/{name}")).and_then(|declared| fragment(declared));
    own(name).or_else(|| name.template().as_ref().and_then(own))
}

fn loses_its_file(name: &UnitName, desired: &Desired<'_, Service>) -> bool {
    let of = |name: &UnitName| format!("{FOLDER}/{name}");
    let paths = [Some(of(name)), name.template().as_ref().map(of)];
    desired.pruned().any(|(resource, release)| {
        paths.iter().flatten().any(|path| path == resource)
            && matches!(release, Some(Action::File { to: Inode::Absent, .. }))
    })
}

fn possible(wish: &Declared<Unit>, found: &FoundUnit, own: Option<&Fragment>) -> Result<(), PlanError> {
    let name = &wish.spec.name;
    let wrong = |reason: String| Err(impossible(name.as_str(), wish, reason));
    if let Some(id) = found.id.as_ref().filter(|id| *id != name.as_str()) {
        return wrong(format!("it is another name of {id}: declare that"));
    }
    let wants = wish.spec.enabled == Some(true) || wish.spec.running == Some(true);
    if wants && found.is_masked() && wish.spec.masked != Some(false) {
        return wrong("it is masked: declare `masked` as false".to_owned());
    }
    if wish.spec.masked == Some(true) && own.is_some() {
        return wrong(
            "a unit whose file is declared cannot be masked: its mask would take the place of the file".to_owned(),
        );
    }
    if wish.spec.enabled != Some(true) || found.enabled {
        return Ok(());
    }
    let installs = match own {
        Some(own) => own.content.lines().any(|line| line.trim() == "[Install]"),
        None => !matches!(found.file_state.as_str(), "static" | "generated" | "transient" | "indirect" | "alias"),
    };
    if !installs {
        return wrong(
            "it has no [Install] section, so it cannot be enabled; what starts it is another unit".to_owned(),
        );
    }
    Ok(())
}

fn step(unit: &UnitName, found: &FoundUnit, to: State) -> Option<Step<Action>> {
    if to.is_empty() {
        return None;
    }
    let is = found.state(&to);
    let set = |to: &State| Action::Unit { unit: unit.clone(), to: to.clone() };
    let step = Step::new(Change::Update, unit.as_str(), set(&to), set(&is)).guarded(is_guarded(unit.as_str()));
    let word = |value: Option<bool>, yes: &str, no: &str| value.map(|value| if value { yes } else { no }.to_owned());
    let step = step.field("masked", word(is.masked, "yes", "no"), word(to.masked, "yes", "no"));
    let step = step.field("at boot", word(is.enabled, "enabled", "disabled"), word(to.enabled, "enabled", "disabled"));
    Some(match (is.running, to.running) {
        (Some(true), Some(true)) => step.field("now", Some("not settled".to_owned()), Some("running".to_owned())),
        (is, to) => step.field("now", word(is, "running", "stopped"), word(to, "running", "stopped")),
    })
}
