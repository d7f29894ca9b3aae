//! Reads the times that providers write: RFC 3339 in UTC.

/// Seconds since 1970 of `2016-11-15T12:00:00.000Z`; fractions do not matter.
pub(super) fn read(text: &str) -> Option<u64> {
    let number = |from, to| text.get(from..to)?.parse::<u64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if !text.ends_with('Z') && !text.ends_with("+00:00") {
        return None;
    }
    // Days since 1970 in the Gregorian calendar, with March as the first month of a year.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year.checked_sub(1)?, month + 9) };
    let days = (365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day).checked_sub(719_469)?;
    Some(days * 86_400 + hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        assert_eq!(read("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(read("2000-02-29T23:59:59.000Z"), Some(951_868_799));
        assert_eq!(read("2026-11-26T12:30:15+00:00"), Some(1_795_696_215));
        assert_eq!(read("2026-11-26T12:30:15+01:00"), None);
        assert_eq!(read("soon"), None);
    }
}
