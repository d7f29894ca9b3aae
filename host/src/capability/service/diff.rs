//! From units as they are to units as declared.
//!
//! The order is what the manual asks for: what is given up stops first, then files change, then systemd reads them
//! once, then units are enabled and started in the order in which they were declared, then what ran on old files is
//! renewed.

use std::collections::BTreeSet;

use super::{Action, Fact, Service};
use crate::capability::{Declared, Desired, PlanError};
use crate::plan::{Diff, Step};

mod files;
mod triggers;
mod units;

pub(super) fn diff(fact: &Fact, desired: &Desired<'_, Service>) -> Result<Diff<Action>, PlanError> {
    let files = files::declared(desired.specs)?;
    let wishes = units::merged(desired.specs)?;
    let mut steps = units::pruned(fact, desired);
    let written = files::steps(fact, &files, desired)?;
    let changed: BTreeSet<&str> = written.iter().map(|step| step.resource.as_str()).collect();
    let reload = reload(fact, &files, &written);
    let planned = units::steps(fact, &wishes, &files, desired)?;
    let renewed = triggers::steps(fact, &wishes, &files, &changed, desired);
    steps.extend(written.iter().cloned());
    steps.extend(reload);
    steps.extend(planned.steps);
    steps.extend(renewed);
    Ok(Diff { steps, deferred: planned.deferred })
}

/// One for all files, and for what a run that was killed between file and reload left unread.
fn reload(fact: &Fact, files: &files::Files<'_>, written: &[Step<Action>]) -> Option<Step<Action>> {
    let unread = files.values().any(|declared| {
        files::fragment(declared)
            .and_then(|fragment| fact.units.get(&fragment.unit))
            .is_some_and(|unit| unit.needs_reload)
    });
    let needed = fact.live && (unread || !written.is_empty());
    needed.then(|| Step::trigger("daemon-reload", Action::DaemonReload {}))
}

/// What an operator comes in by.
fn is_guarded(unit: &str) -> bool {
    const NAMES: [&str; 6] = ["ssh", "sshd", "systemd-networkd", "networking", "NetworkManager", "systemd-logind"];
    let name = unit.rsplit_once('.').map_or(unit, |(name, _)| name);
    NAMES.contains(&name.split('@').next().unwrap_or(name))
}

fn impossible<S>(resource: &str, declared: &Declared<S>, reason: impl Into<String>) -> PlanError {
    PlanError::Impossible {
        resource: format!("service {resource}"),
        policy: declared.policy.clone(),
        reason: reason.into(),
    }
}
