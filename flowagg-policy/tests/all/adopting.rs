//! Foreign statements named by the user are replaced with the fleet's grant, unless a delivery would stop.

use std::collections::{BTreeMap, BTreeSet};

use flowagg_core::failure::Failure;
use flowagg_core::fleet::Fleet;
use flowagg_core::id::{AccountId, FlowLogId, Place, Region};
use flowagg_core::observed::{Bucket, FlowLog, LogFolder, LogFolders, Observed, RegionState, Scope};
use flowagg_core::plan::{HubChange, PolicyChange, Unnamed};
use flowagg_policy::plan::{Plan, PlanOptions, plan};
use flowagg_policy::{AdoptError, StatementRef, adopt};
use snapbox::{assert_data_eq, str};

const LOAD_BALANCER: &str = include_str!("../data/nlb-documented-top.json");
const THREE_SERVICES: &str = include_str!("../data/three-services-one-statement.json");
const WHOLE_BUCKET: &str = include_str!("../data/whole-bucket-one-account.json");
const MEMBER: &str = "222222222222";

fn fleet_file(member: &str) -> String {
    format!(
        "[hub]\naccount = \"111122223333\"\nregion = \"eu-west-1\"\nbucket = \"acme-logs\"\n\
         [[members]]\naccount = \"{member}\"\nregions = [\"eu-west-1\", \"us-east-1\"]\n"
    )
}

fn fleet() -> Fleet {
    Fleet::parse(&fleet_file(MEMBER)).unwrap()
}

fn region(name: &str) -> Region {
    Region::parse(name).unwrap()
}

fn place(name: &str) -> Place {
    Place { account: AccountId::parse(MEMBER).unwrap(), region: region(name) }
}

/// A foreign flow log.
fn flow_log(destination: &str) -> FlowLog {
    let mut log =
        FlowLog::new(FlowLogId::parse("fl-0000000a").unwrap(), "vpc-0000000a", destination.to_owned());
    log.traffic = Some("ALL".to_owned());
    log.interval = Some(600);
    log
}

/// A bucket with this policy and these folders of the member, and flow logs in one of two regions.
fn observed(policy: &str, services: &[&str], flow_logs: Vec<FlowLog>) -> Observed {
    let account = AccountId::parse(MEMBER).unwrap();
    let folder = |service: &&str| LogFolder::new(account, format!("AWSLogs/{MEMBER}/{service}/"));
    let log_folders = LogFolders::Listed(services.iter().map(folder).collect());
    let mut bucket = Bucket::default();
    bucket.policy = Some(policy.to_owned());
    bucket.log_folders = log_folders;
    let regions = BTreeMap::from([
        (place("eu-west-1"), Ok(RegionState::new(Vec::new(), flow_logs))),
        (place("us-east-1"), Ok(RegionState::default())),
    ]);
    let mut observed = Observed::new(Ok(Some(bucket)));
    observed.regions = regions;
    observed
}

fn adopting(statements: &[&str], unchecked: bool) -> PlanOptions {
    let mut options = PlanOptions::from(Unnamed::Keep);
    options.adopt = statements.iter().map(|statement| statement.parse().unwrap()).collect();
    options.adopt_unchecked = unchecked;
    options
}

fn change(plan: &Plan) -> Option<&PolicyChange> {
    plan.hub().iter().find_map(|change| match change {
        HubChange::PutPolicy(change) => Some(change),
        _ => None,
    })
}

/// The obstacle of a plan without changes.
#[track_caller]
fn obstacle(plan: &Plan) -> &str {
    assert!(plan.is_empty());
    &plan.obstacles()[0].what
}

#[test]
fn statements_that_only_serve_the_fleets_flow_logs_are_replaced() {
    let log = flow_log("arn:aws:s3:::acme-logs");
    let before = observed(LOAD_BALANCER, &["vpcflowlogs"], vec![log]);
    let plan = plan(&fleet(), &before, adopting(&["AWSLogDeliveryWrite", "AWSLogDeliveryAclCheck"], false));
    let change = change(&plan).unwrap();
    assert_eq!(
        change.adopted,
        ["`AWSLogDeliveryAclCheck`", "`AWSLogDeliveryWrite`"],
        "in the order of the policy"
    );
    assert!(!change.text.contains("\"AWSLogDeliveryWrite\""), "{}", change.text);
    assert_data_eq!(
        change.to_string(),
        str![
            "update the bucket policy: grants delivery to 222222222222; replaces adopted `AWSLogDeliveryAclCheck`, `AWSLogDeliveryWrite` (758 -> 644 bytes)"
        ]
    );

    let text = change.text.clone();
    let again = plan.again(&fleet(), &observed(&text, &["vpcflowlogs"], Vec::new()));
    assert_eq!(again.policy_write(), None);
    assert!(again.is_complete());
}

#[test]
fn statement_needed_by_load_balancer_logs_is_not_adopted() {
    let mut before = observed(LOAD_BALANCER, &["elasticloadbalancing", "vpcflowlogs"], Vec::new());
    let statements = adopting(&["AWSLogDeliveryWrite"], false);
    // The fleet's grant covers every folder of its members.
    let of_member = plan(&fleet(), &before, statements.clone());
    assert!(change(&of_member).unwrap().text.contains(&format!("AWSLogs/{MEMBER}/*")));

    let others = Fleet::parse(&fleet_file("333333333333")).unwrap();
    let regions = others
        .places()
        .map(|(member, region)| (Place::new(member.account, region), Ok(RegionState::default())));
    before.regions = regions.collect();
    let of_others = plan(&others, &before, statements);
    assert_eq!(
        obstacle(&of_others),
        "adopting statement `AWSLogDeliveryWrite` would stop log delivery to \
         `AWSLogs/222222222222/elasticloadbalancing/`, log delivery to `AWSLogs/222222222222/vpcflowlogs/`"
    );
}

#[test]
fn statement_needed_by_a_foreign_flow_log_is_not_adopted() {
    let foreign = flow_log("arn:aws:s3:::acme-logs/VpcFlowLogs/vpc-0000000a");
    let write = write_of(WHOLE_BUCKET);
    let plan = plan(&fleet(), &observed(WHOLE_BUCKET, &[], vec![foreign]), adopting(&[&write], false));
    let expected =
        format!("adopting statement `{write}` would stop flow log fl-0000000a of {MEMBER} in eu-west-1");
    assert_eq!(obstacle(&plan), expected);
}

#[test]
fn statement_for_a_region_outside_the_grant_is_not_adopted() {
    let policy = LOAD_BALANCER.replace("arn:aws:logs:eu-west-1:", "arn:aws:logs:ap-south-1:");
    let with_arns = format!("[policy]\nsource-arn = true\n{}", fleet_file(MEMBER));
    let fleet = Fleet::parse(&with_arns).unwrap();
    let plan = plan(
        &fleet,
        &observed(&policy, &["elasticloadbalancing"], Vec::new()),
        adopting(&["AWSLogDeliveryWrite"], false),
    );
    let expected = "adopting statement `AWSLogDeliveryWrite` would stop log delivery to \
                    `AWSLogs/222222222222/elasticloadbalancing/`";
    assert_eq!(obstacle(&plan), expected);
}

#[test]
fn repeated_plan_checks_the_deliveries_of_the_first_plan() {
    let log = flow_log("arn:aws:s3:::acme-logs");
    let first = plan(
        &fleet(),
        &observed(LOAD_BALANCER, &[], vec![log]),
        adopting(&["AWSLogDeliveryWrite", "AWSLogDeliveryAclCheck"], false),
    );
    assert!(change(&first).is_some());

    let mut only_hub = observed(LOAD_BALANCER, &[], Vec::new());
    only_hub.regions = BTreeMap::new();
    let others = Fleet::parse(&fleet_file("333333333333")).unwrap();
    let expected = "adopting statement `AWSLogDeliveryAclCheck`, `AWSLogDeliveryWrite` would stop flow log \
                    fl-0000000a of 222222222222 in eu-west-1";
    assert_eq!(obstacle(&first.again(&others, &only_hub)), expected);
    assert!(change(&first.again(&fleet(), &only_hub)).is_some());
}

#[test]
fn repeated_plan_adopts_nothing_that_the_first_plan_did_not() {
    let mut part = observed(LOAD_BALANCER, &[], Vec::new());
    part.scope = Scope::Part { members: fleet().members.into_keys().collect() };
    let refused = plan(&fleet(), &part, adopting(&["AWSLogDeliveryWrite"], false));
    assert!(refused.is_empty());
    let again = refused.again(&fleet(), &observed(LOAD_BALANCER, &[], Vec::new()));
    let change = change(&again).unwrap();
    assert_eq!(change.adopted, Vec::<String>::new());
    assert!(change.text.contains("\"AWSLogDeliveryWrite\""), "{}", change.text);
}

#[test]
fn rest_of_the_policy_stays_if_every_statement_is_adopted() {
    let before = observed(LOAD_BALANCER, &[], Vec::new());
    let plan = plan(&fleet(), &before, adopting(&["AWSLogDeliveryWrite", "AWSLogDeliveryAclCheck"], false));
    let text = &change(&plan).unwrap().text;
    let policy: serde_json::Value = serde_json::from_str(text).unwrap();
    assert_eq!(policy["Id"], "AWSConsole-AccessLogs-Policy-1668059634986");
    assert_eq!(policy["Version"], "2012-10-17");
}

#[test]
fn duplicated_statement_is_not_adopted() {
    let statement = "{\"Effect\":\"Allow\"}";
    let policy = format!("{{\"Statement\":[{statement},{statement}]}}");
    let error = adopt(&policy, &BTreeSet::from(["#1".parse().unwrap()])).unwrap_err();
    assert_data_eq!(error.to_string(), str!["statement 1 has an identical copy in the policy"]);
}

/// The Sid of the statement that allows `s3:PutObject`.
fn write_of(policy: &str) -> String {
    let policy: serde_json::Value = serde_json::from_str(policy).unwrap();
    let statements = policy["Statement"].as_array().unwrap();
    let puts = |it: &&serde_json::Value| it["Action"].to_string().contains("PutObject");
    statements.iter().find(puts).unwrap()["Sid"].as_str().unwrap().to_owned()
}

#[test]
fn nothing_is_adopted_if_deliveries_are_unknown() {
    let statements = ["AWSLogDeliveryWrite", "AWSLogDeliveryAclCheck"];
    let mut failure = Failure::new(place("us-east-1"), "DescribeFlowLogs", "not authorized", "allow it");
    failure.code = Some("UnauthorizedOperation".to_owned());
    let mut unread = observed(LOAD_BALANCER, &[], Vec::new());
    unread.regions.insert(place("us-east-1"), Err(failure));
    let mut part = observed(LOAD_BALANCER, &[], Vec::new());
    part.scope = Scope::Part { members: fleet().members.into_keys().collect() };
    let mut unlisted = observed(LOAD_BALANCER, &[], Vec::new());
    if let Ok(Some(bucket)) = &mut unlisted.bucket {
        bucket.log_folders = LogFolders::NotListed;
    }
    for (observed, why) in [
        (&unread, "1 account-region could not be read"),
        (&part, "only part of the fleet was selected"),
        (&unlisted, "the bucket was not listed"),
    ] {
        let checked = plan(&fleet(), observed, adopting(&statements, false));
        let names = "`AWSLogDeliveryAclCheck`, `AWSLogDeliveryWrite`";
        assert_eq!(
            obstacle(&checked),
            format!("the deliveries that statement {names} serves are unknown: {why}")
        );
        assert!(change(&plan(&fleet(), observed, adopting(&statements, true))).is_some());
    }
}

#[test]
fn statement_for_other_services_cannot_be_adopted() {
    let refused = |policy: &str, statement: &str| {
        adopt(policy, &BTreeSet::from([statement.parse().unwrap()])).unwrap_err().to_string()
    };
    assert_data_eq!(
        refused(THREE_SERVICES, "#1"),
        str!["statement `AWSCloudTrailAclCheck` has a principal other than `delivery.logs.amazonaws.com`"]
    );
    let policy = |statement: &str| format!("{{\"Version\":\"2012-10-17\",\"Statement\":[{statement}]}}");
    let service = "\"Principal\":{\"Service\":\"delivery.logs.amazonaws.com\"}";
    for (statement, why) in [
        (
            format!("{{\"Sid\":\"A\",\"Effect\":\"Deny\",{service},\"Action\":\"s3:*\",\"Resource\":\"*\"}}"),
            "is not an Allow statement",
        ),
        (
            format!(
                "{{\"Sid\":\"A\",\"Effect\":\"Allow\",{service},\"Action\":\"s3:DeleteObject\",\"Resource\":\"*\"}}"
            ),
            "allows `s3:DeleteObject`, which log delivery does not need",
        ),
        (
            format!(
                "{{\"Sid\":\"A\",\"Effect\":\"Allow\",{service},\"NotAction\":\"s3:Get*\",\"Resource\":\"*\"}}"
            ),
            "has a `NotAction`, so what it grants cannot be listed",
        ),
        (
            format!(
                "{{\"Sid\":\"A\",\"Effect\":\"Allow\",{service},\"Action\":\"s3:PutObject\",\"Resource\":\"arn:aws:s3:::acme-logs/*\",\
                 \"Condition\":{{\"StringEquals\":{{\"aws:SourceOrgID\":\"o-a1b2c3d4e5\"}}}}}}"
            ),
            "tests `aws:SourceOrgID`, whose value is not known for every delivery",
        ),
        (
            format!(
                "{{\"Sid\":\"A\",\"Effect\":\"Allow\",{service},\"Action\":\"s3:PutObject\",\
                 \"Resource\":\"arn:aws:s3:::acme-logs/AWSLogs/*/vpcflowlogs/*\"}}"
            ),
            "names `arn:aws:s3:::acme-logs/AWSLogs/*/vpcflowlogs/*`, which is not a bucket or a whole folder of an account",
        ),
        (
            format!(
                "{{\"Sid\":\"A\",\"Effect\":\"Allow\",{service},\"Action\":\"s3:PutObject\",\
                 \"Resource\":\"arn:aws:s3:::acme-logs/${{aws:SourceAccount}}/*\"}}"
            ),
            "names `arn:aws:s3:::acme-logs/${aws:SourceAccount}/*`, which is not a bucket or a whole folder of an account",
        ),
        (
            format!(
                "{{\"Sid\":\"A\",\"Effect\":\"Allow\",{service},\"Action\":\"s3:PutObject\",\
                 \"Resource\":\"arn:aws:s3:::acme-logs/*\",\
                 \"Condition\":{{\"ArnLike\":{{\"aws:SourceArn\":\"arn:aws:logs:eu-*:222222222222:*\"}}}}}}"
            ),
            "tests `aws:SourceArn` for `arn:aws:logs:eu-*:222222222222:*`, which does not have the documented form",
        ),
    ] {
        assert_eq!(refused(&policy(&statement), "A"), format!("statement `A` {why}"));
    }
}

#[test]
fn statement_reference_is_unique_or_an_error() {
    let twice = r#"{"Statement":[{"Sid":"A"},{"Sid":"B"},{"Sid":"A"}]}"#;
    let error = |statement: &str| adopt(twice, &BTreeSet::from([statement.parse().unwrap()])).unwrap_err();
    assert_eq!(error("A").help(), "pass one by its position: `#1` or `#3`");
    assert_eq!(error("C").to_string(), "the bucket policy has no statement `C`");
    assert_eq!(error("#4").to_string(), "the bucket policy has no statement `#4`");
    for wrong in ["", "#", "#0", "#x"] {
        assert!(matches!(wrong.parse::<StatementRef>(), Err(AdoptError::Reference { .. })), "{wrong}");
    }
}

#[test]
fn statement_of_another_fleet_cannot_be_adopted() {
    let other = r#"{"Statement":[{"Sid":"AWSLogDeliveryWriteFlowaggOther","Effect":"Allow"}]}"#;
    let error = adopt(other, &BTreeSet::from(["#1".parse().unwrap()])).unwrap_err();
    assert!(matches!(error, AdoptError::Managed { .. }), "{error}");
}
