//! Files, directories and symbolic links: inode(7).
//!
//! A file is replaced as a whole and atomically; what was there is kept, so that undo, rollback and prune bring it
//! back exactly. A secret is put in place when the file is written and is never in a fact, a plan or an action.

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
mod scope;
mod spec;
#[cfg(test)]
mod tests;

pub use action::Set;
pub use fact::{Fact, Found, Missing};
pub use scope::Scope;
pub use spec::{Content, Form, Part, Spec};

/// The capability.
#[derive(Debug)]
pub struct File {
    machine: Arc<Machine>,
}

impl Capability for File {
    const NAME: &'static str = "file";
    type Scope = Scope;
    type Spec = Spec;
    type Fact = Fact;
    type Action = Set;

    fn link(linker: &mut wasmtime::component::Linker<Guest>) -> wasmtime::Result<()> {
        bind::link(linker)
    }

    fn resource(spec: &Spec) -> String {
        spec.path.to_string()
    }

    fn check(scope: &Scope, spec: &Spec) -> Result<(), Denied> {
        scope.check(spec)
    }

    fn secrets(spec: &Spec) -> Vec<String> {
        spec.secrets().map(str::to_owned).collect()
    }

    fn open(machine: Arc<Machine>) -> Self {
        Self { machine }
    }

    async fn observe(&self, specs: &[Declared<Spec>], owned: &Owned<Set>) -> Result<Fact, ObserveError> {
        self.read(specs, owned)
    }

    fn diff(fact: &Fact, desired: &Desired<'_, Self>) -> Result<Diff<Set>, PlanError> {
        diff::diff(fact, desired)
    }

    async fn apply(&self, action: &Set) -> Result<(), ApplyError> {
        self.write(action).await
    }
}
