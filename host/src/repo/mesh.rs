//! Meshes: what `[vpn.NAME]` of `stead.toml` declares, and what `vpn.toml` says has been assigned to whom.
//!
//! Both hold public halves of keys only. See docs/adr/0012-vpn-mesh.md.

use std::collections::BTreeMap;
use std::path::PathBuf;

use ipnet::IpNet;

use super::{Name, nearest};
use crate::capability::vpn;

mod assign;
mod client;
mod directory;
mod here;
mod parse;
#[cfg(test)]
mod tests;

pub use client::Client;
pub use directory::{Directory, Member, Members};
pub(super) use parse::meshes;

/// The file of what has been assigned, beside `stead.toml`.
pub const VPN_FILE: &str = "vpn.toml";

/// `[vpn.NAME]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mesh {
    /// That of the interface.
    pub name: vpn::Name,
    /// One for each family at most; no host bits.
    pub networks: Vec<IpNet>,
    /// In the order in which they get their addresses; no duplicates.
    pub hosts: Vec<Name>,
    pub listen_port: u16,
    /// Where hosts are called; the others call first.
    pub endpoints: BTreeMap<Name, vpn::Endpoint>,
    /// Of whoever calls first, in seconds.
    pub persistent_keepalive: Option<u16>,
    pub mtu: Option<u32>,
}

/// A mesh cannot be used as asked.
#[derive(Debug, thiserror::Error)]
pub enum MeshError {
    #[error("stead.toml has no [vpn.NAME]")]
    None,
    #[error("stead.toml has no [vpn.{name}]")]
    Unknown { name: String, known: Vec<String> },
    #[error("stead.toml has several meshes: {}", .known.join(", "))]
    Several { known: Vec<String> },
    #[error("{network} of [vpn.{mesh}] has no address left")]
    Full { mesh: vpn::Name, network: IpNet },
    #[error("{mesh} has {what} `{name}` already")]
    Taken { mesh: vpn::Name, what: &'static str, name: Name },
    #[error("the public key belongs to `{of}` of {mesh} already")]
    KeyTaken { mesh: vpn::Name, of: Name },
    #[error("{mesh} has no peer `{name}`")]
    NoPeer { mesh: vpn::Name, name: String, known: Vec<String> },
    #[error("{mesh} has no host `{name}`")]
    NoHost { mesh: vpn::Name, name: String, known: Vec<String> },
    #[error("no host of {mesh} can be called yet: {}", .why.join("; "))]
    NobodyToCall { mesh: vpn::Name, why: Vec<String> },
    #[error("cannot write {path}: {source}", path = path.display())]
    Write { path: PathBuf, source: std::io::Error },
}

impl MeshError {
    /// What to do next.
    pub fn hint(&self) -> String {
        match self {
            Self::None => "add [vpn.wg0] with networks = [\"10.8.0.0/24\"] and hosts = [\"NAME\"]".to_owned(),
            Self::Several { .. } => "say which one with --vpn NAME".to_owned(),
            Self::Full { mesh, .. } => format!("remove a peer, or begin a larger network under [vpn.{mesh}]"),
            Self::Taken { .. } => "choose another name, or remove that one first".to_owned(),
            Self::KeyTaken { .. } => "every peer has a key pair of its own: make one with `wg genkey`".to_owned(),
            Self::NobodyToCall { mesh, .. } => {
                format!("add endpoints = {{ HOST = \"SERVER:PORT\" }} to [vpn.{mesh}], then `stead apply` to that host")
            }
            Self::Write { .. } => "the repo must be writable by you".to_owned(),
            Self::Unknown { name, known } | Self::NoPeer { name, known, .. } | Self::NoHost { name, known, .. } => {
                match nearest(name, known.iter().map(String::as_str)) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None if known.is_empty() => "there is none".to_owned(),
                    None => format!("there is {}", known.join(", ")),
                }
            }
        }
    }
}

impl Mesh {
    /// Whether a host is of it.
    ///
    /// # Errors
    /// When it is not.
    pub fn has(&self, host: &Name) -> Result<(), MeshError> {
        let known = || self.hosts.iter().map(ToString::to_string).collect();
        let none = || MeshError::NoHost { mesh: self.name.clone(), name: host.to_string(), known: known() };
        self.hosts.contains(host).then_some(()).ok_or_else(none)
    }

    /// The network that an address is of.
    pub(super) fn network(&self, address: std::net::IpAddr) -> Option<&IpNet> {
        self.networks.iter().find(|network| network.contains(&address))
    }
}
