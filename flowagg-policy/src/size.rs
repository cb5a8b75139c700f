//! The size of a bucket policy as S3 counts it: its JSON without whitespace between values.

/// The largest bucket policy, in bytes of compact JSON.
///
/// Source: "Amazon S3 endpoints and quotas" gives 20 KB, but not how it is counted. Users measured 20,480 bytes without
/// insignificant whitespace.
pub const LIMIT: usize = 20_480;

/// The bytes that form `auto` keeps free, because AWS does not publish how it counts.
pub const AUTO_MARGIN: usize = 480;

/// The size of a JSON text in bytes, without whitespace between its values.
pub fn compact_len(text: &str) -> usize {
    let mut inside = false;
    let mut escaped = false;
    text.bytes().filter(|&byte| keep(byte, &mut inside, &mut escaped)).count()
}

/// Removes the whitespace between the values of a JSON text. Escapes and order do not change.
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
    fn only_whitespace_between_values_is_removed() {
        let text = "{ \"a b\" : [ \"c\\\" d\",\n 1 , \"é \\\\\" ] }";
        assert_eq!(compact(text), "{\"a b\":[\"c\\\" d\",1,\"é \\\\\"]}");
        assert_eq!(compact_len(text), compact(text).len());
    }
}
