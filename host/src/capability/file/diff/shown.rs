//! What a plan shows of a change. Contents are shown only when observation found that they may be.

use super::change::Change;
use crate::capability::file::backend::LONGEST_TEXT;
use crate::capability::file::{Form, Set};
use crate::machine::inode::Inode;
use crate::plan::{Detail, Step};

/// The step with its details.
pub(super) fn detail(step: Step<Set>, change: &Change<'_>) -> Step<Set> {
    let (is, to) = (&change.found.inode, &change.set.to);
    let mut step = content(step, change).field("target", target(is), target(to));
    if is.kind() != to.kind() && *is != Inode::Absent && *to != Inode::Absent {
        step = step.note(format!("takes the place of a {}", is.kind()));
    }
    let Some(after) = to.attributes() else { return step };
    let before = is.attributes();
    let owner = |attributes: &crate::machine::inode::Attributes| format!("{}:{}", attributes.owner, attributes.group);
    step.field("mode", before.map(|before| before.mode.to_string()), Some(after.mode.to_string())).field(
        "owner",
        before.map(owner),
        Some(owner(after)),
    )
}

fn content(mut step: Step<Set>, change: &Change<'_>) -> Step<Set> {
    let (is, to) = (digest(&change.found.inode), digest(&change.set.to));
    if is == to {
        return step;
    }
    match (before(change), after(change)) {
        (Some(before), Some(after)) => {
            step.detail.push(Detail::Text { before, after });
            step
        }
        _ => step.field("content", is, to),
    }
}

fn before(change: &Change<'_>) -> Option<String> {
    match change.found.inode {
        Inode::File { .. } => change.found.text.clone(),
        _ => Some(String::new()),
    }
}

fn after(change: &Change<'_>) -> Option<String> {
    let Inode::File { .. } = change.set.to else { return Some(String::new()) };
    let Some(declared) = change.declared else { return change.found.restored.clone() };
    let Form::File { content, .. } = &declared.spec.form else { return None };
    let text = content.text().filter(|text| change.set.to.is_public() && text.len() <= LONGEST_TEXT);
    text.map(str::to_owned)
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
