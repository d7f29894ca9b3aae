//! What comes in: ssh, the VPN, and the ports that the operator opens. Everything else is dropped.

use stead_guest::{Error, firewall, package, sysctl, vpn};

use crate::config::{Config, Peer, Vpn};

const INTERFACE: &str = "wg0";
const WIREGUARD: u16 = 51820;

/// Kernel parameters of a server that faces the internet; see ip-sysctl in the kernel's documentation.
const SYSCTL: [(&str, &str); 5] = [
    ("net.ipv4.conf.all.rp_filter", "2"),
    ("net.ipv4.conf.all.accept_redirects", "0"),
    ("net.ipv6.conf.all.accept_redirects", "0"),
    ("net.ipv4.tcp_syncookies", "1"),
    ("kernel.kptr_restrict", "1"),
];

pub fn declare(config: &Config) -> Result<(), Error> {
    let own = SYSCTL.iter().map(|(key, value)| (*key, *value));
    let more = config.sysctl.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    own.filter(|(key, _)| !config.sysctl.contains_key(*key))
        .chain(more)
        .try_for_each(|(key, value)| sysctl::set(key, value))?;
    package::install("nftables", &package::Options::default())?;
    firewall::default_verdict(firewall::Chain::Input, firewall::Fallback::Drop)?;
    firewall::open(firewall::Protocol::Tcp, config.ssh_port, &config.ssh_from, config.ssh_by.as_deref())?;
    for port in &config.public_ports {
        firewall::open(firewall::Protocol::Tcp, *port, &[], None)?;
    }
    config.vpn.as_ref().map_or(Ok(()), wireguard)
}

fn wireguard(vpn: &Vpn) -> Result<(), Error> {
    // The host needs no tool of WireGuard; the operator who looks at it does.
    package::install("wireguard-tools", &package::Options::default())?;
    let interface = if vpn.mesh { mesh(vpn)? } else { alone(vpn)? };
    if let Some(port) = interface.listen_port {
        firewall::open(firewall::Protocol::Udp, port, &[], None)?;
    }
    for port in &vpn.ports {
        firewall::open(firewall::Protocol::Tcp, *port, &[], Some(INTERFACE))?;
    }
    vpn.peers.iter().try_for_each(peer)
}

fn mesh(vpn: &Vpn) -> Result<vpn::Interface, Error> {
    if !vpn.addresses.is_empty() || vpn.listen_port.is_some() {
        return Err(Error::new("vpn.mesh: [vpn.wg0] of stead.toml says addresses and port; remove them here"));
    }
    Ok(vpn::add_mesh(INTERFACE)?)
}

fn alone(vpn: &Vpn) -> Result<vpn::Interface, Error> {
    if vpn.addresses.is_empty() {
        return Err(Error::new("vpn: give `addresses`, or `mesh = true` for [vpn.wg0] of stead.toml"));
    }
    let interface = vpn::Interface {
        name: INTERFACE.to_owned(),
        addresses: vpn.addresses.clone(),
        listen_port: Some(vpn.listen_port.unwrap_or(WIREGUARD)),
        ..vpn::Interface::default()
    };
    vpn::add_interface(&interface)?;
    Ok(interface)
}

fn peer(peer: &Peer) -> Result<(), Error> {
    let declared = vpn::Peer {
        public_key: peer.public_key.clone(),
        name: Some(peer.name.clone()),
        preshared_key: peer.preshared_key.clone(),
        endpoint: peer.endpoint.clone(),
        allowed_ips: peer.allowed_ips.clone(),
        ..vpn::Peer::default()
    };
    vpn::add_peer(INTERFACE, &declared)?;
    Ok(())
}
