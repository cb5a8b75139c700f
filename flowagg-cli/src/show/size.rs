//! Numbers of bytes.

/// `1.5 GB`: a number of bytes in the largest unit, of a thousand each.
pub(crate) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return format!("{bytes} bytes");
    }
    // A screen shows fewer digits than this number has.
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
    fn bytes_stand_in_their_largest_unit() {
        for (n, told) in
            [(0, "0 bytes"), (999, "999 bytes"), (1500, "1.5 KB"), (2_000_000_000_000_000, "2000.0 TB")]
        {
            assert_eq!(bytes(n), told);
        }
    }
}
