//! What the WireGuard interfaces of this machine do right now.
//!
//! It changes by itself, so it is no fact and no plan depends on it. It never holds a key other than a public one.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::link::{LinkError, Links};
use super::{Driver, Name, PublicKey, Spec, device, keys};
use crate::capability::{Declared, ObserveError};

/// How long a session lives without a new handshake: REJECT_AFTER_TIME of the WireGuard paper.
const SESSION: Duration = Duration::from_secs(180);

/// A running interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Tunnel {
    pub name: Name,
    pub driver: Driver,
    pub public_key: Option<PublicKey>,
    pub listen_port: Option<u16>,
    /// By public key.
    pub peers: BTreeMap<PublicKey, Talk>,
}

/// What passes between the interface and one peer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Talk {
    /// What the last revision calls it.
    pub name: Option<String>,
    /// Where it was heard last, or is called.
    pub endpoint: Option<SocketAddr>,
    pub allowed_ips: BTreeSet<IpNet>,
    /// How long ago the last handshake was, in whole seconds; `None`: there was none.
    pub handshake: Option<u64>,
    /// In bytes, since the peer was added.
    pub received: u64,
    /// In bytes, since the peer was added.
    pub sent: u64,
}

impl Talk {
    /// Whether there is no session: nobody has shaken hands within the life of one.
    pub fn is_stale(&self) -> bool {
        self.handshake.is_none_or(|seconds| seconds >= SESSION.as_secs())
    }
}

/// Reads all WireGuard interfaces, sorted by name; `declared` says what people call the peers.
///
/// # Errors
/// When the machine does not let itself be read.
pub async fn status(declared: &[Declared<Value>]) -> Result<Vec<Tunnel>, ObserveError> {
    let links = Links::open().map_err(|error| unreadable("vpn", error))?;
    let called = called(declared);
    let mut tunnels = Vec::new();
    for (name, driver) in running(&links).await.map_err(|error| unreadable("vpn", error))? {
        tunnels.push(tunnel(name, driver, &called)?);
    }
    Ok(tunnels)
}

async fn running(links: &Links) -> Result<BTreeMap<Name, Driver>, LinkError> {
    let kernel = links.of_kind("wireguard").await?.into_iter().map(|name| (name, Driver::Kernel));
    let mut running: BTreeMap<_, _> = kernel.collect();
    for name in device::programs() {
        // Its socket may be one that every network namespace sees.
        if links.find(&name).await?.is_some() {
            running.entry(name).or_insert(Driver::Userspace);
        }
    }
    Ok(running)
}

fn tunnel(name: Name, driver: Driver, called: &BTreeMap<(Name, PublicKey), String>) -> Result<Tunnel, ObserveError> {
    let device = device::read(&name, &driver).map_err(|error| unreadable(&format!("vpn {name}"), error))?;
    let now = SystemTime::now();
    let talk = |(key, peer): (PublicKey, device::DevicePeer)| {
        let ago = |time: SystemTime| now.duration_since(time).unwrap_or_default().as_secs();
        let talk = Talk {
            name: called.get(&(name.clone(), key)).cloned(),
            endpoint: peer.endpoint,
            allowed_ips: peer.allowed_ips,
            handshake: peer.handshake.map(ago),
            received: peer.received,
            sent: peer.sent,
        };
        (key, talk)
    };
    Ok(Tunnel {
        public_key: device.private.as_ref().map(keys::public),
        listen_port: device.listen_port,
        peers: device.peers.into_iter().map(talk).collect(),
        driver,
        name: name.clone(),
    })
}

/// What people call the peers of an interface. A spec of another version of stead gives no name, and does no harm.
fn called(declared: &[Declared<Value>]) -> BTreeMap<(Name, PublicKey), String> {
    let specs = declared.iter().filter_map(|declared| serde_json::from_value(declared.spec.clone()).ok());
    let peers = specs.flat_map(|spec: Spec| spec.peers().to_vec());
    peers.filter_map(|peer| Some(((peer.interface, peer.public_key), peer.name?))).collect()
}

fn unreadable(resource: &str, reason: impl ToString) -> ObserveError {
    ObserveError::Unreadable { resource: resource.to_owned(), reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_handshake_within_a_session_it_is_stale() {
        let after = |handshake| Talk { handshake, ..Talk::default() }.is_stale();
        assert!(after(None) && after(Some(180)) && !after(Some(179)) && !after(Some(0)));
    }
}
