//! Damaged and unusual objects: they never panic, and return either all of their rows or none with a reason.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use flowagg_core::flow_log::FileFormat;
use flowagg_query::object_store::memory::InMemory;
use flowagg_query::{FlowLogs, QueryError, ScanOptions};
use proptest::prelude::*;
use snapbox::{assert_data_eq, str};

use crate::bucket::{Home, Object, gzip, put};
use crate::run::{rows, session, sorted};

/// 2026-03-01T20:00:00Z.
const NAMED: i64 = 1_772_395_200;
const ALL: &str = "SELECT srcaddr, dstport, bytes, \"end\", action FROM vpc_flow_logs";

/// The rows of an object, or the reason why it was skipped.
async fn read(body: Vec<u8>, format: FileFormat) -> Result<Vec<Vec<Option<String>>>, String> {
    let store = std::sync::Arc::new(InMemory::new());
    put(&*store, &Home::PLAIN.key(NAMED, 0, format), body).await;
    let table = FlowLogs::new(store);
    let progress = table.progress();
    let rows = sorted(&session(table), ALL).await;
    match progress.skipped().as_slice() {
        [] => Ok(rows),
        [skipped] => {
            assert!(rows.is_empty(), "a broken object returned rows: {rows:?}");
            assert_eq!(progress.skipped_objects(), 1);
            Err(skipped.reason.to_string())
        }
        more => panic!("an object was skipped more than once: {more:?}"),
    }
}

async fn read_text(text: &str) -> Result<Vec<Vec<Option<String>>>, String> {
    read(gzip(text.as_bytes()), FileFormat::PlainText).await
}

async fn reason(text: &str) -> String {
    read_text(text).await.unwrap_err()
}

fn row(values: [&str; 5]) -> Vec<Option<String>> {
    values.map(|value| (value != "-").then(|| value.to_owned())).to_vec()
}

const HEADER: &str = "srcaddr dstport bytes end action";

#[tokio::test]
async fn unusual_line_ends_are_accepted() {
    let expected =
        Ok(vec![row(["10.0.0.1", "22", "7", "5", "ACCEPT"]), row(["10.0.0.2", "-", "-", "6", "-"])]);
    for text in [
        "\n10.0.0.1 22 7 5 ACCEPT\n10.0.0.2 - - 6 -\n",
        "\n10.0.0.1 22 7 5 ACCEPT\n10.0.0.2 - - 6 -",
        "\r\n10.0.0.1 22 7 5 ACCEPT\r\n10.0.0.2 - - 6 -\r\n",
        "\r\n10.0.0.1 22 7 5 ACCEPT\r\n10.0.0.2 - - 6 -",
        "\n10.0.0.1 22 7 5 ACCEPT\n\n\n10.0.0.2 - - 6 -\n\n",
    ] {
        assert_eq!(read_text(&format!("{HEADER}{text}")).await, expected, "{text:?}");
    }
}

#[tokio::test]
async fn object_without_records_has_no_rows() {
    for text in [HEADER.to_owned(), format!("{HEADER}\n"), format!("{HEADER}\r\n"), format!("{HEADER}\n\n")] {
        assert_eq!(read_text(&text).await, Ok(vec![]), "{text:?}");
    }
}

#[tokio::test]
async fn errors_are_reported_with_their_line() {
    let record = "10.0.0.1 22 7 5 ACCEPT";
    assert_data_eq!(reason("").await, str!["the object is empty"]);
    assert_data_eq!(reason("\n").await, str!["the object is empty"]);
    assert_data_eq!(reason(record).await, str!["the first line does not list fields of a flow log"]);
    assert_data_eq!(
        reason("2 123456789012 eni-1 - - - - - - - 1 2 - NODATA\n").await,
        str!["the first line does not list fields of a flow log"]
    );
    assert_data_eq!(
        reason("{\"Records\": []}\n").await,
        str!["the first line does not list fields of a flow log"]
    );
    assert_data_eq!(
        reason("some words\nmore words\n").await,
        str!["the first line does not list fields of a flow log"]
    );
    assert_data_eq!(reason("bytes end bytes\n1 2 3\n").await, str!["the header lists `bytes` twice"]);
    assert_data_eq!(
        reason(&format!("{HEADER}\n{record}\n{record} 1\n")).await,
        str!["line 3 does not have one value for each of the 5 fields"]
    );
    assert_data_eq!(
        reason(&format!("{HEADER}\n{record}\n\n10.0.0.1 22 7 5\n")).await,
        str!["line 4 does not have one value for each of the 5 fields"]
    );
    assert_data_eq!(
        reason(&format!("{HEADER}\n10.0.0.1  7 5 ACCEPT\n")).await,
        str!["line 2 does not have one value for each of the 5 fields"]
    );
    assert_data_eq!(
        reason(&format!("{HEADER}\n10.0.0.1 22 7 5 ACCEPT \n")).await,
        str!["line 2 does not have one value for each of the 5 fields"]
    );
    assert_data_eq!(
        reason(&format!("{HEADER}\n10.0.0.1\t22 7 5 ACCEPT\n")).await,
        str!["line 2 contains a control character"]
    );
    assert_data_eq!(
        reason(&format!("{HEADER}\n{record}\r\n10.0.0.1 22 x 5 ACCEPT\r\n")).await,
        str!["line 3: `bytes` is not a 64-bit integer"]
    );
    assert_data_eq!(
        reason(&format!("{HEADER}\n10.0.0.1 2147483648 7 5 ACCEPT\n")).await,
        str!["line 2: `dstport` is not a 32-bit integer"]
    );
    assert_data_eq!(
        reason(&format!("{HEADER}\n10.0.0.1 22 9223372036854775808 5 ACCEPT\n")).await,
        str!["line 2: `bytes` is not a 64-bit integer"]
    );
    assert_data_eq!(
        reason(&format!("{HEADER}\n10.0.0.1 22 1.5 5 ACCEPT\n")).await,
        str!["line 2: `bytes` is not a 64-bit integer"]
    );
    let mut latin = format!("{HEADER}\n{record}\n").into_bytes();
    latin.extend(b"10.0.0.1 22 7 5 ACC\xc9PT\n");
    assert_data_eq!(
        read(gzip(&latin), FileFormat::PlainText).await.unwrap_err(),
        str!["line 3 is not UTF-8"]
    );
    assert_data_eq!(
        read(b"PAR1".to_vec(), FileFormat::PlainText).await.unwrap_err(),
        str!["the gzip data is truncated or damaged"]
    );
    assert_data_eq!(read(Vec::new(), FileFormat::Parquet).await.unwrap_err(), str!["the object is empty"]);
    assert_data_eq!(
        read(gzip(b"x"), FileFormat::Parquet).await.unwrap_err(),
        str!["the Parquet data is damaged: Parquet error: Invalid Parquet file. Corrupt footer"]
    );
}

#[tokio::test]
async fn extreme_numbers_are_read() {
    let text =
        format!("{HEADER}\nx 2147483647 9223372036854775807 -9223372036854775808 y\nx -2147483648 0 -1 y\n");
    let expected = Ok(vec![
        row(["x", "-2147483648", "0", "-1", "y"]),
        row(["x", "2147483647", "9223372036854775807", "-9223372036854775808", "y"]),
    ]);
    assert_eq!(read_text(&text).await, expected);
}

#[tokio::test]
async fn all_members_of_a_gzip_file_are_read() {
    let record = "10.0.0.1 22 7 5 ACCEPT\n";
    let text = format!("{HEADER}\n{record}");
    let (start, rest) = text.split_at(20);
    // In the last case, the second member equals the first in length and checksum.
    for (members, count) in [
        (vec![text.as_str(), record], 2),
        (vec![text.as_str(), "", record, record], 3),
        (vec!["", text.as_str()], 1),
        (vec![start, rest], 1),
    ] {
        let body: Vec<u8> = members.iter().flat_map(|member| gzip(member.as_bytes())).collect();
        let expected = vec![row(["10.0.0.1", "22", "7", "5", "ACCEPT"]); count];
        assert_eq!(read(body, FileFormat::PlainText).await, Ok(expected), "{members:?}");
    }
    // Two concatenated files: a text column would treat the second header as a record.
    for half in ["bytes\n7\n", "srcaddr\n10.0.0.1\n", "srcaddr bytes\r\n10.0.0.1 7\r\n"] {
        let body = [gzip(half.as_bytes()), gzip(half.as_bytes())].concat();
        assert_eq!(
            read(body, FileFormat::PlainText).await,
            Err("line 3 repeats the header".to_owned()),
            "{half}"
        );
    }
}

#[tokio::test]
async fn very_long_lines_and_values_are_read() {
    let long = "x".repeat(9_000_000);
    let expected = Ok(vec![row([long.as_str(), "1", "2", "3", "y"]), row(["z", "1", "2", "3", "y"])]);
    assert_eq!(read_text(&format!("{HEADER}\n{long} 1 2 3 y\nz 1 2 3 y\n")).await, expected);
    assert_eq!(reason(&"x".repeat(9_000_000)).await, "the first line does not list fields of a flow log");
}

#[tokio::test]
async fn large_object_with_an_invalid_last_line_has_no_rows() {
    let mut text = format!("{HEADER}\n");
    for n in 0..400_000 {
        text.push_str(&format!("10.0.0.{} 22 {n} 5 ACCEPT\n", n % 250));
    }
    assert_eq!(read_text(&text).await.map(|rows| rows.len()), Ok(400_000));
    text.push_str("10.0.0.1 22 x 5 ACCEPT\n");
    assert_eq!(reason(&text).await, "line 400002: `bytes` is not a 64-bit integer");
}

#[tokio::test]
async fn strict_mode_fails_on_the_first_broken_object() {
    let store = std::sync::Arc::new(InMemory::new());
    let key = Home::PLAIN.key(NAMED, 0, FileFormat::PlainText);
    put(&*store, &key, b"x".to_vec()).await;
    let mut options = ScanOptions::default();
    options.strict = true;
    let session = session(FlowLogs::builder(store).options(options).build());
    let error = rows(&session, ALL).await.unwrap_err();
    assert!(matches!(error, QueryError::Broken { .. }), "{error:?}");
    let expected = format!("`{key}` cannot be read as a flow log: the gzip data is truncated or damaged");
    assert_eq!(error.to_string(), expected);
}

/// The rows of a damaged object according to a simple parser; `None` if it is broken.
fn naive(text: &[u8]) -> Option<Vec<Vec<Option<String>>>> {
    let text = std::str::from_utf8(text).ok()?;
    let mut lines = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    let header: Vec<&str> = lines.next()?.split(' ').collect();
    let wanted = ["srcaddr", "dstport", "bytes", "end", "action"];
    let is_name = |name: &&str| {
        name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    let is_twice = wanted.iter().any(|name| header.iter().filter(|other| *other == name).count() > 1);
    if !header.iter().all(is_name) || is_twice || !header.iter().any(|name| wanted.contains(name)) {
        return None;
    }
    let mut rows = Vec::new();
    for line in lines.filter(|line| !line.is_empty()) {
        let values: Vec<&str> = line.split(' ').collect();
        let is_odd = values.iter().any(|value| value.is_empty() || value.bytes().any(|byte| byte < b' '));
        if values.len() != header.len() || is_odd {
            return None;
        }
        let mut row = Vec::new();
        for name in wanted {
            let value = header.iter().position(|other| *other == name).map(|place| values[place]);
            let value = value.filter(|value| *value != "-");
            row.push(match (name, value) {
                (_, None) => None,
                // Rust's parser accepts a plus sign, which files never have.
                (_, Some(value)) if name != "srcaddr" && name != "action" && value.starts_with('+') => {
                    return None;
                }
                ("dstport", Some(value)) => Some(value.parse::<i32>().ok()?.to_string()),
                ("bytes" | "end", Some(value)) => Some(value.parse::<i64>().ok()?.to_string()),
                (_, Some(value)) => Some(value.to_owned()),
            });
        }
        rows.push(row);
    }
    rows.sort();
    Some(rows)
}

/// A text with some bytes replaced, removed or inserted.
fn damaged(alphabet: &'static [u8]) -> impl Strategy<Value = Vec<u8>> {
    let text = format!(
        "{HEADER} x\n10.0.0.1 22 7 5 ACCEPT a\n2001:db8::1 - 9223372036854775807 6 - b\n10.9.8.7 1 2 3 REJECT c\n"
    );
    let change = (any::<prop::sample::Index>(), 0..3_u8, prop::sample::select(alphabet));
    prop::collection::vec(change, 0..4).prop_map(move |changes| {
        let mut text = text.clone().into_bytes();
        for (place, kind, byte) in changes {
            let place = place.index(text.len());
            match kind {
                0 => text[place] = byte,
                1 => text.insert(place, byte),
                _ => {
                    text.remove(place);
                }
            }
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn damaged_text_returns_all_rows_or_none(text in damaged(b" \n\r\t-0129a:\xff\xc3\xa9\0+.")) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let found = runtime.block_on(read(gzip(&text), FileFormat::PlainText));
        prop_assert_eq!(found.ok(), naive(&text), "{}", String::from_utf8_lossy(&text));
    }

    #[test]
    fn damaged_gzip_returns_all_rows_or_none(
        place in any::<prop::sample::Index>(),
        kind in 0..4_u8,
        byte in any::<u8>(),
    ) {
        let text = format!("{HEADER}\n10.0.0.1 22 7 5 ACCEPT\n10.0.0.2 22 8 5 REJECT\n");
        let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
        encoder.write_all(text.as_bytes()).unwrap();
        let mut body = encoder.finish().unwrap();
        let place = place.index(body.len());
        match kind {
            0 => body.truncate(place),
            1 => body[place] = byte,
            2 => body.insert(place, byte),
            _ => body.push(byte),
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let found = runtime.block_on(read(body, FileFormat::PlainText));
        if let Ok(rows) = found {
            prop_assert_eq!(Some(rows), naive(text.as_bytes()));
        }
    }

    #[test]
    fn damaged_parquet_never_panics(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4), cut in any::<prop::sample::Index>(), is_cut in any::<bool>()) {
        let text = format!("{HEADER}\n10.0.0.1 22 7 5 ACCEPT\n10.0.0.2 22 8 5 REJECT\n");
        let mut body = Object::new(&Home::PLAIN, NAMED, 0, FileFormat::Parquet, text).body();
        for (place, byte) in changes {
            let place = place.index(body.len());
            body[place] = byte;
        }
        if is_cut {
            body.truncate(cut.index(body.len()));
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        // The Parquet data has no checksum, so a changed value may be read as another one.
        let _ = runtime.block_on(read(body, FileFormat::Parquet));
    }
}
