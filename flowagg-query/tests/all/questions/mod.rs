//! The named queries, compared with the simulated traffic and flow logs of small networks.

mod athena;
mod record;
mod rules;
mod truth;
mod world;

use flowagg_core::flow_log::FileFormat;
use flowagg_core::question::{BOTH_ENDS, Gateway, Options, Question, QuestionName, Table};
use flowagg_query::FlowLogs;
use flowagg_query::datafusion::arrow::util::pretty::pretty_format_batches;
use flowagg_query::datafusion::prelude::SessionContext;
use snapbox::{assert_data_eq, str};

use self::record::Format;
use self::truth::Row;
use self::world::{NAT_ADDRESS, NAT_ID, REGIONAL_NAT_ID, World};
use crate::bucket::{Home, Object, bucket};
use crate::run::{rows, session};

/// The queries with their arguments and options.
const LINES: [&str; 47] = [
    "pairs",
    "pairs packets",
    "pairs packets --nat 10.0.0.220",
    "top",
    "top --nat 10.0.0.220",
    "top instances",
    "top subnets",
    "who 10.0.1.5",
    "who 10.40.2.236",
    "who 203.0.113.5",
    "who 10.0.0.220",
    "interface eni-0aaaaaaaaaaaaaaa4",
    "interface i-0bbbbbbbbbbbbbbb1",
    "rejected",
    "ssh-rdp",
    "admin-ports",
    "admin-ports 22,23,3389,5432 --own 2001:db8:a::/48",
    "inbound",
    "inbound --own 2001:db8:a::/48",
    "outbound --own 2001:db8:a::/48",
    "outbound --own 2001:db8:a::/48 --nat 10.0.0.220",
    "nat",
    "nat --nat 10.0.0.220",
    "nat --nat fleet",
    "nat --nat eni-0aaaaaaaaaaaaaaa4",
    "nat --nat nat-0aaaaaaaaaaaaaaa4",
    "nat-to-aws",
    "nat-to-aws --nat 10.0.0.220",
    "cross-zone",
    "between-accounts",
    "between-accounts vpcs",
    "between-accounts regions",
    "by-day",
    "by-day hour",
    "large-flows 900000",
    "large-flows 400000 --nat 10.0.0.220",
    "scans 4",
    "scans 6 --nat 10.0.0.220",
    "scans 6 --nat fleet",
    "off-hours",
    "off-hours --hours 7-19 --weekdays mon-sat --utc-offset -5",
    "by-service",
    "by-service ecs-task",
    "by-service instance-tag",
    "by-service interface-tag",
    "by-service asg-tag",
    "unencrypted",
];

/// More rows than any answer in these tests has.
const ROWS: usize = 100_000;

/// Parses a query as on the command line.
fn question(line: &str) -> Question {
    let mut words = line.split(' ');
    let name = QuestionName::parse(words.next().unwrap()).unwrap();
    let (mut arguments, mut options) = (Vec::new(), Options::default());
    while let Some(word) = words.next() {
        match word {
            "--nat" => options.gateways = vec![words.next().unwrap().parse().unwrap()],
            "--own" => options.own = vec![words.next().unwrap().parse().unwrap()],
            "--hours" => options.hours = Some(words.next().unwrap().parse().unwrap()),
            "--weekdays" => options.weekdays = Some(words.next().unwrap().parse().unwrap()),
            "--utc-offset" => options.utc_offset = Some(words.next().unwrap().parse().unwrap()),
            argument => arguments.push(argument),
        }
    }
    Question::new(name, arguments, options).unwrap()
}

fn sql(line: &str) -> String {
    question(line).sql(&Table::of_session(FlowLogs::NAME), ROWS)
}

/// An object for each network interface, using these formats in turn.
fn objects(world: &World, formats: &[FileFormat]) -> Vec<Object> {
    let texts = world.texts().into_iter().enumerate();
    let object = |(number, (interface, text)): (usize, (&world::Interface, String))| {
        let home = Home { account: interface.account, region: interface.region, ..Home::PLAIN };
        Object::new(&home, 1_772_668_800, number, formats[number % formats.len()], text)
    };
    texts.map(object).collect()
}

async fn session_of(world: &World) -> SessionContext {
    session(FlowLogs::new(bucket(&objects(world, &FileFormat::ALL)).await))
}

/// The rows of a query, sorted; `-` is NULL.
async fn answer(session: &SessionContext, line: &str) -> Vec<Row> {
    let rows = rows(session, &sql(line)).await.unwrap_or_else(|error| panic!("{line}: {error}"));
    let text = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    let mut rows: Vec<Row> = rows.into_iter().map(|row| row.into_iter().map(text).collect()).collect();
    rows.sort();
    rows
}

/// The index of a column in the rows of a query.
async fn place(session: &SessionContext, line: &str, column: &str) -> Option<usize> {
    session.sql(&sql(line)).await.unwrap().schema().index_of_column_by_name(None, column)
}

#[test]
fn lines_cover_every_query_except_unused_rules() {
    for name in QuestionName::ALL {
        let is_asked = LINES.iter().any(|line| line.split(' ').next() == Some(name.as_str()));
        assert_eq!(is_asked, name != QuestionName::UnusedRules, "{name}");
    }
    for gateway in [NAT_ID, NAT_ADDRESS, REGIONAL_NAT_ID] {
        assert!(LINES.iter().any(|line| line.contains(gateway)), "{gateway}");
    }
}

#[tokio::test]
async fn answers_are_exact_if_records_have_a_direction() {
    use Format::{Directed, Full, Poor};
    let kinds: [&[Option<Format>]; 3] =
        [&[Some(Full)], &[Some(Full), Some(Full), None], &[Some(Full), Some(Directed), None, Some(Poor)]];
    let mut found = [0; LINES.len()];
    for (seed, kind) in kinds.iter().cycle().take(6).enumerate() {
        let world = World::new(seed as u64, kind);
        let session = session_of(&world).await;
        for (line, found) in LINES.iter().zip(&mut found) {
            let (mut rows, mut truth) = (answer(&session, line).await, world.answer(line));
            // Without `traffic-path`, traffic through the gateway may count twice. Such rows are marked.
            if line.starts_with("outbound") {
                for rows in [&mut rows, &mut truth] {
                    rows.retain(|row| row.last().is_some_and(|mark| mark == "false"));
                }
            }
            *found += rows.len();
            assert_eq!(rows, truth, "{line} in the world {seed}");
        }
    }
    for (line, found) in LINES.iter().zip(found) {
        assert!(found > 0, "no world has rows for {line}");
    }
}

#[tokio::test]
async fn only_marked_rows_may_count_both_ends() {
    use Format::{Default, Directed, Full, Poor};
    let formats = [Some(Full), Some(Directed), Some(Default), Some(Poor), None];
    let (mut marked, mut doubled) = (0, 0);
    for seed in 100..103 {
        let world = World::new(seed, &formats);
        let session = session_of(&world).await;
        for line in LINES {
            let (rows, truth) = (answer(&session, line).await, world.answer(line));
            let Some(mark) = place(&session, line, BOTH_ENDS).await else {
                assert_eq!(rows, truth, "{line} in the world {seed}");
                continue;
            };
            let split =
                |rows: Vec<Row>| rows.into_iter().partition::<Vec<Row>, _>(|row| row[mark] == "false");
            let ((exact, rows), (truly_exact, truth)) = (split(rows), split(truth));
            assert_eq!(exact, truly_exact, "{line} in the world {seed}");
            if !line.starts_with("pairs") {
                continue;
            }
            assert_eq!(rows.len(), truth.len(), "{line} in the world {seed}");
            for (row, truth) in rows.iter().zip(&truth) {
                let [counted, sent] = [row, truth].map(|row| row[2].parse::<i64>().unwrap());
                assert_eq!(row[..2], truth[..2]);
                assert!(
                    (sent..=2 * sent).contains(&counted),
                    "{line} in the world {seed}: {row:?}, {truth:?}"
                );
                marked += 1;
                doubled += usize::from(counted > sent);
            }
        }
    }
    assert!(
        marked > doubled && doubled > 0,
        "{marked} rows are marked, {doubled} count more bytes than were sent"
    );
}

#[tokio::test]
async fn parquet_and_text_files_return_the_same_rows() {
    let world = World::new(7, &[Some(Format::Full), Some(Format::Default)]);
    let [text, parquet] = FileFormat::ALL.map(|format| objects(&world, &[format]));
    let text = session(FlowLogs::new(bucket(&text).await));
    let parquet = session(FlowLogs::new(bucket(&parquet).await));
    for line in LINES {
        assert_eq!(answer(&text, line).await, answer(&parquet, line).await, "{line}");
    }
}

#[tokio::test]
async fn records_without_required_fields_are_not_counted() {
    let world = World::new(3, &[Some(Format::Poor)]);
    let session = session_of(&world).await;
    for line in LINES {
        let rows = answer(&session, line).await;
        // Scans only need addresses and ports.
        assert_eq!(rows.is_empty(), !line.starts_with("scans"), "{line}: {rows:?}");
    }
}

#[tokio::test]
async fn bucket_without_objects_has_no_rows() {
    let session = session(FlowLogs::new(bucket(&[]).await));
    for line in LINES {
        assert_eq!(answer(&session, line).await, Vec::<Row>::new(), "{line}");
    }
}

/// A connection from 10.0.0.1 to 10.0.0.2 recorded by both network interfaces: 1,000 bytes sent and 9,000 bytes
/// returned.
const BOTH: &str = "\
interface-id srcaddr dstaddr srcport dstport protocol bytes start end action flow-direction
eni-0a1b2c3d 10.0.0.1 10.0.0.2 40000 443 6 1000 1772668800 1772668859 ACCEPT egress
eni-0a1b2c3e 10.0.0.1 10.0.0.2 40000 443 6 1000 1772668800 1772668859 ACCEPT ingress
eni-0a1b2c3e 10.0.0.2 10.0.0.1 443 40000 6 9000 1772668800 1772668859 ACCEPT egress
eni-0a1b2c3d 10.0.0.2 10.0.0.1 443 40000 6 9000 1772668800 1772668859 ACCEPT ingress
";

async fn shown(text: String, line: &str) -> String {
    let object = Object::new(&Home::PLAIN, 1_772_668_800, 0, FileFormat::PlainText, text);
    let session = session(FlowLogs::new(bucket(&[object]).await));
    let batches = session.sql(&sql(line)).await.unwrap().collect().await.unwrap();
    pretty_format_batches(&batches).unwrap().to_string()
}

#[tokio::test]
async fn flow_recorded_at_both_ends_counts_once() {
    assert_data_eq!(
        shown(BOTH.to_owned(), "pairs").await,
        str![[r#"
+----------+-------------+-------+-----------+
| source   | destination | bytes | both_ends |
+----------+-------------+-------+-----------+
| 10.0.0.2 | 10.0.0.1    | 9000  | false     |
| 10.0.0.1 | 10.0.0.2    | 1000  | false     |
+----------+-------------+-------+-----------+
"#]]
    );
    assert_data_eq!(
        shown(BOTH.to_owned(), "top").await,
        str![[r#"
+----------+------+----------+-------+-----------+
| address  | sent | received | bytes | both_ends |
+----------+------+----------+-------+-----------+
| 10.0.0.1 | 1000 | 9000     | 10000 | false     |
| 10.0.0.2 | 9000 | 1000     | 10000 | false     |
+----------+------+----------+-------+-----------+
"#]]
    );
    assert_data_eq!(
        shown(BOTH.to_owned(), "who 10.0.0.1").await,
        str![[r#"
+----------+-------------+----------+------+-------+----------+----------------------+----------------------+-----------+
| source   | destination | protocol | port | bytes | rejected | first_seen           | last_seen            | both_ends |
+----------+-------------+----------+------+-------+----------+----------------------+----------------------+-----------+
| 10.0.0.2 | 10.0.0.1    | 6        | 443  | 9000  | 0        | 2026-03-05T00:00:00Z | 2026-03-05T00:00:59Z | false     |
| 10.0.0.1 | 10.0.0.2    | 6        | 443  | 1000  | 0        | 2026-03-05T00:00:00Z | 2026-03-05T00:00:59Z | false     |
+----------+-------------+----------+------+-------+----------+----------------------+----------------------+-----------+
"#]]
    );
}

#[tokio::test]
async fn flow_without_direction_counts_at_both_ends_and_is_marked() {
    let without = BOTH.lines().map(|line| line.rsplit_once(' ').unwrap().0.to_owned() + "\n");
    let without: String = without.collect();
    assert_data_eq!(
        shown(without.clone(), "pairs").await,
        str![[r#"
+----------+-------------+-------+-----------+
| source   | destination | bytes | both_ends |
+----------+-------------+-------+-----------+
| 10.0.0.2 | 10.0.0.1    | 18000 | true      |
| 10.0.0.1 | 10.0.0.2    | 2000  | true      |
+----------+-------------+-------+-----------+
"#]]
    );
    // The traffic of an interface only includes its own records, so nothing counts twice.
    assert_data_eq!(
        shown(without, "interface eni-0a1b2c3d").await,
        str![[r#"
+--------------+-----------+----------+-------------+----------+------+--------+-------+---------+----------------------+----------------------+
| interface_id | direction | source   | destination | protocol | port | action | bytes | records | first_seen           | last_seen            |
+--------------+-----------+----------+-------------+----------+------+--------+-------+---------+----------------------+----------------------+
| eni-0a1b2c3d |           | 10.0.0.2 | 10.0.0.1    | 6        | 443  | ACCEPT | 9000  | 1       | 2026-03-05T00:00:00Z | 2026-03-05T00:00:59Z |
| eni-0a1b2c3d |           | 10.0.0.1 | 10.0.0.2    | 6        | 443  | ACCEPT | 1000  | 1       | 2026-03-05T00:00:00Z | 2026-03-05T00:00:59Z |
+--------------+-----------+----------+-------------+----------+------+--------+-------+---------+----------------------+----------------------+
"#]]
    );
}

#[tokio::test]
async fn records_of_transit_gateways_are_not_counted() {
    let of_gateway = "\
version resource-type account-id tgw-id srcaddr dstaddr srcport dstport protocol packets bytes start end flow-direction
6 TransitGateway 111122223333 tgw-0a1b2c3d 10.0.0.1 10.0.0.2 40000 443 6 3 1000 1772668800 1772668859 ingress
6 TransitGateway 111122223333 tgw-0a1b2c3d 10.0.0.1 10.0.0.2 40000 443 6 3 1000 1772668800 1772668859 egress
";
    let object = |number: usize, text: &str| {
        Object::new(&Home::PLAIN, 1_772_668_800, number, FileFormat::PlainText, text.to_owned())
    };
    let without = session(FlowLogs::new(bucket(&[object(0, BOTH)]).await));
    let with = session(FlowLogs::new(bucket(&[object(0, BOTH), object(1, of_gateway)]).await));
    for line in LINES {
        assert_eq!(answer(&with, line).await, answer(&without, line).await, "{line}");
    }
}

#[tokio::test]
async fn request_that_only_the_receiver_rejects_is_rejected() {
    let text = "\
srcaddr dstaddr srcport dstport protocol start end action flow-direction
10.0.0.1 10.0.0.2 40000 22 6 1772668800 1772668859 ACCEPT egress
10.0.0.1 10.0.0.2 40000 22 6 1772668800 1772668859 REJECT ingress
203.0.113.5 10.0.0.2 40000 3389 6 1772668800 1772668859 ACCEPT ingress
10.0.0.2 203.0.113.5 3389 40000 6 1772668800 1772668859 ACCEPT egress
";
    assert_data_eq!(
        shown(text.to_owned(), "ssh-rdp").await,
        str![[r#"
+-------------+-------------+---------+----------+----------+----------+----------------------+----------------------+-----------+
| source      | destination | service | protocol | accepted | rejected | first_seen           | last_seen            | both_ends |
+-------------+-------------+---------+----------+----------+----------+----------------------+----------------------+-----------+
| 203.0.113.5 | 10.0.0.2    | rdp     | 6        | 1        | 0        | 2026-03-05T00:00:00Z | 2026-03-05T00:00:59Z | false     |
| 10.0.0.1    | 10.0.0.2    | ssh     | 6        | 0        | 1        | 2026-03-05T00:00:00Z | 2026-03-05T00:00:59Z | false     |
+-------------+-------------+---------+----------+----------+----------+----------------------+----------------------+-----------+
"#]]
    );
}

#[tokio::test]
async fn listed_gateway_is_matched_by_interface_or_by_address_without_interface() {
    let of_gateway = format!(
        "interface-id srcaddr dstaddr bytes pkt-srcaddr pkt-dstaddr\n{NAT_ID} 10.0.1.5 {NAT_ADDRESS} 700 10.0.1.5 203.0.113.5\n"
    );
    let without = of_gateway.replace("interface-id ", "").replace(&format!("{NAT_ID} "), "");
    // A load balancer in another VPC with the same address.
    let of_other = of_gateway.replace(NAT_ID, "eni-0ffffffffffffffff").replace("700", "90000");
    let object = |number, text: &str| {
        Object::new(&Home::PLAIN, 1_772_668_800, number, FileFormat::PlainText, text.to_owned())
    };
    let objects = [object(0, &of_gateway), object(1, &without), object(2, &of_other)];
    let session = session(FlowLogs::new(bucket(&objects).await));
    let listed = [NAT_ID.parse().unwrap(), Gateway::Listed(NAT_ADDRESS.parse().unwrap())];
    let question = question("nat --nat fleet").with_gateways(listed);
    let sql = question.sql(&Table::of_session(FlowLogs::NAME), ROWS);
    let rows = rows(&session, &sql).await.unwrap();
    let mut found: Vec<(Option<&str>, Option<&str>)> =
        rows.iter().map(|row| (row[1].as_deref(), row[5].as_deref())).collect();
    found.sort();
    assert_eq!(found, [(None, Some("700")), (Some(NAT_ID), Some("700"))]);
}

#[tokio::test]
async fn limited_answer_contains_the_top_rows() {
    let world = World::new(1, &[Some(Format::Full)]);
    let session = session_of(&world).await;
    let first = question("pairs").sql(&Table::of_session(FlowLogs::NAME), 3);
    let first = rows(&session, &first).await.unwrap();
    let bytes = |row: &Row| row[2].parse::<i64>().unwrap();
    let mut all: Vec<i64> = answer(&session, "pairs").await.iter().map(bytes).collect();
    all.sort_by_key(|bytes| std::cmp::Reverse(*bytes));
    let first: Vec<i64> = first.iter().map(|row| row[2].as_deref().unwrap().parse().unwrap()).collect();
    assert_eq!(first, all[..3]);
}
