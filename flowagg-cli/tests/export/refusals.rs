//! What cannot be expressed is said, and nothing is written.

use crate::export;

#[track_caller]
fn refused(fleet: &str, args: &[&str], what: &str) {
    let folder = tempfile::tempdir().unwrap();
    let said = export(fleet, args, Some(folder.path()));
    assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{}", said.err);
    assert!(said.err.contains(what), "{}", said.err);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

fn place<'a>(account: &'a str, region: &'a str) -> [&'a str; 6] {
    ["cloudformation", "--member", "--account", account, "--region", region]
}

#[test]
fn a_place_whose_vpcs_are_chosen_by_a_rule_has_no_template() {
    refused("kms", &place("222222222222", "us-west-2"), "`vpcs` are chosen by a rule");
}

#[test]
fn an_account_of_several_regions_has_no_template_of_one() {
    refused("plain", &place("222222222222", "eu-west-1"), "has several regions");
}

#[test]
fn a_place_that_is_not_in_the_fleet_has_no_template() {
    refused("plain", &place("999999999999", "eu-west-1"), "no member `999999999999`");
    refused("plain", &place("111122223333", "us-east-1"), "is not logged in `us-east-1`");
}

#[test]
fn a_fleet_that_logs_no_vpcs_has_no_template_for_one() {
    refused("gov", &["cloudformation", "--member"], "the fleet logs no VPCs");
}

#[test]
fn a_fleet_without_an_organization_has_no_stack_set() {
    refused("plain", &["cloudformation", "--stackset"], "looks up no organization");
}

#[test]
fn the_role_that_organizations_makes_is_not_made_again() {
    refused("plain", &["iam"], "`OrganizationAccountAccessRole` is the role that AWS Organizations makes");
}

#[test]
fn records_of_two_formats_have_no_table() {
    refused("plain", &["athena"], "the flow logs of transit gateways have other fields");
}

#[test]
fn queries_of_an_account_or_region_that_is_not_in_the_fleet_are_not_written() {
    refused("named", &["athena", "--only", "999999999999"], "the fleet has no member `999999999999`");
    refused("named", &["athena", "--only", "us-east-1"], "no account of the fleet is logged in `us-east-1`");
}

#[test]
fn a_table_is_not_called_what_athena_does_not_take() {
    refused("named", &["athena", "--table", "flow-logs"], "a name of a-z, 0-9 and `_`");
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
