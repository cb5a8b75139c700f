//! Account names in the rows of `flowagg query`.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use flowagg_testkit::emulator::Moto;
use flowagg_testkit::organization::MotoOrganization;

use super::{bucket, fleet, region};

#[tokio::test]
async fn account_names_come_from_the_organization_without_other_lookups() {
    let organization = MotoOrganization::found(Moto::shared().unwrap()).await.unwrap();
    let shop = organization.account("shop", None).await.unwrap();
    let closed = organization.account("closed", None).await.unwrap();
    organization.close(closed).await.unwrap();
    let fleet = fleet(&organization, "regions = [\"all\"]");
    let s3 = organization.s3(organization.management(), &region("eu-west-1")).await.unwrap();
    let bucket = bucket(&organization);
    let place = aws_sdk_s3::types::CreateBucketConfiguration::builder()
        .location_constraint(aws_sdk_s3::types::BucketLocationConstraint::EuWest1)
        .build();
    s3.create_bucket().bucket(&bucket).create_bucket_configuration(place).send().await.unwrap();
    for account in [shop.to_string(), closed.to_string(), "999999999999".to_owned()] {
        let mut zip = GzEncoder::new(Vec::new(), Compression::fast());
        zip.write_all(b"srcaddr dstaddr bytes end\n10.0.0.1 10.0.0.2 7 1772668800\n").unwrap();
        let key = format!(
            "AWSLogs/{account}/vpcflowlogs/eu-west-1/2026/03/05/{account}_vpcflowlogs_eu-west-1_fl-0123456789abcdef0_20260305T0005Z_0a1b2c3d.log.gz"
        );
        s3.put_object().bucket(&bucket).key(key).body(zip.finish().unwrap().into()).send().await.unwrap();
    }
    let sql = "SELECT log_account, count(*) AS records FROM vpc_flow_logs GROUP BY 1 ORDER BY 1";
    let args =
        ["query", sql, "--names", "--format", "csv", "--from", "2026-03-05", "--to", "2026-03-05", "-v"];
    let ran = organization.flowagg(&fleet, &args).await.unwrap().exits(0);
    let mut rows = [
        format!("{shop},shop,1"),
        format!("{closed},closed,1"),
        // This account is not in the organization.
        "999999999999,,1".to_owned(),
    ];
    rows.sort();
    assert_eq!(ran.stdout, format!("log_account,log_account_name,records\n{}\n", rows.join("\n")), "{ran}");
    assert!(ran.stderr.contains("ListAccounts"), "{ran}");
    assert!(!ran.stderr.contains("AssumeRole") && !ran.stderr.contains("DescribeRegions"), "{ran}");
}
