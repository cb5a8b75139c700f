use std::sync::{Arc, Mutex};

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::create_bucket::{CreateBucketError, CreateBucketOutput};
use aws_sdk_s3::operation::get_bucket_encryption::{GetBucketEncryptionError, GetBucketEncryptionOutput};
use aws_sdk_s3::operation::get_public_access_block::GetPublicAccessBlockOutput;
use aws_sdk_s3::operation::put_bucket_encryption::PutBucketEncryptionOutput;
use aws_sdk_s3::operation::put_public_access_block::PutPublicAccessBlockOutput;
use aws_sdk_s3::types::error::{BucketAlreadyExists, BucketAlreadyOwnedByYou};
use aws_sdk_s3::types::{BlockedEncryptionTypes, EncryptionType};
use aws_smithy_mocks::{Rule as MockRule, mock};
use flowagg_core::plan::Unnamed;
use flowagg_policy::plan::plan;
use snapbox::{assert_data_eq, str};

use super::*;
use crate::aws::failure::At;
use crate::aws::mocked;

async fn run(changes: &[HubChange], rules: &[&MockRule]) -> (bool, Applied) {
    let fleet = mocked::fleet();
    let at = At::new(fleet.hub.place()).about(&fleet.hub.bucket);
    let observed = mocked::observed(None);
    let plan = plan(&fleet, &observed, Unnamed::Keep);
    let bucket = Bucket { s3: mocked::s3(rules), fleet: &fleet, at, observed: &observed, plan: &plan };
    let mut applied = Applied::default();
    let ready = bucket.apply_all(changes, &(), &mut applied).await;
    (ready, applied)
}

#[tokio::test]
async fn bucket_name_taken_by_another_account_stops_later_changes() {
    let taken = mock!(Client::create_bucket)
        .then_error(|| CreateBucketError::BucketAlreadyExists(BucketAlreadyExists::builder().build()));
    let region = mocked::fleet().hub.region;
    let changes =
        [HubChange::CreateBucket { region }, HubChange::BlockPublicAccess { off: vec![], compared: None }];
    let (ready, applied) = run(&changes, &[&taken]).await;
    assert!(!ready && applied.done.is_empty());
    assert_eq!((applied.failures.len(), applied.held_back.len()), (1, 1));
}

#[tokio::test]
async fn bucket_created_after_planning_is_not_changed() {
    let ours = mock!(Client::create_bucket).then_error(|| {
        let meta = aws_smithy_types::error::ErrorMetadata::builder().code("BucketAlreadyOwnedByYou").build();
        CreateBucketError::BucketAlreadyOwnedByYou(BucketAlreadyOwnedByYou::builder().meta(meta).build())
    });
    let region = mocked::fleet().hub.region;
    let changes =
        [HubChange::CreateBucket { region }, HubChange::BlockPublicAccess { off: vec![], compared: None }];
    let (ready, applied) = run(&changes, &[&ours]).await;
    assert!(!ready && applied.done.is_empty(), "{applied:?}");
    assert_eq!((applied.failures.len(), applied.held_back.len()), (1, 1));
    assert_data_eq!(
        &applied.failures[0].message,
        str![[
            r#"the bucket exists in this account: it was created after the plan was made, or by a call whose response was lost"#
        ]]
    );
}

#[tokio::test]
async fn location_constraint_is_sent_except_in_us_east_1() {
    for (region, named) in [("us-east-1", false), ("eu-west-1", true)] {
        let made = mock!(Client::create_bucket)
            .match_requests(move |request| request.create_bucket_configuration().is_some() == named)
            .then_output(|| CreateBucketOutput::builder().build());
        let (ready, _) =
            run(&[HubChange::CreateBucket { region: Region::parse(region).unwrap() }], &[&made]).await;
        assert!(ready, "{region}");
    }
}

fn encryption(answer: ServerSideEncryptionRule) -> MockRule {
    mock!(Client::get_bucket_encryption).then_output(move || {
        let configuration = ServerSideEncryptionConfiguration::builder().rules(answer.clone()).build();
        GetBucketEncryptionOutput::builder()
            .server_side_encryption_configuration(configuration.unwrap())
            .build()
    })
}

/// Sets the encryption of a bucket with this rule; returns the rule that is written.
async fn encrypted(found: ServerSideEncryptionRule, with: Encryption) -> ServerSideEncryptionRule {
    let written = Arc::new(Mutex::new(vec![]));
    let seen = written.clone();
    let put = mock!(Client::put_bucket_encryption).then_compute_output(move |request| {
        let configuration = request.server_side_encryption_configuration();
        *seen.lock().unwrap() = configuration.unwrap().rules().to_vec();
        PutBucketEncryptionOutput::builder().build()
    });
    let change = HubChange::Encrypt { was: None, with, compared: None };
    let (_, applied) = run(&[change], &[&encryption(found), &put]).await;
    assert!(applied.failures.is_empty(), "{applied:?}");
    let written = written.lock().unwrap();
    assert_eq!(written.len(), 1);
    written[0].clone()
}

fn blocked() -> BlockedEncryptionTypes {
    BlockedEncryptionTypes::builder().encryption_type(EncryptionType::SseC).build()
}

fn default(algorithm: ServerSideEncryption, key: Option<&str>) -> ServerSideEncryptionByDefault {
    let default = ServerSideEncryptionByDefault::builder().sse_algorithm(algorithm);
    default.set_kms_master_key_id(key.map(str::to_owned)).build().unwrap()
}

const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd";

#[tokio::test]
async fn blocked_encryption_types_are_preserved() {
    let found = ServerSideEncryptionRule::builder()
        .apply_server_side_encryption_by_default(default(ServerSideEncryption::Aes256, None))
        .bucket_key_enabled(true)
        .blocked_encryption_types(blocked())
        .build();
    let written = encrypted(found.clone(), Encryption::SseS3).await;
    assert_eq!(written, found, "the rest of the rule is kept");

    let with = Encryption::SseKms { key: KEY.parse().unwrap(), bucket_key: false };
    let written = encrypted(found, with).await;
    assert_eq!(written.blocked_encryption_types(), Some(&blocked()));
    assert_eq!(written.bucket_key_enabled(), Some(false));
    let set = default(ServerSideEncryption::AwsKms, Some(KEY));
    assert_eq!(written.apply_server_side_encryption_by_default(), Some(&set));
}

#[tokio::test]
async fn dual_layer_encryption_is_preserved_with_another_key() {
    let found = ServerSideEncryptionRule::builder()
        .apply_server_side_encryption_by_default(default(ServerSideEncryption::AwsKmsDsse, Some("1234abcd")))
        .build();
    let written = encrypted(found, Encryption::SseKms { key: KEY.parse().unwrap(), bucket_key: true }).await;
    let set = default(ServerSideEncryption::AwsKmsDsse, Some(KEY));
    assert_eq!(written.apply_server_side_encryption_by_default(), Some(&set));
    assert_eq!(written.bucket_key_enabled(), None);
}

#[tokio::test]
async fn unreadable_encryption_is_not_overwritten() {
    let denied = mock!(Client::get_bucket_encryption).then_error(|| {
        let denied = aws_smithy_types::error::ErrorMetadata::builder().code("AccessDenied").build();
        GetBucketEncryptionError::generic(denied)
    });
    let put =
        mock!(Client::put_bucket_encryption).then_output(|| PutBucketEncryptionOutput::builder().build());
    let change = HubChange::Encrypt { was: None, with: Encryption::SseS3, compared: None };
    let (_, applied) = run(&[change], &[&denied, &put]).await;
    assert_eq!((applied.failures.len(), put.num_calls()), (1, 0), "{applied:?}");
}

#[tokio::test]
async fn other_switches_keep_their_current_value() {
    for restricted in [true, false] {
        let found = mock!(Client::get_public_access_block).then_output(move || {
            let block = PublicAccessBlockConfiguration::builder().restrict_public_buckets(restricted).build();
            GetPublicAccessBlockOutput::builder().public_access_block_configuration(block).build()
        });
        let put = mock!(Client::put_public_access_block)
            .match_requests(move |request| {
                let block = request.public_access_block_configuration().unwrap();
                let acls = (block.block_public_acls(), block.ignore_public_acls());
                let policy = (block.block_public_policy(), block.restrict_public_buckets());
                acls == (Some(true), Some(true)) && policy == (Some(false), Some(restricted))
            })
            .then_output(|| PutPublicAccessBlockOutput::builder().build());
        let off = vec![Switch::BlockPublicAcls, Switch::IgnorePublicAcls];
        let change = HubChange::BlockPublicAccess { off, compared: None };
        let (_, applied) = run(&[change], &[&found, &put]).await;
        assert!(applied.failures.is_empty() && put.num_calls() == 1, "{applied:?}");
        let done = applied.done[0].to_string();
        assert_eq!(done, "acme-logs: turned on BlockPublicAcls, IgnorePublicAcls");
    }
}
