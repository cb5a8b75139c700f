//! `flowagg query` with built-in questions.

use snapbox::{assert_data_eq, file, str};

use crate::query::{bucket, put, query, zipped};
use crate::{FLEET, Said, offline};

/// The output without the summary line, which contains the size and time.
fn printed(said: &Said) -> String {
    let notes: Vec<&str> = said.err.lines().filter(|line| !line.starts_with("ok: ")).collect();
    format!("{}{}\n{:?}\n", said.out, notes.join("\n"), said.code)
}

/// A header with `flow-direction`, and two records of one flow.
const BOTH_ENDS: &str = "\
srcaddr dstaddr srcport dstport protocol bytes start end action flow-direction
10.0.0.1 10.0.0.2 49152 443 6 700 1793491200 1793491260 ACCEPT egress
10.0.0.1 10.0.0.2 49152 443 6 700 1793491200 1793491260 ACCEPT ingress
";

#[test]
fn question_runs_by_name() {
    let folder = bucket();
    assert_data_eq!(
        printed(&query(folder.path(), &["who", "10.0.0.1"])),
        str![[r#"
   source       destination  protocol  port  bytes  rejected  first_seen            last_seen             both_ends
   10.0.0.1     10.0.0.2            6   443   1500         0  2026-11-01T00:00:00Z  2026-11-01T00:01:00Z  true
   203.0.113.9  10.0.0.1            6    22      0         1  2026-11-01T00:00:00Z  2026-11-01T00:01:00Z  true
note: both ends counted: rows with `both_ends` have records without `flow-direction`, and flows that two network interfaces recorded are counted twice. Record the field to count them once
note: `who` is more precise with fields that are not recorded in: `pkt-srcaddr` (2 of 2 objects), `pkt-dstaddr` (2 of 2 objects), `flow-direction` (2 of 2 objects)
Some(0)

"#]]
    );
    assert_data_eq!(
        printed(&query(folder.path(), &["rejected", "--format", "csv"])),
        str![[r#"
account,interface_id,direction,source,destination,protocol,port,reason,records,first_seen,last_seen
222222222222,eni-0a,,203.0.113.9,10.0.0.1,6,22,,1,2026-11-01T00:00:00Z,2026-11-01T00:01:00Z
note: `rejected` is more precise with fields that are not recorded in: `pkt-srcaddr` (2 of 2 objects), `pkt-dstaddr` (2 of 2 objects), `flow-direction` (2 of 2 objects), `reject-reason` (2 of 2 objects)
Some(0)

"#]]
    );
}

#[test]
fn flow_recorded_at_both_ends_counts_once_with_a_direction() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "222222222222", "20261101T0005Z_0a1b2c3d.log.gz", &zipped(BOTH_ENDS));
    assert_data_eq!(
        printed(&query(folder.path(), &["pairs"])),
        str![[r#"
   source    destination  bytes  both_ends
   10.0.0.1  10.0.0.2       700  false

Some(0)

"#]]
    );
    let without = BOTH_ENDS.lines().map(|line| line.rsplit_once(' ').unwrap().0.to_owned() + "\n");
    let without: String = without.collect();
    put(folder.path(), "222222222222", "20261101T0010Z_0a1b2c3d.log.gz", &zipped(&without));
    assert_data_eq!(
        printed(&query(folder.path(), &["pairs"])),
        str![[r#"
   source    destination  bytes  both_ends
   10.0.0.1  10.0.0.2      2100  true
note: both ends counted: rows with `both_ends` have records without `flow-direction`, and flows that two network interfaces recorded are counted twice. Record the field to count them once
note: `pairs` is more precise with fields that are not recorded in: `flow-direction` (1 of 2 objects)
Some(0)

"#]]
    );
}

#[test]
fn fields_missing_from_objects_are_reported() {
    let folder = bucket();
    assert_data_eq!(
        printed(&query(folder.path(), &["cross-zone"])),
        str![[r#"
   account  source_zone  destination_zone  bytes  usd  both_ends
note: `cross-zone` needs fields that are not recorded in: `az-id` (2 of 2 objects), `next-hop-az-id` (2 of 2 objects). Their records are missing from the result or lack values
note: `cross-zone` is more precise with fields that are not recorded in: `flow-direction` (2 of 2 objects)
Some(0)

"#]]
    );
}

#[test]
fn ranking_reports_rows_beyond_its_limit() {
    let folder = tempfile::tempdir().unwrap();
    let record = |n: usize| format!("10.0.{}.{} 10.9.0.1 {n} 1\n", n / 250, n % 250);
    let records: String = (1..=120).map(record).collect();
    let text = format!("srcaddr dstaddr bytes end\n{records}");
    put(folder.path(), "222222222222", "20261101T0005Z_0a1b2c3d.log.gz", &zipped(&text));
    let rows = |args: &[&str]| {
        let said = query(folder.path(), args);
        assert_eq!(said.code, Some(0), "{}", said.err);
        let note = said.err.lines().find(|line| line.contains("--limit")).map(str::to_owned);
        (said.out.lines().count() - 1, note)
    };
    let note = "note: only the first 100 rows are shown; `--limit` changes this".to_owned();
    assert_eq!(rows(&["pairs", "--format", "csv"]), (100, Some(note)));
    assert_eq!(rows(&["pairs", "--format", "csv", "--limit", "110"]), (110, None));
    assert_eq!(rows(&["pairs", "--format", "csv", "--limit", "1000"]), (120, None));
}

#[test]
fn questions_are_listed_with_fields_and_examples() {
    let folder = tempfile::tempdir().unwrap();
    let said = crate::offline_in(folder.path(), &["query", "--list"], "");
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    assert_data_eq!(said.out, file!["questions.txt"]);
    assert_data_eq!(
        printed(&crate::offline_in(folder.path(), &["query", "nat", "--list"], "")),
        str![[r#"
nat [--nat]
    Traffic through NAT gateways, by source
    needs: srcaddr, dstaddr, bytes, pkt-srcaddr, pkt-dstaddr, interface-type (or --nat)
    better with: interface-id, action, resource-id
    flowagg query nat --nat eni-0a1b2c3d4e5f67890

    Counts records of the gateways on the side of the source only, where the address in the packet differs from the address of the gateway: each byte that a gateway processes counts once, in the direction as seen from the source. Gateways are identified by the field `interface-type`, listed with `--nat`, or looked up in the accounts of the fleet file with `--nat fleet`, which is the default if the fleet file does not record `interface-type`. Addresses alone do not distinguish them from load balancers and transit gateways.

Some(0)

"#]]
    );
}

#[test]
fn invalid_questions_have_help() {
    let folder = bucket();
    let asked: [&[&str]; 14] = [
        &["scan"],
        &["TOP"],
        &["top instances"],
        &["scans", "-1"],
        &["--list", "--format", "csv"],
        &["zebra"],
        &["select"],
        &["who"],
        &["who", "example.com"],
        &["who", "10.0.0.7", "10.0.0.8"],
        &["rejected", "--nat", "10.0.0.1"],
        &["pairs", "--nat", "10.0.0.1"],
        &["off-hours", "--hours", "18-8"],
        &["unused-rules"],
    ];
    let said: Vec<String> = asked
        .iter()
        .map(|args| {
            let said = query(folder.path(), args);
            assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{args:?}: {}", said.err);
            said.err
        })
        .collect();
    assert_data_eq!(
        said.concat(),
        str![[r#"
error: unknown question `scan`
       did you mean `scans`? `flowagg query --list` shows all questions
error: unknown question `TOP`
       did you mean `top`? `flowagg query --list` shows all questions
error: `top instances` is a single argument, so it is not parsed as the question `top`
       remove the quotes: `flowagg query top instances`
error: invalid argument `-1` for `scans`: expected a number of targets or ports
       run e.g. `flowagg query scans 50 --from 24h`; `flowagg query --list` shows all questions
error: the argument '--path <DIR>' cannot be used with '--list'

Usage: flowagg query --path <DIR> --format <FORMAT> [QUESTION|SQL] [ARGUMENT]...

For more information, try '--help'.
error: unknown question `zebra`
       `flowagg query --list` shows all questions; a SQL statement is one argument in quotes
error: unknown question `select`
       put the whole statement in quotes, as one argument
error: `who` requires an argument: ADDRESS
       run e.g. `flowagg query who 10.0.0.7 --from 24h`; `flowagg query --list` shows all questions
error: invalid argument `example.com` for `who`: expected an IP address
       run e.g. `flowagg query who 10.0.0.7 --from 24h`; `flowagg query --list` shows all questions
error: unexpected argument `10.0.0.8` for `who`
       run e.g. `flowagg query who 10.0.0.7 --from 24h`; `flowagg query --list` shows all questions
error: `rejected` does not support `--nat`
       run e.g. `flowagg query rejected --from 24h`; `flowagg query --list` shows all questions
error: `pairs` supports `--nat` only with `packets`
       run e.g. `flowagg query pairs packets --nat eni-0a1b2c3d4e5f67890`
error: invalid value '18-8' for '--hours <HOURS>': expected hours such as `8-18`

For more information, try '--help'.
error: `unused-rules` reads rules in the accounts of the fleet file, which `--path` does not read
       remove `--path` to read the bucket of the fleet file

"#]]
    );
}

#[test]
fn question_without_its_fields_is_refused_before_any_call() {
    assert_data_eq!(
        printed(&offline(&["query", "cross-zone"], FLEET, "")),
        str![[r#"
error: `cross-zone` requires fields that the flow logs do not record: `az-id`, `next-hop-az-id`
       add them to `flow-logs.fields`, or set it to "cost"; then run `flowagg plan`
Some(2)

"#]]
    );
    let accepted = format!("{FLEET}\n[flow-logs]\ntraffic = \"accept\"\n");
    assert_data_eq!(
        printed(&offline(&["query", "rejected"], &accepted, "")),
        str![[r#"
error: `rejected` requires rejected traffic, but the flow logs record only accepted traffic
       set `flow-logs.traffic` to "all", then run `flowagg plan`
Some(2)

"#]]
    );
}
