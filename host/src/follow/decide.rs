//! What a plan needs a person for.

use std::collections::BTreeSet;

use crate::plan::{Change, Plan, Undo};
use crate::repo::Unasked;

/// Why somebody has to agree to a plan; nothing: nobody has to.
pub fn questions(plan: &Plan, unasked: &Unasked) -> BTreeSet<String> {
    let steps = plan.steps.iter().filter_map(|planned| {
        let what = format!("{} {}", planned.capability, planned.step.resource);
        match (&planned.step.undo, planned.step.change) {
            _ if !unasked.covers(&planned.capability) => Some(format!("{what}: [follow] apply does not have it")),
            (Undo::Impossible(why), _) => Some(format!("{what}: cannot be undone: {why}")),
            (_, Change::Delete) => Some(format!("{what}: is deleted")),
            (_, Change::Create | Change::Update | Change::Trigger) => None,
        }
    });
    let deferred = plan.deferred.iter().filter(|one| !unasked.covers(&one.capability));
    let deferred = deferred.map(|one| format!("{}: [follow] apply does not have it", one.capability));
    steps.chain(deferred).collect()
}
