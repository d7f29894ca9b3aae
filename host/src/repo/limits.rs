//! `[policy.NAME.limits]`: how much of the machine a policy may take while it runs.

use std::time::Duration;

use serde::Deserialize;

/// How much of the machine a policy may take while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Of linear memory and tables together, in bytes: `"256MiB"`.
    #[serde(deserialize_with = "size")]
    pub memory: u64,
    /// Of time from its start to its end, waiting in calls of the host included: `"30s"`.
    #[serde(deserialize_with = "duration")]
    pub wall: Duration,
    /// Of time in which it computes: `"10s"`.
    #[serde(deserialize_with = "duration")]
    pub cpu: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { memory: 256 << 20, wall: Duration::from_secs(30), cpu: Duration::from_secs(10) }
    }
}

fn size<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    const UNITS: [(&str, u64); 3] = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];
    let text = String::deserialize(deserializer)?;
    let bytes = number(&text, &UNITS).filter(|bytes| (1 << 20..=4 << 30).contains(bytes));
    bytes.ok_or_else(|| serde::de::Error::custom(format!("{text:?} is not a size from \"1MiB\" to \"4GiB\"")))
}

fn duration<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    const UNITS: [(&str, u64); 3] = [("ms", 1), ("s", 1000), ("min", 60_000)];
    let text = String::deserialize(deserializer)?;
    let milliseconds = number(&text, &UNITS).filter(|ms| (1..=3_600_000).contains(ms));
    let wrong = || serde::de::Error::custom(format!("{text:?} is not a duration from \"1ms\" to \"60min\""));
    milliseconds.map(Duration::from_millis).ok_or_else(wrong)
}

/// A whole number with one of the units.
fn number(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let (_, factor) = units.iter().find(|(name, _)| *name == unit.trim_start())?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}
