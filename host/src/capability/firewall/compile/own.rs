//! The rules of stead's own, which no policy asked for: those without which a host loses its network, and the guard
//! of published ports.

use super::{ACCEPT, DECLARED, DROP, jump};
use crate::capability::firewall::ruleset::{Base, ChainBody, Hook, Line, Match, Then};
use crate::capability::firewall::spec::{Fallback, Traffic};
use crate::capability::firewall::words::Interface;

pub(super) const NETWORK: &str = "network";
pub(super) const DIRECT: &str = "direct";
const UNGUARDED: &str = "unguarded";
/// Docker's bridges, the default one and those of networks: containers come in by these, never the outside. Any
/// other bridge is held for one that leads outside, which is the safe mistake.
pub(super) const BRIDGES: [&str; 2] = ["docker0", "br-*"];

/// ICMP that a host answers or needs. RFC 792; without the errors, path MTU discovery fails.
const ICMP: &[&str] = &["destination-unreachable", "echo-request", "time-exceeded", "parameter-problem"];
/// RFC 4890, 4.4.1: errors, echo, neighbour and router discovery, multicast listener discovery.
const ICMPV6: &[&str] = &[
    "destination-unreachable",
    "packet-too-big",
    "time-exceeded",
    "parameter-problem",
    "echo-request",
    "mld-listener-query",
    "mld-listener-report",
    "mld-listener-done",
    "nd-router-solicit",
    "nd-router-advert",
    "nd-neighbor-solicit",
    "nd-neighbor-advert",
    "mld2-listener-report",
];

/// How the base chains of packets from and to this host begin.
pub(super) fn beginning(loopback: Match) -> Vec<Line> {
    let mut rules = tracked();
    rules.push(Line::new(vec![loopback], ACCEPT));
    rules
}

/// What conntrack knows: first, because that is nearly every packet.
pub(super) fn tracked() -> Vec<Line> {
    vec![Line::new(vec![Match::Established], ACCEPT), Line::new(vec![Match::InvalidState], DROP)]
}

/// What has to come in: ICMP, and the answers of DHCP servers, which conntrack does not tie to a broadcast question.
pub(super) fn network() -> ChainBody {
    let rules = vec![
        Line::new(vec![Match::IcmpType(ICMP)], ACCEPT),
        Line::new(vec![Match::Icmpv6Type(ICMPV6)], ACCEPT),
        Line::new(vec![Match::UdpFrom(67), Match::UdpTo(68)], ACCEPT),
        Line::new(vec![Match::ToLinkLocal, Match::UdpTo(546)], ACCEPT),
    ];
    ChainBody { name: NETWORK, comment: Some("what a host needs to keep its network"), base: None, rules }
}

/// What has to go out.
pub(super) fn outgoing() -> Vec<Line> {
    vec![
        Line::new(vec![Match::Traffic(Traffic::Icmp)], ACCEPT),
        Line::new(vec![Match::Traffic(Traffic::Icmpv6)], ACCEPT),
        Line::new(vec![Match::UdpFrom(68), Match::UdpTo(67)], ACCEPT),
        Line::new(vec![Match::UdpFrom(546), Match::UdpTo(547)], ACCEPT),
    ]
}

/// The guard of published ports. It sees the port that the client asked for, because it comes before Docker's
/// translation, whichever way Docker does that.
pub(super) fn published() -> ChainBody {
    let mut rules = vec![Line::new(vec![Match::Established], ACCEPT)];
    rules.extend(["lo"].into_iter().chain(BRIDGES).map(|name| came_in_by(name, ACCEPT)));
    rules.extend([Line::new(vec![Match::NotLocal], ACCEPT), Line::new(vec![Match::InvalidState], DROP)]);
    rules.extend(judge());
    rules.push(Line::new(Vec::new(), DROP));
    ChainBody {
        name: "published",
        comment: Some("ports that containers publish are closed unless opened"),
        base: Some(Base { hook: Hook::Guard, policy: Fallback::Accept }),
        rules,
    }
}

/// What the guard has not judged.
pub(super) fn unguarded() -> ChainBody {
    ChainBody {
        name: UNGUARDED,
        comment: Some("what the guard of published ports leaves to input"),
        base: None,
        rules: judge(),
    }
}

/// What is said of a packet for this host.
pub(super) fn judge() -> Vec<Line> {
    vec![jump(NETWORK), jump(DECLARED)]
}

/// How `input` goes on behind the guard: what that has let through is not judged again, or rates and counters would
/// count it twice. What was translated since is let through too: some rule has asked for that.
pub(super) fn past_the_guard() -> Vec<Line> {
    let mut rules: Vec<_> = BRIDGES.map(|name| came_in_by(name, Then::Goto(UNGUARDED))).into();
    rules.push(Line::new(vec![Match::NotLocal], Then::Goto(UNGUARDED)));
    rules.push(Line::new(Vec::new(), ACCEPT));
    rules
}

/// The way round the guard: a neighbour that routes to a container's own address through this host.
pub(super) fn direct() -> ChainBody {
    let mut rules: Vec<_> = BRIDGES.map(|name| came_in_by(name, Then::Return)).into();
    rules.push(Line::new(Vec::new(), DROP));
    ChainBody { name: DIRECT, comment: Some("containers are reached by published ports only"), base: None, rules }
}

fn came_in_by(interface: &'static str, then: Then) -> Line {
    Line::new(vec![Match::InputInterface(Interface::known(interface))], then)
}
