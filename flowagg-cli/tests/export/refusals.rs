//! Fleets that an export cannot express are errors, and no file is written.

use snapbox::data::Inline;
use snapbox::{assert_data_eq, str};

use crate::export;

#[track_caller]
fn refused(fleet: &str, args: &[&str], message: Inline) {
    let folder = tempfile::tempdir().unwrap();
    let said = export(fleet, args, Some(folder.path()));
    assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{}", said.err);
    assert_data_eq!(said.err, message);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

fn place<'a>(account: &'a str, region: &'a str) -> [&'a str; 6] {
    ["cloudformation", "--member", "--account", account, "--region", region]
}

#[test]
fn template_for_vpcs_selected_by_a_rule_is_refused() {
    refused(
        "kms",
        &place("222222222222", "us-west-2"),
        str![[r#"
error: account `222222222222`: `vpcs` are selected by a rule, but a template needs IDs
       list their IDs in `members[].vpcs`, or remove `--account` to write a template for one VPC

"#]],
    );
}

#[test]
fn template_for_one_of_several_regions_is_refused() {
    refused(
        "plain",
        &place("222222222222", "eu-west-1"),
        str![[r#"
error: account `222222222222` has several regions, and the fleet file does not contain the region of each ID
       remove `--account` to write a template for one VPC, and deploy it once for each VPC

"#]],
    );
}

#[test]
fn template_for_an_account_region_outside_the_fleet_is_refused() {
    refused(
        "plain",
        &place("999999999999", "eu-west-1"),
        str![[r#"
error: account `999999999999` is not a member of the fleet
       use an account of the fleet

"#]],
    );
    refused(
        "plain",
        &place("111122223333", "us-east-1"),
        str![[r#"
error: account `111122223333` is not logged in `us-east-1`
       use one of its regions

"#]],
    );
}

#[test]
fn vpc_template_without_logged_vpcs_is_refused() {
    refused(
        "gov",
        &["cloudformation", "--member"],
        str![[r#"
error: the fleet logs no VPCs
       select an account-region whose IDs are in the fleet file with `--account ID --region REGION`

"#]],
    );
}

#[test]
fn stack_set_without_an_organization_is_refused() {
    refused(
        "plain",
        &["cloudformation", "--stackset"],
        str![[r#"
error: the fleet file does not look up an organization
       set `organization.id` and `organization.regions`, or use `--member`

"#]],
    );
}

#[test]
fn role_created_by_organizations_is_refused() {
    refused(
        "plain",
        &["iam"],
        str![[r#"
error: `members[].role` is `OrganizationAccountAccessRole`, which AWS Organizations creates with all permissions and a trust policy for the management account
       set `members[].role` to another role, such as `flowagg`

"#]],
    );
}

#[test]
fn table_for_two_record_formats_is_refused() {
    refused(
        "plain",
        &["athena"],
        str![[r#"
error: flow logs of transit gateways have different fields in the same folders, and one table cannot read both
       log transit gateways to another bucket, with a separate fleet file

"#]],
    );
}

#[test]
fn queries_for_an_account_or_region_outside_the_fleet_are_refused() {
    refused(
        "named",
        &["athena", "--only", "999999999999"],
        str![[r#"
error: no member of the fleet has account `999999999999`
       select members by account ID or name, and regions by code

"#]],
    );
    refused(
        "named",
        &["athena", "--only", "us-east-1"],
        str![[r#"
error: no member of the fleet has region `us-east-1`
       did you mean `eu-west-1`?

"#]],
    );
}

#[test]
fn invalid_table_name_is_refused() {
    refused(
        "named",
        &["athena", "--table", "flow-logs"],
        str![[r#"
error: invalid value 'flow-logs' for '--table <NAME>': expected a name of a-z, 0-9 and `_` that starts with a letter, at most 255 bytes

For more information, try '--help'.

"#]],
    );
}

#[test]
fn conflicting_options_are_refused() {
    for args in [
        &["cloudformation"][..],
        &["cloudformation", "--hub", "--member"],
        &["cloudformation", "--hub", "--vpc-from", "import"],
        &["cloudformation", "--member", "--account", "222222222222"],
        &["cloudformation", "--hub", "--force"],
        &["cloudformation", "--hub", "--format", "toml"],
        &["athena", "--format", "toml"],
        &["athena", "--force"],
    ] {
        let said = export("plain", args, None);
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{args:?}: {}", said.err);
    }
}
