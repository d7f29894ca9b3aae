//! Kernel parameters, now and after a boot: sysctl(8), sysctl.d(5).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{ApplyError, Capability, Declared, Denied, Desired, ObserveError, Owned, PlanError};
use crate::machine::Machine;
use crate::plan::Diff;
use crate::policy::Guest;

mod backend;
mod bind;
mod diff;
mod spec;

pub use spec::{Key, Parameter, Scope, Set, Spec};

/// The capability.
#[derive(Debug)]
pub struct Sysctl {
    machine: Arc<Machine>,
}

impl Capability for Sysctl {
    const NAME: &'static str = "sysctl";
    type Scope = Scope;
    type Spec = Spec;
    type Fact = BTreeMap<Key, Parameter>;
    type Action = Set;

    fn link(linker: &mut wasmtime::component::Linker<Guest>) -> wasmtime::Result<()> {
        bind::link(linker)
    }

    fn resource(spec: &Spec) -> String {
        spec.key.to_string()
    }

    fn check(scope: &Scope, spec: &Spec) -> Result<(), Denied> {
        scope.check(spec)
    }

    fn open(machine: Arc<Machine>) -> Self {
        Self { machine }
    }

    async fn observe(&self, specs: &[Declared<Spec>], owned: &Owned<Set>) -> Result<Self::Fact, ObserveError> {
        let declared = specs.iter().map(|declared| declared.spec.key.clone());
        let owned = owned.keys().filter_map(|key| key.parse().ok());
        declared.chain(owned).map(|key| self.read(key)).collect()
    }

    fn diff(fact: &Self::Fact, desired: &Desired<'_, Self>) -> Result<Diff<Set>, PlanError> {
        diff::diff(fact, desired)
    }

    async fn apply(&self, action: &Set) -> Result<(), ApplyError> {
        self.write(action)
    }
}
