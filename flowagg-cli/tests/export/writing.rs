//! Where an export goes: standard output, or a folder in which nothing is lost.

use std::fs;

use snapbox::{assert_data_eq, str};

use crate::{export, here};

const HUB: [&str; 2] = ["cloudformation", "--hub"];

#[test]
fn one_file_goes_to_standard_output_as_it_is() {
    let said = export("plain", &HUB, None);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(said.out.starts_with("AWSTemplateFormatVersion:") && said.out.ends_with('\n'));
    assert_eq!(said.err, "note: deploy it in account 111122223333, region eu-west-1\n");
}

#[test]
fn several_files_are_yaml_documents_under_their_names() {
    let said = export("organization", &["cloudformation", "--stackset"], None);
    let names: Vec<&str> =
        said.out.split("---\n# ").skip(1).map(|document| document.lines().next().unwrap()).collect();
    assert_eq!(names, ["stack-set.yaml", "management-account.yaml"]);
    assert_data_eq!(
        said.err,
        str![[r#"
note: deploy the stack set after the hub, once, in the management account or in a delegated administrator's; trusted access of StackSets has to be on
note: StackSets leave the management account out: deploy its template there, in each region
note: one VPC is logged in each account and region, which another stack there exports as `network-VpcId`; where there is no such export the stack fails
note: StackSets see accounts that come, and not VPCs: what else an account has, or makes later, is not logged; `flowagg plan` names it
note: members that the fleet file names itself are not looked at, only those in the units are reached: 555555555555

"#]]
    );
}

#[test]
fn several_statements_are_one_sql_text_under_their_names() {
    let said = export("named", &["athena"], None);
    assert_eq!(said.code, Some(0), "{}", said.err);
    let comments = said.out.lines().filter_map(|line| line.strip_prefix("-- "));
    let names: Vec<&str> = comments.filter(|comment| comment.ends_with(".sql")).collect();
    assert_eq!(
        names,
        [
            "database.sql",
            "table.sql",
            "query-pairs.sql",
            "query-top.sql",
            "query-who.sql",
            "query-interface.sql",
            "query-rejected.sql",
            "query-ssh-rdp.sql",
            "query-admin-ports.sql",
            "query-inbound.sql",
            "query-outbound.sql",
            "query-between-accounts.sql",
            "query-by-day.sql",
            "query-large-flows.sql",
            "query-scans.sql",
            "query-off-hours.sql",
        ]
    );
}

#[test]
fn the_queries_of_an_account_read_that_account_and_the_table_is_the_whole() {
    let said = export("many", &["athena", "--only", "300000000007"], None);
    assert_eq!(said.code, Some(0), "{}", said.err);
    let queries = said.out.matches("FROM \"flowagg\"").count();
    assert_eq!(said.out.matches("log_account IN ('300000000007')").count(), queries);
    assert_eq!(queries, 14);
    let table = said.out.split(";\n\n-- ").find_map(|part| part.strip_prefix("table.sql\n")).unwrap();
    assert_eq!(format!("{table}\n"), fs::read_to_string(here().join("snapshots/many/table.sql")).unwrap());
}

#[test]
fn several_json_files_need_a_folder() {
    let said = export("organization", &["iam", "--format", "json"], None);
    assert_eq!((said.code, said.out.as_str()), (Some(2), ""));
    assert_data_eq!(
        said.err,
        str![[r#"
error: 5 JSON files do not fit on one standard output
       name a folder for them with `--out DIR`

"#]]
    );
}

#[test]
fn several_hcl_files_follow_one_another_under_their_names() {
    let said = export("plain", &["terraform"], None);
    assert_eq!(said.code, Some(0), "{}", said.err);
    let names: Vec<&str> = said
        .out
        .split("\n\n# ")
        .filter_map(|part| part.trim_start_matches("# ").lines().next())
        .filter(|line| line.ends_with(".tf"))
        .collect();
    assert_eq!(names, ["versions.tf", "providers.tf", "hub.tf", "policy.tf", "flow-logs.tf"]);
    assert_data_eq!(
        said.err,
        str![[r#"
note: nobody has looked at AWS: where acme-flow-logs is there already, Terraform cannot make it, and would replace its whole policy and all its lifecycle rules; with `--live` what is there is imported and statements of others are kept
note: what the fleet file chooses by a rule Terraform looks up at every plan: what is made later has a flow log after the next `terraform apply`, and what no longer passes loses its own

"#]]
    );
}

#[test]
fn a_folder_is_made_and_written_once() {
    let folder = tempfile::tempdir().unwrap();
    let below = folder.path().join("a/b");
    let first = export("plain", &HUB, Some(&below));
    assert_eq!(first.out, format!("written: {}\n", below.join("hub.yaml").display()));
    let again = export("plain", &HUB, Some(&below));
    assert_eq!(again.out, format!("unchanged: {}\n", below.join("hub.yaml").display()));
}

#[test]
fn a_file_that_says_something_else_is_kept_with_all_others_unless_it_is_to_go() {
    let folder = tempfile::tempdir().unwrap();
    let theirs = folder.path().join("member-role.yaml");
    fs::write(&theirs, "theirs").unwrap();
    let said = export("china", &["iam"], Some(folder.path()));
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""));
    assert_data_eq!(
        said.err.replace(&theirs.display().to_string(), "FILE"),
        str![[r#"
error: `FILE` already exists with different contents; nothing was written
       compare it, then give `--force` to overwrite it

"#]]
    );
    assert_eq!(fs::read_to_string(&theirs).unwrap(), "theirs");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);

    let forced = export("china", &["iam", "--force"], Some(folder.path()));
    assert_eq!(forced.code, Some(0), "{}", forced.err);
    assert!(fs::read_to_string(&theirs).unwrap().starts_with("AWSTemplateFormatVersion:"));
}
