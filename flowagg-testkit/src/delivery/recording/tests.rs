use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;

use flate2::read::GzDecoder;
use flowagg_core::flow_log::{Field, FileFormat};
use flowagg_core::id::{AccountId, Region};
use parquet::basic::{Compression, Type as Physical};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field as Cell;

use super::*;

/// Aggregation intervals of both lengths end at the end of the five minutes that start here.
const START: i64 = 1_529_511_600 - PUBLISHED_EVERY;

/// All fields of versions 2 to 5, in the order of the documentation.
const UP_TO_FIVE: &str = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action \
     log-status vpc-id subnet-id instance-id tcp-flags type pkt-srcaddr pkt-dstaddr region az-id sublocation-type \
     sublocation-id pkt-src-aws-service pkt-dst-aws-service flow-direction traffic-path";

/// The order of the TCP example in "Flow log record examples" (Amazon VPC User Guide).
const EXAMPLE: &str = "version vpc-id subnet-id instance-id interface-id account-id type srcaddr dstaddr srcport dstport \
     pkt-srcaddr pkt-dstaddr protocol bytes packets start end action tcp-flags log-status";

type Row = BTreeMap<String, String>;

fn recording(fields: &str) -> Recording {
    let format: Vec<String> = fields.split_whitespace().map(|field| format!("${{{field}}}")).collect();
    Recording {
        resource: Some(ResourceId::parse("vpc-0a1b2c3d4e5f67890").unwrap()),
        columns: Columns::parse(&format.join(" ")),
        ..Recording::new(
            Place::new(AccountId::parse("123456789012").unwrap(), &Region::parse("ap-southeast-2").unwrap()),
            FlowLogId::parse("fl-1234abcd").unwrap(),
        )
    }
}

fn files(recording: &Recording, traffic: &Traffic, start: i64, shape: Shape) -> Vec<LogFile> {
    recording.network(traffic).files(start, shape).map(Result::unwrap).collect()
}

/// The lines of all text files, without their headers.
fn lines(recording: &Recording, traffic: &Traffic, start: i64) -> Vec<String> {
    files(recording, traffic, start, Shape::default()).iter().flat_map(lines_of).collect()
}

fn lines_of(file: &LogFile) -> Vec<String> {
    let mut text = String::new();
    GzDecoder::new(file.body.as_slice()).read_to_string(&mut text).unwrap();
    let lines: Vec<String> = text.lines().skip(1).map(str::to_owned).collect();
    assert_eq!(lines.len() as u64, file.records);
    lines
}

fn rows(recording: &Recording, traffic: &Traffic, start: i64) -> Vec<Row> {
    let names: Vec<&str> = recording.columns.iter().map(|column| column.name.as_str()).collect();
    let row = |line: &String| {
        let values: Vec<&str> = line.split(' ').collect();
        assert_eq!(values.len(), names.len(), "{line}");
        names.iter().zip(values).map(|(name, value)| ((*name).to_owned(), value.to_owned())).collect()
    };
    lines(recording, traffic, start).iter().map(row).collect()
}

fn number(row: &Row, field: &str) -> i64 {
    row[field].parse().unwrap()
}

fn many() -> Traffic {
    Traffic { flows: 600, busy: 6, idle: 2, overloaded: 1, ..Traffic::default() }
}

#[test]
fn header_lists_the_fields_in_format_order() {
    let file = &files(&recording(EXAMPLE), &Traffic::default(), START, Shape::default())[0];
    let mut text = String::new();
    GzDecoder::new(file.body.as_slice()).read_to_string(&mut text).unwrap();
    assert_eq!(text.lines().next(), Some(EXAMPLE));
    assert!(text.ends_with("NODATA\n"));
}

#[test]
fn documented_example_format_has_golden_lines() {
    let lines = lines(&recording(EXAMPLE), &Traffic { flows: 8, busy: 1, ..Traffic::default() }, START);
    let (busy, idle) = (
        "subnet-0a2eb4dcc16f5cf0e i-0a00be332440033e2 eni-002ed07716f0b342b",
        "subnet-06cd7dc04c035d471 i-08394447b507259ad eni-09e4083d3ea28174c",
    );
    for (n, (line, expected)) in lines.iter().zip(GOLDEN).enumerate() {
        let interface = if n < 8 { busy } else { idle };
        assert_eq!(*line, format!("3 vpc-0a1b2c3d4e5f67890 {interface} 123456789012 {expected}"));
    }
    assert_eq!(lines.len(), GOLDEN.len());
}

#[test]
fn fields_of_versions_2_to_5_have_values_if_they_apply() {
    let rows = rows(&recording(UP_TO_FIVE), &many(), START);
    assert!(UP_TO_FIVE.split(' ').all(|field| Field::parse(field).unwrap().version() <= 5));
    assert_eq!(rows[0].len(), 29);
    // Only a NAT gateway forwards packets, and it is not an instance.
    let passes_on = |row: &&Row| row["srcaddr"] != row["pkt-srcaddr"] || row["dstaddr"] != row["pkt-dstaddr"];
    let gateways: BTreeSet<String> =
        rows.iter().filter(passes_on).map(|row| row["interface-id"].clone()).collect();
    assert_eq!(gateways.len(), 2);
    for row in rows.iter().filter(|row| row["log-status"] == "OK") {
        for (field, value) in row {
            let applies = match field.as_str() {
                "sublocation-type" | "sublocation-id" => false,
                "instance-id" => !gateways.contains(&row["interface-id"]),
                "pkt-src-aws-service" => row["pkt-srcaddr"].starts_with("52."),
                "pkt-dst-aws-service" => row["pkt-dstaddr"].starts_with("52."),
                "traffic-path" => row["flow-direction"] == "egress",
                _ => true,
            };
            assert_eq!(value != "-", applies, "{field} of {row:?}");
        }
    }
}

#[test]
fn values_of_a_record_are_consistent() {
    for row in rows(&recording(UP_TO_FIVE), &many(), START).iter().filter(|row| row["log-status"] == "OK") {
        let protocol = number(row, "protocol");
        let is_ipv6 = row["type"] == "IPv6";
        for address in ["srcaddr", "dstaddr", "pkt-srcaddr", "pkt-dstaddr"] {
            assert_eq!(row[address].parse::<std::net::IpAddr>().unwrap().is_ipv6(), is_ipv6, "{row:?}");
        }
        let (packets, bytes) = (number(row, "packets"), number(row, "bytes"));
        let header = if is_ipv6 { 40 } else { 20 };
        assert!(packets > 0 && (packets * header..=packets * 1500).contains(&bytes), "{row:?}");
        match protocol {
            6 => assert!(row["action"] == "ACCEPT" || row["tcp-flags"] == "2", "{row:?}"),
            17 => assert_eq!(row["tcp-flags"], "0"),
            1 | 58 => {
                assert_eq!(protocol == 58, is_ipv6, "{row:?}");
                assert_eq!((row["srcport"].as_str(), row["dstport"].as_str()), ("0", "0"));
            }
            other => unreachable!("protocol {other}"),
        }
        assert!(row["az-id"].starts_with("apse2-az") && row["region"] == "ap-southeast-2", "{row:?}");
        assert_eq!((row["vpc-id"].as_str(), row["version"].as_str()), ("vpc-0a1b2c3d4e5f67890", "5"));
    }
}

#[test]
fn default_traffic_covers_every_kind() {
    let rows = rows(&recording(UP_TO_FIVE), &Traffic::default(), START);
    for (field, values) in [
        ("type", &["IPv4", "IPv6"][..]),
        ("protocol", &["1", "6", "17"]),
        ("action", &["ACCEPT", "REJECT"]),
        ("log-status", &["OK", "NODATA"]),
        ("flow-direction", &["ingress", "egress"]),
        ("tcp-flags", &["0", "2", "3", "19"]),
        ("traffic-path", &["1", "8"]),
    ] {
        let found: BTreeSet<&str> =
            rows.iter().map(|row| row[field].as_str()).filter(|value| *value != "-").collect();
        assert_eq!(found, values.iter().copied().collect(), "{field}");
    }
    assert_eq!(rows.len(), 24 + 1);
}

#[test]
fn records_without_a_flow_have_only_place_and_time() {
    let rows = rows(&recording(UP_TO_FIVE), &many(), START);
    let there = [
        "version",
        "account-id",
        "interface-id",
        "start",
        "end",
        "log-status",
        "vpc-id",
        "subnet-id",
        "instance-id",
        "region",
        "az-id",
    ];
    for (status, count) in [("NODATA", 2), ("SKIPDATA", 1)] {
        let rows: Vec<_> = rows.iter().filter(|row| row["log-status"] == status).collect();
        assert_eq!(rows.len(), count);
        for (field, value) in rows.iter().flat_map(|row| row.iter()) {
            assert!(there.contains(&field.as_str()) || value == "-", "{field} is {value}");
        }
        assert!(rows.iter().all(|row| row["start"] != "-" && row["interface-id"].starts_with("eni-")));
    }
}

#[test]
fn nodata_record_matches_the_documented_line() {
    let fields = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status";
    let traffic = Traffic { busy: 0, flows: 0, ..Traffic::default() };
    let lines = lines(&recording(fields), &traffic, START);
    let eni = lines[0].split(' ').nth(2).unwrap();
    assert_eq!(lines, [format!("2 123456789012 {eni} - - - - - - - 1529511000 1529511599 - NODATA")]);
}

#[test]
fn accepted_plus_rejected_traffic_is_all_traffic() {
    let of = |traffic_type| {
        let recording = Recording { traffic_type, ..recording("interface-id action srcaddr srcport start") };
        let mut lines = lines(&recording, &Traffic { idle: 0, overloaded: 0, ..many() }, START);
        lines.sort();
        lines
    };
    let (mut accepted, mut rejected) = (of(TrafficType::Accept), of(TrafficType::Reject));
    assert!(accepted.iter().all(|line| line.contains("ACCEPT")) && !accepted.is_empty());
    assert!(rejected.iter().all(|line| line.contains("REJECT")) && !rejected.is_empty());
    accepted.append(&mut rejected);
    accepted.sort();
    assert!(accepted == of(TrafficType::All) && accepted.len() == 600);
}

#[test]
fn records_end_in_their_file_and_stay_within_one_aggregation_interval() {
    for (aggregation_interval, seconds) in
        [(AggregationInterval::OneMinute, 60), (AggregationInterval::TenMinutes, 600)]
    {
        let recording = Recording { aggregation_interval, ..recording("start end log-status") };
        for start in [START, START + PUBLISHED_EVERY] {
            let rows = rows(&recording, &many(), start);
            for row in &rows {
                let (begin, end) = (number(row, "start"), number(row, "end"));
                assert!((start..start + PUBLISHED_EVERY).contains(&end) && begin <= end, "{row:?}");
                assert_eq!(begin.div_euclid(seconds), end.div_euclid(seconds), "{row:?}");
            }
            // A 10-minute interval ends in every second file only.
            let ended = if seconds == 60 { 5 } else { usize::from(start == START) };
            assert_eq!(rows.iter().filter(|row| row["log-status"] == "NODATA").count(), 2 * ended);
            assert_eq!(rows.iter().filter(|row| row["log-status"] == "OK").count(), 600);
        }
    }
}

#[test]
fn files_depend_only_on_seed_resource_and_time() {
    let of = |recording: &Recording, seed, start| {
        files(recording, &Traffic { seed, ..many() }, start, Shape::default())
    };
    let one = recording(EXAMPLE);
    let elsewhere = Recording { resource: Some(ResourceId::parse("vpc-1234abcd").unwrap()), ..one.clone() };
    let first = of(&one, 1, START);
    assert_eq!(first, of(&one, 1, START));
    for other in [of(&one, 2, START), of(&one, 1, START + PUBLISHED_EVERY), of(&elsewhere, 1, START)] {
        assert_ne!(first[0].body, other[0].body);
    }
}

#[test]
fn interface_flow_log_covers_one_interface_and_subnet_flow_log_one_subnet() {
    let of = |id: &str| {
        let resource = Some(ResourceId::parse(id).unwrap());
        rows(
            &Recording { resource, ..recording("interface-id subnet-id vpc-id az-id") },
            &Traffic::default(),
            START,
        )
    };
    let interface = of("eni-0a1b2c3d4e5f67890");
    assert_eq!(interface.len(), 24);
    assert!(
        interface
            .iter()
            .all(|row| row["interface-id"] == "eni-0a1b2c3d4e5f67890" && row["vpc-id"].starts_with("vpc-"))
    );
    let subnet = of("subnet-0a1b2c3d4e5f67890");
    assert!(
        subnet
            .iter()
            .all(|row| row["subnet-id"] == "subnet-0a1b2c3d4e5f67890" && row["az-id"] == "apse2-az1")
    );
    assert_eq!(subnet.iter().map(|row| &row["interface-id"]).collect::<BTreeSet<_>>().len(), 4);
}

#[test]
fn version_is_the_highest_of_the_fields() {
    for (fields, version) in
        [("version", "2"), ("version az-id", "4"), ("next-hop-vpc-id version tcp-flags", "11")]
    {
        let rows = rows(&recording(fields), &Traffic::default(), START);
        assert!(rows.iter().all(|row| row["version"] == version), "{fields}");
    }
}

#[test]
fn next_hop_is_known_only_within_the_vpc() {
    let rows = rows(
        &recording("next-hop-interface-id next-hop-vpc-id traffic-path interface-type resource-id"),
        &many(),
        START,
    );
    assert!(rows.iter().all(|row| (row["next-hop-vpc-id"] == "-") == (row["next-hop-interface-id"] == "-")));
    for row in rows.iter().filter(|row| row["traffic-path"] != "-") {
        assert_eq!(row["next-hop-interface-id"] != "-", row["traffic-path"] == "1", "{row:?}");
    }
    let types: BTreeSet<&str> = rows.iter().map(|row| row["interface-type"].as_str()).collect();
    assert_eq!(types, BTreeSet::from(["-", "nat_gateway"]));
}

#[test]
fn transit_gateway_field_is_a_column_of_dashes() {
    assert!(rows(&recording("tgw-id action"), &many(), START).iter().all(|row| row["tgw-id"] == "-"));
}

#[test]
fn files_are_split_at_the_limit_and_have_unique_names() {
    let recording = recording(EXAMPLE);
    let whole = lines(&recording, &many(), START);
    let shape = Shape { largest: 10_000, ..Shape::default() };
    let parts = files(&recording, &many(), START, shape);
    assert!(parts.len() > 5);
    for (n, part) in parts.iter().enumerate() {
        let lines = lines_of(part);
        let bytes = lines.iter().map(|line| line.len() + 1).sum::<usize>() + EXAMPLE.len() + 1;
        assert!(bytes <= 10_000 && (bytes > 9_500 || n == parts.len() - 1), "{bytes}");
    }
    assert_eq!(parts.iter().flat_map(lines_of).collect::<Vec<_>>(), whole);
    assert_eq!(parts.iter().map(|part| &part.hash).collect::<BTreeSet<_>>().len(), parts.len());
    // With a limit below the size of a line, each file has one record.
    let smallest = files(&recording, &Traffic::default(), START, Shape { largest: 1, ..shape });
    assert!(smallest.len() == 25 && smallest.iter().all(|part| part.records == 1));
}

#[test]
fn no_records_no_file() {
    let traffic = Traffic { flows: 0, idle: 0, ..Traffic::default() };
    assert!(files(&recording(EXAMPLE), &traffic, START, Shape::default()).is_empty());
}

#[test]
fn text_and_parquet_contain_the_same_values() {
    let recording = recording(UP_TO_FIVE);
    let parquet = Shape { format: FileFormat::Parquet, largest: 20_000 };
    let text = Shape { format: FileFormat::PlainText, ..parquet };
    let (text, parquet) =
        (files(&recording, &many(), START, text), files(&recording, &many(), START, parquet));
    assert!(text.len() > 1 && text.len() == parquet.len());
    for (text, parquet) in text.iter().zip(&parquet) {
        let reader = SerializedFileReader::new(bytes_of(parquet)).unwrap();
        let rows = reader.get_row_iter(None).unwrap().map(|row| {
            let row = row.unwrap();
            let words: Vec<String> = row.get_column_iter().map(|(_, cell)| word(cell)).collect();
            words.join(" ")
        });
        assert_eq!(rows.collect::<Vec<_>>(), lines_of(text));
        assert_eq!((text.records, &text.hash), (parquet.records, &parquet.hash));
    }
}

#[test]
fn parquet_has_documented_types_athena_names_and_gzip() {
    let recording = recording(UP_TO_FIVE);
    let file =
        &files(&recording, &many(), START, Shape { format: FileFormat::Parquet, ..Shape::default() })[0];
    let reader = SerializedFileReader::new(bytes_of(file)).unwrap();
    let schema = reader.metadata().file_metadata().schema_descr();
    let names: Vec<&str> = schema.columns().iter().map(|column| column.name()).collect();
    assert_eq!(names.join(" "), UP_TO_FIVE.replace('-', "_"));
    let of = |kind| {
        let columns = schema.columns().iter().filter(move |column| column.physical_type() == kind);
        columns.map(|column| column.name()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(of(Physical::INT32), "version srcport dstport protocol tcp_flags traffic_path");
    assert_eq!(of(Physical::INT64), "packets bytes start end");
    for column in reader.metadata().row_groups().iter().flat_map(|group| group.columns()) {
        assert!(matches!(column.compression(), Compression::GZIP(_)), "{}", column.column_path());
    }
    assert_eq!(reader.metadata().file_metadata().num_rows() as u64, file.records);
}

fn bytes_of(file: &LogFile) -> bytes::Bytes {
    file.body.clone().into()
}

/// A cell formatted as in a text file.
fn word(cell: &Cell) -> String {
    match cell {
        Cell::Null => "-".to_owned(),
        Cell::Int(number) => number.to_string(),
        Cell::Long(number) => number.to_string(),
        Cell::Str(text) => text.clone(),
        other => unreachable!("{other}"),
    }
}

/// The golden lines, without the leading IDs.
const GOLDEN: [&str; 9] = [
    "IPv4 198.18.254.84 10.94.0.4 28916 443 198.18.254.84 10.94.0.4 6 14016 16 1529511419 1529511548 ACCEPT 3 OK",
    "IPv4 10.94.0.4 198.18.254.84 443 28916 10.94.0.4 198.18.254.84 6 41250 30 1529511419 1529511548 ACCEPT 19 OK",
    "IPv4 198.18.132.44 10.94.0.4 35202 23 198.18.132.44 10.94.0.4 6 40 1 1529511338 1529511541 REJECT 2 OK",
    "IPv4 10.94.0.4 10.94.1.4 16511 514 10.94.0.4 10.94.1.4 17 304 4 1529511108 1529511322 ACCEPT 0 OK",
    "IPv6 2001:db8:ffff:0:7103:41c3:4237:2099 2001:db8:435e:0:8391:4582:5c8e:d5e7 54873 443 2001:db8:ffff:0:7103:41c3:4237:2099 2001:db8:435e:0:8391:4582:5c8e:d5e7 6 21045 15 1529511428 1529511502 ACCEPT 3 OK",
    "IPv6 2001:db8:435e:0:8391:4582:5c8e:d5e7 2001:db8:ffff:0:7103:41c3:4237:2099 443 54873 2001:db8:435e:0:8391:4582:5c8e:d5e7 2001:db8:ffff:0:7103:41c3:4237:2099 6 19372 29 1529511428 1529511502 ACCEPT 19 OK",
    "IPv4 198.19.255.70 10.94.0.4 0 0 198.19.255.70 10.94.0.4 1 672 8 1529511385 1529511555 ACCEPT 0 OK",
    "IPv4 10.94.0.4 198.19.255.70 0 0 10.94.0.4 198.19.255.70 1 756 9 1529511385 1529511555 ACCEPT 0 OK",
    "- - - - - - - - - - 1529511000 1529511599 - - NODATA",
];
