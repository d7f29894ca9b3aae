//! Sizes, as the operator reads them: `4.7 MiB`.

/// From bytes, rounded down.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if count < 1024 {
        return format!("{count} B");
    }
    let power = (count.ilog2() / 10).min(4);
    let unit = UNITS.get(power as usize - 1).copied().unwrap_or_default();
    let tenths = u128::from(count) * 10 / (1 << (10 * power));
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn bytes_are_rounded_down() {
        let said = [0, 1023, 1024, 1536, (1 << 20) - 1, 1 << 20, 5 << 40, u64::MAX].map(bytes);
        assert_eq!(said, ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "1023.9 KiB", "1.0 MiB", "5.0 TiB", "16777215.9 TiB"]);
    }
}
