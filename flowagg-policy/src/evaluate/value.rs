//! Parses the numbers, dates, addresses and bytes that conditions compare.
//!
//! Source: "IAM JSON policy elements: Condition operators" (IAM User Guide).

use std::cmp::Ordering;
use std::net::IpAddr;

use jiff::civil::{Date, date};

/// Midnight of this day is the start of epoch seconds.
const EPOCH: Date = date(1970, 1, 1);

/// An integer or decimal. Integers are compared exactly because a float cannot represent all of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Number {
    float: f64,
    whole: Option<i128>,
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self.whole, other.whole) {
            (Some(this), Some(other)) => Some(this.cmp(&other)),
            _ => self.float.partial_cmp(&other.float),
        }
    }
}

/// Parses an integer or decimal.
pub(super) fn number(text: &str) -> Option<Number> {
    let plain = !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e' | b'E'));
    let float = plain.then(|| text.parse().ok()).flatten()?;
    Some(Number { float, whole: text.parse().ok() })
}

/// Parses a W3C form of ISO 8601, or epoch seconds, to nanoseconds since 1970.
pub(super) fn instant(text: &str) -> Option<i128> {
    const SECOND: i128 = 1_000_000_000;
    if text.len() != 4 && !text.get(1..).unwrap_or_default().contains('-') && !text.contains(':') {
        let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
        let sign = if seconds.starts_with('-') { -1 } else { 1 };
        return Some(seconds.parse::<i64>().map(i128::from).ok()? * SECOND + sign * nanoseconds(fraction)?);
    }
    let (date, time) = text.split_once(['T', 't']).map_or((text, None), |(date, time)| (date, Some(time)));
    let mut parts = date.split('-');
    let year = digits(parts.next()?, 4)?;
    let month = parts.next().map_or(Some(1), |text| digits(text, 2))?;
    let day = parts.next().map_or(Some(1), |text| digits(text, 2))?;
    if parts.next().is_some() {
        return None;
    }
    let date = Date::new(year.try_into().ok()?, month.try_into().ok()?, day.try_into().ok()?).ok()?;
    let midnight = date.duration_since(EPOCH).as_nanos();
    let Some(time) = time else { return Some(midnight) };
    let offset = time.find(['Z', 'z', '+', '-']).and_then(|at| time.split_at_checked(at));
    let (clock, offset) = match offset {
        Some((clock, offset)) => (clock, offset_seconds(offset)?),
        None => (time, 0),
    };
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let mut parts = clock.split(':');
    let hour = digits(parts.next()?, 2)?;
    let minute = digits(parts.next()?, 2)?;
    let second = parts.next().map_or(Some(0), |text| digits(text, 2))?;
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let seconds = hour * 3600 + minute * 60 + second - offset;
    Some(midnight + i128::from(seconds) * SECOND + nanoseconds(fraction)?)
}

fn digits(text: &str, count: usize) -> Option<i64> {
    (text.len() == count && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

/// Parses the digits after the decimal point; digits after the ninth are ignored.
fn nanoseconds(fraction: &str) -> Option<i128> {
    if !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    format!("{fraction:0<9}").get(..9)?.parse().ok()
}

fn offset_seconds(text: &str) -> Option<i64> {
    if matches!(text, "Z" | "z") {
        return Some(0);
    }
    let (hours, minutes) = text.get(1..)?.split_once(':').or_else(|| text.get(1..)?.split_at_checked(2))?;
    let seconds = digits(hours, 2)? * 3600 + digits(minutes, 2)? * 60;
    Some(if text.starts_with('-') { -seconds } else { seconds })
}

/// An address range; a single address is a range of one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Range {
    first: u128,
    bits: u32,
    is_v4: bool,
}

impl Range {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (address, length) =
            text.split_once('/').map_or((text, None), |(address, length)| (address, Some(length)));
        let address: IpAddr = address.parse().ok()?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let length =
            length.map_or(Some(width), |length| length.parse().ok().filter(|length| *length <= width))?;
        let (first, is_v4) = bits_of(address);
        Some(Self { first, bits: width - length, is_v4 })
    }

    pub(super) fn holds(self, address: IpAddr) -> bool {
        let (bits, is_v4) = bits_of(address);
        is_v4 == self.is_v4 && (bits ^ self.first).checked_shr(self.bits).unwrap_or(0) == 0
    }
}

fn bits_of(address: IpAddr) -> (u128, bool) {
    match address {
        IpAddr::V4(address) => (u128::from(u32::from(address)), true),
        IpAddr::V6(address) => (u128::from(address), false),
    }
}

/// Decodes a Base64 text.
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=');
    if text.len() - digits.len() > 2 || !text.len().is_multiple_of(4) {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut held) = (0_u32, 0);
    for digit in digits.bytes() {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from((bits >> held) & 0xff).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_parsed_in_all_documented_forms() {
        let second = |text: &str| instant(text).map(|nanoseconds| nanoseconds / 1_000_000_000);
        for (text, seconds) in [
            ("1970", 0),
            ("1970-01", 0),
            ("1970-01-02", 86_400),
            ("1900-03-01", -2_203_891_200),
            ("9999-12-31", 253_402_214_400),
            ("2020-02-29T12:30Z", 1_582_979_400),
            ("2020-02-29T12:30:15.5Z", 1_582_979_415),
            ("2020-02-29T14:30:15+02:00", 1_582_979_415),
            ("2030-01-01T00:00:00Z", 1_893_456_000),
            ("1582979415", 1_582_979_415),
            ("-5", -5),
        ] {
            assert_eq!(second(text), Some(seconds), "{text}");
        }
        for bad in [
            "",
            "2020-13",
            "2020-02-30",
            "1900-02-29",
            "2020-04-31",
            "2020-00",
            "2020-01-00",
            "2020-02-29T25:00Z",
            "yesterday",
            "2020-2-1",
            "2020-02-29T12",
        ] {
            assert_eq!(instant(bad), None, "{bad}");
        }
        assert!(instant("2020-01-01T00:00:00.1Z") > instant("2020-01-01T00:00:00.0999Z"));
    }

    #[test]
    fn ranges_match_ipv4_and_ipv6_addresses() {
        let holds = |range: &str, address: &str| Range::parse(range).unwrap().holds(address.parse().unwrap());
        assert!(holds("10.0.0.0/8", "10.255.0.1") && !holds("10.0.0.0/8", "11.0.0.1"));
        assert!(holds("0.0.0.0/0", "255.1.1.1") && !holds("0.0.0.0/0", "::1"));
        assert!(holds("2001:db8::/32", "2001:db8::7") && holds("::/0", "ffff::"));
        assert!(holds("192.0.2.1", "192.0.2.1") && !holds("192.0.2.1", "192.0.2.2"));
        for bad in ["", "10.0.0.0/33", "10.0.0", "10.0.0.0/", "::/129"] {
            assert!(Range::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn numbers_and_base64_are_parsed() {
        assert_eq!(number("1.20").partial_cmp(&number("1.2")), Some(Ordering::Equal));
        assert_eq!(number("1.0").partial_cmp(&number("1")), Some(Ordering::Equal));
        assert!(number("9007199254740993") > number("9007199254740992"));
        assert_eq!([number("inf"), number("NaN"), number(""), number("1,2")], [None; 4]);
        assert_eq!(base64("QmluYXJ5VmFsdWVJbkJhc2U2NA==").unwrap(), b"BinaryValueInBase64");
        assert_eq!([base64("Q"), base64("Q==="), base64("Q?==")], [None, None, None]);
    }
}
