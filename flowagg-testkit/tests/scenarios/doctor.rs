//! What `flowagg doctor` sees before a roll-out, and that it changes nothing.

use flowagg_core::id::AccountId;
use flowagg_testkit::faults::{Answer, CallFilter, Faults};
use flowagg_testkit::world::World;
use serde_json::Value;
use snapbox::{assert_data_eq, str};

use crate::{apply, delivers, on_paper, told, world};

/// The looks that `doctor --json` took, as `what: health`.
async fn looks(world: &World, code: i32) -> (Vec<String>, Value) {
    let examination = world.flowagg(["doctor", "--json"]).await.unwrap().exits(code).json();
    let checks = examination["checks"].as_array().unwrap().iter();
    let looks = checks
        .map(|check| format!("{}: {}", check["what"].as_str().unwrap(), check["health"].as_str().unwrap()));
    (looks.collect(), examination)
}

async fn flow_logs(world: &World, account: AccountId) -> usize {
    let mut sum = 0;
    for region in world.regions() {
        sum += world.flow_logs(account, region).await.unwrap().len();
    }
    sum
}

#[tokio::test]
async fn a_fleet_that_can_be_rolled_out_is_told_so_and_nothing_is_changed() {
    let world = world(["shop", "bank"]).await;
    let (looks, _) = looks(&world, 0).await;
    let wanted =
        ["fleet file", "credentials", "hub account", "accounts", "regions", "bucket", "policy", "flow logs"];
    assert_eq!(looks, wanted.map(|what| format!("{what}: good")));
    for account in world.accounts().values() {
        assert_eq!(flow_logs(&world, account.id).await, 0, "a dry run makes no flow log");
    }
    assert!(world.s3().head_bucket().bucket(world.bucket().as_str()).send().await.is_err(), "nor a bucket");

    apply(&world).await;
    let ran = world.flowagg(["doctor"]).await.unwrap().exits(0);
    assert_data_eq!(
        told(&world, &ran),
        str![[r#"
  + fleet file   ok  `/srv/fleet/flowagg.toml` can be used
  + credentials  ok  they are of 111122223333
  + hub account  ok  111122223333 can be entered
  + accounts     ok  2 can be entered
  + regions      ok  4 can be read
  + bucket       ok  acme-flow-logs is as declared
  + bucket       ok  flow logs expire after 90 days
  + policy       ok  every member may deliver
  + flow logs    ok  there is nothing to do

ok: nothing stands in the way of `flowagg apply`

"#]]
    );
    delivers(&world).await;
}

#[tokio::test]
async fn a_right_that_a_member_lacks_is_told_before_anything_is_made() {
    let mut world = world(["shop", "bank"]).await;
    let faults = Faults::in_front_of(world.aws().url()).await.unwrap();
    world.send_program_to(faults.url());
    let bank = world.accounts()["bank"].id;
    let denied =
        Answer::error(403, "UnauthorizedOperation", "You are not authorized to perform this operation.");
    faults.on(CallFilter::operation("CreateFlowLogs").in_account(bank), denied);
    let (told, examination) = looks(&world, 1).await;
    assert_eq!(told.last().unwrap(), "flow logs: bad");
    let failures = examination["failures"].as_array().unwrap();
    assert_eq!(failures.len(), world.regions().len(), "{examination:#}");
    for failure in failures {
        assert_eq!(failure["account"], bank.to_string());
        assert_eq!(failure["call"], "CreateFlowLogs");
        assert_data_eq!(
            on_paper(&world, failure["help"].as_str().unwrap()),
            str![
                "allow ec2:CreateFlowLogs, ec2:CreateTags and logs:CreateLogDelivery to the role or user that is used in 333333333333; `flowagg permissions` prints the IAM policies"
            ]
        );
    }
    assert_eq!(flow_logs(&world, bank).await, 0);

    faults.lift();
    apply(&world).await;
    delivers(&world).await;
}

#[tokio::test]
async fn a_role_that_is_missing_a_key_without_the_grant_and_a_doubtful_policy_are_all_told_at_once() {
    let mut world = world(["shop", "bank"]).await;
    world.encrypt().await.unwrap();
    let open = r#"{"Sid":"All","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::BUCKET/*"}"#;
    let bucket = world.bucket().to_string();
    let policy = format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, open.replace("BUCKET", &bucket));
    world.bucket_of_others(&policy).await.unwrap();
    let faults = Faults::in_front_of(world.aws().url()).await.unwrap();
    world.send_program_to(faults.url());
    let bank = world.accounts()["bank"].id;
    let denied = Answer::error(403, "AccessDenied", "User is not authorized to perform: sts:AssumeRole");
    faults.on(CallFilter::operation("AssumeRole").in_account(bank), denied);
    let (told, examination) = looks(&world, 1).await;
    for look in ["accounts: bad", "regions: good", "key: bad", "policy: doubtful"] {
        assert!(told.iter().any(|told| told == look), "{look}: {examination:#}");
    }
    let failures = examination["failures"].as_array().unwrap();
    let failed: Vec<_> = failures.iter().filter(|failure| failure["call"] == "AssumeRole").collect();
    assert!(!failed.is_empty(), "{examination:#}");
    assert!(failed.iter().all(|failure| failure["account"] == bank.to_string()), "{examination:#}");
}
