//! Writing the fleet file.
#![allow(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

use flowagg_core::fleet::{FleetFile, Part, Remark};
use flowagg_core::flow_log::FieldSet;
use flowagg_core::id::AccountId;

/// A file with every setting.
const WHOLE: &str = r#"[hub]
account = "111122223333"
region = "eu-west-1"
bucket = "acme-flow-logs"
prefix = "network"
retention-days = 400
transition = { days = 60, storage-class = "STANDARD_IA" }
noncurrent-days = 30
abort-uploads-days = 3
encryption = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
bucket-key = false
object-ownership = "enforce"
role = "teams/network/hub"

[flow-logs]
traffic = "reject"
aggregation-interval = "1m"
fields = [
    "version",
    "account-id",
    "region",
    "vpc-id",
    "pkt-srcaddr",
    "pkt-dstaddr",
    "pkt-src-aws-service",
    "action",
]
file-format = "parquet"
hive-compatible-partitions = true
per-hour-partition = true
tags = { cost-center = "0042", "sold by" = '"us"' }

[policy]
form = "bound-accounts"
source-arn = true
acl-condition = "if-exists"
list-bucket = true
deny-insecure-transport = true

[prices]
delivery-per-gb = 0.19
storage-per-gb-month = 0.021
compression = 8

[organization]
id = "o-a1b2c3d4e5"
units = ["ou-ab12-11111111", "ou-ab12-22222222"]
except-accounts = ["333333333333"]
regions = ["all"]
role = "flowagg"
vpcs = { tags = { logged = "yes" }, default-vpcs = false }
lookup = { account = "444444444444", role = "flowagg-lookup" }

[[members]]
account = "222222222222"
name = "payments"
regions = ["eu-west-1", "us-east-1"]
vpcs = "none"
subnets = ["subnet-0a1b2c3d4e5f67890"]
transit-gateways = "all"

[[members]]
account = "555555555555"
regions = ["eu-west-1"]

[[exceptions]]
account = "555555555555"
reason = "being closed"
until = 2027-01-31

[[exceptions]]
unit = "ou-ab12-11111111"
region = "eu-west-1"
vpc = "vpc-0a1b2c3d4e5f67890"
reason = 'no "owner"'
until = 2026-12-31
"#;

#[test]
fn written_file_round_trips() {
    assert_eq!(FleetFile::parse(WHOLE).unwrap().to_toml(&[]), WHOLE);
}

#[test]
fn named_set_of_fields_is_written_by_name() {
    let of = |set: FieldSet| {
        let fields: Vec<String> = set.format().fields().iter().map(|field| format!("\"{field}\"")).collect();
        let (start, rest) = WHOLE.split_once("fields = [").unwrap();
        let (_, rest) = rest.split_once("]\n").unwrap();
        FleetFile::parse(&format!("{start}fields = [{}]\n{rest}", fields.join(", "))).unwrap().to_toml(&[])
    };
    assert!(of(FieldSet::Cost).contains("\nfields = \"cost\"\n"));
    assert!(of(FieldSet::All).contains("\nfields = \"all\"\n"));
    assert!(!of(FieldSet::Default).contains("fields"));
}

#[test]
fn remarks_are_written_under_their_table_header() {
    let text = "[hub]\naccount = \"111122223333\"\nregion = \"eu-west-1\"\nbucket = \"acme-flow-logs\"\n\n\
                [[members]]\naccount = \"222222222222\"\nregions = [\"eu-west-1\"]\n";
    let account = |id| Part::Member(AccountId::parse(id).unwrap());
    let remarks = [
        (account("222222222222"), "could not be read:\nno such role"),
        (Part::FlowLogs, "some differ"),
        (account("999999999999"), "999999999999 is left out"),
    ]
    .map(|(about, text)| Remark::new(about, text.to_owned()));
    assert_eq!(
        FleetFile::parse(text).unwrap().to_toml(&remarks),
        "# 999999999999 is left out\n\n[hub]\naccount = \"111122223333\"\nregion = \"eu-west-1\"\nbucket = \"acme-flow-logs\"\n\n\
         [flow-logs]\n# some differ\n\n\
         [[members]]\n# could not be read: no such role\naccount = \"222222222222\"\nregions = [\"eu-west-1\"]\n"
    );
}
