//! Named sets and maps.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;
use std::str::FromStr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::spec::Family;
use super::words::PortRange;
use crate::policy::Invalid;

/// The name of a set or a map.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SetName(String);

/// What the elements of a set or the keys of a map are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ElementType {
    Ipv4Addr,
    Ipv6Addr,
    InetService,
}

/// What the values of a map are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ValueType {
    Ipv4Addr,
    Ipv6Addr,
    InetService,
    Verdict,
}

/// An element: a number, or all from the first to the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Interval {
    first: u128,
    last: u128,
}

/// A named set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WrittenSet", into = "WrittenSet")]
pub struct Set {
    pub name: SetName,
    pub element_type: ElementType,
    /// Sorted; neither overlapping, nor adjoining where there is more than single values.
    elements: Vec<Interval>,
    /// Whether packets add elements.
    pub dynamic: bool,
    /// In seconds.
    pub timeout: Option<NonZeroU32>,
}

/// A set as it is asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct WrittenSet {
    pub name: String,
    pub element_type: ElementType,
    #[serde(default)]
    pub elements: Vec<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dynamic: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u32>,
}

/// A named map.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WrittenMap", into = "WrittenMap")]
pub struct Map {
    pub name: SetName,
    pub key_type: ElementType,
    pub value_type: ValueType,
    /// Sorted by key; keys do not overlap.
    elements: Vec<(Interval, String)>,
}

/// A map as it is asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct WrittenMap {
    pub name: String,
    pub key_type: ElementType,
    pub value_type: ValueType,
    #[serde(default)]
    pub elements: Vec<(String, String)>,
}

impl SetName {
    /// What the kernel takes, without its NUL.
    const LONGEST: usize = 31;
}

impl ElementType {
    /// Its name in nft(8).
    pub fn name(self) -> &'static str {
        match self {
            Self::Ipv4Addr => "ipv4_addr",
            Self::Ipv6Addr => "ipv6_addr",
            Self::InetService => "inet_service",
        }
    }

    /// The family of its addresses; `None`: it has none.
    pub fn family(self) -> Option<Family> {
        match self {
            Self::Ipv4Addr => Some(Family::V4),
            Self::Ipv6Addr => Some(Family::V6),
            Self::InetService => None,
        }
    }

    /// The type of this name in nft(8), if a policy may ask for it.
    pub(super) fn named(name: &str) -> Option<Self> {
        [Self::Ipv4Addr, Self::Ipv6Addr, Self::InetService].into_iter().find(|known| known.name() == name)
    }

    pub(super) fn interval(self, text: &str) -> Result<Interval, Invalid> {
        let parsed = match self {
            Self::InetService => text.parse::<PortRange>().ok().map(Interval::from),
            Self::Ipv4Addr | Self::Ipv6Addr => {
                addresses(text).filter(|(family, _)| self.family() == Some(*family)).map(|(_, interval)| interval)
            }
        };
        parsed.ok_or_else(|| Invalid::new("elements", format!("{text:?} is no element of type {}", self.name())))
    }

    /// An element of a set, or one of a map with its value, as nft(8) reads it: `22`, `22 : accept`.
    pub(super) fn element(self, key: Interval, value: Option<&str>) -> String {
        match value {
            Some(value) => format!("{} : {value}", self.show(key)),
            None => self.show(key),
        }
    }

    /// An interval in the shortest form that nft(8) reads.
    fn show(self, Interval { first, last }: Interval) -> String {
        let one = |number: u128| match self {
            Self::Ipv4Addr => Ipv4Addr::from(u32::try_from(number).unwrap_or(u32::MAX)).to_string(),
            Self::Ipv6Addr => Ipv6Addr::from(number).to_string(),
            Self::InetService => number.to_string(),
        };
        if first == last { one(first) } else { format!("{}-{}", one(first), one(last)) }
    }
}

impl ValueType {
    /// Its name in nft(8).
    pub fn name(self) -> &'static str {
        match self {
            Self::Ipv4Addr => "ipv4_addr",
            Self::Ipv6Addr => "ipv6_addr",
            Self::InetService => "inet_service",
            Self::Verdict => "verdict",
        }
    }

    /// The type of this name in nft(8), if a policy may ask for it.
    pub(super) fn named(name: &str) -> Option<Self> {
        let all = [Self::Ipv4Addr, Self::Ipv6Addr, Self::InetService, Self::Verdict];
        all.into_iter().find(|known| known.name() == name)
    }

    pub(super) fn value(self, text: &str) -> Result<String, Invalid> {
        let parsed = match self {
            Self::Ipv4Addr => text.parse::<Ipv4Addr>().ok().map(|address| address.to_string()),
            Self::Ipv6Addr => text.parse::<Ipv6Addr>().ok().map(|address| address.to_string()),
            Self::InetService => text.parse::<std::num::NonZeroU16>().ok().map(|port| port.to_string()),
            Self::Verdict => ["accept", "drop"].contains(&text).then(|| text.to_owned()),
        };
        parsed.ok_or_else(|| Invalid::new("elements", format!("{text:?} is no value of type {}", self.name())))
    }
}

/// An address, a prefix without host bits, or a range of addresses.
fn addresses(text: &str) -> Option<(Family, Interval)> {
    let interval = |first: IpAddr, last: IpAddr| Interval { first: number(first), last: number(last) };
    if let Some((first, last)) = text.split_once('-') {
        let (first, last) = (first.parse::<IpAddr>().ok()?, last.parse::<IpAddr>().ok()?);
        let is_range = first.is_ipv4() == last.is_ipv4() && first <= last;
        return is_range.then(|| (Family::of(first), interval(first, last)));
    }
    let prefix = text.parse::<IpAddr>().map(IpNet::from).or_else(|_| text.parse::<IpNet>()).ok()?;
    (prefix == prefix.trunc()).then(|| (Family::of(prefix.addr()), interval(prefix.network(), prefix.broadcast())))
}

/// An address as a number, which sorts as addresses of its family do.
pub(super) fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u32::from(address).into(),
        IpAddr::V6(address) => address.into(),
    }
}

impl Set {
    /// Whether the number of an address or port is one of its elements.
    pub fn contains(&self, number: u128) -> bool {
        let after = self.elements.partition_point(|interval| interval.first <= number);
        after.checked_sub(1).and_then(|at| self.elements.get(at)).is_some_and(|interval| number <= interval.last)
    }

    /// Its elements as nft(8) reads them, sorted.
    pub fn elements(&self) -> impl Iterator<Item = String> {
        self.elements.iter().map(|interval| self.element_type.show(*interval))
    }

    /// Whether it holds more than single values: the kernel looks those up faster, and takes one more at once.
    pub fn has_intervals(&self) -> bool {
        self.elements.iter().any(Interval::is_range)
    }
}

impl Interval {
    fn is_range(&self) -> bool {
        self.first != self.last
    }
}

impl Map {
    /// Its elements as nft(8) reads them, sorted by key: `22 : accept`.
    pub fn elements(&self) -> impl Iterator<Item = String> {
        self.elements.iter().map(|(key, value)| self.key_type.element(*key, Some(value)))
    }

    /// Whether its keys are more than single values.
    pub fn has_intervals(&self) -> bool {
        self.elements.iter().any(|(key, _)| key.is_range())
    }
}

impl TryFrom<WrittenSet> for Set {
    type Error = Invalid;

    fn try_from(written: WrittenSet) -> Result<Self, Invalid> {
        let WrittenSet { name, element_type, elements, dynamic, timeout } = written;
        let mut elements: Vec<_> = elements.iter().map(|text| element_type.interval(text)).collect::<Result<_, _>>()?;
        if dynamic && let Some(interval) = elements.iter().find(|interval| interval.is_range()) {
            let reason = format!("{} is an interval, which a dynamic set cannot hold", element_type.show(*interval));
            return Err(Invalid::new("elements", reason));
        }
        elements.sort();
        // Single values are left alone: they make a set that is quicker to look up and to change.
        if elements.iter().any(Interval::is_range) {
            elements = joined(elements);
        }
        elements.dedup();
        let timeout = match timeout {
            Some(_) if !dynamic => return Err(Invalid::new("timeout", "is for a dynamic set only")),
            Some(seconds) => {
                Some(NonZeroU32::new(seconds).ok_or_else(|| Invalid::new("timeout", "must be at least 1 second"))?)
            }
            None => None,
        };
        Ok(Self { name: name.try_into()?, element_type, elements, dynamic, timeout })
    }
}

/// Those that overlap or adjoin as one; the kernel joins them anyway.
fn joined(sorted: Vec<Interval>) -> Vec<Interval> {
    let mut joined: Vec<Interval> = Vec::with_capacity(sorted.len());
    for interval in sorted {
        match joined.last_mut() {
            Some(last) if interval.first <= last.last.saturating_add(1) => last.last = last.last.max(interval.last),
            _ => joined.push(interval),
        }
    }
    joined
}

impl From<Set> for WrittenSet {
    fn from(set: Set) -> Self {
        Self {
            elements: set.elements().collect(),
            name: set.name.0,
            element_type: set.element_type,
            dynamic: set.dynamic,
            timeout: set.timeout.map(NonZeroU32::get),
        }
    }
}

impl TryFrom<WrittenMap> for Map {
    type Error = Invalid;

    fn try_from(written: WrittenMap) -> Result<Self, Invalid> {
        let WrittenMap { name, key_type, value_type, elements } = written;
        let element = |(key, value): &(String, String)| Ok((key_type.interval(key)?, value_type.value(value)?));
        let mut elements: Vec<_> = elements.iter().map(element).collect::<Result<_, Invalid>>()?;
        elements.sort();
        let overlapping = elements.windows(2).find_map(|pair| match pair {
            [(first, _), (second, _)] if second.first <= first.last => Some((*first, *second)),
            _ => None,
        });
        if let Some((first, second)) = overlapping {
            let reason = format!("the keys {} and {} overlap", key_type.show(first), key_type.show(second));
            return Err(Invalid::new("elements", reason));
        }
        Ok(Self { name: name.try_into()?, key_type, value_type, elements })
    }
}

impl From<Map> for WrittenMap {
    fn from(map: Map) -> Self {
        let element = |(key, value): (Interval, String)| (map.key_type.show(key), value);
        Self {
            name: map.name.0,
            key_type: map.key_type,
            value_type: map.value_type,
            elements: map.elements.into_iter().map(element).collect(),
        }
    }
}

impl From<PortRange> for Interval {
    fn from(range: PortRange) -> Self {
        let (first, last) = range.ends();
        Self { first: first.into(), last: last.into() }
    }
}

impl FromStr for SetName {
    type Err = Invalid;

    fn from_str(name: &str) -> Result<Self, Invalid> {
        let starts = name.starts_with(|c: char| c.is_ascii_alphabetic());
        let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        if starts && name.len() <= Self::LONGEST && name.chars().all(letter) {
            return Ok(Self(name.to_owned()));
        }
        let reason = format!("{name:?} is not the name of a set: 1 to 31 letters, digits, `_` and `-`, a letter first");
        Err(Invalid::new("name", reason))
    }
}

impl TryFrom<String> for SetName {
    type Error = Invalid;

    fn try_from(name: String) -> Result<Self, Invalid> {
        name.parse()
    }
}

impl From<SetName> for String {
    fn from(name: SetName) -> Self {
        name.0
    }
}

impl fmt::Display for SetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
