//! Whatever may be said can be applied, is read back as it was meant, and can be fed back as it was read.

use std::num::NonZeroU16;

use anyhow::{Result, ensure};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::Host;
use super::lab::Lab;
use crate::capability::firewall::spec::{Chain, Default, Fallback, Open, Rule, Spec, Traffic, Transport, Verdict};
use crate::capability::firewall::words::{Comment, Interface, PortRange, Ports, Prefixes};
use crate::capability::{Capability, Declared, Owned};

fn chain() -> impl Strategy<Value = Chain> {
    prop_oneof![Just(Chain::Input), Just(Chain::Forward), Just(Chain::Output)]
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

fn rule() -> impl Strategy<Value = Spec> {
    let verdict = prop_oneof![Just(Verdict::Accept), Just(Verdict::Drop), Just(Verdict::Reject)];
    let comment =
        prop::option::of("[^\"\\p{C}]{1,20}").prop_map(|text| text.and_then(|text| Comment::try_from(text).ok()));
    let interfaces = (prop::option::of(interface()), prop::option::of(interface()));
    (chain(), interfaces, prefixes(), prefixes(), traffic(), verdict, comment).prop_filter_map(
        "a rule that can hold",
        |(chain, (input, output), source, destination, traffic, verdict, comment)| {
            let input_interface = input.filter(|_| chain != Chain::Output);
            let output_interface = output.filter(|_| chain != Chain::Input);
            let rule =
                Rule { chain, input_interface, output_interface, source, destination, traffic, verdict, comment };
            rule.parse().ok().map(Spec::Rule)
        },
    )
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
    let defaults = prop::collection::btree_map(chain(), verdict(), 0..3).prop_map(|all| {
        all.into_iter().map(|(chain, verdict)| Spec::Default(Default { chain, verdict })).collect::<Vec<_>>()
    });
    let rules = prop::collection::vec(prop_oneof![3 => rule(), 1 => open()], 1..12);
    ("[ -~]{1,80}", defaults, rules).prop_map(|(policy, defaults, rules)| {
        defaults.into_iter().chain(rules).map(|spec| Declared { policy: policy.clone(), spec }).collect()
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
