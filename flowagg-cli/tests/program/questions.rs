//! `flowagg query` with the name of a question.

use snapbox::{assert_data_eq, file, str};

use crate::query::{bucket, put, query, zipped};
use crate::{FLEET, Said, offline};

/// What is printed, without the last line, which has the bytes and the time.
fn printed(said: &Said) -> String {
    let notes: Vec<&str> = said.err.lines().filter(|line| !line.starts_with("ok: ")).collect();
    format!("{}{}\n{:?}\n", said.out, notes.join("\n"), said.code)
}

/// The header of records with a direction, and two records of one flow.
const BOTH_ENDS: &str = "\
srcaddr dstaddr srcport dstport protocol bytes start end action flow-direction
10.0.0.1 10.0.0.2 49152 443 6 700 1793491200 1793491260 ACCEPT egress
10.0.0.1 10.0.0.2 49152 443 6 700 1793491200 1793491260 ACCEPT ingress
";

#[test]
fn question_is_asked_by_its_name() {
    let folder = bucket();
    assert_data_eq!(
        printed(&query(folder.path(), &["who", "10.0.0.1"])),
        str![[r#"
   source       destination  protocol  port  bytes  rejected  first_seen            last_seen             both_ends
   10.0.0.1     10.0.0.2            6   443   1500         0  2026-11-01T00:00:00Z  2026-11-01T00:01:00Z  true
   203.0.113.9  10.0.0.1            6    22      0         1  2026-11-01T00:00:00Z  2026-11-01T00:01:00Z  true
note: both ends counted: rows with `both_ends` have records without `flow-direction`, and a flow that two network interfaces recorded is in them twice. Record the field to count it once
note: `who` is more exact with fields that are not recorded in: `pkt-srcaddr` (2 of 2 objects), `pkt-dstaddr` (2 of 2 objects), `flow-direction` (2 of 2 objects)
Some(0)

"#]]
    );
    assert_data_eq!(
        printed(&query(folder.path(), &["rejected", "--format", "csv"])),
        str![[r#"
account,interface_id,direction,source,destination,protocol,port,reason,records,first_seen,last_seen
222222222222,eni-0a,,203.0.113.9,10.0.0.1,6,22,,1,2026-11-01T00:00:00Z,2026-11-01T00:01:00Z
note: `rejected` is more exact with fields that are not recorded in: `pkt-srcaddr` (2 of 2 objects), `pkt-dstaddr` (2 of 2 objects), `flow-direction` (2 of 2 objects), `reject-reason` (2 of 2 objects)
Some(0)

"#]]
    );
}

#[test]
fn flow_that_both_ends_recorded_counts_once_where_the_direction_is_recorded() {
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
note: both ends counted: rows with `both_ends` have records without `flow-direction`, and a flow that two network interfaces recorded is in them twice. Record the field to count it once
note: `pairs` is more exact with fields that are not recorded in: `flow-direction` (1 of 2 objects)
Some(0)

"#]]
    );
}

#[test]
fn fields_that_objects_lack_are_named() {
    let folder = bucket();
    assert_data_eq!(
        printed(&query(folder.path(), &["cross-zone"])),
        str![[r#"
   account  source_zone  destination_zone  bytes  usd  both_ends
note: `cross-zone` needs fields that are not recorded in: `az-id` (2 of 2 objects), `next-hop-az-id` (2 of 2 objects). Their records are missing in the answer or lack values
note: `cross-zone` is more exact with fields that are not recorded in: `flow-direction` (2 of 2 objects)
Some(0)

"#]]
    );
}

#[test]
fn rows_beyond_the_limit_of_a_ranking_are_announced() {
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
    let note = "note: these are the first 100 rows: `--limit` sets another number".to_owned();
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
    What passes NAT gateways, by source
    needs: srcaddr, dstaddr, bytes, pkt-srcaddr, pkt-dstaddr, interface-type (or --nat)
    better with: interface-id, action, resource-id
    flowagg query nat --nat eni-0a1b2c3d4e5f67890

    Counts records of the gateways on the side of the source only, where the address in the packet differs from that of the gateway: each byte that a gateway processes counts once, in the direction that it has for the source. Gateways are recognised by the field `interface-type`, named with `--nat`, or looked up in the accounts of the fleet file with `--nat fleet`, which is the default if the fleet file does not record `interface-type`. Addresses alone do not tell them from load balancers and transit gateways.

Some(0)

"#]]
    );
}

#[test]
fn invalid_questions_say_what_to_do() {
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
error: `top instances` is one argument, so it is not the question `top`
       leave the quotes out: `flowagg query top instances`
error: invalid argument `-1` of `scans`: expected a number of targets or ports
       as in `flowagg query scans 50 --from 24h`; `flowagg query --list` shows all questions
error: the argument '--path <DIR>' cannot be used with '--list'

Usage: flowagg query --path <DIR> --format <FORMAT> [QUESTION|SQL] [ARGUMENT]...

For more information, try '--help'.
error: unknown question `zebra`
       `flowagg query --list` shows all questions; a SQL statement is one argument in quotes
error: unknown question `select`
       put the whole statement in quotes, as one argument
error: `who` needs an argument: ADDRESS
       as in `flowagg query who 10.0.0.7 --from 24h`; `flowagg query --list` shows all questions
error: invalid argument `example.com` of `who`: expected an IP address
       as in `flowagg query who 10.0.0.7 --from 24h`; `flowagg query --list` shows all questions
error: unexpected argument `10.0.0.8` of `who`
       as in `flowagg query who 10.0.0.7 --from 24h`; `flowagg query --list` shows all questions
error: `--nat` is not an option of `rejected`
       as in `flowagg query rejected --from 24h`; `flowagg query --list` shows all questions
error: `--nat` is only an option of `pairs` with `packets`
       as in `flowagg query pairs packets --nat eni-0a1b2c3d4e5f67890`
error: invalid value '18-8' for '--hours <HOURS>': expected hours such as `8-18`

For more information, try '--help'.
error: `unused-rules` reads the rules in the accounts of the fleet file, and with `--path` no fleet file is read
       leave out `--path` to read the bucket of the fleet file

"#]]
    );
}

#[test]
fn question_that_the_declared_fields_cannot_answer_ends_before_any_call() {
    assert_data_eq!(
        printed(&offline(&["query", "cross-zone"], FLEET, "")),
        str![[r#"
error: `cross-zone` needs fields that the flow logs do not record: `az-id`, `next-hop-az-id`
       add them to `flow-logs.fields`, or set it to "cost"; then run `flowagg plan`
Some(2)

"#]]
    );
    let accepted = format!("{FLEET}\n[flow-logs]\ntraffic = \"accept\"\n");
    assert_data_eq!(
        printed(&offline(&["query", "rejected"], &accepted, "")),
        str![[r#"
error: `rejected` is about rejected traffic, and the flow logs record accepted traffic only
       set `flow-logs.traffic` to "all", then run `flowagg plan`
Some(2)

"#]]
    );
}
