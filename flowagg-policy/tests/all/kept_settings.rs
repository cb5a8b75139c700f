//! Plans that keep settings of an existing bucket: a kept key is checked, and Requester Pays holds back every change.

use flowagg_core::failure::Failure;
use flowagg_core::fleet::Fleet;
use flowagg_core::observed::{Bucket, BucketEncryption, Key, Observed, PublicAccessBlock};
use flowagg_core::plan::{Concern, HubChange, Subject, Unnamed};
use flowagg_policy::plan::plan;
use flowagg_policy::{Grant, Plan, merge};
use snapbox::{assert_data_eq, str};

const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const DEFAULT: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Enable IAM User Permissions","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}]}"#;
const DELIVERY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"delivery.logs.amazonaws.com"},"Action":"kms:*","Resource":"*"}]}"#;

fn fleet(hub: &str) -> Fleet {
    let text = format!(
        "[hub]\naccount = \"111122223333\"\nregion = \"eu-west-1\"\nbucket = \"acme-logs\"\n{hub}\n\
         [[members]]\naccount = \"222222222222\"\nregions = [\"eu-west-1\"]\n"
    );
    Fleet::parse(&text).unwrap()
}

fn bucket(fleet: &Fleet, algorithm: &str, key: Option<&str>) -> Bucket {
    let key = key.map(str::to_owned);
    let mut bucket = Bucket::default();
    let mut encryption = BucketEncryption::new(algorithm.to_owned());
    encryption.key = key;
    encryption.bucket_key = true;
    bucket.encryption = Some(encryption);
    bucket.public_access_block = PublicAccessBlock::FULL;
    bucket.ownership = Some("BucketOwnerEnforced".to_owned());
    bucket.policy = Some(merge(None, &Grant::from(fleet), Unnamed::Keep).unwrap().text);
    bucket
}

fn planned(fleet: &Fleet, bucket: Bucket, key: Option<Result<Key, Failure>>) -> Plan {
    let bucket = Ok(Some(bucket));
    let mut observed = Observed::new(bucket);
    observed.key = key;
    plan(fleet, &observed, Unnamed::Keep)
}

fn key(policy: &str, state: &str) -> Option<Result<Key, Failure>> {
    let mut key = Key::new(policy.to_owned());
    key.state = state.to_owned();
    Some(Ok(key))
}

fn about_key(plan: &Plan) -> Vec<&Concern> {
    plan.concerns().iter().filter(|concern| concern.about == Subject::Key).collect()
}

#[test]
fn kept_key_is_checked_like_a_declared_one() {
    let declared = format!("encryption = \"{KEY}\"");
    for hub in ["", "encryption = \"sse-s3\"", &declared] {
        let fleet = fleet(hub);
        let planned = |key| planned(&fleet, bucket(&fleet, "aws:kms", Some(KEY)), key);
        let lacking = planned(key(DEFAULT, "Enabled"));
        let [concern] = about_key(&lacking)[..] else { panic!("{lacking:?}") };
        assert_eq!(concern.resource, KEY);
        assert_data_eq!(
            &concern.what,
            str![[
                r#"log delivery for 222222222222 in eu-west-1 cannot use the key with `kms:GenerateDataKey`: ImplicitDeny: statement `Enable IAM User Permissions` would allow it except for the principal"#
            ]]
        );
        assert_data_eq!(
            &concern.help,
            str![[r#"
{"Sid":"AWSLogDeliveryUseOfKey","Effect":"Allow","Principal":{"Service":"delivery.logs.amazonaws.com"},"Action":["kms:Encrypt","kms:Decrypt","kms:ReEncrypt*","kms:GenerateDataKey*","kms:DescribeKey"],"Resource":"*","Condition":{"StringEquals":{"aws:SourceAccount":"222222222222"},"ArnLike":{"aws:SourceArn":"arn:aws:logs:eu-west-1:222222222222:*"}}}
add the statement to the policy of arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab and keep the existing statements
"#]]
        );
        assert!(lacking.is_complete(), "a kept key does not hold back changes");
        let disabled = planned(key(DELIVERY, "Disabled"));
        assert_data_eq!(&about_key(&disabled)[0].what, str!["is Disabled, so it cannot encrypt objects"]);
        assert_eq!(about_key(&planned(key(DELIVERY, "Enabled"))), [] as [&Concern; 0]);
    }
}

#[test]
fn unreadable_kept_key_is_reported() {
    let fleet = fleet("");
    let mut failure = Failure::new(fleet.hub.place(), "DescribeKey", "no", "allow kms:DescribeKey");
    failure.resource = Some(KEY.to_owned());
    failure.code = Some("AccessDeniedException".to_owned());
    let plan = planned(&fleet, bucket(&fleet, "aws:kms", Some(KEY)), Some(Err(failure)));
    let [concern] = about_key(&plan)[..] else { panic!("{plan:?}") };
    assert_data_eq!(&concern.what, str!["cannot be read: DescribeKey: AccessDeniedException: no"]);
    assert_eq!(concern.help, "allow kms:DescribeKey");
}

#[test]
fn default_key_by_id_or_alias_is_undeliverable() {
    let fleet = fleet("");
    let mut reported = String::new();
    for given in [
        "1234abcd-12ab-34cd-56ef-1234567890ab",
        "alias/logs",
        "arn:aws:kms:eu-west-1:111122223333:alias/logs",
    ] {
        let plan = planned(&fleet, bucket(&fleet, "aws:kms", Some(given)), None);
        let [concern] = about_key(&plan)[..] else { panic!("{plan:?}") };
        reported.push_str(&format!("{}\n    {}\n", concern.what, concern.help));
        assert!(!plan.hub().iter().any(|change| matches!(change, HubChange::Encrypt { .. })));
    }
    assert_data_eq!(
        reported,
        str![[r#"
names the key `1234abcd-12ab-34cd-56ef-1234567890ab`, which is not a key ARN: AWS reports such a bucket as an undeliverable log destination
    set `hub.encryption` to the key ARN; to get it, run `aws kms describe-key --key-id 1234abcd-12ab-34cd-56ef-1234567890ab --region eu-west-1 --query KeyMetadata.Arn`
names the key `alias/logs`, which is not a key ARN: AWS reports such a bucket as an undeliverable log destination
    set `hub.encryption` to the key ARN; to get it, run `aws kms describe-key --key-id alias/logs --region eu-west-1 --query KeyMetadata.Arn`
names the key `arn:aws:kms:eu-west-1:111122223333:alias/logs`, which is not a key ARN: AWS reports such a bucket as an undeliverable log destination
    set `hub.encryption` to the key ARN; to get it, run `aws kms describe-key --key-id arn:aws:kms:eu-west-1:111122223333:alias/logs --region eu-west-1 --query KeyMetadata.Arn`

"#]]
    );
}

#[test]
fn aws_managed_key_is_reported_until_the_fleet_file_sets_an_encryption() {
    let kept = fleet("");
    let plan = planned(&kept, bucket(&kept, "aws:kms", None), None);
    let [concern] = about_key(&plan)[..] else { panic!("{plan:?}") };
    assert_data_eq!(
        &concern.what,
        str![[
            r#"uses the AWS managed key `aws/s3`: its key policy cannot allow log delivery, so deliveries from other accounts fail"#
        ]]
    );
    assert!(!plan.hub().iter().any(|change| matches!(change, HubChange::Encrypt { .. })));

    let set = fleet("encryption = \"sse-s3\"");
    let plan = planned(&set, bucket(&set, "aws:kms", None), None);
    assert_eq!(about_key(&plan), [] as [&Concern; 0]);
    assert!(plan.hub().iter().any(|change| matches!(change, HubChange::Encrypt { .. })));
}

#[test]
fn requester_pays_bucket_holds_back_every_change() {
    let fleet = fleet("encryption = \"arn:aws:kms:eu-west-1:111122223333:key/1234abcd\"");
    let mut bucket = bucket(&fleet, "AES256", None);
    bucket.usage.requester_pays = Ok(true);
    let plan = planned(&fleet, bucket, None);
    assert!(plan.is_empty() && !plan.is_complete());
    assert_data_eq!(
        &plan.obstacles()[0].what,
        str![
            "it is a Requester Pays bucket, which S3 does not support as a target of end user logging; AWS does not document whether flow logs are delivered to one"
        ]
    );
    assert_eq!(plan.held_back().hub.len(), 1, "the encryption change");
}
