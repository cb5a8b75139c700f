//! Parses integers in text.

use std::ops::Range;

/// The number of digits that are parsed at once.
const PART: usize = 8;

/// Parses a decimal 64-bit integer with an optional minus sign. Plus signs and spaces are rejected.
#[inline]
pub(super) fn parse(text: &[u8], place: Range<usize>) -> Option<i64> {
    let digits = place.len();
    let number = match digits {
        1..=8 => last_digits(text, place.end, digits),
        9..=16 => {
            let low = last_digits(text, place.end, PART);
            let high = last_digits(text, place.end - PART, digits - PART);
            low.zip(high).map(|(low, high)| high * 100_000_000 + low)
        }
        _ => None,
    };
    number.or_else(|| parse_any(text.get(place)?))
}

/// Parses the last one to eight bytes before `end` as a number; `None` if one is not a digit, or if there are fewer
/// than eight bytes before `end`.
///
/// Source: Johnny Lee, "Fast numeric string to int" (the eight digits of a word are added pair by pair).
fn last_digits(text: &[u8], end: usize, digits: usize) -> Option<i64> {
    let (_, word) = text.get(..end)?.split_last_chunk::<PART>()?;
    // Digits become 0 to 9, and the bytes before them become zero.
    let word =
        (u64::from_le_bytes(*word) ^ 0x3030_3030_3030_3030) & (u64::MAX << (u64::BITS as usize - 8 * digits));
    let others = (word.wrapping_add(0x7676_7676_7676_7676) | word) & 0x8080_8080_8080_8080;
    if others != 0 {
        return None;
    }
    let pairs = word * 10 + (word >> 8);
    let odd = (pairs & 0xff_0000_00ff).wrapping_mul(100 + (1_000_000 << 32));
    let even = ((pairs >> 16) & 0xff_0000_00ff).wrapping_mul(1 + (10_000 << 32));
    Some((odd.wrapping_add(even) >> 32) as i64)
}

fn parse_any(text: &[u8]) -> Option<i64> {
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
    use proptest::prelude::*;

    use super::*;

    /// Parses the text on its own and inside another text.
    fn read(text: &str) -> Option<i64> {
        let alone = parse(text.as_bytes(), 0..text.len());
        let within = format!("11111111111111111 {text} 1");
        assert_eq!(parse(within.as_bytes(), 18..18 + text.len()), alone, "{text}");
        alone
    }

    #[test]
    fn only_64_bit_integers_are_parsed() {
        for number in [0, 7, -1, 1_772_323_200, 999_999_999_999_999_999, i64::MAX, i64::MIN] {
            assert_eq!(read(&number.to_string()), Some(number));
        }
        assert_eq!(read("0000000000000000000000007"), Some(7));
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
            assert_eq!(read(other), None, "{other}");
        }
        assert_eq!(parse(b"12345678", 3..9), None);
    }

    proptest! {
        #[test]
        fn integers_of_any_length_are_parsed(number: i64, shift in 0..63_u32) {
            let number = number >> shift;
            prop_assert_eq!(read(&number.to_string()), Some(number));
        }

        #[test]
        fn parser_agrees_with_the_standard_library(text in "[-0-9:/ a]{0,20}") {
            prop_assert_eq!(read(&text), text.parse().ok());
        }
    }
}
