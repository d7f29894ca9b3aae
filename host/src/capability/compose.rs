//! Docker Compose projects: brought up, changed and taken down over the Docker API.
//!
//! The Compose plugin reads the files, because only it reads all of them right; the engine is ours, and carries the
//! labels of Compose, so that `docker compose ps`, `logs` and `down` work on what stead started. A volume is never
//! removed. A key that the engine does not carry is an error, never dropped.

use std::sync::Arc;

use super::{ApplyError, Capability, Declared, Denied, Desired, ObserveError, Owned, PlanError};
use crate::machine::Machine;
use crate::plan::Diff;
use crate::policy::Guest;

mod app;
mod backend;
mod bind;
mod cache;
mod claim;
mod credentials;
mod diff;
mod docker;
mod engine;
mod files;
mod ignore;
mod loader;
mod model;
mod one_off;
mod order;
mod record;
mod scope;
mod spec;
mod state;
mod summary;
mod swarm;
mod write;
pub mod written;

pub use app::{
    App, AppError, Apps, Cache, Cleaned, Exec, ExecEnded, Images, Instance, KeptVolume, Line, Lines, Needs, Since,
    Source, Streams, Unused, Users, Waste, mentioned, shown, wanted,
};
pub use claim::{Ask, Claim};
pub use files::{Entry, Files};
pub use one_off::{Called, Ended, Listed, OneOffError, OneOffs, Planned, Wish};
pub use scope::Scope;
pub use spec::{EngineName, Engines, Project, Spec};
pub use state::{
    Container, Engine, Fact, Found, Kept, Published, Record, SecretValue, Service, Set, State, Version, Wanted,
};

/// The capability.
#[derive(Debug)]
pub struct Compose {
    machine: Arc<Machine>,
}

impl Capability for Compose {
    const NAME: &'static str = "compose";
    type Scope = Scope;
    type Spec = Spec;
    type Fact = Fact;
    type Action = Set;

    fn link(linker: &mut wasmtime::component::Linker<Guest>) -> wasmtime::Result<()> {
        bind::link(linker)
    }

    fn resource(spec: &Spec) -> String {
        spec.project.to_string()
    }

    fn check(scope: &Scope, spec: &Spec) -> Result<(), Denied> {
        scope.check(spec)
    }

    fn check_fact(scope: &Scope, spec: &Spec, fact: &Fact) -> Result<(), Denied> {
        let wanted = fact.projects.get(&spec.project).and_then(|found| found.wanted.as_ref());
        wanted.map_or(Ok(()), |wanted| scope.check_claims(&wanted.claims))
    }

    fn secrets(spec: &Spec) -> Vec<String> {
        spec.secrets.values().cloned().collect()
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
        self.write(action).await
    }
}
