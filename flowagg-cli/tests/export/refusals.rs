//! What cannot be expressed is said, and nothing is written.

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
fn a_place_whose_vpcs_are_chosen_by_a_rule_has_no_template() {
    refused(
        "kms",
        &place("222222222222", "us-west-2"),
        str![[r#"
error: account `222222222222`: `vpcs` are chosen by a rule, and a template takes ids only
       name their ids in `members[].vpcs`, or leave `--account` out for a template of one VPC

"#]],
    );
}

#[test]
fn an_account_of_several_regions_has_no_template_of_one() {
    refused(
        "plain",
        &place("222222222222", "eu-west-1"),
        str![[r#"
error: account `222222222222` has several regions, and the fleet file does not say which of its ids lie where
       leave `--account` out for a template of one VPC, and deploy it once for each

"#]],
    );
}

#[test]
fn a_place_that_is_not_in_the_fleet_has_no_template() {
    refused(
        "plain",
        &place("999999999999", "eu-west-1"),
        str![[r#"
error: the fleet has no member `999999999999`
       name an account of the fleet

"#]],
    );
    refused(
        "plain",
        &place("111122223333", "us-east-1"),
        str![[r#"
error: account `111122223333` is not logged in `us-east-1`
       name one of its regions

"#]],
    );
}

#[test]
fn a_fleet_that_logs_no_vpcs_has_no_template_for_one() {
    refused(
        "gov",
        &["cloudformation", "--member"],
        str![[r#"
error: the fleet logs no VPCs
       name a place whose ids the fleet file has, with `--account ID --region REGION`

"#]],
    );
}

#[test]
fn a_fleet_without_an_organization_has_no_stack_set() {
    refused(
        "plain",
        &["cloudformation", "--stackset"],
        str![[r#"
error: the fleet file looks up no organization
       give `organization.id` and `organization.regions`, or use `--member`

"#]],
    );
}

#[test]
fn the_role_that_organizations_makes_is_not_made_again() {
    refused(
        "plain",
        &["iam"],
        str![[r#"
error: `members[].role` is `OrganizationAccountAccessRole`, which AWS Organizations creates itself, with all permissions and a trust policy for the management account
       set `members[].role` to a role that flowagg defines, as in `flowagg`

"#]],
    );
}

#[test]
fn records_of_two_formats_have_no_table() {
    refused(
        "plain",
        &["athena"],
        str![[r#"
error: the flow logs of transit gateways have other fields and the same folders, and one table cannot read both
       log transit gateways with a fleet file and a bucket of their own

"#]],
    );
}

#[test]
fn queries_of_an_account_or_region_that_is_not_in_the_fleet_are_not_written() {
    refused(
        "named",
        &["athena", "--only", "999999999999"],
        str![[r#"
error: no member of the fleet has account `999999999999`
       select members by account id or name, and regions by code, as they are in the fleet

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
fn a_table_is_not_called_what_athena_does_not_take() {
    refused(
        "named",
        &["athena", "--table", "flow-logs"],
        str![[r#"
error: invalid value 'flow-logs' for '--table <NAME>': a name of a-z, 0-9 and `_`, at most 255 bytes, that begins with a letter

For more information, try '--help'.

"#]],
    );
}

#[test]
fn options_that_do_not_go_together_are_a_mistake() {
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
