//! `flowagg export iam`: which roles can be assumed by whom, and in which templates they are created.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::{Value, json};
use snapbox::{assert_data_eq, str};

const HUB: &str = "[hub]\naccount = \"111122223333\"\nregion = \"eu-west-1\"\nbucket = \"acme-flow-logs\"\n";
const READ: &str = "[fleet]\nread-role = \"flowagg-read\"\n";
const MEMBER: &str =
    "[[members]]\naccount = \"222222222222\"\nregions = [\"eu-west-1\"]\nrole = \"flowagg\"\n";
const ORGANIZATION: &str =
    "[organization]\nid = \"o-a1b2c3d4e5\"\nregions = [\"eu-west-1\"]\nrole = \"flowagg\"\n";

/// The exit code, the templates by file name, and standard error.
fn exported(fleet: &str) -> (Option<i32>, BTreeMap<String, Value>, String) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("flowagg.toml"), fleet).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_flowagg"));
    command.args(["export", "iam", "--format", "json", "--out", "out"]).current_dir(&folder).env_clear();
    let output = command.output().unwrap();
    let files = std::fs::read_dir(folder.path().join("out")).into_iter().flatten().map(|file| {
        let path = file.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap())
    });
    (output.status.code(), files.collect(), String::from_utf8(output.stderr).unwrap())
}

fn templates(fleet: &str) -> BTreeMap<String, Value> {
    let (code, templates, err) = exported(fleet);
    assert_eq!(code, Some(0), "{err}");
    templates
}

#[track_caller]
fn refused(fleet: &str, expected: snapbox::data::Inline) {
    let (code, templates, err) = exported(fleet);
    assert_eq!((code, templates.len()), (Some(2), 0), "{err}");
    assert_data_eq!(err, expected);
}

/// The statements of a role's inline policies, or of a managed policy.
fn statements(resource: &Value) -> Vec<&Value> {
    let properties = &resource["Properties"];
    let inline = properties["Policies"].as_array().into_iter().flatten();
    let documents = inline.map(|policy| &policy["PolicyDocument"]).chain([&properties["PolicyDocument"]]);
    documents.filter_map(|document| document["Statement"].as_array()).flatten().collect()
}

/// The roles that a resource's policies allow assuming, and the organization that they must be in.
fn assumed(resource: &Value) -> BTreeSet<(String, Option<String>)> {
    let statements = statements(resource);
    let allowing = statements.into_iter().filter(|statement| statement["Action"] == "sts:AssumeRole");
    let resources = |statement: &Value| {
        let organization = statement["Condition"]["StringEquals"]["aws:ResourceOrgID"].as_str();
        let roles = statement["Resource"].as_array().unwrap().iter();
        roles
            .map(|role| (role.as_str().unwrap().to_owned(), organization.map(str::to_owned)))
            .collect::<Vec<_>>()
    };
    allowing.flat_map(resources).collect()
}

/// The parameters in a role's trust policy.
fn trusted(role: &Value) -> Vec<&str> {
    let statements = role["Properties"]["AssumeRolePolicyDocument"]["Statement"].as_array().unwrap();
    statements.iter().map(|statement| statement["Principal"]["AWS"]["Ref"].as_str().unwrap()).collect()
}

fn anywhere(role: &str) -> (String, Option<String>) {
    (format!("arn:aws:iam::*:role/{role}"), Some("o-a1b2c3d4e5".to_owned()))
}

fn at(account: &str, role: &str) -> (String, Option<String>) {
    (format!("arn:aws:iam::{account}:role/{role}"), None)
}

#[test]
fn applying_role_can_assume_the_read_roles() {
    let fleet = format!("{READ}{HUB}{ORGANIZATION}{MEMBER}");
    let made = templates(&fleet);
    let hub = &made["hub-role"]["Resources"];
    let (write, read) = ("flowagg", "flowagg-read");
    let reads = [at("222222222222", read), anywhere(read)];
    let writes = [at("222222222222", write), anywhere(write)];
    assert_eq!(assumed(&hub["ReadRole"]), BTreeSet::from(reads.clone()));
    assert_eq!(assumed(&hub["Role"]), writes.into_iter().chain(reads).collect());
    // In the hub account, the caller that applies uses its own role.
    assert_eq!(
        (trusted(&hub["Role"]), trusted(&hub["ReadRole"])),
        (vec!["TrustedArn"], vec!["TrustedReaderArn"])
    );
    for template in ["member-role", "management-account-role"] {
        let member = &made[template]["Resources"];
        assert_eq!(trusted(&member["Role"]), ["TrustedArn"]);
        assert_eq!(trusted(&member["ReadRole"]), ["TrustedArn", "TrustedReaderArn"]);
    }
}

#[test]
fn caller_in_another_account_can_assume_roles_that_trust_no_account_by_default() {
    let lookup = "lookup = { account = \"444444444444\", role = \"flowagg-lookup\" }\n";
    let fleet = format!("{READ}{HUB}role = \"flowagg-hub\"\n{ORGANIZATION}{lookup}");
    let made = templates(&fleet);
    let lookup = at("444444444444", "flowagg-lookup");
    let caller = &made["caller-policy"]["Resources"];
    let reads = [lookup, at("111122223333", "flowagg-read"), anywhere("flowagg-read")];
    assert_eq!(assumed(&caller["ReadCallerPolicy"]), BTreeSet::from(reads.clone()));
    let writes = [at("111122223333", "flowagg-hub"), anywhere("flowagg")];
    assert_eq!(assumed(&caller["CallerPolicy"]), writes.into_iter().chain(reads).collect());
    // The caller's own account is used without a role if it is a member or the lookup account.
    let conditions =
        ["MemberPolicy", "ReadMemberPolicy", "LookupPolicy"].map(|name| &caller[name]["Condition"]);
    assert_eq!(conditions, ["IsMember", "IsMember", "InLookupAccount"]);
    assert_eq!(
        made["caller-policy"]["Conditions"]["InLookupAccount"],
        json!({ "Fn::Equals": [{ "Ref": "AWS::AccountId" }, "444444444444"] })
    );
    for (name, template) in made.iter().filter(|(name, _)| *name != "caller-policy") {
        for parameter in ["TrustedArn", "TrustedReaderArn"] {
            let parameter = &template["Parameters"][parameter];
            assert_eq!(
                (&parameter["Default"], parameter["AllowedPattern"].is_string()),
                (&Value::Null, true),
                "{name}"
            );
        }
    }
    let hub = &made["hub-role"]["Resources"];
    assert_eq!(trusted(&hub["ReadRole"]), ["TrustedArn", "TrustedReaderArn"]);
    assert_eq!(trusted(&made["lookup-role"]["Resources"]["Role"]), ["TrustedArn", "TrustedReaderArn"]);
}

#[test]
fn roles_outside_the_organization_can_be_assumed() {
    let lookup = "lookup = { account = \"444444444444\", role = \"flowagg-lookup\" }\n";
    let made = templates(&format!("{HUB}{ORGANIZATION}{lookup}{MEMBER}"));
    let expected = [at("222222222222", "flowagg"), at("444444444444", "flowagg-lookup"), anywhere("flowagg")];
    assert_eq!(assumed(&made["hub-role"]["Resources"]["Role"]), BTreeSet::from(expected));
}

#[test]
fn lookup_in_the_hub_account_is_part_of_the_hub_role() {
    let lookup = "lookup = { account = \"111122223333\", role = \"lister\" }\n";
    for hub_role in ["", "role = \"flowagg-hub\"\n"] {
        let made = templates(&format!("{READ}{HUB}{hub_role}{ORGANIZATION}{lookup}"));
        assert!(!made.contains_key("lookup-role"));
        for role in ["Role", "ReadRole"] {
            let role = statements(&made["hub-role"]["Resources"][role]);
            let mut lists = role.into_iter().filter(|it| it["Sid"] == "ListOrganizationAccounts");
            assert!(lists.next().is_some() && lists.next().is_none());
        }
        assert!(!made.values().any(|template| template.to_string().contains("lister")));
    }
}

#[test]
fn only_the_calls_of_a_lookup_are_allowed() {
    let all = [
        "DescribeAccount",
        // For the names of units in the report.
        "DescribeOrganizationalUnit",
        "ListAccounts",
        "ListAccountsForParent",
        "ListOrganizationalUnitsForParent",
    ];
    let units = "units = [\"ou-a1b2-c3d4e5f6\"]\n";
    let accounts = "accounts = [\"222222222222\"]\n";
    let except_units = "except-units = [\"ou-a1b2-c3d4e5f7\"]\n";
    for (rules, expected) in [
        (String::new(), vec![1, 2]),
        (accounts.to_owned(), vec![0, 1]),
        (units.to_owned(), vec![1, 3, 4]),
        (format!("{units}{accounts}"), vec![0, 1, 3, 4]),
        (except_units.to_owned(), vec![1, 2, 3, 4]),
    ] {
        let made = templates(&format!("{HUB}{ORGANIZATION}{rules}"));
        let statements = statements(&made["hub-role"]["Resources"]["Role"]);
        let lists = statements.into_iter().find(|it| it["Sid"] == "ListOrganizationAccounts").unwrap();
        let expected: Vec<String> =
            expected.into_iter().map(|n: usize| format!("organizations:{}", all[n])).collect();
        assert_eq!(lists["Action"], json!(expected), "{rules}");
    }
}

#[test]
fn stack_set_skips_accounts_with_their_own_template() {
    let except = "except-accounts = [\"999999999999\"]\n";
    let made = templates(&format!("{READ}{HUB}{ORGANIZATION}{except}{MEMBER}"));
    let inner = &made["member-role-stack-set"]["Resources"]["MemberRole"]["Properties"];
    assert_eq!(inner["AutoDeployment"]["RetainStacksOnAccountRemoval"], true);
    let body: Value = serde_json::from_str(inner["TemplateBody"].as_str().unwrap()).unwrap();
    for template in [&body, &made["management-account-role"]] {
        let others = &template["Conditions"]["Elsewhere"]["Fn::Not"][0]["Fn::Or"];
        let others: Vec<&str> =
            others.as_array().unwrap().iter().map(|other| other["Fn::Equals"][1].as_str().unwrap()).collect();
        assert_eq!(others, ["111122223333", "222222222222", "999999999999"]);
        let resources = template["Resources"].as_object().unwrap();
        assert!(resources.len() == 2 && resources.values().all(|it| it["Condition"] == "Elsewhere"));
    }
}

#[test]
fn hub_that_is_not_a_member_has_no_member_permissions() {
    let member = |rules: &str| {
        let made = templates(&format!("{HUB}{ORGANIZATION}{rules}"));
        let role = &made["hub-role"]["Resources"]["Role"]["Properties"];
        role["Policies"].as_array().unwrap().iter().any(|policy| policy["PolicyName"] == "member")
    };
    assert!(member(""));
    assert!(!member("except-accounts = [\"111122223333\"]\n"));
    assert!(!member("accounts = [\"222222222222\"]\n"));
}

#[test]
fn resource_names_contain_the_fleet_name() {
    let made = templates(&format!("[fleet]\nname = \"acme.eu\"\n{HUB}{ORGANIZATION}"));
    assert_eq!(made["hub-role"]["Resources"]["Role"]["Properties"]["RoleName"], "flowagg-hub-acme-eu");
    assert_eq!(
        made["member-role-stack-set"]["Resources"]["MemberRole"]["Properties"]["StackSetName"],
        "flowagg-member-role-acme-eu"
    );
    let made = templates(&format!("[fleet]\nname = \"acme.eu\"\n{HUB}role = \"flowagg-hub\"\n{MEMBER}"));
    let policy = &made["caller-policy"]["Resources"]["CallerPolicy"]["Properties"];
    assert_eq!(policy["ManagedPolicyName"], "flowagg-caller-acme-eu");
}

#[test]
fn large_policies_are_split_within_iam_limits() {
    let members: String = (0..250)
        .map(|n| {
            format!("[[members]]\naccount = \"{n:012}\"\nregions = [\"eu-west-1\"]\nrole = \"flowagg\"\n")
        })
        .collect();
    for hub_role in ["", "role = \"flowagg-hub\"\n"] {
        let made = templates(&format!("{READ}{HUB}{hub_role}{members}"));
        let mut roles = BTreeSet::new();
        for resource in made.values().flat_map(|template| template["Resources"].as_object().unwrap().values())
        {
            let properties = &resource["Properties"];
            let characters = |document: &Value| document.to_string().chars().filter(|c| *c != ' ').count();
            let inline = properties["Policies"].as_array().into_iter().flatten();
            let inline: usize = inline.map(|policy| characters(&policy["PolicyDocument"])).sum();
            assert!(inline <= 10_240 && characters(&properties["PolicyDocument"]) <= 6_144, "{properties}");
            roles.extend(assumed(resource));
        }
        assert_eq!(roles.iter().filter(|(role, _)| role.ends_with("/flowagg")).count(), 250);
        assert_eq!(
            roles.iter().filter(|(role, _)| role.ends_with("/flowagg-read")).count(),
            250 + usize::from(!hub_role.is_empty())
        );
    }
}

#[test]
fn members_with_similar_roles_have_separate_templates() {
    let other = MEMBER.replace("222222222222", "333333333333");
    let made = templates(&format!(
        "{HUB}{}{}",
        MEMBER.replace("\"flowagg\"", "\"a/flowagg\""),
        other.replace("\"flowagg\"", "\"a-flowagg\"")
    ));
    let roles: Vec<&str> = made
        .iter()
        .filter(|(file, _)| file.starts_with("member-role"))
        .map(|(_, made)| made["Resources"]["Role"]["Properties"]["RoleName"].as_str().unwrap())
        .collect();
    assert_eq!(roles, ["a-flowagg", "flowagg"]);
}

#[test]
fn two_roles_with_one_name_in_an_account_are_refused() {
    let lookup = |role: &str| format!("lookup = {{ account = \"444444444444\", role = \"{role}\" }}\n");
    refused(
        &format!("{HUB}{ORGANIZATION}{}", lookup("flowagg")),
        str![[r#"
error: `organization.role` is `flowagg` and `organization.lookup.role` is `flowagg`: an account needs both, but role names must be unique in an account, regardless of path and case
       set `organization.lookup.role` to another name, such as `flowagg-lookup`

"#]],
    );
    refused(
        &format!("{READ}{HUB}{ORGANIZATION}{}", lookup("flowagg-read")),
        str![[r#"
error: `organization.lookup.role` is `flowagg-read` and `fleet.read-role` is `flowagg-read`: an account needs both, but role names must be unique in an account, regardless of path and case
       set `organization.lookup.role` to another name, such as `flowagg-lookup`

"#]],
    );
    // Role names are unique regardless of path and case.
    refused(
        &format!("[fleet]\nread-role = \"ops/Flowagg\"\n{HUB}{MEMBER}"),
        str![[r#"
error: `members[].role` is `flowagg` and `fleet.read-role` is `ops/Flowagg`: an account needs both, but role names must be unique in an account, regardless of path and case
       set `fleet.read-role` to another name, such as `flowagg-read`

"#]],
    );
    refused(
        &format!("[fleet]\nread-role = \"flowagg-hub\"\n{HUB}{MEMBER}"),
        str![[r#"
error: the hub's role is `flowagg-hub` and `fleet.read-role` is `flowagg-hub`: an account needs both, but role names must be unique in an account, regardless of path and case
       set `fleet.read-role` to another name, such as `flowagg-read`

"#]],
    );
    refused(
        &format!("{READ}{HUB}role = \"flowagg-read\"\n{MEMBER}"),
        str![[r#"
error: `hub.role` is `flowagg-read` and `fleet.read-role` is `flowagg-read`: an account needs both, but role names must be unique in an account, regardless of path and case
       set `hub.role` to another name, such as `flowagg-hub`

"#]],
    );
    // An account that is not a member only has the lookup role.
    let except = "except-accounts = [\"444444444444\"]\n";
    templates(&format!("{READ}{HUB}{ORGANIZATION}{except}{}", lookup("flowagg")));
    // The hub's role and the members' are in different accounts.
    templates(&format!("{READ}{HUB}role = \"flowagg\"\n{ORGANIZATION}{MEMBER}"));
}

#[test]
fn role_created_by_organizations_is_refused_in_every_key() {
    let theirs = "role = \"OrganizationAccountAccessRole\"\n";
    refused(
        &format!("{HUB}{theirs}{MEMBER}"),
        str![[r#"
error: `hub.role` is `OrganizationAccountAccessRole`, which AWS Organizations creates with all permissions and a trust policy for the management account
       set `hub.role` to another role, such as `flowagg-hub`

"#]],
    );
    let lookup = "lookup = { account = \"444444444444\", role = \"OrganizationAccountAccessRole\" }\n";
    refused(
        &format!("{HUB}{ORGANIZATION}{lookup}"),
        str![[r#"
error: `organization.lookup.role` is `OrganizationAccountAccessRole`, which AWS Organizations creates with all permissions and a trust policy for the management account
       set `organization.lookup.role` to another role, such as `flowagg-lookup`

"#]],
    );
    refused(
        &format!("[fleet]\nread-{theirs}{HUB}{MEMBER}"),
        str![[r#"
error: `fleet.read-role` is `OrganizationAccountAccessRole`, which AWS Organizations creates with all permissions and a trust policy for the management account
       set `fleet.read-role` to another role, such as `flowagg-read`

"#]],
    );
    // No role is assumed in the hub account for the lookup.
    templates(&format!("{HUB}{ORGANIZATION}{}", lookup.replace("444444444444", "111122223333")));
}
