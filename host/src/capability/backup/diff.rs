//! From backups as they are set up to backups as declared.

use std::collections::BTreeMap;

use super::{Backup, Fact, Found, Set, Spec};
use crate::capability::{Declared, Desired, PlanError};
use crate::machine::inode::Inode;
use crate::plan::{Change, Diff, Step};
use crate::repo::Name;

pub(super) fn diff(fact: &Fact, desired: &Desired<'_, Backup>) -> Result<Diff<Set>, PlanError> {
    let nothing = Found::default();
    let mut steps = Vec::new();
    for (name, declared) in declared(desired.specs)? {
        let found = fact.get(name).unwrap_or(&nothing);
        if let Some(words) = &found.wrong_time {
            let (resource, policy) = (format!("backup {name}"), declared.policy.clone());
            return Err(PlanError::Impossible { resource, policy, reason: words.clone() });
        }
        steps.extend(step(&declared.spec, found));
    }
    for (_, release) in desired.pruned() {
        let Some(release) = release else { continue };
        let found = fact.get(&release.name).unwrap_or(&nothing);
        if found.files != release.files || found.enabled != release.on {
            steps.push(Step::new(Change::Delete, release.name.as_str(), release.clone(), back(&release.name, found)));
        }
    }
    Ok(Diff { steps, ..Diff::default() })
}

/// One declaration a name, sorted by name.
fn declared(specs: &[Declared<Spec>]) -> Result<BTreeMap<&Name, &Declared<Spec>>, PlanError> {
    let mut names: BTreeMap<&Name, &Declared<Spec>> = BTreeMap::new();
    for declared in specs {
        match names.insert(&declared.spec.name, declared) {
            Some(earlier) if earlier.spec != declared.spec => {
                return Err(PlanError::Conflict {
                    resource: format!("backup {}", declared.spec.name),
                    first: earlier.policy.clone(),
                    second: declared.policy.clone(),
                    reason: "two definitions".to_owned(),
                });
            }
            _ => {}
        }
    }
    Ok(names)
}

fn step(spec: &Spec, found: &Found) -> Option<Step<Set>> {
    let is_on = found.enabled && found.waits != Some(false);
    if found.files == found.wanted && is_on {
        return None;
    }
    let set =
        Set { name: spec.name.clone(), files: found.wanted.clone(), on: true, spec: Some(Box::new(spec.clone())) };
    let is_new = found.files.values().all(|inode| *inode == Inode::Absent);
    let change = if is_new { Change::Create } else { Change::Update };
    let step = Step::new(change, spec.name.as_str(), set, back(&spec.name, found));
    let before = found.spec.as_ref();
    let field =
        |step: Step<Set>, name: &str, of: &dyn Fn(&Spec) -> String| step.field(name, before.map(of), Some(of(spec)));
    let step = field(step, "repository", &|spec| spec.repository.as_str().to_owned());
    let step = field(step, "what", &|spec| spec.contents.labels().join(", "));
    let step = field(step, "at", &|spec| spec.at.as_str().to_owned());
    let step = field(step, "keep", &|spec| spec.keep.to_string());
    let step = step.field("timer", word(!is_new || is_on, is_on), word(true, true));
    let silent = step.detail.is_empty();
    Some(if silent { step.note("its secrets, its commands or its units change") } else { step })
}

fn word(said: bool, on: bool) -> Option<String> {
    said.then(|| if on { "on" } else { "off" }.to_owned())
}

/// As it is now.
fn back(name: &Name, found: &Found) -> Set {
    Set { name: name.clone(), files: found.files.clone(), on: found.enabled, spec: None }
}
