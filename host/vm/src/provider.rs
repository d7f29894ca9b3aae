//! Where machines come from: one trait, a folder for each provider, and their only registration.
//!
//! A provider is that of one installation, and neither sees nor touches what others have there. It keeps nothing in memory that it could not find again: any process may ask it about any machine.

use async_trait::async_trait;

use crate::machine::{Offer, Vm};
use crate::name::{Installation, VmName};
use crate::request::Request;

pub mod ec2;
mod error;
pub mod hetzner;
mod http;
pub mod qemu;
mod settings;
mod time;

pub use error::{Cause, ProviderError};

/// One place where machines can be made. What it must hold to is tested by the conformance kit, for all of them.
#[async_trait]
pub trait Provider: std::fmt::Debug + Send + Sync {
    /// The word for it in `stead.toml`.
    fn name(&self) -> &'static str;

    /// The sizes that can be asked for by name; none where machines are cut to measure.
    ///
    /// # Errors
    /// As every call to a provider.
    async fn offers(&self) -> Result<Vec<Offer>, ProviderError>;

    /// Makes the machine, or finds the one of this name: a repeated call never makes a second one. The machine may
    /// still be booting, or have ended since an earlier call made it.
    ///
    /// # Errors
    /// After [`Cause::TimedOut`] alone it is unknown whether the machine was made; after the others it was not.
    async fn create(&self, request: &Request) -> Result<Vm, ProviderError>;

    /// All machines, in the order of their names, with those of which only a volume, an address
    /// or a key is left. It may lag behind what was just made or destroyed.
    ///
    /// # Errors
    /// As every call to a provider.
    async fn list(&self) -> Result<Vec<Vm>, ProviderError>;

    /// Ends the machine and takes away what came with it. One that is not there is destroyed already.
    ///
    /// # Errors
    /// When something may be left.
    async fn destroy(&self, name: &VmName) -> Result<(), ProviderError>;

    /// The end of what the machine wrote to its console, where the provider keeps it: why a boot did not finish.
    ///
    /// # Errors
    /// As every call to a provider.
    async fn console(&self, name: &VmName) -> Result<Option<String>, ProviderError>;
}

/// How a provider is made from its table in `stead.toml`.
#[derive(Clone, Copy, Debug)]
pub struct Registration {
    pub name: &'static str,
    pub open: fn(Installation, serde_json::Value) -> Result<Box<dyn Provider>, ProviderError>,
}

/// Every provider.
pub const ALL: &[Registration] = &[
    Registration { name: qemu::NAME, open: qemu::open },
    Registration { name: ec2::NAME, open: ec2::open },
    Registration { name: hetzner::NAME, open: hetzner::open },
];

/// The provider called `name` with these settings, for one installation.
///
/// # Errors
/// When there is none, or its settings are not such.
pub fn open(
    name: &str,
    installation: Installation,
    settings: serde_json::Value,
) -> Result<Box<dyn Provider>, ProviderError> {
    let registration = ALL.iter().find(|registration| registration.name == name).ok_or_else(|| {
        let known: Vec<_> = ALL.iter().map(|registration| registration.name).collect();
        ProviderError::new(Cause::Invalid, format!("there is no provider {name}: it can be {}", known.join(", ")))
    })?;
    (registration.open)(installation, settings)
}
