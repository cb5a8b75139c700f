//! Reading the fleet file, and reporting all its errors.
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

/// Each error as `line:column what`, one per line.
#[track_caller]
fn check(text: &str, expected: &str) {
    let error = Fleet::parse(text).expect_err("the fleet file is faulty");
    let faults: Vec<String> = error.faults.iter().map(ToString::to_string).collect();
    assert_eq!(faults.join("\n"), expected.trim());
    assert!(error.faults.iter().all(|fault| !fault.help.is_empty()), "every fault says what to do");
}

/// Checks the only error of a hub with this line.
#[track_caller]
fn check_hub(line: &str, expected: &str) {
    let text = format!("{HUB}{line}\n{MEMBER}");
    check(&text, expected);
}

#[test]
fn ten_lines_declare_a_fleet() {
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
fn every_setting_is_read() {
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
fn selectors_limit_places_to_accounts_and_regions() {
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
fn eight_errors_are_reported_with_their_positions() {
    check(
        include_str!("data/eight-faults.toml"),
        "
3:11: `hub.account`: `11112222333` is not a valid AWS account ID: it has 11 digits
5:10: `hub.bucket`: `Acme_Logs` is not a valid bucket name: `A` is not allowed
6:10: `hub.prefix`: `AWSLogs` is not a valid prefix: `AWSLogs` is reserved for log delivery
7:18: `hub.retention-days` is out of range: 0
10:1: unknown key `trafic` in `flow-logs`
11:24: `flow-logs.aggregation-interval`: invalid value `5m`
14:11: `members[0].account`: expected a string, found a number
17:1: `members[1].regions` is missing",
    );
}

#[test]
fn region_of_another_partition_is_rejected() {
    check(
        &format!("{HUB}[[members]]\naccount = \"222222222222\"\nregions = [\"us-gov-west-1\"]\n"),
        "7:11: `us-gov-west-1` is in partition `aws-us-gov`, but the hub is in `aws`",
    );
}

#[test]
fn duplicate_member_is_rejected_with_the_line_of_the_first() {
    check(&format!("{HUB}{MEMBER}{MEMBER}"), "9:11: account 222222222222 is already a member (line 6)");
}

/// This would take minutes if reading were quadratic.
#[test]
fn errors_of_a_large_file_have_positions() {
    let member =
        |n: u32| format!("[[members]]\naccount = \"{:012}\"\nregion = [\"eu-west-1\"]\n", n % 10_000);
    let text = (0..20_000).fold(HUB.to_owned(), |text, n| text + &member(n));
    let faults = Fleet::parse(&text).unwrap_err().faults;
    assert_eq!(faults.len(), 50_000, "two for each member, one more for each repeated one");
    let first = HUB.lines().count() + 1;
    assert_eq!(faults[0].to_string(), format!("{first}:1: `members[0].regions` is missing"));
    let last = format!("{}:1: unknown key `region` in `members[19999]`", first + 3 * 19_999 + 2);
    assert_eq!(faults[49_999].to_string(), last);
    let repeated = format!("account 000000009999 is already a member (line {})", first + 3 * 9_999 + 1);
    assert_eq!(faults[49_998].what, repeated);
}

#[test]
fn fleet_without_members_is_rejected() {
    check(HUB, "1:1: `members` is missing");
    check(&format!("members = []\n{HUB}"), "1:11: the fleet has no members");
}

/// Each error with its help.
fn helped(text: &str) -> String {
    let error = FleetFile::parse(text).expect_err("the fleet file is faulty");
    error.faults.iter().map(|fault| format!("{fault}\n    {}\n", fault.help)).collect()
}

#[test]
fn unquoted_account_ids_are_reported_with_the_quoted_id() {
    let member =
        |account: &str| format!("{HUB}[[members]]\naccount = {account}\nregions = [\"eu-west-1\"]\n");
    let accounts = format!(
        "{HUB}[organization]\nid = \"o-a1b2c3d4e5\"\nregions = [\"all\"]\naccounts = [0123-4567-8901, 012345678901]\n"
    );
    let texts =
        ["012345678901", "1234-5678-9012", "0000-1111-2222 # note", "\"1234-5678-9012\"", "222222222222"];
    let reported: String = texts.map(member).iter().chain([&accounts]).map(|text| helped(text)).collect();
    assert_data_eq!(
        reported,
        str![[r#"
6:11: account IDs must be in quotes
    put it in quotes: "012345678901"
6:11: account IDs must be in quotes
    put it in quotes: "123456789012"
6:11: account IDs must be in quotes
    put it in quotes: "000011112222"
6:11: `members[0].account`: `1234-5678-9012` is not a valid AWS account ID: it must be written without dashes, as `123456789012`
    use 12 digits, e.g. `111122223333`
6:11: `members[0].account`: expected a string, found a number
    put it in quotes: "222222222222"
8:13: account IDs must be in quotes
    put it in quotes: "012345678901"
8:29: account IDs must be in quotes
    put it in quotes: "012345678901"

"#]]
    );
}

#[test]
fn wrong_types_are_reported_with_the_corrected_line() {
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
3:11: `hub.account`: expected a string, found a list
    write `account = "111122223333"`
6:18: `hub.retention-days`: expected an integer, found a string
    write `retention-days = 90`
7:14: `bucket-key` requires a KMS key
    set `encryption` to the ARN of a KMS key, or remove `bucket-key`
7:14: `hub.bucket-key`: expected true or false, found a string
    write `bucket-key = true`
9:1: `flow-logs`: expected a table, found a list
    write `[flow-logs]`
14:14: `policy.source-arn`: expected true or false, found a string
    use true or false
16:1: `members`: expected a list, found a table
    write `[[members]]`

8:11: `members[0].regions`: expected a list, found a string
    write `regions = ["eu-central-1"]`
9:8: `members[0].name`: expected a string, found a boolean
    write `name = "true"`
10:19: `members[0].vpcs.except`: expected a list, found a string
    write `except = ["vpc-0a1b2c3d"]`
10:42: `members[0].vpcs.tags`: expected a table, found a list
    use a table
13:12: `members[1].regions[0]`: expected a string, found a list
    write `"eu-west-1"`
16:9: `organization.units`: expected a list, found a string
    write `units = ["ou-ab12-11111111"]`
17:11: `organization.regions`: expected a list, found a string
    write `regions = ["all"]`
18:12: `organization.accounts`: expected a list, found an integer
    write `accounts = ["444444444444"]`

"#]]
    );
}

#[test]
fn unknown_regions_are_accepted_and_listed() {
    let file = FleetFile::parse(&format!("{HUB}{}", MEMBER.replace("eu-west-1", "eu-wset-1"))).unwrap();
    let unknown: Vec<&str> = file.unknown_regions().into_iter().map(Region::as_str).collect();
    assert_eq!(unknown, ["eu-wset-1"]);
    assert!(FleetFile::parse(&format!("{HUB}{MEMBER}")).unwrap().unknown_regions().is_empty());
}

#[test]
fn misspelled_keys_get_a_suggestion() {
    let error = Fleet::parse(&format!("{HUB}retention_days = 30\n{MEMBER}")).unwrap_err();
    assert_eq!(error.faults[0].help, "did you mean `retention-days`?");
}

#[test]
fn kms_keys_must_be_arns_in_the_region_of_the_hub() {
    check_hub(
        "encryption = \"arn:aws:kms:us-east-1:111122223333:key/1234abcd\"",
        "5:14: the key is in `us-east-1`, but the bucket is in `eu-west-1`",
    );
    check_hub("encryption = \"alias/aws/s3\"", "5:14: `hub.encryption`: unsupported value `alias/aws/s3`");
    let error = Fleet::parse(&format!("{HUB}encryption = \"aws:kms\"\n{MEMBER}")).unwrap_err();
    assert_data_eq!(
        &error.faults[0].help,
        str![
            "use `sse-s3` or the ARN of a customer managed key: the policy of the AWS managed key `aws/s3` does not allow log delivery and cannot be changed"
        ]
    );
    check_hub(
        "encryption = \"alias/mine\"",
        "5:14: `hub.encryption`: `alias/mine` is not a valid KMS key ARN: it names an alias",
    );
    check_hub("bucket-key = true", "5:14: `bucket-key` requires a KMS key");
    check_hub("encryption = \"sse-s3\"\nbucket-key = true", "6:14: `bucket-key` requires a KMS key");
}

#[test]
fn explicit_sse_s3_differs_from_unset_encryption() {
    let hub = |line: &str| Fleet::parse(&format!("{HUB}{line}\n{MEMBER}")).unwrap().hub;
    assert_eq!(hub("encryption = \"sse-s3\"").encryption, Some(Encryption::SseS3));
    assert_eq!(hub("").encryption, None);
    assert_eq!(hub("object-ownership = \"keep\"").object_ownership, Some(ObjectOwnership::Keep));
    check_hub("object-ownership = \"off\"", "5:20: `hub.object-ownership`: invalid value `off`");
}

#[test]
fn transitions_precede_expiration_and_respect_the_minimum_of_s3() {
    let hub = |lines: &str| Fleet::parse(&format!("{HUB}{lines}\n{MEMBER}"));
    let fleet = hub(
        "retention-days = 400\ntransition = { days = 30, storage-class = \"STANDARD_IA\" }\nnoncurrent-days = 7\nabort-uploads-days = 1",
    );
    let lifecycle = fleet.unwrap().hub.lifecycle;
    assert_eq!(lifecycle.transition.unwrap().storage_class, "STANDARD_IA");
    assert_eq!((lifecycle.noncurrent_days, lifecycle.abort_uploads_days), (Some(7), Some(1)));
    check_hub(
        "transition = { days = 29, storage-class = \"STANDARD_IA\" }",
        "5:23: objects must be at least 30 days old before S3 moves them to STANDARD_IA",
    );
    check_hub(
        "transition = { days = 90, storage-class = \"GLACIER\" }",
        "5:23: the transition (after 90 days) must precede the expiration (after 90 days)",
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
fn organization_accounts_become_members_by_unit_id_and_state() {
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
        ["excluded by the fleet file", "SUSPENDED", "not in a unit that the fleet file selects"]
    );
    let named = &fleet.members[&AccountId::parse("222222222222").unwrap()];
    assert_eq!(named.regions.iter().collect::<Vec<_>>(), [&eu], "the fleet file takes precedence");
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
fn organization_without_filters_is_whole() {
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
fn file_that_requires_lookups_is_not_a_fleet() {
    let error = Fleet::parse(&format!("{HUB}{ORGANIZATION}regions = [\"all\"]\n")).unwrap_err();
    assert_data_eq!(
        error.to_string(),
        str![[r#"
1:1: the accounts of the organization must be looked up in AWS
    list every account and its regions in `[[members]]`, or use `FleetFile::parse`
"#]]
    );
    let all = MEMBER.replace("eu-west-1", "all");
    assert!(Fleet::parse(&format!("{HUB}{all}")).is_err());
    assert!(FleetFile::parse(&format!("{HUB}{all}")).is_ok());
}

#[test]
fn organization_filters_require_regions() {
    check(
        &format!("{HUB}{ORGANIZATION}except-accounts = [\"555555555555\"]\n{MEMBER}"),
        "7:19: `organization.except-accounts` requires `organization.regions`",
    );
}

#[test]
fn resources_are_selected_by_kind() {
    let member = |more: &str| format!("{HUB}{MEMBER}{more}\n");
    let fleet = Fleet::parse(&member(
        "vpcs = \"none\"\ntransit-gateways = \"all\"\nsubnets = { tags = { logged = \"yes\" } }",
    ))
    .unwrap();
    let kinds: Vec<ResourceKind> =
        fleet.members.values().flat_map(|member| member.resources.kinds()).collect();
    assert_eq!(kinds, [ResourceKind::Subnet, ResourceKind::TransitGateway]);
    check(&member("subnets = [\"vpc-0a1b2c3d\"]"), "8:11: `vpc-0a1b2c3d` is a VPC ID");
    check(&member("vpcs = \"none\""), "8:8: no resources are selected");
    check(
        &member("subnets = { default-vpcs = false }"),
        "8:13: unknown key `default-vpcs` in `members[0].subnets`",
    );
}

#[test]
fn account_regional_bucket_names_match_account_and_region() {
    let named = |bucket: &str| format!("{HUB}{MEMBER}").replace("acme-flow-logs", bucket);
    assert!(Fleet::parse(&named("logs-111122223333-eu-west-1-an")).is_ok());
    check(
        &named("logs-222222222222-eu-west-1-an"),
        "4:10: `logs-222222222222-eu-west-1-an` has the suffix of an account regional namespace, but not the one of this account and region",
    );
}

#[test]
fn forms_that_allow_any_account_are_rejected() {
    check(
        &format!("{HUB}[policy]\nform = \"accounts\"\nsource-conditions = false\n{MEMBER}"),
        "6:8: `policy.form` `accounts` without source conditions would let any AWS account write",
    );
}

#[test]
fn invalid_toml_is_rejected_with_its_position() {
    let error = Fleet::parse("[hub\naccount = \"1\"\n[[members]\n").unwrap_err();
    assert!(error.faults.len() >= 2, "{error}");
    assert_eq!(error.faults[0].line, 1);
}

#[test]
fn fields_are_known_unique_and_ordered() {
    let fields = |fields: &str| format!("{HUB}[flow-logs]\nfields = [{fields}]\n{MEMBER}");
    let fleet = Fleet::parse(&fields("\"vpc-id\", \"version\", \"flow-direction\"")).unwrap();
    assert_eq!(fleet.flow_logs.format.to_string(), "${vpc-id} ${version} ${flow-direction}");
    check(
        &fields("\"srcadr\", \"start\", \"start\""),
        "6:11: `flow-logs.fields[0]`: `srcadr` is not a valid flow log field: the closest match is `srcaddr`\n\
         6:30: duplicate field `start`",
    );
    check(&fields(""), "6:10: `flow-logs.fields` is empty");
}

#[test]
fn fields_can_be_a_named_set() {
    let fields = |name: &str| format!("{HUB}[flow-logs]\nfields = \"{name}\"\n{MEMBER}");
    for set in FieldSet::ALL {
        assert_eq!(Fleet::parse(&fields(set.as_str())).unwrap().flow_logs.format, set.format());
    }
    check(&fields("version, vpc-id"), "6:10: `flow-logs.fields`: invalid value `version, vpc-id`");
}

#[test]
fn reserved_tags_cannot_be_set() {
    let tags = |tags: &str| format!("{HUB}[flow-logs]\ntags = {{ {tags} }}\n{MEMBER}");
    assert!(Fleet::parse(&tags("team = \"network\"")).is_ok());
    check(&tags("managed-by = \"us\""), "6:23: the tag `managed-by` is reserved by flowagg");
    check(&tags("\"flowagg:fleet\" = \"us\""), "6:28: the tag `flowagg:fleet` is reserved by flowagg");
    check(&tags("\"aws:team\" = \"us\""), "6:23: the tag `aws:team` is reserved by AWS");
}

#[test]
fn fleet_name_has_a_default() {
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
        "2:8: `fleet.name`: `Acme` is not a valid fleet name: `A` is not allowed",
    );
    check(&format!("[fleet]\nnam = \"acme\"\n{HUB}{MEMBER}"), "2:1: unknown key `nam` in `fleet`");
}

#[test]
fn columns_are_counted_in_characters() {
    let error = Fleet::parse(&format!("{HUB}profile = \"é\" \n\"ключ\" = 1\n{MEMBER}")).unwrap_err();
    assert_eq!((error.faults[0].line, error.faults[0].column), (6, 1));
}

proptest! {
    #[test]
    fn reader_does_not_panic_on_any_text(text in "\\PC*") {
        let _ = Fleet::parse(&text);
    }

    #[test]
    fn reader_does_not_panic_on_a_modified_file(at in 0usize..200, junk in "[\\[\\]\"=,{}#\n a-zé0-9]{0,6}") {
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
fn excluded_accounts_are_not_selected() {
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
fn read_role_replaces_all_roles_except_lookup() {
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
    // A caller in another account also uses the read role for the hub.
    let unnamed = FleetFile::parse(&text.replace("role = \"flowagg-hub\"\n", "")).unwrap();
    assert_eq!(unnamed.hub.role, None);
    assert_eq!(roles(&unnamed.for_reading()), roles(&reading));
    // No role is assumed for a lookup in the hub account.
    let in_hub = FleetFile::parse(&text.replace("444444444444", "111122223333")).unwrap();
    assert_eq!(roles(&in_hub), ["222222222222 flowagg", "111122223333 flowagg-hub", "flowagg"]);

    let without = FleetFile::parse(&text.replace("read-role = \"flowagg-read\"", "")).unwrap();
    assert_eq!(without.clone().for_reading(), without);
}

#[test]
fn exceptions_require_scope_reason_and_date() {
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
8:1: an exception without a scope would hide every finding
    add `account`, `unit`, `region` or `vpc`, or several of them
8:1: `exceptions[0].reason` is missing
    add the reason for accepting the findings, e.g. `reason = "closes in January"`
8:1: `exceptions[0].until` is missing
    add the last day (UTC) on which they are accepted, e.g. `until = "2027-01-31"`
9:7: `subnet-0a1b2c3d` is not a VPC
    use a VPC ID, e.g. `vpc-0a1b2c3d4e5f67890`
10:10: `exceptions[0].reason` must be one line of text
    set a value, or remove the key
11:9: `exceptions[0].until`: `2027-02-30` is not a valid date
    use a valid date, e.g. `until = 2027-01-31`
9:8: `unit` requires that the accounts of the organization are looked up
    use `account`, or add `organization.regions`
11:9: `exceptions[0].until`: `31.1.2027` is not a valid date
    use a valid date, e.g. `until = 2027-01-31`
11:9: `exceptions[0].until`: `2027-01-31T00:00:00Z` is not a valid date
    use a valid date, e.g. `until = 2027-01-31`
12:1: unknown key `vpcs` in `exceptions[0]`
    did you mean `vpc`?
11:9: `exceptions[0].until`: expected a date, found an integer
    write `until = 2027-01-31`

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
9:19: `prices.delivery-per-gb`: expected a number, found a string
    write `delivery-per-gb = 0.19`
10:24: `prices.storage-per-gb-month`: `-1.0` is not a valid price: it is not a decimal number
    use US dollars with up to six decimal places, e.g. 0.25
9:19: `prices.delivery-per-gb`: `1e3` is not a valid price: it is not a decimal number
    use US dollars with up to six decimal places, e.g. 0.25
10:15: `prices.compression` is out of range: 0
    use an integer from 1 to 1000
11:1: unknown key `get` in `prices`
    valid keys: `delivery-per-gb`, `storage-per-gb-month`, `compression`

"#]]
    );
}
