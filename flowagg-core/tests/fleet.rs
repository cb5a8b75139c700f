//! The fleet file, read whole or refused with all its faults.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

use std::collections::BTreeSet;

use flowagg_core::fleet::{
    Encryption, Fleet, FleetFile, FoundAccount, GrantForm, ObjectOwnership, Only, Regions, Selection,
};
use flowagg_core::flow_log::{AggregationInterval, FieldSet, TrafficType};
use flowagg_core::id::{AccountId, Partition, Region, ResourceKind};
use flowagg_core::lifecycle::Lifecycle;
use proptest::prelude::*;
use snapbox::{assert_data_eq, str};

const HUB: &str = "[hub]\naccount = \"111122223333\"\nregion = \"eu-west-1\"\nbucket = \"acme-flow-logs\"\n";
const MEMBER: &str = "[[members]]\naccount = \"222222222222\"\nregions = [\"eu-west-1\"]\n";

/// Each fault as `line:column what`, one a line.
#[track_caller]
fn check(text: &str, expected: &str) {
    let error = Fleet::parse(text).expect_err("the fleet file is faulty");
    let faults: Vec<String> = error.faults.iter().map(ToString::to_string).collect();
    assert_eq!(faults.join("\n"), expected.trim());
    assert!(error.faults.iter().all(|fault| !fault.help.is_empty()), "every fault says what to do");
}

/// The one fault of a hub with this line in it.
#[track_caller]
fn check_hub(line: &str, expected: &str) {
    let text = format!("{HUB}{line}\n{MEMBER}");
    check(&text, expected);
}

#[test]
fn ten_lines_are_a_whole_fleet() {
    let fleet = Fleet::parse(&format!("{HUB}\n{MEMBER}")).unwrap();
    assert_eq!(fleet.hub.lifecycle, Lifecycle::default());
    assert_eq!((fleet.hub.encryption, fleet.hub.object_ownership), (None, None));
    assert_eq!(fleet.flow_logs.traffic, TrafficType::All);
    assert_eq!(fleet.flow_logs.aggregation_interval, AggregationInterval::TenMinutes);
    assert!(fleet.policy.source_conditions);
    let member = &fleet.members[&AccountId::parse("222222222222").unwrap()];
    assert_eq!(member.role.as_str(), "OrganizationAccountAccessRole");
    assert_eq!(member.resources, Selection::default());
}

#[test]
fn everything_can_be_said() {
    let fleet = Fleet::parse(
        r#"
        [hub]
        account = "111122223333"
        region = "cn-north-1"
        bucket = "acme-flow-logs"
        prefix = "network/flow-logs/"
        retention-days = 365
        encryption = "arn:aws-cn:kms:cn-north-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
        profile = "hub"
        role = "flowagg"

        [flow-logs]
        traffic = "reject"
        aggregation-interval = "1m"
        tags = { team = "network" }

        [policy]
        source-conditions = false
        form = "prefixes"

        [[members]]
        account = "222222222222"
        name = "payments"
        regions = ["cn-north-1", "cn-northwest-1"]
        role = "teams/flowagg"
        vpcs = ["vpc-0a1b2c3d4e5f67890"]

        [[members]]
        account = "111122223333"
        regions = ["cn-north-1"]
        vpcs = { tags = { logged = "yes" } }
        "#,
    )
    .unwrap();
    assert_eq!(fleet.partition(), Partition::AwsCn);
    assert_eq!(fleet.destination().arn(), "arn:aws-cn:s3:::acme-flow-logs/network/flow-logs/");
    assert_eq!(fleet.tags().len(), 3, "the tags that mark the fleet are among them");
    assert_eq!(fleet.places().count(), 3);
    assert_eq!(fleet.policy.form, GrantForm::Prefixes);
}

#[test]
fn a_part_of_a_fleet_is_named_by_accounts_and_regions() {
    let member = |account: &str| {
        format!("[[members]]\naccount = \"{account}\"\nregions = [\"eu-west-1\", \"us-east-1\"]\n")
    };
    let fleet = Fleet::parse(&format!("{HUB}{}{}", member("222222222222"), member("333333333333"))).unwrap();
    let account = |id: &str| Only::Account(AccountId::parse(id).unwrap());
    let region = |name: &str| Only::Region(name.parse().unwrap());
    assert_eq!(fleet.places_in(&[]).count(), 4);
    assert_eq!(fleet.places_in(&[account("222222222222")]).count(), 2);
    assert_eq!(fleet.places_in(&[region("us-east-1")]).count(), 2);
    assert_eq!(fleet.places_in(&[account("222222222222"), region("us-east-1")]).count(), 1);
    assert_eq!(fleet.places_in(&[account("444444444444")]).count(), 0);
}

#[test]
fn eight_faults_are_all_named_with_their_places() {
    check(
        include_str!("data/eight-faults.toml"),
        "
3:11: `hub.account`: `11112222333` is not an AWS account id: it has 11 digits
5:10: `hub.bucket`: `Acme_Logs` is not a bucket name: `A` may not stand in one
6:10: `hub.prefix`: `AWSLogs` is not a sub-folder: `AWSLogs` is reserved: log delivery makes that folder itself
7:18: `hub.retention-days` is 0
10:1: `trafic` is no key of flow-logs
11:24: `flow-logs.aggregation-interval` is `5m`
14:11: `members[0].account` is a number where a text belongs
17:1: `members[1].regions` is missing",
    );
}

#[test]
fn a_region_of_another_partition_is_refused() {
    check(
        &format!("{HUB}[[members]]\naccount = \"222222222222\"\nregions = [\"us-gov-west-1\"]\n"),
        "7:11: `us-gov-west-1` is in the partition `aws-us-gov`, the hub in `aws`",
    );
}

#[test]
fn a_member_named_twice_is_refused_with_the_line_of_the_first() {
    check(&format!("{HUB}{MEMBER}{MEMBER}"), "9:11: the account 222222222222 is already a member, at line 6");
}

/// If reading were quadratic, this would take minutes.
#[test]
fn every_fault_of_a_large_file_has_its_place() {
    let member =
        |n: u32| format!("[[members]]\naccount = \"{:012}\"\nregion = [\"eu-west-1\"]\n", n % 10_000);
    let text = (0..20_000).fold(HUB.to_owned(), |text, n| text + &member(n));
    let faults = Fleet::parse(&text).unwrap_err().faults;
    assert_eq!(faults.len(), 50_000, "two for each member, one more for each repeated one");
    let first = HUB.lines().count() + 1;
    assert_eq!(faults[0].to_string(), format!("{first}:1: `members[0].regions` is missing"));
    let last = format!("{}:1: `region` is no key of members[19999]", first + 3 * 19_999 + 2);
    assert_eq!(faults[49_999].to_string(), last);
    let repeated = format!("the account 000000009999 is already a member, at line {}", first + 3 * 9_999 + 1);
    assert_eq!(faults[49_998].what, repeated);
}

#[test]
fn a_fleet_without_members_is_refused() {
    check(HUB, "1:1: `members` is missing");
    check(&format!("members = []\n{HUB}"), "1:11: the fleet has no members");
}

/// Each fault with its help, one a line.
fn helped(text: &str) -> String {
    let error = FleetFile::parse(text).expect_err("the fleet file is faulty");
    error.faults.iter().map(|fault| format!("{fault}\n    {}\n", fault.help)).collect()
}

#[test]
fn account_ids_that_toml_does_not_read_are_named_with_the_quoted_id() {
    let member =
        |account: &str| format!("{HUB}[[members]]\naccount = {account}\nregions = [\"eu-west-1\"]\n");
    let accounts = format!(
        "{HUB}[organization]\nid = \"o-a1b2c3d4e5\"\nregions = [\"all\"]\naccounts = [0123-4567-8901, 012345678901]\n"
    );
    let texts =
        ["012345678901", "1234-5678-9012", "0000-1111-2222 # note", "\"1234-5678-9012\"", "222222222222"];
    let told: String = texts.map(member).iter().chain([&accounts]).map(|text| helped(text)).collect();
    assert_data_eq!(
        told,
        str![[r#"
6:11: an account id is a text, and this one has no quotes
    write it in quotes: "012345678901"
6:11: an account id is a text, and this one has no quotes
    write it in quotes: "123456789012"
6:11: an account id is a text, and this one has no quotes
    write it in quotes: "000011112222"
6:11: `members[0].account`: `1234-5678-9012` is not an AWS account id: it is written with dashes, as in the AWS console; without them it is `123456789012`
    an account id has 12 digits, as in `111122223333`
6:11: `members[0].account` is a number where a text belongs
    write it in quotes: "222222222222"
8:13: an account id is a text, and this one has no quotes
    write it in quotes: "012345678901"
8:29: an account id is a text, and this one has no quotes
    write it in quotes: "012345678901"

"#]]
    );
}

#[test]
fn value_of_another_type_is_shown_as_it_was_probably_meant() {
    let text = r#"
[hub]
account = ["111122223333"]
region = "eu-west-1"
bucket = "acme-flow-logs"
retention-days = "90"
bucket-key = "true"

[[flow-logs]]
fields = "version, vpc-id"
traffic = ["all", "reject"]

[policy]
source-arn = "yes"

[members]
account = "222222222222"
regions = ["eu-west-1"]
"#;
    let more = r#"
[[members]]
account = "222222222222"
regions = "eu-central-1"
name = true
vpcs = { except = "vpc-0a1b2c3d", tags = ["a"] }
[[members]]
account = "333333333333"
regions = [["eu-west-1"]]
[organization]
id = "o-a1b2c3d4e5"
units = "ou-ab12-11111111"
regions = "all"
accounts = 444444444444
"#;
    assert_data_eq!(
        helped(text) + "\n" + &helped(&format!("{HUB}{more}")),
        str![[r#"
3:11: `hub.account` is an array where a text in quotes belongs
    write a text in quotes: `account = "111122223333"`
6:18: `hub.retention-days` is a string where a whole number belongs
    write a whole number: `retention-days = 90`
7:14: `hub.bucket-key` is a string where true or false belongs
    write true or false: `bucket-key = true`
7:14: a bucket key is of a KMS key
    name the key's ARN in `encryption`, or leave it out
9:1: `flow-logs` is an array where a table belongs
    write a table: `[flow-logs]`
14:14: `policy.source-arn` is a string where true or false belongs
    write true or false
16:1: `members` is a table where a list belongs
    write a list: `[[members]]`

8:11: `members[0].regions` is a string where a list in brackets belongs
    write a list in brackets: `regions = ["eu-central-1"]`
9:8: `members[0].name` is a boolean where a text in quotes belongs
    write a text in quotes: `name = "true"`
10:19: `members[0].vpcs.except` is a string where a list in brackets belongs
    write a list in brackets: `except = ["vpc-0a1b2c3d"]`
10:42: `members[0].vpcs.tags` is an array where a table belongs
    write a table
13:12: `members[1].regions[0]` is an array where a text in quotes belongs
    write a text in quotes: `"eu-west-1"`
16:9: `organization.units` is a string where a list in brackets belongs
    write a list in brackets: `units = ["ou-ab12-11111111"]`
17:11: `organization.regions` is a string where a list in brackets belongs
    write a list in brackets: `regions = ["all"]`
18:12: `organization.accounts` is an integer where a list in brackets belongs
    write a list in brackets: `accounts = ["444444444444"]`

"#]]
    );
}

#[test]
fn regions_that_aws_did_not_have_are_not_faults_and_can_be_listed() {
    let file = FleetFile::parse(&format!("{HUB}{}", MEMBER.replace("eu-west-1", "eu-wset-1"))).unwrap();
    let unknown: Vec<&str> = file.unknown_regions().into_iter().map(Region::as_str).collect();
    assert_eq!(unknown, ["eu-wset-1"]);
    assert!(FleetFile::parse(&format!("{HUB}{MEMBER}")).unwrap().unknown_regions().is_empty());
}

#[test]
fn a_misspelt_key_is_answered_with_the_one_that_was_meant() {
    let error = Fleet::parse(&format!("{HUB}retention_days = 30\n{MEMBER}")).unwrap_err();
    assert_eq!(error.faults[0].help, "did you mean `retention-days`?");
}

#[test]
fn keys_are_of_the_hubs_region_and_given_by_arn() {
    check_hub(
        "encryption = \"arn:aws:kms:us-east-1:111122223333:key/1234abcd\"",
        "5:14: the key is in `us-east-1`, the bucket in `eu-west-1`",
    );
    check_hub("encryption = \"alias/aws/s3\"", "5:14: `hub.encryption` is `alias/aws/s3`");
    let error = Fleet::parse(&format!("{HUB}encryption = \"aws:kms\"\n{MEMBER}")).unwrap_err();
    assert_data_eq!(
        &error.faults[0].help,
        str![
            "the key that AWS manages for S3 (`aws/s3`) cannot be used: nobody can change its policy, and log delivery is not in it; `sse-s3`, or the ARN of a key of your own"
        ]
    );
    check_hub(
        "encryption = \"alias/mine\"",
        "5:14: `hub.encryption`: `alias/mine` is not the ARN of a KMS key: it names an alias",
    );
    check_hub("bucket-key = true", "5:14: a bucket key is of a KMS key");
    check_hub("encryption = \"sse-s3\"\nbucket-key = true", "6:14: a bucket key is of a KMS key");
}

#[test]
fn a_fleet_file_that_sets_sse_s3_differs_from_one_that_sets_no_encryption() {
    let hub = |line: &str| Fleet::parse(&format!("{HUB}{line}\n{MEMBER}")).unwrap().hub;
    assert_eq!(hub("encryption = \"sse-s3\"").encryption, Some(Encryption::SseS3));
    assert_eq!(hub("").encryption, None);
    assert_eq!(hub("object-ownership = \"keep\"").object_ownership, Some(ObjectOwnership::Keep));
    check_hub("object-ownership = \"off\"", "5:20: `hub.object-ownership` is `off`");
}

#[test]
fn objects_move_before_they_expire_and_not_before_s3_moves_them() {
    let hub = |lines: &str| Fleet::parse(&format!("{HUB}{lines}\n{MEMBER}"));
    let fleet = hub(
        "retention-days = 400\ntransition = { days = 30, storage-class = \"STANDARD_IA\" }\nnoncurrent-days = 7\nabort-uploads-days = 1",
    );
    let lifecycle = fleet.unwrap().hub.lifecycle;
    assert_eq!(lifecycle.transition.unwrap().storage_class, "STANDARD_IA");
    assert_eq!((lifecycle.noncurrent_days, lifecycle.abort_uploads_days), (Some(7), Some(1)));
    check_hub(
        "transition = { days = 29, storage-class = \"STANDARD_IA\" }",
        "5:23: S3 moves objects to STANDARD_IA after 30 days at the earliest",
    );
    check_hub(
        "transition = { days = 90, storage-class = \"GLACIER\" }",
        "5:23: the transition is after 90 days, the expiry after 90",
    );
    check_hub("transition = { days = 40 }", "5:14: `hub.transition.storage-class` is missing");
}

const ORGANIZATION: &str = "[organization]\nid = \"o-a1b2c3d4e5\"\n";

fn found(id: &str, state: &str, in_units: bool) -> FoundAccount {
    let mut found = FoundAccount::new(AccountId::parse(id).unwrap(), state);
    found.name = Some("found".into());
    found.in_units = in_units;
    found
}

#[test]
fn accounts_of_an_organization_become_members_by_unit_by_name_and_by_state() {
    let text = format!(
        "{HUB}{ORGANIZATION}units = [\"ou-ab12-11111111\"]\naccounts = [\"444444444444\"]\nexcept-accounts = [\"555555555555\"]\n\
         regions = [\"all\"]\nrole = \"reader\"\n{MEMBER}"
    );
    let mut resolution = FleetFile::parse(&text).unwrap().resolve();
    for account in [
        found("222222222222", "ACTIVE", true),
        found("333333333333", "ACTIVE", true),
        found("444444444444", "ACTIVE", false),
        found("555555555555", "ACTIVE", true),
        found("666666666666", "SUSPENDED", true),
        found("777777777777", "PENDING_CLOSURE", true),
        found("888888888888", "ACTIVE", false),
    ] {
        resolution.find(account);
    }
    let eu: Region = "eu-west-1".parse().unwrap();
    for (account, enabled) in [
        ("222222222222", BTreeSet::from([eu.clone(), "us-east-1".parse().unwrap()])),
        ("333333333333", BTreeSet::from([eu.clone(), "us-east-1".parse().unwrap()])),
        ("444444444444", BTreeSet::new()),
    ] {
        resolution.enable(AccountId::parse(account).unwrap(), enabled);
    }
    let fleet = resolution.finish();
    let members: Vec<String> = fleet.members.keys().map(ToString::to_string).collect();
    assert_eq!(members, ["222222222222", "333333333333", "444444444444", "777777777777"]);
    assert_eq!(
        fleet.left_out.values().collect::<Vec<_>>(),
        ["excepted by the fleet file", "SUSPENDED", "in no unit that the fleet file chooses"]
    );
    let named = &fleet.members[&AccountId::parse("222222222222").unwrap()];
    assert_eq!(named.regions.iter().collect::<Vec<_>>(), [&eu], "the fleet file's own word stands");
    assert_eq!(
        (named.role.as_str(), named.name.as_deref()),
        ("OrganizationAccountAccessRole", Some("found"))
    );
    let other = &fleet.members[&AccountId::parse("333333333333").unwrap()];
    assert_eq!((other.role.as_str(), other.regions.iter().count()), ("reader", 2));
    assert!(fleet.regions()[&other.account].is_empty(), "no list of regions binds an account that has all");
    let regions = |id: &str| &fleet.members[&AccountId::parse(id).unwrap()].regions;
    assert_eq!(*regions("444444444444"), Regions::All { enabled: Some(BTreeSet::new()) }, "none is enabled");
    assert_eq!(*regions("777777777777"), Regions::ALL, "not looked up");
    assert!(!fleet.organization.unwrap().is_whole());
}

#[test]
fn an_organization_is_whole_when_nothing_is_chosen_or_excepted() {
    let whole = |more: &str| {
        let file =
            FleetFile::parse(&format!("{HUB}{ORGANIZATION}regions = [\"eu-west-1\"]\n{more}")).unwrap();
        file.organization.unwrap().is_whole()
    };
    assert!(whole(""));
    assert!(!whole("except-accounts = [\"555555555555\"]"));
    assert!(!whole("units = [\"ou-ab12-11111111\"]"));
}

#[test]
fn what_has_to_be_looked_up_is_no_fleet_yet() {
    let error = Fleet::parse(&format!("{HUB}{ORGANIZATION}regions = [\"all\"]\n")).unwrap_err();
    assert_data_eq!(
        error.to_string(),
        str![[r#"
1:1: the accounts of the organization have to be looked up in AWS
    name every account and its regions in `[[members]]`, or read it with `FleetFile::parse`
"#]]
    );
    let all = MEMBER.replace("eu-west-1", "all");
    assert!(Fleet::parse(&format!("{HUB}{all}")).is_err());
    assert!(FleetFile::parse(&format!("{HUB}{all}")).is_ok());
}

#[test]
fn an_organization_whose_accounts_are_not_looked_up_chooses_none() {
    check(
        &format!("{HUB}{ORGANIZATION}except-accounts = [\"555555555555\"]\n{MEMBER}"),
        "7:19: `organization.except-accounts` chooses among the organization's accounts, which are not looked up",
    );
}

#[test]
fn resources_are_chosen_by_kind_and_named_by_their_own_ids() {
    let member = |more: &str| format!("{HUB}{MEMBER}{more}\n");
    let fleet = Fleet::parse(&member(
        "vpcs = \"none\"\ntransit-gateways = \"all\"\nsubnets = { tags = { logged = \"yes\" } }",
    ))
    .unwrap();
    let kinds: Vec<ResourceKind> =
        fleet.members.values().flat_map(|member| member.resources.kinds()).collect();
    assert_eq!(kinds, [ResourceKind::Subnet, ResourceKind::TransitGateway]);
    check(&member("subnets = [\"vpc-0a1b2c3d\"]"), "8:11: `vpc-0a1b2c3d` is the id of a VPC");
    check(&member("vpcs = \"none\""), "8:8: nothing is logged here");
    check(
        &member("subnets = { default-vpcs = false }"),
        "8:13: `default-vpcs` is no key of members[0].subnets",
    );
}

#[test]
fn a_bucket_of_an_accounts_own_namespace_names_that_account_and_region() {
    let named = |bucket: &str| format!("{HUB}{MEMBER}").replace("acme-flow-logs", bucket);
    assert!(Fleet::parse(&named("logs-111122223333-eu-west-1-an")).is_ok());
    check(
        &named("logs-222222222222-eu-west-1-an"),
        "4:10: `logs-222222222222-eu-west-1-an` ends like a bucket of an account's own namespace, but not of this account and region",
    );
}

#[test]
fn a_form_that_would_let_any_account_write_is_refused() {
    check(
        &format!("{HUB}[policy]\nform = \"accounts\"\nsource-conditions = false\n{MEMBER}"),
        "6:8: `policy.form` is `accounts`, which without source conditions lets any AWS account write",
    );
}

#[test]
fn what_is_no_toml_is_refused_with_its_place() {
    let error = Fleet::parse("[hub\naccount = \"1\"\n[[members]\n").unwrap_err();
    assert!(error.faults.len() >= 2, "{error}");
    assert_eq!(error.faults[0].line, 1);
}

#[test]
fn fields_are_those_that_aws_has_each_once_and_in_the_order_they_are_named() {
    let fields = |fields: &str| format!("{HUB}[flow-logs]\nfields = [{fields}]\n{MEMBER}");
    let fleet = Fleet::parse(&fields("\"vpc-id\", \"version\", \"flow-direction\"")).unwrap();
    assert_eq!(fleet.flow_logs.format.to_string(), "${vpc-id} ${version} ${flow-direction}");
    check(
        &fields("\"srcadr\", \"start\", \"start\""),
        "6:11: `flow-logs.fields[0]`: `srcadr` is not a field of a flow log record: the nearest that AWS has is `srcaddr`\n\
         6:30: the field `start` is named twice",
    );
    check(&fields(""), "6:10: a record has no fields");
}

#[test]
fn fields_may_be_a_set_by_its_name() {
    let fields = |name: &str| format!("{HUB}[flow-logs]\nfields = \"{name}\"\n{MEMBER}");
    for set in FieldSet::ALL {
        assert_eq!(Fleet::parse(&fields(set.as_str())).unwrap().flow_logs.format, set.format());
    }
    check(&fields("version, vpc-id"), "6:10: `flow-logs.fields` is `version, vpc-id`");
}

#[test]
fn the_mark_and_awss_own_tags_cannot_be_set() {
    let tags = |tags: &str| format!("{HUB}[flow-logs]\ntags = {{ {tags} }}\n{MEMBER}");
    assert!(Fleet::parse(&tags("team = \"network\"")).is_ok());
    check(&tags("managed-by = \"us\""), "6:23: the tag `managed-by` is flowagg's mark");
    check(&tags("\"flowagg:fleet\" = \"us\""), "6:28: the tag `flowagg:fleet` is flowagg's mark");
    check(&tags("\"aws:team\" = \"us\""), "6:23: the tag `aws:team` is AWS's own");
}

#[test]
fn a_fleet_has_a_name_whether_or_not_the_file_gives_one() {
    let name = |text: &str| Fleet::parse(text).unwrap().name().to_string();
    let of_bucket = name(&format!("{HUB}{MEMBER}"));
    assert_eq!(of_bucket, "acme-flow-logs");
    let of_folder = name(&format!("{HUB}prefix = \"network\"\n{MEMBER}"));
    assert!(
        of_folder.starts_with(&format!("{of_bucket}-")) && of_folder.len() == of_bucket.len() + 9,
        "{of_folder}"
    );
    assert_eq!(name(&format!("[fleet]\nname = \"acme\"\n{HUB}{MEMBER}")), "acme");
    check(
        &format!("[fleet]\nname = \"Acme\"\n{HUB}{MEMBER}"),
        "2:8: `fleet.name`: `Acme` is not a fleet name: `A` is not allowed",
    );
    check(&format!("[fleet]\nnam = \"acme\"\n{HUB}{MEMBER}"), "2:1: `nam` is no key of fleet");
}

#[test]
fn columns_are_counted_in_characters() {
    let error = Fleet::parse(&format!("{HUB}profile = \"é\" \n\"ключ\" = 1\n{MEMBER}")).unwrap_err();
    assert_eq!((error.faults[0].line, error.faults[0].column), (6, 1));
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC*") {
        let _ = Fleet::parse(&text);
    }

    #[test]
    fn no_change_of_a_good_file_makes_the_reader_panic(at in 0usize..200, junk in "[\\[\\]\"=,{}#\n a-zé0-9]{0,6}") {
        let mut text = format!("{HUB}encryption = \"sse-s3\"\n[flow-logs]\ntags = {{ a = \"b\" }}\n{MEMBER}");
        let at = at.min(text.len());
        text.replace_range(at..at, &junk);
        if let Err(error) = Fleet::parse(&text) {
            prop_assert!(!error.faults.is_empty());
            prop_assert!(error.faults.iter().all(|fault| fault.line <= text.lines().count() + 1));
        }
    }
}

#[test]
fn accounts_that_a_rule_leaves_out_are_not_chosen() {
    let chosen = |rules: &str| {
        let text = format!(
            "[hub]\naccount = \"111122223333\"\nregion = \"eu-west-1\"\nbucket = \"acme-flow-logs\"\n\
             [organization]\nid = \"o-a1b2c3d4e5\"\n{rules}\n\
             [[members]]\naccount = \"333333333333\"\nregions = [\"eu-west-1\"]\n"
        );
        let file = FleetFile::parse(&text).unwrap();
        let organization = file.organization.unwrap();
        ["111122223333", "222222222222"].map(|id| organization.may_choose(id.parse().unwrap()))
    };
    let regions = "regions = [\"all\"]";
    assert_eq!(chosen(""), [false, false]);
    assert_eq!(chosen(regions), [true, true]);
    assert_eq!(chosen(&format!("{regions}\nexcept-accounts = [\"111122223333\"]")), [false, true]);
    assert_eq!(chosen(&format!("{regions}\naccounts = [\"222222222222\"]")), [false, true]);
    assert_eq!(
        chosen(&format!("{regions}\nunits = [\"ou-a1b2-c3d4e5f6\"]\naccounts = [\"222222222222\"]")),
        [true, true]
    );
}

#[test]
fn reading_replaces_every_role_but_that_of_the_lookup() {
    let text = "\
        [fleet]\nread-role = \"flowagg-read\"\nexternal-id = \"acme/7\"\n\
        [hub]\naccount = \"111122223333\"\nregion = \"eu-west-1\"\nbucket = \"acme-flow-logs\"\nrole = \"flowagg-hub\"\n\
        [organization]\nid = \"o-a1b2c3d4e5\"\nregions = [\"all\"]\nrole = \"flowagg\"\n\
        lookup = { account = \"444444444444\", role = \"lookup\" }\n\
        [[members]]\naccount = \"222222222222\"\nregions = [\"eu-west-1\"]\nrole = \"flowagg\"\n";
    let file = FleetFile::parse(text).unwrap();
    let roles = |file: &FleetFile| {
        let found = file.discovery().map(|(_, how)| how.role.to_string());
        let named = file.roles().map(|(account, role)| format!("{account} {role}"));
        named.chain(found).collect::<Vec<_>>()
    };
    assert_eq!(
        roles(&file),
        ["222222222222 flowagg", "111122223333 flowagg-hub", "444444444444 lookup", "flowagg"]
    );
    let reading = file.clone().for_reading();
    assert_eq!(
        roles(&reading),
        ["222222222222 flowagg-read", "111122223333 flowagg-read", "444444444444 lookup", "flowagg-read"]
    );
    assert_eq!(reading.external_id, file.external_id);
    // A caller in another account reads the hub by the read role as well.
    let unnamed = FleetFile::parse(&text.replace("role = \"flowagg-hub\"\n", "")).unwrap();
    assert_eq!(unnamed.hub.role, None);
    assert_eq!(roles(&unnamed.for_reading()), roles(&reading));
    // In the hub account no role is assumed for the lookup.
    let in_hub = FleetFile::parse(&text.replace("444444444444", "111122223333")).unwrap();
    assert_eq!(roles(&in_hub), ["222222222222 flowagg", "111122223333 flowagg-hub", "flowagg"]);

    let without = FleetFile::parse(&text.replace("read-role = \"flowagg-read\"", "")).unwrap();
    assert_eq!(without.clone().for_reading(), without);
}

#[test]
fn exceptions_name_what_they_are_for_a_reason_and_a_day() {
    let member = "[[members]]\naccount = \"222222222222\"\nregions = [\"eu-west-1\"]\n";
    let file = |exception: &str| format!("{HUB}{member}[[exceptions]]\n{exception}\n");
    let whole = "account = \"222222222222\"\nregion = \"eu-west-1\"\nreason = \"being closed\"\nuntil = ";
    for until in ["2027-01-31", "\"2027-01-31\""] {
        let file = FleetFile::parse(&file(&format!("{whole}{until}"))).unwrap();
        assert_eq!(file.exceptions[0].until.to_string(), "2027-01-31");
        assert_eq!(file.exceptions[0].to_string(), "account 222222222222, region eu-west-1");
    }
    let faults: String = [
        "reason = \"x\"\nuntil = 2027-01-31",
        "account = \"222222222222\"",
        "vpc = \"subnet-0a1b2c3d\"\nreason = \" \"\nuntil = \"2027-02-30\"",
        "unit = \"ou-ab12-11111111\"\nreason = \"x\"\nuntil = \"31.1.2027\"",
        "account = \"222222222222\"\nreason = \"x\"\nuntil = 2027-01-31T00:00:00Z\nvpcs = 1",
        "account = \"222222222222\"\nreason = \"x\"\nuntil = 20270131",
    ]
    .map(|exception| helped(&file(exception)))
    .concat();
    assert_data_eq!(
        faults,
        str![[r#"
8:1: an exception for everything would hide every finding
    name what it is for: `account`, `unit`, `region` or `vpc`, or several of them
8:1: `exceptions[0].reason` is missing
    why the findings are accepted, as in `"is closed in January"`
8:1: `exceptions[0].until` is missing
    the last day (UTC) on which they are, as in `"2027-01-31"`
9:7: `subnet-0a1b2c3d` is not a VPC
    name a VPC, as in `vpc-0a1b2c3d4e5f67890`
10:10: `exceptions[0].reason` is empty or not on one line
    write a word, or leave the key out
11:9: `exceptions[0].until` is `2027-02-30`
    write a day of the calendar: `until = 2027-01-31`
9:8: the units of accounts are not known, because the accounts of the organization are not looked up
    name accounts, or add `organization.regions`
11:9: `exceptions[0].until` is `31.1.2027`
    write a day of the calendar: `until = 2027-01-31`
11:9: `exceptions[0].until` is `2027-01-31T00:00:00Z`
    write a day of the calendar: `until = 2027-01-31`
12:1: `vpcs` is no key of exceptions[0]
    did you mean `vpc`?
11:9: `exceptions[0].until` is an integer where a day belongs
    write a day: `until = 2027-01-31`

"#]]
    );
}

#[test]
fn prices_are_decimal_numbers() {
    let member = "[[members]]\naccount = \"222222222222\"\nregions = [\"eu-west-1\"]\n";
    let file = |prices: &str| format!("{HUB}{member}[prices]\n{prices}\n");
    let read =
        FleetFile::parse(&file("delivery-per-gb = 0.19\nstorage-per-gb-month = 1\ncompression = 8")).unwrap();
    let prices = read.prices;
    assert_eq!(
        (prices.delivery_per_gb.exact(), prices.storage_per_gb_month.exact(), prices.compression),
        ("0.19".to_owned(), "1.0".to_owned(), 8)
    );
    assert!(!prices.are_listed && FleetFile::parse(&file("compression = 8")).unwrap().prices.are_listed);
    let faults = [
        "delivery-per-gb = \"0.19\"\nstorage-per-gb-month = -1.0",
        "delivery-per-gb = 1e3\ncompression = 0\nget = 1",
    ];
    assert_data_eq!(
        faults.map(|prices| helped(&file(prices))).concat(),
        str![[r#"
9:19: `prices.delivery-per-gb` is a string where a number belongs
    write a number: `delivery-per-gb = 0.19`
10:24: `prices.storage-per-gb-month`: `-1.0` is not a price: it is not a decimal number
    US dollars with up to six digits after the point, as in 0.25
9:19: `prices.delivery-per-gb`: `1e3` is not a price: it is not a decimal number
    US dollars with up to six digits after the point, as in 0.25
10:15: `prices.compression` is 0
    a whole number from 1 to 1000
11:1: `get` is no key of prices
    prices has `delivery-per-gb`, `storage-per-gb-month`, `compression`

"#]]
    );
}
