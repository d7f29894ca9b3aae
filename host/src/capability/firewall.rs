//! The packet filter: the table `inet stead`, by nft(8). No other table is ever touched.

use std::sync::Arc;

use super::{ApplyError, Capability, Declared, Denied, Desired, ObserveError, Owned, PlanError};
use crate::machine::{Machine, SshSession};
use crate::plan::Diff;
use crate::policy::Guest;

mod addresses;
mod backend;
mod bind;
mod boot;
mod compile;
mod diff;
mod elements;
mod evaluate;
mod listening;
mod listing;
mod matches;
mod namespace;
mod raw;
mod render;
mod rivals;
mod ruleset;
mod scope;
mod set;
mod spec;
mod state;
mod table;
#[cfg(test)]
mod tests;
mod verdict;
mod words;

pub use evaluate::{Decision, Packet, admits, ways_in};
pub use listening::{Listening, listening};
pub use scope::Scope;
pub use spec::{Chain, Spec, Transport};
pub use state::{Fact, Set};
pub use table::{Door, Row, Section, doors, table, who_reaches};
pub use verdict::Verdict;

/// The one resource: all rules change in one transaction.
const RESOURCE: &str = "table inet stead";

/// What a revision recorded of the firewall.
///
/// # Errors
/// When another version of stead recorded it.
pub fn recorded(specs: Vec<Declared<serde_json::Value>>) -> Result<Vec<Declared<Spec>>, ObserveError> {
    let one = |Declared { policy, spec }| Ok(Declared { policy, spec: serde_json::from_value(spec)? });
    specs.into_iter().map(one).collect::<Result<_, serde_json::Error>>().map_err(|error| ObserveError::Unreadable {
        resource: "the firewall of the last revision".to_owned(),
        reason: error.to_string(),
    })
}

/// The capability.
#[derive(Debug)]
pub struct Firewall {
    machine: Arc<Machine>,
}

impl Capability for Firewall {
    const NAME: &'static str = "firewall";
    type Scope = Scope;
    type Spec = Spec;
    type Fact = Fact;
    type Action = Set;

    fn link(linker: &mut wasmtime::component::Linker<Guest>) -> wasmtime::Result<()> {
        bind::link(linker)
    }

    fn resource(_spec: &Spec) -> String {
        RESOURCE.to_owned()
    }

    fn check(scope: &Scope, spec: &Spec) -> Result<(), Denied> {
        scope.check(spec)
    }

    fn cuts_off(specs: &[Declared<Spec>], session: &SshSession) -> Option<String> {
        evaluate::cuts_off(specs, session)
    }

    fn open(machine: Arc<Machine>) -> Self {
        Self { machine }
    }

    async fn observe(&self, specs: &[Declared<Spec>], owned: &Owned<Set>) -> Result<Fact, ObserveError> {
        if specs.is_empty() && owned.is_empty() {
            return Ok(Fact::default());
        }
        self.read(specs).await
    }

    fn diff(fact: &Fact, desired: &Desired<'_, Self>) -> Result<Diff<Set>, PlanError> {
        diff::diff(fact, desired)
    }

    async fn apply(&self, action: &Set) -> Result<(), ApplyError> {
        self.write(action).await
    }
}
