//! Debian packages and the repositories that they come from: apt(8), dpkg(1), sources.list(5).
//!
//! All packages of a plan change in one transaction of apt, which may install what they depend on, but never
//! removes or changes a package that nobody named: a transaction that would is refused before it begins.

use std::sync::Arc;

use super::{ApplyError, Capability, Declared, Denied, Desired, ObserveError, Owned, PlanError};
use crate::machine::Machine;
use crate::plan::Diff;
use crate::policy::Guest;

mod action;
mod apt;
mod backend;
mod bind;
mod diff;
mod inverse;
mod lists;
mod name;
mod pulled;
mod repositories;
mod repository;
mod simulation;
mod spec;
mod status;
#[cfg(test)]
mod tests;
mod transaction;
mod wait;
mod wishes;

pub use action::{Action, Batch, Presence, Target};
pub use name::{Package, RepositoryName, Version};
pub use repository::Repository;
pub use spec::{Fact, Install, Scope, Spec, State};

/// The capability.
#[derive(Debug)]
pub struct Packages {
    machine: Arc<Machine>,
}

impl Capability for Packages {
    const NAME: &'static str = "package";
    type Scope = Scope;
    type Spec = Spec;
    type Fact = Fact;
    type Action = Action;

    fn link(linker: &mut wasmtime::component::Linker<Guest>) -> wasmtime::Result<()> {
        bind::link(linker)
    }

    fn resource(spec: &Spec) -> String {
        spec.resource()
    }

    fn check(scope: &Scope, spec: &Spec) -> Result<(), Denied> {
        scope.check(spec)
    }

    fn open(machine: Arc<Machine>) -> Self {
        Self { machine }
    }

    async fn observe(&self, specs: &[Declared<Spec>], owned: &Owned<Action>) -> Result<Fact, ObserveError> {
        self.read(specs, owned).await
    }

    fn diff(fact: &Fact, desired: &Desired<'_, Self>) -> Result<Diff<Action>, PlanError> {
        diff::diff(fact, desired)
    }

    async fn apply(&self, action: &Action) -> Result<(), ApplyError> {
        match action {
            Action::Packages(batch) => self.transact(batch).await,
            Action::Repository { name, to, refresh } => self.write_repository(name, to.as_deref(), *refresh).await,
        }
    }
}
