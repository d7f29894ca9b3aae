//! The only place where the table becomes text for nft(8).
//!
//! It keeps to forms that nft reads back as it lists them, from 1.0.6 on; so no set of interface names with `*` and
//! no set after `ct original proto-dst`, which 1.0.6 lists as what it cannot read, and no prefixes that adjoin.

use std::fmt::{self, Write};

use ipnet::IpNet;

use super::elements::filled;
use super::ruleset::{Base, ChainBody, Hook, Line, Match, Named, Ruleset, Then};
use super::set::{Map, Set, number};
use super::spec::{Family, Traffic};
use super::state::Table;
use super::words::{Ports, Prefixes};

/// One transaction that puts `table` in the place of stead's table, whether there is one or not. `delete` alone fails
/// on a table that is not there, and nft before 1.0.7 has no `destroy`: hence the first line.
pub(super) fn transaction(table: Option<&Table>) -> String {
    let table = table.map(|Table { text, elements }| filled(text, elements));
    format!("table inet stead\ndelete table inet stead\n{}", table.unwrap_or_default())
}

impl From<&Ruleset> for Table {
    fn from(ruleset: &Ruleset) -> Self {
        let fixed = |named: &Named| match named {
            Named::Set(set) if set.dynamic => None,
            Named::Set(set) => Some((set.name.to_string(), set.elements().collect())),
            Named::Map(map) => Some((map.name.to_string(), map.elements().collect())),
        };
        Self { text: ruleset.to_string(), elements: ruleset.named.iter().filter_map(fixed).collect() }
    }
}

/// Its sets and maps are empty.
impl fmt::Display for Ruleset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "table inet stead {{")?;
        let named = self.named.iter().map(ToString::to_string);
        let all: Vec<_> = named.chain(self.chains.iter().map(ToString::to_string)).collect();
        f.write_str(&all.join("\n"))?;
        writeln!(f, "}}")
    }
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Set(set) => named_set(f, set),
            Self::Map(map) => named_map(f, map),
        }
    }
}

fn named_set(f: &mut fmt::Formatter<'_>, set: &Set) -> fmt::Result {
    writeln!(f, "\tset {} {{\n\t\ttype {}", set.name, set.element_type.name())?;
    match (set.dynamic, set.timeout) {
        (false, _) if set.has_intervals() => writeln!(f, "\t\tflags interval")?,
        (false, _) => {}
        (true, None) => writeln!(f, "\t\tflags dynamic")?,
        (true, Some(seconds)) => writeln!(f, "\t\tflags dynamic,timeout\n\t\ttimeout {seconds}s")?,
    }
    writeln!(f, "\t}}")
}

fn named_map(f: &mut fmt::Formatter<'_>, map: &Map) -> fmt::Result {
    writeln!(f, "\tmap {} {{\n\t\ttype {} : {}", map.name, map.key_type.name(), map.value_type.name())?;
    if map.has_intervals() {
        writeln!(f, "\t\tflags interval")?;
    }
    writeln!(f, "\t}}")
}

impl fmt::Display for ChainBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\tchain {} {{", self.name)?;
        if let Some(comment) = self.comment {
            writeln!(f, "\t\tcomment \"{comment}\"")?;
        }
        if let Some(Base { hook, policy }) = self.base {
            let (place, policy) = (place(hook), policy.name());
            writeln!(f, "\t\ttype {place}; policy {policy};")?;
        }
        for line in &self.rules {
            writeln!(f, "\t\t{line}")?;
        }
        writeln!(f, "\t}}")
    }
}

/// The guard comes after conntrack and before any translation of destinations.
fn place(hook: Hook) -> &'static str {
    match hook {
        Hook::Guard => "filter hook prerouting priority dstnat - 10",
        Hook::Dstnat => "nat hook prerouting priority dstnat",
        Hook::Input => "filter hook input priority filter",
        Hook::Forward => "filter hook forward priority filter",
        Hook::Output => "filter hook output priority filter",
        Hook::Srcnat => "nat hook postrouting priority srcnat",
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words: Vec<_> = self.matches.iter().map(ToString::to_string).collect();
        if self.counter {
            words.push("counter".to_owned());
        }
        words.extend(self.log.as_ref().map(|prefix| format!("log prefix \"{prefix}\"")));
        words.extend(self.then.words());
        words.extend(self.comment.as_ref().map(|comment| format!("comment \"{comment}\"")));
        f.write_str(&words.join(" "))
    }
}

impl fmt::Display for Match {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InputInterface(name) => write!(f, "iifname \"{name}\""),
            Self::OutputInterface(name) => write!(f, "oifname \"{name}\""),
            Self::Source(prefixes) => write!(f, "{} saddr {}", family(prefixes), set(&ranges(prefixes))),
            Self::Destination(prefixes) => write!(f, "{} daddr {}", family(prefixes), set(&ranges(prefixes))),
            Self::Traffic(traffic) => self::traffic(f, traffic),
            Self::SourceSet(family, name) => write!(f, "{} saddr @{name}", ip(*family)),
            Self::DestinationSet(family, name) => write!(f, "{} daddr @{name}", ip(*family)),
            Self::PortSet(transport, name) => write!(f, "{} dport @{name}", transport.name()),
            Self::SourcePorts(transport, ports) => write!(f, "{} sport {}", transport.name(), set(ports.ranges())),
            Self::IcmpTypes(family, types) => {
                let name = if *family == Family::V4 { "icmp" } else { "icmpv6" };
                write!(f, "{name} type {}", set(&types.iter().collect::<Vec<_>>()))
            }
            Self::CtState(states) => {
                let states: Vec<_> = states.iter().map(ToString::to_string).collect();
                write!(f, "ct state {}", states.join(","))
            }
            Self::Mark(mark) => write!(f, "meta mark {mark:#x}"),
            Self::Days(days) => write!(f, "meta day {}", set(&days.iter().collect::<Vec<_>>())),
            Self::Hours(from, to) => write!(f, "meta hour \"{from}\"-\"{to}\""),
            Self::Limit(limit) => write!(f, "{limit}"),
            Self::Raw(rule) => write!(f, "{rule}"),
            Self::IcmpType(types) => write!(f, "icmp type {}", set(types)),
            Self::Icmpv6Type(types) => write!(f, "icmpv6 type {}", set(types)),
            Self::UdpFrom(port) => write!(f, "udp sport {port}"),
            Self::UdpTo(port) => write!(f, "udp dport {port}"),
            Self::ToLinkLocal => f.write_str("ip6 daddr fe80::/10"),
            Self::Established => f.write_str("ct state established,related"),
            Self::InvalidState => f.write_str("ct state invalid"),
            Self::NotLocal => f.write_str("fib daddr type != local"),
            Self::Translated => f.write_str("ct status dnat"),
            Self::OriginalPort(port) => write!(f, "ct original proto-dst {port}"),
        }
    }
}

impl Then {
    fn words(self) -> Option<String> {
        match self {
            Self::Verdict(verdict) => Some(verdict.to_string()),
            Self::Jump(chain) => Some(format!("jump {chain}")),
            Self::Goto(chain) => Some(format!("goto {chain}")),
            Self::Return => Some("return".to_owned()),
            Self::Raw => None,
        }
    }
}

fn traffic(f: &mut fmt::Formatter<'_>, traffic: &Traffic) -> fmt::Result {
    let ports = |f: &mut fmt::Formatter<'_>, name: &str, ports: &Ports| {
        if ports.is_any() {
            write!(f, "meta l4proto {name}")
        } else {
            write!(f, "{name} dport {}", set(ports.ranges()))
        }
    };
    match traffic {
        Traffic::Any => Ok(()),
        Traffic::Tcp(asked) => ports(f, "tcp", asked),
        Traffic::Udp(asked) => ports(f, "udp", asked),
        Traffic::Icmp => f.write_str("meta l4proto icmp"),
        Traffic::Icmpv6 => f.write_str("meta l4proto icmpv6"),
    }
}

/// All are of one family.
fn family(prefixes: &Prefixes) -> &'static str {
    if prefixes.as_slice().iter().all(|prefix| prefix.addr().is_ipv4()) { "ip" } else { "ip6" }
}

fn ip(family: Family) -> &'static str {
    match family {
        Family::V4 => "ip",
        Family::V6 => "ip6",
    }
}

/// The prefixes, those that adjoin as one range. The kernel joins them anyway, and a set of which one range is left is
/// listed as a set but read back as a range: undo would not lead back to the same listing.
fn ranges(prefixes: &Prefixes) -> Vec<String> {
    let mut ranges: Vec<(Vec<&IpNet>, u128)> = Vec::new();
    for prefix in prefixes.as_slice() {
        let (first, last) = (number(prefix.network()), number(prefix.broadcast()));
        match ranges.last_mut() {
            Some((joined, end)) if end.checked_add(1) == Some(first) => {
                joined.push(prefix);
                *end = last;
            }
            _ => ranges.push((vec![prefix], last)),
        }
    }
    let text = |(joined, _): &(Vec<&IpNet>, u128)| match joined.as_slice() {
        [first, .., last] => format!("{}-{}", first.network(), last.broadcast()),
        one => one.iter().map(ToString::to_string).collect(),
    };
    ranges.iter().map(text).collect()
}

fn set<T: fmt::Display>(elements: &[T]) -> String {
    if let [one] = elements {
        return one.to_string();
    }
    let mut text = "{ ".to_owned();
    for (n, element) in elements.iter().enumerate() {
        let _ = write!(text, "{}{element}", if n > 0 { ", " } else { "" });
    }
    text + " }"
}
