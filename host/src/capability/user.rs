//! Users and groups: passwd(5), group(5), sudoers(5), authorized_keys in sshd(8).
//!
//! What lies in a home directory belongs to somebody who may not be trusted: nothing there is reached through a
//! symbolic link, and what is not the user's own is not shown. No password is ever set. That of a user whom stead
//! removes is kept where root alone reads it, and never is in a fact, a plan or an argument.

use std::sync::Arc;

use super::{ApplyError, Capability, Declared, Denied, Desired, ObserveError, Owned, PlanError};
use crate::machine::Machine;
use crate::plan::Diff;
use crate::policy::Guest;

mod backend;
mod bind;
mod database;
mod diff;
mod fact;
mod merge;
mod name;
mod public_key;
mod record;
mod scope;
mod set;
mod shadow_utils;
mod spec;
mod sudoers;
#[cfg(test)]
mod tests;

pub use fact::{Entry, Fact, Found, Group, Membership, Placed, Primary};
pub use name::Name;
pub use public_key::PublicKey;
pub use scope::Scope;
pub use set::{Action, Place, Set};
pub use spec::{Account, GroupSpec, Spec, Sudo};

/// The capability.
#[derive(Debug)]
pub struct User {
    machine: Arc<Machine>,
}

impl Capability for User {
    const NAME: &'static str = "user";
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

    fn check_fact(scope: &Scope, spec: &Spec, fact: &Fact) -> Result<(), Denied> {
        scope.check_fact(spec, fact)
    }

    fn open(machine: Arc<Machine>) -> Self {
        Self { machine }
    }

    async fn observe(&self, specs: &[Declared<Spec>], owned: &Owned<Action>) -> Result<Fact, ObserveError> {
        self.read(specs, owned)
    }

    fn diff(fact: &Fact, desired: &Desired<'_, Self>) -> Result<Diff<Action>, PlanError> {
        diff::diff(fact, desired)
    }

    async fn apply(&self, action: &Action) -> Result<(), ApplyError> {
        match action {
            Action::Group { name, to } => self.set_group(name, to.as_ref()).await,
            Action::User(set) => self.set_user(set).await,
        }
    }
}
