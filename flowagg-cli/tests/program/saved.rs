//! Saved questions and `--fail-if-rows`.

use std::fs;
use std::path::Path;

use snapbox::{assert_data_eq, str};

use crate::query::{bucket, query};
use crate::{Said, offline_in};

/// Rejected traffic to a port.
const FILE: &str = "\
-- title: Rejected traffic to a port
-- parameter: port integer
-- parameter: account text = 222222222222
-- threshold: 1
SELECT srcaddr, $port AS port FROM vpc_flow_logs
WHERE action = 'REJECT' AND dstport = $port AND log_account = $account -- $no
";

fn save(folder: &Path, name: &str, text: &str) {
    fs::create_dir_all(folder.join("queries")).unwrap();
    fs::write(folder.join("queries").join(name), text).unwrap();
}

/// The output without the size and time in the summary line.
fn printed(said: &Said) -> String {
    let notes = said.err.lines().map(|line| line.split_once(" from ").map_or(line, |(start, _)| start));
    let notes: Vec<&str> = notes.collect();
    format!("{}{}\n{:?}\n", said.out, notes.join("\n"), said.code)
}

#[test]
fn saved_question_runs_with_its_parameters() {
    let folder = bucket();
    save(folder.path(), "to-port.sql", FILE);
    assert_data_eq!(
        printed(&query(folder.path(), &["to-port", "port=22"])),
        str![[r#"
   srcaddr      port
   203.0.113.9    22
ok: 1 row
Some(0)

"#]]
    );
    let none = ["to-port", "port=22", "account=' OR 1=1 OR '", "--format", "csv"];
    assert_data_eq!(
        printed(&query(folder.path(), &none)),
        str![[r#"
srcaddr,port
note: no flow log objects were found: check `--from`, `--to`, `--only`, and `--prefix` if the logs are under a prefix
ok: 0 rows
Some(0)

"#]]
    );
}

#[test]
fn parameter_values_cannot_change_the_statement() {
    let folder = bucket();
    let text = "-- title: a\n-- parameter: n integer\n-- parameter: s text = x\nSELECT count(*) AS n FROM vpc_flow_logs\n\
                WHERE bytes > 0 -$n AND action = 'REJECT' AND $s = $s";
    save(folder.path(), "bytes-above.sql", text);
    for n in ["n=3", "n=-3", "n=0"] {
        let said = query(folder.path(), &["bytes-above", n, "s=') OR ('' = '", "--format", "csv"]);
        assert_eq!((said.code, said.out.as_str()), (Some(0), "n\n1\n"), "{n}: {}", said.err);
    }
}

#[test]
fn arguments_of_a_saved_question_are_checked() {
    let folder = bucket();
    save(folder.path(), "to-port.sql", FILE);
    let said: String = [
        &["to-port"][..],
        &["to-port", "22"],
        &["to-port", "port=ssh"],
        &["to-port", "prot=22"],
        &["to-port", "port=22", "--nat", "10.0.0.5"],
        &["to-port", "port=22", "--fail-if-rows", "--limit", "1"],
        &["to-prot"],
    ]
    .map(|args| printed(&query(folder.path(), args)))
    .concat();
    assert_data_eq!(
        said,
        str![[r#"
error: `to-port`: missing parameter `port`
       its parameters: port (integer), account (text, default `222222222222`); as in `flowagg query to-port port=1`
Some(2)
error: `to-port`: unexpected argument `22`: expected `NAME=VALUE`
       its parameters: port (integer), account (text, default `222222222222`); as in `flowagg query to-port port=1`
Some(2)
error: `to-port`: invalid value `ssh` for parameter `port`: not a 64-bit integer
       its parameters: port (integer), account (text, default `222222222222`); as in `flowagg query to-port port=1`
Some(2)
error: `to-port`: unknown parameter `prot`
       its parameters: port (integer), account (text, default `222222222222`); as in `flowagg query to-port port=1`
Some(2)
error: `--nat` applies only to built-in questions, not to SQL statements or saved questions
       remove it, or run a built-in question; `flowagg query --list` shows them
Some(2)
error: `--limit 1` can never exceed the threshold of 1
       raise it to at least 2
Some(2)
error: unknown question `to-prot`
       did you mean `to-port`? `flowagg query --list` shows all questions
Some(2)

"#]]
    );
}

#[test]
fn rows_above_the_threshold_are_a_finding() {
    let folder = bucket();
    save(folder.path(), "to-port.sql", FILE);
    save(folder.path(), "records.sql", "-- title: Records\n-- threshold: 2\nSELECT 1 FROM vpc_flow_logs");
    let said: String = [
        &["to-port", "port=22", "--fail-if-rows"][..],
        &["records", "--fail-if-rows", "--format", "csv"],
        &["rejected", "--fail-if-rows", "--format", "csv"],
        &["SELECT 1 FROM vpc_flow_logs WHERE false", "--fail-if-rows", "--format", "csv"],
    ]
    .map(|args| printed(&query(folder.path(), args)))
    .concat();
    assert_data_eq!(
        said,
        str![[r#"
   srcaddr      port
   203.0.113.9    22
ok: 1 row
Some(0)
Int64(1)
1
1
1
query: the result has more rows than the threshold of 2; 3 rows
Some(3)
account,interface_id,direction,source,destination,protocol,port,reason,records,first_seen,last_seen
222222222222,eni-0a,,203.0.113.9,10.0.0.1,6,22,,1,2026-11-01T00:00:00Z,2026-11-01T00:01:00Z
note: `rejected` is more precise with fields that are not recorded in: `pkt-srcaddr` (2 of 2 objects), `pkt-dstaddr` (2 of 2 objects), `flow-direction` (2 of 2 objects), `reject-reason` (2 of 2 objects)
query: the result is not empty; 1 row
Some(3)
Int64(1)
ok: 0 rows
Some(0)

"#]]
    );
}

#[test]
fn errors_in_files_are_reported_with_positions() {
    let folder = bucket();
    for (name, text) in [
        ("no-title.sql", "SELECT 1"),
        ("open.sql", "-- title: a\nSELECT 'open"),
        ("pairs.sql", "-- title: a\nSELECT 1"),
        ("Two Words.sql", "-- title: a\nSELECT 1"),
        ("undeclared.sql", "-- title: a\nSELECT $port"),
        ("select.sql", "-- title: a\nSELECT 1"),
        ("numbered.sql", "-- title: a\nSELECT $1"),
        ("unused.sql", "-- title: a\n-- parameter: port integer = 1\nSELECT 1"),
        ("writes.sql", "-- title: a\nDROP TABLE vpc_flow_logs"),
    ] {
        save(folder.path(), name, text);
    }
    let listed = offline_in(folder.path(), &["query", "--list"], "");
    assert!(!listed.out.contains("writes"), "{}", listed.out);
    assert_data_eq!(
        format!("{}{:?}\n", listed.err, listed.code),
        str![[r#"
error: `queries/Two Words.sql` is not a valid name for a question
       rename the file: use a-z, 0-9 and `-`, starting with a letter
error: `queries/no-title.sql`, line 1: the title is missing
       start the file with a title, e.g. `-- title: Rejected traffic to databases`
error: `queries/numbered.sql`, `$1` is not declared
       rename it with a-z, 0-9 and `_`, starting with a letter, and declare it at the top
error: `queries/open.sql`, Unterminated string literal at Line: 2, Column: 8
       correct the statement
error: `queries/pairs.sql` has the name of a built-in question
       rename the file
error: `queries/select.sql` has the name of a SQL keyword or a prompt command
       rename the file
error: `queries/undeclared.sql`, `$port` is not declared
       add `-- parameter: port text` or `-- parameter: port integer` at the top
error: `queries/unused.sql`, the parameter `port` is not used
       use `$port` in the statement, or remove the parameter
error: `queries/writes.sql`: `DROP` is not a read-only statement
       use SELECT, WITH, EXPLAIN, DESCRIBE or SHOW
Some(2)

"#]]
    );
    assert_data_eq!(
        printed(&query(folder.path(), &["pairs"])),
        str![[r#"
error: `queries/pairs.sql` has the name of a built-in question
       rename the file
Some(2)

"#]]
    );
    assert_data_eq!(
        printed(&query(folder.path(), &["writes"])),
        str![[r#"
error: `queries/writes.sql`: `DROP` is not a read-only statement
       use SELECT, WITH, EXPLAIN, DESCRIBE or SHOW
Some(2)

"#]]
    );
}

#[test]
fn saved_questions_are_listed_after_built_in_ones() {
    let folder = bucket();
    save(folder.path(), "to-port.sql", FILE);
    save(folder.path(), "README.md", "not a question");
    let listed = offline_in(folder.path(), &["query", "--list"], "");
    let one = offline_in(folder.path(), &["query", "to-port", "--list"], "");
    assert_data_eq!(
        &one.out,
        str![[r#"
to-port
    Rejected traffic to a port
    parameters: port (integer), account (text, default `222222222222`)
    threshold: 1 rows
    flowagg query to-port port=1

"#]]
    );
    assert!(listed.out.ends_with(&format!("\n\n{}", one.out)), "{}", listed.out);
    assert_eq!((listed.code, one.code), (Some(0), Some(0)));
    // The folder is next to the fleet file.
    let elsewhere =
        offline_in(folder.path(), &["query", "-c", "other/flowagg.toml", "to-port", "--list"], "");
    assert_eq!(elsewhere.code, Some(2));
}

#[test]
fn prompt_needs_a_terminal() {
    let folder = bucket();
    assert_data_eq!(
        printed(&query(folder.path(), &[])),
        str![[r#"
error: missing question or SQL statement: cannot prompt without a terminal
       use a question, as in `flowagg query who 10.0.0.7`; `flowagg query --list` shows all questions
Some(2)

"#]]
    );
}
