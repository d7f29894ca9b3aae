//! What a policy may ask for: a rule, a default verdict, an open port.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU16;

use serde::{Deserialize, Serialize};

use super::addresses::Addresses;
use super::matches::{CtState, IcmpType, Limit, Time};
use super::raw::RawRule;
use super::set::{Map, Set, SetName};
use super::verdict::Verdict;
use super::words::{Comment, Interface, LogPrefix, PortRange, Ports, Prefixes};
use crate::policy::Invalid;

/// What a policy asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Spec {
    Rule(Box<Rule>),
    Default(Default),
    Open(Open),
    Set(Set),
    Map(Map),
    Raw(Raw),
}

/// A base chain of stead's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Chain {
    Input,
    Forward,
    Output,
    Prerouting,
    Postrouting,
}

/// What happens to a packet that no rule decides: nft(8) has no `reject` there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fallback {
    Accept,
    Drop,
}

/// A transport protocol that has ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    Tcp,
    Udp,
}

/// What a rule says of the transport: so that ports without a protocol cannot be said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Traffic {
    Any,
    Tcp(Ports),
    Udp(Ports),
    Icmp,
    Icmpv6,
}

/// A rule at the end of its chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Rule {
    pub chain: Chain,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_interface: Option<Interface>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_interface: Option<Interface>,
    #[serde(default, skip_serializing_if = "Addresses::is_any")]
    pub source: Addresses,
    #[serde(default, skip_serializing_if = "Addresses::is_any")]
    pub destination: Addresses,
    pub traffic: Traffic,
    /// Instead of destination ports of `traffic`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port_set: Option<SetName>,
    #[serde(default, skip_serializing_if = "Ports::is_any")]
    pub source_ports: Ports,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub icmp_types: BTreeSet<IcmpType>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub ct_state: BTreeSet<CtState>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Time>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<Limit>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub counter: bool,
    /// The prefix of what is written to the kernel's log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<LogPrefix>,
    pub verdict: Verdict,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<Comment>,
}

/// A rule in the words of nft(8), at the end of its chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Raw {
    pub chain: Chain,
    pub rule: RawRule,
}

/// What happens to packets that no rule of the chain decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Default {
    pub chain: Chain,
    pub verdict: Fallback,
}

/// An open port of this host or of a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Open {
    pub protocol: Transport,
    pub port: NonZeroU16,
    #[serde(default, skip_serializing_if = "Prefixes::is_any")]
    pub source: Prefixes,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_interface: Option<Interface>,
}

impl Transport {
    /// Its name in nft(8).
    pub fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }

    /// To these ports.
    pub fn traffic(self, ports: Ports) -> Traffic {
        match self {
            Self::Tcp => Traffic::Tcp(ports),
            Self::Udp => Traffic::Udp(ports),
        }
    }
}

impl Traffic {
    /// The destination ports that are named, if any.
    pub fn ports(&self) -> &[PortRange] {
        match self {
            Self::Tcp(ports) | Self::Udp(ports) => ports.ranges(),
            Self::Any | Self::Icmp | Self::Icmpv6 => &[],
        }
    }

    /// Whether packets of this family can be meant.
    pub fn has(&self, family: Family) -> bool {
        !matches!((self, family), (Self::Icmp, Family::V6) | (Self::Icmpv6, Family::V4))
    }
}

/// The version of IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    V4,
    V6,
}

impl Family {
    /// Both.
    pub const ALL: [Self; 2] = [Self::V4, Self::V6];

    /// That of an address.
    pub fn of(address: IpAddr) -> Self {
        if address.is_ipv4() { Self::V4 } else { Self::V6 }
    }
}

impl Prefixes {
    /// Those of one family; `None` when addresses are named and none of them is of this family.
    pub fn of(&self, family: Family) -> Option<Self> {
        if self.is_any() {
            return Some(Self::default());
        }
        let of = |prefix: &&ipnet::IpNet| Family::of(prefix.addr()) == family;
        let texts: Vec<_> = self.as_slice().iter().filter(of).map(ToString::to_string).collect();
        Self::parse("prefixes", &texts).ok().filter(|prefixes| !prefixes.is_any())
    }
}

impl Rule {
    /// A rule that says no more than this.
    pub fn new(chain: Chain, traffic: Traffic, verdict: Verdict) -> Self {
        Self {
            chain,
            input_interface: None,
            output_interface: None,
            source: Addresses::default(),
            destination: Addresses::default(),
            traffic,
            port_set: None,
            source_ports: Ports::default(),
            icmp_types: BTreeSet::new(),
            ct_state: BTreeSet::new(),
            mark: None,
            time: None,
            limit: None,
            counter: false,
            log: None,
            verdict,
            comment: None,
        }
    }

    /// Checks that the matches can hold together, and that the verdict is one of the chain.
    ///
    /// # Errors
    /// When an interface does not exist in the chain, a match or verdict needs another protocol or chain, or no address
    /// fits the protocol and the other addresses.
    pub fn parse(self) -> Result<Self, Invalid> {
        self.interfaces()?;
        self.transport()?;
        self.verdict_fits()?;
        if self.families().is_empty() {
            let reason = "no packet has this protocol, source, destination and verdict of these families at once";
            return Err(Invalid::new(if self.source.is_any() { "destination" } else { "source" }, reason));
        }
        Ok(self)
    }

    fn interfaces(&self) -> Result<(), Invalid> {
        let (input, output) = (self.input_interface.is_some(), self.output_interface.is_some());
        match self.chain {
            Chain::Input | Chain::Prerouting if output => {
                let reason = "where a packet goes out is not known there: use `input-interface`";
                Err(Invalid::new("output-interface", reason))
            }
            Chain::Output | Chain::Postrouting if input => {
                let reason = "a packet did not come in there: use `output-interface`";
                Err(Invalid::new("input-interface", reason))
            }
            _ => Ok(()),
        }
    }

    fn transport(&self) -> Result<(), Invalid> {
        let has_ports = matches!(self.traffic, Traffic::Tcp(_) | Traffic::Udp(_));
        let needs = |argument| Err(Invalid::new(argument, "needs the protocol tcp or udp"));
        match () {
            () if !has_ports && !self.source_ports.is_any() => needs("source-ports"),
            () if !has_ports && self.port_set.is_some() => needs("port-set"),
            () if !has_ports && self.verdict.has_port() => needs("verdict"),
            () if self.port_set.is_some() && !self.traffic.ports().is_empty() => {
                Err(Invalid::new("port-set", "stands in the place of `ports`: give one of them"))
            }
            () if !matches!(self.traffic, Traffic::Icmp | Traffic::Icmpv6) && !self.icmp_types.is_empty() => {
                Err(Invalid::new("icmp-types", "needs the protocol icmp or icmpv6"))
            }
            () => Ok(()),
        }
    }

    fn verdict_fits(&self) -> Result<(), Invalid> {
        match self.verdict.chain() {
            Some(chain) if chain != self.chain => {
                Err(Invalid::new("verdict", format!("{} is possible in `{chain}` only", self.verdict)))
            }
            None if self.chain.translates() && self.verdict != Verdict::Accept => {
                let reason = format!("{} is not possible in `{}`: use `input` or `forward`", self.verdict, self.chain);
                Err(Invalid::new("verdict", reason))
            }
            _ => Ok(()),
        }
    }

    /// Whether the rule may be about packets to this port.
    pub fn is_for(&self, protocol: Transport, port: u16) -> bool {
        match (&self.traffic, protocol) {
            (Traffic::Any, _) => true,
            (Traffic::Tcp(ports), Transport::Tcp) | (Traffic::Udp(ports), Transport::Udp) => ports.contains(port),
            _ => false,
        }
    }

    /// Whether it is about all packets of its traffic.
    pub fn has_no_condition(&self) -> bool {
        let Self { counter, log, comment, .. } = self.clone();
        *self == Self { counter, log, comment, ..Self::new(self.chain, self.traffic.clone(), self.verdict) }
    }

    /// The families of which a packet can match, as far as no set decides.
    pub fn families(&self) -> Vec<Family> {
        let can = |family: &Family| {
            self.traffic.has(*family)
                && self.source.may_be(*family)
                && self.destination.may_be(*family)
                && self.verdict.family().is_none_or(|only| only == *family)
        };
        Family::ALL.into_iter().filter(can).collect()
    }
}

impl Open {
    /// The rule of `input` that it stands for.
    pub fn rule(&self) -> Rule {
        let ports = Ports::from(vec![PortRange::from(self.port)]);
        Rule {
            input_interface: self.input_interface.clone(),
            source: Addresses::Prefixes(self.source.clone()),
            ..Rule::new(Chain::Input, self.protocol.traffic(ports), Verdict::Accept)
        }
    }
}

impl Chain {
    /// All, in the order in which a packet meets them.
    pub const ALL: [Self; 5] = [Self::Prerouting, Self::Input, Self::Forward, Self::Output, Self::Postrouting];

    /// Whether it translates addresses, and sees the first packet of a connection only.
    pub fn translates(self) -> bool {
        matches!(self, Self::Prerouting | Self::Postrouting)
    }

    /// Its name in nft(8), WIT and grants.
    pub fn name(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Forward => "forward",
            Self::Output => "output",
            Self::Prerouting => "prerouting",
            Self::Postrouting => "postrouting",
        }
    }
}

impl Fallback {
    /// Its name in nft(8).
    pub fn name(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Drop => "drop",
        }
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Traffic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, ports) = match self {
            Self::Any => return f.write_str("all"),
            Self::Icmp => return f.write_str("icmp"),
            Self::Icmpv6 => return f.write_str("icmpv6"),
            Self::Tcp(ports) => ("tcp", ports),
            Self::Udp(ports) => ("udp", ports),
        };
        if ports.is_any() { f.write_str(name) } else { write!(f, "{name} {ports}") }
    }
}

impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(open) => write!(f, "open {}", open.rule().traffic),
            Self::Default(Default { chain, verdict }) => write!(f, "{} by default in {chain}", verdict.name()),
            Self::Rule(rule) => write!(f, "{} {} in {}", rule.verdict, rule.traffic, rule.chain),
            Self::Set(set) => write!(f, "set {}", set.name),
            Self::Map(map) => write!(f, "map {}", map.name),
            Self::Raw(raw) => write!(f, "raw rule in {}", raw.chain),
        }
    }
}
