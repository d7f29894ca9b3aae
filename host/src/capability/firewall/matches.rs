//! What a rule asks of a packet beside its addresses and ports.

use std::collections::BTreeSet;
use std::fmt;
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::spec::Family;
use crate::policy::Invalid;

/// What conntrack knows of a packet's connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CtState {
    Invalid,
    Established,
    Related,
    New,
    Untracked,
}

/// A type of ICMP or ICMPv6 messages, by its name in nft(8).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IcmpType(String);

/// The unit of time of a rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Per {
    Second,
    Minute,
    Hour,
    Day,
}

/// How often a rule holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Limit {
    pub rate: NonZeroU32,
    pub per: Per,
    /// As nft(8) has it when none is named.
    #[serde(default = "usual_burst")]
    pub burst: NonZeroU32,
    /// Whether packets beyond the rate match, instead of those within it.
    #[serde(default)]
    pub over: bool,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Day {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

/// A time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hour {
    hour: u8,
    minute: u8,
}

/// When a rule holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct Time {
    /// None: all.
    pub days: BTreeSet<Day>,
    /// Both ends included.
    pub hours: Option<(Hour, Hour)>,
}

const ICMP: &[&str] = &[
    "echo-reply",
    "destination-unreachable",
    "source-quench",
    "redirect",
    "echo-request",
    "router-advertisement",
    "router-solicitation",
    "time-exceeded",
    "parameter-problem",
    "timestamp-request",
    "timestamp-reply",
    "info-request",
    "info-reply",
    "address-mask-request",
    "address-mask-reply",
];
const ICMPV6: &[&str] = &[
    "destination-unreachable",
    "packet-too-big",
    "time-exceeded",
    "parameter-problem",
    "echo-request",
    "echo-reply",
    "mld-listener-query",
    "mld-listener-report",
    "mld-listener-done",
    "nd-router-solicit",
    "nd-router-advert",
    "nd-neighbor-solicit",
    "nd-neighbor-advert",
    "nd-redirect",
    "router-renumbering",
    "ind-neighbor-solicit",
    "ind-neighbor-advert",
    "mld2-listener-report",
];

/// What nft(8) takes when no burst is named.
pub(super) fn usual_burst() -> NonZeroU32 {
    NonZeroU32::MIN.saturating_add(4)
}

impl IcmpType {
    /// Parses the name of a type of this family's ICMP.
    ///
    /// # Errors
    /// When nft(8) knows no such type.
    pub fn parse(family: Family, name: &str) -> Result<Self, Invalid> {
        let known = match family {
            Family::V4 => ICMP,
            Family::V6 => ICMPV6,
        };
        if known.contains(&name) {
            return Ok(Self(name.to_owned()));
        }
        Err(Invalid::new("icmp-types", format!("{name:?} is none of {}", known.join(", "))))
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Time {
    /// Checks that there is such a time.
    ///
    /// # Errors
    /// When it says nothing, or ends before it begins.
    pub fn parse(self) -> Result<Self, Invalid> {
        if self.days.is_empty() && self.hours.is_none() {
            return Err(Invalid::new("time", "says nothing: leave it out, or name days or hours"));
        }
        match self.hours {
            Some((from, to)) if from >= to => {
                Err(Invalid::new("time", format!("{from} is not before {to}: over midnight takes two rules")))
            }
            _ => Ok(self),
        }
    }
}

impl TryFrom<String> for Hour {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        let number = |text: &str, end: u8| {
            let is_pair = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|number: &u8| is_pair && *number < end)
        };
        let parsed = text.split_once(':').and_then(|(hour, minute)| Some((number(hour, 24)?, number(minute, 60)?)));
        let wrong = || Invalid::new("time", format!("{text:?} is not a time of day such as 08:30"));
        let (hour, minute) = parsed.ok_or_else(wrong)?;
        Ok(Self { hour, minute })
    }
}

impl From<Hour> for String {
    fn from(hour: Hour) -> Self {
        hour.to_string()
    }
}

impl fmt::Display for Hour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.hour, self.minute)
    }
}

impl fmt::Display for IcmpType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for CtState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Invalid => "invalid",
            Self::Established => "established",
            Self::Related => "related",
            Self::New => "new",
            Self::Untracked => "untracked",
        })
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Monday => "\"Monday\"",
            Self::Tuesday => "\"Tuesday\"",
            Self::Wednesday => "\"Wednesday\"",
            Self::Thursday => "\"Thursday\"",
            Self::Friday => "\"Friday\"",
            Self::Saturday => "\"Saturday\"",
            Self::Sunday => "\"Sunday\"",
        })
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rate, per, burst, over } = self;
        let per = match per {
            Per::Second => "second",
            Per::Minute => "minute",
            Per::Hour => "hour",
            Per::Day => "day",
        };
        write!(f, "limit rate {}{rate}/{per} burst {burst} packets", if *over { "over " } else { "" })
    }
}
