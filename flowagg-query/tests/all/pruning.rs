//! The calls for listing and downloading, and when they stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use flowagg_core::id::{AccountId, Region};
use flowagg_query::{FlowLogs, Gate, Progress, QueryError, ScanOptions, Scope, Statement, Totals};
use jiff::civil::date;
use snapbox::{assert_data_eq, str};

use crate::run::{rows, session};
use crate::simulated::{Calls, Simulated};

fn simulated(accounts: u64, days: i32, files_a_day: i64) -> (Arc<Simulated>, Calls) {
    let calls = Calls::default();
    let first = date(2026, 1, 1);
    (Arc::new(Simulated { accounts, first, days, files_a_day, calls: calls.clone() }), calls)
}

/// The number of rows that match a condition.
async fn count(store: Arc<Simulated>, condition: &str) -> u64 {
    let sql = format!("SELECT count(*) FROM vpc_flow_logs WHERE {condition}");
    let rows = rows(&session(FlowLogs::new(store)), &sql).await.unwrap();
    rows[0][0].as_ref().unwrap().parse().unwrap()
}

#[tokio::test]
async fn one_account_and_day_only_needs_the_calls_for_that_day() {
    let (store, calls) = simulated(2_000, 365, 288);
    let condition = "log_account = '100000000700' AND log_region = 'us-east-1' AND log_date = '2026/03/02'";
    assert_eq!(count(store, condition).await, 288);
    assert_eq!(calls.gets().len(), 288);
    assert!(calls.gets().iter().all(|key| key.contains("/100000000700/vpcflowlogs/us-east-1/2026/03/02/")));
    assert_data_eq!(
        calls.lists().join("\n"),
        str![[r#"
AWSLogs
AWSLogs/100000000700/vpcflowlogs/us-east-1/2026/03/02
"#]]
    );
}

#[tokio::test]
async fn window_of_minutes_reads_files_up_to_one_hour_later() {
    let (store, calls) = simulated(3, 365, 288);
    let condition = "log_account = '100000000001' AND log_region = 'eu-west-1' \
                     AND end_time >= '2026-03-01T23:32:00' AND end_time < '2026-03-01T23:41:00'";
    count(store, condition).await;
    let times: Vec<String> =
        calls.gets().iter().map(|key| key.split('_').nth(4).unwrap().to_owned()).collect();
    assert_data_eq!(
        times.join(" "),
        str![[
            r#"20260301T2330Z 20260301T2335Z 20260301T2340Z 20260301T2345Z 20260301T2350Z 20260301T2355Z 20260302T0000Z 20260302T0005Z 20260302T0010Z 20260302T0015Z 20260302T0020Z 20260302T0025Z 20260302T0030Z 20260302T0035Z 20260302T0040Z"#
        ]]
    );
    assert_data_eq!(
        calls.lists().join("\n"),
        str![[r#"
AWSLogs
AWSLogs/100000000001/vpcflowlogs/eu-west-1/2026/03/01
AWSLogs/100000000001/vpcflowlogs/eu-west-1/2026/03/02
"#]]
    );
}

#[tokio::test]
async fn thirty_days_of_300_accounts_only_read_the_files_of_these_days() {
    let (store, calls) = simulated(300, 200, 4);
    let condition = "srcaddr = '10.0.0.9' AND \"end\" BETWEEN 1772323200 AND 1774915199";
    assert_eq!(count(store, condition).await, 0);
    // 30 days with four files in 600 account-regions, plus the first file of the next day, which is within one hour.
    assert_eq!(calls.gets().len(), 600 * (30 * 4 + 1));
    // The root and 300 accounts; in each of 600 account-regions the years, the months, the days of two months, and 32
    // days: one before the start, and one for the hour after the end.
    assert_eq!(calls.lists().len(), 1 + 300 + 600 * (1 + 1 + 2 + 32));
}

#[tokio::test]
async fn or_conditions_select_the_folders_of_both_sides() {
    let (store, calls) = simulated(20, 10, 1);
    let condition = "(log_account = '100000000003' AND log_date = '2026/01/02' OR log_account = '100000000005' AND \
                     log_date = '2026/01/04') AND log_region IN ('eu-west-1', 'nowhere')";
    assert_eq!(count(store, condition).await, 2);
    assert_data_eq!(
        calls.gets().join("\n"),
        str![[r#"
AWSLogs/100000000003/vpcflowlogs/eu-west-1/2026/01/02/100000000003_vpcflowlogs_eu-west-1_fl-0a1b2c3d4e5f67890_20260102T0000Z_00000000.log.gz
AWSLogs/100000000005/vpcflowlogs/eu-west-1/2026/01/04/100000000005_vpcflowlogs_eu-west-1_fl-0a1b2c3d4e5f67890_20260104T0000Z_00000000.log.gz
"#]]
    );
}

#[tokio::test]
async fn scope_selects_objects_like_conditions() {
    let (store, calls) = simulated(20, 10, 24);
    let mut scope = Scope::default();
    scope.accounts = Some([AccountId::parse("100000000003").unwrap()].into());
    scope.regions = Some([Region::parse("us-east-1").unwrap()].into());
    scope.from = Some("2026-01-05T10:30:00Z".parse().unwrap());
    scope.to = Some("2026-01-05T11:00:00Z".parse().unwrap());
    let session = session(FlowLogs::builder(store).scope(scope).build());
    let rows = rows(&session, "SELECT count(*) FROM vpc_flow_logs").await.unwrap();
    // The records have another end time.
    assert_eq!(rows, [[Some("0".to_owned())]]);
    assert_data_eq!(
        calls.gets().join("\n"),
        str![[
            r#"AWSLogs/100000000003/vpcflowlogs/us-east-1/2026/01/05/100000000003_vpcflowlogs_us-east-1_fl-0a1b2c3d4e5f67890_20260105T1100Z_00000000.log.gz"#
        ]]
    );
}

#[tokio::test]
async fn limit_stops_the_downloads() {
    let (store, calls) = simulated(300, 30, 24);
    let session = session(FlowLogs::new(store));
    let rows = rows(&session, "SELECT bytes FROM vpc_flow_logs LIMIT 10").await.unwrap();
    assert_eq!(rows.len(), 10);
    assert!(calls.gets().len() < 200, "{}", calls.gets().len());
}

#[tokio::test]
async fn listing_downloads_nothing() {
    let (store, calls) = simulated(3, 30, 24);
    let session = session(FlowLogs::new(store));
    let statement =
        Statement::parse("SELECT * FROM vpc_flow_logs WHERE log_date = '2026/01/03' AND log_hour < '06'")
            .unwrap();
    let listings = flowagg_query::list(&session, &statement, &Progress::default()).await.unwrap();
    let [listing] = listings.as_slice() else { panic!("{listings:?}") };
    assert_eq!((listing.selected.objects, listing.pruned.objects), (3 * 2 * 6, 3 * 2 * 18));
    assert_eq!(calls.gets(), Vec::<String>::new());
}

#[tokio::test]
async fn table_that_occurs_twice_is_listed_twice() {
    let (store, _) = simulated(2, 2, 1);
    let session = session(FlowLogs::new(store));
    let sql = "SELECT count(*) FROM vpc_flow_logs a JOIN vpc_flow_logs b ON a.object_key = b.object_key";
    assert_eq!(rows(&session, sql).await.unwrap(), [[Some("8".to_owned())]]);
    assert_eq!(
        flowagg_query::list(&session, &Statement::parse(sql).unwrap(), &Progress::default())
            .await
            .unwrap()
            .len(),
        2
    );
}

#[derive(Debug, Default)]
struct Answer {
    goes_on: bool,
    asked: AtomicU64,
}

#[async_trait]
impl Gate for Answer {
    async fn go_on(&self, listed: Totals) -> bool {
        self.asked.store(listed.objects, Ordering::Relaxed);
        self.goes_on
    }
}

#[tokio::test]
async fn gate_is_called_once_and_can_end_the_query() {
    for goes_on in [true, false] {
        let (store, _) = simulated(10, 30, 24);
        let gate = Arc::new(Answer { goes_on, ..Answer::default() });
        let above = Totals::new(5_000, u64::MAX);
        let session = session(FlowLogs::builder(store).ask_above(above, gate.clone()).build());
        let counted = rows(&session, "SELECT count(*) FROM vpc_flow_logs").await;
        assert_eq!(gate.asked.load(Ordering::Relaxed), 5_001);
        if goes_on {
            assert_eq!(counted.unwrap(), [[Some("14400".to_owned())]]);
        } else {
            let error = counted.unwrap_err();
            assert!(matches!(error, QueryError::Declined { objects: 5_001.., .. }), "{error:?}");
        }
    }
}

#[tokio::test]
async fn progress_counts_listed_and_read_objects() {
    let (store, _) = simulated(3, 4, 24);
    let table = FlowLogs::new(store);
    let progress = table.progress();
    let session = session(table);
    rows(&session, "SELECT count(*) FROM vpc_flow_logs WHERE log_hour = '05' AND log_date < '2026/01/03'")
        .await
        .unwrap();
    assert_eq!(progress.listed().objects, 3 * 2 * 2);
    assert_eq!(progress.read(), progress.listed());
    assert_eq!(progress.records(), 3 * 2 * 2);
    assert_eq!(progress.pruned().objects, 3 * 2 * 2 * 23);
    assert!(progress.is_listed());
    assert_eq!(progress.skipped_objects(), 0);
}

#[tokio::test]
async fn minimal_concurrency_and_prefetch_return_the_same_rows() {
    let (store, _) = simulated(3, 4, 24);
    let mut options = ScanOptions::default();
    (options.concurrency, options.prefetch) = (1, 1);
    let session = session(FlowLogs::builder(store).options(options).build());
    assert_eq!(
        rows(&session, "SELECT count(*) FROM vpc_flow_logs").await.unwrap(),
        [[Some("576".to_owned())]]
    );
}

#[tokio::test]
async fn panic_in_a_listing_or_download_fails_the_query() {
    let sql = "SELECT count(*) FROM vpc_flow_logs";
    let (store, calls) = simulated(2, 2, 4);
    assert_eq!(rows(&session(FlowLogs::new(store)), sql).await.unwrap(), [[Some("32".to_owned())]]);
    let all = calls.lists().len() + calls.gets().len();
    for most in 0..all {
        let (store, _) = simulated(2, 2, 4);
        let store = Simulated { calls: Calls::panic_after(most), ..Arc::into_inner(store).unwrap() };
        let error = rows(&session(FlowLogs::new(Arc::new(store))), sql).await.unwrap_err();
        assert_data_eq!(
            error.to_string(),
            str!["a task that lists or downloads objects ended early, so the result would be incomplete"]
        );
    }
}
