//! An interface as it is, or as it is to be: the same words for both, so that an undo is what was observed.
//!
//! No field ever holds a key other than a public one: private and preshared keys are named by their public half
//! and by their digest.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::{Endpoint, Name, PublicKey, networkd, userspace};
use crate::digest::Digest;

/// What was observed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Fact {
    /// Whether the kernel has WireGuard, or a module for it.
    #[serde(default)]
    pub kernel: bool,
    /// Whether systemd-networkd(8) starts at boot.
    #[serde(default)]
    pub networkd: bool,
    /// Whether a unit can serve interfaces in userspace: wireguard-go(1) and wg(8) are installed, and systemd runs.
    #[serde(default)]
    pub userspace: bool,
    /// Each interface that is declared or owned.
    #[serde(default)]
    pub interfaces: BTreeMap<Name, Seen>,
    /// The digest of each secret that is declared as a preshared key.
    #[serde(default)]
    pub secrets: BTreeMap<String, Digest>,
}

/// What is there under the name of an interface.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Seen {
    #[serde(default)]
    pub driver: Option<Driver>,
    #[serde(default)]
    pub state: State,
    /// The declared public key, when this machine has the pair.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<PublicKey>,
}

/// What makes an interface of a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Driver {
    /// The kernel's WireGuard.
    Kernel,
    /// A program such as wireguard-go(1), which listens on a socket under `/run/wireguard`.
    Userspace,
    /// It is no WireGuard interface, but one of this kind.
    Other(String),
}

/// Sets an interface: all of it is as it is to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Set {
    pub name: Name,
    pub to: State,
    /// The secrets that the preshared keys come from, with the digest of each.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, Digest>,
}

/// An interface, now and after a boot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct State {
    /// `None`: there is none.
    #[serde(default)]
    pub live: Option<Live>,
    #[serde(default)]
    pub boot: Boot,
}

/// A running interface.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Live {
    #[serde(default)]
    pub identity: Option<Identity>,
    #[serde(default)]
    pub listen_port: Option<u16>,
    #[serde(default)]
    pub fwmark: Option<u32>,
    pub mtu: u32,
    pub up: bool,
    /// Each with its host bits. Link-local ones of IPv6 only when they are declared: the kernel makes its own.
    #[serde(default)]
    pub addresses: BTreeSet<IpNet>,
    /// Routes of the main table through the interface that no routing daemon has put there.
    #[serde(default)]
    pub routes: BTreeSet<IpNet>,
    /// The same of other tables: the declared one, and what an earlier declaration has filled. Default routes, too.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tables: BTreeMap<u32, BTreeSet<IpNet>>,
    #[serde(default)]
    pub peers: BTreeMap<PublicKey, PeerState>,
}

/// The key pair of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Identity {
    /// The one that the host keeps for this name, or makes when it keeps none. Never observed.
    HostMade,
    /// The one with this public half.
    #[serde(untagged)]
    Of(PublicKey),
}

/// A peer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct PeerState {
    #[serde(default)]
    pub allowed_ips: BTreeSet<IpNet>,
    #[serde(default)]
    pub preshared_key: Option<Digest>,
    /// As last declared; of a peer that was never declared, where it was heard last.
    #[serde(default)]
    pub endpoint: Option<Endpoint>,
    #[serde(default)]
    pub persistent_keepalive: Option<u16>,
}

/// The files from which the interface comes back: those of systemd-networkd(8), or a unit in userspace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Boot {
    #[serde(default)]
    pub netdev: Option<Content>,
    #[serde(default)]
    pub network: Option<Content>,
    #[serde(default)]
    pub identity: Option<Identity>,
    #[serde(default)]
    pub preshared_keys: BTreeMap<PublicKey, Digest>,
    /// Whether others than root and systemd-networkd can read a key. An undo never exposes one again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub exposed: bool,
    /// The unit that serves it in userspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
}

/// A unit file of systemd(1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Unit {
    pub content: Content,
    /// Whether it starts at boot.
    pub enabled: bool,
}

/// What is in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Content {
    /// This, which names keys but holds none.
    Text(String),
    /// Something that stead did not write, and that may hold a key.
    Hidden(Digest),
}

impl Boot {
    /// Whether the interface comes back.
    pub(super) fn comes_back(&self) -> bool {
        self.netdev.is_some() || self.unit.is_some()
    }

    /// What the files call the peers.
    pub(super) fn names(&self) -> BTreeMap<PublicKey, &str> {
        match (self.unit(), &self.netdev) {
            (Some(unit), _) => userspace::names(unit),
            (None, Some(Content::Text(netdev))) => networkd::names(netdev),
            _ => BTreeMap::new(),
        }
    }

    /// The peers in the files, with the endpoint of each.
    pub(super) fn endpoints(&self) -> BTreeMap<PublicKey, Option<Endpoint>> {
        match (self.unit(), &self.netdev) {
            (Some(unit), _) => userspace::endpoints(unit),
            (None, Some(Content::Text(netdev))) => networkd::endpoints(netdev),
            _ => BTreeMap::new(),
        }
    }

    /// The routing tables that the files fill.
    pub(super) fn tables(&self) -> BTreeSet<u32> {
        match (self.unit(), &self.network) {
            (Some(unit), _) => userspace::tables(unit),
            (None, Some(Content::Text(network))) => networkd::tables(network),
            _ => BTreeSet::new(),
        }
    }

    fn unit(&self) -> Option<&str> {
        match &self.unit {
            Some(Unit { content: Content::Text(unit), .. }) => Some(unit),
            _ => None,
        }
    }
}
