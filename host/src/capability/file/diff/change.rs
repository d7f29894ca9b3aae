//! One path on its way from what it is to what it is to be.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::{impossible, shown};
use crate::capability::file::{Form, Found, Set, Spec};
use crate::capability::{Declared, PlanError};
use crate::machine::inode::{Inode, Pathname};
use crate::plan::{self, Step};

/// One path on its way.
pub(super) struct Change<'a> {
    pub(super) found: &'a Found,
    pub(super) set: Set,
    /// Who declares it; `None`: nobody any more.
    pub(super) declared: Option<&'a Declared<Spec>>,
}

impl<'a> Change<'a> {
    pub(super) fn declared(declared: &'a Declared<Spec>, found: &'a Found) -> Result<Self, PlanError> {
        let path = declared.spec.path.clone();
        let set = match declared.spec.form.clone() {
            Form::Absent {} => Set::back(&path, &Inode::Absent),
            Form::Directory(attributes) => Set::back(&path, &Inode::Directory(attributes)),
            Form::Symlink { target } => Set::back(&path, &Inode::Symlink { target }),
            Form::File { content, attributes, validate } => {
                let digest = found.wanted.clone().ok_or_else(|| impossible(declared, "it was not observed"))?;
                Set { path, to: Inode::File { digest, attributes }, content: Some(content), validate }
            }
        };
        Ok(Self { found, set, declared: Some(declared) })
    }

    pub(super) fn pruned(found: &'a Found, set: Set) -> Self {
        Self { found, set, declared: None }
    }

    /// Whether anything is to be done.
    pub(super) fn is_one(&self) -> bool {
        self.found.inode != self.set.to
    }

    pub(super) fn removes(&self) -> bool {
        self.set.to == Inode::Absent
    }

    pub(super) fn path(&self) -> Pathname {
        self.set.path.clone()
    }

    /// What goes, goes first, children before parents; what comes, comes parents first.
    pub(super) fn order(&self, other: &Self) -> Ordering {
        match (self.removes(), other.removes()) {
            (true, true) => other.set.path.cmp(&self.set.path),
            (false, false) => self.set.path.cmp(&other.set.path),
            (removes, _) => (!removes).cmp(&removes),
        }
    }

    /// The step, unless it is about something that is not stead's any more. `gone` is all that this plan removes.
    pub(super) fn step(&self, gone: &BTreeSet<Pathname>) -> Result<Option<Step<Set>>, PlanError> {
        if let Inode::Other(kind) = &self.found.inode {
            let error = |declared| impossible(declared, format!("it is a {kind}, which stead does not replace"));
            return self.declared.map_or(Ok(None), |declared| Err(error(declared)));
        }
        if let Some(left) = self.left(gone) {
            let error = |declared| impossible(declared, format!("the directory is not empty: it holds {left}"));
            return self.declared.map_or_else(|| Ok(Some(self.stays(&left))), |declared| Err(error(declared)));
        }
        let back = Set::back(&self.set.path, &self.found.inode);
        let step = Step::new(self.kind(), self.set.path.as_str(), self.set.clone(), back);
        Ok(Some(shown::detail(step, self).guarded(guarded(&self.set.path))))
    }

    fn kind(&self) -> plan::Change {
        match (&self.found.inode, &self.set.to) {
            (Inode::Absent, _) => plan::Change::Create,
            (_, Inode::Absent) => plan::Change::Delete,
            _ => plan::Change::Update,
        }
    }

    /// What stays in a directory that is to be something else.
    fn left(&self, gone: &BTreeSet<Pathname>) -> Option<String> {
        let children = self.found.children.as_ref()?;
        let mut left = children.clone();
        left.names.retain(|name| !gone.contains(&self.set.path.child(name)));
        (left.more || !left.names.is_empty()).then(|| left.to_string())
    }

    fn stays(&self, left: &str) -> Step<Set> {
        let as_is = Set::back(&self.set.path, &self.found.inode);
        Step::new(plan::Change::Update, self.set.path.as_str(), as_is.clone(), as_is)
            .note(format!("no longer declared; the directory stays as it is, because it holds {left}"))
    }
}

/// What sshd(8) and the network depend on.
const GUARDED: [&str; 6] = [
    "/etc/ssh",
    "/etc/pam.d/sshd",
    "/etc/netplan",
    "/etc/network",
    "/etc/systemd/network",
    "/etc/systemd/networkd.conf.d",
];

/// Whether a wrong content may cut the operator off.
fn guarded(path: &Pathname) -> bool {
    let file = matches!(path.as_str(), "/etc/systemd/networkd.conf" | "/etc/nsswitch.conf" | "/etc/passwd");
    file || path.as_str().ends_with("/.ssh/authorized_keys") || GUARDED.iter().any(|guarded| path.is_within(guarded))
}
