//! One thing of the machine that stead manages: the trait, and the only list of them all.
//!
//! Every capability is a folder of the same shape: `bind.rs` (WIT record to `Spec`), `spec.rs` (the grant's
//! scope, what a policy asks for, what is observed, what is done), `diff.rs` (pure), `backend.rs` (the machine),
//! `cases/*.toml` (tests as data). A capability never knows another one.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

mod any;
pub mod backup;
#[cfg(test)]
mod cases;
pub mod compose;
mod error;
pub mod file;
pub mod firewall;
pub mod package;
pub mod service;
pub mod sysctl;
pub mod user;
pub mod vpn;

pub use any::{AnyCapability, Registered};
pub use error::{ApplyError, Denied, ObserveError, PlanError};

use crate::machine::{Machine, SshSession};
use crate::plan::Diff;

/// All capabilities, in the order in which they apply. This is the only registration.
#[rustfmt::skip]
pub const ALL: &[&dyn AnyCapability] = &[
    &Registered::<package::Packages>::NEW,
    &Registered::<user::User>::NEW,
    &Registered::<file::File>::NEW,
    &Registered::<sysctl::Sysctl>::NEW,
    &Registered::<firewall::Firewall>::NEW,
    &Registered::<vpn::Vpn>::NEW,
    &Registered::<service::Service>::NEW,
    &Registered::<compose::Compose>::NEW,
    &Registered::<backup::Backup>::NEW,
];

/// The capability of this name.
pub fn by_name(name: &str) -> Option<&'static dyn AnyCapability> {
    ALL.iter().copied().find(|capability| capability.name() == name)
}

/// What can cross a process boundary: into the journal, a saved plan, or over SSH.
pub trait Data: Serialize + DeserializeOwned + Clone + std::fmt::Debug + Send + Sync + 'static {}
impl<T: Serialize + DeserializeOwned + Clone + std::fmt::Debug + Send + Sync + 'static> Data for T {}

/// One thing of the machine that stead manages; the verbs are in the order of the path of a call.
///
/// `check` and `diff` take no `&self`: they do no I/O.
pub trait Capability: Send + Sync + Sized + 'static {
    /// Its word in WIT, folder, grant table, command line, journal and docs.
    const NAME: &'static str;
    /// Its table under `[policy.NAME.grant]`; every key unknown to it is an error.
    type Scope: DeserializeOwned + Send + Sync + 'static;
    /// What one call asked for.
    type Spec: Data;
    /// What was observed of everything that is declared or owned. Equal machines give equal facts.
    type Fact: Data;
    /// One change. Idempotent.
    type Action: Data;

    /// Gives a policy the interfaces of this capability.
    ///
    /// # Errors
    /// When the linker already has them.
    fn link(linker: &mut wasmtime::component::Linker<crate::policy::Guest>) -> wasmtime::Result<()>;

    /// The name of the resource that a spec speaks of. Several specs may shape one resource.
    fn resource(spec: &Self::Spec) -> String;

    /// Whether the grant covers the spec.
    ///
    /// # Errors
    /// [`Denied`], with the TOML that would allow it.
    fn check(scope: &Self::Scope, spec: &Self::Spec) -> Result<(), Denied>;

    /// Whether the grant also covers what the spec turned out to mean on the machine: what a compose file asks of
    /// the host is known only when it has been read. Called after observing, before planning and again before applying.
    ///
    /// # Errors
    /// [`Denied`], with the TOML that would allow it.
    fn check_fact(_scope: &Self::Scope, _spec: &Self::Spec, _fact: &Self::Fact) -> Result<(), Denied> {
        Ok(())
    }

    /// The names of the secrets that a spec puts in place.
    fn secrets(_spec: &Self::Spec) -> Vec<String> {
        Vec::new()
    }

    /// Why what is declared would cut off the operator's own session, if it would.
    fn cuts_off(_specs: &[Declared<Self::Spec>], _session: &SshSession) -> Option<String> {
        None
    }

    /// Why one change would cut off the operator's own session, if it would: also one that gives something up, of which
    /// no spec tells.
    fn action_cuts_off(_action: &Self::Action, _session: &SshSession) -> Option<String> {
        None
    }

    /// Takes hold of the machine. Does no I/O.
    fn open(machine: Arc<Machine>) -> Self;

    /// Reads what is there. Changes nothing.
    fn observe(
        &self,
        specs: &[Declared<Self::Spec>],
        owned: &Owned<Self::Action>,
    ) -> impl Future<Output = Result<Self::Fact, ObserveError>> + Send;

    /// The steps from what is there to what is declared, each with its undo, and what is pruned.
    /// `diff` of a machine that is as declared has no step.
    ///
    /// # Errors
    /// When the specs contradict each other or cannot be reached.
    fn diff(fact: &Self::Fact, desired: &Desired<'_, Self>) -> Result<Diff<Self::Action>, PlanError>;

    /// Does one change; doing it twice is the same as doing it once.
    ///
    /// # Errors
    /// When the machine refuses.
    fn apply(&self, action: &Self::Action) -> impl Future<Output = Result<(), ApplyError>> + Send;
}

/// A spec and the policy that declared it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct Declared<S> {
    pub policy: String,
    pub spec: S,
}

/// What the last revision owned, by resource: the action that gives it up, which is the undo of the step that
/// first took it. `None`: it was as declared before stead came, and stays so when it is no longer declared.
pub type Owned<A> = BTreeMap<String, Option<A>>;

/// What `diff` compares the machine with.
#[derive(Debug)]
pub struct Desired<'a, C: Capability> {
    /// In the order of the policies in `stead.toml`, then of their calls.
    pub specs: &'a [Declared<C::Spec>],
    pub owned: &'a Owned<C::Action>,
    /// `CAPABILITY:RESOURCE` of every earlier step of this plan: what a restart may depend on.
    pub changed: &'a BTreeSet<String>,
}

impl<C: Capability> Desired<'_, C> {
    /// What the last revision owned and this one no longer declares, with the action that gives it up.
    pub fn pruned(&self) -> impl Iterator<Item = (&String, &Option<C::Action>)> {
        let declared: BTreeSet<String> = self.specs.iter().map(|declared| C::resource(&declared.spec)).collect();
        self.owned.iter().filter(move |(resource, _)| !declared.contains(*resource))
    }
}
