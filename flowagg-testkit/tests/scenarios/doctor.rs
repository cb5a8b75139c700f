//! What `flowagg doctor` sees before a roll-out, and that it changes nothing.

use flowagg_core::id::AccountId;
use flowagg_testkit::faults::{Answer, CallFilter, Faults};
use flowagg_testkit::world::World;
use serde_json::Value;
use snapbox::{assert_data_eq, str};

use crate::{READERS, applied, apply, delivers, on_paper, told, world};

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
  + fleet file   ok  `flowagg.toml` can be used
  + credentials  ok  they are of 111122223333
  + hub account  ok  111122223333 can be entered
  + accounts     ok  2 can be entered
  + regions      ok  4 can be read
  + bucket       ok  acme-flow-logs is as declared
  + bucket       ok  flow logs expire after 90 days
  + policy       ok  every member may deliver
  + flow logs    ok  there is nothing to do

ok: nothing stands in the way of `flowagg apply`
next: `flowagg plan` shows what would change

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

#[tokio::test]
async fn endpoint_that_executes_a_dry_run_is_an_error_that_names_what_it_created() {
    let mut world = world(["shop", "bank"]).await;
    let emulator = world.aws().url().to_owned();
    let policy = format!("{{\"Version\":\"2012-10-17\",\"Statement\":[{READERS}]}}");
    world.bucket_of_others(&policy).await.unwrap();
    let faults = Faults::in_front_of(&emulator).await.unwrap();
    world.send_program_to(faults.url());
    let create = CallFilter::operation("CreateFlowLogs");
    faults.on(create.clone(), Answer::Executed);
    let ran = world.flowagg(["doctor"]).await.unwrap().exits(1);
    assert_data_eq!(
        told(&world, &ran),
        str![[r#"
  + fleet file   ok       `flowagg.toml` can be used
  + credentials  ok       they are of 111122223333
  + hub account  ok       111122223333 can be entered
  + accounts     ok       2 can be entered
  + regions      ok       4 can be read
  + bucket       ok       acme-flow-logs is there; `apply` changes none of its settings
  ~ bucket       look     flow logs do not expire, and `hub.retention-days` is not set
      set `hub.retention-days` to a number of days, or to "forever"
  + bucket       ok       flow logs do not expire
  + policy       ok       `apply` writes it: 856 of 20480 bytes
  ? flow logs    unknown  EC2 was not asked in 3 account-regions, because this endpoint ignores `DryRun`
  ! flow logs    fails    the endpoint executed a dry run: it created fl-0123456789abcdef0

error: 222222222222 (shop) eu-west-1: CreateFlowLogs: the endpoint executed a dry run: it created fl-0123456789abcdef0
       this endpoint is not AWS, but an emulator or a proxy that ignores `DryRun`: delete what it created, with the role or user of 222222222222: `aws ec2 delete-flow-logs --region eu-west-1 --flow-log-ids fl-0123456789abcdef0`

1 in the way: the endpoint executed a dry run: remove what it made
next: fix what is named above, then run `flowagg doctor` again

"#]]
    );
    assert_eq!(faults.count(&create), 1, "no other dry run follows");
    let shop = world.accounts()["shop"].id;
    assert_eq!(flow_logs(&world, shop).await, 1, "of one resource alone");
}

#[tokio::test]
async fn account_region_that_cannot_be_read_is_not_said_to_have_nothing_to_do() {
    let mut world = applied(["shop", "bank"]).await;
    let faults = Faults::in_front_of(world.aws().url()).await.unwrap();
    world.send_program_to(faults.url());
    let bank = world.accounts()["bank"].id;
    let denied =
        || Answer::error(403, "UnauthorizedOperation", "You are not authorized to perform this operation.");
    faults.on(CallFilter::operation("DescribeFlowLogs").in_account(bank), denied());
    let ran = world.flowagg(["doctor"]).await.unwrap().exits(1);
    assert_data_eq!(
        told(&world, &ran),
        str![[r#"
  + fleet file   ok       `flowagg.toml` can be used
  + credentials  ok       they are of 111122223333
  + hub account  ok       111122223333 can be entered
  + accounts     ok       2 can be entered
  ! regions      fails    2 of 4 cannot be read
  + bucket       ok       acme-flow-logs is as declared
  + bucket       ok       flow logs expire after 90 days
  + policy       ok       every member may deliver
  ? flow logs    unknown  those of 2 account-regions could not be read

error: 2 times: DescribeFlowLogs: UnauthorizedOperation: You are not authorized to perform this operation.
       allow ec2:DescribeFlowLogs to the role or user that is used in 333333333333; `flowagg permissions` prints the IAM policies
       in 333333333333 (bank): eu-west-1, us-east-1

1 in the way: nothing was changed
next: fix what is named above, then run `flowagg doctor` again

"#]]
    );

    faults.lift();
    faults.on(
        CallFilter::operation("GetBucketVersioning"),
        Answer::error(403, "AccessDenied", "Access Denied"),
    );
    let ran = world.flowagg(["doctor"]).await.unwrap().exits(1);
    assert_data_eq!(
        told(&world, &ran),
        str![[r#"
  + fleet file   ok       `flowagg.toml` can be used
  + credentials  ok       they are of 111122223333
  + hub account  ok       111122223333 can be entered
  + accounts     ok       2 can be entered
  + regions      ok       4 can be read
  + bucket       ok       acme-flow-logs is as declared
  + bucket       ok       flow logs expire after 90 days
  ? bucket       unknown  settings of the bucket that could not be read and may affect flow logs: versioning (GetBucketVersioning: AccessDenied: Access Denied); `flowagg permissions` prints the actions to allow
  + policy       ok       every member may deliver
  + flow logs    ok       there is nothing to do

not everything was checked: 1 unknown
next: fix what is named above, then run `flowagg doctor` again

"#]]
    );

    faults.lift();
    faults.on(CallFilter::operation("HeadBucket"), Answer::error(403, "AccessDenied", "Access Denied"));
    let ran = world.flowagg(["doctor"]).await.unwrap().exits(1);
    assert_data_eq!(
        told(&world, &ran),
        str![[r#"
  + fleet file   ok       `flowagg.toml` can be used
  + credentials  ok       they are of 111122223333
  + hub account  ok       111122223333 can be entered
  + accounts     ok       2 can be entered
  + regions      ok       4 can be read
  ! bucket       fails    the bucket exists, but 111122223333 may not look at it
  ? policy       unknown  the bucket could not be read, and its policy and key with it
  + flow logs    ok       there is nothing to do

error: 111122223333 eu-west-1: acme-flow-logs: HeadBucket: AccessDenied: the bucket exists, but 111122223333 may not look at it
       if another account owns the bucket, choose another `hub.bucket`; if 111122223333 does, allow s3:ListBucket to the role or user that is used there

1 in the way: nothing was changed
next: fix what is named above, then run `flowagg doctor` again

"#]]
    );

    faults.lift();
    faults.on(
        CallFilter::operation("GetCallerIdentity"),
        Answer::error(403, "ExpiredToken", "The token is expired"),
    );
    let ran = world.flowagg(["doctor"]).await.unwrap().exits(1);
    assert_data_eq!(
        told(&world, &ran),
        str![[r#"
  + fleet file   ok     `flowagg.toml` can be used
  ! credentials  fails  The token is expired (credentials of AWS_ACCESS_KEY_ID)

error: 111122223333 eu-west-1: GetCallerIdentity: ExpiredToken: The token is expired (credentials of AWS_ACCESS_KEY_ID)
       the credentials have expired: sign in again, then run the command again; completed changes are kept

1 in the way: nothing was changed; not checked: hub account, accounts, regions, bucket, policy, flow logs
next: fix what is named above, then run `flowagg doctor` again

"#]]
    );

    faults.lift();
    let ran = world.flowagg(["doctor", "--only", &bank.to_string()]).await.unwrap().exits(0);
    assert_data_eq!(
        told(&world, &ran),
        str![[r#"
  + fleet file   ok  `flowagg.toml` can be used
  + credentials  ok  they are of 111122223333
  + hub account  ok  111122223333 can be entered
  + accounts     ok  1 can be entered
  + regions      ok  2 can be read
  + bucket       ok  acme-flow-logs is as declared
  + bucket       ok  flow logs expire after 90 days
  + policy       ok  every selected member may deliver
  + flow logs    ok  there is nothing to do

ok: nothing stands in the way of what `--only` selects
next: `flowagg plan` shows what would change

"#]]
    );
}
