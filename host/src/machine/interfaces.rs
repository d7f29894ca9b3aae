//! The network interfaces of the running machine, by rtnetlink(7) and proc(5).
//!
//! Those that containers, virtual machines and WireGuard bring come and go with what runs, so they are no facts.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use futures::TryStreamExt;
use rtnetlink::packet_route::address::{AddressAttribute, AddressHeaderFlags, AddressMessage};
use rtnetlink::packet_route::link::{InfoKind, LinkAttribute, LinkFlags, LinkInfo, LinkMessage};

use super::{FactsError, NetworkInterface};

/// RTF_REJECT of route(8): no packet leaves by it.
const REJECT: u32 = 0x200;

/// How the names of bridges begin that container engines and libvirt make; `br-` is followed by an id of Docker's.
const BRIDGES: &[&str] = &["docker", "virbr", "lxcbr", "lxdbr", "incusbr", "cni", "podman"];

/// Reads them, sorted by name.
///
/// # Errors
/// When the kernel does not answer.
pub(super) async fn read() -> Result<Vec<NetworkInterface>, FactsError> {
    let (links, addresses) = ask().await?;
    Ok(interfaces(&links, &addresses, &default_routes()))
}

/// The name of the interface that has an address, be it one that comes and goes.
///
/// # Errors
/// When the kernel does not answer.
pub(super) async fn with(wanted: IpAddr) -> Result<Option<String>, FactsError> {
    let (links, addresses) = ask().await?;
    let index = addresses.iter().find(|message| own_end(message) == Some(wanted)).map(|message| message.header.index);
    let link = links.iter().find(|link| Some(link.header.index) == index);
    Ok(link.and_then(name).map(str::to_owned))
}

async fn ask() -> Result<(Vec<LinkMessage>, Vec<AddressMessage>), FactsError> {
    let failed = |error: rtnetlink::Error| FactsError::Interfaces(error.to_string());
    let (connection, handle, _) =
        rtnetlink::new_connection().map_err(|error| FactsError::Interfaces(error.to_string()))?;
    let connection = tokio::spawn(connection);
    let links = handle.link().get().execute().try_collect().await.map_err(failed)?;
    let addresses = handle.address().get().execute().try_collect().await.map_err(failed)?;
    connection.abort();
    Ok((links, addresses))
}

fn interfaces(
    links: &[LinkMessage],
    addresses: &[AddressMessage],
    default_routes: &BTreeSet<String>,
) -> Vec<NetworkInterface> {
    let mut of: BTreeMap<u32, BTreeSet<(IpAddr, u8)>> = BTreeMap::new();
    for message in addresses {
        if let Some(address) = address(message) {
            of.entry(message.header.index).or_default().insert((address, message.header.prefix_len));
        }
    }
    let mut interfaces: Vec<_> = links
        .iter()
        .filter_map(|link| {
            let name = name(link)?;
            let default_route = default_routes.contains(name);
            let text = |(address, length): &(IpAddr, u8)| format!("{address}/{length}");
            let addresses = of.get(&link.header.index).into_iter().flatten().map(text).collect();
            let interface = NetworkInterface { name: name.to_owned(), addresses, default_route };
            (default_route || !comes_and_goes(link, name)).then_some(interface)
        })
        .collect();
    interfaces.sort_by(|a, b| a.name.cmp(&b.name));
    interfaces
}

/// `None` for what the kernel makes up anew every day (RFC 8981), and for link-local addresses,
/// which say nothing that a policy could use.
fn address(message: &AddressMessage) -> Option<IpAddr> {
    let address = own_end(message)?;
    // The flag of a secondary IPv4 address is that of a temporary IPv6 one.
    let temporary = address.is_ipv6() && message.header.flags.contains(AddressHeaderFlags::Secondary);
    let link_local = matches!(address, IpAddr::V6(address) if address.is_unicast_link_local());
    (!temporary && !link_local).then_some(address)
}

/// The host's own end of what may be a link to one other machine.
fn own_end(message: &AddressMessage) -> Option<IpAddr> {
    let of = |local| {
        message.attributes.iter().find_map(|attribute| match attribute {
            AddressAttribute::Local(address) if local => Some(*address),
            AddressAttribute::Address(address) if !local => Some(*address),
            _ => None,
        })
    };
    of(true).or_else(|| of(false))
}

fn name(link: &LinkMessage) -> Option<&str> {
    link.attributes.iter().find_map(|attribute| match attribute {
        LinkAttribute::IfName(name) => Some(name.as_str()),
        _ => None,
    })
}

/// Whether it is the loopback, or belongs to something that runs on the host.
fn comes_and_goes(link: &LinkMessage, name: &str) -> bool {
    let kind = link.attributes.iter().find_map(|attribute| match attribute {
        LinkAttribute::LinkInfo(infos) => infos.iter().find_map(|info| match info {
            LinkInfo::Kind(kind) => Some(kind),
            _ => None,
        }),
        _ => None,
    });
    let enslaved = link.attributes.iter().any(|attribute| matches!(attribute, LinkAttribute::Controller(_)));
    match kind {
        Some(InfoKind::Wireguard) => true,
        // The other end of the interface of a container; within a container it is `eth0`.
        Some(InfoKind::Veth) => enslaved || name.starts_with("veth"),
        Some(InfoKind::Tun) => ["wg", "vnet", "tap"].iter().any(|prefix| name.starts_with(prefix)),
        Some(InfoKind::Bridge) => is_engines_bridge(name),
        _ => link.header.flags.contains(LinkFlags::Loopback),
    }
}

fn is_engines_bridge(name: &str) -> bool {
    let id = |id: &str| id.len() == 12 && id.chars().all(|c| c.is_ascii_hexdigit());
    name.strip_prefix("br-").is_some_and(id) || BRIDGES.iter().any(|prefix| name.starts_with(prefix))
}

/// The interfaces by which a packet to anywhere leaves. A kernel without IPv6 has no second file.
fn default_routes() -> BTreeSet<String> {
    let text = |path| std::fs::read_to_string(path).unwrap_or_default();
    let mut names = default_v4(&text("/proc/thread-self/net/route"));
    names.extend(default_v6(&text("/proc/thread-self/net/ipv6_route")));
    names
}

/// Interface, destination, gateway, flags, three counters, mask.
fn default_v4(text: &str) -> BTreeSet<String> {
    let route = |line: &str| {
        let words: Vec<_> = line.split_whitespace().collect();
        let zero = |word: &str| word == "00000000";
        let default = zero(words.get(1)?) && zero(words.get(7)?) && leads_on(words.get(3)?);
        default.then(|| words.first().map(|name| (*name).to_owned())).flatten()
    };
    text.lines().filter_map(route).collect()
}

/// Destination and its length, source and its length, gateway, metric, two counters, flags, interface.
fn default_v6(text: &str) -> BTreeSet<String> {
    let route = |line: &str| {
        let words: Vec<_> = line.split_whitespace().collect();
        let any = words.first()?.chars().all(|c| c == '0') && *words.get(1)? == "00";
        let default = any && leads_on(words.get(8)?);
        default.then(|| words.get(9).map(|name| (*name).to_owned())).flatten()
    };
    text.lines().filter_map(route).collect()
}

fn leads_on(flags: &str) -> bool {
    u32::from_str_radix(flags, 16).is_ok_and(|flags| flags & REJECT == 0)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use anyhow::{Result, ensure};

    use super::*;

    const V4: &str = "\
Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT
eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth1\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
";
    const V6: &str = "\
00000000000000000000000000000000 00 00000000000000000000000000000000 00 fd000000000000000000000000000001 00000400 00000002 00000000 00000003     eth2
fe800000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000002 00000000 00000001     eth3
00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo
";

    #[test]
    fn default_routes_are_those_that_lead_on() {
        assert_eq!(default_v4(V4), BTreeSet::from(["eth0".to_owned()]));
        assert_eq!(default_v6(V6), BTreeSet::from(["eth2".to_owned()]));
    }

    /// Says that the test runs in a network namespace of its own.
    const INSIDE: &str = "STEAD_INTERFACES_TEST";

    #[tokio::test]
    async fn the_kernels_interfaces_are_read() -> Result<()> {
        if std::env::var_os(INSIDE).is_some() {
            return inside().await;
        }
        let output = Command::new("unshare")
            .arg("--net")
            .arg(std::env::current_exe()?)
            .args(["--exact", "machine::interfaces::tests::the_kernels_interfaces_are_read", "--nocapture"])
            .env(INSIDE, "yes")
            .output()?;
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        ensure!(output.status.success() && said.contains("1 passed"), "inside, which needs root: {said}");
        Ok(())
    }

    async fn inside() -> Result<()> {
        let ip = |line: &str| -> Result<()> {
            let output = Command::new("ip").args(line.split(' ')).output()?;
            ensure!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
            Ok(())
        };
        ensure!(read().await?.is_empty(), "this is no fresh namespace");
        for line in [
            "link set lo up",
            "link add wan0 type bridge",
            "link add lan0 type bridge",
            "link add docker0 type bridge",
            "link add br-0123456789ab type bridge",
            "link add eth7 type veth peer name veth1234567",
            "addr add 192.0.2.9/24 dev wan0",
            "addr add 192.0.2.7/24 dev wan0",
            "addr add 2001:db8::7/64 dev wan0 nodad",
            "addr add 10.0.0.1/8 dev lan0",
            "link set wan0 up",
            "route add default via 192.0.2.1",
        ] {
            ip(line)?;
        }
        let found = read().await?;
        let interface = |name: &str, addresses: &[&str], default_route| NetworkInterface {
            name: name.to_owned(),
            addresses: addresses.iter().map(|address| (*address).to_owned()).collect(),
            default_route,
        };
        let expected = vec![
            interface("eth7", &[], false),
            interface("lan0", &["10.0.0.1/8"], false),
            interface("wan0", &["192.0.2.7/24", "192.0.2.9/24", "2001:db8::7/64"], true),
        ];
        ensure!(found == expected, "{found:#?}");
        for (address, name) in [("192.0.2.9", Some("wan0")), ("127.0.0.1", Some("lo")), ("192.0.2.1", None)] {
            ensure!(with(address.parse()?).await?.as_deref() == name, "{address}");
        }
        Ok(())
    }
}
