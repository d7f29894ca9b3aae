//! WireGuard interfaces and their peers, now and after a boot: wg(8), systemd.netdev(5).
//!
//! Live changes go by netlink, peer by peer, so that the other peers keep their sessions; files for
//! systemd-networkd(8) bring the interface back at boot. `networkctl reload` is never run: systemd 255 does not
//! apply peers by it, and systemd 259 makes every peer shake hands anew.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{ApplyError, Capability, Declared, Denied, Desired, ObserveError, Owned, PlanError};
use crate::machine::{Machine, SshSession};
use crate::plan::Diff;
use crate::policy::Guest;

mod backend;
mod bind;
mod claims;
mod detail;
mod device;
mod diff;
mod files;
mod keys;
mod link;
mod name;
mod networkd;
mod reach;
mod scope;
mod setting;
mod spec;
mod state;
mod status;
#[cfg(test)]
mod tests;
mod userspace;
mod wanted;

pub use claims::Claims;
pub use keys::key_pair;
pub use name::{Endpoint, Name, PublicKey};
pub use scope::Scope;
pub use spec::{Interface, Mesh, Peer, Spec};
pub use state::{Boot, Content, Driver, Fact, Identity, Live, PeerState, Seen, Set, State, Unit};
pub use status::{Talk, Tunnel, status};

/// The meshes of the repo, each as it is on this host; `None`: the host is not of it.
pub type Meshes = BTreeMap<Name, Option<Mesh>>;

/// The capability.
#[derive(Debug)]
pub struct Vpn {
    machine: Arc<Machine>,
}

impl Vpn {
    /// Makes the next key pair of an interface, which runs on it once a mesh names its public half.
    ///
    /// # Errors
    /// When it cannot be kept.
    pub fn next_key(&self, name: &Name) -> Result<PublicKey, ApplyError> {
        keys::Keys { machine: &self.machine, name }.make_next()
    }
}

impl Capability for Vpn {
    const NAME: &'static str = "vpn";
    type Scope = Scope;
    type Spec = Spec;
    type Fact = Fact;
    type Action = Set;

    fn link(linker: &mut wasmtime::component::Linker<Guest>) -> wasmtime::Result<()> {
        bind::link(linker)
    }

    fn resource(spec: &Spec) -> String {
        spec.interface().to_string()
    }

    fn check(scope: &Scope, spec: &Spec) -> Result<(), Denied> {
        scope.check(spec)
    }

    fn secrets(spec: &Spec) -> Vec<String> {
        spec.peers().iter().filter_map(|peer| peer.preshared_key.clone()).collect()
    }

    fn action_cuts_off(action: &Set, session: &SshSession) -> Option<String> {
        reach::cuts_off(action, session)
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
