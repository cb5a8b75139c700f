//! Formatting of byte counts.

/// Formats a number of bytes in the largest decimal unit: `1.5 GB`.
pub(crate) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return format!("{bytes} bytes");
    }
    // The output has fewer digits than the precision of this number.
    #[allow(clippy::cast_precision_loss, reason = "for a screen")]
    let mut amount = bytes as f64 / 1e3;
    let mut unit = 0;
    while amount >= 1000.0 && unit + 1 < UNITS.len() {
        amount /= 1e3;
        unit += 1;
    }
    format!("{amount:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_use_the_largest_unit() {
        for (n, expected) in
            [(0, "0 bytes"), (999, "999 bytes"), (1500, "1.5 KB"), (2_000_000_000_000_000, "2000.0 TB")]
        {
            assert_eq!(bytes(n), expected);
        }
    }
}
