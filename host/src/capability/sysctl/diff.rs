//! From parameters as they are to parameters as declared.

use std::collections::BTreeMap;

use super::{Key, Parameter, Set, Spec, Sysctl};
use crate::capability::{Declared, Desired, PlanError};
use crate::plan::{Change, Diff, Step};

pub(super) fn diff(fact: &BTreeMap<Key, Parameter>, desired: &Desired<'_, Sysctl>) -> Result<Diff<Set>, PlanError> {
    let mut steps = Vec::new();
    for (key, declared) in declared(desired.specs)? {
        let is = fact.get(&key).cloned().unwrap_or_default();
        let value = Some(declared.spec.value.clone());
        let to = Parameter { running: value.clone(), persistent: value };
        steps.extend(step(&key, is, to));
    }
    for (_, release) in desired.pruned() {
        if let Some(Set { key, to }) = release {
            steps.extend(step(key, fact.get(key).cloned().unwrap_or_default(), to.clone()).map(Step::leaving));
        }
    }
    Ok(Diff { steps, ..Diff::default() })
}

/// One spec a key, sorted by key.
fn declared(specs: &[Declared<Spec>]) -> Result<BTreeMap<Key, &Declared<Spec>>, PlanError> {
    let mut keys: BTreeMap<Key, &Declared<Spec>> = BTreeMap::new();
    for declared in specs {
        match keys.insert(declared.spec.key.clone(), declared) {
            Some(earlier) if earlier.spec.value != declared.spec.value => {
                return Err(PlanError::Conflict {
                    resource: format!("sysctl {}", declared.spec.key),
                    first: earlier.policy.clone(),
                    second: declared.policy.clone(),
                    reason: format!("{} and {}", earlier.spec.value, declared.spec.value),
                });
            }
            _ => {}
        }
    }
    Ok(keys)
}

fn step(key: &Key, is: Parameter, to: Parameter) -> Option<Step<Set>> {
    if is == to {
        return None;
    }
    let change = match (&is.persistent, &to.persistent) {
        (None, Some(_)) => Change::Create,
        (Some(_), None) => Change::Delete,
        _ => Change::Update,
    };
    let set = |to: &Parameter| Set { key: key.clone(), to: to.clone() };
    Some(Step::new(change, key.to_string(), set(&to), set(&is)).field("running", is.running, to.running).field(
        "after a boot",
        is.persistent,
        to.persistent,
    ))
}
