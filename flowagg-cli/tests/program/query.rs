//! `flowagg query` on a local folder, without AWS.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use tempfile::TempDir;

use crate::{Said, offline_in};

const HEADER: &str = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status";

/// Records of two accounts, in separate objects.
const OBJECTS: [(&str, &str, &str); 2] = [
    (
        "222222222222",
        "20261101T0005Z_0a1b2c3d.log.gz",
        "2 222222222222 eni-0a 10.0.0.1 10.0.0.2 49152 443 6 10 1500 1793491200 1793491260 ACCEPT OK\n\
         2 222222222222 eni-0a 203.0.113.9 10.0.0.1 40000 22 6 1 40 1793491200 1793491260 REJECT OK\n",
    ),
    (
        "333333333333",
        "20261102T0005Z_0a1b2c3d.log.gz",
        "2 333333333333 eni-0b - - - - - - - 1793577600 1793577660 - NODATA\n",
    ),
];

/// A local copy of a bucket with these objects.
pub(super) fn bucket() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (account, end, records) in OBJECTS {
        put(folder.path(), account, end, &zipped(&format!("{HEADER}\n{records}")));
    }
    folder
}

/// Writes an object, and returns its key.
pub(super) fn put(folder: &Path, account: &str, end: &str, contents: &[u8]) -> String {
    let (day, _) = end.split_once('T').unwrap();
    let (month, day) = day.split_at(6);
    let (year, month) = month.split_at(4);
    let key = format!(
        "AWSLogs/{account}/vpcflowlogs/eu-west-1/{year}/{month}/{day}/{account}_vpcflowlogs_eu-west-1_fl-0123456789abcdef0_{end}"
    );
    let path = folder.join(&key);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, contents).unwrap();
    key
}

pub(super) fn zipped(text: &str) -> Vec<u8> {
    let mut zip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    zip.write_all(text.as_bytes()).unwrap();
    zip.finish().unwrap()
}

pub(super) fn query(folder: &Path, args: &[&str]) -> Said {
    offline_in(folder, &[&["query", "--path", "."], args].concat(), "")
}

/// The summary line without size and time, which vary between runs.
fn summary(said: &Said) -> &str {
    let last = said.err.lines().next_back().unwrap_or_default();
    last.split_once(" with ").map_or(last, |(start, _)| start)
}

#[test]
fn rows_of_a_folder_are_queried_without_a_fleet_file() {
    let folder = bucket();
    let sql = "SELECT log_account, count(*) AS records, sum(bytes) AS bytes FROM vpc_flow_logs GROUP BY 1 ORDER BY 1";
    let said = query(folder.path(), &[sql]);
    assert_eq!(
        said.out,
        concat!(
            "   log_account   records  bytes\n",
            "   222222222222        2   1540\n",
            "   333333333333        1      -\n",
        )
    );
    assert_eq!((said.code, summary(&said)), (Some(0), "ok: 2 rows from 3 records in 2 objects"));
}

#[test]
fn objects_are_selected_by_time_and_account() {
    let folder = bucket();
    let count = |args: &[&str]| {
        let sql = "SELECT count(*) AS records FROM vpc_flow_logs";
        let said = query(folder.path(), &[&[sql, "--format", "csv"][..], args].concat());
        assert_eq!(said.code, Some(0), "{}", said.err);
        (said.out.lines().nth(1).unwrap().to_owned(), summary(&said).to_owned())
    };
    let expected = |records: &str, summary: &str| (records.to_owned(), summary.to_owned());
    let day = ["--from", "2026-11-01", "--to", "2026-11-01"];
    // The other object's name is within the hour after the day: it is read, but its record is not on that day.
    assert_eq!(count(&day), expected("2", "ok: 1 row from 3 records in 2 objects"));
    let of_account = ["--only", "333333333333"];
    assert_eq!(count(&of_account), expected("1", "ok: 1 row from 1 record in 1 object"));
    assert_eq!(count(&["--only", "us-east-1"]), expected("0", "ok: 1 row from 0 records in 0 objects"));
}

#[test]
fn query_without_objects_prints_a_note() {
    let folder = bucket();
    let said = query(folder.path(), &["SELECT * FROM vpc_flow_logs", "--only", "444444444444"]);
    let note = "note: no flow log objects were found: check `--from`, `--to`, `--only`, and `--prefix` if the logs are under a prefix";
    assert_eq!((said.code, said.err.lines().next()), (Some(0), Some(note)));
}

#[test]
fn explain_lists_objects_without_reading_them() {
    let folder = bucket();
    put(folder.path(), "222222222222", "20261101T0010Z_0a1b2c3d.log.gz", b"not gzip");
    let sql = "SELECT * FROM vpc_flow_logs WHERE log_date = '2026/11/01'";
    let said = query(folder.path(), &[sql, "--explain"]);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    assert!(said.out.starts_with("the query will read up to 2 objects with "), "{}", said.out);
    assert!(!said.out.contains("USD"), "{}", said.out);
}

#[test]
fn broken_objects_are_reported_and_skipped_or_fail_the_query() {
    let folder = bucket();
    let whole = zipped(&format!("{HEADER}\n{}", OBJECTS[0].2));
    let cut =
        put(folder.path(), "222222222222", "20261101T0010Z_0a1b2c3d.log.gz", &whole[..whole.len() - 10]);
    let foreign =
        put(folder.path(), "222222222222", "20261101T0015Z_0a1b2c3d.log.gz", &zipped("hello\nworld\n"));
    let sql = "SELECT count(*) AS records FROM vpc_flow_logs";
    let said = query(folder.path(), &[sql, "--format", "csv"]);
    assert_eq!((said.code, said.out.as_str()), (Some(3), "records\n3\n"), "{}", said.err);
    let help = "         delete or restore the object; `--strict` stops at objects like this one";
    assert_eq!(
        said.err.lines().take(4).collect::<Vec<_>>(),
        [
            format!("warning: `{cut}` was skipped: the gzip data is truncated or damaged").as_str(),
            help,
            format!("warning: `{foreign}` was skipped: the first line does not list fields of a flow log")
                .as_str(),
            help,
        ]
    );
    assert_eq!(
        summary(&said),
        "query: not every object was read: 2 were skipped; 1 row from 3 records in 4 objects"
    );
    let strict = query(folder.path(), &[sql, "--strict"]);
    assert_eq!((strict.code, strict.out.as_str()), (Some(1), ""));
    assert!(strict.err.contains("` cannot be read as a flow log: "), "{}", strict.err);
    assert!(strict.err.contains("run without `--strict` to skip broken objects"), "{}", strict.err);
}

#[test]
fn output_formats_have_the_same_rows() {
    let folder = bucket();
    let sql = "SELECT srcaddr, bytes, start_time, '=1+1' AS formula, -bytes AS negative FROM vpc_flow_logs ORDER BY bytes DESC NULLS LAST";
    let written = |format: &str| {
        let said = query(folder.path(), &[sql, "--format", format]);
        assert_eq!(said.code, Some(0), "{}", said.err);
        said.out
    };
    assert_eq!(
        written("table"),
        concat!(
            "   srcaddr      bytes  start_time            formula  negative\n",
            "   10.0.0.1      1500  2026-11-01T00:00:00Z  =1+1        -1500\n",
            "   203.0.113.9     40  2026-11-01T00:00:00Z  =1+1          -40\n",
            "   -                -  2026-11-02T00:00:00Z  =1+1            -\n",
        )
    );
    assert_eq!(
        written("csv"),
        concat!(
            "srcaddr,bytes,start_time,formula,negative\n",
            "10.0.0.1,1500,2026-11-01T00:00:00Z,'=1+1,-1500\n",
            "203.0.113.9,40,2026-11-01T00:00:00Z,'=1+1,-40\n",
            ",,2026-11-02T00:00:00Z,'=1+1,\n",
        )
    );
    assert_eq!(
        written("json"),
        concat!(
            "[\n",
            "  {\"srcaddr\":\"10.0.0.1\",\"bytes\":1500,\"start_time\":\"2026-11-01T00:00:00Z\",\"formula\":\"=1+1\",\"negative\":-1500},\n",
            "  {\"srcaddr\":\"203.0.113.9\",\"bytes\":40,\"start_time\":\"2026-11-01T00:00:00Z\",\"formula\":\"=1+1\",\"negative\":-40},\n",
            "  {\"srcaddr\":null,\"bytes\":null,\"start_time\":\"2026-11-02T00:00:00Z\",\"formula\":\"=1+1\",\"negative\":null}\n",
            "]\n",
        )
    );
    assert_eq!(
        written("ndjson"),
        concat!(
            "{\"srcaddr\":\"10.0.0.1\",\"bytes\":1500,\"start_time\":\"2026-11-01T00:00:00Z\",\"formula\":\"=1+1\",\"negative\":-1500}\n",
            "{\"srcaddr\":\"203.0.113.9\",\"bytes\":40,\"start_time\":\"2026-11-01T00:00:00Z\",\"formula\":\"=1+1\",\"negative\":-40}\n",
            "{\"srcaddr\":null,\"bytes\":null,\"start_time\":\"2026-11-02T00:00:00Z\",\"formula\":\"=1+1\",\"negative\":null}\n",
        )
    );
}

#[test]
fn file_is_only_replaced_if_the_query_succeeds() {
    let folder = bucket();
    let out = folder.path().join("rows.parquet");
    let sql = "SELECT * FROM vpc_flow_logs";
    let said = query(folder.path(), &[sql, "--format", "parquet", "--out", "rows.parquet"]);
    assert_eq!((said.code, said.out.as_str()), (Some(0), ""), "{}", said.err);
    let written = fs::read(&out).unwrap();
    assert_eq!((&written[..4], &written[written.len() - 4..]), (&b"PAR1"[..], &b"PAR1"[..]));

    put(folder.path(), "222222222222", "20261101T0010Z_0a1b2c3d.log.gz", b"not gzip");
    let strict = query(folder.path(), &[sql, "--format", "parquet", "--out", "rows.parquet", "--strict"]);
    assert_eq!(strict.code, Some(1));
    assert_eq!(fs::read(&out).unwrap(), written);
    let names: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
}

#[test]
fn limit_applies_to_every_statement() {
    let folder = bucket();
    let rows = |sql: &str| {
        let said = query(folder.path(), &[sql, "--limit", "2", "--format", "ndjson"]);
        assert_eq!(said.code, Some(0), "{}", said.err);
        said.out.lines().count()
    };
    assert_eq!(rows("SELECT * FROM vpc_flow_logs"), 2);
    assert_eq!(rows("DESCRIBE vpc_flow_logs"), 2);
    assert_eq!(rows("SELECT 1 AS one LIMIT 5"), 1);
}

#[test]
fn statement_is_read_from_standard_input() {
    let folder = bucket();
    let args = ["query", "-", "--path", ".", "--format", "csv"];
    let said = offline_in(folder.path(), &args, "SELECT count(*) AS records\nFROM vpc_flow_logs;\n");
    assert_eq!((said.code, said.out.as_str()), (Some(0), "records\n3\n"), "{}", said.err);
}

#[test]
fn large_query_without_a_terminal_requires_yes() {
    let folder = bucket();
    let sql = "SELECT count(*) AS records FROM vpc_flow_logs";
    let said = query(folder.path(), &[sql, "--ask-above", "0"]);
    assert_eq!((said.code, said.out.as_str()), (Some(2), ""));
    assert!(said.err.starts_with("error: the query reads more than `--ask-above` ("), "{}", said.err);
    let help = "       run it with `--explain` first, then with `--yes`, or limit it with `--from`, `--to` and `--only`";
    assert_eq!(said.err.lines().nth(1), Some(help));
    let yes = query(folder.path(), &[sql, "--ask-above", "0", "--yes", "--format", "csv"]);
    assert_eq!((yes.code, yes.out.as_str()), (Some(0), "records\n3\n"), "{}", yes.err);
}

#[test]
fn invalid_command_lines_have_help() {
    let folder = bucket();
    let empty = tempfile::tempdir().unwrap();
    let sql = "SELECT 1 AS one";
    for (args, expected) in [
        (&["top-talkers"][..], "unknown question `top-talkers`"),
        (&["SELECT", "1"], "unknown question `SELECT`"),
        (&["SELECT 1", "AS one"], "unexpected argument `AS one` after the SQL statement"),
        (
            &[sql, "--nat", "10.0.0.1"],
            "`--nat` applies only to built-in questions, not to SQL statements or saved questions",
        ),
        (&["DELETE FROM vpc_flow_logs"], "`DELETE` is not a read-only statement"),
        (&["CREATE TABLE a AS SELECT 1"], "`CREATE` is not a read-only statement"),
        (&["COPY vpc_flow_logs TO 'a.csv'"], "`COPY` is not a read-only statement"),
        (&["SELECT 1; SELECT 2"], "expected one SQL statement, found 2"),
        (&["SELECT FROM WHERE"], ""),
        (&["SELECT no_such_column FROM vpc_flow_logs"], ""),
        (&["SELECT * FROM no_such_table"], ""),
        (&[sql, "--format", "parquet"], "cannot write Parquet to standard output"),
        (
            &[sql, "--from", "2026-11-02", "--to", "2026-11-01"],
            "the end, 2026-11-02T00:00:00Z, is not after the start, 2026-11-02T00:00:00Z",
        ),
        (&[sql, "--only", "shop"], "`--only shop` is the name of a member, which needs a fleet file"),
        (&[sql, "--config", "other.toml"], "`--config` and `--path` cannot be used together"),
        (&[sql, "--prefix", "no/such"], "`./no/such` contains no folder `AWSLogs`"),
        (&[sql, "--out", "AWSLogs"], "`AWSLogs` is a folder; nothing was written"),
    ] {
        let said = query(folder.path(), args);
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{args:?}: {}", said.err);
        let lines: Vec<&str> = said.err.lines().collect();
        let [error, help, ..] = lines.as_slice() else { panic!("{args:?}: {}", said.err) };
        let what = error.strip_prefix("error: ").unwrap_or_else(|| panic!("{args:?}: {}", said.err));
        assert!(what == expected || expected.is_empty(), "{args:?}: {}", said.err);
        assert!(help.starts_with("       "), "{args:?}: {}", said.err);
    }
    let said = query(empty.path(), &[sql]);
    assert_eq!(
        (said.code, said.err.lines().next()),
        (Some(2), Some("error: `.` contains no folder `AWSLogs`"))
    );
    let said = offline_in(empty.path(), &["query", sql], "");
    assert_eq!(said.code, Some(2));
    assert!(said.err.starts_with("error: the fleet file `flowagg.toml` cannot be read: "), "{}", said.err);
}

#[test]
fn strict_query_reports_the_broken_object_and_advice() {
    let folder = bucket();
    for day in 1..9 {
        put(folder.path(), "222222222222", &format!("2026110{day}T0010Z_0a1b2c3d.log.gz"), b"not gzip");
    }
    let said = query(folder.path(), &["top", "--strict"]);
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""));
    assert!(said.err.contains("` cannot be read as a flow log: "), "{}", said.err);
    assert!(said.err.contains("run without `--strict` to skip broken objects"), "{}", said.err);
}

#[test]
fn output_file_contains_no_escape_sequences() {
    let folder = bucket();
    let said = query(folder.path(), &["top", "--out", "rows.txt"]);
    assert_eq!(said.code, Some(0));
    let rows = fs::read(folder.path().join("rows.txt")).unwrap();
    assert!(rows.starts_with(b"   address ") && !rows.contains(&0x1b), "{}", String::from_utf8_lossy(&rows));
}

#[test]
fn folder_as_output_file_does_not_suggest_the_fleet_file() {
    let folder = bucket();
    let said = query(folder.path(), &["top", "--out", "AWSLogs"]);
    assert_eq!(said.code, Some(2));
    assert_eq!(
        said.err,
        "error: `AWSLogs` is a folder; nothing was written\n       use a file such as `AWSLogs/rows.txt`\n"
    );
}

#[test]
fn empty_result_is_not_reported_as_missing_objects() {
    let folder = bucket();
    let said = query(folder.path(), &["top", "--limit", "0"]);
    assert_eq!(said.code, Some(0));
    assert!(!said.err.contains("no flow log objects were found"), "{}", said.err);
}
