//! What every policy may call: facts of the host, its config, and the log. These need no grant, and are recorded too.

use serde_json::{Value, json};
use wasmtime::component::Linker;

use super::guest::{Guest, HasGuest};
use super::log::Level;

wasmtime::component::bindgen!({
    inline: "package stead:bind; world bind {
        import stead:host/facts@0.1.0;
        import stead:host/config@0.1.0;
        import stead:host/log@0.1.0;
        export stead:host/configure@0.1.0;
    }",
    path: "../wit",
    imports: { default: trappable },
    exports: { default: async },
    with: { "stead:host/types": crate::policy::types::stead::host::types },
});

use stead::host::{config, facts, log};

pub(super) use BindPre as Configure;

/// `configure` has other types than the contract says.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Mismatched(String);

impl Mismatched {
    pub(super) fn new(error: &wasmtime::Error) -> Self {
        Self(format!("{error:#}"))
    }
}

/// Instantiates a policy and calls its `configure`.
pub(super) async fn configure(
    policy: &Configure<Guest>,
    store: &mut wasmtime::Store<Guest>,
) -> wasmtime::Result<Result<(), super::types::Error>> {
    let instance = policy.instance_pre().instantiate_async(&mut *store).await?;
    let exports = policy.indices.load(&mut *store, &instance).map_err(|error| Mismatched::new(&error))?;
    exports.stead_host_configure().call_configure(store).await
}

pub(super) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    facts::add_to_linker::<_, HasGuest>(linker, |guest| guest)?;
    config::add_to_linker::<_, HasGuest>(linker, |guest| guest)?;
    log::add_to_linker::<_, HasGuest>(linker, |guest| guest)
}

impl facts::Host for Guest {
    fn host_name(&mut self) -> wasmtime::Result<String> {
        let name = self.facts().host_name.clone();
        self.answered("facts", json!("host-name"), json!(name))?;
        Ok(name)
    }

    fn os(&mut self) -> wasmtime::Result<facts::OsRelease> {
        let os = self.facts().os.clone();
        self.answered("facts", json!("os"), json!(os))?;
        Ok(facts::OsRelease { id: os.id, version_id: os.version_id, version_codename: os.version_codename })
    }

    fn architecture(&mut self) -> wasmtime::Result<String> {
        let architecture = self.facts().architecture.clone();
        self.answered("facts", json!("architecture"), json!(architecture))?;
        Ok(architecture)
    }

    fn interfaces(&mut self) -> wasmtime::Result<Vec<facts::NetworkInterface>> {
        let interfaces = self.facts().interfaces.clone();
        self.answered("facts", json!("interfaces"), json!(interfaces))?;
        let interface = |read: crate::machine::NetworkInterface| facts::NetworkInterface {
            name: read.name,
            addresses: read.addresses,
            default_route: read.default_route,
        };
        Ok(interfaces.into_iter().map(interface).collect())
    }
}

impl config::Host for Guest {
    fn get(&mut self) -> wasmtime::Result<String> {
        let config = self.config().clone();
        let text = config.to_string();
        self.answered("config", json!("get"), config)?;
        Ok(text)
    }
}

impl log::Host for Guest {
    fn log(&mut self, level: log::Level, message: String) -> wasmtime::Result<()> {
        let level = match level {
            log::Level::Debug => Level::Debug,
            log::Level::Info => Level::Info,
            log::Level::Warn => Level::Warn,
            log::Level::Error => Level::Error,
        };
        self.said(level, &message)?;
        // The words are in the log already; here only their place among the calls counts.
        self.answered("log", json!(level), Value::Null)
    }
}
