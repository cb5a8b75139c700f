//! Templates of the kinds that teams publish, with the fleet that each of them is.

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

/// The fleet that a template is, and the comments in its file.
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

/// A changed template.
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
flow logs do not expire; set `retention-days` to a number of days if they should
`apply` changes the bucket policy: adds 111122223333 to the grant
statement `LoadBalancers` is about log delivery and is not this fleet's: it stays as it is
statement `AWSLogDeliveryWrite` is about log delivery and is not this fleet's: it stays as it is
statement `AWSLogDeliveryAclCheck` is about log delivery and is not this fleet's: it stays as it is
"#]]
    );
}

#[test]
fn statements_for_several_folders_decide_nothing_without_a_flow_log() {
    let file = changed("load-balancer.yaml", &[("AWS::EC2::FlowLog", "AWS::EC2::Instance")]);
    let said = of(file.path().to_str().unwrap(), &[]);
    assert_eq!(said.code, Some(2), "{}", said.out);
    assert_data_eq!(
        said.err,
        str![[r#"
error: the bucket policy lets log delivery write to several folders: `AWSLogs/`, `nlb/AWSLogs/`
       choose one with `--prefix FOLDER` (`--prefix ""` for the top), and import the others into files of their own

"#]]
    );
}

#[test]
fn account_ids_without_quotes_are_an_error_that_names_all_of_them_and_the_cause() {
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
error: `TEMPLATE`: account ids without quotes are read as numbers, and numbers keep no leading zeros: `012345670123` (line 4), `098765432109` (line 5)
       put each account id in quotes, as in `"222222222222"`
error: `TEMPLATE`: account ids without quotes are read as numbers, and numbers keep no leading zeros: `098765432109` (line 5)
       put each account id in quotes, as in `"222222222222"`

"#]]
    );
}

#[test]
fn account_that_a_template_leaves_open_is_reported() {
    let file = changed("account-ids.yaml", &[("Default: \"098765432109\"", "MinLength: 12")]);
    let (read, comments) = fleet(file.path().to_str().unwrap(), &[]);
    assert_eq!(accounts(&read), ["012345670123"]);
    assert_data_eq!(
        comments,
        str![[r#"
flow logs do not expire; set `retention-days` to a number of days if they should
`apply` changes the bucket policy: adds 012345670123 to the grant
statement `AWSLogDeliveryWrite` is about log delivery and is not this fleet's: it stays as it is
statement `AWSLogDeliveryAclCheck` is about log delivery and is not this fleet's: it stays as it is
statement `AWSLogDeliveryWrite` is not read as a whole: its resource `{"Fn::Sub":"arn:aws:s3:::acme-logs/AWSLogs/${Bank}/*"}` has a value that is not known here
statement `AWSLogDeliveryWrite` is not read as a whole: `{"Ref":"Bank"}` in `aws:SourceAccount` is not an account id
no template says what is logged here; the region is the hub's, and every VPC is a guess: correct `regions` and `vpcs`
"#]]
    );
}

#[test]
fn record_format_with_a_blank_at_its_end_is_read() {
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
TEMPLATE: `Vpc` is a `AWS::EC2::VPC`, which is not read
TEMPLATE: `VersioningConfiguration` of `Logs` is not read, and `apply` leaves it as it is
the lifecycle rule `retired` for the whole bucket, which expires objects after 30 days, is not read, because it is disabled: it stays
the lifecycle rule `cold` for the whole bucket is not flowagg's: it stays beside `flowagg-expiry/flow-logs-test-111122223333/AWSLogs`
the lifecycle rule `old` for the whole bucket, which expires objects after 365 days, is not flowagg's: its days are taken, and it stays beside `flowagg-expiry/flow-logs-test-111122223333/AWSLogs`
the lifecycle rule `old` for the whole bucket, which expires objects after 365 days, leaves unfinished uploads; `apply` deletes them after 7 days
`apply` changes the bucket policy: adds 111122223333 to the grant
statement `AWSLogDeliveryWrite` is about log delivery and is not this fleet's: it stays as it is
statement `AWSLogDeliveryAclCheck` is about log delivery and is not this fleet's: it stays as it is
"#]]
    );
}

#[test]
fn flow_log_of_a_vpc_of_its_own_stack_only_shows_the_settings() {
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
TEMPLATE: `Vpc` is a `AWS::EC2::VPC`, which is not read
TEMPLATE: `VersioningConfiguration` of `Logs` is not read, and `apply` leaves it as it is
the lifecycle rule `retired` for the whole bucket, which expires objects after 30 days, is not read, because it is disabled: it stays
the lifecycle rule `cold` for the whole bucket is not flowagg's: it stays beside `flowagg-expiry/flow-logs-test-111122223333/AWSLogs`
the lifecycle rule `old` for the whole bucket, which expires objects after 365 days, is not flowagg's: its days are taken, and it stays beside `flowagg-expiry/flow-logs-test-111122223333/AWSLogs`
the lifecycle rule `old` for the whole bucket, which expires objects after 365 days, leaves unfinished uploads; `apply` deletes them after 7 days
TEMPLATE: `FlowLog` has `ResourceIds`, which is not read
TEMPLATE: `FlowLog` only tells how flow logs are: its resource is only known when the template is deployed
`apply` changes the bucket policy: adds 222222222222 to the grant
statement `AWSLogDeliveryWrite` is about log delivery and is not this fleet's: it stays as it is
statement `AWSLogDeliveryAclCheck` is about log delivery and is not this fleet's: it stays as it is
no template says what is logged here; the region is the hub's, and every VPC is a guess: correct `regions` and `vpcs`
"#]]
    );

    let said = of(path, &[]);
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{}", said.err);
    assert_data_eq!(
        said.err,
        str![[r#"
error: no account was found that delivers flow logs to `flow-logs-test-111122223333`, or may: no account is named for `AWSLogs/` in the statements about log delivery (`AWSLogDeliveryWrite`); the account or resource of 1 flow log is only known when its template is deployed
       name accounts with `--account ID` or an organization with `--organization ID`, or write a fleet file (the README shows how)

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
TEMPLATE: `VpcB9E5F0B4` is a `AWS::EC2::VPC`, which is not read
flow logs do not expire; set `retention-days` to a number of days if they should
TEMPLATE: `FlowLog7EA48C8C` only tells how flow logs are: its resource is only known when the template is deployed
`apply` changes the bucket policy: adds 111122223333 to the grant
statement `AWSLogDeliveryWrite` is about log delivery and is not this fleet's: it stays as it is
statement `AWSLogDeliveryAclCheck` is about log delivery and is not this fleet's: it stays as it is
no template says what is logged here; the regions are those that the bucket names, and every VPC is a guess: correct `regions` and `vpcs`
"#]]
    );
}

#[test]
fn what_is_only_known_when_a_template_is_deployed_is_reported_and_not_guessed_in_silence() {
    let options = ["--bucket", "acme-logs", "--account", "222222222222", "--regions", "eu-west-1"];
    let (fleet, comments) = fleet(&template("conditions.yaml"), &options);
    assert_eq!((fleet.hub.prefix.clone(), accounts(&fleet)), (None, vec!["222222222222".to_owned()]));
    assert_eq!(fleet.flow_logs.traffic, TrafficType::Reject);
    assert_data_eq!(
        comments,
        str![[r#"
TEMPLATE: `FlowLog` is created only under the condition `HasFolder`: it is read as if that is met
no template makes the bucket: its settings are flowagg's own
TEMPLATE: `FlowLog` delivers to what is only known when the template is deployed: it is taken for `arn:aws:s3:::acme-logs`
TEMPLATE: `FlowLog` has `DeliverLogsPermissionArn`, which is not read
TEMPLATE: `FlowLog` has a `MaxAggregationInterval` that is only known when the template is deployed: the default is used
TEMPLATE: `FlowLog` only tells how flow logs are: its resource is only known when the template is deployed
`apply` changes the bucket policy: adds 222222222222 to the grant
no template says what is logged here; the region is the hub's, and every VPC is a guess: correct `regions` and `vpcs`
"#]]
    );
}
