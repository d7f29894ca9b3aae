//! How much a policy may use, and what stops it when it uses more.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use wasmtime::ResourceLimiter;

/// The largest table of functions or references, in elements.
const TABLE: usize = 1_000_000;
/// Instances, tables and memories of one component, each. Guests in Python have dozens.
const PARTS: usize = 256;

/// `[policy.NAME.limits]`: what one run of a policy may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Of all its memories together: `"256 MiB"`.
    pub memory: ByteSize,
    /// How long it may compute: `"10 s"`.
    #[serde(with = "duration")]
    pub cpu: Duration,
    /// How long it may take, waiting included: `"30 s"`.
    #[serde(with = "duration")]
    pub wall: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { memory: ByteSize(256 << 20), cpu: Duration::from_secs(10), wall: Duration::from_secs(30) }
    }
}

/// A number of bytes, in words `64 KiB`, `256 MiB`, `2 GiB` or `1000 B`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

const SIZES: [(&str, u64); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];
const TIMES: [(&str, u64); 3] = [("min", 60_000), ("ms", 1), ("s", 1_000)];

/// A number and its unit.
fn measure(words: &str, units: &[(&str, u64)]) -> Option<u64> {
    let (unit, factor) = units.iter().find(|(unit, _)| words.ends_with(unit))?;
    let number: u64 = words.strip_suffix(unit)?.trim_end().parse().ok()?;
    number.checked_mul(*factor).filter(|product| *product > 0)
}

impl FromStr for ByteSize {
    type Err = String;

    fn from_str(words: &str) -> Result<Self, String> {
        let wrong = || format!("{words:?} is not a size such as \"256 MiB\": a whole number with B, KiB, MiB or GiB");
        measure(words, &SIZES).map(Self).ok_or_else(wrong)
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = |(_, factor): &&(&str, u64)| self.0 >= *factor && self.0.is_multiple_of(*factor);
        let (unit, factor) = SIZES.iter().find(fits).unwrap_or(&("B", 1));
        write!(f, "{} {unit}", self.0 / factor)
    }
}

impl Serialize for ByteSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ByteSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Durations in words: `500 ms`, `10 s`, `2 min`.
pub(crate) mod duration {
    use super::{Deserialize, Deserializer, Duration, Serializer, TIMES, measure};

    pub(crate) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{} ms", duration.as_millis()))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        let words = String::deserialize(deserializer)?;
        let wrong = || format!("{words:?} is not a time such as \"30 s\": a whole number with ms, s or min");
        measure(&words, &TIMES).map(Duration::from_millis).ok_or_else(|| serde::de::Error::custom(wrong()))
    }
}

/// A policy used more than it may; this is what ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Spent {
    #[error("its memory")]
    Memory,
    #[error("its tables")]
    Table,
    #[error("its computing time")]
    Cpu,
    #[error("the room for its log")]
    Log,
    #[error("the room for its calls")]
    Calls,
}

/// Counts what the instances of one policy use.
#[derive(Clone, Copy, Debug)]
pub(super) struct Meter {
    memory: u64,
    used: u64,
}

/// The state of a running policy, which has a meter.
pub(super) trait Metered: Send + 'static {
    fn meter(&mut self) -> &mut Meter;
}

impl Meter {
    pub(super) fn new(limits: Limits) -> Self {
        Self { memory: limits.memory.0, used: 0 }
    }
}

impl ResourceLimiter for Meter {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let used = self.used.saturating_add(desired.saturating_sub(current) as u64);
        if used > self.memory {
            // An error traps where the memory is asked for; a mere `false` would show as some later failure of the guest.
            return Err(Spent::Memory.into());
        }
        self.used = used;
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        if desired > TABLE { Err(Spent::Table.into()) } else { Ok(true) }
    }

    fn instances(&self) -> usize {
        PARTS
    }

    fn tables(&self) -> usize {
        PARTS
    }

    fn memories(&self) -> usize {
        PARTS
    }
}

#[cfg(test)]
mod tests {
    use super::{ByteSize, Limits};

    #[test]
    fn limits_are_words_with_units() -> anyhow::Result<()> {
        let limits: Limits = toml::from_str("memory = \"64MiB\"\nwall = \"2 min\"")?;
        assert_eq!(limits.memory.to_string(), "64 MiB");
        assert_eq!((limits.cpu.as_secs(), limits.wall.as_secs()), (10, 120));
        assert_eq!(toml::from_str::<Limits>(&toml::to_string(&limits)?)?, limits);
        for wrong in ["memory = \"64 MB\"", "memory = \"-1 B\"", "memory = 7", "cpu = \"0 s\"", "time = \"1 s\""] {
            assert!(toml::from_str::<Limits>(wrong).is_err(), "{wrong}");
        }
        assert!("99999999999 GiB".parse::<ByteSize>().is_err());
        Ok(())
    }
}
