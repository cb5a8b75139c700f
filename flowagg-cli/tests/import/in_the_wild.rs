//! Imports of templates like those that teams publish.

use flowagg_core::fleet::{Fleet, FleetFile};
use flowagg_core::flow_log::{AggregationInterval, TrafficType};
use flowagg_core::id::AccountId;
use flowagg_core::lifecycle::Retention;
use snapbox::{assert_data_eq, str};

use crate::{Said, import, template};

const HUB: [&str; 4] = ["--hub-account", "111122223333", "--hub-region", "eu-west-1"];

fn of(path: &str, more: &[&str]) -> Said {
    import(&[&["--template", path][..], &HUB, more].concat())
}

/// The imported fleet, and the comments in its file.
#[track_caller]
fn fleet(path: &str, more: &[&str]) -> (Fleet, String) {
    let said = of(path, more);
    assert_eq!(said.code, Some(0), "{}", said.err);
    let comments: Vec<&str> = said.out.lines().filter_map(|line| line.strip_prefix("# ")).collect();
    let comments = comments.join("\n").replace(path, "TEMPLATE");
    (FleetFile::parse(&said.out).unwrap().without_lookup(), comments)
}

fn accounts(fleet: &Fleet) -> Vec<String> {
    fleet.members.keys().map(AccountId::to_string).collect()
}

/// A modified template.
fn changed(name: &str, changes: &[(&str, &str)]) -> tempfile::NamedTempFile {
    let mut text = std::fs::read_to_string(template(name)).unwrap();
    for (before, after) in changes {
        assert!(text.contains(before), "{name} has no `{before}`");
        text = text.replace(before, after);
    }
    let file = tempfile::NamedTempFile::with_suffix(".yaml").unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}

#[test]
fn folder_of_load_balancer_logs_is_not_the_prefix_of_flow_logs() {
    let (fleet, comments) = fleet(&template("load-balancer.yaml"), &[]);
    assert_eq!(fleet.hub.prefix, None);
    assert_eq!(accounts(&fleet), ["111122223333"], "444444444444 delivers load balancer logs");
    assert_data_eq!(
        comments,
        str![[r#"
flow logs do not expire; to expire them, set `retention-days` to a number of days
`apply` changes the bucket policy: adds 111122223333 to the grant
statement `LoadBalancers` is about log delivery but is foreign: it is kept unchanged
statement `AWSLogDeliveryWrite` is about log delivery but is foreign: it is kept unchanged
statement `AWSLogDeliveryAclCheck` is about log delivery but is foreign: it is kept unchanged
"#]]
    );
}

#[test]
fn statements_for_several_folders_are_ambiguous_without_a_flow_log() {
    let file = changed("load-balancer.yaml", &[("AWS::EC2::FlowLog", "AWS::EC2::Instance")]);
    let said = of(file.path().to_str().unwrap(), &[]);
    assert_eq!(said.code, Some(2), "{}", said.out);
    assert_data_eq!(
        said.err,
        str![[r#"
error: the bucket policy allows log delivery to write to several folders: `AWSLogs/`, `nlb/AWSLogs/`
       select one with `--prefix FOLDER` (`--prefix ""` for the root), and import the others to separate fleet files

"#]]
    );
}

#[test]
fn unquoted_account_ids_are_all_reported() {
    let (read, _) = fleet(&template("account-ids.yaml"), &[]);
    assert_eq!(accounts(&read), ["012345670123", "098765432109"]);
    let unquoted = [("\"012345670123\"", "012345670123"), ("\"098765432109\"", "098765432109")];
    let mut errors = String::new();
    for changes in [&unquoted[..], &unquoted[1..]] {
        let file = changed("account-ids.yaml", changes);
        let path = file.path().to_str().unwrap();
        let said = of(path, &[]);
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{}", said.err);
        errors += &said.err.replace(path, "TEMPLATE");
    }
    assert_data_eq!(
        errors,
        str![[r#"
error: `TEMPLATE`: unquoted account IDs are parsed as numbers, which lose leading zeros: `012345670123` (line 4), `098765432109` (line 5)
       quote each account ID, as in `"222222222222"`
error: `TEMPLATE`: unquoted account IDs are parsed as numbers, which lose leading zeros: `098765432109` (line 5)
       quote each account ID, as in `"222222222222"`

"#]]
    );
}

#[test]
fn account_from_a_parameter_is_reported() {
    let file = changed("account-ids.yaml", &[("Default: \"098765432109\"", "MinLength: 12")]);
    let (read, comments) = fleet(file.path().to_str().unwrap(), &[]);
    assert_eq!(accounts(&read), ["012345670123"]);
    assert_data_eq!(
        comments,
        str![[r#"
flow logs do not expire; to expire them, set `retention-days` to a number of days
`apply` changes the bucket policy: adds 012345670123 to the grant
statement `AWSLogDeliveryWrite` is about log delivery but is foreign: it is kept unchanged
statement `AWSLogDeliveryAclCheck` is about log delivery but is foreign: it is kept unchanged
statement `AWSLogDeliveryWrite` is only partly imported: its resource `{"Fn::Sub":"arn:aws:s3:::acme-logs/AWSLogs/${Bank}/*"}` has a value that cannot be resolved
statement `AWSLogDeliveryWrite` is only partly imported: `{"Ref":"Bank"}` in `aws:SourceAccount` is not an account ID
no template contains the logged resources; the hub's region is used, and all VPCs are assumed: check `regions` and `vpcs`
"#]]
    );
}

#[test]
fn record_format_with_a_trailing_space_is_read() {
    let (fleet, comments) = fleet(&template("one-stack.yaml"), &[]);
    assert_eq!(fleet.flow_logs.format.to_string(), "${version} ${vpc-id} ${srcaddr} ${dstaddr}");
    assert_eq!(fleet.hub.bucket.to_string(), "flow-logs-test-111122223333");
    assert_eq!(
        (fleet.hub.lifecycle.retention, accounts(&fleet)),
        (Retention::Days(365), vec!["111122223333".to_owned()])
    );
    assert_data_eq!(
        comments,
        str![[r#"
TEMPLATE: `Vpc` is a `AWS::EC2::VPC`, which is ignored
TEMPLATE: `VersioningConfiguration` of `Logs` is ignored, and `apply` does not change it
the lifecycle rule `retired` for the whole bucket, which expires objects after 30 days, is ignored because it is disabled, and is kept
the lifecycle rule `cold` for the whole bucket is foreign: it is kept next to `flowagg-expiry/flow-logs-test-111122223333/AWSLogs`
the lifecycle rule `old` for the whole bucket, which expires objects after 365 days, is foreign: its days are used, and it is kept next to `flowagg-expiry/flow-logs-test-111122223333/AWSLogs`
the lifecycle rule `old` for the whole bucket, which expires objects after 365 days, does not abort incomplete uploads; `apply` adds a rule that aborts them after 7 days
`apply` changes the bucket policy: adds 111122223333 to the grant
statement `AWSLogDeliveryWrite` is about log delivery but is foreign: it is kept unchanged
statement `AWSLogDeliveryAclCheck` is about log delivery but is foreign: it is kept unchanged
"#]]
    );
}

#[test]
fn flow_log_of_a_vpc_in_the_same_stack_only_provides_settings() {
    let file = changed("one-stack.yaml", &[("ResourceId: vpc-0123456789abcdef0", "ResourceIds: [!Ref Vpc]")]);
    let path = file.path().to_str().unwrap();
    let (fleet, comments) = fleet(path, &["--account", "222222222222"]);
    assert_eq!(
        (accounts(&fleet), fleet.flow_logs.format.to_string()),
        (vec!["222222222222".to_owned()], "${version} ${vpc-id} ${srcaddr} ${dstaddr}".to_owned())
    );
    assert_data_eq!(
        comments,
        str![[r#"
TEMPLATE: `Vpc` is a `AWS::EC2::VPC`, which is ignored
TEMPLATE: `VersioningConfiguration` of `Logs` is ignored, and `apply` does not change it
the lifecycle rule `retired` for the whole bucket, which expires objects after 30 days, is ignored because it is disabled, and is kept
the lifecycle rule `cold` for the whole bucket is foreign: it is kept next to `flowagg-expiry/flow-logs-test-111122223333/AWSLogs`
the lifecycle rule `old` for the whole bucket, which expires objects after 365 days, is foreign: its days are used, and it is kept next to `flowagg-expiry/flow-logs-test-111122223333/AWSLogs`
the lifecycle rule `old` for the whole bucket, which expires objects after 365 days, does not abort incomplete uploads; `apply` adds a rule that aborts them after 7 days
TEMPLATE: `FlowLog` has `ResourceIds`, which is ignored
TEMPLATE: `FlowLog` is used only for the settings of flow logs: its resource is known only when the template is deployed
`apply` changes the bucket policy: adds 222222222222 to the grant
statement `AWSLogDeliveryWrite` is about log delivery but is foreign: it is kept unchanged
statement `AWSLogDeliveryAclCheck` is about log delivery but is foreign: it is kept unchanged
no template contains the logged resources; the hub's region is used, and all VPCs are assumed: check `regions` and `vpcs`
"#]]
    );

    let said = of(path, &[]);
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{}", said.err);
    assert_data_eq!(
        said.err,
        str![[r#"
error: no account delivers flow logs to `flow-logs-test-111122223333` or is allowed to: the statements about log delivery contain no account for `AWSLogs/` (`AWSLogDeliveryWrite`); the account or resource of 1 flow log is known only when its template is deployed
       pass `--account ID` or `--organization ID`, or create a fleet file with `flowagg init`

"#]]
    );
}

#[test]
fn synthesized_template_is_read_with_its_prefix_and_hive_folders() {
    let (fleet, comments) = fleet(&template("synthesized.json"), &[]);
    assert_eq!(fleet.hub.prefix.as_ref().unwrap().to_string(), "network");
    assert!(fleet.flow_logs.files.hive_compatible_partitions && fleet.policy.source_arn);
    assert_eq!(fleet.flow_logs.aggregation_interval, AggregationInterval::OneMinute);
    assert_eq!(
        (accounts(&fleet), fleet.flow_logs.tags["Name"].as_str()),
        (vec!["111122223333".to_owned()], "Stack/FlowLog")
    );
    assert_data_eq!(
        comments,
        str![[r#"
TEMPLATE: `VpcB9E5F0B4` is a `AWS::EC2::VPC`, which is ignored
flow logs do not expire; to expire them, set `retention-days` to a number of days
TEMPLATE: `FlowLog7EA48C8C` is used only for the settings of flow logs: its resource is known only when the template is deployed
`apply` changes the bucket policy: adds 111122223333 to the grant
statement `AWSLogDeliveryWrite` is about log delivery but is foreign: it is kept unchanged
statement `AWSLogDeliveryAclCheck` is about log delivery but is foreign: it is kept unchanged
no template contains the logged resources; the regions are taken from the bucket, and all VPCs are assumed: check `regions` and `vpcs`
"#]]
    );
}

#[test]
fn values_known_only_at_deployment_are_reported() {
    let options = ["--bucket", "acme-logs", "--account", "222222222222", "--regions", "eu-west-1"];
    let (fleet, comments) = fleet(&template("conditions.yaml"), &options);
    assert_eq!((fleet.hub.prefix.clone(), accounts(&fleet)), (None, vec!["222222222222".to_owned()]));
    assert_eq!(fleet.flow_logs.traffic, TrafficType::Reject);
    assert_data_eq!(
        comments,
        str![[r#"
TEMPLATE: `FlowLog` is created only under the condition `HasFolder`, which is assumed to be true
no template creates the bucket: flowagg's defaults are used for its settings
TEMPLATE: `FlowLog` delivers to a destination that is known only when the template is deployed: assuming `arn:aws:s3:::acme-logs`
TEMPLATE: `FlowLog` has `DeliverLogsPermissionArn`, which is ignored
TEMPLATE: `FlowLog` has a `MaxAggregationInterval` that is known only when the template is deployed: the default is used
TEMPLATE: `FlowLog` is used only for the settings of flow logs: its resource is known only when the template is deployed
`apply` changes the bucket policy: adds 222222222222 to the grant
no template contains the logged resources; the hub's region is used, and all VPCs are assumed: check `regions` and `vpcs`
"#]]
    );
}
