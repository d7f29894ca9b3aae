//! Who gets which address: the lowest one that is free, and whoever has one keeps it.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;

use super::{Member, Members, Mesh, MeshError};

/// Gives every host of the mesh what it lacks, and drops the hosts that are no longer of it.
pub(super) fn complete(mesh: &Mesh, members: &mut Members) -> Result<(), MeshError> {
    members.host.retain(|name, _| mesh.hosts.contains(name));
    for peer in members.peer.keys().cloned().collect::<Vec<_>>() {
        let addresses = addresses(mesh, members, members.peer.get(&peer))?;
        members.peer.entry(peer).or_default().addresses = addresses;
    }
    for host in &mesh.hosts {
        let addresses = addresses(mesh, members, members.host.get(host))?;
        members.host.entry(host.clone()).or_default().addresses = addresses;
    }
    Ok(())
}

/// One address for each network, in their order: those that the member has, and free ones for the rest.
pub(super) fn addresses(mesh: &Mesh, members: &Members, member: Option<&Member>) -> Result<Vec<IpAddr>, MeshError> {
    let has = member.map(|member| member.addresses.as_slice()).unwrap_or_default();
    let taken: BTreeSet<IpAddr> = members.all().flat_map(|(_, member)| member.addresses.iter().copied()).collect();
    let address = |network: &IpNet| {
        let own = has.iter().copied().find(|address| network.contains(address));
        let full = || MeshError::Full { mesh: mesh.name.clone(), network: *network };
        own.or_else(|| free(network, &taken)).ok_or_else(full)
    };
    mesh.networks.iter().map(address).collect()
}

fn free(network: &IpNet, taken: &BTreeSet<IpAddr>) -> Option<IpAddr> {
    // The first address of an IPv6 network is its routers' anycast address (RFC 4291), that of IPv4 the network itself.
    network.hosts().find(|address| *address != network.network() && !taken.contains(address))
}
