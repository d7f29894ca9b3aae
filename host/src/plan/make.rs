//! From specs, facts and ownership to a plan.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Change, FORMAT, Observed, Ownership, Plan, PlannedDeferral, PlannedStep, Specs, Step};
use crate::capability::{self, AnyCapability, Declared, Owned, PlanError};
use crate::digest::Digest;
use crate::machine::Facts;
use crate::policy::Recorded;

/// All that a plan follows from.
#[derive(Clone, Debug)]
pub struct Inputs {
    pub host: String,
    pub commit: Option<String>,
    pub policies: BTreeMap<String, Digest>,
    pub apps: Digest,
    pub facts: Facts,
    pub specs: Specs,
    pub calls: Vec<(String, Recorded)>,
    pub observed: Observed,
    pub base: Option<u64>,
    /// What the revision `base` declared.
    pub before: Specs,
    pub owned: Ownership,
    /// `CAPABILITY:RESOURCE` of every step of the earlier rounds of the same run.
    pub changed: BTreeSet<String>,
}

/// Makes the plan.
///
/// # Errors
/// When a capability cannot plan what is declared.
pub fn make(inputs: Inputs) -> Result<Plan, PlanError> {
    let mut draft = Draft { changed: inputs.changed.clone(), ..Draft::default() };
    for capability in capability::ALL {
        draft.add(*capability, &inputs)?;
    }
    let mut plan = Plan {
        format: FORMAT,
        host: inputs.host,
        commit: inputs.commit,
        policies: inputs.policies,
        apps: inputs.apps,
        facts: inputs.facts,
        specs: inputs.specs,
        calls: inputs.calls,
        observed: inputs.observed,
        base: inputs.base,
        // What goes, goes first, and in reverse: an app before Docker. Then what comes finds names and ports free.
        steps: draft.leaving.into_iter().rev().flatten().chain(draft.steps).collect(),
        deferred: draft.deferred,
        released: draft.released,
        ownership: draft.ownership,
        hash: Digest::public(b""),
    };
    plan.hash = plan.digest();
    Ok(plan)
}

#[derive(Default)]
struct Draft {
    changed: BTreeSet<String>,
    /// What goes, capability by capability.
    leaving: Vec<Vec<PlannedStep>>,
    steps: Vec<PlannedStep>,
    deferred: Vec<PlannedDeferral>,
    released: Vec<String>,
    ownership: Ownership,
}

impl Draft {
    fn add(&mut self, capability: &dyn AnyCapability, inputs: &Inputs) -> Result<(), PlanError> {
        let name = capability.name();
        let none = Owned::new();
        let owned = inputs.owned.get(name).unwrap_or(&none);
        let specs = inputs.specs.get(name).map(Vec::as_slice).unwrap_or_default();
        let Some(fact) = inputs.observed.get(name) else { return Ok(()) };
        let diff = capability.diff(fact, specs, owned, &self.changed)?;
        // What an earlier round restarted already is not restarted again.
        let again = |step: &Step<Value>| {
            step.change == Change::Trigger && inputs.changed.contains(&format!("{name}:{}", step.resource))
        };
        let steps: Vec<_> = diff
            .steps
            .into_iter()
            .filter(|step| !again(step))
            .map(|step| PlannedStep { capability: name.to_owned(), step })
            .collect();
        let before = inputs.before.get(name).map(Vec::as_slice).unwrap_or_default();
        let ownership = ownership(capability, (before, specs), owned, &steps)?;
        let pruned = owned.iter().filter(|(resource, release)| release.is_none() && !ownership.contains_key(*resource));
        self.released.extend(pruned.map(|(resource, _)| format!("{name}:{resource}")));
        self.changed.extend(steps.iter().flat_map(PlannedStep::changed));
        let (leaving, staying) = steps.into_iter().partition(|planned| planned.step.leaving);
        self.leaving.push(leaving);
        self.steps.extend::<Vec<_>>(staying);
        let deferred = |deferred| PlannedDeferral { capability: name.to_owned(), deferred };
        self.deferred.extend(diff.deferred.into_iter().map(deferred));
        if !ownership.is_empty() {
            self.ownership.insert(name.to_owned(), ownership);
        }
        Ok(())
    }
}

/// What is owned afterwards: all that is declared, each with the release that leads back to before stead.
///
/// What was as declared all along has none. When it has drifted and is mended, the way back from that is not one to
/// before stead; when something else is declared, it is.
fn ownership(
    capability: &dyn AnyCapability,
    (before, specs): (&[Declared<Value>], &[Declared<Value>]),
    owned: &Owned<Value>,
    steps: &[PlannedStep],
) -> Result<Owned<Value>, PlanError> {
    let mut after = Owned::new();
    for declared in specs {
        let resource = capability.resource(&declared.spec)?;
        let mended = || before.iter().any(|other| other.spec == declared.spec);
        let release = match owned.get(&resource) {
            Some(Some(release)) => Some(release),
            Some(None) if mended() => None,
            _ => steps.iter().find_map(|planned| planned.step.releases.get(&resource)),
        };
        after.insert(resource, release.cloned());
    }
    Ok(after)
}
