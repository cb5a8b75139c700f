//! Incomplete responses with a success status. Each is a named failure, and is never treated as an empty result.

use flowagg_testkit::faults::{Answer, CallFilter, Faults, Flaw};
use flowagg_testkit::world::{Ran, World};
use serde_json::Value;
use snapbox::{assert_data_eq, str};

use crate::{applied, apply, messages};

/// An applied world whose program calls an endpoint with injectable faults.
async fn faulty() -> (World, Faults) {
    let mut world = applied(["shop", "bank"]).await;
    let faults = Faults::in_front_of(world.aws().url()).await.unwrap();
    world.send_program_to(faults.url());
    (world, faults)
}

/// With such a response, `plan` exits with 1 and contains no changes, and `apply` writes nothing. Returns the messages
/// of `plan`, which name the call and the problem with its response.
async fn is_a_named_failure(calls: CallFilter, flaw: Flaw) -> String {
    let (world, faults) = faulty().await;
    faults.on(calls, Answer::Flawed(flaw));
    let plan = world.flowagg(["plan", "--json"]).await.unwrap().exits(1);
    let json = plan.json();
    for changes in ["hub", "flow-logs"] {
        assert_eq!(json[changes].as_array().unwrap().len(), 0, "{flaw:?}: {plan}");
    }
    let shown = world.flowagg(["plan"]).await.unwrap().exits(1);
    world.flowagg(["apply", "--yes"]).await.unwrap().exits(1);
    assert_eq!(faults.writes(), Vec::<String>::new(), "{flaw:?}");
    faults.lift();
    world.flowagg(["plan", "--exit-code"]).await.unwrap().exits(0);
    messages(&world, &shown)
}

#[tokio::test]
async fn empty_or_truncated_policy_is_not_treated_as_no_policy() {
    let policy = || CallFilter::operation("GetBucketPolicy");
    assert_data_eq!(
        is_a_named_failure(policy(), Flaw::Empty).await,
        str![[r#"
error: 111122223333 eu-west-1: acme-flow-logs: GetBucketPolicy: the response is empty
       run the command again; if it fails again, check the proxy or endpoint between flowagg and AWS
"#]]
    );
    assert_data_eq!(
        is_a_named_failure(policy(), Flaw::Cut).await,
        str![[r#"
error: 111122223333 eu-west-1: acme-flow-logs: GetBucketPolicy: the response is incomplete: it does not end with `}`
       run the command again; if it fails again, check the proxy or endpoint between flowagg and AWS
"#]]
    );
}

#[tokio::test]
async fn empty_or_truncated_settings_are_not_treated_as_unset() {
    let mut told = Vec::new();
    for call in ["GetBucketEncryption", "GetPublicAccessBlock", "GetBucketOwnershipControls"] {
        told.push(is_a_named_failure(CallFilter::operation(call), Flaw::Empty).await);
    }
    assert_data_eq!(
        told.join("\n"),
        str![[r#"
error: 111122223333 eu-west-1: acme-flow-logs: GetBucketEncryption: the response is empty
       run the command again; if it fails again, check the proxy or endpoint between flowagg and AWS
error: 111122223333 eu-west-1: acme-flow-logs: GetPublicAccessBlock: the response is empty
       run the command again; if it fails again, check the proxy or endpoint between flowagg and AWS
error: 111122223333 eu-west-1: acme-flow-logs: GetBucketOwnershipControls: the response is empty
       run the command again; if it fails again, check the proxy or endpoint between flowagg and AWS
"#]]
    );
    let cut = is_a_named_failure(CallFilter::operation("GetPublicAccessBlock"), Flaw::Cut).await;
    assert_data_eq!(
        cut,
        str![[r#"
error: 111122223333 eu-west-1: acme-flow-logs: GetPublicAccessBlock: the response is incomplete: it does not end with `</PublicAccessBlockConfiguration>`
       run the command again; if it fails again, check the proxy or endpoint between flowagg and AWS
"#]]
    );
}

/// The same for calls in the account `bank` only: the other account is planned and applied.
async fn fails_one_account(call: &str, flaw: Flaw) -> String {
    let (mut world, faults) = faulty().await;
    world.set("flow-logs", "tags = { team = \"network\" }");
    let [shop, bank] = ["shop", "bank"].map(|name| world.accounts()[name].id.to_string());
    let of_bank = CallFilter::operation(call).in_account(world.accounts()["bank"].id);
    faults.on(of_bank, Answer::Flawed(flaw));
    let plan = world.flowagg(["plan", "--json"]).await.unwrap().exits(1);
    let changes = plan.json()["flow-logs"].to_string();
    assert!(changes.contains(&shop) && !changes.contains(&bank), "{flaw:?}: {plan}");
    let shown = world.flowagg(["plan"]).await.unwrap().exits(1);
    world.flowagg(["apply", "--yes"]).await.unwrap().exits(1);
    faults.lift();
    apply(&world).await;
    world.flowagg(["plan", "--exit-code"]).await.unwrap().exits(0);
    messages(&world, &shown)
}

#[tokio::test]
async fn truncated_lists_are_a_failure_of_their_account() {
    let mut told = Vec::new();
    for call in ["DescribeVpcs", "DescribeFlowLogs"] {
        told.push(fails_one_account(call, Flaw::Cut).await);
        told.push(fails_one_account(call, Flaw::Empty).await);
    }
    assert_data_eq!(
        told.join("\n"),
        str![[r#"
note: flow logs expire after 90 days
error: 2 times: DescribeVpcs: the response is incomplete: it does not end with `</DescribeVpcsResponse>`
       run the command again; if it fails again, check the proxy or endpoint between flowagg and AWS
       in 333333333333 (bank): eu-west-1, us-east-1
note: flow logs expire after 90 days
error: 2 times: DescribeVpcs: the response is empty
       run the command again; if it fails again, check the proxy or endpoint between flowagg and AWS
       in 333333333333 (bank): eu-west-1, us-east-1
note: flow logs expire after 90 days
error: 2 times: DescribeFlowLogs: the response is incomplete: it does not end with `</DescribeFlowLogsResponse>`
       run the command again; if it fails again, check the proxy or endpoint between flowagg and AWS
       in 333333333333 (bank): eu-west-1, us-east-1
note: flow logs expire after 90 days
error: 2 times: DescribeFlowLogs: the response is empty
       run the command again; if it fails again, check the proxy or endpoint between flowagg and AWS
       in 333333333333 (bank): eu-west-1, us-east-1
"#]]
    );
}

#[tokio::test]
async fn repeated_page_token_is_a_failure_of_its_account() {
    let mut told = Vec::new();
    for call in ["DescribeVpcs", "DescribeFlowLogs"] {
        told.push(fails_one_account(call, Flaw::SameToken).await);
    }
    assert_data_eq!(
        told.join("\n"),
        str![[r#"
note: flow logs expire after 90 days
error: 2 times: DescribeVpcs: the response is incomplete: it repeats the token of an earlier page
       run the command again; if it fails again, check the proxy or endpoint between flowagg and AWS
       in 333333333333 (bank): eu-west-1, us-east-1
note: flow logs expire after 90 days
error: 2 times: DescribeFlowLogs: the response is incomplete: it repeats the token of an earlier page
       run the command again; if it fails again, check the proxy or endpoint between flowagg and AWS
       in 333333333333 (bank): eu-west-1, us-east-1
"#]]
    );
}

#[tokio::test]
async fn unknown_resource_id_form_is_a_failure_of_its_account() {
    assert_data_eq!(
        fails_one_account("DescribeVpcs", Flaw::UnknownId).await,
        str![[r#"
note: flow logs expire after 90 days
error: 333333333333 (bank) eu-west-1: DescribeVpcs: the response contains the ID `net-[..]`, which has an unknown format
       update flowagg; if this is the latest version, report a bug with this ID
error: 333333333333 (bank) us-east-1: DescribeVpcs: the response contains the ID `net-[..]`, which has an unknown format
       update flowagg; if this is the latest version, report a bug with this ID
"#]]
    );
}

#[tokio::test]
async fn truncated_assume_role_response_is_a_failure() {
    let (world, faults) = faulty().await;
    let bank = world.accounts()["bank"].id;
    faults.on(CallFilter::operation("AssumeRole").in_account(bank), Answer::Flawed(Flaw::Cut));
    let plan = world.flowagg(["plan"]).await.unwrap().exits(1);
    assert_data_eq!(
        messages(&world, &plan),
        str![[r#"
note: flow logs expire after 90 days
error: 2 times: arn:aws:iam::333333333333:role/OrganizationAccountAccessRole: AssumeRole: the response is incomplete: it does not end with `</AssumeRoleResponse>`
       run the command again; if it fails again, check the proxy or endpoint between flowagg and AWS
       in 333333333333 (bank): eu-west-1, us-east-1
"#]]
    );
}

#[tokio::test]
async fn incomplete_listing_is_a_failure() {
    let (world, faults) = faulty().await;
    let mut shown = Vec::new();
    for flaw in [Flaw::NoToken, Flaw::SameToken, Flaw::Cut] {
        faults.on(CallFilter::operation("ListObjectsV2"), Answer::Flawed(flaw));
        for args in [&["verify"][..], &["import", "--bucket", world.bucket().as_str()]] {
            let ran = world.flowagg(args).await.unwrap().exits(1);
            shown.push(messages(&world, &ran));
        }
        faults.lift();
    }
    assert_data_eq!(
        shown.join("\n"),
        str![[r#"
error: 111122223333 eu-west-1: acme-flow-logs: ListObjectsV2: the response is incomplete: it indicates another page but contains no token for it
       run the command again; if it fails again, check the proxy or endpoint between flowagg and AWS
error: 111122223333 eu-west-1: acme-flow-logs: ListObjectsV2: the response is incomplete: it indicates another page but contains no token for it
       run the command again; if it fails again, check the proxy or endpoint between flowagg and AWS
error: 111122223333 eu-west-1: acme-flow-logs: ListObjectsV2: the response is incomplete: it repeats the token of an earlier page
       run the command again; if it fails again, check the proxy or endpoint between flowagg and AWS
error: 111122223333 eu-west-1: acme-flow-logs: ListObjectsV2: the response is incomplete: it repeats the token of an earlier page
       run the command again; if it fails again, check the proxy or endpoint between flowagg and AWS
error: 111122223333 eu-west-1: acme-flow-logs: ListObjectsV2: the response is incomplete: it does not end with `</ListBucketResult>`
       run the command again; if it fails again, check the proxy or endpoint between flowagg and AWS
error: 111122223333 eu-west-1: acme-flow-logs: ListObjectsV2: the response is incomplete: it does not end with `</ListBucketResult>`
       run the command again; if it fails again, check the proxy or endpoint between flowagg and AWS
"#]]
    );
}

/// The account-regions of a report, with their numbers of flow logs, objects and bytes.
fn counted(report: &Ran) -> Vec<(String, Value)> {
    let json = report.json();
    let accounts = json["accounts"].as_array().unwrap().iter();
    let regions = accounts.flat_map(|account| {
        let regions = account["regions"].as_array().unwrap().iter();
        regions.map(move |region| (account["account"].to_string(), region.clone()))
    });
    regions
        .map(|(account, mut region)| {
            region.as_object_mut().unwrap().remove("newest-age-seconds");
            (account, region)
        })
        .collect()
}

#[tokio::test]
async fn duplicate_items_are_counted_once() {
    let (world, faults) = faulty().await;
    crate::delivers(&world).await;
    let before = world.flowagg(["report", "--json"]).await.unwrap().exits(0);
    for call in ["DescribeVpcs", "DescribeFlowLogs", "ListObjectsV2"] {
        faults.on(CallFilter::operation(call), Answer::Flawed(Flaw::Twice));
    }
    world.flowagg(["plan", "--exit-code"]).await.unwrap().exits(0);
    let after = world.flowagg(["report", "--json"]).await.unwrap().exits(0);
    assert_eq!(counted(&before).len(), 4, "two regions of two accounts: {before}");
    assert_eq!(counted(&after), counted(&before));
}

#[tokio::test]
async fn unexpected_unsuccessful_resource_is_a_failure() {
    let (mut world, faults) = faulty().await;
    world.member("mill", 1).await.unwrap();
    let mill = world.accounts()["mill"].id;
    faults.on(CallFilter::operation("CreateFlowLogs").in_account(mill), Answer::Flawed(Flaw::Stray));
    let ran = world.flowagg(["apply", "--yes"]).await.unwrap().exits(1);
    assert_data_eq!(
        messages(&world, &ran),
        str![[r#"
note: flow logs expire after 90 days
error: 2 times: vpc-0123456789abcdef0: CreateFlowLogs: 400: AWS returned an error for a resource that was not in the call, so the outcome is unknown: not possible
       run `flowagg plan` to see what is missing
       in 444444444444 (mill): eu-west-1, us-east-1
"#]]
    );
    faults.lift();
    apply(&world).await;
    world.flowagg(["plan", "--exit-code"]).await.unwrap().exits(0);
}
