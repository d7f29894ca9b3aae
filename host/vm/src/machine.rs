//! What a provider says of its machines and of what it sells.

use std::net::SocketAddr;
use std::time::SystemTime;

use crate::name::{Owner, VmName};

/// A machine, or what is left of one, as its provider lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vm {
    pub name: VmName,
    pub state: State,
    /// When it was asked for, by the provider's clock.
    pub created: SystemTime,
    /// Where its sshd listens; none until the provider knows.
    pub address: Option<SocketAddr>,
    pub size: String,
    pub region: Option<String>,
    /// What it costs now; none when it costs nothing or the provider does not say.
    pub price: Option<Price>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Asked for; the provider is at it, or was interrupted.
    Starting,
    Running,
    /// It ended by itself: the guest powered off or crashed.
    Ended,
    /// The provider took it back.
    Preempted,
    /// The machine is gone and something that came with it (volume, address, key) is not.
    Remains,
}

/// Money for an hour, in millionths of the currency's unit: prices are added up, and floating point does not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Price {
    /// ISO 4217.
    pub currency: String,
    pub micros_per_hour: u64,
}

/// A size of machine that a provider sells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    pub size: String,
    pub region: Option<String>,
    pub cpus: u16,
    pub memory_mib: u32,
    pub price: Option<Price>,
}

impl Vm {
    pub fn owner(&self) -> &Owner {
        self.name.owner()
    }
}
