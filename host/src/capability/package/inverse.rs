//! How a transaction is taken back, and what gives each of its packages up.
//!
//! What was not there goes, with what it pulled in. What was there comes back in its version when a repository
//! still has it; dpkg keeps no copy, so otherwise the plan says that it cannot.

use std::collections::BTreeMap;

use super::diff::state;
use super::{Action, Batch, Fact, Package, Presence, State, Target};
use crate::plan::Undo;

/// The way back.
#[derive(Debug, Default)]
pub(super) struct Inverse {
    undo: BTreeMap<Package, Target>,
    /// What does not come back, for people.
    lost: Vec<String>,
    releases: BTreeMap<Package, Target>,
}

impl Inverse {
    /// Of a transaction on a machine.
    pub(super) fn of(fact: &Fact, batch: &Batch) -> Self {
        let mut inverse = Self::default();
        for (name, target) in &batch.to {
            inverse.add(fact, name, target);
        }
        inverse
    }

    /// The undo of the step, the action that gives up each package, and what does not come back although the
    /// rest does. A package that was there before and only changes its version is not given up.
    pub(super) fn into_parts(self) -> (Undo<Action>, BTreeMap<String, Action>, Vec<String>) {
        let release =
            |(name, target): (Package, Target)| (name.to_string(), Action::Packages(Batch::one(&name, target)));
        let releases = self.releases.into_iter().map(release).collect();
        if self.undo.is_empty() && !self.lost.is_empty() {
            return (Undo::Impossible(self.lost.join("; ")), releases, Vec::new());
        }
        let undo = Undo::Action(Action::Packages(Batch { to: self.undo, recommends: false }));
        (undo, releases, self.lost)
    }

    fn add(&mut self, fact: &Fact, name: &Package, target: &Target) {
        let is = state(fact, name);
        let Some(version) = &is.version else {
            self.undo.insert(name.clone(), Target::absent(true));
            self.releases.insert(name.clone(), Target::absent(true));
            return;
        };
        let offered = fact.available.get(name);
        let same = offered.is_some_and(|offered| offered.contains(version));
        match &target.presence {
            Presence::Absent { .. } => {
                let back = |version| whole(is, Presence::Installed(version));
                self.releases.insert(name.clone(), back(None));
                if same {
                    self.undo.insert(name.clone(), back(Some(version.clone())));
                } else if offered.is_some_and(|offered| !offered.is_empty()) {
                    self.undo.insert(name.clone(), back(None));
                    self.lost.push(format!("{name} would come back in another version, {version} is in no repository"));
                } else {
                    self.lost.push(format!("{name} {version} is in no repository that apt knows"));
                }
            }
            Presence::Installed(Some(other)) if other != version => {
                let back = Presence::Installed(same.then(|| version.clone()));
                if same || marks(is, target) {
                    self.undo.insert(name.clone(), changed(is, target, back));
                }
                if !same {
                    self.lost.push(format!("{name} {version} is in no repository that apt knows"));
                }
                self.release_marks(name, is, target);
            }
            Presence::Installed(_) => {
                if marks(is, target) {
                    self.undo.insert(name.clone(), changed(is, target, Presence::Installed(None)));
                }
                self.release_marks(name, is, target);
            }
        }
    }

    fn release_marks(&mut self, name: &Package, is: &State, target: &Target) {
        if marks(is, target) {
            self.releases.insert(name.clone(), changed(is, target, Presence::Installed(None)));
        }
    }
}

/// The package with both of its marks as they are.
fn whole(is: &State, presence: Presence) -> Target {
    Target { presence, held: Some(is.held), automatic: Some(is.automatic) }
}

/// The package with those of its marks that the target changes as they are.
fn changed(is: &State, target: &Target, presence: Presence) -> Target {
    let held = target.held.filter(|held| *held != is.held).map(|_| is.held);
    let automatic = target.automatic.filter(|automatic| *automatic != is.automatic).map(|_| is.automatic);
    Target { presence, held, automatic }
}

fn marks(is: &State, target: &Target) -> bool {
    let changed = changed(is, target, Presence::Installed(None));
    changed.held.is_some() || changed.automatic.is_some()
}
