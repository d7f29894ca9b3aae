//! The whole of stead's table, typed: what is rendered for nft(8) and what is evaluated for a packet are the same value.

use super::spec::{Fallback, Traffic, Verdict};
use super::words::{Interface, Prefixes};

/// The table `inet stead`. Chains come before those that jump to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ruleset {
    pub(super) chains: Vec<ChainBody>,
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

/// A hook of netfilter, in the order in which a packet passes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hook {
    /// Before the destination is translated.
    Prerouting,
    Input,
    Forward,
    Output,
}

/// A rule as nft(8) has it: for one family, or for both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// All must hold.
    pub(super) matches: Vec<Match>,
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
    Return,
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
}

impl Line {
    /// A rule without a comment.
    pub(super) fn new(matches: Vec<Match>, then: Then) -> Self {
        Self { matches, then, comment: None }
    }
}
