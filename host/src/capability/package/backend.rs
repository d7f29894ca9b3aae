//! Reads what is there. As long as nothing is to change, no program is run.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;

use super::apt::Apt;
use super::diff::state;
use super::status::Status;
use super::wishes::Wishes;
use super::{Action, Fact, Package, Packages, RepositoryName, Spec, Version};
use crate::capability::{Declared, Desired, ObserveError, Owned};

impl Packages {
    pub(super) async fn read(&self, specs: &[Declared<Spec>], owned: &Owned<Action>) -> Result<Fact, ObserveError> {
        let packages = packages(specs, owned);
        let mut fact = Fact {
            packages: if packages.is_empty() {
                BTreeMap::new()
            } else {
                Status::read(&self.machine)?.states(&packages)
            },
            ..Fact::default()
        };
        for name in repositories(specs, owned) {
            let text = self.read_repository(&name)?;
            fact.repositories.insert(name, text);
        }
        let desired = Desired { specs, owned, changed: &BTreeSet::new() };
        // Contradicting policies are the business of the plan, which names them.
        if let Ok(wishes) = Wishes::of(&desired) {
            fact.available = self.available(&fact, &wishes).await;
        }
        Ok(fact)
    }

    /// The content of a repository's file.
    pub(super) fn read_repository(&self, name: &RepositoryName) -> Result<Option<String>, ObserveError> {
        match std::fs::read_to_string(self.machine.path(name.path())) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(ObserveError::File { path: name.path(), source }),
        }
    }

    /// What apt offers of what is about to change; nothing when it cannot be asked, since the plan can do without.
    async fn available(&self, fact: &Fact, wishes: &Wishes) -> BTreeMap<Package, BTreeSet<Version>> {
        let unmet = wishes.packages.iter().filter(|(name, wish)| !wish.target.presence.is_met(state(fact, name)));
        let names: Vec<_> = unmet.map(|(name, _)| name.clone()).collect();
        if names.is_empty() {
            return BTreeMap::new();
        }
        match Apt::new(&self.machine) {
            Ok(apt) => apt.offered(&names).await.unwrap_or_default(),
            Err(_) => BTreeMap::new(),
        }
    }
}

fn packages(specs: &[Declared<Spec>], owned: &Owned<Action>) -> BTreeSet<Package> {
    let declared = specs.iter().filter_map(|declared| declared.spec.package().cloned());
    declared.chain(owned.keys().filter_map(|resource| resource.parse().ok())).collect()
}

fn repositories(specs: &[Declared<Spec>], owned: &Owned<Action>) -> BTreeSet<RepositoryName> {
    let declared = specs.iter().filter_map(|declared| match &declared.spec {
        Spec::Repository(repository) => Some(repository.name.clone()),
        _ => None,
    });
    let owned = owned.keys().filter_map(|resource| resource.strip_prefix("repository/")?.parse().ok());
    declared.chain(owned).collect()
}
