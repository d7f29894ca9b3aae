//! One rule of a policy in nft's terms.

use super::named::Sets;
use crate::capability::firewall::addresses::Addresses;
use crate::capability::firewall::ruleset::{Line, Match, Then};
use crate::capability::firewall::set::SetName;
use crate::capability::firewall::spec::{Family, Raw, Rule, Traffic, Transport};
use crate::capability::firewall::words::{Comment, Prefixes};

/// One line, or one for each family when addresses are named.
pub(super) fn lines(sets: &Sets<'_>, policy: &str, rule: &Rule) -> Vec<Line> {
    if rule.source.is_any() && rule.destination.is_any() {
        return vec![line(policy, rule, None)];
    }
    let holds = |addresses: &Addresses, family: Family| match addresses {
        Addresses::Prefixes(_) => true,
        Addresses::Set(name) => sets.get(name).and_then(|set| set.element_type.family()) == Some(family),
    };
    let families = rule.families().into_iter();
    let families = families.filter(|family| holds(&rule.source, *family) && holds(&rule.destination, *family));
    families.map(|family| line(policy, rule, Some(family))).collect()
}

/// A rule in nft's own words, named after the policy unless it says something else.
pub(super) fn raw(policy: &str, raw: &Raw) -> Line {
    Line {
        comment: (!raw.rule.has_comment()).then(|| comment(policy, None)),
        ..Line::new(vec![Match::Raw(raw.rule.clone())], Then::Raw)
    }
}

fn line(policy: &str, rule: &Rule, family: Option<Family>) -> Line {
    let mut matches: Vec<_> = [
        rule.input_interface.clone().map(Match::InputInterface),
        rule.output_interface.clone().map(Match::OutputInterface),
        addresses(&rule.source, family, Match::Source, Match::SourceSet),
        addresses(&rule.destination, family, Match::Destination, Match::DestinationSet),
    ]
    .into_iter()
    .flatten()
    .collect();
    matches.extend(conditions(rule));
    Line {
        matches,
        counter: rule.counter,
        log: rule.log.clone(),
        then: Then::Verdict(rule.verdict),
        comment: Some(comment(policy, rule.comment.as_ref())),
    }
}

/// What the rule asks beside interfaces and addresses.
pub(in crate::capability::firewall) fn conditions(rule: &Rule) -> Vec<Match> {
    let mut matches = transport(rule);
    matches.extend(rule.mark.map(Match::Mark));
    if !rule.ct_state.is_empty() {
        matches.push(Match::CtState(rule.ct_state.clone()));
    }
    if let Some(time) = &rule.time {
        matches.extend((!time.days.is_empty()).then(|| Match::Days(time.days.clone())));
        matches.extend(time.hours.map(|(from, to)| Match::Hours(from, to)));
    }
    // Last, so that only packets that match all else take from it.
    matches.extend(rule.limit.map(Match::Limit));
    matches
}

fn addresses(
    addresses: &Addresses,
    family: Option<Family>,
    prefixes: fn(Prefixes) -> Match,
    set: fn(Family, SetName) -> Match,
) -> Option<Match> {
    let family = family?;
    match addresses {
        Addresses::Prefixes(all) => all.of(family).filter(|some| !some.is_any()).map(prefixes),
        Addresses::Set(name) => Some(set(family, name.clone())),
    }
}

fn transport(rule: &Rule) -> Vec<Match> {
    let mut matches = match rule.traffic {
        Traffic::Any => return Vec::new(),
        Traffic::Tcp(_) => ports(rule, Transport::Tcp),
        Traffic::Udp(_) => ports(rule, Transport::Udp),
        Traffic::Icmp => types(rule, Family::V4),
        Traffic::Icmpv6 => types(rule, Family::V6),
    };
    // Each of these says which protocol it is about.
    if matches.is_empty() || !rule.traffic.ports().is_empty() {
        matches.insert(0, Match::Traffic(rule.traffic.clone()));
    }
    matches
}

fn ports(rule: &Rule, transport: Transport) -> Vec<Match> {
    let set = rule.port_set.clone().map(|name| Match::PortSet(transport, name));
    let sources = (!rule.source_ports.is_any()).then(|| Match::SourcePorts(transport, rule.source_ports.clone()));
    set.into_iter().chain(sources).collect()
}

fn types(rule: &Rule, family: Family) -> Vec<Match> {
    let types = (!rule.icmp_types.is_empty()).then(|| Match::IcmpTypes(family, rule.icmp_types.clone()));
    types.into_iter().collect()
}

/// Names the policy in the kernel's own ruleset. Names are the operator's and may hold what nft(8) cannot quote.
fn comment(policy: &str, comment: Option<&Comment>) -> String {
    const LONGEST_POLICY: usize = 60;
    let mut name: String = policy.chars().map(|c| if c.is_control() || c == '"' { '_' } else { c }).collect();
    while name.len() > LONGEST_POLICY {
        name.pop();
    }
    match comment {
        Some(comment) => format!("{name}: {comment}"),
        None => name,
    }
}
