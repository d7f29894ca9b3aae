//! Units of systemd(1): their files and drop-ins, whether they start at boot, whether they run.
//!
//! The manager is asked over D-Bus (org.freedesktop.systemd1(5)). In a tree of files there is none: enablement is then
//! links, as `systemctl --root` makes them, and nothing runs.

use std::sync::Arc;

use super::{ApplyError, Capability, Declared, Denied, Desired, ObserveError, Owned, PlanError};
use crate::machine::Machine;
use crate::plan::Diff;
use crate::policy::Guest;

mod action;
mod backend;
mod bind;
mod diff;
mod fact;
mod programs;
mod scope;
mod spec;
#[cfg(test)]
mod tests;

pub use action::{Action, State};
pub use fact::{Active, Fact, FoundFile, FoundUnit};
pub use programs::name_programs;
pub use scope::Scope;
pub use spec::{DropInName, Fragment, OnChange, Spec, Unit, UnitName};

/// The capability.
#[derive(Debug)]
pub struct Service {
    machine: Arc<Machine>,
}

impl Capability for Service {
    const NAME: &'static str = "service";
    type Scope = Scope;
    type Spec = Spec;
    type Fact = Fact;
    type Action = Action;

    fn link(linker: &mut wasmtime::component::Linker<Guest>) -> wasmtime::Result<()> {
        bind::link(linker)
    }

    fn resource(spec: &Spec) -> String {
        match spec {
            Spec::Unit(unit) => unit.name.to_string(),
            Spec::Fragment(fragment) => fragment.path(),
        }
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
        self.act(action).await
    }
}
