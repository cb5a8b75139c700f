//! What counts against the limit of a bucket policy: its JSON without the whitespace between values.

/// The largest bucket policy, in bytes of compact JSON.
///
/// Source: "Amazon S3 endpoints and quotas" says 20 KB and not how it counts. That the limit is 20,480 bytes after the
/// unnecessary whitespace is taken out is what users measured.
pub const LIMIT: usize = 20_480;

/// The bytes that form `auto` leaves free, because AWS does not publish how it counts.
pub const AUTO_MARGIN: usize = 480;

/// The bytes that a JSON text takes without whitespace between its values.
pub fn compact_len(text: &str) -> usize {
    let mut inside = false;
    let mut escaped = false;
    text.bytes().filter(|&byte| keep(byte, &mut inside, &mut escaped)).count()
}

/// A JSON text without whitespace between its values. Nothing else changes: neither escapes nor order.
pub fn compact(text: &str) -> String {
    let mut inside = false;
    let mut escaped = false;
    text.chars().filter(|&c| keep(u8::try_from(c).unwrap_or(b'x'), &mut inside, &mut escaped)).collect()
}

fn keep(byte: u8, inside: &mut bool, escaped: &mut bool) -> bool {
    if *inside {
        match byte {
            _ if *escaped => *escaped = false,
            b'\\' => *escaped = true,
            b'"' => *inside = false,
            _ => {}
        }
        return true;
    }
    *inside = byte == b'"';
    !matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whitespace_between_values_goes() {
        let text = "{ \"a b\" : [ \"c\\\" d\",\n 1 , \"é \\\\\" ] }";
        assert_eq!(compact(text), "{\"a b\":[\"c\\\" d\",1,\"é \\\\\"]}");
        assert_eq!(compact_len(text), compact(text).len());
    }
}
