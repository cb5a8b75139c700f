//! The interactive prompt of `flowagg query`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use flowagg_testkit::sample;
use regex_lite::Regex;
use snapbox::{assert_data_eq, str};
use tempfile::TempDir;

use crate::terminal::{CTRL_C, Run, Width};

const PROMPT: &str = "flowagg> ";
const CTRL_D: &str = "\u{4}";
/// The start of the last line of a query's output.
const ENDED: &str = "ok: ";

/// A folder with the sample in `logs`, and a terminal in it.
fn at_the_sample() -> (TempDir, Run) {
    let folder = tempfile::tempdir().unwrap();
    sample::write(&folder.path().join("logs")).unwrap();
    let run = Run::offline(folder.path(), "").with("HOME", &folder.path().display().to_string());
    (folder, run)
}

/// The contents of the terminal, with constant query times.
fn settled(text: &str) -> String {
    let took = Regex::new(r"in [0-9]+\.[0-9] s").unwrap();
    took.replace_all(text, "in 0.1 s").into_owned()
}

fn saved(folder: &Path, name: &str, text: &str) {
    let queries = folder.join("queries");
    fs::create_dir_all(&queries).unwrap();
    fs::write(queries.join(name).with_extension("sql"), text).unwrap();
}

#[tokio::test]
async fn prompt_completes_runs_and_records_lines() {
    let (folder, run) = at_the_sample();
    saved(
        folder.path(),
        "on-call",
        "-- title: Records of an account\n-- parameter: account text\nSELECT count(*) AS records FROM vpc_flow_logs WHERE log_account = $account",
    );
    let run = run.typing_each(&[
        (PROMPT, "who 203.0.113.66 --fo\tcs\t\r"),
        (ENDED, ""),
        (PROMPT, "on-\taccount=222222222222\r"),
        (ENDED, ""),
        (PROMPT, "--from 2026-11-18\r"),
        (PROMPT, "SELECT count(*) AS records\rFROM vpc_fl\t;\r"),
        (ENDED, ""),
        (PROMPT, "reset\r"),
        (PROMPT, "-- all of it\rSELECT count(*) AS records FROM vpc_flow_logs; -- ;\r"),
        (ENDED, ""),
        (PROMPT, "tpo\r"),
        ("shows all questions", ""),
        (PROMPT, " secret\r"),
        ("shows all questions", ""),
        (PROMPT, CTRL_C),
        (PROMPT, CTRL_D),
    ]);
    let shown = run.flowagg("query --path logs --to 2026-11-18", Width::Columns(100)).await.exits(0);
    assert_data_eq!(
        settled(&shown.text()),
        str![[r#"
`help` shows all commands, Ctrl-D ends the prompt
flowagg> who 203.0.113.66 --format csv
source,destination,protocol,port,bytes,rejected,first_seen,last_seen,both_ends
10.2.0.9,203.0.113.66,6,443,2900000000,0,2026-11-18T03:40:00Z,2026-11-18T03:49:00Z,false
203.0.113.66,10.2.0.9,6,443,6000000,0,2026-11-18T03:40:00Z,2026-11-18T03:49:00Z,false
ok: 2 rows from 2770 records in 144 objects with 95.4 KB, in 0.1 s
flowagg> on-call account=222222222222
   records
       321
ok: 1 row from 321 records in 48 objects with 19.9 KB, in 0.1 s
flowagg> --from 2026-11-18
flowagg> SELECT count(*) AS records
FROM vpc_flow_logs ;
   records
      1474
ok: 1 row from 1528 records in 75 objects with 49.5 KB, in 0.1 s, 69 listed but not needed
flowagg> reset
flowagg> -- all of it
SELECT count(*) AS records FROM vpc_flow_logs; -- ;
   records
      2770
ok: 1 row from 2770 records in 144 objects with 95.4 KB, in 0.1 s
flowagg> tpo
error: unknown question `tpo`
       `flowagg query --list` shows all questions; a SQL statement is one argument in quotes
flowagg>  secret
error: unknown question `secret`
       `flowagg query --list` shows all questions; a SQL statement is one argument in quotes
flowagg>
flowagg>

"#]]
    );
    let history = folder.path().join(".local/state/flowagg/query-history");
    assert_eq!(fs::metadata(&history).unwrap().permissions().mode() & 0o777, 0o600);
    let kept = fs::read_to_string(history).unwrap();
    let lines: Vec<&str> = kept.lines().collect();
    let expected = [
        "#V2",
        "who 203.0.113.66 --format csv ",
        "on-call account=222222222222",
        "--from 2026-11-18",
        r"SELECT count(*) AS records\nFROM vpc_flow_logs ;",
        "reset",
        r"-- all of it\nSELECT count(*) AS records FROM vpc_flow_logs; -- ;",
        "tpo",
    ];
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn empty_variable_keeps_no_history() {
    let (folder, run) = at_the_sample();
    let run = run.with("FLOWAGG_QUERY_HISTORY", "").typing_each(&[
        (PROMPT, "help\r"),
        ("Ctrl-C stops", ""),
        (PROMPT, "quit\r"),
    ]);
    run.flowagg("query --path logs", Width::Columns(80)).await.exits(0);
    assert!(!folder.path().join(".local").exists());
}

#[tokio::test]
async fn watched_question_repeats_until_ctrl_c() {
    let (_folder, run) = at_the_sample();
    let run = run.typing_each(&[(ENDED, ""), (ENDED, CTRL_C)]);
    let shown = run
        .flowagg("query who 203.0.113.66 --path logs --limit 1 --watch 1s", Width::Columns(80))
        .await
        .exits(130);
    let at = Regex::new(r"at 2[0-9T:-]+Z").unwrap();
    let text = at.replace_all(&settled(&shown.text()), "at 2026-11-18T09:00:00Z").into_owned();
    assert_data_eq!(
        text,
        str![[r#"
who 203.0.113.66, every 1s, at 2026-11-18T09:00:00Z

   source       10.2.0.9
   destination  203.0.113.66
   protocol     6
   port         443
   bytes        2900000000
   rejected     0
   first_seen   2026-11-18T03:40:00Z
   last_seen    2026-11-18T03:49:00Z
   both_ends    false
ok: 1 row from 2770 records in 144 objects with 95.4 KB, in 0.1 s
^Cinterrupted: stopped repeating the query

"#]]
    );
}
