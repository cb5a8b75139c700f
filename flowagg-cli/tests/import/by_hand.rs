//! Imports of templates that follow the AWS documentation.

use snapbox::{assert_data_eq, str};

use crate::{import, template};

#[test]
fn bucket_with_the_documented_statements_is_imported() {
    let hub = template("classic.yaml");
    let args = ["--template", &hub, "--hub-account", "111122223333", "--hub-region", "eu-west-1"];
    let said = import(&args);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert_eq!(
        said.out,
        "\
[hub]
# TEMPLATE: `VersioningConfiguration` of `Logs` is ignored, and `apply` does not change it
# the lifecycle rule `old-logs` for the whole bucket, which expires objects after 365 days, is foreign: its days are used, and it is kept next to `flowagg-expiry/acme-logs-eu-west-1/AWSLogs`
# the lifecycle rule `old-logs` for the whole bucket, which expires objects after 365 days, does not abort incomplete uploads; `apply` adds a rule that aborts them after 7 days
account = \"111122223333\"
region = \"eu-west-1\"
bucket = \"acme-logs-eu-west-1\"
retention-days = 365
noncurrent-days = 30

[policy]
# `apply` changes the bucket policy: adds 222222222222 to the grant
# statement `AWSLogDeliveryWrite` is about log delivery but is foreign: it is kept unchanged
# statement `AWSLogDeliveryAclCheck` is about log delivery but is foreign: it is kept unchanged

[[members]]
# no template contains the logged resources; the hub's region is used, and all VPCs are assumed: check `regions` and `vpcs`
account = \"222222222222\"
regions = [\"eu-west-1\"]
"
        .replace("TEMPLATE", &hub)
    );
    let comments = said.out.lines().filter(|line| line.starts_with('#')).count();
    assert_eq!(said.err.lines().filter(|line| line.starts_with("note: ")).count(), comments, "{}", said.err);
}

#[test]
fn flow_log_next_to_the_bucket_is_imported_and_the_rest_is_reported() {
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
# TEMPLATE: `Key` is a `AWS::KMS::Key`, which is ignored
# TEMPLATE: `Topic` is a `AWS::SNS::Topic`, which is ignored

[hub]
# flow logs do not expire; to expire them, set `retention-days` to a number of days
# the bucket is encrypted with `aws:kms`: `{"Fn::GetAtt":["Key","Arn"]}` is not a valid KMS key ARN: it is not an ARN of AWS KMS; `encryption` cannot express this and is omitted, which keeps it
account = "111122223333"
region = "us-east-1"
bucket = "acme"
retention-days = "forever"

[flow-logs]
# TEMPLATE: `ToLogGroup` does not deliver to S3 and is not imported
# TEMPLATE: `Elsewhere` delivers to `arn:aws:s3:::others` and is not imported
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
