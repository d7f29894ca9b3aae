//! From the WIT interface `firewall` to a spec.

use std::num::NonZeroU16;

use super::Firewall;
use super::spec::{Chain, Default, Fallback, Open, Rule, Spec, Traffic, Transport, Verdict};
use super::words::{Comment, Interface, PortRange, Ports, Prefixes};
use crate::policy::types::Error;
use crate::policy::{Guest, HasGuest, Invalid};

wasmtime::component::bindgen!({
    inline: "package stead:bind; world bind { import stead:host/firewall@0.1.0; }",
    path: "../wit",
    with: { "stead:host/types": crate::policy::types::stead::host::types },
});

use stead::host::firewall as wit;

pub(super) fn link(linker: &mut wasmtime::component::Linker<Guest>) -> wasmtime::Result<()> {
    wit::add_to_linker::<_, HasGuest>(linker, |guest| guest)
}

impl wit::Host for Guest {
    fn add_rule(&mut self, asked: wit::Rule) -> Result<(), Error> {
        self.stage::<Firewall>(rule(asked))
    }

    fn default_verdict(&mut self, chain: wit::Chain, verdict: wit::Verdict) -> Result<(), Error> {
        self.stage::<Firewall>(default(chain, verdict))
    }

    fn open(
        &mut self,
        protocol: wit::Protocol,
        port: u16,
        source: Vec<String>,
        input_interface: Option<String>,
    ) -> Result<(), Error> {
        self.stage::<Firewall>(open(protocol, port, &source, input_interface.as_deref()))
    }
}

fn rule(asked: wit::Rule) -> Result<Spec, Invalid> {
    let interface =
        |argument, name: &Option<String>| name.as_deref().map(|name| Interface::parse(argument, name)).transpose();
    let rule = Rule {
        chain: asked.chain.into(),
        input_interface: interface("input-interface", &asked.input_interface)?,
        output_interface: interface("output-interface", &asked.output_interface)?,
        source: Prefixes::parse("source", &asked.source)?,
        destination: Prefixes::parse("destination", &asked.destination)?,
        traffic: traffic(asked.protocol, &asked.ports)?,
        verdict: asked.verdict.into(),
        comment: asked.comment.map(Comment::try_from).transpose()?,
    };
    Ok(Spec::Rule(rule.parse()?))
}

fn traffic(protocol: Option<wit::Protocol>, ports: &[wit::PortRange]) -> Result<Traffic, Invalid> {
    let range = |range: &wit::PortRange| PortRange::parse(range.first, range.last);
    let ports = Ports::from(ports.iter().map(range).collect::<Result<Vec<_>, _>>()?);
    match protocol {
        Some(wit::Protocol::Tcp) => Ok(Traffic::Tcp(ports)),
        Some(wit::Protocol::Udp) => Ok(Traffic::Udp(ports)),
        _ if !ports.is_any() => Err(Invalid::new("ports", "need the protocol tcp or udp")),
        Some(wit::Protocol::Icmp) => Ok(Traffic::Icmp),
        Some(wit::Protocol::Icmpv6) => Ok(Traffic::Icmpv6),
        None => Ok(Traffic::Any),
    }
}

fn default(chain: wit::Chain, verdict: wit::Verdict) -> Result<Spec, Invalid> {
    let verdict = match verdict {
        wit::Verdict::Accept => Fallback::Accept,
        wit::Verdict::Drop => Fallback::Drop,
        wit::Verdict::Reject => {
            return Err(Invalid::new("verdict", "reject is not possible here: use drop, and a last rule that rejects"));
        }
    };
    Ok(Spec::Default(Default { chain: chain.into(), verdict }))
}

fn open(protocol: wit::Protocol, port: u16, source: &[String], interface: Option<&str>) -> Result<Spec, Invalid> {
    Ok(Spec::Open(Open {
        protocol: match protocol {
            wit::Protocol::Tcp => Transport::Tcp,
            wit::Protocol::Udp => Transport::Udp,
            wit::Protocol::Icmp | wit::Protocol::Icmpv6 => {
                return Err(Invalid::new("protocol", "only tcp and udp have ports"));
            }
        },
        port: NonZeroU16::new(port).ok_or_else(|| Invalid::new("port", "must be 1 to 65535"))?,
        source: Prefixes::parse("source", source)?,
        input_interface: interface.map(|name| Interface::parse("input-interface", name)).transpose()?,
    }))
}

impl From<wit::Chain> for Chain {
    fn from(chain: wit::Chain) -> Self {
        match chain {
            wit::Chain::Input => Self::Input,
            wit::Chain::Forward => Self::Forward,
            wit::Chain::Output => Self::Output,
        }
    }
}

impl From<wit::Verdict> for Verdict {
    fn from(verdict: wit::Verdict) -> Self {
        match verdict {
            wit::Verdict::Accept => Self::Accept,
            wit::Verdict::Drop => Self::Drop,
            wit::Verdict::Reject => Self::Reject,
        }
    }
}
