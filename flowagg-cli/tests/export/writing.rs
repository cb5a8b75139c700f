//! Export targets: standard output, or a folder without overwriting files.

use std::fs;

use snapbox::{assert_data_eq, str};

use crate::{export, here};

const HUB: [&str; 2] = ["cloudformation", "--hub"];

#[test]
fn single_file_is_printed_unchanged() {
    let said = export("plain", &HUB, None);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(said.out.starts_with("AWSTemplateFormatVersion:") && said.out.ends_with('\n'));
    assert_eq!(said.err, "note: deploy the stack in account 111122223333, region eu-west-1\n");
}

#[test]
fn several_files_are_printed_as_yaml_documents_with_names() {
    let said = export("organization", &["cloudformation", "--stackset"], None);
    let names: Vec<&str> =
        said.out.split("---\n# ").skip(1).map(|document| document.lines().next().unwrap()).collect();
    assert_eq!(names, ["stack-set.yaml", "management-account.yaml"]);
    assert_data_eq!(
        said.err,
        str![[r#"
note: deploy the stack set once, after the hub, in the management account or a delegated administrator account, with trusted access for StackSets enabled
note: StackSets do not deploy to the management account: deploy its template there, in each region
note: one VPC is logged in each account-region: the one whose ID another stack exports as `network-VpcId`. Without that export, the stack fails
note: StackSets deploy to new accounts but cannot see VPCs: other existing or future VPCs of an account are not logged; `flowagg plan` lists them
note: members that are listed in the fleet file are ignored; only accounts in the units are included: 555555555555

"#]]
    );
}

#[test]
fn several_sql_files_are_printed_with_names() {
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
fn only_option_restricts_queries_but_not_the_table() {
    let said = export("many", &["athena", "--only", "300000000007"], None);
    assert_eq!(said.code, Some(0), "{}", said.err);
    let queries = said.out.matches("FROM \"flowagg\"").count();
    assert_eq!(said.out.matches("log_account IN ('300000000007')").count(), queries);
    assert_eq!(queries, 14);
    let table = said.out.split(";\n\n-- ").find_map(|part| part.strip_prefix("table.sql\n")).unwrap();
    assert_eq!(format!("{table}\n"), fs::read_to_string(here().join("snapshots/many/table.sql")).unwrap());
}

#[test]
fn several_json_files_require_a_folder() {
    let said = export("organization", &["iam", "--format", "json"], None);
    assert_eq!((said.code, said.out.as_str()), (Some(2), ""));
    assert_data_eq!(
        said.err,
        str![[r#"
error: 5 JSON files cannot be printed to standard output
       write them to a folder with `--out DIR`

"#]]
    );
}

#[test]
fn several_hcl_files_are_printed_with_names() {
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
note: the live state was not read: if acme-flow-logs already exists, use `--live` to import it and keep foreign statements. Otherwise Terraform cannot create it, and replaces its whole policy and all its lifecycle rules
note: at every plan, Terraform looks up the resources that the fleet file selects by a rule: the next `terraform apply` adds flow logs for new resources, and deletes those of resources that no longer match

"#]]
    );
}

#[test]
fn folder_is_created_and_unchanged_files_are_not_rewritten() {
    let folder = tempfile::tempdir().unwrap();
    let below = folder.path().join("a/b");
    let first = export("plain", &HUB, Some(&below));
    assert_eq!(first.out, format!("written: {}\n", below.join("hub.yaml").display()));
    let again = export("plain", &HUB, Some(&below));
    assert_eq!(again.out, format!("unchanged: {}\n", below.join("hub.yaml").display()));
}

#[test]
fn different_file_is_overwritten_only_with_force() {
    let folder = tempfile::tempdir().unwrap();
    let theirs = folder.path().join("member-role.yaml");
    fs::write(&theirs, "theirs").unwrap();
    let said = export("china", &["iam"], Some(folder.path()));
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""));
    assert_data_eq!(
        said.err.replace(&theirs.display().to_string(), "FILE"),
        str![[r#"
error: `FILE` already exists with different contents; nothing was written
       compare the file, then use `--force` to overwrite it

"#]]
    );
    assert_eq!(fs::read_to_string(&theirs).unwrap(), "theirs");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);

    let forced = export("china", &["iam", "--force"], Some(folder.path()));
    assert_eq!(forced.code, Some(0), "{}", forced.err);
    assert!(fs::read_to_string(&theirs).unwrap().starts_with("AWSTemplateFormatVersion:"));
}
