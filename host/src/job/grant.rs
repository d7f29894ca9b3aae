//! What a job may be granted: a table under `[policy.NAME.grant]` and the interface of the contract that it opens. This is the
//! only list of them.

use std::any::Any;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use toml::de::ValueDeserializer;
use wasmtime::component::Linker;

use super::{containers, requests, scope};
use crate::policy::job::{JobGuest, link_container, link_http, link_vm};

/// Machines.
pub const VM: &str = "vm";
/// Requests to other hosts.
pub const HTTP: &str = "http";

/// One-off containers on this server.
pub const CONTAINER: &str = "container";

/// All of them.
pub const ALL: &[JobGrant] = &[
    JobGrant::new::<scope::Scope>(VM, link_vm),
    JobGrant::new::<requests::Scope>(HTTP, link_http),
    JobGrant::new::<containers::Scope>(CONTAINER, link_container),
];

type ParsedScope = Result<Arc<dyn Any + Send + Sync>, toml::de::Error>;

/// The registration of one.
#[derive(Clone, Copy, Debug)]
pub struct JobGrant {
    name: &'static str,
    scope: fn(ValueDeserializer<'_>) -> ParsedScope,
    link: fn(&mut Linker<JobGuest>) -> wasmtime::Result<()>,
}

/// The one of this name.
pub fn by_name(name: &str) -> Option<&'static JobGrant> {
    ALL.iter().find(|grant| grant.name == name)
}

impl JobGrant {
    const fn new<S: DeserializeOwned + Send + Sync + 'static>(
        name: &'static str,
        link: fn(&mut Linker<JobGuest>) -> wasmtime::Result<()>,
    ) -> Self {
        Self { name, scope: parse::<S>, link }
    }

    /// Its word in WIT and grant table.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Parses its table.
    ///
    /// # Errors
    /// With the place in the text of the table.
    pub fn scope(&self, table: ValueDeserializer<'_>) -> ParsedScope {
        (self.scope)(table)
    }

    /// Gives a policy its interface.
    pub(crate) fn link(&self, linker: &mut Linker<JobGuest>) -> wasmtime::Result<()> {
        (self.link)(linker)
    }
}

fn parse<S: DeserializeOwned + Send + Sync + 'static>(table: ValueDeserializer<'_>) -> ParsedScope {
    Ok(Arc::new(S::deserialize(table)?))
}
