//! The columns, values and functions of the table.

use flowagg_core::flow_log::FileFormat;
use flowagg_query::FlowLogs;
use flowagg_query::datafusion::arrow::util::pretty::pretty_format_batches;
use snapbox::{assert_data_eq, file, str};

use crate::bucket::{Home, Object, bucket};
use crate::run::session;

async fn shown(objects: &[Object], sql: &str) -> String {
    let session = session(FlowLogs::new(bucket(objects).await));
    let batches = session.sql(sql).await.unwrap().collect().await.unwrap();
    pretty_format_batches(&batches).unwrap().to_string()
}

fn text(home: &Home, number: usize, text: &str) -> Object {
    // 2026-03-01T00:00:00Z.
    Object::new(home, 1_772_323_200, number, FileFormat::PlainText, text.to_owned())
}

#[tokio::test]
async fn columns_are_the_fields_of_all_versions_and_parts_of_the_key() {
    assert_data_eq!(shown(&[], "DESCRIBE vpc_flow_logs").await, file!["columns.txt"]);
}

#[tokio::test]
async fn each_object_is_read_with_its_own_header() {
    let gateway = Home { account: "444455556666", is_hive: true, is_hourly: true, ..Home::PLAIN };
    let objects = [
        text(
            &Home::PLAIN,
            0,
            "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n\
             2 123456789010 eni-1235b8ca123456789 172.31.16.139 172.31.16.21 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK\n\
             2 123456789010 eni-1235b8ca123456789 - - - - - - - 1431280876 1431280934 - NODATA\n\
             2 123456789010 eni-11111111aaaaaaaaa - - - - - - - 1431280876 1431280934 - SKIPDATA\n",
        ),
        text(&Home::PLAIN, 1, "action bytes dstport srcaddr\nREJECT 7 443 2001:db8::1\n"),
        text(
            &gateway,
            2,
            "version resource-type account-id tgw-id srcaddr bytes packets-lost-blackhole log-status\n\
             6 TransitGateway 444455556666 tgw-0fb8421e2da853bf3 10.40.1.175 5 3 OK\n",
        ),
    ];
    let sql = "SELECT log_account, log_region, log_date, log_hour, account_id, srcaddr, dstport, bytes, end_time, action, \
               log_status, tgw_id, packets_lost_blackhole AS lost FROM vpc_flow_logs ORDER BY object_key, bytes NULLS LAST, log_status";
    assert_data_eq!(
        shown(&objects, sql).await,
        str![[r#"
+--------------+------------+------------+----------+--------------+---------------+---------+-------+----------------------+--------+------------+-----------------------+------+
| log_account  | log_region | log_date   | log_hour | account_id   | srcaddr       | dstport | bytes | end_time             | action | log_status | tgw_id                | lost |
+--------------+------------+------------+----------+--------------+---------------+---------+-------+----------------------+--------+------------+-----------------------+------+
| 111122223333 | eu-west-1  | 2026/03/01 | 00       | 123456789010 | 172.31.16.139 | 22      | 4249  | 2014-12-14T04:07:50Z | ACCEPT | OK         |                       |      |
| 111122223333 | eu-west-1  | 2026/03/01 | 00       | 123456789010 |               |         |       | 2015-05-10T18:02:14Z |        | NODATA     |                       |      |
| 111122223333 | eu-west-1  | 2026/03/01 | 00       | 123456789010 |               |         |       | 2015-05-10T18:02:14Z |        | SKIPDATA   |                       |      |
| 111122223333 | eu-west-1  | 2026/03/01 | 00       |              | 2001:db8::1   | 443     | 7     |                      | REJECT |            |                       |      |
| 444455556666 | eu-west-1  | 2026/03/01 | 00       | 444455556666 | 10.40.1.175   |         | 5     |                      |        | OK         | tgw-0fb8421e2da853bf3 | 3    |
+--------------+------------+------------+----------+--------------+---------------+---------+-------+----------------------+--------+------------+-----------------------+------+
"#]]
    );
}

#[tokio::test]
async fn addresses_are_matched_with_networks() {
    let object = text(
        &Home::PLAIN,
        0,
        "srcaddr\n10.1.2.3\n11.0.0.1\n2001:db8::1\n2001:db9::1\n-\nnot-an-address\n::ffff:10.0.0.1\n",
    );
    let sql = "SELECT srcaddr, cidr_contains('10.0.0.0/8', srcaddr) AS ten, cidr_contains('2001:db8::/32', srcaddr) AS six, \
               cidr_network(srcaddr, 24) AS network, cidr_contains('0.0.0.0/0', srcaddr) AS four FROM vpc_flow_logs";
    assert_data_eq!(
        shown(&[object], sql).await,
        str![[r#"
+-----------------+-------+-------+---------------+-------+
| srcaddr         | ten   | six   | network       | four  |
+-----------------+-------+-------+---------------+-------+
| 10.1.2.3        | true  | false | 10.1.2.0/24   | true  |
| 11.0.0.1        | false | false | 11.0.0.0/24   | true  |
| 2001:db8::1     | false | true  | 2001:d00::/24 | false |
| 2001:db9::1     | false | false | 2001:d00::/24 | false |
|                 |       |       |               |       |
| not-an-address  |       |       |               |       |
| ::ffff:10.0.0.1 | false | false | ::/24         | false |
+-----------------+-------+-------+---------------+-------+
"#]]
    );
}

#[tokio::test]
async fn invalid_network_is_an_error() {
    let object = text(&Home::PLAIN, 0, "srcaddr\n10.1.2.3\n");
    let session = session(FlowLogs::new(bucket(&[object]).await));
    let sql = "SELECT cidr_contains('10.0.0.0/33', srcaddr) FROM vpc_flow_logs";
    let error = crate::run::rows(&session, sql).await.unwrap_err();
    assert_data_eq!(error.to_string(), str!["`10.0.0.0/33` is not a network such as `10.0.0.0/8`"]);
}

#[tokio::test]
async fn condition_applied_by_the_reader_is_not_applied_again() {
    let sql = "EXPLAIN FORMAT INDENT SELECT sum(bytes) FROM vpc_flow_logs WHERE dstport = 22 AND action IN ('REJECT') AND \
               log_account = '111122223333' AND end_time >= '2026-03-01T00:00:00'";
    let plan = shown(&[], sql).await;
    assert!(!plan.contains("FilterExec"), "{plan}");
    let (_, scan) = plan.split_once("FlowLogsExec:").unwrap();
    assert_data_eq!(
        scan.lines().next().unwrap().trim_end_matches(['|', ' ']),
        str![[
            r#" columns=[bytes], filter=(dstport = 22 AND action IN (REJECT) AND log_account IN (111122223333) AND end_time >= 1772323200)"#
        ]]
    );
}

#[tokio::test]
async fn recorded_files_are_read() {
    let objects = [
        text(&Home::PLAIN, 0, include_str!("../data/recorded-default.txt")),
        text(&Home::PLAIN, 1, include_str!("../data/recorded-custom.txt")),
        text(&Home::PLAIN, 2, include_str!("../data/recorded-version-5.txt")),
    ];
    let sql = "SELECT version, srcaddr, dstaddr, srcport, dstport, protocol, packets, bytes, start, \"end\", action, tcp_flags, \
               pkt_dst_aws_service, traffic_path, log_status FROM vpc_flow_logs \
               ORDER BY version, bytes, \"end\", log_status, srcport";
    assert_data_eq!(
        shown(&objects, sql).await,
        str![[r#"
+---------+----------------------------------------+----------------------------------------+---------+---------+----------+---------+-------+------------+------------+--------+-----------+---------------------+--------------+------------+
| version | srcaddr                                | dstaddr                                | srcport | dstport | protocol | packets | bytes | start      | end        | action | tcp_flags | pkt_dst_aws_service | traffic_path | log_status |
+---------+----------------------------------------+----------------------------------------+---------+---------+----------+---------+-------+------------+------------+--------+-----------+---------------------+--------------+------------+
| 2       | 203.0.113.12                           | 172.31.16.139                          | 0       | 0       | 1        | 4       | 336   | 1432917027 | 1432917142 | ACCEPT |           |                     |              | OK         |
| 2       | 172.31.16.139                          | 203.0.113.12                           | 0       | 0       | 1        | 4       | 336   | 1432917094 | 1432917142 | REJECT |           |                     |              | OK         |
| 2       | 78.24.182.42                           | 158.109.0.1                            | 20641   | 22      | 6        | 20      | 4249  | 1418530010 | 1418530070 | ACCEPT |           |                     |              | OK         |
| 2       | 2001:db8:1234:a100:8d6e:3477:df66:f105 | 2001:db8:1234:a102:3304:8879:34cf:4071 | 34892   | 22      | 6        | 54      | 8855  | 1477913708 | 1477913820 | ACCEPT |           |                     |              | OK         |
| 2       |                                        |                                        |         |         |          |         |       | 1431280876 | 1431280934 |        |           |                     |              | NODATA     |
| 2       |                                        |                                        |         |         |          |         |       | 1431280876 | 1431280934 |        |           |                     |              | SKIPDATA   |
| 3       | 52.213.180.42                          | 10.0.0.62                              | 43416   | 5001    | 6        | 8       | 568   | 1566848875 | 1566848933 | ACCEPT | 2         |                     |              | OK         |
| 3       |                                        |                                        |         |         |          |         |       | 1566848875 | 1566848933 |        |           |                     |              | NODATA     |
| 3       |                                        |                                        |         |         |          |         |       | 1566848875 | 1566848933 |        |           |                     |              | SKIPDATA   |
| 5       | 89.160.20.156                          | 10.200.0.0                             | 50041   | 33004   | 17       | 52      | 1     | 164000066  | 1640000297 | REJECT | 1         | CLOUDFRONT          | 1            | OK         |
+---------+----------------------------------------+----------------------------------------+---------+---------+----------+---------+-------+------------+------------+--------+-----------+---------------------+--------------+------------+
"#]]
    );
}

/// The expected values were computed with DuckDB 2.0.1 and flowlogs-reader 5.0.1 from the same files.
#[tokio::test]
async fn sums_of_recorded_files_match_other_readers() {
    let sql = "SELECT count(*), sum(bytes), sum(packets), sum(\"end\"), count(srcaddr), min(srcaddr), max(dstaddr), sum(dstport) \
               FROM vpc_flow_logs";
    for (file, expected) in [
        (
            include_str!("../data/recorded-default.txt"),
            "6 13776 82 8624840042 4 172.31.16.139 203.0.113.12 44",
        ),
        (include_str!("../data/recorded-custom.txt"), "3 568 8 4700546799 1 52.213.180.42 10.0.0.62 5001"),
        (
            include_str!("../data/recorded-version-5.txt"),
            "1 1 52 1640000297 1 89.160.20.156 10.200.0.0 33004",
        ),
    ] {
        for format in FileFormat::ALL {
            let object = Object::new(&Home::PLAIN, 1_772_323_200, 0, format, file.to_owned());
            let session = session(FlowLogs::new(bucket(&[object]).await));
            let rows = crate::run::rows(&session, sql).await.unwrap();
            let row: Vec<String> = rows[0].iter().map(|value| value.clone().unwrap()).collect();
            assert_eq!(row.join(" "), expected, "{format:?}");
        }
    }
}
