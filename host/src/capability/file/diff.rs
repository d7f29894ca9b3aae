//! From paths as they are to paths as declared.

use std::collections::{BTreeMap, BTreeSet};

use super::{Fact, File, Form, Found, Set, Spec};
use crate::capability::{Declared, Desired, PlanError};
use crate::machine::inode::{Inode, Pathname};
use crate::plan::Diff;

mod change;
mod shown;

use change::Change;

pub(super) type Forms<'a> = BTreeMap<Pathname, &'a Declared<Spec>>;

pub(super) fn diff(fact: &Fact, desired: &Desired<'_, File>) -> Result<Diff<Set>, PlanError> {
    let forms = forms(desired.specs)?;
    let nothing = Found::default();
    let found = |path: &Pathname| fact.get(path).unwrap_or(&nothing);
    let mut changes = Vec::new();
    for declared in forms.values() {
        let found = found(&declared.spec.path);
        reachable(declared, found, &forms, !desired.changed.is_empty())?;
        changes.push(Change::declared(declared, found)?);
    }
    for (resource, release) in desired.pruned() {
        let (Some(release), Ok(path)) = (release, resource.parse::<Pathname>()) else { continue };
        let below = path.ancestors().any(|above| forms.get(&above).is_some_and(|above| !is_directory(above)));
        // What was below a directory that becomes something else has no place to come back to.
        let to = if below { Inode::Absent } else { release.to.clone() };
        changes.push(Change::pruned(found(&path), Set::back(&path, &to)));
    }
    changes.retain(Change::is_one);
    changes.sort_by(|a, b| a.order(b));
    let gone: BTreeSet<Pathname> = changes.iter().filter(|change| change.removes()).map(Change::path).collect();
    let steps = changes.iter().map(|change| change.step(&gone)).collect::<Result<Vec<_>, _>>()?;
    Ok(Diff { steps: steps.into_iter().flatten().collect(), ..Diff::default() })
}

/// One declaration a path, sorted by path.
fn forms(specs: &[Declared<Spec>]) -> Result<Forms<'_>, PlanError> {
    let mut forms = Forms::new();
    for declared in specs {
        match forms.insert(declared.spec.path.clone(), declared) {
            Some(earlier) if earlier.spec != declared.spec => return Err(conflict(earlier, declared)),
            _ => {}
        }
    }
    Ok(forms)
}

fn conflict(earlier: &Declared<Spec>, later: &Declared<Spec>) -> PlanError {
    let word = |form: &Form| match form {
        Form::Absent {} => "nothing",
        Form::File { .. } => "a file",
        Form::Directory(_) => "a directory",
        Form::Symlink { .. } => "a symbolic link",
    };
    let (first, second) = (word(&earlier.spec.form), word(&later.spec.form));
    let reason = match (&earlier.spec.form, &later.spec.form) {
        _ if first != second => format!("{first} and {second}"),
        (Form::File { content: a, .. }, Form::File { content: b, .. }) if a != b => "two contents".to_owned(),
        (Form::Symlink { target: a }, Form::Symlink { target: b }) => format!("{a} and {b}"),
        _ => "two modes, owners, groups or validations".to_owned(),
    };
    PlanError::Conflict {
        resource: format!("file {}", later.spec.path),
        first: earlier.policy.clone(),
        second: later.policy.clone(),
        reason,
    }
}

/// Whether the path can be made: its parents are directories, its owner exists, or earlier steps may see to that.
///
/// Nothing is ever written below a link that a policy declares: its grant speaks of the path, not of the target.
fn reachable(declared: &Declared<Spec>, found: &Found, forms: &Forms<'_>, later: bool) -> Result<(), PlanError> {
    let Spec { path, form } = &declared.spec;
    let is_absent = |form: &Form| matches!(form, Form::Absent {});
    for above in path.ancestors().filter_map(|above| forms.get(&above)) {
        let both_go = is_absent(form) && is_absent(&above.spec.form);
        if !(is_directory(above) || both_go) {
            let reason = format!("{} above it is not declared a directory (policy {})", above.spec.path, above.policy);
            return Err(impossible(declared, reason));
        }
    }
    let parent = path.parent();
    let made = parent.as_ref().is_some_and(|parent| forms.contains_key(parent));
    if later {
        return Ok(());
    }
    let missing = &found.missing;
    if missing.parent && !made {
        let parent = parent.map(String::from).unwrap_or_default();
        return Err(impossible(declared, format!("the directory {parent} is not there: declare it as well")));
    }
    let (Form::File { attributes, .. } | Form::Directory(attributes)) = form else { return Ok(()) };
    if missing.owner {
        return Err(impossible(declared, format!("no user is called {}", attributes.owner)));
    }
    if missing.group {
        return Err(impossible(declared, format!("no group is called {}", attributes.group)));
    }
    Ok(())
}

fn is_directory(declared: &Declared<Spec>) -> bool {
    matches!(declared.spec.form, Form::Directory(_))
}

pub(super) fn impossible(declared: &Declared<Spec>, reason: impl Into<String>) -> PlanError {
    PlanError::Impossible {
        resource: format!("file {}", declared.spec.path),
        policy: declared.policy.clone(),
        reason: reason.into(),
    }
}
