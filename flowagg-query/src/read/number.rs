//! Integers in text.

/// Reads a decimal integer of 64 bits, with a minus sign or without. Nothing else is accepted: no plus, no spaces.
pub(super) fn parse(text: &[u8]) -> Option<i64> {
    // Eighteen digits always fit.
    if text.len() <= 18 && !text.is_empty() && text[0] != b'-' {
        let mut number = 0_i64;
        for &byte in text {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                return None;
            }
            number = number * 10 + i64::from(digit);
        }
        return Some(number);
    }
    let (sign, digits) = match text.split_first()? {
        (b'-', digits) => (-1, digits),
        _ => (1, text),
    };
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_i64, |number, byte| {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number.checked_mul(10)?.checked_add(sign * i64::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn integers_of_64_bits_are_read_and_nothing_else() {
        for number in [0, 7, -1, 1_772_323_200, 999_999_999_999_999_999, i64::MAX, i64::MIN] {
            assert_eq!(parse(number.to_string().as_bytes()), Some(number));
        }
        assert_eq!(parse(b"0000000000000000000000007"), Some(7));
        for other in [
            "",
            "-",
            "+1",
            " 1",
            "1 ",
            "1.0",
            "1e3",
            "--1",
            "0x1",
            "9223372036854775808",
            "-9223372036854775809",
            "١",
        ] {
            assert_eq!(parse(other.as_bytes()), None, "{other}");
        }
    }
}
