//! What a mesh is on one of its hosts: the interface, and everybody else as its peers.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;

use super::{Directory, Member, Mesh};
use crate::capability::vpn::{Interface, Mesh as Staged, Peer};
use crate::repo::Name;

impl Mesh {
    /// The interface of `host` and its peers; `None`: the host is not of this mesh.
    pub fn on(&self, host: &Name, directory: &Directory) -> Option<Staged> {
        let members = directory.of(self);
        let own = members.host.get(host)?;
        let hosts = members.host.iter().filter(|(name, _)| *name != host);
        let (known, unknown): (Vec<_>, Vec<_>) = hosts.partition(|(_, member)| member.public_key.is_some());
        let peers = known.into_iter().map(|(name, member)| (name, member, true));
        let peers = peers.chain(members.peer.iter().map(|(name, member)| (name, member, false)));
        Some(Staged {
            interface: Interface::of_mesh(
                self.name.clone(),
                own.addresses.iter().filter_map(|address| self.with_length(*address)).collect(),
                self.listen_port,
                self.mtu,
            ),
            public_key: own.public_key,
            peers: peers.filter_map(|(name, member, is_host)| self.peer(host, name, member, is_host)).collect(),
            without_key: unknown.into_iter().map(|(name, _)| name.to_string()).collect(),
        })
    }

    fn peer(&self, host: &Name, name: &Name, member: &Member, is_host: bool) -> Option<Peer> {
        let endpoint = self.endpoints.get(name).filter(|_| is_host).cloned();
        // Who can be called needs no packets to stay in reach; who cannot keeps the way back to itself open.
        let calls_first = endpoint.is_some() && !self.endpoints.contains_key(host);
        Some(Peer {
            interface: self.name.clone(),
            public_key: member.public_key?,
            name: Some(name.to_string()),
            preshared_key: None,
            persistent_keepalive: self.persistent_keepalive.filter(|_| calls_first),
            endpoint,
            allowed_ips: alone(&member.addresses),
        })
    }

    /// With the length of its network: the kernel then routes all of it through the interface.
    fn with_length(&self, address: IpAddr) -> Option<IpNet> {
        IpNet::new(address, self.network(address)?.prefix_len()).ok()
    }
}

/// The addresses and nothing beside them.
pub(super) fn alone(addresses: &[IpAddr]) -> BTreeSet<IpNet> {
    addresses.iter().copied().map(IpNet::from).collect()
}
