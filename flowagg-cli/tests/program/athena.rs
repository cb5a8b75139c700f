//! `flowagg query --engine athena` without AWS.

use snapbox::{assert_data_eq, str};

use crate::{FLEET, Said, offline};

/// Runs a query in Athena on a fleet.
fn query_of(fleet: &str, args: &[&str]) -> Said {
    offline(&[&["query", "--engine", "athena"], args].concat(), fleet, "")
}

fn query(args: &[&str]) -> Said {
    query_of(FLEET, args)
}

const DAY: [&str; 4] = ["--from", "2026-11-01", "--to", "2026-11-01"];

#[test]
fn question_is_printed_with_time_range_and_selection() {
    let args = ["by-day", "--only", "111122223333", "--table", "logs", "--print"];
    let said = query(&[&args[..], &DAY].concat());
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    assert_data_eq!(
        said.out,
        str![[r#"
WITH logs AS (
  SELECT log_account, log_region, bytes, "end" AS ended, nullif(action, '-') AS action, CAST(NULL AS varchar) AS flow_direction
  FROM "flowagg"."logs"
  WHERE log_account IN ('111122223333')
    AND log_date BETWEEN '2026/10/31' AND '2026/11/02'
    AND "end" BETWEEN 1793491200 AND 1793577599
),
periods AS (
  SELECT log_account AS account, ended / 86400 AS period,
    CASE WHEN count(flow_direction) > 0 THEN coalesce(sum(CASE WHEN flow_direction = 'egress' THEN bytes END), 0) END AS sent,
    CASE WHEN count(flow_direction) > 0 THEN coalesce(sum(CASE WHEN flow_direction = 'ingress' THEN bytes END), 0) END AS received,
    sum(CASE WHEN flow_direction IS NULL THEN bytes END) AS undirected,
    sum(bytes) AS bytes,
    count(flow_direction) < count(*) AS both_ends
  FROM logs
  WHERE bytes IS NOT NULL AND ended IS NOT NULL AND (action IS NULL OR action <> 'REJECT')
  GROUP BY log_account, ended / 86400
)
SELECT account, substr(date_format(from_unixtime(period * 86400), '%Y-%m-%dT%H:%i:%sZ'), 1, 10) AS day, sent, received, undirected,
  CAST(CAST(100e0 * bytes * count(*) OVER (PARTITION BY account) / nullif(sum(bytes) OVER (PARTITION BY account), 0) AS decimal(18, 0)) AS bigint) AS percent,
  both_ends
FROM periods
ORDER BY account NULLS LAST, day NULLS LAST

"#]]
    );
}

#[test]
fn hour_folders_reduce_the_scan() {
    let files = "[flow-logs]\nper-hour-partition = true\nhive-compatible-partitions = true\n";
    let fleet = format!("{files}{FLEET}");
    let window = ["--from", "2026-11-01T08:00:00Z", "--to", "2026-11-01T09:00:00Z", "--print"];
    let said = query_of(&fleet, &[&["rejected"][..], &window].concat());
    let wanted = said.out.lines().skip_while(|line| !line.contains("WHERE")).take(2);
    assert_data_eq!(
        wanted.collect::<Vec<_>>().join("\n"),
        str![[r#"
  WHERE log_year = '2026' AND log_month = '11' AND log_day = '01' AND log_hour BETWEEN '07' AND '09'
    AND "end" BETWEEN 1793520000 AND 1793523599
"#]]
    );
}

#[test]
fn both_engines_print_their_sql() {
    let here = offline(&["query", "rejected", "--print", "--limit", "7"], FLEET, "");
    assert_eq!((here.code, here.err.as_str()), (Some(0), ""));
    assert!(here.out.contains("FROM vpc_flow_logs\n") && here.out.contains("LIMIT 7\n"), "{}", here.out);
    let athena = query(&[&["rejected", "--print", "--limit", "7"][..], &DAY].concat());
    assert!(athena.out.contains("nullif(action, '-')") && athena.out.contains("LIMIT 7\n"), "{}", athena.out);
}

#[test]
fn sql_statement_is_sent_unchanged() {
    let sql = "SELECT approx_distinct(srcaddr) FROM flowagg.vpc_flow_logs -- Trino has it";
    let said = query(&[sql, "--print"]);
    assert_eq!((said.code, said.out, said.err.as_str()), (Some(0), format!("{sql}\n"), ""));
}

#[test]
fn unsupported_queries_are_refused_with_a_reason() {
    let messages = [
        query(&["top-talkers"]),
        query(&["nat", "--print"]),
        query(&["top"]),
        query(&["SELECT 1"]),
        query(&["SELECT 1", "--from", "1h"]),
        query(&["SELECT 1", "--only", "eu-west-1"]),
        query(&["top", "--from", "2026-11-02", "--to", "2026-11-01"]),
        query(&["top", "--only", "us-east-1", "--print"]),
        query(&["top", "--bucket", "acme-logs"]),
        query(&["top", "--path", "."]),
        query(&["top", "--prefix", "logs"]),
        query(&["top", "--strict"]),
        query(&["top", "--ask-above", "1GB"]),
        query(&["top", "--format", "parquet"]),
        offline(&["query", "top", "--workgroup", "network"], FLEET, ""),
        offline(&["query", "top", "--output", "s3://acme-athena/"], FLEET, ""),
        offline(&["athena", "query", "top-talkers"], FLEET, ""),
    ];
    let mut text = String::new();
    for said in messages {
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{}", said.err);
        text += &said.err;
    }
    assert_data_eq!(
        text,
        str![[r#"
error: unknown question `top-talkers`
       did you mean `top`? `flowagg query --list` shows all questions
error: `nat` requires fields that the flow logs do not record: `pkt-srcaddr`, `pkt-dstaddr`
       add them to `flow-logs.fields`, or set it to "cost"; then run `flowagg plan`
error: a query in Athena costs money: cannot ask for confirmation without a terminal
       run it with `--explain` first, then with `--yes`
error: a query in Athena costs money: cannot ask for confirmation without a terminal
       run it with `--explain` first, then with `--yes`
error: `--from` does not limit a SQL statement in Athena
       limit the statement in its WHERE clause by `log_account`, `log_region` and the date columns, or use a question
error: `--only` does not limit a SQL statement in Athena
       limit the statement in its WHERE clause by `log_account`, `log_region` and the date columns, or use a question
error: the end, 2026-11-02T00:00:00Z, is not after the start, 2026-11-02T00:00:00Z
       set `--from` to a time before `--to`
error: no member of the fleet has region `us-east-1`
       did you mean `eu-west-1`?
error: `--bucket` cannot be used with `--engine athena`: Athena reads the table of the fleet file's bucket
       remove `--bucket`, or use `--engine local`
error: `--path` cannot be used with `--engine athena`: Athena reads the table of the fleet file's bucket
       remove `--path`, or use `--engine local`
error: `--prefix` cannot be used with `--engine athena`: Athena reads the table of the fleet file's bucket
       remove `--prefix`, or use `--engine local`
error: `--strict` cannot be used with `--engine athena`: Athena has no equivalent
       remove `--strict`, or use `--engine local`
error: `--ask-above` cannot be used with `--engine athena`: every query in Athena is confirmed
       remove it; `--yes` skips the confirmation, and `--explain` prints the amount that is scanned
error: cannot write Parquet to standard output
       write it to a file, as in `--out rows.parquet`
error: `--workgroup` requires `--engine athena`
       add `--engine athena`, or remove `--workgroup`
error: `--output` requires `--engine athena`
       add `--engine athena`, or remove `--output`
error: unrecognized subcommand 'athena'

  tip: use 'flowagg query QUESTION --engine athena'; 'flowagg query --list' shows the questions

Usage: flowagg [OPTIONS] <COMMAND>

For more information, try '--help'.

"#]]
    );
}

#[test]
fn time_range_requires_the_end_field() {
    let fields = r#"["version", "srcaddr", "dstaddr", "bytes", "flow-direction"]"#;
    let said = query_of(&format!("[flow-logs]\nfields = {fields}\n{FLEET}"), &["pairs", "--print"]);
    assert_eq!((said.code, said.out.as_str()), (Some(2), ""));
    assert_data_eq!(
        said.err,
        str![[r#"
error: the flow logs do not record `end`, which a query needs to select records by time
       add `end` to `flow-logs.fields`, then run `flowagg plan`

"#]]
    );
}
