//! The network interfaces that a device or the operator made, from rtnetlink(7) by way of procfs and getifaddrs(3).

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;

use super::NetworkInterface;

/// Names of interfaces that come and go with containers and with what stead itself makes.
const OTHERS: [&str; 6] = ["lo", "docker", "br-", "veth", "wg", "virbr"];

/// Sorted by name.
pub(super) fn read() -> Vec<NetworkInterface> {
    let routed = routed();
    let addresses = addresses();
    let names = std::fs::read_dir("/sys/class/net").into_iter().flatten().flatten();
    let names: BTreeSet<_> = names.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    let own = |name: &String| !OTHERS.iter().any(|other| name.starts_with(other));
    let one = |name: String| NetworkInterface {
        addresses: addresses.get(&name).into_iter().flatten().map(ToString::to_string).collect(),
        default_route: routed.contains(&name),
        name,
    };
    names.into_iter().filter(own).map(one).collect()
}

/// By interface, IPv4 first. Addresses of the link itself say nothing that a policy could use.
fn addresses() -> BTreeMap<String, BTreeSet<IpNet>> {
    let mut addresses: BTreeMap<String, BTreeSet<IpNet>> = BTreeMap::new();
    for interface in if_addrs::get_if_addrs().unwrap_or_default() {
        let length = match &interface.addr {
            if_addrs::IfAddr::V4(address) => address.prefixlen,
            if_addrs::IfAddr::V6(address) => address.prefixlen,
        };
        let link_local = matches!(interface.ip(), IpAddr::V6(address) if address.is_unicast_link_local());
        if let (false, Ok(network)) = (link_local, IpNet::new(interface.ip(), length)) {
            addresses.entry(interface.name).or_default().insert(network);
        }
    }
    addresses
}

/// The interfaces that a default route leaves by; see proc_net(5).
fn routed() -> BTreeSet<String> {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let zero = |word: &str| !word.is_empty() && word.chars().all(|c| c == '0');
    let mut names = BTreeSet::new();
    for line in read("/proc/net/route").lines() {
        let words: Vec<_> = line.split_ascii_whitespace().collect();
        if let [name, destination, _, _, _, _, _, mask, ..] = words[..]
            && zero(destination)
            && zero(mask)
        {
            names.insert(name.to_owned());
        }
    }
    for line in read("/proc/net/ipv6_route").lines() {
        let words: Vec<_> = line.split_ascii_whitespace().collect();
        if let [destination, length, .., name] = words[..]
            && zero(destination)
            && zero(length)
            && name != "lo"
        {
            names.insert(name.to_owned());
        }
    }
    names
}
