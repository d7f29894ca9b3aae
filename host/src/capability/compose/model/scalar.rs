//! Numbers and durations as the plugin prints them.

use std::time::Duration;

use serde::{Deserialize, Deserializer};

#[derive(Deserialize)]
#[serde(untagged)]
enum Form {
    Integer(i64),
    Float(f64),
    Text(String),
}

/// A number that may be printed as text: `67108864`, `"67108864"`.
pub(super) fn integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    use serde::de::Error;
    match Form::deserialize(deserializer)? {
        Form::Integer(number) => Ok(Some(number)),
        Form::Text(text) => text.parse().map(Some).map_err(D::Error::custom),
        Form::Float(number) => Err(D::Error::custom(format!("{number} is not a whole number"))),
    }
}

/// A mode of a file: a number, or octal digits as text.
pub(super) fn mode<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    use serde::de::Error;
    match Form::deserialize(deserializer)? {
        Form::Integer(number) => u32::try_from(number).map(Some).map_err(D::Error::custom),
        Form::Text(text) => u32::from_str_radix(&text, 8).map(Some).map_err(D::Error::custom),
        Form::Float(number) => Err(D::Error::custom(format!("{number} is not a mode"))),
    }
}

/// How many, with `all` as -1.
pub(super) fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    use serde::de::Error;
    match Form::deserialize(deserializer)? {
        Form::Integer(number) => Ok(Some(number)),
        Form::Text(text) if text.eq_ignore_ascii_case("all") => Ok(Some(-1)),
        Form::Text(text) => text.parse().map(Some).map_err(D::Error::custom),
        Form::Float(number) => Err(D::Error::custom(format!("{number} is not a whole number"))),
    }
}

/// Processors in billionths, from `0.5` or `"0.5"`. The plugin counts numbers in single precision and texts in double,
/// and what it rounds is what its containers get.
pub(super) fn nano_cpus<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    use serde::de::Error;
    #[expect(clippy::cast_possible_truncation, reason = "a float saturates here")]
    Ok(Some(match Form::deserialize(deserializer)? {
        Form::Integer(number) => number.saturating_mul(1_000_000_000),
        Form::Float(number) => (number as f32 * 1e9) as i64,
        Form::Text(text) => (text.parse::<f64>().map_err(D::Error::custom)? * 1e9) as i64,
    }))
}

/// A duration as Go prints it: `1m30s`, `500ms`, `1h0m0s`.
pub(super) fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    use serde::de::Error;
    let text = String::deserialize(deserializer)?;
    span(&text).map(Some).ok_or_else(|| D::Error::custom(format!("{text:?} is not a duration")))
}

/// See [`duration`].
pub(super) fn span(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let number = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (value, after) = rest.split_at(number);
        let unit = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(unit);
        seconds += value.parse::<f64>().ok()? * in_seconds(unit)?;
        rest = after;
    }
    Duration::try_from_secs_f64(seconds).ok()
}

fn in_seconds(unit: &str) -> Option<f64> {
    Some(match unit {
        "w" => 604_800.0,
        "d" => 86_400.0,
        "h" => 3600.0,
        "m" => 60.0,
        "s" => 1.0,
        "ms" => 1e-3,
        "us" | "µs" => 1e-6,
        "ns" => 1e-9,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_durations_of_go() {
        assert_eq!(span("1m30s"), Some(Duration::from_secs(90)));
        assert_eq!(span("1h0m0.5s"), Some(Duration::from_millis(3_600_500)));
        assert_eq!(span("500ms"), Some(Duration::from_millis(500)));
        for wrong in ["1", "s", "1x", "-1s", "1..s"] {
            assert_eq!(span(wrong), None, "{wrong}");
        }
    }
}
