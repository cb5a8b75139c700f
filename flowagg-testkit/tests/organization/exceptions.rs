//! Exceptions for organizational units, whose accounts are looked up.

use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use flowagg_testkit::emulator::Moto;
use flowagg_testkit::organization::MotoOrganization;

use super::{bucket, fleet, region};

#[tokio::test]
async fn exception_for_a_unit_applies_only_to_accounts_below_it() {
    let organization = MotoOrganization::found(Moto::shared().unwrap()).await.unwrap();
    let unit = organization.unit("sandboxes", None).await.unwrap();
    let below = organization.unit("teams", Some(&unit)).await.unwrap();
    organization.account("sandbox", Some(&unit)).await.unwrap();
    organization.account("team", Some(&below)).await.unwrap();
    let s3 = organization.s3(organization.management(), &region("eu-west-1")).await.unwrap();
    let place =
        CreateBucketConfiguration::builder().location_constraint(BucketLocationConstraint::EuWest1).build();
    s3.create_bucket().bucket(bucket(&organization)).create_bucket_configuration(place).send().await.unwrap();
    let exception = |unit: &str| {
        let lines = format!(
            "[[exceptions]]\nunit = \"{unit}\"\nreason = \"sandboxes are not logged\"\nuntil = 2027-01-31"
        );
        fleet(
            &organization,
            &format!(
                "regions = [\"eu-west-1\"]\nexcept-accounts = [\"{}\"]\n{lines}",
                organization.management()
            ),
        )
    };
    // Every VPC lacks a flow log.
    let run =
        async |fleet: &str, code| organization.flowagg(fleet, &["verify"]).await.unwrap().exits(code).stdout;
    let of_all = run(&exception(unit.as_str()), 0).await;
    assert!(of_all.ends_with("ok: every flow log delivers, except 2 with an exception\n"), "{of_all}");
    let of_one = run(&exception(below.as_str()), 3).await;
    assert!(of_one.contains("verify: not every flow log delivers: 1 missing\n"), "{of_one}");
}
