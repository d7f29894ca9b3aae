//! The files from which systemd-networkd(8) makes the interface at boot: systemd.netdev(5), systemd.network(5).
//!
//! They name the files of keys and never hold one.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::wanted::Wanted;
use super::{Endpoint, Name, Peer, PublicKey};

/// The first line of each.
pub(super) const HEADER: &str = "# Written by stead, which replaces it as a whole.\n";
/// Where they are. The prefix sorts them before the files of distributions and netplan, so that they win.
const PREFIX: &str = "/etc/systemd/network/50-stead-";

/// The file of the interface.
pub(super) fn netdev_path(name: &Name) -> String {
    format!("{PREFIX}{name}.netdev")
}

/// The file of its addresses and routes.
pub(super) fn network_path(name: &Name) -> String {
    format!("{PREFIX}{name}.network")
}

/// The file of its private key.
pub(super) fn key_path(name: &Name) -> String {
    format!("{PREFIX}{name}.key")
}

/// The file of the preshared key with a peer.
pub(super) fn preshared_path(name: &Name, peer: &PublicKey) -> String {
    format!("{PREFIX}{name}.{}.psk", hex::encode(peer.bytes()))
}

/// The peer of a preshared key's file, by the file's name.
pub(super) fn preshared_peer(name: &Name, file: &str) -> Option<PublicKey> {
    let digits = file.strip_prefix(&format!("50-stead-{name}."))?.strip_suffix(".psk")?;
    hex::decode(digits).ok()?.try_into().ok().map(PublicKey::new)
}

/// The content of the interface's file.
pub(super) fn netdev(wanted: &Wanted<'_>) -> String {
    let interface = wanted.interface;
    let name = &interface.name;
    let mut text = format!("{HEADER}[NetDev]\nName={name}\nKind=wireguard\nMTUBytes={}\n\n", interface.mtu);
    let _ = writeln!(text, "[WireGuard]\nPrivateKeyFile={}", key_path(name));
    if let Some(port) = interface.listen_port {
        let _ = writeln!(text, "ListenPort={port}");
    }
    if let Some(mark) = interface.fwmark {
        let _ = writeln!(text, "FirewallMark={mark}");
    }
    for (peer, _) in wanted.peers.values() {
        peer_section(&mut text, name, peer);
    }
    text
}

fn peer_section(text: &mut String, name: &Name, peer: &Peer) {
    text.push('\n');
    if let Some(called) = &peer.name {
        let _ = writeln!(text, "# {called}");
    }
    let _ = writeln!(text, "[WireGuardPeer]\nPublicKey={}", peer.public_key);
    if peer.preshared_key.is_some() {
        let _ = writeln!(text, "PresharedKeyFile={}", preshared_path(name, &peer.public_key));
    }
    if let Some(endpoint) = &peer.endpoint {
        let _ = writeln!(text, "Endpoint={endpoint}");
    }
    for prefix in &peer.allowed_ips {
        let _ = writeln!(text, "AllowedIPs={prefix}");
    }
    if let Some(seconds) = peer.persistent_keepalive {
        let _ = writeln!(text, "PersistentKeepalive={seconds}");
    }
}

/// The content of the file of addresses and routes.
pub(super) fn network(wanted: &Wanted<'_>) -> String {
    // A tunnel without peers in reach is no reason to hold up the boot.
    let mut text = format!("{HEADER}[Match]\nName={}\n\n[Link]\nRequiredForOnline=no\n\n", wanted.interface.name);
    text.push_str("[Network]\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n");
    for address in &wanted.interface.addresses {
        let _ = writeln!(text, "Address={address}");
    }
    for route in wanted.routes().unwrap_or_default() {
        let _ = writeln!(text, "\n[Route]\nDestination={route}");
    }
    for (table, routes) in wanted.table().unwrap_or_default() {
        for route in routes {
            let _ = writeln!(text, "\n[Route]\nDestination={route}\nTable={table}");
        }
    }
    text
}

/// The tables that a file of addresses and routes fills.
pub(super) fn tables(network: &str) -> BTreeSet<u32> {
    network.lines().filter_map(|line| line.strip_prefix("Table=")?.parse().ok()).collect()
}

/// Whether a file can be shown: stead wrote it, and it holds no key.
pub(super) fn is_showable(text: &str) -> bool {
    let holds_key = |line: &str| {
        let key = line.split('=').next().unwrap_or_default().trim();
        key.eq_ignore_ascii_case("PrivateKey") || key.eq_ignore_ascii_case("PresharedKey")
    };
    text.starts_with(HEADER) && !text.lines().any(holds_key)
}

/// What the peers in an interface's file are called.
pub(super) fn names(netdev: &str) -> BTreeMap<PublicKey, &str> {
    let lines: Vec<_> = netdev.lines().collect();
    let named = lines.windows(3).filter_map(|lines| match lines {
        [name, "[WireGuardPeer]", key] => {
            Some((key.strip_prefix("PublicKey=")?.parse().ok()?, name.strip_prefix("# ")?))
        }
        _ => None,
    });
    named.collect()
}

/// The peers in an interface's file, with the endpoint of each.
pub(super) fn endpoints(netdev: &str) -> BTreeMap<PublicKey, Option<Endpoint>> {
    let mut peers = BTreeMap::new();
    let mut current = None;
    for line in netdev.lines() {
        match line.split_once('=') {
            None if line.starts_with('[') => current = None,
            Some(("PublicKey", key)) => {
                current = key.parse::<PublicKey>().ok();
                peers.extend(current.map(|key| (key, None)));
            }
            Some(("Endpoint", endpoint)) => peers.extend(current.map(|key| (key, endpoint.parse().ok()))),
            _ => {}
        }
    }
    peers
}
