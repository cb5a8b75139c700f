//! `flowagg policy simulate`: whether a policy allows log delivery.

use serde_json::Value;
use snapbox::{assert_data_eq, str};

use super::{json, live_policy};
use crate::{FLEET, offline, offline_in};

/// A policy with two statements for log delivery of two accounts under a folder, and one for a load balancer under another.
const MENTIONS: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Principal":{"Service":"logdelivery.elasticloadbalancing.amazonaws.com"},"Action":"s3:PutObject",
     "Resource":"arn:aws:s3:::amzn-s3-demo-bucket/lb/AWSLogs/999988887777/*"},
    {"Effect":"Allow","Principal":{"Service":"delivery.logs.amazonaws.com"},"Action":"s3:PutObject",
     "Resource":["arn:aws:s3:::amzn-s3-demo-bucket/net/AWSLogs/222222222222/*","arn:aws:s3:::amzn-s3-demo-bucket/net/AWSLogs/333333333333/*"],
     "Condition":{"StringEquals":{"aws:SourceAccount":["222222222222","333333333333"]}}},
    {"Effect":"Allow","Principal":{"Service":"delivery.logs.amazonaws.com"},"Action":"s3:GetBucketAcl",
     "Resource":"arn:aws:s3:::amzn-s3-demo-bucket","Condition":{"StringEquals":{"aws:SourceAccount":"222222222222"}}}]}"#;

#[test]
fn delivery_for_one_account_is_simulated_with_a_reason() {
    let policy = offline(&["policy", "build"], FLEET, "").out;
    let member = offline(&["policy", "simulate", "--account", "111122223333"], FLEET, &policy);
    assert_eq!(member.code, Some(0), "{}{}", member.out, member.err);
    let stranger = offline(&["policy", "simulate", "--account", "222222222222", "--json"], FLEET, &policy);
    assert_eq!(stranger.code, Some(3));
    let answers: String = stranger
        .out
        .lines()
        .map(|line| {
            let answer = json(line);
            format!("{}: {}\n", answer["decision"].as_str().unwrap(), answer["near-miss"].as_str().unwrap())
        })
        .collect();
    assert_data_eq!(
        answers,
        str![[r#"
ImplicitDeny: statement `AWSLogDeliveryAclCheckFlowaggAcmeFlowLogs` would allow it except for `aws:SourceAccount`, which is `222222222222`
ImplicitDeny: statement `AWSLogDeliveryWriteFlowaggAcmeFlowLogs` would allow it except for the resource and `aws:SourceAccount`, which is `222222222222`

"#]]
    );
}

#[test]
fn accounts_and_folder_come_from_the_fleet_file_or_the_statements() {
    let folder = tempfile::tempdir().unwrap();
    let run = |args: &[&str], fleet: &str| {
        let args = [&["policy", "simulate"], args].concat();
        if fleet.is_empty() {
            offline_in(folder.path(), &args, MENTIONS)
        } else {
            offline(&args, fleet, MENTIONS)
        }
    };
    let of_policy = run(&[], "");
    assert_eq!(of_policy.code, Some(3), "{}", of_policy.err);
    assert_eq!(
        of_policy.out,
        "333333333333 in us-east-1:\n  ! s3:GetBucketAcl  ImplicitDeny: statement 3 would allow it except for `aws:SourceAccount`, which is \
         `333333333333`\n      arn:aws:s3:::amzn-s3-demo-bucket\n1 of 2 accounts may deliver\n"
    );
    let json = run(&["--json"], "");
    let resources: Vec<String> =
        json.out.lines().map(|line| self::json(line)["resource"].to_string()).collect();
    assert_eq!(resources.len(), 4);
    assert!(
        resources[1].starts_with("\"arn:aws:s3:::amzn-s3-demo-bucket/net/AWSLogs/222222222222/"),
        "{resources:?}"
    );

    let of_fleet = run(&["--json"], FLEET);
    let answers: Vec<Value> = of_fleet.out.lines().map(self::json).collect();
    assert_eq!(of_fleet.code, Some(3));
    assert_eq!(
        (answers.len(), &answers[0]["account"], &answers[0]["allowed"]),
        (2, &"111122223333".into(), &false.into())
    );
    let one =
        run(&["--account", "222222222222", "--bucket", "amzn-s3-demo-bucket", "--region", "eu-west-1"], "");
    assert_eq!(one.code, Some(0), "{}{}", one.out, one.err);
}

#[test]
fn organization_of_members_is_unknown_without_lookup() {
    let fleet = format!("[organization]\nid = \"o-a1b2c3d4e5\"\nregions = [\"eu-west-1\"]\n{FLEET}");
    let policy = MENTIONS
        .replace(r#"{"aws:SourceAccount":"222222222222"}"#, r#"{"aws:SourceOrgID":"o-a1b2c3d4e5"}"#)
        .replace(
            r#"{"aws:SourceAccount":["222222222222","333333333333"]}"#,
            r#"{"aws:SourceOrgID":"o-a1b2c3d4e5"}"#,
        );
    let said = offline(&["policy", "simulate", "--json"], &fleet, &policy);
    let answer = json(said.out.lines().next().unwrap_or_else(|| panic!("{}", said.err)));
    assert_eq!((&answer["decision"], &answer["account"]), (&"Depends".into(), &"111122223333".into()));
}

#[test]
fn undecided_request_is_null_and_exits_with_3() {
    let policy = MENTIONS.replace(
        r#""aws:SourceAccount":"222222222222""#,
        r#""aws:SourceAccount":"222222222222","aws:SourceOrgID":"o-a1b2c3d4e5""#,
    );
    let folder = tempfile::tempdir().unwrap();
    let args = ["policy", "simulate", "--account", "222222222222", "--json"];
    let said = offline_in(folder.path(), &args, &policy);
    assert_eq!(said.code, Some(3), "{}", said.err);
    let answer = json(said.out.lines().next().unwrap());
    assert_eq!((&answer["allowed"], &answer["decision"]), (&Value::Null, &"Depends".into()));
    assert_eq!(answer["depends-on"], serde_json::json!(["aws:SourceOrgID"]));
}

#[test]
fn same_cause_is_printed_once_for_all_accounts() {
    let members: String = (0..300)
        .map(|n| {
            format!(
                "[[members]]\naccount = \"{}\"\nregions = [\"eu-west-1\", \"us-east-1\"]\n",
                222_200_000_000_u64 + n
            )
        })
        .collect();
    let denial = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::acme-flow-logs","arn:aws:s3:::acme-flow-logs/*"]},
        {"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::acme-flow-logs/*",
         "Condition":{"StringNotEquals":{"aws:SourceOrgID":"o-a1b2c3d4e5"}}}]}"#;
    let said = offline(&["policy", "simulate"], &format!("{FLEET}{members}"), denial);
    let lines: Vec<&str> = said.out.lines().collect();
    assert_eq!((said.code, lines.len()), (Some(3), 4), "{}", said.out);
    assert_eq!(lines[1], "  ? s3:PutObject     Depends on `aws:SourceOrgID` in statement 2");
    assert_eq!(lines[3], "0 of 301 accounts may deliver; 301 undecided");
}

#[test]
fn evaluation_cases_have_the_expected_result() {
    let cases = include_str!("../../../../flowagg-policy/tests/data/evaluation-cases.jsonl");
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("policy.json");
    // One run for each policy, with all its requests.
    let mut by_policy: std::collections::BTreeMap<String, (String, Vec<Value>)> = Default::default();
    for case in cases.lines().map(json) {
        let (requests, expected) = by_policy.entry(case["policy"].to_string()).or_default();
        requests.push_str(&format!("{}\n", case["request"]));
        expected.push(case["expected"].clone());
    }
    for (text, (requests, expected)) in by_policy {
        std::fs::write(&policy, &text).unwrap();
        let args = ["policy", "simulate", "--policy", policy.to_str().unwrap(), "--requests", "-", "--json"];
        let said = offline(&args, FLEET, &requests);
        let decisions: Vec<Value> = said.out.lines().map(|line| json(line)["decision"].clone()).collect();
        assert_eq!(decisions, expected, "{text} {}", said.err);
    }
}

#[test]
fn invalid_request_is_reported_with_its_line_number() {
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("policy.json");
    std::fs::write(&policy, live_policy()).unwrap();
    let args = ["policy", "simulate", "--policy", policy.to_str().unwrap(), "--requests", "-"];
    let request = r#"{"principal":"*","action":"s3:GetObject","resource":"arn:aws:s3:::x/y","context":{}}"#;
    let said = offline(&args, FLEET, &format!("{request}\n{{}}\n"));
    assert_eq!(said.code, Some(2));
    assert_data_eq!(
        said.err,
        str![[r#"
error: invalid request in line 2 of standard input: missing field `principal` at line 1 column 2
       use the form {"principal": ..., "action": ..., "resource": ..., "context": {key: string or list}, "unknown": [key]}

"#]]
    );
}
