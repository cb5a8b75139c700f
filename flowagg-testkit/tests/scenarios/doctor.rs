//! `flowagg doctor`: what it reports before a rollout, and that it changes nothing.

use flowagg_core::id::AccountId;
use flowagg_testkit::faults::{Answer, CallFilter, Faults};
use flowagg_testkit::world::World;
use serde_json::Value;
use snapbox::{assert_data_eq, str};

use crate::{READERS, applied, apply, delivers, on_paper, told, world};

/// The checks in `doctor --json`, as `what: health`, and the document.
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
async fn doctor_reports_a_ready_fleet_and_changes_nothing() {
    let world = world(["shop", "bank"]).await;
    let (looks, _) = looks(&world, 0).await;
    let wanted =
        ["fleet file", "credentials", "hub account", "accounts", "regions", "bucket", "policy", "flow logs"];
    assert_eq!(looks, wanted.map(|what| format!("{what}: good")));
    for account in world.accounts().values() {
        assert_eq!(flow_logs(&world, account.id).await, 0, "a dry run creates no flow log");
    }
    assert!(
        world.s3().head_bucket().bucket(world.bucket().as_str()).send().await.is_err(),
        "a dry run creates no bucket"
    );

    apply(&world).await;
    let ran = world.flowagg(["doctor"]).await.unwrap().exits(0);
    assert_data_eq!(
        told(&world, &ran),
        str![[r#"
  + fleet file   ok  `flowagg.toml` is valid
  + credentials  ok  account 111122223333
  + hub account  ok  111122223333 is accessible
  + accounts     ok  access to 2 accounts
  + regions      ok  4 account-regions readable
  + bucket       ok  acme-flow-logs matches the fleet file
  + bucket       ok  flow logs expire after 90 days
  + policy       ok  every member may deliver
  + flow logs    ok  no changes needed

ok: all checks passed
next: run `flowagg plan` to see the changes

"#]]
    );
    delivers(&world).await;
}

#[tokio::test]
async fn missing_permission_of_a_member_is_reported_by_the_dry_run() {
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
                "allow ec2:CreateFlowLogs, ec2:CreateTags and logs:CreateLogDelivery for the role or user used in 333333333333; `flowagg permissions` prints the IAM policies"
            ]
        );
    }
    assert_eq!(flow_logs(&world, bank).await, 0);

    faults.lift();
    apply(&world).await;
    delivers(&world).await;
}

#[tokio::test]
async fn missing_role_key_grant_and_policy_findings_are_reported_together() {
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
async fn executed_dry_run_is_an_error_that_names_the_created_flow_log() {
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
  + fleet file   ok       `flowagg.toml` is valid
  + credentials  ok       account 111122223333
  + hub account  ok       111122223333 is accessible
  + accounts     ok       access to 2 accounts
  + regions      ok       4 account-regions readable
  + bucket       ok       acme-flow-logs exists; `apply` changes none of its settings
  ~ bucket       warn     flow logs do not expire, and `hub.retention-days` is not set
      set `hub.retention-days` to a number of days, or to "forever"
  + bucket       ok       flow logs do not expire
  + policy       ok       `apply` writes the policy: 856 of 20,480 bytes
  ? flow logs    unknown  no dry run in 3 account-regions: this endpoint ignores `DryRun`
  ! flow logs    fail     the endpoint executed a dry run: it created fl-0123456789abcdef0

error: 222222222222 (shop) eu-west-1: CreateFlowLogs: the endpoint executed a dry run: it created fl-0123456789abcdef0
       this endpoint is not AWS, but an emulator or a proxy that ignores `DryRun`: delete what it created, with the role or user of 222222222222: `aws ec2 delete-flow-logs --region eu-west-1 --flow-log-ids fl-0123456789abcdef0`

1 check failed; the endpoint executed a dry run: delete what it created
next: fix the problems above, then run `flowagg doctor` again

"#]]
    );
    assert_eq!(faults.count(&create), 1, "no further dry run is sent");
    let shop = world.accounts()["shop"].id;
    assert_eq!(flow_logs(&world, shop).await, 1, "only one resource is affected");
}

#[tokio::test]
async fn unreadable_account_region_is_not_reported_as_up_to_date() {
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
  + fleet file   ok       `flowagg.toml` is valid
  + credentials  ok       account 111122223333
  + hub account  ok       111122223333 is accessible
  + accounts     ok       access to 2 accounts
  ! regions      fail     cannot read 2 of 4 account-regions
  + bucket       ok       acme-flow-logs matches the fleet file
  + bucket       ok       flow logs expire after 90 days
  + policy       ok       every member may deliver
  ? flow logs    unknown  the flow logs of 2 account-regions could not be read

error: 2 times: DescribeFlowLogs: UnauthorizedOperation: You are not authorized to perform this operation.
       allow ec2:DescribeFlowLogs for the role or user used in 333333333333; `flowagg permissions` prints the IAM policies
       in 333333333333 (bank): eu-west-1, us-east-1

1 check failed; nothing was changed
next: fix the problems above, then run `flowagg doctor` again

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
  + fleet file   ok       `flowagg.toml` is valid
  + credentials  ok       account 111122223333
  + hub account  ok       111122223333 is accessible
  + accounts     ok       access to 2 accounts
  + regions      ok       4 account-regions readable
  + bucket       ok       acme-flow-logs matches the fleet file
  + bucket       ok       flow logs expire after 90 days
  ? bucket       unknown  bucket settings that may affect flow logs could not be read: versioning (GetBucketVersioning: AccessDenied: Access Denied); `flowagg permissions` prints the actions to allow
  + policy       ok       every member may deliver
  + flow logs    ok       no changes needed

not everything was checked: 1 unknown
next: fix the problems above, then run `flowagg doctor` again

"#]]
    );

    faults.lift();
    faults.on(CallFilter::operation("HeadBucket"), Answer::error(403, "AccessDenied", "Access Denied"));
    let ran = world.flowagg(["doctor"]).await.unwrap().exits(1);
    assert_data_eq!(
        told(&world, &ran),
        str![[r#"
  + fleet file   ok       `flowagg.toml` is valid
  + credentials  ok       account 111122223333
  + hub account  ok       111122223333 is accessible
  + accounts     ok       access to 2 accounts
  + regions      ok       4 account-regions readable
  ! bucket       fail     the bucket exists, but access is denied to 111122223333
  ? policy       unknown  the bucket could not be read, so its policy and key were not checked
  + flow logs    ok       no changes needed

error: 111122223333 eu-west-1: acme-flow-logs: HeadBucket: AccessDenied: the bucket exists, but access is denied to 111122223333
       if another account owns the bucket, choose another `hub.bucket`; otherwise allow s3:ListBucket for the role or user used in 111122223333

1 check failed; nothing was changed
next: fix the problems above, then run `flowagg doctor` again

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
  + fleet file   ok    `flowagg.toml` is valid
  ! credentials  fail  The token is expired (credentials of AWS_ACCESS_KEY_ID)

error: 111122223333 eu-west-1: GetCallerIdentity: ExpiredToken: The token is expired (credentials of AWS_ACCESS_KEY_ID)
       the credentials have expired: sign in again, then run the command again; completed changes are kept

1 check failed; nothing was changed; not checked: hub account, accounts, regions, bucket, policy, flow logs
next: fix the problems above, then run `flowagg doctor` again

"#]]
    );

    faults.lift();
    let ran = world.flowagg(["doctor", "--only", &bank.to_string()]).await.unwrap().exits(0);
    assert_data_eq!(
        told(&world, &ran),
        str![[r#"
  + fleet file   ok  `flowagg.toml` is valid
  + credentials  ok  account 111122223333
  + hub account  ok  111122223333 is accessible
  + accounts     ok  access to 1 account
  + regions      ok  2 account-regions readable
  + bucket       ok  acme-flow-logs matches the fleet file
  + bucket       ok  flow logs expire after 90 days
  + policy       ok  every selected member may deliver
  + flow logs    ok  no changes needed

ok: all checks passed for the selection of `--only`
next: run `flowagg plan` to see the changes

"#]]
    );
}
