//! Numbers as JSON Schema has them: `7.0` is an integer, and one of 64 bits ends where those of the queue do.

use std::fmt::Display;

use serde::de::{Deserialize, Deserializer, Error};
use serde_json::Number;

/// An integer of a document.
pub(super) fn integer<'de, D: Deserializer<'de>, T: TryFrom<i64, Error: Display>>(from: D) -> Result<T, D::Error> {
    let number = Number::deserialize(from)?;
    // Above, a floating point number has no digits after the point that could be lost.
    let float = || number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 9e15).map(|float| float as i64);
    let integer = number.as_i64().or_else(float).ok_or_else(|| D::Error::custom(format!("{number} is no integer")))?;
    T::try_from(integer).map_err(D::Error::custom)
}

/// A number of a query that is not negative.
pub(super) fn natural<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    let number = u64::deserialize(from)?;
    if number > i64::MAX.unsigned_abs() { Err(D::Error::custom("the number is too large")) } else { Ok(number) }
}

/// The same, where it may be left out.
pub(super) fn maybe_natural<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    natural(from).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Document(#[serde(deserialize_with = "integer")] u32);

    #[test]
    fn an_integer_may_have_a_point() -> anyhow::Result<()> {
        for text in ["7", "7.0", "7e0", "0.7e1"] {
            assert_eq!(serde_json::from_str::<Document>(text)?, Document(7), "{text}");
        }
        for text in ["7.5", "-1", "4294967296", "1e300", "\"7\"", "null", "true"] {
            assert!(serde_json::from_str::<Document>(text).is_err(), "{text}");
        }
        Ok(())
    }
}
