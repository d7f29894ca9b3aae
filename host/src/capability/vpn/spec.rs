//! What a policy asks of WireGuard: an interface, or a peer of one.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::bind::stead::host::vpn as wit;
use super::{Endpoint, Meshes, Name, PublicKey};
use crate::policy::Invalid;

/// The table that every packet looks into; rtnetlink(7).
pub(super) const MAIN: u32 = 254;

/// What one call asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Spec {
    Interface(Interface),
    Peer(Peer),
    Mesh(Mesh),
}

/// An interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Interface {
    pub name: Name,
    /// Each with its host bits.
    #[serde(default)]
    pub addresses: BTreeSet<IpNet>,
    #[serde(default)]
    pub listen_port: Option<u16>,
    #[serde(default = "default_mtu")]
    pub mtu: u32,
    #[serde(default)]
    pub fwmark: Option<u32>,
    #[serde(default = "default_routes")]
    pub routes: bool,
    /// `None`: the main table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<u32>,
}

/// A peer of an interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Peer {
    pub interface: Name,
    pub public_key: PublicKey,
    #[serde(default)]
    pub name: Option<String>,
    /// The name of the secret.
    #[serde(default)]
    pub preshared_key: Option<String>,
    #[serde(default)]
    pub endpoint: Option<Endpoint>,
    /// Without host bits.
    #[serde(default)]
    pub allowed_ips: BTreeSet<IpNet>,
    #[serde(default)]
    pub persistent_keepalive: Option<u16>,
}

/// An interface and its peers, as a mesh of the repo has them on this host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Mesh {
    pub interface: Interface,
    /// The public half of the key pair that the interface is to have, if the host has that pair.
    #[serde(default)]
    pub public_key: Option<PublicKey>,
    #[serde(default)]
    pub peers: Vec<Peer>,
    /// The hosts that are no peers yet, because nobody knows their public keys.
    #[serde(default)]
    pub without_key: Vec<String>,
}

/// What an outer packet of 1500 bytes leaves over IPv6; wg-quick(8).
fn default_mtu() -> u32 {
    1420
}

fn default_routes() -> bool {
    true
}

impl Spec {
    /// The interface that it speaks of.
    pub fn interface(&self) -> &Name {
        match self {
            Self::Interface(interface) => &interface.name,
            Self::Peer(peer) => &peer.interface,
            Self::Mesh(mesh) => &mesh.interface.name,
        }
    }

    /// The interface that it declares, if any.
    pub fn declares(&self) -> Option<&Interface> {
        match self {
            Self::Interface(interface) => Some(interface),
            Self::Mesh(mesh) => Some(&mesh.interface),
            Self::Peer(_) => None,
        }
    }

    /// The public half of the key pair that it gives the interface, if any.
    pub fn public_key(&self) -> Option<&PublicKey> {
        match self {
            Self::Mesh(mesh) => mesh.public_key.as_ref(),
            Self::Interface(_) | Self::Peer(_) => None,
        }
    }

    /// The peers that it declares.
    pub fn peers(&self) -> &[Peer] {
        match self {
            Self::Interface(_) => &[],
            Self::Peer(peer) => std::slice::from_ref(peer),
            Self::Mesh(mesh) => &mesh.peers,
        }
    }

    /// Parses the argument of `vpn.add-interface`.
    ///
    /// # Errors
    /// When a value is not what the WIT says.
    pub fn parse_interface(asked: &wit::Interface) -> Result<Self, Invalid> {
        let addresses: BTreeSet<IpNet> =
            asked.addresses.iter().map(|address| self::address(address)).collect::<Result<_, _>>()?;
        let mtu = asked.mtu.unwrap_or(default_mtu());
        // RFC 791 and RFC 8200: what every link has to carry.
        let least = if addresses.iter().any(|address| matches!(address, IpNet::V6(_))) { 1280 } else { 576 };
        if !(least..=65535).contains(&mtu) {
            return Err(Invalid::new("mtu", format!("{mtu} is not {least} to 65535 bytes")));
        }
        Ok(Self::Interface(Interface {
            name: asked.name.parse()?,
            addresses,
            listen_port: not_zero("listen-port", asked.listen_port)?,
            mtu,
            fwmark: not_zero("fwmark", asked.fwmark)?,
            routes: asked.routes.unwrap_or(default_routes()),
            table: asked.table.map(|table| self::table(table, asked.routes)).transpose()?.flatten(),
        }))
    }

    /// Parses the arguments of `vpn.add-peer`.
    ///
    /// # Errors
    /// When a value is not what the WIT says.
    pub fn parse_peer(interface: &str, asked: &wit::Peer) -> Result<Self, Invalid> {
        Ok(Self::Peer(Peer {
            interface: interface.parse().map_err(|error| Invalid { argument: "interface", ..error })?,
            public_key: asked.public_key.parse()?,
            name: asked.name.as_deref().map(|name| line("name", name)).transpose()?,
            preshared_key: asked.preshared_key.as_deref().map(|name| line("preshared-key", name)).transpose()?,
            endpoint: asked.endpoint.as_deref().map(str::parse).transpose()?,
            allowed_ips: asked.allowed_ips.iter().map(|prefix| self::prefix(prefix)).collect::<Result<_, _>>()?,
            persistent_keepalive: not_zero("persistent-keepalive", asked.persistent_keepalive)?,
        }))
    }
}

impl Mesh {
    /// The mesh of this name, as it is on this host.
    ///
    /// # Errors
    /// When the repo has none, or the host is not of it.
    pub fn named(name: &str, meshes: &Meshes) -> Result<Self, Invalid> {
        let invalid = |reason: String| Invalid::new("name", reason);
        match meshes.iter().find(|(known, _)| known.as_str() == name) {
            Some((_, Some(mesh))) => Ok(mesh.clone()),
            Some((name, None)) => {
                Err(invalid(format!("this host is not among the hosts of [vpn.{name}] in stead.toml")))
            }
            None => Err(invalid(format!("stead.toml has no mesh {name:?}"))),
        }
    }
}

impl From<Interface> for wit::Interface {
    fn from(interface: Interface) -> Self {
        Self {
            name: interface.name.to_string(),
            addresses: interface.addresses.iter().map(ToString::to_string).collect(),
            listen_port: interface.listen_port,
            mtu: Some(interface.mtu),
            fwmark: interface.fwmark,
            routes: Some(interface.routes),
            table: interface.table,
        }
    }
}

impl Interface {
    /// The interface of a mesh.
    pub fn of_mesh(name: Name, addresses: BTreeSet<IpNet>, listen_port: u16, mtu: Option<u32>) -> Self {
        Self {
            name,
            addresses,
            listen_port: Some(listen_port),
            mtu: mtu.unwrap_or(default_mtu()),
            fwmark: None,
            routes: default_routes(),
            table: None,
        }
    }
}

fn not_zero<T: PartialEq + From<u8>>(argument: &'static str, value: Option<T>) -> Result<Option<T>, Invalid> {
    if value == Some(T::from(0)) {
        return Err(Invalid::new(argument, "0 means none: leave it out"));
    }
    Ok(value)
}

fn table(table: u32, routes: Option<bool>) -> Result<Option<u32>, Invalid> {
    let invalid = |reason: &str| Err(Invalid::new("table", format!("{table} {reason}")));
    match table {
        // rtnetlink(7): unspecified, the table of what has none, and that of the host's own addresses.
        0 | 253 | 255 => invalid("is the kernel's own table"),
        _ if routes == Some(false) => invalid("is of no use when `routes` is false"),
        MAIN => Ok(None),
        _ => Ok(Some(table)),
    }
}

fn line(argument: &'static str, text: &str) -> Result<String, Invalid> {
    if text.trim().is_empty() || text.len() > 64 || text.chars().any(char::is_control) {
        return Err(Invalid::new(argument, "must be one line of 1 to 64 bytes"));
    }
    Ok(text.to_owned())
}

fn address(text: &str) -> Result<IpNet, Invalid> {
    let invalid = |reason: &str| Invalid::new("addresses", format!("{text:?} {reason}"));
    let address: IpNet = text.parse().map_err(|_| invalid("is not ADDRESS/LENGTH"))?;
    if address.addr().is_unspecified() || address.addr().is_multicast() {
        return Err(invalid("is no address that a host can have"));
    }
    Ok(address)
}

fn prefix(text: &str) -> Result<IpNet, Invalid> {
    let alone = |_| text.parse::<IpAddr>().map(IpNet::from);
    let prefix = text.parse::<IpNet>().or_else(alone);
    let prefix =
        prefix.map_err(|_| Invalid::new("allowed-ips", format!("{text:?} is not ADDRESS or ADDRESS/LENGTH")))?;
    Ok(prefix.trunc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface() -> wit::Interface {
        wit::Interface {
            name: "wg0".to_owned(),
            addresses: vec!["10.8.0.1/24".to_owned()],
            listen_port: Some(51820),
            mtu: None,
            fwmark: None,
            routes: None,
            table: None,
        }
    }

    fn peer() -> wit::Peer {
        wit::Peer {
            public_key: "DD5yKRfzExcV5+kDnTroDgCU15latdMjiQ59j1hEuk8=".to_owned(),
            name: None,
            preshared_key: None,
            endpoint: None,
            allowed_ips: Vec::new(),
            persistent_keepalive: None,
        }
    }

    fn refused(parsed: Result<Spec, Invalid>) -> Option<&'static str> {
        parsed.err().map(|error| error.argument)
    }

    #[test]
    fn an_interface_is_refused_by_argument() {
        assert_eq!(refused(Spec::parse_interface(&interface())), None);
        let six = vec!["fd00::1/64".to_owned()];
        let wrong = [
            ("name", wit::Interface { name: "a/b".to_owned(), ..interface() }),
            ("addresses", wit::Interface { addresses: vec!["10.8.0.1".to_owned()], ..interface() }),
            ("addresses", wit::Interface { addresses: vec!["0.0.0.0/0".to_owned()], ..interface() }),
            ("listen-port", wit::Interface { listen_port: Some(0), ..interface() }),
            ("mtu", wit::Interface { mtu: Some(100), ..interface() }),
            ("mtu", wit::Interface { mtu: Some(1279), addresses: six, ..interface() }),
            ("fwmark", wit::Interface { fwmark: Some(0), ..interface() }),
            ("table", wit::Interface { table: Some(255), ..interface() }),
            ("table", wit::Interface { table: Some(51820), routes: Some(false), ..interface() }),
        ];
        for (argument, asked) in wrong {
            assert_eq!(refused(Spec::parse_interface(&asked)), Some(argument), "{asked:?}");
        }
    }

    #[test]
    fn a_peer_is_refused_by_argument() {
        assert_eq!(refused(Spec::parse_peer("wg0", &peer())), None);
        assert_eq!(refused(Spec::parse_peer("", &peer())), Some("interface"));
        let wrong = [
            ("public-key", wit::Peer { public_key: "key".to_owned(), ..peer() }),
            ("name", wit::Peer { name: Some("two\nlines".to_owned()), ..peer() }),
            ("preshared-key", wit::Peer { preshared_key: Some(String::new()), ..peer() }),
            ("endpoint", wit::Peer { endpoint: Some("host".to_owned()), ..peer() }),
            ("allowed-ips", wit::Peer { allowed_ips: vec!["10.8.0.2/33".to_owned()], ..peer() }),
            ("persistent-keepalive", wit::Peer { persistent_keepalive: Some(0), ..peer() }),
        ];
        for (argument, asked) in wrong {
            assert_eq!(refused(Spec::parse_peer("wg0", &asked)), Some(argument), "{asked:?}");
        }
    }

    #[test]
    fn allowed_ips_are_masked_as_by_wg() -> anyhow::Result<()> {
        let allowed_ips = vec!["10.8.0.7/24".to_owned(), "10.9.0.1".to_owned(), "fd00::1".to_owned()];
        let Spec::Peer(peer) = Spec::parse_peer("wg0", &wit::Peer { allowed_ips, ..peer() })? else {
            anyhow::bail!("not a peer");
        };
        let shown: Vec<_> = peer.allowed_ips.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["10.8.0.0/24", "10.9.0.1/32", "fd00::1/128"]);
        Ok(())
    }
}
