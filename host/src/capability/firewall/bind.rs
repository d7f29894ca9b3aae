//! From the WIT interface `firewall` to a spec.

use std::collections::BTreeSet;
use std::num::{NonZeroU16, NonZeroU32};

use super::Firewall;
use super::addresses::Addresses;
use super::matches::{CtState, Day, IcmpType, Limit, Per, Time, usual_burst};
use super::raw::RawRule;
use super::set::{ElementType, Map, Set, ValueType, WrittenMap, WrittenSet};
use super::spec::{Chain, Default, Fallback, Family, Open, Raw, Rule, Spec, Traffic, Transport};
use super::verdict::Verdict;
use super::words::{Comment, Interface, LogPrefix, PortRange, Ports, Prefixes};
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

    fn default_verdict(&mut self, chain: wit::Chain, verdict: wit::Fallback) -> Result<(), Error> {
        self.stage::<Firewall>(default(chain, verdict))
    }

    fn add_set(&mut self, set: wit::Set) -> Result<(), Error> {
        self.stage::<Firewall>(Set::try_from(WrittenSet::from(set)).map(Spec::Set))
    }

    fn add_map(&mut self, map: wit::Map) -> Result<(), Error> {
        self.stage::<Firewall>(Map::try_from(WrittenMap::from(map)).map(Spec::Map))
    }

    fn raw(&mut self, chain: wit::Chain, rule: String) -> Result<(), Error> {
        let parsed = RawRule::try_from(rule).map(|rule| Spec::Raw(Raw { chain: chain.into(), rule }));
        self.stage::<Firewall>(parsed)
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
    let traffic = traffic(asked.protocol, &asked.ports)?;
    let types = |name: &String| match traffic {
        Traffic::Icmp => IcmpType::parse(Family::V4, name),
        Traffic::Icmpv6 => IcmpType::parse(Family::V6, name),
        _ => Err(Invalid::new("icmp-types", "needs the protocol icmp or icmpv6")),
    };
    let rule = Rule {
        chain: asked.chain.into(),
        input_interface: interface("input-interface", &asked.input_interface)?,
        output_interface: interface("output-interface", &asked.output_interface)?,
        source: Addresses::parse("source", &asked.source)?,
        destination: Addresses::parse("destination", &asked.destination)?,
        icmp_types: asked.icmp_types.iter().map(types).collect::<Result<_, _>>()?,
        traffic,
        port_set: asked.port_set.map(|name| name.parse()).transpose()?,
        source_ports: ports("source-ports", &asked.source_ports)?,
        ct_state: ct_state(asked.ct_state),
        mark: asked.mark,
        time: asked.time.map(time).transpose()?,
        limit: asked.limit.map(limit).transpose()?,
        counter: asked.counter,
        log: asked.log.map(LogPrefix::try_from).transpose()?,
        verdict: verdict(asked.verdict)?,
        comment: asked.comment.map(Comment::try_from).transpose()?,
    };
    Ok(Spec::Rule(Box::new(rule.parse()?)))
}

fn ports(argument: &'static str, ports: &[wit::PortRange]) -> Result<Ports, Invalid> {
    let range = |range: &wit::PortRange| {
        PortRange::parse(range.first, range.last).map_err(|wrong| Invalid::new(argument, wrong.reason))
    };
    Ok(Ports::from(ports.iter().map(range).collect::<Result<Vec<_>, _>>()?))
}

fn ct_state(asked: wit::CtState) -> BTreeSet<CtState> {
    let all = [
        (wit::CtState::NEW, CtState::New),
        (wit::CtState::ESTABLISHED, CtState::Established),
        (wit::CtState::RELATED, CtState::Related),
        (wit::CtState::INVALID, CtState::Invalid),
        (wit::CtState::UNTRACKED, CtState::Untracked),
    ];
    all.into_iter().filter(|(flag, _)| asked.contains(*flag)).map(|(_, state)| state).collect()
}

fn time(asked: wit::Time) -> Result<Time, Invalid> {
    let all = [
        (wit::Days::MONDAY, Day::Monday),
        (wit::Days::TUESDAY, Day::Tuesday),
        (wit::Days::WEDNESDAY, Day::Wednesday),
        (wit::Days::THURSDAY, Day::Thursday),
        (wit::Days::FRIDAY, Day::Friday),
        (wit::Days::SATURDAY, Day::Saturday),
        (wit::Days::SUNDAY, Day::Sunday),
    ];
    let days = all.into_iter().filter(|(flag, _)| asked.days.contains(*flag)).map(|(_, day)| day).collect();
    let hours = asked.hours.map(|(from, to)| Ok::<_, Invalid>((from.try_into()?, to.try_into()?))).transpose()?;
    Time { days, hours }.parse()
}

fn limit(asked: wit::Limit) -> Result<Limit, Invalid> {
    let positive = |number| NonZeroU32::new(number).ok_or_else(|| Invalid::new("limit", "must be at least 1"));
    Ok(Limit {
        rate: positive(asked.rate)?,
        per: match asked.per {
            wit::Per::Second => Per::Second,
            wit::Per::Minute => Per::Minute,
            wit::Per::Hour => Per::Hour,
            wit::Per::Day => Per::Day,
        },
        burst: asked.burst.map_or_else(|| Ok(usual_burst()), positive)?,
        over: asked.over,
    })
}

fn verdict(asked: wit::Verdict) -> Result<Verdict, Invalid> {
    Ok(match asked {
        wit::Verdict::Accept => Verdict::Accept,
        wit::Verdict::Drop => Verdict::Drop,
        wit::Verdict::Reject => Verdict::Reject,
        wit::Verdict::Masquerade => Verdict::Masquerade,
        wit::Verdict::Snat(address) => Verdict::Snat(
            address.parse().map_err(|_| Invalid::new("verdict", format!("{address:?} is not an address")))?,
        ),
        wit::Verdict::Dnat(to) => Verdict::Dnat(to.parse()?),
        wit::Verdict::Redirect(port) => {
            Verdict::Redirect(NonZeroU16::new(port).ok_or_else(|| Invalid::new("verdict", "ports are 1 to 65535"))?)
        }
    })
}

fn traffic(protocol: Option<wit::Protocol>, asked: &[wit::PortRange]) -> Result<Traffic, Invalid> {
    let ports = ports("ports", asked)?;
    match protocol {
        Some(wit::Protocol::Tcp) => Ok(Traffic::Tcp(ports)),
        Some(wit::Protocol::Udp) => Ok(Traffic::Udp(ports)),
        _ if !ports.is_any() => Err(Invalid::new("ports", "need the protocol tcp or udp")),
        Some(wit::Protocol::Icmp) => Ok(Traffic::Icmp),
        Some(wit::Protocol::Icmpv6) => Ok(Traffic::Icmpv6),
        None => Ok(Traffic::Any),
    }
}

fn default(chain: wit::Chain, verdict: wit::Fallback) -> Result<Spec, Invalid> {
    let chain = Chain::from(chain);
    let verdict = match verdict {
        wit::Fallback::Accept => Fallback::Accept,
        wit::Fallback::Drop => Fallback::Drop,
    };
    if chain.translates() {
        return Err(Invalid::new("chain", format!("{chain} translates, and drops nothing: use input or forward")));
    }
    Ok(Spec::Default(Default { chain, verdict }))
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
            wit::Chain::Prerouting => Self::Prerouting,
            wit::Chain::Postrouting => Self::Postrouting,
        }
    }
}

impl From<wit::ElementType> for ElementType {
    fn from(asked: wit::ElementType) -> Self {
        match asked {
            wit::ElementType::Ipv4Addr => Self::Ipv4Addr,
            wit::ElementType::Ipv6Addr => Self::Ipv6Addr,
            wit::ElementType::InetService => Self::InetService,
        }
    }
}

impl From<wit::ValueType> for ValueType {
    fn from(asked: wit::ValueType) -> Self {
        match asked {
            wit::ValueType::Ipv4Addr => Self::Ipv4Addr,
            wit::ValueType::Ipv6Addr => Self::Ipv6Addr,
            wit::ValueType::InetService => Self::InetService,
            wit::ValueType::Verdict => Self::Verdict,
        }
    }
}

impl From<wit::Set> for WrittenSet {
    fn from(set: wit::Set) -> Self {
        let wit::Set { name, element_type, elements, dynamic, timeout } = set;
        Self { name, element_type: element_type.into(), elements, dynamic, timeout }
    }
}

impl From<wit::Map> for WrittenMap {
    fn from(map: wit::Map) -> Self {
        let wit::Map { name, key_type, value_type, elements } = map;
        Self { name, key_type: key_type.into(), value_type: value_type.into(), elements }
    }
}
