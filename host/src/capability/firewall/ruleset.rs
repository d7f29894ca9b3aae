//! The whole of stead's table, typed: what is rendered for nft(8) and what is evaluated for a packet are the same value.

use std::collections::BTreeSet;

use super::matches::{CtState, Day, Hour, IcmpType, Limit};
use super::raw::RawRule;
use super::set::{Map, Set, SetName};
use super::spec::{Fallback, Family, Traffic, Transport};
use super::verdict::Verdict;
use super::words::{Interface, LogPrefix, Ports, Prefixes};

/// The table `inet stead`. Chains come before those that jump to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ruleset {
    pub(super) named: Vec<Named>,
    pub(super) chains: Vec<ChainBody>,
}

/// What rules refer to by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Named {
    Set(Set),
    Map(Map),
}

/// A chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ChainBody {
    pub(super) name: &'static str,
    pub(super) comment: Option<&'static str>,
    /// Where packets enter it; `None` when only a jump leads there.
    pub(super) base: Option<Base>,
    pub(super) rules: Vec<Line>,
}

/// What makes a chain a base chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Base {
    pub(super) hook: Hook,
    /// What happens to packets that no rule decides.
    pub(super) policy: Fallback,
}

/// A hook of netfilter and a place among its chains, in the order in which a packet passes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hook {
    /// `prerouting`, before any destination is translated.
    Guard,
    /// `prerouting`, where destinations are translated.
    Dstnat,
    Input,
    Forward,
    Output,
    /// `postrouting`, where sources are translated.
    Srcnat,
}

/// A rule as nft(8) has it: for one family, or for both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// All must hold.
    pub(super) matches: Vec<Match>,
    pub(super) counter: bool,
    pub(super) log: Option<LogPrefix>,
    pub(super) then: Then,
    pub(super) comment: Option<String>,
}

/// One match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Match {
    InputInterface(Interface),
    OutputInterface(Interface),
    /// Prefixes of one family.
    Source(Prefixes),
    /// Prefixes of one family.
    Destination(Prefixes),
    Traffic(Traffic),
    /// Addresses of a set of this family.
    SourceSet(Family, SetName),
    /// Addresses of a set of this family.
    DestinationSet(Family, SetName),
    /// Destination ports of a set.
    PortSet(Transport, SetName),
    SourcePorts(Transport, Ports),
    IcmpTypes(Family, BTreeSet<IcmpType>),
    CtState(BTreeSet<CtState>),
    Mark(u32),
    Days(BTreeSet<Day>),
    Hours(Hour, Hour),
    Limit(Limit),
    /// A whole rule in nft's words.
    Raw(RawRule),
    IcmpType(&'static [&'static str]),
    Icmpv6Type(&'static [&'static str]),
    /// UDP from this port.
    UdpFrom(u16),
    /// UDP to this port.
    UdpTo(u16),
    /// To a link-local IPv6 address.
    ToLinkLocal,
    /// Of a connection that was let through before, or that belongs to one.
    Established,
    /// That conntrack makes no sense of.
    InvalidState,
    /// To no address of this host.
    NotLocal,
    /// Whose destination was translated: it goes to a published port.
    Translated,
    /// The destination port before it was translated.
    OriginalPort(u16),
}

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    Verdict(Verdict),
    Jump(&'static str),
    /// What its chain does not decide, the default verdict does.
    Goto(&'static str),
    Return,
    /// The rule's own words say.
    Raw,
}

impl Ruleset {
    /// The chain of this name.
    pub(super) fn chain(&self, name: &str) -> Option<&ChainBody> {
        self.chains.iter().find(|chain| chain.name == name)
    }

    /// The base chain at a hook.
    pub(super) fn at(&self, hook: Hook) -> Option<&ChainBody> {
        self.chains.iter().find(|chain| chain.base.is_some_and(|base| base.hook == hook))
    }

    /// The set of this name.
    pub(super) fn set(&self, name: &SetName) -> Option<&Set> {
        self.named.iter().find_map(|named| match named {
            Named::Set(set) if set.name == *name => Some(set),
            _ => None,
        })
    }
}

impl Line {
    /// A rule without a comment.
    pub(super) fn new(matches: Vec<Match>, then: Then) -> Self {
        Self { matches, counter: false, log: None, then, comment: None }
    }
}
