//! Responses that are no error and not whole: each is a named failure, never taken for an AWS without anything.

use flowagg_testkit::faults::{Answer, CallFilter, Faults, Flaw};
use flowagg_testkit::world::{Ran, World};
use serde_json::Value;

use crate::{applied, apply};

/// An applied world whose program meets faults.
async fn faulty() -> (World, Faults) {
    let mut world = applied(["shop", "bank"]).await;
    let faults = Faults::in_front_of(world.aws().url()).await.unwrap();
    world.send_program_to(faults.url());
    (world, faults)
}

#[track_caller]
fn says(ran: &Ran, words: &[&str]) {
    let text = format!("{}{}", ran.stdout, ran.stderr);
    for word in words {
        assert!(text.contains(word), "`{word}`: {ran}");
    }
}

/// `plan` ends with 1, names the call and what is wrong with its response, plans nothing from it, and `apply` writes nothing.
async fn is_a_named_failure(calls: CallFilter, flaw: Flaw, words: &[&str]) {
    let (world, faults) = faulty().await;
    faults.on(calls, Answer::Flawed(flaw));
    let plan = world.flowagg(["plan", "--json"]).await.unwrap().exits(1);
    let json = plan.json();
    for changes in ["hub", "flow-logs"] {
        assert_eq!(json[changes].as_array().unwrap().len(), 0, "{flaw:?}: {plan}");
    }
    let shown = world.flowagg(["plan"]).await.unwrap().exits(1);
    says(&shown, words);
    world.flowagg(["apply", "--yes"]).await.unwrap().exits(1);
    assert_eq!(faults.writes(), Vec::<String>::new(), "{flaw:?}");
    faults.lift();
    world.flowagg(["plan", "--exit-code"]).await.unwrap().exits(0);
}

const AGAIN: &str =
    "run it again; if it fails again, check the proxy or the endpoint between flowagg and AWS";

#[tokio::test]
async fn policy_that_is_empty_or_cut_off_is_not_a_bucket_without_a_policy() {
    let policy = || CallFilter::operation("GetBucketPolicy");
    is_a_named_failure(policy(), Flaw::Empty, &["GetBucketPolicy: the response is empty", AGAIN]).await;
    let cut = ["GetBucketPolicy: the response is incomplete: it does not end with `}`", AGAIN];
    is_a_named_failure(policy(), Flaw::Cut, &cut).await;
}

#[tokio::test]
async fn settings_that_are_empty_or_cut_off_are_not_a_bucket_without_settings() {
    for call in ["GetBucketEncryption", "GetPublicAccessBlock", "GetBucketOwnershipControls"] {
        let empty = format!("{call}: the response is empty");
        is_a_named_failure(CallFilter::operation(call), Flaw::Empty, &[&empty]).await;
    }
    let cut = "the response is incomplete: it does not end with `</PublicAccessBlockConfiguration>`";
    is_a_named_failure(CallFilter::operation("GetPublicAccessBlock"), Flaw::Cut, &[cut, AGAIN]).await;
}

/// The same for calls in the account `bank` alone: the other account is planned and applied.
async fn fails_one_account(call: &str, flaw: Flaw, words: &[&str]) {
    let (mut world, faults) = faulty().await;
    world.set("flow-logs", "tags = { team = \"network\" }");
    let [shop, bank] = ["shop", "bank"].map(|name| world.accounts()[name].id.to_string());
    let of_bank = CallFilter::operation(call).in_account(world.accounts()["bank"].id);
    faults.on(of_bank, Answer::Flawed(flaw));
    let plan = world.flowagg(["plan", "--json"]).await.unwrap().exits(1);
    let changes = plan.json()["flow-logs"].to_string();
    assert!(changes.contains(&shop) && !changes.contains(&bank), "{flaw:?}: {plan}");
    says(&world.flowagg(["plan"]).await.unwrap().exits(1), &[&[bank.as_str(), call], words].concat());
    world.flowagg(["apply", "--yes"]).await.unwrap().exits(1);
    faults.lift();
    apply(&world).await;
    world.flowagg(["plan", "--exit-code"]).await.unwrap().exits(0);
}

#[tokio::test]
async fn resources_and_flow_logs_that_are_cut_off_are_a_failure_of_their_account() {
    for (call, end) in
        [("DescribeVpcs", "</DescribeVpcsResponse>"), ("DescribeFlowLogs", "</DescribeFlowLogsResponse>")]
    {
        let words = format!("{call}: the response is incomplete: it does not end with `{end}`");
        fails_one_account(call, Flaw::Cut, &[&words, AGAIN]).await;
        let words = format!("{call}: the response is empty");
        fails_one_account(call, Flaw::Empty, &[&words, AGAIN]).await;
    }
}

#[tokio::test]
async fn page_token_that_is_repeated_is_a_failure_of_its_account() {
    for call in ["DescribeVpcs", "DescribeFlowLogs"] {
        let words = format!("{call}: the response is incomplete: it repeats the token of an earlier page");
        fails_one_account(call, Flaw::SameToken, &[&words, AGAIN]).await;
    }
}

#[tokio::test]
async fn resource_id_of_an_unknown_form_is_a_failure_of_its_account() {
    let words =
        ["DescribeVpcs: the response contains the id `net-", "whose form is unknown", "update flowagg"];
    fails_one_account("DescribeVpcs", Flaw::UnknownId, &words).await;
}

#[tokio::test]
async fn role_of_a_response_that_is_cut_off_is_not_taken() {
    let (world, faults) = faulty().await;
    let bank = world.accounts()["bank"].id;
    faults.on(CallFilter::operation("AssumeRole").in_account(bank), Answer::Flawed(Flaw::Cut));
    let plan = world.flowagg(["plan"]).await.unwrap().exits(1);
    let words = "AssumeRole: the response is incomplete: it does not end with `</AssumeRoleResponse>`";
    says(&plan, &[&bank.to_string(), words]);
}

#[tokio::test]
async fn listing_with_a_next_page_and_no_new_token_for_it_is_a_failure() {
    let (world, faults) = faulty().await;
    for (flaw, words) in [
        (Flaw::NoToken, "it has a next page, and no token for it"),
        (Flaw::SameToken, "it repeats the token of an earlier page"),
        (Flaw::Cut, "it does not end with `</ListBucketResult>`"),
    ] {
        faults.on(CallFilter::operation("ListObjectsV2"), Answer::Flawed(flaw));
        for args in [&["verify"][..], &["import", "--bucket", world.bucket().as_str()]] {
            let ran = world.flowagg(args).await.unwrap().exits(1);
            says(&ran, &[&format!("ListObjectsV2: the response is incomplete: {words}"), AGAIN]);
        }
        faults.lift();
    }
}

/// What a report counts: flow logs, objects and bytes of each account and region.
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
async fn items_that_are_listed_twice_are_one_item() {
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
async fn unsuccessful_resource_that_was_not_asked_for_is_a_failure() {
    let (mut world, faults) = faulty().await;
    world.member("mill", 1).await.unwrap();
    let mill = world.accounts()["mill"].id;
    faults.on(CallFilter::operation("CreateFlowLogs").in_account(mill), Answer::Flawed(Flaw::Stray));
    let ran = world.flowagg(["apply", "--yes"]).await.unwrap().exits(1);
    let words = "AWS names a resource that the call was not about, so it is unknown what was done";
    says(&ran, &[&mill.to_string(), "vpc-0fffffffffffffff0: CreateFlowLogs: 400", words]);
    faults.lift();
    apply(&world).await;
    world.flowagg(["plan", "--exit-code"]).await.unwrap().exits(0);
}
