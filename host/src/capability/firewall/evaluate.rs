//! What the table would do with a packet, without a kernel: so that a plan which shuts its own operator out is
//! refused before it is applied.
//!
//! What is not known of the packet counts against it: a rule that may accept it does not, one that may drop it does. A
//! rule in nft's own words is passed over, and so is what packets have added to a set.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::compile::compile;
use super::matches::CtState;
use super::ruleset::{ChainBody, Hook, Line, Match, Ruleset, Then};
use super::set::{Set, number};
use super::spec::{Chain, Fallback, Family, Spec, Traffic, Transport};
use super::verdict::Verdict;
use super::words::Interface;
use crate::capability::{Declared, PlanError};
use crate::machine::SshSession;

/// The first packet of a connection.
#[derive(Clone, Debug)]
pub struct Packet {
    /// `input`, for what comes in for an address of this host, published ports among it.
    pub chain: Chain,
    /// The interface that it came in by, when known.
    pub input_interface: Option<String>,
    pub source: IpAddr,
    /// The address that it is for, when known.
    pub destination: Option<IpAddr>,
    pub protocol: Transport,
    /// The destination port.
    pub port: u16,
    /// Whether its destination was translated on the way.
    pub translated: bool,
}

/// What happens to a packet, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub verdict: Verdict,
    /// The chain that decided.
    pub chain: &'static str,
    /// The rule as nft(8) writes it; `None`: the chain's default verdict.
    pub rule: Option<String>,
}

/// What the table that is declared would do with a packet; `accept` when none is.
///
/// # Errors
/// When the specs contradict each other.
pub fn admits(specs: &[Declared<Spec>], packet: &Packet) -> Result<Decision, PlanError> {
    Ok(compile(specs)?.decide(packet))
}

/// The interfaces by which rules tell packets apart that come in for this host, as rules name them.
pub fn ways_in(specs: &[Declared<Spec>]) -> BTreeSet<&str> {
    let mut ways = BTreeSet::new();
    for declared in specs {
        let way = match &declared.spec {
            Spec::Rule(rule) if matches!(rule.chain, Chain::Input | Chain::Prerouting) => &rule.input_interface,
            Spec::Open(open) => &open.input_interface,
            _ => continue,
        };
        ways.extend(way.as_ref().map(Interface::as_str));
    }
    ways
}

/// Why the operator could not come in again, if so. Specs that contradict each other are left to the plan.
pub(super) fn cuts_off(specs: &[Declared<Spec>], session: &SshSession) -> Option<String> {
    let packet = Packet {
        chain: Chain::Input,
        input_interface: session.interface.clone(),
        source: session.client,
        destination: Some(session.server),
        protocol: Transport::Tcp,
        port: session.server_port,
        translated: false,
    };
    let Decision { verdict, chain, rule } = admits(specs, &packet).ok()?;
    if verdict == Verdict::Accept {
        return None;
    }
    let by = rule.map_or_else(|| "its default verdict".to_owned(), |rule| format!("its rule `{rule}`"));
    let port = session.server_port;
    Some(format!(
        "a new SSH connection from {} to port {port} would get {verdict}: chain {chain}, {by}",
        session.client
    ))
}

impl Ruleset {
    /// Follows a packet through the base chains that it passes.
    pub(super) fn decide(&self, packet: &Packet) -> Decision {
        let hooks: &[Hook] = match packet.chain {
            // What the guard does not drop goes on to the next hook: an accept is final for one base chain only.
            Chain::Input => &[Hook::Guard, Hook::Dstnat, Hook::Input],
            Chain::Forward => &[Hook::Forward],
            Chain::Output => &[Hook::Output],
            Chain::Prerouting => &[Hook::Dstnat],
            Chain::Postrouting => &[Hook::Srcnat],
        };
        let mut packet = packet.clone();
        let mut last = Decision { verdict: Verdict::Accept, chain: packet.chain.name(), rule: None };
        for chain in hooks.iter().filter_map(|hook| self.at(*hook)) {
            last = self.base(chain, &packet);
            match last.verdict {
                Verdict::Accept => {}
                Verdict::Redirect(port) if packet.chain == Chain::Input => {
                    (packet.port, packet.translated) = (port.get(), true);
                }
                _ => break,
            }
        }
        last
    }

    fn base(&self, chain: &ChainBody, packet: &Packet) -> Decision {
        self.walk(chain, packet).unwrap_or_else(|| Decision {
            verdict: match chain.base.map(|base| base.policy) {
                Some(Fallback::Drop) => Verdict::Drop,
                Some(Fallback::Accept) | None => Verdict::Accept,
            },
            chain: chain.name,
            rule: None,
        })
    }

    /// `None`: no rule of the chain decides.
    fn walk(&self, chain: &ChainBody, packet: &Packet) -> Option<Decision> {
        for line in &chain.rules {
            match (line.then, self.hold(line, packet)) {
                (Then::Raw, _) | (_, Truth::No) | (Then::Return | Then::Verdict(Verdict::Accept), Truth::Unknown) => {}
                (Then::Return, Truth::Yes) => return None,
                (Then::Verdict(verdict), _) => {
                    return Some(Decision { verdict, chain: chain.name, rule: Some(line.to_string()) });
                }
                (Then::Jump(name) | Then::Goto(name), truth) => {
                    let decision = self.chain(name).and_then(|chain| self.walk(chain, packet));
                    match decision {
                        Some(decision) if truth == Truth::Yes || decision.verdict != Verdict::Accept => {
                            return Some(decision);
                        }
                        None if matches!(line.then, Then::Goto(_)) => return None,
                        _ => {}
                    }
                }
            }
        }
        None
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Truth {
    Yes,
    No,
    Unknown,
}

impl From<bool> for Truth {
    fn from(known: bool) -> Self {
        if known { Self::Yes } else { Self::No }
    }
}

impl Ruleset {
    fn hold(&self, line: &Line, packet: &Packet) -> Truth {
        let mut all = Truth::Yes;
        for one in &line.matches {
            match self.holds(one, packet) {
                Truth::No => return Truth::No,
                Truth::Unknown => all = Truth::Unknown,
                Truth::Yes => {}
            }
        }
        all
    }

    fn holds(&self, one: &Match, packet: &Packet) -> Truth {
        let to = |name, port: u16| (packet.protocol == name && packet.port == port).into();
        let holds = |set: Option<&Set>, number: u128| set.is_some_and(|set| set.contains(number)).into();
        match one {
            Match::InputInterface(name) => {
                packet.input_interface.as_deref().map_or(Truth::Unknown, |is| name.matches(is).into())
            }
            Match::Source(prefixes) => prefixes.contains(packet.source).into(),
            Match::Destination(prefixes) => {
                packet.destination.map_or(Truth::Unknown, |address| prefixes.contains(address).into())
            }
            Match::SourceSet(family, _) | Match::DestinationSet(family, _) if Family::of(packet.source) != *family => {
                Truth::No
            }
            Match::SourceSet(_, name) => holds(self.set(name), number(packet.source)),
            Match::DestinationSet(_, name) => {
                packet.destination.map_or(Truth::Unknown, |address| holds(self.set(name), number(address)))
            }
            Match::PortSet(transport, _) | Match::SourcePorts(transport, _) if packet.protocol != *transport => {
                Truth::No
            }
            Match::PortSet(_, name) => holds(self.set(name), packet.port.into()),
            Match::Traffic(traffic) => traffic.has_packet(packet).into(),
            Match::UdpTo(port) => to(Transport::Udp, *port),
            Match::UdpFrom(_) if packet.protocol != Transport::Udp => Truth::No,
            Match::ToLinkLocal if packet.source.is_ipv4() => Truth::No,
            // The packet is a first one, and for this host unless it is routed.
            Match::IcmpType(_) | Match::Icmpv6Type(_) | Match::IcmpTypes(..) => Truth::No,
            Match::Established | Match::InvalidState => Truth::No,
            Match::CtState(states) => states.contains(&CtState::New).into(),
            Match::Limit(limit) => (!limit.over).into(),
            Match::NotLocal => (packet.chain != Chain::Input).into(),
            Match::OutputInterface(_) | Match::UdpFrom(_) | Match::ToLinkLocal | Match::SourcePorts(..) => {
                Truth::Unknown
            }
            Match::Translated => packet.translated.into(),
            Match::OriginalPort(_) | Match::Mark(_) => Truth::Unknown,
            Match::Days(_) | Match::Hours(..) | Match::Raw(_) => Truth::Unknown,
        }
    }
}

impl Traffic {
    fn has_packet(&self, packet: &Packet) -> bool {
        match self {
            Self::Any => true,
            Self::Tcp(ports) => packet.protocol == Transport::Tcp && ports.contains(packet.port),
            Self::Udp(ports) => packet.protocol == Transport::Udp && ports.contains(packet.port),
            Self::Icmp | Self::Icmpv6 => false,
        }
    }
}
