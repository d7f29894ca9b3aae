//! Which machines the reaper saw last: for whoever looks often, and must not cost a call to a provider each time.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use stead_vm::machine::Vm;

/// By provider. A provider that did not answer since keeps what it said before.
#[derive(Debug, Default)]
pub(super) struct Seen(Mutex<BTreeMap<String, Listed>>);

/// What a provider said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) at: SystemTime,
    pub(super) machines: Vec<Vm>,
}

impl Seen {
    /// Remembers what a provider said just now.
    pub(super) fn put(&self, provider: &str, machines: Vec<Vm>) {
        let listed = Listed { at: SystemTime::now(), machines };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(provider.to_owned(), listed);
    }

    /// All of it.
    pub(super) fn all(&self) -> BTreeMap<String, Listed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
