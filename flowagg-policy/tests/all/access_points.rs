//! A bucket policy that delegates to access points, which log delivery does not use.

use flowagg_core::fleet::Fleet;
use flowagg_core::observed::{Bucket, Observed};
use flowagg_core::plan::{Note, Subject, Unnamed};
use flowagg_policy::Plan;
use flowagg_policy::plan::plan;

/// Denies every request that does not come through an access point of the account, including log delivery.
const ONLY_ACCESS_POINTS: &str = include_str!("../data/access-points-only.json");

fn planned(policy: &str) -> Plan {
    let text = "[hub]\naccount = \"111122223333\"\nregion = \"eu-west-1\"\nbucket = \"acme-logs\"\n\
                [[members]]\naccount = \"222222222222\"\nregions = [\"eu-west-1\"]\n";
    let mut bucket = Bucket::default();
    bucket.policy = Some(policy.to_owned());
    let observed = Observed::new(Ok(Some(bucket)));
    plan(&Fleet::parse(text).unwrap(), &observed, Unnamed::Keep)
}

fn notes(plan: &Plan) -> Vec<String> {
    let notes = plan.notes().iter().filter(|note| matches!(note, Note::DelegatesToAccessPoints { .. }));
    notes.map(ToString::to_string).collect()
}

fn statement(effect: &str, condition: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Sid":"Delegated","Effect":"{effect}","Principal":{{"AWS":"*"}},"Action":"s3:*","Resource":["arn:aws:s3:::acme-logs","arn:aws:s3:::acme-logs/*"],"Condition":{condition}}}]}}"#
    )
}

#[test]
fn statement_that_delegates_to_access_points_is_noted_once() {
    for (condition, to) in [
        (r#"{"StringEquals":{"s3:DataAccessPointAccount":"111122223333"}}"#, "access points of 111122223333"),
        (
            r#"{"ArnLike":{"s3:dataaccesspointarn":["arn:aws:s3:eu-west-1:111122223333:accesspoint/a","arn:aws:s3:eu-west-1:111122223333:accesspoint/b"]}}"#,
            "the access points arn:aws:s3:eu-west-1:111122223333:accesspoint/a, arn:aws:s3:eu-west-1:111122223333:accesspoint/b",
        ),
        (
            r#"{"StringEquals":{"s3:AccessPointNetworkOrigin":"VPC","s3:DataAccessPointAccount":"111122223333"}}"#,
            "access points with the network origin VPC",
        ),
    ] {
        let plan = planned(&statement("Allow", condition));
        assert!(plan.is_complete(), "{plan:?}");
        let note = format!(
            "statement `Delegated` delegates access to {to}; log delivery does not use access points"
        );
        assert_eq!(notes(&plan), [note]);
    }
    let unrelated = statement("Allow", r#"{"StringNotEquals":{"s3:DataAccessPointAccount":"111122223333"}}"#);
    assert_eq!(notes(&planned(&unrelated)), [""; 0]);
}

#[test]
fn deny_outside_access_points_is_an_obstacle_unless_log_delivery_is_exempt() {
    let plan = planned(ONLY_ACCESS_POINTS);
    assert_eq!(plan.obstacles()[0].about, Subject::Policy);
    snapbox::assert_data_eq!(
        &plan.obstacles()[0].what,
        snapbox::str![[
            r#"no changes were made: log delivery for 222222222222 in eu-west-1 cannot read the bucket's ACL: ExplicitDeny by statement `OnlyThroughAccessPoints`"#
        ]]
    );

    let condition = r#"{"StringNotEquals":{"s3:DataAccessPointAccount":"111122223333"},"Bool":{"aws:PrincipalIsAWSService":"false"}}"#;
    let spared = planned(&statement("Deny", condition));
    assert!(spared.is_complete(), "{spared:?}");
    assert_eq!(notes(&spared).len(), 1, "{spared:?}");
}
