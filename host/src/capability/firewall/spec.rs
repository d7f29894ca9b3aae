//! What a policy may ask for: a rule, a default verdict, an open port.

use std::fmt;
use std::num::NonZeroU16;

use serde::{Deserialize, Serialize};

use super::words::{Comment, Interface, PortRange, Ports, Prefixes};
use crate::policy::Invalid;

/// What a policy asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Spec {
    Rule(Rule),
    Default(Default),
    Open(Open),
}

/// A base chain of stead's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Chain {
    Input,
    Forward,
    Output,
}

/// What happens to a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    Accept,
    Drop,
    Reject,
}

/// What happens to a packet that no rule decides: nft(8) has no `reject` there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fallback {
    Accept,
    Drop,
}

/// A transport protocol that has ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    #[serde(default, skip_serializing_if = "Prefixes::is_any")]
    pub source: Prefixes,
    #[serde(default, skip_serializing_if = "Prefixes::is_any")]
    pub destination: Prefixes,
    pub traffic: Traffic,
    pub verdict: Verdict,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<Comment>,
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
}

impl Prefixes {
    /// Those of one family; `None` when addresses are named and none of them is of this family.
    pub fn of(&self, family: Family) -> Option<Self> {
        if self.is_any() {
            return Some(Self::default());
        }
        let of = |prefix: &&ipnet::IpNet| prefix.addr().is_ipv4() == (family == Family::V4);
        let texts: Vec<_> = self.as_slice().iter().filter(of).map(ToString::to_string).collect();
        Self::parse("prefixes", &texts).ok().filter(|prefixes| !prefixes.is_any())
    }
}

impl Rule {
    /// Checks that the matches can hold together.
    ///
    /// # Errors
    /// When an interface does not exist in the chain, or no address fits the protocol and the other addresses.
    pub fn parse(self) -> Result<Self, Invalid> {
        if self.chain == Chain::Input && self.output_interface.is_some() {
            return Err(Invalid::new(
                "output-interface",
                "a packet to this host does not go out: use `input-interface`",
            ));
        }
        if self.chain == Chain::Output && self.input_interface.is_some() {
            return Err(Invalid::new(
                "input-interface",
                "a packet from this host did not come in: use `output-interface`",
            ));
        }
        if self.families().is_empty() {
            let reason = "no packet has this protocol, a source and a destination of these families at once";
            return Err(Invalid::new(if self.source.is_any() { "destination" } else { "source" }, reason));
        }
        Ok(self)
    }

    /// The families of which a packet can match.
    pub fn families(&self) -> Vec<Family> {
        let can = |family: &Family| {
            self.traffic.has(*family) && self.source.of(*family).is_some() && self.destination.of(*family).is_some()
        };
        Family::ALL.into_iter().filter(can).collect()
    }
}

impl Open {
    /// The rule of `input` that it stands for.
    pub fn rule(&self) -> Rule {
        let ports = Ports::from(vec![PortRange::from(self.port)]);
        Rule {
            chain: Chain::Input,
            input_interface: self.input_interface.clone(),
            output_interface: None,
            source: self.source.clone(),
            destination: Prefixes::default(),
            traffic: self.protocol.traffic(ports),
            verdict: Verdict::Accept,
            comment: None,
        }
    }
}

impl Chain {
    /// Its name in nft(8), WIT and grants.
    pub fn name(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Forward => "forward",
            Self::Output => "output",
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

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Accept => "accept",
            Self::Drop => "drop",
            Self::Reject => "reject",
        })
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
        }
    }
}
