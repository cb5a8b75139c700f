//! Sums of integers.

use flowagg_core::flow_log::FileFormat;
use flowagg_query::FlowLogs;

use crate::bucket::{Home, Object, bucket};
use crate::run::{rows, session, sorted};

/// Two records of one account whose sum overflows, and small ones of another account.
fn large_records() -> [Object; 2] {
    let header = "srcaddr dstaddr bytes flow-direction\n";
    let large = format!("10.0.0.1 10.0.0.2 {} egress\n", i64::MAX);
    let small = "10.0.0.3 10.0.0.4 7 egress\n10.0.0.3 10.0.0.4 - egress\n10.0.0.3 10.0.0.4 -2 -\n";
    let object = |account, number, text: String| {
        let home = Home { account, ..Home::PLAIN };
        Object::new(&home, 1_772_668_800, number, FileFormat::PlainText, text)
    };
    [
        object("111122223333", 0, format!("{header}{large}{large}")),
        object("222222222222", 1, format!("{header}{small}")),
    ]
}

#[tokio::test]
async fn overflowing_sum_is_an_error() {
    let session = session(FlowLogs::new(bucket(&large_records()).await));
    let expected = "a sum is larger than the largest 64-bit integer, 9223372036854775807";
    for sql in [
        "SELECT sum(bytes) AS bytes FROM vpc_flow_logs",
        "SELECT log_account, sum(bytes) AS bytes FROM vpc_flow_logs GROUP BY 1",
        "SELECT sum(bytes) FILTER (WHERE bytes > 0) AS bytes FROM vpc_flow_logs GROUP BY log_account",
        "SELECT sum(bytes) OVER (PARTITION BY log_account) AS bytes FROM vpc_flow_logs",
        "SELECT sum(bytes + 0) AS bytes FROM vpc_flow_logs",
    ] {
        let error = rows(&session, sql).await.unwrap_err();
        assert_eq!(error.root().to_string(), expected, "{sql}");
        assert!(error.help().is_some_and(|help| help.contains("decimal(38, 0)")), "{sql}");
    }
    let decimal = "SELECT sum(CAST(bytes AS decimal(38, 0))) AS bytes FROM vpc_flow_logs WHERE bytes > 7";
    assert_eq!(rows(&session, decimal).await.unwrap(), [[Some("18446744073709551614".to_owned())]]);
}

#[tokio::test]
async fn sums_that_fit_are_exact() {
    let session = session(FlowLogs::new(bucket(&large_records()).await));
    let text = |text: &str| Some(text.to_owned());
    for (sql, expected) in [
        ("SELECT sum(bytes) AS n FROM vpc_flow_logs WHERE bytes < 10", text("5")),
        ("SELECT sum(bytes) AS n FROM vpc_flow_logs WHERE bytes < -10", None),
        ("SELECT sum(bytes) AS n FROM vpc_flow_logs WHERE bytes < 10 GROUP BY log_account", text("5")),
        (
            "SELECT sum(bytes) FILTER (WHERE bytes < 0) AS n FROM vpc_flow_logs WHERE bytes < 10 GROUP BY srcaddr",
            text("-2"),
        ),
        (
            "SELECT sum(bytes) FILTER (WHERE bytes > 10) AS n FROM vpc_flow_logs WHERE bytes < 10 GROUP BY srcaddr",
            None,
        ),
        ("SELECT sum(DISTINCT bytes) AS n FROM vpc_flow_logs WHERE bytes < 10", text("5")),
        ("SELECT sum(bytes / 2e0) AS n FROM vpc_flow_logs WHERE bytes < 10", text("2.5")),
        ("SELECT sum(srcport) AS n FROM vpc_flow_logs", None),
    ] {
        assert_eq!(rows(&session, sql).await.unwrap(), [[expected]], "{sql}");
    }
    let running = "SELECT sum(bytes) OVER (ORDER BY bytes ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS n FROM vpc_flow_logs WHERE bytes < 10";
    assert_eq!(sorted(&session, running).await, [[text("-2")], [text("5")]]);
}
