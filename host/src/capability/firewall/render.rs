//! The only place where the table becomes text for nft(8).
//!
//! It keeps to forms that nft reads back as it lists them, from 1.0.6 on; so no set of interface names with `*` and
//! no set after `ct original proto-dst`, which 1.0.6 lists as what it cannot read, and no prefixes that adjoin.

use std::fmt::{self, Write};
use std::net::IpAddr;

use ipnet::IpNet;

use super::ruleset::{Base, ChainBody, Hook, Line, Match, Ruleset, Then};
use super::spec::Traffic;
use super::words::{Ports, Prefixes};

/// One transaction that puts `table` in the place of stead's table, whether there is one or not. `delete` alone fails
/// on a table that is not there, and nft before 1.0.7 has no `destroy`: hence the first line.
pub(super) fn transaction(table: Option<&str>) -> String {
    format!("table inet stead\ndelete table inet stead\n{}", table.unwrap_or_default())
}

impl fmt::Display for Ruleset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "table inet stead {{")?;
        for (n, chain) in self.chains.iter().enumerate() {
            if n > 0 {
                writeln!(f)?;
            }
            write!(f, "{chain}")?;
        }
        writeln!(f, "}}")
    }
}

impl fmt::Display for ChainBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\tchain {} {{", self.name)?;
        if let Some(comment) = self.comment {
            writeln!(f, "\t\tcomment \"{comment}\"")?;
        }
        if let Some(Base { hook, policy }) = self.base {
            let (hook, priority) = place(hook);
            writeln!(f, "\t\ttype filter hook {hook} priority {priority}; policy {};", policy.name())?;
        }
        for line in &self.rules {
            writeln!(f, "\t\t{line}")?;
        }
        writeln!(f, "\t}}")
    }
}

/// The guard comes after conntrack and before any translation of destinations.
fn place(hook: Hook) -> (&'static str, &'static str) {
    match hook {
        Hook::Prerouting => ("prerouting", "dstnat - 10"),
        Hook::Input => ("input", "filter"),
        Hook::Forward => ("forward", "filter"),
        Hook::Output => ("output", "filter"),
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for one in &self.matches {
            write!(f, "{one} ")?;
        }
        write!(f, "{}", self.then)?;
        match &self.comment {
            Some(comment) => write!(f, " comment \"{comment}\""),
            None => Ok(()),
        }
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

impl fmt::Display for Then {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Verdict(verdict) => write!(f, "{verdict}"),
            Self::Jump(chain) => write!(f, "jump {chain}"),
            Self::Return => f.write_str("return"),
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

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u32::from(address).into(),
        IpAddr::V6(address) => address.into(),
    }
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
