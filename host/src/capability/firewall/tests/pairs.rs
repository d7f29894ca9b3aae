//! Who reaches whom: the outside, the host, a container and a VPN peer, in both versions of IP, whichever way Docker
//! translates. A cable named `wg0` stands for the tunnel: to the packet filter its packets are the same.

use anyhow::{Context, Result, ensure};

use super::lab::Lab;
use super::packets::Published;
use super::{Host, server, specs};

/// How Docker publishes a port.
#[derive(Clone, Copy, Debug)]
pub(super) enum Backend {
    Iptables,
    Nftables,
}

/// Port 8080 of the host leads to port 80 of the container, and what containers send goes out under the host's address.
/// Docker lets by what goes to a published port and drops all else that is forwarded to its bridge.
impl Backend {
    pub(super) fn publish(self, server: &Lab) -> Result<()> {
        for (family, tables, container) in [("ip", "iptables", "172.17.0.2"), ("ip6", "ip6tables", "fd17::2")] {
            let to = if family == "ip" { container.to_owned() } else { format!("[{container}]") };
            match self {
                Self::Nftables => server.nft(&nftables(family, container, &to))?,
                Self::Iptables => {
                    for rule in iptables(container, &to) {
                        server.command(&format!("{tables} {rule}"))?;
                    }
                }
            }
        }
        Ok(())
    }
}

fn nftables(family: &str, container: &str, to: &str) -> String {
    format!(
        "table {family} docker-bridges {{
            chain nat-prerouting {{
                type nat hook prerouting priority dstnat
                fib daddr type local tcp dport 8080 dnat to {to}:80
            }}
            chain nat-postrouting {{
                type nat hook postrouting priority srcnat
                oifname {{ eth0, wg0 }} masquerade
            }}
            chain filter-forward {{
                type filter hook forward priority filter
                ct state established,related accept
                iifname docker0 accept
                oifname docker0 {family} daddr {container} tcp dport 80 accept
                oifname docker0 drop
            }}
        }}"
    )
}

fn iptables(container: &str, to: &str) -> Vec<String> {
    vec![
        format!(
            "-t nat -A PREROUTING -m addrtype --dst-type LOCAL -p tcp --dport 8080 -j DNAT --to-destination {to}:80"
        ),
        "-t nat -A POSTROUTING -o eth0 -j MASQUERADE".to_owned(),
        "-t nat -A POSTROUTING -o wg0 -j MASQUERADE".to_owned(),
        "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT".to_owned(),
        "-A FORWARD -i docker0 -j ACCEPT".to_owned(),
        format!("-A FORWARD -o docker0 -d {container} -p tcp --dport 80 -j ACCEPT"),
        "-A FORWARD -o docker0 -j DROP".to_owned(),
    ]
}

/// The three others of a server and their addresses.
struct Team {
    published: Published,
    peer: Lab,
}

const HOST: [&str; 2] = ["192.0.2.1", "[2001:db8::1]"];
const HOST_IN_VPN: [&str; 2] = ["10.8.0.1", "[fd08::1]"];
const HOST_OF_CONTAINERS: [&str; 2] = ["172.17.0.1", "[fd17::1]"];
const OUTSIDE: [&str; 2] = ["192.0.2.2", "[2001:db8::2]"];
const PEER: [&str; 2] = ["10.8.0.2", "[fd08::2]"];
const CONTAINER: [&str; 2] = ["172.17.0.2", "[fd17::2]"];

impl Team {
    fn new(backend: Backend) -> Result<Self> {
        let (published, peer) = (Published::by(backend)?, Lab::new()?);
        let (server, outside) = (&published.network.server, &published.network.client);
        server.join("wg0", &peer, "wg0")?;
        for (lab, [v4, v6]) in [(server, ["10.8.0.1/24", "fd08::1/64"]), (&peer, ["10.8.0.2/24", "fd08::2/64"])] {
            lab.address("wg0", v4)?;
            lab.address("wg0", v6)?;
        }
        peer.ip("route add default via 10.8.0.1")?;
        peer.ip("route add default via fd08::1")?;
        outside.ip("route add fd17::/64 via 2001:db8::1")?;
        // Of both versions.
        for (lab, port) in [(server, 22), (server, 23), (&peer, 7000)] {
            lab.listen(&format!("[::]:{port}"))?;
        }
        Ok(Self { published, peer })
    }

    /// Whether one gets through to a port of the other, by IPv4 as by IPv6.
    fn reaches(&self, from: &str, [v4, v6]: [&str; 2], port: u16) -> Result<bool> {
        let network = &self.published.network;
        let from = match from {
            "outside" => &network.client,
            "peer" => &self.peer,
            "container" => &self.published.container,
            _ => &network.server,
        };
        let reached = [v4, v6].map(|address| from.reaches(&format!("{address}:{port}")));
        let [v4, v6] = reached;
        let (v4, v6) = (v4?, v6?);
        ensure!(v4 == v6, "by IPv4 {v4}, by IPv6 {v6}");
        Ok(v4)
    }

    fn check(&self, pairs: &[(&str, [&str; 2], u16, bool)]) -> Result<()> {
        for (from, to, port, expected) in pairs {
            let pair = format!("{from} to port {port} of {to:?}");
            ensure!(self.reaches(from, *to, *port).context(pair.clone())? == *expected, "{pair}: not {expected}");
        }
        Ok(())
    }
}

#[test]
fn all_pairs_behind_docker_s_iptables() -> Result<()> {
    all_pairs(Backend::Iptables)
}

#[test]
fn all_pairs_behind_docker_s_nftables() -> Result<()> {
    all_pairs(Backend::Nftables)
}

/// The app is published for the VPN only.
fn all_pairs(backend: Backend) -> Result<()> {
    let team = Team::new(backend)?;
    let mut rules = server()?;
    rules.extend(specs(r#"specs = [{ open = { protocol = "tcp", port = 8080, input-interface = "wg0" } }]"#)?);
    let host = Host::new()?;
    let always = [
        ("outside", HOST, 22, true),
        ("outside", HOST, 23, false),
        ("outside", HOST, 8080, false),
        ("outside", CONTAINER, 80, false),
        ("peer", HOST_IN_VPN, 22, true),
        ("peer", HOST_IN_VPN, 23, false),
        ("peer", HOST_IN_VPN, 8080, true),
        ("peer", HOST, 8080, true),
        ("peer", CONTAINER, 80, false),
        ("container", HOST_OF_CONTAINERS, 22, true),
        ("container", HOST_OF_CONTAINERS, 23, false),
        ("host", OUTSIDE, 7000, true),
        ("host", PEER, 7000, true),
        ("host", CONTAINER, 80, true),
    ];
    let forwarded =
        |open| [("peer", OUTSIDE, 7000, open), ("container", OUTSIDE, 7000, open), ("container", PEER, 7000, open)];
    team.published.network.apply(&host, &rules)?;
    team.check(&always)?;
    team.check(&forwarded(true))?;
    rules.extend(specs(r#"specs = [{ default = { chain = "forward", verdict = "drop" } }]"#)?);
    team.published.network.apply(&host, &rules)?;
    team.check(&always)?;
    team.check(&forwarded(false))?;

    // Docker makes its rules anew when it starts, and more of them when another container comes up.
    match backend {
        Backend::Nftables => ["ip", "ip6"].iter().try_for_each(|family| {
            team.published.network.server.command(&format!("nft delete table {family} docker-bridges")).map(drop)
        })?,
        Backend::Iptables => ["iptables", "ip6tables"].iter().try_for_each(|program| {
            ["nat", "filter"].iter().try_for_each(|table| {
                team.published.network.server.command(&format!("{program} -t {table} -F")).map(drop)
            })
        })?,
    }
    backend.publish(&team.published.network.server)?;
    team.check(&always)
}
