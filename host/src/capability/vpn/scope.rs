//! What the operator lets a policy do with WireGuard.

use ipnet::IpNet;
use serde::Deserialize;

use super::spec::{Interface, Peer, Spec};
use crate::capability::Denied;
use crate::grant::Patterns;

/// `[policy.NAME.grant.vpn]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Scope {
    /// Patterns of names: `wg*`.
    pub interfaces: Patterns,
    /// The UDP ports that interfaces may listen on. One that the kernel picks needs no grant.
    #[serde(default)]
    pub listen_ports: Vec<u16>,
    /// Prefixes within which the networks of addresses and the allowed prefixes of peers must lie: whoever may
    /// allow a peer `0.0.0.0/0` may have its packets pass for anybody's.
    #[serde(default)]
    pub networks: Vec<IpNet>,
    /// The marks that outgoing packets may carry.
    #[serde(default)]
    pub fwmarks: Vec<u32>,
    /// The routing tables, other than the main one, that routes may be put into.
    #[serde(default)]
    pub tables: Vec<u32>,
    /// Patterns of secrets that may be preshared keys.
    #[serde(default)]
    pub secrets: Option<Patterns>,
}

impl Scope {
    /// Whether the grant covers all that the spec asks for.
    ///
    /// # Errors
    /// [`Denied`], for the first thing that it does not cover.
    pub fn check(&self, spec: &Spec) -> Result<(), Denied> {
        let name = spec.interface().as_str();
        if !self.interfaces.matches(name) {
            return Err(denied(format!("interface {name}"), "interfaces", format!("[\"{name}\"]")));
        }
        spec.declares().map_or(Ok(()), |interface| self.check_interface(interface))?;
        spec.peers().iter().try_for_each(|peer| self.check_peer(peer))
    }

    fn check_interface(&self, interface: &Interface) -> Result<(), Denied> {
        if let Some(port) = interface.listen_port.filter(|port| !self.listen_ports.contains(port)) {
            let asked = format!("{} listening on UDP port {port}", interface.name);
            return Err(denied(asked, "listen-ports", format!("[{port}]")));
        }
        if let Some(mark) = interface.fwmark.filter(|mark| !self.fwmarks.contains(mark)) {
            return Err(denied(format!("{} with mark {mark}", interface.name), "fwmarks", format!("[{mark}]")));
        }
        if let Some(table) = interface.table.filter(|table| !self.tables.contains(table)) {
            let asked = format!("{} with routes in table {table}", interface.name);
            return Err(denied(asked, "tables", format!("[{table}]")));
        }
        interface.addresses.iter().try_for_each(|address| {
            self.check_network(&address.trunc(), || format!("{} with address {address}", interface.name))
        })
    }

    fn check_peer(&self, peer: &Peer) -> Result<(), Denied> {
        let name = &peer.interface;
        peer.allowed_ips
            .iter()
            .try_for_each(|prefix| self.check_network(prefix, || format!("{prefix} to a peer of {name}")))?;
        match &peer.preshared_key {
            Some(secret) if !self.secrets.as_ref().is_some_and(|secrets| secrets.matches(secret)) => {
                Err(denied(format!("secret {secret} as a preshared key"), "secrets", format!("[{secret:?}]")))
            }
            _ => Ok(()),
        }
    }

    fn check_network(&self, network: &IpNet, asked: impl FnOnce() -> String) -> Result<(), Denied> {
        if self.networks.iter().any(|granted| granted.contains(network)) {
            return Ok(());
        }
        Err(denied(asked(), "networks", format!("[\"{network}\"]")))
    }
}

fn denied(asked: String, key: &'static str, value: String) -> Denied {
    Denied { capability: "vpn", asked, key, value }
}
