//! Whatever may be said can be applied, is read back as it was meant, and can be fed back as it was read.

use std::collections::BTreeSet;
use std::num::{NonZeroU16, NonZeroU32};

use anyhow::{Result, ensure};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::Host;
use super::lab::Lab;
use crate::capability::firewall::Verdict;
use crate::capability::firewall::addresses::Addresses;
use crate::capability::firewall::compile::compile;
use crate::capability::firewall::matches::{CtState, Day, IcmpType, Limit, Per, Time};
use crate::capability::firewall::set::{ElementType, Set, WrittenSet};
use crate::capability::firewall::spec::{Chain, Default, Fallback, Family, Open, Raw, Rule, Spec, Traffic, Transport};
use crate::capability::firewall::words::{Comment, Interface, LogPrefix, PortRange, Ports, Prefixes};
use crate::capability::{Capability, Declared, Owned};

fn chain() -> impl Strategy<Value = Chain> {
    prop::sample::select(vec![Chain::Input, Chain::Forward, Chain::Output, Chain::Prerouting, Chain::Postrouting])
}

fn interface() -> impl Strategy<Value = Interface> {
    "[a-zA-Z0-9._@:+-]{1,14}\\*?".prop_filter_map("a name", |name| Interface::parse("interface", &name).ok())
}

fn port_range() -> impl Strategy<Value = PortRange> {
    (1..=u16::MAX, 0..300_u16)
        .prop_filter_map("a range", |(first, more)| PortRange::parse(first, first.saturating_add(more)).ok())
}

fn ports() -> impl Strategy<Value = Ports> {
    prop::collection::vec(port_range(), 0..5).prop_map(Ports::from)
}

fn prefix() -> impl Strategy<Value = String> {
    let v4 = (any::<u32>(), 0..=32_u8)
        .prop_filter_map("a prefix", |(bits, length)| ipnet::Ipv4Net::new(bits.into(), length).ok());
    let v6 = (any::<u128>(), 0..=128_u8)
        .prop_filter_map("a prefix", |(bits, length)| ipnet::Ipv6Net::new(bits.into(), length).ok());
    // Prefixes that adjoin are rare by chance alone.
    let near = (0..8_u8).prop_map(|third| format!("198.51.{third}.0/24"));
    prop_oneof![v4.prop_map(|net| net.trunc().to_string()), v6.prop_map(|net| net.trunc().to_string()), near]
}

fn prefixes() -> impl Strategy<Value = Prefixes> {
    prop::collection::vec(prefix(), 0..5).prop_filter_map("prefixes", |texts| Prefixes::parse("source", &texts).ok())
}

fn traffic() -> impl Strategy<Value = Traffic> {
    prop_oneof![
        Just(Traffic::Any),
        Just(Traffic::Icmp),
        Just(Traffic::Icmpv6),
        ports().prop_map(Traffic::Tcp),
        ports().prop_map(Traffic::Udp),
    ]
}

/// The sets that generated rules name.
const SETS: [(&str, ElementType); 3] =
    [("office", ElementType::Ipv4Addr), ("lab", ElementType::Ipv6Addr), ("doors", ElementType::InetService)];

fn addresses() -> impl Strategy<Value = Addresses> {
    let set = prop::sample::select(vec!["office", "lab"]);
    let set = set.prop_filter_map("a set", |name| Some(Addresses::Set(name.parse().ok()?)));
    prop_oneof![5 => prefixes().prop_map(Addresses::Prefixes), 1 => set]
}

fn comment() -> impl Strategy<Value = Comment> {
    "[^\"\\p{C}]{1,20}".prop_filter_map("a comment", |text| Comment::try_from(text).ok())
}

fn verdict(chain: Chain) -> impl Strategy<Value = Verdict> {
    let to = prop::sample::select(vec!["192.0.2.7", "192.0.2.7:80", "2001:db8::7", "[2001:db8::7]:80"]);
    let to = to.prop_filter_map("a destination", |text| text.parse().ok().map(Verdict::Dnat));
    let port = (1..=u16::MAX).prop_filter_map("a port", |port| NonZeroU16::new(port).map(Verdict::Redirect));
    let from = prop::sample::select(vec!["192.0.2.7", "2001:db8::7"]);
    let from = from.prop_filter_map("a source", |text| text.parse().ok().map(Verdict::Snat));
    match chain {
        Chain::Prerouting => prop_oneof![Just(Verdict::Accept), to, port].boxed(),
        Chain::Postrouting => prop_oneof![Just(Verdict::Accept), Just(Verdict::Masquerade), from].boxed(),
        _ => prop_oneof![Just(Verdict::Accept), Just(Verdict::Drop), Just(Verdict::Reject)].boxed(),
    }
}

fn ct_state() -> impl Strategy<Value = BTreeSet<CtState>> {
    let all = [CtState::New, CtState::Established, CtState::Related, CtState::Invalid, CtState::Untracked];
    prop::sample::subsequence(all.to_vec(), 0..=5).prop_map(BTreeSet::from_iter)
}

fn limit() -> impl Strategy<Value = Limit> {
    let per = prop::sample::select(vec![Per::Second, Per::Minute, Per::Hour, Per::Day]);
    let number = || (1..1000_u32).prop_filter_map("a number", NonZeroU32::new);
    (number(), per, number(), any::<bool>()).prop_map(|(rate, per, burst, over)| Limit { rate, per, burst, over })
}

fn time() -> impl Strategy<Value = Time> {
    let days = prop::sample::subsequence(vec![Day::Monday, Day::Wednesday, Day::Saturday, Day::Sunday], 0..=4);
    let hours = prop::option::of((0..12_u8, 0..60_u8, 12..24_u8, 0..60_u8));
    (days, hours).prop_filter_map("a time", |(days, hours)| {
        let hour = |hour, minute| format!("{hour:02}:{minute:02}").try_into().ok();
        let hours = match hours {
            Some((a, b, c, d)) => Some((hour(a, b)?, hour(c, d)?)),
            None => None,
        };
        Time { days: days.into_iter().collect(), hours }.parse().ok()
    })
}

/// What a rule asks for beside addresses: of few rules, all of it.
fn rest() -> impl Strategy<Value = Rule> {
    let icmp = prop::sample::subsequence(vec!["echo-request", "time-exceeded", "parameter-problem"], 0..=3);
    let more = (ct_state(), prop::option::of(any::<u32>()), prop::option::of(time()), prop::option::of(limit()));
    let prefix = "[^\"$\\p{C}]{1,20}".prop_filter_map("a prefix", |text| LogPrefix::try_from(text).ok());
    let said = (any::<bool>(), prop::option::of(prefix), prop::option::of(comment()));
    (chain(), traffic(), ports(), any::<bool>(), icmp, more, said)
        .prop_flat_map(|parts| {
            let verdict = verdict(parts.0);
            (Just(parts), verdict)
        })
        .prop_filter_map("a rule", |((chain, traffic, source_ports, in_set, icmp, more, said), verdict)| {
            let family = if traffic == Traffic::Icmpv6 { Family::V6 } else { Family::V4 };
            let is_icmp = matches!(traffic, Traffic::Icmp | Traffic::Icmpv6);
            let has_ports = matches!(traffic, Traffic::Tcp(_) | Traffic::Udp(_));
            let free = has_ports && traffic.ports().is_empty();
            let types = icmp.into_iter().filter(|_| is_icmp).map(|name| IcmpType::parse(family, name).ok());
            let (ct_state, mark, time, limit) = more;
            let (counter, log, comment) = said;
            Some(Rule {
                port_set: (in_set && free).then(|| "doors".parse().ok()).flatten(),
                source_ports: if has_ports { source_ports } else { Ports::default() },
                icmp_types: types.collect::<Option<_>>()?,
                ct_state,
                mark,
                time,
                limit,
                counter,
                log,
                comment,
                ..Rule::new(chain, traffic, verdict)
            })
        })
}

fn rule() -> impl Strategy<Value = Spec> {
    let interfaces = (prop::option::of(interface()), prop::option::of(interface()));
    (rest(), interfaces, addresses(), addresses()).prop_filter_map(
        "a rule that can hold",
        |(rest, (input, output), source, destination)| {
            let input_interface = input.filter(|_| !matches!(rest.chain, Chain::Output | Chain::Postrouting));
            let output_interface = output.filter(|_| !matches!(rest.chain, Chain::Input | Chain::Prerouting));
            let rule = Rule { input_interface, output_interface, source, destination, ..rest };
            let spec = Spec::Rule(Box::new(rule.parse().ok()?));
            // Addresses of a set and of prefixes may be of two families.
            let with_sets: Vec<_> = sets(&[]).into_iter().chain([declared("base", spec.clone())]).collect();
            compile(&with_sets).ok().map(|_| spec)
        },
    )
}

fn declared(policy: &str, spec: Spec) -> Declared<Spec> {
    Declared { policy: policy.to_owned(), spec }
}

/// The sets, the one of ports with these elements.
fn sets(doors: &[PortRange]) -> Vec<Declared<Spec>> {
    let set = |(name, element_type): (&str, ElementType)| {
        let elements = match element_type {
            ElementType::Ipv4Addr => vec!["10.0.0.0/8".to_owned(), "11.0.0.0-11.0.0.9".to_owned()],
            ElementType::Ipv6Addr => vec!["2001:db8::/32".to_owned()],
            ElementType::InetService => doors.iter().map(ToString::to_string).collect(),
        };
        let written = WrittenSet { name: name.to_owned(), element_type, elements, dynamic: false, timeout: None };
        Some(declared("base", Spec::Set(Set::try_from(written).ok()?)))
    };
    SETS.into_iter().filter_map(set).collect()
}

fn raw() -> impl Strategy<Value = Spec> {
    let rules = vec![
        "tcp dport 22 ct count over 10 reject",
        "ip saddr @office meta mark set 0x7",
        "tcp dport vmap { 22 : accept, 8000-8100 : drop }",
        "limit rate over 10 mbytes/second drop comment \"mine\"",
        "meta l4proto { tcp, udp } th dport 53 counter accept",
    ];
    (prop::sample::select(vec![Chain::Input, Chain::Forward]), prop::sample::select(rules))
        .prop_filter_map("a raw rule", |(chain, rule)| {
            Some(Spec::Raw(Raw { chain, rule: rule.to_owned().try_into().ok()? }))
        })
}

fn open() -> impl Strategy<Value = Spec> {
    let protocol = prop_oneof![Just(Transport::Tcp), Just(Transport::Udp)];
    let port = (1..=u16::MAX).prop_filter_map("a port", NonZeroU16::new);
    (protocol, port, prefixes(), prop::option::of(interface())).prop_map(|(protocol, port, source, input_interface)| {
        Spec::Open(Open { protocol, port, source, input_interface })
    })
}

fn ruleset() -> impl Strategy<Value = Vec<Declared<Spec>>> {
    let verdict = || prop_oneof![Just(Fallback::Accept), Just(Fallback::Drop)];
    let filters = prop::sample::select(vec![Chain::Input, Chain::Forward, Chain::Output]);
    let defaults = prop::collection::btree_map(filters, verdict(), 0..3).prop_map(|all| {
        all.into_iter().map(|(chain, verdict)| Spec::Default(Default { chain, verdict })).collect::<Vec<_>>()
    });
    let rules = prop::collection::vec(prop_oneof![6 => rule(), 2 => open(), 1 => raw()], 1..12);
    let doors = prop::collection::vec(port_range(), 0..5);
    ("[ -~]{1,80}", defaults, rules, doors).prop_map(|(policy, defaults, rules, doors)| {
        let said = defaults.into_iter().chain(rules).map(|spec| declared(&policy, spec));
        sets(&doors).into_iter().chain(said).collect()
    })
}

#[test]
fn what_is_applied_is_read_back_and_can_be_fed_back() -> Result<()> {
    let lab = Lab::new()?;
    let host = Host::new()?;
    let mut runner = TestRunner::new(Config { cases: 32, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&(ruleset(), ruleset()), |(first, second)| {
        there_and_back(&lab, &host, &first, &second).map_err(|error| TestCaseError::fail(format!("{error:?}")))
    });
    outcome.map_err(|failed| anyhow::anyhow!("{failed}"))
}

/// Elements change alone, whatever intervals come, go, grow together or apart.
#[test]
fn any_elements_become_any_others() -> Result<()> {
    let lab = Lab::new()?;
    let host = Host::new()?;
    let mut runner = TestRunner::new(Config { cases: 48, failure_persistence: None, ..Config::default() });
    let near =
        (1..40_u16, 0..6_u16).prop_filter_map("a range", |(first, more)| PortRange::parse(first, first + more).ok());
    let doors = || prop::collection::vec(near.clone(), 0..12);
    let outcome = runner.run(&(doors(), doors()), |(first, second)| {
        there_and_back(&lab, &host, &sets(&first), &sets(&second))
            .map_err(|error| TestCaseError::fail(format!("{error:?}")))
    });
    outcome.map_err(|failed| anyhow::anyhow!("{failed}"))
}

fn there_and_back(lab: &Lab, host: &Host, first: &[Declared<Spec>], second: &[Declared<Spec>]) -> Result<()> {
    lab.command("nft flush ruleset")?;
    lab.block_on(|| async {
        host.apply(first).await?;
        let code = || lab.command("nft -s --debug=netlink list table inet stead").map(|listed| program(&listed));
        let before = code()?;
        let plan = host.plan(second, &Owned::new()).await?;
        for step in plan.steps {
            host.firewall.apply(&step.action).await?;
            host.is_as_declared(second).await?;
            // The undo is fed nft's own listing; it must be the same program for the kernel, not only the same text.
            host.undo(&step).await?;
            host.is_as_declared(first).await?;
            ensure!(code()? == before, "before: {before:#?}\nafter: {:#?}", code()?);
        }
        Ok(())
    })
}

/// The expressions that the kernel runs, in order, and the elements of its sets, which it keeps in none.
fn program(listed: &str) -> (Vec<String>, Vec<String>) {
    let lines =
        |beginning: &str| listed.lines().filter(|line| line.starts_with(beginning)).map(str::to_owned).collect();
    let mut elements: Vec<String> = lines("\telement ");
    elements.sort();
    (lines("  ["), elements)
}
