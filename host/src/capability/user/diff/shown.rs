//! One user's step, and what a plan shows of it.

use std::collections::BTreeSet;

use super::account::needs_password;
use super::{View, change};
use crate::capability::user::{Action, Entry, Found, Membership, Place, Placed, Set, sudoers};
use crate::machine::inode::Inode;
use crate::plan::{Detail, Step};

impl View<'_> {
    pub(super) fn user(&self, set: Set) -> Step<Action> {
        let is = self.found(&set.name);
        let undo = self.undo(&set, &is);
        // A later revision may change what this one leaves alone.
        let release = Set { keys: Place::back(&is.keys), ..undo.clone() };
        let name = set.name.to_string();
        let mut step =
            Step::new(change(is.entry.as_ref(), set.to.as_ref()), name.clone(), Action::from(set.clone()), undo.into());
        step.releases.insert(name, release.into());
        step = entry(step, is.entry.as_ref(), set.to.as_ref());
        step = step.field("groups", list(&is, None), list(&is, Some(&set)));
        step = step.field("sudo", rule(&is.sudo, None), rule(&is.sudo, set.sudo.as_ref()));
        step = keys(step, &is.keys, set.keys.as_ref());
        let needs_password = needs_password(&is, self.wanted.users.get(&set.name));
        let locks_out = locks_out(&is, &set);
        notes(step, &is, &set, needs_password).guarded(locks_out)
    }
}

fn entry(step: Step<Action>, is: Option<&Entry>, to: Option<&Entry>) -> Step<Action> {
    let Some(to) = to else { return step.field("uid", is.and_then(|is| is.uid).map(|uid| uid.to_string()), None) };
    let comment = |entry: &Entry| Some(entry.comment.clone()).filter(|comment| !comment.is_empty());
    step.field("uid", is.and_then(|is| is.uid).map(|uid| uid.to_string()), to.uid.map(|uid| uid.to_string()))
        .field("shell", is.map(|is| is.shell.clone()), Some(to.shell.clone()))
        .field("home", is.map(|is| is.home.clone()), Some(to.home.clone()))
        .field("comment", is.and_then(comment), comment(to))
}

/// The supplementary groups, before or after.
fn list(is: &Found, set: Option<&Set>) -> Option<String> {
    let mut groups: BTreeSet<&str> = is.groups.keys().map(String::as_str).collect();
    for (group, to) in set.iter().flat_map(|set| &set.groups) {
        match to {
            Membership::Outside => groups.remove(group.as_str()),
            Membership::Joined | Membership::Member => groups.insert(group),
        };
    }
    if set.is_some_and(|set| set.to.is_none()) {
        groups.clear();
    }
    let groups: Vec<_> = groups.into_iter().collect();
    (!groups.is_empty()).then(|| groups.join(", "))
}

fn rule(is: &Placed, to: Option<&Place>) -> Option<String> {
    let file = to.map_or(&is.file, |to| &to.file);
    let text = to.map_or(is.text.as_ref(), |to| to.content.as_ref());
    match file {
        Inode::File { digest, .. } => Some(text.map_or_else(|| digest.short().to_owned(), |text| sudoers::rule(text))),
        _ => None,
    }
}

fn keys(mut step: Step<Action>, is: &Placed, to: Option<&Place>) -> Step<Action> {
    let Some(to) = to else { return step };
    let digest = |inode: &Inode| match inode {
        Inode::File { digest, .. } => Some(digest.clone()),
        _ => None,
    };
    let (before, after) = (digest(&is.file), digest(&to.file));
    let known = |text: &Option<String>, file: &Inode| match file {
        Inode::Absent => Some(String::new()),
        _ => text.clone(),
    };
    match (known(&is.text, &is.file), known(&to.content, &to.file)) {
        (Some(old), Some(new)) if before != after => {
            step.detail.push(Detail::Note(to.path.to_string()));
            step.detail.push(Detail::Text { before: old, after: new });
        }
        _ if before != after => {
            let short = |digest: Option<crate::digest::Digest>| digest.map(|digest| digest.short().to_owned());
            step = step.field(to.path.as_str(), short(before), short(after));
        }
        _ => {}
    }
    if is.file == Inode::Absent || to.file == Inode::Absent {
        return step;
    }
    let attributes = |inode: &Inode| inode.attributes().map(|a| format!("{} {}:{}", a.mode, a.owner, a.group));
    step.field("~/.ssh", attributes(&is.directory), attributes(&to.directory)).field(
        "authorized_keys",
        attributes(&is.file),
        attributes(&to.file),
    )
}

fn notes(mut step: Step<Action>, is: &Found, set: &Set, needs_password: bool) -> Step<Action> {
    match (&is.entry, &set.to) {
        (None, Some(_)) if set.restored => step = step.note("comes back with its password, and without its ageing"),
        (None, Some(to)) => {
            if is.home != Inode::Absent {
                step = step.note(format!("{} is there already and stays as it is", to.home));
            } else if !to.system {
                step = step.note("its home directory stays when the user is taken back");
            }
        }
        (Some(_), None) => step = step.note("its home directory stays; undone without the ageing of its password"),
        (Some(is), Some(to)) if is.uid != to.uid => {
            step = step.note("files of its outside of its home directory keep the old id");
        }
        _ => {}
    }
    if needs_password {
        step.note("it has no password, so sudo does nothing for it until passwd(1) gives it one")
    } else {
        step
    }
}

/// Whether the operator, if this is the user that they come in as, may no longer get in or become root.
fn locks_out(is: &Found, set: &Set) -> bool {
    let (Some(entry), Some(to)) = (&is.entry, &set.to) else { return is.entry.is_some() };
    let kept = |place: &Place| match (&is.keys.text, &place.content) {
        (Some(before), Some(after)) => before.lines().all(|line| after.lines().any(|kept| kept == line)),
        _ => is.keys.file == Inode::Absent,
    };
    let loses_keys = set.keys.as_ref().is_some_and(|place| !kept(place));
    let loses_sudo = set.sudo.as_ref().is_some_and(|place| place.file == Inode::Absent);
    let leaves = set.groups.values().any(|to| *to == Membership::Outside);
    (&entry.shell, &entry.home, entry.uid) != (&to.shell, &to.home, to.uid) || loses_keys || loses_sudo || leaves
}
