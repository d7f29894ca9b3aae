//! Unit files and drop-ins.

use std::collections::BTreeMap;

use super::{impossible, is_guarded};
use crate::capability::service::spec::unit_of;
use crate::capability::service::{Action, Fact, FoundFile, Fragment, Service, Spec};
use crate::capability::{Declared, Desired, PlanError};
use crate::machine::inode::{Attributes, Inode, Mode, Pathname};
use crate::plan::{Change, Detail, Step};

/// By path.
pub(super) type Files<'a> = BTreeMap<String, &'a Declared<Spec>>;

pub(super) fn fragment(declared: &Declared<Spec>) -> Option<&Fragment> {
    match &declared.spec {
        Spec::Fragment(fragment) => Some(fragment),
        Spec::Unit(_) => None,
    }
}

/// One declaration a path, sorted by path.
pub(super) fn declared(specs: &[Declared<Spec>]) -> Result<Files<'_>, PlanError> {
    let mut files = Files::new();
    for declared in specs {
        let Some(path) = fragment(declared).map(Fragment::path) else { continue };
        match files.insert(path.clone(), declared) {
            Some(earlier) if earlier.spec != declared.spec => {
                return Err(PlanError::Conflict {
                    resource: format!("service {path}"),
                    first: earlier.policy.clone(),
                    second: declared.policy.clone(),
                    reason: "two contents".to_owned(),
                });
            }
            _ => {}
        }
    }
    Ok(files)
}

pub(super) fn steps(
    fact: &Fact,
    files: &Files<'_>,
    desired: &Desired<'_, Service>,
) -> Result<Vec<Step<Action>>, PlanError> {
    let mut steps = Vec::new();
    let nothing = FoundFile::default();
    for (path, declared) in files {
        let Some(fragment) = fragment(declared) else { continue };
        let path: Pathname = path.parse().map_err(|error| impossible(path, declared, format!("{error}")))?;
        let found = fact.files.get(&path).unwrap_or(&nothing);
        let digest = found.wanted.clone().ok_or_else(|| impossible(path.as_str(), declared, "it was not observed"))?;
        let to = Inode::File { digest, attributes: Attributes::of_root(Mode::PUBLIC_FILE) };
        if let Inode::Directory(_) | Inode::Other(_) = found.inode {
            return Err(impossible(path.as_str(), declared, format!("it is a {}", found.inode.kind())));
        }
        steps.extend(step(&path, found, &to, Some(&fragment.content)));
    }
    for (_, release) in desired.pruned() {
        if let Some(Action::File { path, to, .. }) = release {
            steps.extend(step(path, fact.files.get(path).unwrap_or(&nothing), to, None));
        }
    }
    Ok(steps)
}

fn step(path: &Pathname, found: &FoundFile, to: &Inode, content: Option<&String>) -> Option<Step<Action>> {
    let is = &found.inode;
    if is == to {
        return None;
    }
    let change = match (is, to) {
        (Inode::Absent, _) => Change::Create,
        (_, Inode::Absent) => Change::Delete,
        _ => Change::Update,
    };
    let set = |to: &Inode, content: Option<&String>| Action::File {
        path: path.clone(),
        to: to.clone(),
        content: content.cloned(),
    };
    let guarded = unit_of(path.as_str()).is_some_and(|unit| is_guarded(unit.as_str()));
    let step = Step::new(change, path.as_str(), set(to, content), set(is, None)).guarded(guarded);
    Some(detail(step, found, to, content))
}

fn detail(mut step: Step<Action>, found: &FoundFile, to: &Inode, content: Option<&String>) -> Step<Action> {
    let (is, digest) = (digest(&found.inode), digest(to));
    let before = if is.is_some() { found.text.clone() } else { Some(String::new()) };
    let after = if digest.is_some() { content.or(found.restored.as_ref()).cloned() } else { Some(String::new()) };
    let (old, new) = (target(&found.inode), target(to));
    let attributes = |inode: &Inode| inode.attributes().map(|a| format!("{} {}:{}", a.mode, a.owner, a.group));
    let (had, has) = (attributes(&found.inode), attributes(to));
    match (before, after) {
        _ if is == digest => {}
        (Some(before), Some(after)) => step.detail.push(Detail::Text { before, after }),
        _ => step = step.field("content", is, digest),
    }
    // A new file is 0644 root:root, always.
    let step = if had.is_some() && has.is_some() { step.field("mode", had, has) } else { step };
    step.field("target", old, new)
}

fn digest(inode: &Inode) -> Option<String> {
    match inode {
        Inode::File { digest, .. } => Some(digest.short().to_owned()),
        _ => None,
    }
}

fn target(inode: &Inode) -> Option<String> {
    match inode {
        Inode::Symlink { target } => Some(target.clone()),
        _ => None,
    }
}
