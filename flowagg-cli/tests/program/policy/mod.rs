//! `flowagg policy` and `flowagg permissions`: offline, from files and standard input.

mod simulate;

use std::path::Path;

use serde_json::Value;
use snapbox::{assert_data_eq, str};

use crate::{FLEET, offline, offline_in};

const FOREIGN: &str = r#"{ "Sid": "Readers", "Effect": "Allow", "Principal": {"AWS": "999988887777"},  "Action": "s3:GetObject", "Resource": "arn:aws:s3:::acme-flow-logs/*" }"#;

fn live_policy() -> String {
    format!("{{\"Version\": \"2012-10-17\", \"Statement\": [{FOREIGN}]}}")
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn classic_two_statements_are_built_without_source_conditions() {
    let fleet = format!("{FLEET}[policy]\nsource-conditions = false\n");
    let said = offline(&["policy", "build"], &fleet, "");
    assert_eq!(said.code, Some(0), "{}", said.err);
    let classic = r#"{"Version":"2012-10-17","Statement":[{"Sid":"AWSLogDeliveryWriteFlowaggAcmeFlowLogs","Effect":"Allow","Principal":{"Service":"delivery.logs.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::acme-flow-logs/AWSLogs/111122223333/*","Condition":{"StringEquals":{"s3:x-amz-acl":"bucket-owner-full-control"}}},{"Sid":"AWSLogDeliveryAclCheckFlowaggAcmeFlowLogs","Effect":"Allow","Principal":{"Service":"delivery.logs.amazonaws.com"},"Action":"s3:GetBucketAcl","Resource":"arn:aws:s3:::acme-flow-logs"}]}"#;
    assert_eq!(json(&said.out), json(classic));
}

#[test]
fn policy_from_standard_input_is_merged_and_the_difference_printed() {
    let said = offline(&["policy", "merge"], FLEET, &live_policy());
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(said.out.contains(FOREIGN), "{}", said.out);
    assert_data_eq!(
        said.err,
        str![[r#"
+ account 111122223333 may deliver
+ statement `AWSLogDeliveryWriteFlowaggAcmeFlowLogs`
+ statement `AWSLogDeliveryAclCheckFlowaggAcmeFlowLogs`

"#]]
    );
    let again = offline(&["policy", "merge"], FLEET, &said.out);
    assert_eq!((again.out, again.err.as_str()), (said.out, ""));
}

#[test]
fn removed_region_is_reported_whether_kept_or_revoked() {
    let fleet = format!("{FLEET}[policy]\nsource-arn = true\n");
    let live = offline(&["policy", "build"], &fleet, "").out.replace("logs:eu-west-1:", "logs:us-east-1:");
    let kept = offline(&["policy", "merge"], &fleet, &live);
    assert!(kept.out.contains("us-east-1"), "{}", kept.out);
    assert_data_eq!(
        kept.err,
        str![[r#"
+ account 111122223333 may deliver
~ statement `AWSLogDeliveryWriteFlowaggAcmeFlowLogs`
    loosened: `aws:sourcearn` (arnlike) now has `arn:aws:logs:eu-west-1:111122223333:*`
~ statement `AWSLogDeliveryAclCheckFlowaggAcmeFlowLogs`
    loosened: `aws:sourcearn` (arnlike) now has `arn:aws:logs:eu-west-1:111122223333:*`
note: the fleet's statements still cover 111122223333 in us-east-1, which is not in the fleet file; `--prune` removes it

"#]]
    );
    let pruned = offline(&["policy", "merge", "--prune"], &fleet, &live);
    assert_data_eq!(
        pruned.err,
        str![[r#"
+ account 111122223333 may deliver
~ statement `AWSLogDeliveryWriteFlowaggAcmeFlowLogs`
    loosened: `aws:sourcearn` (arnlike) now has `arn:aws:logs:eu-west-1:111122223333:*`
    tightened: `aws:sourcearn` (arnlike) no longer has `arn:aws:logs:us-east-1:111122223333:*`
~ statement `AWSLogDeliveryAclCheckFlowaggAcmeFlowLogs`
    loosened: `aws:sourcearn` (arnlike) now has `arn:aws:logs:eu-west-1:111122223333:*`
    tightened: `aws:sourcearn` (arnlike) no longer has `arn:aws:logs:us-east-1:111122223333:*`
note: revokes the grant of 111122223333 in us-east-1

"#]]
    );
    let json = json(&offline(&["policy", "merge", "--prune", "--json"], &fleet, &live).out);
    assert_eq!(json["revoked-access"], serde_json::json!(["111122223333 in us-east-1"]));
    assert_eq!(json["kept-access"], serde_json::json!([]));
}

#[test]
fn empty_input_is_an_error_instead_of_a_missing_policy() {
    let folder = tempfile::tempdir().unwrap();
    let [live, nothing] = ["live.json", "nothing.json"].map(|name| folder.path().join(name));
    std::fs::write(&live, live_policy()).unwrap();
    std::fs::write(&nothing, "\n").unwrap();
    let [live, nothing] = [live, nothing].map(|path| path.to_str().unwrap().to_owned());
    let mut errors = String::new();
    for args in [
        &["policy", "merge"][..],
        &["policy", "merge", "--adopt", "AWSLogDeliveryWrite"],
        &["policy", "check"],
        &["policy", "diff", &live, "-"],
        &["policy", "diff", "-", &live],
        &["policy", "simulate", "--account", "111122223333"],
        &["policy", "simulate", "--policy", &live, "--requests", "-"],
        &["policy", "size", "--policy", "-"],
        &["policy", "diff", &nothing, &live],
    ] {
        let said = offline(args, FLEET, "\n");
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{args:?}: {}", said.err);
        errors += &said.err.replace(&nothing, "nothing.json");
    }
    assert_data_eq!(
        errors,
        str![[r#"
error: standard input is empty
       check the command or file that provides it; if the bucket has no policy, use `flowagg policy build`
error: standard input is empty
       check the command or file that provides it; if the bucket has no policy, use `flowagg policy build`
error: standard input is empty
       check the command or file that provides it; if the bucket has no policy, use `flowagg policy build`
error: standard input is empty
       check the command or file that provides it; if the bucket has no policy, use `flowagg policy build`
error: standard input is empty
       check the command or file that provides it; if the bucket has no policy, use `flowagg policy build`
error: standard input is empty
       check the command or file that provides it; if the bucket has no policy, use `flowagg policy build`
error: standard input is empty
       check the command or file that provides it; if the bucket has no policy, use `flowagg policy build`
error: standard input is empty
       check the command or file that provides it; if the bucket has no policy, use `flowagg policy build`
error: `nothing.json` is empty
       check the command or file that provides it; if the bucket has no policy, use `flowagg policy build`

"#]]
    );
}

#[test]
fn policies_are_compared_by_meaning() {
    let folder = tempfile::tempdir().unwrap();
    let before = folder.path().join("before.json");
    std::fs::write(&before, live_policy()).unwrap();
    let before = before.to_str().unwrap();
    let same = live_policy().replace("\"999988887777\"", "[\"arn:aws:iam::999988887777:root\"]");
    let said = offline(&["policy", "diff", before, "-", "--exit-code"], FLEET, &same);
    assert_eq!((said.code, said.out.as_str()), (Some(0), "the policies are equivalent\n"));
    let other = live_policy().replace("999988887777", "999988887778");
    let said = offline(&["policy", "diff", before, "-", "--exit-code"], FLEET, &other);
    assert_eq!(said.code, Some(3));
    assert_data_eq!(
        said.out,
        str![[r#"
~ statement `Readers`
    loosened: `Principal` now has `AWS:999988887778`
    tightened: `Principal` no longer has `AWS:999988887777`

"#]]
    );
}

#[test]
fn findings_are_printed_as_text_json_and_sarif() {
    let open = live_policy().replace("{\"AWS\": \"999988887777\"}", "\"*\"");
    let text = offline(&["policy", "check"], FLEET, &open);
    assert_eq!(text.code, Some(3));
    assert_data_eq!(
        text.out,
        str![[r#"
1:93: error public-principal: statement `Readers`: anyone can do this, with or without an AWS account
    list the allowed services or accounts, or add a condition that only they meet

1 finding in standard input

"#]]
    );
    let found =
        json(&offline(&["policy", "check", "--json", "--bucket", "acme-flow-logs"], FLEET, &open).out);
    let public = found["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|finding| finding["id"] == "public-principal")
        .unwrap();
    for key in ["id", "severity", "statement", "message", "help"] {
        assert!(public[key].is_string(), "{key} of {public}");
    }
    let sarif = json(&offline(&["policy", "check", "--sarif"], FLEET, &open).out);
    assert_eq!(sarif["version"], "2.1.0");
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    assert!(results.iter().any(|result| result["ruleId"] == "public-principal"), "{sarif}");
    let place = &results[0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "stdin");
    assert!(place["region"]["startLine"].as_u64().is_some_and(|line| line > 0));
    let good = offline(&["policy", "build"], FLEET, "").out;
    assert_eq!(offline(&["policy", "check"], FLEET, &good).code, Some(0));
}

#[test]
fn documented_bucket_names_pass_policy_check() {
    let policy =
        offline(&["policy", "build"], FLEET, "").out.replace("acme-flow-logs", "amzn-s3-demo-bucket");
    for args in [&["policy", "check"][..], &["policy", "check", "--bucket", "amzn-s3-demo-bucket"]] {
        let said = offline(args, FLEET, &policy);
        assert_eq!(
            (said.code, said.out.as_str()),
            (Some(0), "ok: no findings in standard input\n"),
            "{}",
            said.err
        );
    }
}

#[test]
fn policy_check_finds_deleted_principals() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/operations.md");
    let page = std::fs::read_to_string(page).unwrap();
    let row =
        page.lines().find(|line| line.starts_with("| `MalformedPolicy`, with *Invalid principal*")).unwrap();
    assert_data_eq!(
        row,
        str![[
            r#"| `MalformedPolicy`, with *Invalid principal* in the message | the policy names a user, role or account that does not exist: remove it from the statement; `flowagg policy check` reports deleted ones as `deleted-principal` |"#
        ]]
    );
    let deleted = live_policy().replace("\"999988887777\"", "[\"999988887777\", \"AROAEXAMPLEEXAMPLE123\"]");
    let said = offline(&["policy", "check"], FLEET, &deleted);
    assert_eq!(said.code, Some(3), "{}", said.err);
    assert_data_eq!(
        said.out,
        str![[r#"
1:118: error deleted-principal: statement `Readers`: the principal `AROAEXAMPLEEXAMPLE123` was deleted, so S3 rejects the policy
    replace the ID with the ARN of an existing principal, or remove it

1 finding in standard input

"#]]
    );
}

#[test]
fn notes_can_be_hidden() {
    let fleet = format!("{FLEET}[[members]]\naccount = \"222222222222\"\nregions = [\"eu-west-1\"]\n");
    let policy = offline(&["policy", "build"], &fleet, "").out;
    let noted = offline(&["policy", "check"], &fleet, &policy);
    assert_eq!(noted.code, Some(3));
    assert_data_eq!(
        noted.out,
        str![[r#"
1:193: note list-does-not-bind: statement `AWSLogDeliveryWriteFlowaggAcmeFlowLogs`: the statement allows logs of each listed account in the folders of all listed accounts; only the delivery service keeps them apart
    set `policy.form = "bound-accounts"` in the fleet file to bind each account to its own folder, and check that an object arrives before you rely on it

1 finding in standard input

"#]]
    );
    assert_eq!(offline(&["policy", "check", "--severity", "warning"], &fleet, &policy).code, Some(0));
}

#[test]
fn recorded_policies_pass_check_merge_diff_and_simulate() {
    let folder = tempfile::tempdir().unwrap();
    let fleet = FLEET.replace("acme-flow-logs", "acme-logs");
    std::fs::write(folder.path().join("flowagg.toml"), fleet).unwrap();
    let (before, after) = (folder.path().join("before.json"), folder.path().join("after.json"));
    let [before_path, after_path] = [&before, &after].map(|path| path.to_str().unwrap());
    let field = include_str!("../../../../flowagg-policy/tests/data/field-policies.jsonl");
    let recorded = include_str!("../../../../flowagg-policy/tests/data/recorded-policies.jsonl");
    let mut refusals = String::new();
    for case in field.lines().chain(recorded.lines()).map(json) {
        let (name, policy) = (&case["name"], case["policy"].to_string());
        std::fs::write(&before, &policy).unwrap();
        let run = |args: &[&str]| offline_in(folder.path(), &[&["policy"], args].concat(), "");
        let check = run(&["check", "--policy", before_path]);
        assert!(matches!(check.code, Some(0 | 3)), "{name}: {}", check.err);
        let merged = run(&["merge", "--policy", before_path, "--json"]);
        if merged.code == Some(2) {
            let error = json(&merged.err)["what"].as_str().unwrap().replace(before_path, "POLICY");
            refusals += &format!("{}: {error}\n", name.as_str().unwrap());
            continue;
        }
        let merged = (merged.code, json(&merged.out));
        std::fs::write(&after, merged.1["policy"].as_str().unwrap()).unwrap();
        let problems = merged.1["problems"].as_array().unwrap();
        assert_eq!(merged.0, Some(if problems.is_empty() { 0 } else { 3 }), "{name}");
        let difference = json(&run(&["diff", before_path, after_path, "--json"]).out);
        let simulated = run(&["simulate", "--policy", after_path, "--bucket", "acme-logs", "--json"]);
        let allowed: Vec<Value> = simulated.out.lines().map(|line| json(line)["allowed"].clone()).collect();
        let is_allowed = allowed.iter().all(|allowed| *allowed == Value::Bool(true));
        assert_eq!(simulated.code, Some(if is_allowed { 0 } else { 3 }), "{name}");
        assert_eq!(problems.is_empty(), is_allowed, "{name}: {allowed:?} {problems:?}");
        let member = Value::from("111122223333");
        for document in [&merged.1, &difference] {
            let granted = document["granted"].as_array().unwrap().contains(&member);
            assert!(!granted || is_allowed, "{name}: {document}");
        }
    }
    // A policy that S3 would reject is reported.
    assert_data_eq!(
        refusals,
        str![[r#"
custodian-policy-test: the policy in `POLICY`: statement `Zebra` of the policy: `Principal` must be `"*"` or an object

"#]]
    );
}

#[test]
fn merge_under_a_foreign_deny_reports_it_and_exits_with_3() {
    let deny = r#"{"Version":"2012-10-17","Statement":[{"Sid":"NoWrites","Effect":"Deny","Principal":"*","Action":"s3:PutObject",
        "Resource":"arn:aws:s3:::acme-flow-logs/*"}]}"#;
    let said = offline(&["policy", "merge"], FLEET, deny);
    assert_eq!(said.code, Some(3));
    assert!(!said.err.contains("may deliver\n"), "{}", said.err);
    assert_data_eq!(
        said.err,
        str![[r#"
+ statement `AWSLogDeliveryWriteFlowaggAcmeFlowLogs`
+ statement `AWSLogDeliveryAclCheckFlowaggAcmeFlowLogs`
note: log delivery for 111122223333 in eu-west-1 cannot write to its folder: ExplicitDeny by statement `NoWrites`
policy: not all deliveries of the fleet are certain to be allowed; see the notes above

"#]]
    );
    let document = json(&offline(&["policy", "merge", "--json"], FLEET, deny).out);
    assert_eq!(
        (&document["granted"], &document["problems"][0]["allowed"]),
        (&serde_json::json!([]), &false.into())
    );
}

#[test]
fn sizes_are_printed_for_every_form() {
    let said = offline(&["policy", "size", "--json"], FLEET, "");
    let forms: Vec<String> = json(&said.out)["forms"]
        .as_array()
        .unwrap()
        .iter()
        .map(|form| form["form"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        forms,
        ["prefixes", "accounts", "bound-accounts", "bound-deny"],
        "the organization forms need one"
    );
    // The hub account is a member.
    assert!(json(&said.out)["reserved"].as_u64().is_some_and(|bytes| bytes > 600), "{}", said.out);
    let shown = offline(&["policy", "size"], FLEET, "").out;
    assert_data_eq!(
        shown,
        str![[r#"
1 accounts in form `prefixes`: 612 of 20480 bytes
another 672 bytes are reserved for statements that AWS may append for flow logs in the hub account

  + prefixes        232 accounts   83 bytes per account
  + accounts        641 accounts   30 bytes per account
  + bound-accounts  640 accounts   30 bytes per account
  + bound-deny      1268 accounts  15 bytes per account

"#]]
    );
}

#[test]
fn invalid_policy_is_reported_with_its_file() {
    let said = offline(&["policy", "merge"], FLEET, "{\"Statement\": [");
    assert_eq!(said.code, Some(2));
    assert_data_eq!(
        said.err,
        str![[r#"
error: the policy in standard input: the policy is not JSON: line 1, column 16: unexpected end of text, expected a value
       fix the JSON; the position is where parsing stopped

"#]]
    );
}

#[test]
fn permissions_contain_the_bucket_and_roles_of_the_fleet() {
    let fleet = format!(
        "{FLEET}[[members]]\naccount = \"222222222222\"\nregions = [\"eu-west-1\"]\nrole = \"logs/flowagg\"\n"
    );
    let said = offline(&["permissions", "--json"], &fleet, "");
    let printed = json(&said.out);
    assert!(
        printed["caller"].to_string().contains("arn:aws:iam::222222222222:role/logs/flowagg"),
        "{}",
        said.out
    );
    assert!(
        !printed["caller"].to_string().contains("111122223333"),
        "the caller is in the hub: {}",
        said.out
    );
    assert!(printed["hub"].to_string().contains("arn:aws:s3:::acme-flow-logs"), "{}", said.out);
    assert!(printed["member"].to_string().contains("aws:ResourceTag/managed-by"), "{}", said.out);
}

#[test]
fn query_permissions_are_only_added_on_request() {
    let member = "[[members]]\naccount = \"222222222222\"\nregions = [\"eu-west-1\"]\n";
    let fleet = format!("{FLEET}{member}");
    let reader = format!("{fleet}[fleet]\nread-role = \"flowagg-read\"\n");
    let sids = |fleet: &str, query: bool| -> Vec<String> {
        let args = ["permissions", "--json", "--query"];
        let printed = json(&offline(&args[..2 + usize::from(query)], fleet, "").out);
        let of = |policy: &serde_json::Value| -> String {
            let statements = policy["Statement"].as_array().cloned().unwrap_or_default();
            let sids = statements.iter().map(|statement| statement["Sid"].as_str().unwrap().to_owned());
            sids.filter(|sid| ["ReadObjects", "LookUpNames"].contains(&sid.as_str())).collect()
        };
        let read_only = &printed["read-only"];
        [&printed["hub"], &printed["member"], &read_only["hub"], &read_only["member"]].map(of).to_vec()
    };
    assert_eq!(sids(&fleet, false), ["", "", "", ""]);
    assert_eq!(sids(&reader, false), ["", "", "", ""]);
    assert_eq!(sids(&fleet, true), ["ReadObjects", "LookUpNames", "", ""]);
    assert_eq!(sids(&reader, true), ["", "", "ReadObjects", "LookUpNames"]);
}

#[test]
fn roles_trust_no_account_until_the_callers_account_is_set() {
    let fleet = FLEET.replace("[hub]\n", "[hub]\nrole = \"flowagg-hub\"\n");
    assert_ne!(fleet, FLEET);
    let said = offline(&["permissions"], &fleet, "");
    assert_eq!(said.code, Some(0));
    let (_, trust) = said.out.split_once("\nTrust policy").unwrap();
    assert_data_eq!(
        trust,
        str![[r#"
 of every role (replace CALLER with the account of the role or user that runs flowagg)
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": {
        "AWS": "arn:aws:iam::CALLER:root"
      },
      "Action": "sts:AssumeRole"
    }
  ]
}

"#]]
    );
    assert_data_eq!(
        said.err,
        str![[r#"
note: if the caller's account is a member, the caller also needs the member policy: flowagg does not assume a role in the caller's account

"#]]
    );
}

#[test]
fn policy_too_large_for_iam_is_split() {
    let members = |count: usize| -> String {
        let member = |n: usize| format!("[[members]]\naccount = \"{n:012}\"\nregions = [\"eu-west-1\"]\n");
        (1..=count).map(member).collect()
    };
    for (count, documents) in [(90, 1), (100, 2), (1_000, 11)] {
        // The bucket policy contains the organization, whose accounts are not looked up.
        let fleet = format!("{FLEET}{}[organization]\nid = \"o-a1b2c3d4e5\"\n", members(count));
        let printed = json(&offline(&["permissions", "--json"], &fleet, "").out);
        let policies = printed["policies"].as_array().unwrap();
        let of_caller: Vec<&Value> = policies.iter().filter(|policy| policy["part"] == "caller").collect();
        assert_eq!(of_caller.len(), documents, "{count}");
        let mut roles = 0;
        for policy in policies {
            // IAM does not count white space.
            let text = policy["document"].to_string();
            let counted = text.chars().filter(|c| !c.is_whitespace()).count();
            assert!(counted <= 6_144 && policy["characters"] == counted, "{policy}");
            assert_eq!(policy["document"]["Version"], "2012-10-17");
            roles += text.matches(":role/").count();
        }
        assert_eq!(roles, count);
        let named = |document: &Value| document["name"].as_str().unwrap().to_owned();
        let names: Vec<String> = of_caller.into_iter().map(named).collect();
        match documents {
            1 => assert_eq!(names, ["flowagg-caller"]),
            _ => assert_eq!(names[..2], ["flowagg-caller-1", "flowagg-caller-2"]),
        }
        let said = offline(&["permissions"], &fleet, "");
        let headings: String = said
            .out
            .lines()
            .filter(|line| line.starts_with("Caller"))
            .map(|line| format!("{line}\n"))
            .take(3)
            .collect();
        match documents {
            1 => assert_data_eq!(
                headings,
                str![[r#"
Caller

"#]]
            ),
            2 => assert_data_eq!(
                headings,
                str![[r#"
Caller, 1 of 2: `flowagg-caller-1`
Caller, 2 of 2: `flowagg-caller-2`

"#]]
            ),
            _ => assert_data_eq!(
                headings + &said.err,
                str![[r#"
Caller, 1 of 11: `flowagg-caller-1`
Caller, 2 of 11: `flowagg-caller-2`
Caller, 3 of 11: `flowagg-caller-3`
note: Caller: 11 policies exceed the IAM quota of 10 per role; raise the quota, or set `organization.regions` to look up the accounts, which needs only one policy

"#]]
            ),
        }
    }
}

#[test]
fn caller_without_roles_to_assume_needs_no_assume_role_permission() {
    let said = offline(&["permissions", "--json"], FLEET, "");
    assert_eq!(json(&said.out)["caller"], Value::Null);
}
