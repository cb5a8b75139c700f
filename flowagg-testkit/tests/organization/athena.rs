//! The real program asks Athena, which moto plays: it takes every query and answers with no rows.

use flowagg_testkit::emulator::Moto;
use flowagg_testkit::organization::MotoOrganization;
use snapbox::{assert_data_eq, str};

use super::fleet;

#[tokio::test]
async fn a_query_is_estimated_started_waited_for_and_its_rows_are_printed() {
    let organization = MotoOrganization::found(Moto::shared().unwrap()).await.unwrap();
    organization.account("shop", None).await.unwrap();
    let fleet = fleet(&organization, "regions = [\"eu-west-1\"]");
    let run = async |args: &[&str]| organization.flowagg(&fleet, args).await.unwrap().exits(0);
    run(&["apply", "--yes"]).await;

    let ask = ["query", "by-day", "--engine", "athena", "--from", "2026-11-01", "--output", "s3://results/"];
    let explained = run(&[&ask[..], &["--explain"]].concat()).await;
    assert_data_eq!(
        explained.stdout,
        str![[r#"
Athena scans at most 0 objects with 0 bytes: USD 0.0001 at USD 5 per TB, which charges for at least 10 MB

"#]]
    );
    let ran = run(&[&ask[..], &["--yes", "--format", "json"]].concat()).await;
    assert_eq!(ran.json(), serde_json::json!([]), "{ran}");
    assert_data_eq!(
        ran.stderr,
        str![[r#"
note: no flow log object was found: check `--from`, `--to` and `--only`
Athena scans at most 0 objects with 0 bytes: USD 0.0001 at USD 5 per TB, which charges for at least 10 MB
note: `by-day` is more exact with fields that the flow logs do not record: `flow-direction`
ok: 0 rows from Athena, which scanned 0 bytes in 0.0 s: USD 0.0001 at USD 5 per TB, which charges for at least 10 MB

"#]]
    );

    let sql = ["query", "SELECT 1", "--engine", "athena", "--yes", "--output", "s3://results/"];
    let ran = run(&sql).await;
    assert_data_eq!(
        ran.stderr,
        str![[r#"
how much Athena scans is not known: at most all objects of the tables. A workgroup can limit it
ok: 0 rows from Athena, which scanned 0 bytes in 0.0 s: USD 0.0001 at USD 5 per TB, which charges for at least 10 MB

"#]]
    );
}
