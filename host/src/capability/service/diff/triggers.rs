//! What has to be renewed because something under it has changed.

use std::collections::BTreeSet;

use super::files::Files;
use super::is_guarded;
use super::units::{Wishes, own_file};
use crate::capability::Desired;
use crate::capability::service::spec::FOLDER;
use crate::capability::service::{Action, Active, Fact, FoundFile, OnChange, Service, Unit};
use crate::plan::Step;

pub(super) fn steps(
    fact: &Fact,
    wishes: &Wishes,
    files: &Files<'_>,
    changed: &BTreeSet<&str>,
    desired: &Desired<'_, Service>,
) -> Vec<Step<Action>> {
    let mut steps = Vec::new();
    for wish in wishes.values() {
        let unit = &wish.spec;
        let Some(found) = fact.units.get(&unit.name) else { continue };
        if unit.enabled == Some(true) && found.enabled && installs_otherwise(fact, unit, files) {
            let action = Action::Reenable { unit: unit.name.clone() };
            steps.push(trigger("reenable", unit, action));
        }
        let stays = found.active == Some(Active::Running) && unit.running != Some(false);
        if stays && unit.masked != Some(true) && is_touched(unit, changed, desired) {
            let word = if unit.on_change == OnChange::Restart { "restart" } else { "reload" };
            steps.push(trigger(word, unit, Action::Renew { unit: unit.name.clone(), by: unit.on_change }));
        }
    }
    steps
}

/// Its own name, so that it is not taken for the step that starts the unit.
fn trigger(word: &str, unit: &Unit, action: Action) -> Step<Action> {
    Step::trigger(format!("{word} {}", unit.name), action).guarded(is_guarded(unit.name.as_str()))
}

fn is_touched(unit: &Unit, changed: &BTreeSet<&str>, desired: &Desired<'_, Service>) -> bool {
    let own = |path: &&str| {
        [Some(unit.name.clone()), unit.name.template()].iter().flatten().any(|name| {
            let file = format!("{FOLDER}/{name}");
            **path == file || path.starts_with(&format!("{file}.d/"))
        })
    };
    let depended = |dependency: &String| {
        let own = dependency.strip_prefix("service:").is_some_and(|path| changed.contains(path));
        own || desired.changed.contains(dependency)
    };
    changed.iter().any(own) || unit.depends_on.iter().any(depended)
}

/// Whether its unit file changes in what it says of enablement.
fn installs_otherwise(fact: &Fact, unit: &Unit, files: &Files<'_>) -> bool {
    let Some(own) = own_file(&unit.name, files) else { return false };
    let found = own.path().parse().ok().and_then(|path| fact.files.get::<crate::machine::inode::Pathname>(&path));
    let Some(FoundFile { inode, wanted, text, .. }) = found else { return false };
    let changes =
        !matches!(inode, crate::machine::inode::Inode::File { digest, .. } if Some(digest) == wanted.as_ref());
    changes && text.as_deref().is_none_or(|before| install(before) != install(&own.content))
}

fn install(content: &str) -> Vec<&str> {
    let lines = content.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['#', ';']));
    let section = lines.skip_while(|line| *line != "[Install]").skip(1);
    section.take_while(|line| !line.starts_with('[')).collect()
}
