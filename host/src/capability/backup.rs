//! Backups by restic(1): what is in them, where they go, and the timer that makes them.
//!
//! It puts in place what is needed, and never makes a backup itself: [`crate::backup`] does. A policy names no target: it
//! asks for what `[backup.NAME]` of `stead.toml` describes, and its grant says which repositories that may be.

use std::sync::Arc;

use super::{ApplyError, Capability, Declared, Denied, Desired, ObserveError, Owned, PlanError};
use crate::machine::Machine;
use crate::plan::Diff;
use crate::policy::Guest;

mod backend;
mod bind;
mod diff;
mod environment;
mod fact;
mod files;
mod scope;
mod spec;

pub use environment::{Variables, password_file};
pub use fact::{Fact, Found, Set};
pub use files::{definition, definitions, names};
pub use scope::Scope;
pub use spec::{Backups, Calendar, Contents, Database, Keep, NotABackup, Repository, Spec, Variable, Volume};

/// The capability.
#[derive(Debug)]
pub struct Backup {
    machine: Arc<Machine>,
}

impl Capability for Backup {
    const NAME: &'static str = "backup";
    type Scope = Scope;
    type Spec = Spec;
    type Fact = Fact;
    type Action = Set;

    fn link(linker: &mut wasmtime::component::Linker<Guest>) -> wasmtime::Result<()> {
        bind::link(linker)
    }

    fn resource(spec: &Spec) -> String {
        spec.name.to_string()
    }

    fn check(scope: &Scope, spec: &Spec) -> Result<(), Denied> {
        scope.check(spec)
    }

    fn secrets(spec: &Spec) -> Vec<String> {
        spec.secrets().map(ToString::to_string).collect()
    }

    fn open(machine: Arc<Machine>) -> Self {
        Self { machine }
    }

    async fn observe(&self, specs: &[Declared<Spec>], owned: &Owned<Set>) -> Result<Fact, ObserveError> {
        self.read(specs, owned).await
    }

    fn diff(fact: &Fact, desired: &Desired<'_, Self>) -> Result<Diff<Set>, PlanError> {
        diff::diff(fact, desired)
    }

    async fn apply(&self, action: &Set) -> Result<(), ApplyError> {
        self.set(action).await
    }
}
