//! `flowagg athena query`, so far as it needs no AWS.

use snapbox::{assert_data_eq, str};

use crate::{FLEET, offline};

fn query<'a>(args: &[&'a str]) -> Vec<&'a str> {
    ["athena", "query"].into_iter().chain(args.iter().copied()).collect()
}

#[test]
fn a_query_by_its_name_is_printed_with_the_days_that_are_asked_for() {
    let args = ["bytes-per-day", "--from", "2026-11-01", "--to", "2026-11-07", "--table", "logs", "--print"];
    let said = offline(&query(&args), FLEET, "");
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    assert_data_eq!(
        said.out,
        str![[r#"
SELECT
  log_account,
  replace(log_date, '/', '-') AS day,
  sum(bytes) AS total_bytes,
  sum(packets) AS total_packets,
  count(*) AS records
FROM "flowagg"."logs"
WHERE log_date BETWEEN '2026/11/01' AND '2026/11/07'
  AND bytes IS NOT NULL
GROUP BY 1, 2
ORDER BY 1, 2

"#]]
    );
}

#[test]
fn an_interface_ports_and_a_part_of_the_fleet_are_in_the_query() {
    let day = ["--from", "2026-11-01", "--to", "2026-11-01", "--print"];
    let interface = ["interface", "--interface", "eni-0a1b2c3d4e5f67890", "--only", "111122223333"];
    let said = offline(&query(&[&interface[..], &day[..]].concat()), FLEET, "");
    assert_data_eq!(
        said.out,
        str![[r#"
SELECT
  log_account,
  interface_id,
  date_format(from_unixtime(start), '%Y-%m-%d %H:%i:%s') AS started,
  date_format(from_unixtime("end"), '%Y-%m-%d %H:%i:%s') AS ended,
  srcaddr,
  srcport,
  dstaddr,
  dstport,
  protocol,
  action,
  packets,
  bytes,
  log_status
FROM "flowagg"."vpc_flow_logs"
WHERE log_account IN ('111122223333')
  AND log_date = '2026/11/01'
  AND interface_id = 'eni-0a1b2c3d4e5f67890'
ORDER BY 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13
LIMIT 1000

"#]]
    );
    let ports = ["unexpected-ports", "--port", "22", "--port", "443"];
    let said = offline(&query(&[&ports[..], &day[..]].concat()), FLEET, "");
    assert_data_eq!(
        said.out,
        str![[r#"
SELECT
  log_account,
  dstport,
  protocol,
  sum(bytes) AS total_bytes,
  sum(packets) AS total_packets,
  count(*) AS records,
  count(DISTINCT srcaddr) AS sources
FROM "flowagg"."vpc_flow_logs"
WHERE log_date = '2026/11/01'
  AND protocol IN (6, 17)
  AND dstport < 32768
  AND dstport < srcport
  AND dstport NOT IN (22, 443)
  AND action = 'ACCEPT'
GROUP BY log_account, dstport, protocol
ORDER BY total_bytes DESC, log_account, dstport, protocol
LIMIT 100

"#]]
    );
}

#[test]
fn what_is_neither_a_query_nor_sql_is_answered_with_the_names() {
    let said = offline(&query(&["top-talker"]), FLEET, "");
    assert_eq!((said.code, said.out.as_str()), (Some(2), ""));
    assert_data_eq!(
        said.err,
        str![[r#"
error: there is no query `top-talker`, and it is no SQL
       did you mean `top-talkers`? name one of top-talkers, rejected-by-account, between-accounts, interface, bytes-per-day, unexpected-ports; or give SQL, in quotes

"#]]
    );
}

#[test]
fn nothing_is_run_where_nobody_can_be_asked() {
    let [by_name, sql] = ["top-talkers", "SELECT 1"].map(|name| offline(&query(&[name]), FLEET, ""));
    assert_eq!((by_name.code, by_name.out.as_str()), (Some(2), ""));
    assert_data_eq!(
        &by_name.err,
        str![[r#"
error: nothing was run: there is no terminal to ask on
       look at the query with `--print`, then say `--yes`

"#]]
    );
    assert_eq!((sql.code, sql.out.as_str(), sql.err), (Some(2), "", by_name.err));
}

#[test]
fn days_are_for_queries_by_name_and_come_in_their_order() {
    let said = offline(&query(&["SELECT 1", "--from", "2026-11-01"]), FLEET, "");
    assert_eq!(said.code, Some(2));
    assert_data_eq!(
        said.err,
        str![[r#"
error: days, interface and ports are for queries by name
       say it in the SQL, or name one of top-talkers, rejected-by-account, between-accounts, interface, bytes-per-day, unexpected-ports

"#]]
    );
    let said = offline(&query(&["top-talkers", "--from", "2026-11-02", "--to", "2026-11-01"]), FLEET, "");
    assert_eq!(said.code, Some(2));
    assert_data_eq!(
        said.err,
        str![[r#"
error: the last day, 2026-11-01, is before the first, 2026-11-02
       give `--from` and `--to` in their order

"#]]
    );
}

#[test]
fn what_the_records_do_not_hold_is_not_asked() {
    let fleet = format!("[flow-logs]\nfields = [\"version\", \"srcaddr\", \"dstaddr\"]\n{FLEET}");
    let said = offline(&query(&["top-talkers", "--print"]), &fleet, "");
    assert_eq!((said.code, said.out.as_str()), (Some(2), ""));
    assert_data_eq!(
        said.err,
        str![[r#"
error: there is no query `top-talkers`: the flow logs do not record `bytes`
       ask for another query, or record it: see `flow-logs` in the fleet file

"#]]
    );
}
