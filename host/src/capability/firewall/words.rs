//! The words of a rule, each parsed once: interfaces, ports, prefixes, comments.

use std::fmt;
use std::num::NonZeroU16;
use std::str::FromStr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::policy::Invalid;

/// The name of a network interface, or with `*` at its end the beginning of names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Interface(String);

/// One port or a range of ports, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "WrittenPorts", into = "String")]
pub struct PortRange {
    first: NonZeroU16,
    last: NonZeroU16,
}

/// As ports are written in `stead.toml`: `22` or `"8000-8100"`.
#[derive(Deserialize)]
#[serde(untagged)]
enum WrittenPorts {
    One(u16),
    Text(String),
}

/// Ports, sorted, without overlap; none means all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<PortRange>")]
pub struct Ports(Vec<PortRange>);

/// Prefixes of both families, IPv4 first, without overlap; none means all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Prefixes(Vec<IpNet>);

/// A comment on a rule: one line that nft(8) can quote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Comment(String);

/// What begins a line in the kernel's log: as a comment, and without `$`, which nft(8) would replace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LogPrefix(Comment);

impl Interface {
    /// Longest name of an interface, in bytes (`IFNAMSIZ` without its NUL).
    const LONGEST: usize = 15;

    /// A name that stands in this source.
    pub(super) fn known(name: &'static str) -> Self {
        Self(name.to_owned())
    }

    /// Whether the interface of this name is meant.
    pub fn matches(&self, name: &str) -> bool {
        self.0.strip_suffix('*').map_or(self.0 == name, |beginning| name.starts_with(beginning))
    }

    /// The name as nft(8) writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Parses the argument of this name.
    ///
    /// # Errors
    /// When no interface can be called so.
    pub fn parse(argument: &'static str, name: &str) -> Result<Self, Invalid> {
        let beginning = name.strip_suffix('*').unwrap_or(name);
        let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '@' | ':' | '+');
        if !beginning.is_empty() && name.len() <= Self::LONGEST && beginning.chars().all(letter) {
            return Ok(Self(name.to_owned()));
        }
        Err(Invalid::new(argument, format!("{name:?} is not the name of an interface such as `eth0` or `wg*`")))
    }
}

impl PortRange {
    /// Parses a range given by its ends.
    ///
    /// # Errors
    /// When an end is 0 or they are the wrong way round.
    pub fn parse(first: u16, last: u16) -> Result<Self, Invalid> {
        match (NonZeroU16::new(first), NonZeroU16::new(last)) {
            (Some(first), Some(last)) if first <= last => Ok(Self { first, last }),
            _ => Err(Invalid::new("ports", format!("{first}-{last} is not a range of ports within 1 to 65535"))),
        }
    }

    /// Its first and its last port.
    pub fn ends(&self) -> (u16, u16) {
        (self.first.get(), self.last.get())
    }

    /// Whether every port of `other` is in this range.
    pub fn covers(&self, other: &Self) -> bool {
        self.first <= other.first && other.last <= self.last
    }

    /// As TOML: `22` or `"8000-8100"`.
    pub fn toml(&self) -> String {
        if self.first == self.last { self.to_string() } else { format!("\"{self}\"") }
    }
}

impl Ports {
    /// The ranges.
    pub fn ranges(&self) -> &[PortRange] {
        &self.0
    }

    /// Whether all ports are meant.
    pub fn is_any(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the port is meant.
    pub fn contains(&self, port: u16) -> bool {
        self.is_any() || self.0.iter().any(|range| range.first.get() <= port && port <= range.last.get())
    }
}

impl Prefixes {
    /// Parses the argument of this name.
    ///
    /// # Errors
    /// When one is neither an address nor a prefix without host bits.
    pub fn parse(argument: &'static str, prefixes: &[String]) -> Result<Self, Invalid> {
        let prefixes = prefixes.iter().map(|text| prefix(argument, text)).collect::<Result<Vec<_>, _>>()?;
        Ok(Self(IpNet::aggregate(&prefixes)))
    }

    /// Whether all addresses are meant.
    pub fn is_any(&self) -> bool {
        self.0.is_empty()
    }

    /// The prefixes.
    pub fn as_slice(&self) -> &[IpNet] {
        &self.0
    }

    /// Whether the address is meant.
    pub fn contains(&self, address: std::net::IpAddr) -> bool {
        self.is_any() || self.0.iter().any(|prefix| prefix.contains(&address))
    }
}

fn prefix(argument: &'static str, text: &str) -> Result<IpNet, Invalid> {
    if let Ok(address) = text.parse::<std::net::IpAddr>() {
        return Ok(address.into());
    }
    match text.parse::<IpNet>() {
        Ok(prefix) if prefix == prefix.trunc() => Ok(prefix),
        Ok(prefix) => {
            Err(Invalid::new(argument, format!("{text} has host bits: write {} or the address alone", prefix.trunc())))
        }
        Err(_) => Err(Invalid::new(argument, format!("{text:?} is not an address or prefix such as `10.0.0.0/8`"))),
    }
}

impl Comment {
    /// Longest comment, in bytes: nft(8) takes 128, and the name of the policy goes in front.
    const LONGEST: usize = 64;

    /// Parses the argument of this name.
    ///
    /// # Errors
    /// When it is not one line that nft(8) can quote.
    pub fn parse(argument: &'static str, text: String) -> Result<Self, Invalid> {
        if text.is_empty() || text.len() > Self::LONGEST || text.chars().any(|c| c.is_control() || c == '"') {
            return Err(Invalid::new(argument, "must be one line of 1 to 64 bytes without `\"`"));
        }
        Ok(Self(text))
    }
}

impl FromStr for PortRange {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let port = |text: &str| {
            text.parse()
                .map_err(|_| Invalid::new("ports", format!("{text:?} is not a port or range such as 8000-8100")))
        };
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        Self::parse(port(first)?, port(last)?)
    }
}

impl From<Vec<PortRange>> for Ports {
    fn from(mut ranges: Vec<PortRange>) -> Self {
        ranges.sort();
        let mut merged: Vec<PortRange> = Vec::new();
        for range in ranges {
            match merged.last_mut() {
                // nft(8) refuses a set whose ranges overlap.
                Some(last) if range.first.get() <= last.last.get().saturating_add(1) => {
                    last.last = last.last.max(range.last);
                }
                _ => merged.push(range),
            }
        }
        Self(merged)
    }
}

impl From<NonZeroU16> for PortRange {
    fn from(port: NonZeroU16) -> Self {
        Self { first: port, last: port }
    }
}

impl TryFrom<WrittenPorts> for PortRange {
    type Error = Invalid;

    fn try_from(written: WrittenPorts) -> Result<Self, Invalid> {
        match written {
            WrittenPorts::One(port) => Self::parse(port, port),
            WrittenPorts::Text(text) => text.parse(),
        }
    }
}

impl From<PortRange> for String {
    fn from(range: PortRange) -> Self {
        range.to_string()
    }
}

impl TryFrom<String> for Interface {
    type Error = Invalid;

    fn try_from(name: String) -> Result<Self, Invalid> {
        Self::parse("interface", &name)
    }
}

impl From<Interface> for String {
    fn from(interface: Interface) -> Self {
        interface.0
    }
}

impl TryFrom<Vec<String>> for Prefixes {
    type Error = Invalid;

    fn try_from(prefixes: Vec<String>) -> Result<Self, Invalid> {
        Self::parse("prefixes", &prefixes)
    }
}

impl From<Prefixes> for Vec<String> {
    fn from(prefixes: Prefixes) -> Self {
        prefixes.0.iter().map(ToString::to_string).collect()
    }
}

impl TryFrom<String> for Comment {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        Self::parse("comment", text)
    }
}

impl TryFrom<String> for LogPrefix {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        if text.contains('$') {
            return Err(Invalid::new("log", "must be without `$`"));
        }
        Ok(Self(Comment::parse("log", text)?))
    }
}

impl From<LogPrefix> for String {
    fn from(prefix: LogPrefix) -> Self {
        prefix.0.into()
    }
}

impl fmt::Display for LogPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<Comment> for String {
    fn from(comment: Comment) -> Self {
        comment.0
    }
}

impl fmt::Display for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Comment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last { write!(f, "{}", self.first) } else { write!(f, "{}-{}", self.first, self.last) }
    }
}

impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ranges: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&ranges.join(", "))
    }
}
