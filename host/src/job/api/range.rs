//! `Range: bytes=…` as RFC 9110 has it, for one range: who asks for several gets all of it.

use std::ops::Range;

/// What a client is to get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    All,
    Part(Range<u64>),
    /// It begins beyond the end.
    Nothing,
}

/// Reads the header, for a file of this size. What is no range is ignored, as the RFC says.
pub(super) fn wanted(header: Option<&str>, size: u64) -> Wanted {
    let Some((first, last)) = header.and_then(ends) else { return Wanted::All };
    let range = match (first, last) {
        (Some(first), last) if last.is_none_or(|last| first <= last) => {
            first..last.map_or(size, |last| last.saturating_add(1)).min(size)
        }
        (None, Some(suffix)) => size.saturating_sub(suffix)..size,
        _ => return Wanted::All,
    };
    if range.is_empty() { Wanted::Nothing } else { Wanted::Part(range) }
}

fn ends(header: &str) -> Option<(Option<u64>, Option<u64>)> {
    let (first, last) = header.trim().strip_prefix("bytes=")?.split_once('-')?;
    let number = |text: &str| match text.trim() {
        "" => Some(None),
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok().map(Some),
        _ => None,
    };
    Some((number(first)?, number(last)?))
}

#[cfg(test)]
mod tests {
    use super::{Wanted, wanted};

    #[test]
    fn as_the_rfc_has_it() {
        let of_ten = |header| wanted(Some(header), 10);
        assert_eq!(wanted(None, 10), Wanted::All);
        assert_eq!(of_ten("bytes=0-0"), Wanted::Part(0..1));
        assert_eq!(of_ten("bytes=3-"), Wanted::Part(3..10));
        assert_eq!(of_ten("bytes=3-99"), Wanted::Part(3..10));
        assert_eq!(of_ten("bytes=-4"), Wanted::Part(6..10));
        assert_eq!(of_ten("bytes=-40"), Wanted::Part(0..10));
        assert_eq!(of_ten("bytes=10-"), Wanted::Nothing);
        assert_eq!(of_ten("bytes=-0"), Wanted::Nothing);
        for ignored in ["bytes=", "bytes=-", "bytes=5-4", "bytes=0-1,3-4", "lines=0-1", "bytes=a-b", "bytes=+1-2"] {
            assert_eq!(of_ten(ignored), Wanted::All, "{ignored}");
        }
        assert_eq!(wanted(Some("bytes=0-"), 0), Wanted::Nothing);
        assert_eq!(wanted(Some("bytes=0-18446744073709551615"), 10), Wanted::Part(0..10));
    }
}
