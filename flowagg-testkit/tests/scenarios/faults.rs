//! Failures of AWS and the network during `apply`: what is reported, what remains, and what the next run does.

use std::time::Duration;

use flowagg_core::id::Region;
use flowagg_testkit::faults::{Answer, CallFilter, Faults, Freeze};
use flowagg_testkit::world::{World, WorldAccount};
use snapbox::data::Inline;
use snapbox::{assert_data_eq, str};

use crate::{apply, delivers, messages, world};

/// A world with these members, whose program calls an endpoint with injectable faults.
pub(crate) async fn faulty<const N: usize>(members: [&str; N]) -> (World, Faults) {
    let mut world = world(members).await;
    let faults = Faults::in_front_of(world.aws().url()).await.unwrap();
    world.send_program_to(faults.url());
    (world, faults)
}

/// Number of VPCs of an account with a flow log in a region. Fails if a VPC has two.
async fn logged_in(world: &World, account: &WorldAccount, region: &Region) -> usize {
    let logs = world.flow_logs(account.id, region).await.unwrap();
    let of = |vpc: &str| logs.iter().filter(|log| log.resource_id() == Some(vpc)).count();
    let counts: Vec<usize> = account.vpcs[region].iter().map(|vpc| of(vpc.as_str())).collect();
    assert!(counts.iter().all(|count| *count <= 1), "a VPC has two flow logs: {logs:?}");
    counts.into_iter().sum()
}

/// Number of VPCs of an account with a flow log, in all regions.
async fn logged(world: &World, name: &str) -> usize {
    let account = &world.accounts()[name];
    let mut sum = 0;
    for region in world.regions() {
        sum += logged_in(world, account, region).await;
    }
    sum
}

fn vpcs(account: &WorldAccount) -> usize {
    account.vpcs.values().map(Vec::len).sum()
}

/// The live state matches the fleet file: every member has a grant, every VPC has a flow log that delivers, and no
/// change remains.
pub(crate) async fn is_settled(world: &World) {
    let policy = world.policy().await.unwrap().unwrap();
    for (name, account) in world.accounts() {
        assert_eq!(logged(world, name).await, vpcs(account), "{name}");
        assert!(policy.contains(&account.id.to_string()), "{name} has a grant: {policy}");
    }
    world.flowagg(["plan", "--exit-code"]).await.unwrap().exits(0);
    delivers(world).await;
}

/// Without faults, the next run makes the remaining changes.
async fn is_settled_by_the_next_run(world: &World, faults: &Faults) {
    faults.lift();
    apply(world).await;
    is_settled(world).await;
}

/// A run in which every CreateFlowLogs call in the account `bank` has this answer. The run reports the error for every
/// VPC of it, completes the other accounts, and writes a policy that grants all.
async fn flow_logs_of_the_bank_fail(options: &[&str], answer: Answer, expected: Inline) {
    let (world, faults) = faulty(["shop", "bank", "mill"]).await;
    let bank = &world.accounts()["bank"];
    faults.on(CallFilter::operation("CreateFlowLogs").in_account(bank.id), answer);
    let ran = world.flowagg([&["apply", "--yes"], options].concat()).await.unwrap().exits(1);
    assert_data_eq!(messages(&world, &ran), expected);
    let [shop, bank, mill] = ["shop", "bank", "mill"].map(|name| logged(&world, name));
    assert_eq!((shop.await, bank.await, mill.await), (2, 0, 2));
    let policy = world.policy().await.unwrap().unwrap();
    assert!(world.accounts().values().all(|account| policy.contains(&account.id.to_string())), "{policy}");
    is_settled_by_the_next_run(&world, &faults).await;
}

fn throttled() -> Answer {
    Answer::error(503, "RequestLimitExceeded", "Request limit exceeded.")
}

#[tokio::test]
async fn throttled_call_is_retried() {
    let (world, faults) = faulty(["shop", "bank"]).await;
    let bank = world.accounts()["bank"].id;
    let [reads, writes] = ["DescribeVpcs", "CreateFlowLogs"]
        .map(|operation| CallFilter::operation(operation).in_account(bank).in_region(world.hub_region()));
    faults.on(reads.clone().first(1), throttled());
    faults.on(writes.clone().first(2), throttled());
    apply(&world).await;
    assert_eq!((faults.count(&reads), faults.count(&writes)), (2, 3));
    is_settled(&world).await;
}

#[tokio::test]
async fn permanently_throttled_account_is_reported_and_others_complete() {
    flow_logs_of_the_bank_fail(&[], throttled(), str![[r#"
error: 333333333333 (bank) eu-west-1: vpc-0123456789abcdef0: CreateFlowLogs: RequestLimitExceeded: Request limit exceeded.
       AWS is throttling these calls: wait, then run the command again; completed changes are kept
error: 333333333333 (bank) us-east-1: vpc-0123456789abcdef1: CreateFlowLogs: RequestLimitExceeded: Request limit exceeded.
       AWS is throttling these calls: wait, then run the command again; completed changes are kept
"#]]).await;
}

#[tokio::test]
async fn denied_create_flow_logs_names_the_action_to_allow() {
    let denied =
        Answer::error(403, "UnauthorizedOperation", "You are not authorized to perform this operation.");
    flow_logs_of_the_bank_fail(&[], denied, str![[r#"
error: 333333333333 (bank) eu-west-1: vpc-0123456789abcdef0: CreateFlowLogs: UnauthorizedOperation: You are not authorized to perform this operation.
       allow ec2:CreateFlowLogs, ec2:CreateTags and logs:CreateLogDelivery for the role or user used in 333333333333; `flowagg permissions` prints the IAM policies
error: 333333333333 (bank) us-east-1: vpc-0123456789abcdef1: CreateFlowLogs: UnauthorizedOperation: You are not authorized to perform this operation.
       allow ec2:CreateFlowLogs, ec2:CreateTags and logs:CreateLogDelivery for the role or user used in 333333333333; `flowagg permissions` prints the IAM policies
"#]]).await;
}

#[tokio::test]
async fn denial_by_a_service_control_policy_is_reported_as_such() {
    let denied = Answer::error(
        403,
        "UnauthorizedOperation",
        "You are not authorized to perform this operation. User: arn:aws:sts::111122223333:assumed-role/flowagg/flowagg \
         is not authorized to perform: ec2:CreateFlowLogs on resource: arn:aws:ec2:eu-west-1:111122223333:vpc-flow-log/* \
         with an explicit deny in a service control policy. Encoded authorization failure message: AAAA",
    );
    flow_logs_of_the_bank_fail(&[], denied, str![[r#"
error: 333333333333 (bank) eu-west-1: vpc-0123456789abcdef0: CreateFlowLogs: UnauthorizedOperation: You are not authorized to perform this operation. User: arn:aws:sts::111122223333:assumed-role/flowagg/flowagg is not authorized to perform: ec2:CreateFlowLogs on resource: arn:aws:ec2:eu-west-1:111122223333:vpc-flow-log/* with an explicit deny in a service control policy. Encoded authorization failure message: [...]
       a service control policy (SCP) denies ec2:CreateFlowLogs, and no IAM policy can override it: ask the owners of the management account for an exception; in that account, `aws organizations list-policies --filter SERVICE_CONTROL_POLICY` lists the policies; `--json` prints the full encoded message, and `aws sts decode-authorization-message --encoded-message MESSAGE` decodes it
error: 333333333333 (bank) us-east-1: vpc-0123456789abcdef1: CreateFlowLogs: UnauthorizedOperation: You are not authorized to perform this operation. User: arn:aws:sts::111122223333:assumed-role/flowagg/flowagg is not authorized to perform: ec2:CreateFlowLogs on resource: arn:aws:ec2:eu-west-1:111122223333:vpc-flow-log/* with an explicit deny in a service control policy. Encoded authorization failure message: [...]
       a service control policy (SCP) denies ec2:CreateFlowLogs, and no IAM policy can override it: ask the owners of the management account for an exception; in that account, `aws organizations list-policies --filter SERVICE_CONTROL_POLICY` lists the policies; `--json` prints the full encoded message, and `aws sts decode-authorization-message --encoded-message MESSAGE` decodes it
"#]]).await;
}

#[tokio::test]
async fn credentials_expiring_during_creation_keep_completed_changes() {
    let (world, faults) = faulty(["shop", "bank"]).await;
    let creations = CallFilter::operation("CreateFlowLogs");
    faults.on(creations.clone().after(2), Answer::error(400, "RequestExpired", "Request has expired."));
    let ran = world.flowagg(["apply", "--yes"]).await.unwrap().exits(1);
    // Which two of the four calls fail differs between runs.
    let messages = messages(&world, &ran);
    let what =
        messages.lines().map(|line| line.split_once("CreateFlowLogs: ").map_or(line, |(_, what)| what));
    assert_data_eq!(
        what.collect::<Vec<_>>().join("\n"),
        str![[r#"
RequestExpired: Request has expired.
       synchronize this machine's clock if `date -u` prints the wrong time; otherwise the credentials have expired: sign in again
RequestExpired: Request has expired.
       synchronize this machine's clock if `date -u` prints the wrong time; otherwise the credentials have expired: sign in again
"#]]
    );
    assert_eq!(faults.count(&creations), 4, "none is retried");
    assert_eq!(logged(&world, "shop").await + logged(&world, "bank").await, 2);
    is_settled_by_the_next_run(&world, &faults).await;
}

#[tokio::test]
async fn credentials_expiring_before_the_policy_prevent_every_flow_log() {
    let (world, faults) = faulty(["shop", "bank"]).await;
    let expired = Answer::error(400, "ExpiredToken", "The provided token has expired.");
    faults.on(CallFilter::operation("PutBucketPolicy"), expired);
    let ran = world.flowagg(["apply", "--yes"]).await.unwrap().exits(1);
    assert_data_eq!(
        messages(&world, &ran),
        str![[r#"
  skipped 222222222222 eu-west-1 vpc-0123456789abcdef0: create a flow log: no flow log to this bucket
  skipped 222222222222 us-east-1 vpc-0123456789abcdef1: create a flow log: no flow log to this bucket
  skipped 333333333333 eu-west-1 vpc-0123456789abcdef2: create a flow log: no flow log to this bucket
  skipped 333333333333 us-east-1 vpc-0123456789abcdef3: create a flow log: no flow log to this bucket
error: 111122223333 eu-west-1: acme-flow-logs: PutBucketPolicy: ExpiredToken: The provided token has expired.
       the credentials have expired: sign in again, then run the command again; completed changes are kept
"#]]
    );
    assert_eq!(faults.count(&CallFilter::operation("CreateFlowLogs")), 0);
    is_settled_by_the_next_run(&world, &faults).await;
}

#[tokio::test]
async fn expired_session_cannot_assume_roles_and_advises_to_sign_in() {
    let (world, faults) = faulty(["shop", "bank"]).await;
    let bank = world.accounts()["bank"].id;
    let expired =
        Answer::error(403, "ExpiredTokenException", "The security token included in the request is expired");
    faults.on(CallFilter::operation("AssumeRole").in_account(bank), expired);
    let ran = world.flowagg(["apply", "--yes"]).await.unwrap().exits(1);
    assert_data_eq!(
        messages(&world, &ran),
        str![[r#"
error: 2 times: arn:aws:iam::333333333333:role/OrganizationAccountAccessRole: AssumeRole: ExpiredTokenException: The security token included in the request is expired
       the credentials have expired: sign in again, then run the command again; completed changes are kept
       in 333333333333 (bank): eu-west-1, us-east-1
"#]]
    );
    assert_eq!((logged(&world, "shop").await, logged(&world, "bank").await), (2, 0));
    is_settled_by_the_next_run(&world, &faults).await;
}

#[tokio::test]
async fn bodyless_s3_error_suggests_expired_credentials() {
    let (world, faults) = faulty(["shop"]).await;
    faults.on(
        CallFilter::operation("HeadBucket"),
        Answer::error(400, "ExpiredToken", "HEAD responses have no body"),
    );
    let ran = world.flowagg(["apply", "--yes"]).await.unwrap().exits(1);
    assert_data_eq!(
        messages(&world, &ran),
        str![[r#"
error: 111122223333 eu-west-1: acme-flow-logs: HeadBucket: HTTP 400: AWS returned no message
       S3 returns no details for this call; the credentials have probably expired: sign in again, then run the command again
"#]]
    );
    assert_eq!(faults.writes(), Vec::<String>::new());
    is_settled_by_the_next_run(&world, &faults).await;
}

/// A run in which every `Describe…` call in one region of `bank` has this answer. The rest is completed.
async fn a_region_of_the_bank_fails(answer: Answer, expected: Inline) {
    let (world, faults) = faulty(["shop", "bank"]).await;
    let bank = &world.accounts()["bank"];
    let off = &world.regions()[1];
    faults.on(CallFilter::operation("Describe*").in_account(bank.id).in_region(off), answer);
    let ran = world.flowagg(["apply", "--yes"]).await.unwrap().exits(1);
    assert_data_eq!(messages(&world, &ran), expected);
    assert_eq!(logged(&world, "shop").await, 2);
    assert_eq!(logged_in(&world, bank, world.hub_region()).await, 1);
    assert_eq!(logged_in(&world, bank, off).await, 0);
    let policy = world.policy().await.unwrap().unwrap();
    assert!(policy.contains(&bank.id.to_string()), "{policy}");
    is_settled_by_the_next_run(&world, &faults).await;
}

#[tokio::test]
async fn region_without_opt_in_is_reported_and_others_complete() {
    let message = "You are not subscribed to this service. Please go to http://aws.amazon.com to subscribe.";
    let off = Answer::error(403, "OptInRequired", message);
    a_region_of_the_bank_fails(off, str![[r#"
error: 333333333333 (bank) us-east-1: Describe[..]: OptInRequired: You are not subscribed to this service. Please go to http://aws.amazon.com to subscribe.
       enable us-east-1 in 333333333333, or remove it from the member's `regions`; `aws account list-regions` shows which regions are enabled
"#]]).await;
}

#[tokio::test]
async fn region_that_rejects_credentials_is_reported_and_others_complete() {
    let message = "AWS was not able to validate the provided access credentials";
    let off = Answer::error(401, "AuthFailure", message);
    a_region_of_the_bank_fails(off, str![[r#"
error: 333333333333 (bank) us-east-1: Describe[..]: AuthFailure: AWS was not able to validate the provided access credentials
       AWS rejected the credentials in us-east-1: check them with `aws sts get-caller-identity`, and check with `aws account list-regions` that us-east-1 is enabled
"#]]).await;
}

#[tokio::test]
async fn unsuccessful_vpc_is_reported_and_others_get_a_flow_log() {
    let (mut world, faults) = faulty(["shop"]).await;
    world.member("bank", 3).await.unwrap();
    let bank = &world.accounts()["bank"];
    let vpc = bank.vpcs[world.hub_region()][1].as_str();
    faults.on(
        CallFilter::operation("CreateFlowLogs").in_account(bank.id).in_region(world.hub_region()),
        Answer::Unsuccessful {
            resource: vpc.to_owned(),
            code: "400".to_owned(),
            message: format!("LogDestination: {} is undeliverable", world.bucket()),
        },
    );
    let ran = world.flowagg(["apply", "--yes"]).await.unwrap().exits(1);
    assert_data_eq!(
        messages(&world, &ran),
        str![[r#"
error: 333333333333 (bank) eu-west-1: vpc-0123456789abcdef0: CreateFlowLogs: 400: LogDestination: acme-flow-logs is undeliverable
       the bucket's KMS key cannot be used: use a customer managed key, specified by its ARN, with a policy that allows delivery; `flowagg doctor` checks the key
"#]]
    );
    assert_eq!((logged(&world, "shop").await, logged(&world, "bank").await), (2, 5));
    let without = world.flow_logs(bank.id, world.hub_region()).await.unwrap();
    assert!(without.iter().all(|log| log.resource_id() != Some(vpc)), "{without:?}");
    is_settled_by_the_next_run(&world, &faults).await;
}

#[tokio::test]
async fn bucket_deleted_during_a_run_is_reported_and_recreated_by_the_next() {
    let (mut world, faults) = faulty(["shop"]).await;
    apply(&world).await;
    world.member("bank", 1).await.unwrap();
    let (s3, bucket) = (world.s3(), world.bucket().to_string());
    let gone = Answer::meanwhile(move || {
        let delete = s3.delete_bucket().bucket(&bucket).send();
        async move { drop(delete.await.unwrap()) }
    });
    let bank = &world.accounts()["bank"];
    let here = CallFilter::operation("CreateFlowLogs").in_account(bank.id).in_region(world.hub_region());
    faults.on(here, gone);
    let ran = world.flowagg(["apply", "--yes"]).await.unwrap().exits(1);
    // The flow log of the other region may or may not be created before the bucket is deleted.
    let messages = messages(&world, &ran);
    let here = messages
        .lines()
        .skip_while(|line| !line.starts_with("error: 333333333333 (bank) eu-west-1: "))
        .take(2);
    assert_data_eq!(
        here.collect::<Vec<_>>().join("\n"),
        str![[r#"
error: 333333333333 (bank) eu-west-1: vpc-0123456789abcdef0: CreateFlowLogs: 400: LogDestination: acme-flow-logs does not exist
       the bucket does not exist: run `flowagg plan` to see what is missing
"#]]
    );
    assert_eq!(logged_in(&world, bank, world.hub_region()).await, 0);
    assert_eq!(logged(&world, "shop").await, 2);
    is_settled_by_the_next_run(&world, &faults).await;
}

#[tokio::test]
async fn reset_connection_is_retried() {
    let (world, faults) = faulty(["shop", "bank"]).await;
    for operation in ["AssumeRole", "DescribeFlowLogs", "PutBucketPolicy", "CreateFlowLogs"] {
        faults.on(CallFilter::operation(operation).first(1), Answer::Reset);
    }
    apply(&world).await;
    assert_eq!(faults.count(&CallFilter::operation("CreateFlowLogs")), 5);
    is_settled(&world).await;
}

#[tokio::test]
async fn write_with_a_lost_response_is_not_repeated() {
    let (world, faults) = faulty(["shop", "bank"]).await;
    for operation in ["PutBucketLifecycleConfiguration", "PutBucketPolicy", "CreateFlowLogs"] {
        faults.on(CallFilter::operation(operation).first(1), Answer::Lost);
    }
    faults.on(CallFilter::operation("DescribeVpcs").first(1), Answer::Late(Duration::from_millis(200)));
    apply(&world).await;
    assert_eq!(faults.count(&CallFilter::operation("CreateFlowLogs")), 5);
    is_settled(&world).await;
}

#[tokio::test]
async fn account_with_constant_resets_is_reported_and_others_complete() {
    flow_logs_of_the_bank_fail(&[], Answer::Reset, str![[r#"
error: 333333333333 (bank) eu-west-1: vpc-0123456789abcdef0: CreateFlowLogs: request failed: Connection reset by peer (os error 104)
       check the network, the region name, and the endpoint (`--endpoint-url`, AWS_ENDPOINT_URL) if one is set
error: 333333333333 (bank) us-east-1: vpc-0123456789abcdef1: CreateFlowLogs: request failed: Connection reset by peer (os error 104)
       check the network, the region name, and the endpoint (`--endpoint-url`, AWS_ENDPOINT_URL) if one is set
"#]]).await;
}

#[tokio::test]
async fn hanging_call_times_out_and_is_retried() {
    let (world, faults) = faulty(["shop", "bank"]).await;
    faults.on(CallFilter::operation("CreateFlowLogs").first(1), Answer::Frozen(Freeze::After));
    faults.on(CallFilter::operation("DescribeVpcs").first(1), Answer::Frozen(Freeze::Before));
    world.flowagg(["apply", "--yes", "--call-timeout", "2s"]).await.unwrap().exits(0);
    is_settled(&world).await;
}

#[tokio::test]
async fn unresponsive_account_is_reported_and_others_complete() {
    let hangs = Answer::Frozen(Freeze::Before);
    flow_logs_of_the_bank_fail(
        &["--call-timeout", "2s"],
        hangs,
        str![[r#"
error: 333333333333 (bank) eu-west-1: vpc-0123456789abcdef0: CreateFlowLogs: the call timed out
       the network or AWS is slow: run the command again, or increase `--call-timeout`; completed changes are kept
error: 333333333333 (bank) us-east-1: vpc-0123456789abcdef1: CreateFlowLogs: the call timed out
       the network or AWS is slow: run the command again, or increase `--call-timeout`; completed changes are kept
"#]],
    )
    .await;
}
