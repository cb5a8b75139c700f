//! Accepted and rejected statements.

use flowagg_query::{Statement, StatementKind};
use snapbox::{assert_data_eq, str};

#[test]
fn read_only_statements_are_accepted() {
    for (sql, kind) in [
        ("SELECT 1", StatementKind::Query),
        ("SELECT 1;", StatementKind::Query),
        ("WITH a AS (SELECT 1) SELECT * FROM a UNION ALL (SELECT 2)", StatementKind::Query),
        ("VALUES (1)", StatementKind::Query),
        ("EXPLAIN SELECT 1", StatementKind::Explain),
        ("EXPLAIN ANALYZE SELECT 1", StatementKind::Explain),
        ("DESCRIBE vpc_flow_logs", StatementKind::Describe),
        ("SHOW TABLES", StatementKind::Describe),
        ("SHOW COLUMNS FROM vpc_flow_logs", StatementKind::Describe),
    ] {
        assert_eq!(Statement::parse(sql).unwrap().kind(), kind, "{sql}");
    }
}

#[test]
fn other_statements_are_rejected() {
    for sql in [
        "INSERT INTO a VALUES (1)",
        "DELETE FROM a",
        "UPDATE a SET b = 1",
        "DROP TABLE a",
        "CREATE TABLE a AS SELECT 1",
        "CREATE VIEW a AS SELECT 1",
        "CREATE EXTERNAL TABLE a STORED AS CSV LOCATION '/tmp'",
        "COPY (SELECT 1) TO 'a.csv'",
        "EXPLAIN COPY (SELECT 1) TO 'a.csv'",
        "EXPLAIN INSERT INTO a VALUES (1)",
        "WITH a AS (SELECT 1) INSERT INTO b SELECT * FROM a",
        "WITH a AS (INSERT INTO b VALUES (1)) SELECT * FROM a",
        "SELECT * INTO a FROM b",
        "SET a = 1",
        "RESET a",
        "BEGIN",
        "PREPARE a AS SELECT 1",
        "EXECUTE a",
        "TRUNCATE a",
    ] {
        let error = Statement::parse(sql).unwrap_err();
        assert_eq!(error.help(), Some("use SELECT, WITH, EXPLAIN, DESCRIBE or SHOW"), "{sql}: {error}");
    }
}

#[test]
fn messages_name_the_error() {
    let message = |sql: &str| Statement::parse(sql).unwrap_err().to_string();
    assert_data_eq!(message("drop table a"), str!["`DROP` is not a read-only statement"]);
    assert_data_eq!(message("SELECT 1; SELECT 2"), str!["expected one SQL statement, found 2"]);
    assert_data_eq!(message(" "), str!["expected one SQL statement, found 0"]);
    assert_data_eq!(
        message("SELEC 1"),
        str!["Expected: an SQL statement, found: SELEC at Line: 1, Column: 1"]
    );
}
