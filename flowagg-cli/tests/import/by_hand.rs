//! Templates that people write after AWS's documentation, and what is made of them.

use snapbox::{assert_data_eq, str};

use crate::{import, template};

#[test]
fn a_bucket_and_the_two_statements_that_aws_documents_are_a_fleet() {
    let hub = template("classic.yaml");
    let args = ["--template", &hub, "--hub-account", "111122223333", "--hub-region", "eu-west-1"];
    let said = import(&args);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert_eq!(
        said.out,
        "\
[hub]
# TEMPLATE: `VersioningConfiguration` of `Logs` is not read, and `apply` leaves it as it is
# the lifecycle rule `old-logs` for the whole bucket, which expires objects after 365 days, is not flowagg's: its days are taken, and it stays beside `flowagg-expiry/acme-logs-eu-west-1/AWSLogs`
# the lifecycle rule `old-logs` for the whole bucket, which expires objects after 365 days, leaves unfinished uploads; `apply` deletes them after 7 days
account = \"111122223333\"
region = \"eu-west-1\"
bucket = \"acme-logs-eu-west-1\"
retention-days = 365
noncurrent-days = 30

[policy]
# `apply` changes the bucket policy: adds 222222222222 to the grant
# statement `AWSLogDeliveryWrite` is about log delivery and is not this fleet's: it stays as it is
# statement `AWSLogDeliveryAclCheck` is about log delivery and is not this fleet's: it stays as it is

[[members]]
# no template says what is logged here; the region is the hub's, and every VPC is a guess: correct `regions` and `vpcs`
account = \"222222222222\"
regions = [\"eu-west-1\"]
"
        .replace("TEMPLATE", &hub)
    );
    let comments = said.out.lines().filter(|line| line.starts_with('#')).count();
    assert_eq!(said.err.lines().filter(|line| line.starts_with("note: ")).count(), comments, "{}", said.err);
}

#[test]
fn a_flow_log_beside_the_bucket_is_of_the_hub_and_what_is_not_read_is_named() {
    let all = template("bucket-and-flow-log.json");
    let said = import(&[
        "--template",
        &all,
        "--hub-account",
        "111122223333",
        "--hub-region",
        "us-east-1",
        "--bucket",
        "acme",
    ]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert_data_eq!(
        said.out.replace(&all, "TEMPLATE"),
        str![[r##"
# TEMPLATE: `Key` is a `AWS::KMS::Key`, which is not read
# TEMPLATE: `Topic` is a `AWS::SNS::Topic`, which is not read

[hub]
# flow logs do not expire; set `retention-days` to a number of days if they should
# the bucket is encrypted by `aws:kms`: `{"Fn::GetAtt":["Key","Arn"]}` is not the ARN of a KMS key: it has not the form of one; `encryption` cannot say that and is left out, which keeps it
account = "111122223333"
region = "us-east-1"
bucket = "acme"
retention-days = "forever"

[flow-logs]
# TEMPLATE: `ToLogGroup` does not deliver to S3, and is left out
# TEMPLATE: `Elsewhere` delivers to `arn:aws:s3:::others`, and is left out
traffic = "reject"
aggregation-interval = "1m"

[policy]
# `apply` changes the bucket policy: adds 111122223333 to the grant

[[members]]
account = "111122223333"
regions = ["us-east-1"]
vpcs = ["vpc-0a1b2c3d4e5f67890"]

"##]]
    );
}
