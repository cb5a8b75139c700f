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

    let asked =
        ["athena", "query", "bytes-per-day", "--yes", "--output", "s3://results/", "--format", "json"];
    let ran = run(&asked).await;
    assert_eq!(ran.json(), serde_json::json!([]), "{ran}");
    assert_data_eq!(
        ran.stderr,
        str![[r#"
it reads at most 0 bytes in 0 objects: USD 0.0000 at USD 5 for a TB
0 rows in 0.0 s, 0 bytes read: USD 0.0000 at USD 5 for a TB

"#]]
    );

    let ran = run(&["athena", "query", "SELECT 1", "--yes", "--output", "s3://results/"]).await;
    assert_data_eq!(
        ran.stderr,
        str![[r#"
how much it will read is not known: at most the whole bucket; a workgroup can end queries that read too much
0 rows in 0.0 s, 0 bytes read: USD 0.0000 at USD 5 for a TB

"#]]
    );
}
