//! `flowagg athena query`, so far as it needs no AWS.

use crate::{FLEET, offline};

fn query<'a>(args: &[&'a str]) -> Vec<&'a str> {
    ["athena", "query"].into_iter().chain(args.iter().copied()).collect()
}

#[test]
fn a_query_by_its_name_is_printed_with_the_days_that_are_asked_for() {
    let args = ["bytes-per-day", "--from", "2026-11-01", "--to", "2026-11-07", "--table", "logs", "--print"];
    let said = offline(&query(&args), FLEET, "");
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    let part = "FROM \"flowagg\".\"logs\"\nWHERE log_date BETWEEN '2026/11/01' AND '2026/11/07'\n";
    assert!(said.out.contains(part), "{}", said.out);
}

#[test]
fn an_interface_ports_and_a_part_of_the_fleet_are_in_the_query() {
    let day = ["--from", "2026-11-01", "--to", "2026-11-01", "--print"];
    let interface = ["interface", "--interface", "eni-0a1b2c3d4e5f67890", "--only", "111122223333"];
    let said = offline(&query(&[&interface[..], &day[..]].concat()), FLEET, "");
    assert!(said.out.contains("interface_id = 'eni-0a1b2c3d4e5f67890'"), "{}{}", said.out, said.err);
    assert!(
        said.out.contains("log_account IN ('111122223333')") && said.out.contains("log_date = '2026/11/01'")
    );
    let ports = ["unexpected-ports", "--port", "22", "--port", "443"];
    let said = offline(&query(&[&ports[..], &day[..]].concat()), FLEET, "");
    assert!(said.out.contains("dstport NOT IN (22, 443)"), "{}{}", said.out, said.err);
}

#[test]
fn what_is_neither_a_query_nor_sql_is_answered_with_the_names() {
    let said = offline(&query(&["top-talker"]), FLEET, "");
    assert_eq!((said.code, said.out.as_str()), (Some(2), ""));
    assert!(
        said.err.contains("there is no query `top-talker`")
            && said.err.contains("did you mean `top-talkers`? name one of top-talkers, rejected-by-account")
    );
}

#[test]
fn nothing_is_run_where_nobody_can_be_asked() {
    for name in ["top-talkers", "SELECT 1"] {
        let said = offline(&query(&[name]), FLEET, "");
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""));
        assert!(said.err.contains("nothing was run") && said.err.contains("`--yes`"), "{}", said.err);
    }
}

#[test]
fn days_are_for_queries_by_name_and_come_in_their_order() {
    let said = offline(&query(&["SELECT 1", "--from", "2026-11-01"]), FLEET, "");
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("are for queries by name"), "{}", said.err);
    let said = offline(&query(&["top-talkers", "--from", "2026-11-02", "--to", "2026-11-01"]), FLEET, "");
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("2026-11-01, is before the first, 2026-11-02"), "{}", said.err);
}

#[test]
fn what_the_records_do_not_hold_is_not_asked() {
    let fleet = format!("[flow-logs]\nfields = [\"version\", \"srcaddr\", \"dstaddr\"]\n{FLEET}");
    let said = offline(&query(&["top-talkers", "--print"]), &fleet, "");
    assert_eq!((said.code, said.out.as_str()), (Some(2), ""));
    assert!(said.err.contains("the flow logs do not record `bytes`"), "{}", said.err);
}
