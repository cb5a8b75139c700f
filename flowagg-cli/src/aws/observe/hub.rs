//! The hub bucket: whether it is there, is ours and lies where the fleet file says, and how it is set.

use std::collections::BTreeSet;

use aws_sdk_s3::Client;
use aws_sdk_s3::types;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use flowagg_core::failure::Failure;
use flowagg_core::fleet::Hub;
use flowagg_core::id::{BucketName, FleetName, Region};
use flowagg_core::layout;
use flowagg_core::lifecycle::{Lifecycle, Transition};
use flowagg_core::observed::{Bucket, BucketEncryption, LifecycleRule, LogFolders, PublicAccessBlock};

use super::usage;
use crate::aws::Account;
use crate::aws::call::*;
use crate::aws::complete::{Incomplete, Pages};
use crate::aws::failure::At;

/// Reads the hub bucket. `fleet` is the name of the fleet, which its lifecycle rule carries.
pub(super) async fn read(hub: &Hub, fleet: &FleetName, account: &Account) -> Result<Option<Bucket>, Failure> {
    let s3 = account.s3(&hub.region);
    let at = At::new(hub.account, &hub.region).about(&hub.bucket);
    read_with(&s3, hub, fleet, &at).await
}

/// Every call must succeed, except those that read how the bucket is used.
pub(super) async fn read_with(
    s3: &Client,
    hub: &Hub,
    fleet: &FleetName,
    at: &At,
) -> Result<Option<Bucket>, Failure> {
    if !exists(s3, hub, at).await? {
        return Ok(None);
    }
    let settings = async {
        futures::try_join!(
            encryption(s3, hub, at),
            lifecycle_rules(s3, hub, at),
            public_access_block(s3, hub, at),
            ownership(s3, hub, at),
            policy(s3, hub, at),
        )
    };
    let (settings, usage) = futures::join!(settings, usage::read(s3, hub, at));
    let (encryption, rules, public_access_block, ownership, policy) = settings?;
    let root = layout::root(hub.prefix.as_ref());
    let own = LifecycleRule::id(fleet, &root);
    let (ours, others): (Vec<_>, Vec<_>) = rules.iter().partition(|rule| rule.id() == Some(&own));
    let lifecycle = ours.first().and_then(|rule| our_rule(rule));
    let other_rules = others.iter().map(|rule| rule.id().unwrap_or_default().to_owned()).collect();
    // A rule of ours that reaches as far as the wanted one shows that this question was asked before.
    let asked = lifecycle.as_ref().is_some_and(|rule| rule.under == root);
    let other_logs = if asked { BTreeSet::new() } else { other_logs(s3, hub, at).await? };
    Ok(Some(Bucket {
        encryption,
        lifecycle,
        other_rules,
        public_access_block,
        ownership,
        policy,
        other_logs,
        usage,
        log_folders: LogFolders::NotListed,
    }))
}

async fn exists(s3: &Client, hub: &Hub, at: &At) -> Result<bool, Failure> {
    let owner = hub.account.to_string();
    let answer = s3.head_bucket().bucket(hub.bucket.as_str()).expected_bucket_owner(owner).send().await;
    let found = match answer {
        Ok(found) => found.bucket_region().map(str::to_owned),
        Err(error) => match status(&error) {
            Some(404) => return Ok(false),
            Some(403) => {
                let failure = at.failure(HEAD_BUCKET, &error);
                return Err(Failure {
                    message: format!("the bucket exists, but {} may not look at it", hub.account),
                    ..failure
                });
            }
            Some(301) => told(&error).or(Some("another region".to_owned())),
            _ => return Err(at.failure(HEAD_BUCKET, &error)),
        },
    };
    match found {
        Some(region) if region != hub.region.as_str() => Err(at.failed(
            HEAD_BUCKET,
            None,
            format!("the bucket is in {region}, the fleet file says {}", hub.region),
            "correct `hub.region`, or choose another `hub.bucket`",
        )),
        _ => Ok(true),
    }
}

/// Where a bucket lies that belongs to this account.
pub(crate) async fn locate(account: &Account, bucket: &BucketName) -> Result<Region, Failure> {
    let home = account.home();
    let at = At::new(account.id, &home).about(bucket);
    let owner = account.id.to_string();
    let answer = account.s3(&home).head_bucket().bucket(bucket.as_str()).expected_bucket_owner(owner).send();
    let region = match answer.await {
        Ok(found) => found.bucket_region().map(str::to_owned),
        Err(error) => match (status(&error), told(&error)) {
            (Some(301), Some(region)) => Some(region),
            _ => return Err(at.failure(HEAD_BUCKET, &error)),
        },
    };
    let region = region.map_or(Ok(home), |region| Region::parse(&region));
    region.map_err(|error| at.failed(HEAD_BUCKET, None, error.to_string(), error.help()))
}

/// The region that a refusal names.
fn told<E>(error: &SdkError<E, HttpResponse>) -> Option<String> {
    error.raw_response()?.headers().get("x-amz-bucket-region").map(str::to_owned)
}

fn status<E>(error: &SdkError<E, HttpResponse>) -> Option<u16> {
    error.raw_response().map(|raw| raw.status().as_u16())
}

/// An answer, or `None` where S3 says under one of these codes that there is none.
pub(super) fn unless_none<T, E>(
    answer: Result<T, SdkError<E, HttpResponse>>,
    none: &str,
    at: &At,
    call: Call,
) -> Result<Option<T>, Failure>
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.as_service_error().and_then(|e| e.code()) == Some(none) => Ok(None),
        Err(error) => Err(at.failure(call, &error)),
    }
}

/// The bucket's default encryption.
pub(crate) async fn encryption(s3: &Client, hub: &Hub, at: &At) -> Result<Option<BucketEncryption>, Failure> {
    let rules = encryption_rules(s3, hub, at).await?;
    Ok(rules.first().and_then(encryption_of))
}

/// The rules of the bucket's encryption, as S3 returns them: one with the default, or none.
pub(crate) async fn encryption_rules(
    s3: &Client,
    hub: &Hub,
    at: &At,
) -> Result<Vec<types::ServerSideEncryptionRule>, Failure> {
    let request =
        s3.get_bucket_encryption().bucket(hub.bucket.as_str()).expected_bucket_owner(hub.account.to_string());
    let none = "ServerSideEncryptionConfigurationNotFoundError";
    let answer = unless_none(request.send().await, none, at, GET_ENCRYPTION)?;
    let configuration = answer.and_then(|answer| answer.server_side_encryption_configuration);
    Ok(configuration.map(|it| it.rules).unwrap_or_default())
}

/// A rule may have no default, and only block kinds of encryption.
pub(super) fn encryption_of(rule: &types::ServerSideEncryptionRule) -> Option<BucketEncryption> {
    let default = rule.apply_server_side_encryption_by_default()?;
    Some(BucketEncryption {
        algorithm: default.sse_algorithm().as_str().to_owned(),
        key: default.kms_master_key_id().map(str::to_owned).filter(|key| !is_aws_managed(key)),
        bucket_key: rule.bucket_key_enabled().unwrap_or(false),
    })
}

/// Whether it is the alias of the AWS managed key of S3, or the alias's ARN.
fn is_aws_managed(key: &str) -> bool {
    key == "alias/aws/s3" || key.ends_with(":alias/aws/s3")
}

/// The bucket's lifecycle rules, ours among them.
pub(crate) async fn lifecycle_rules(
    s3: &Client,
    hub: &Hub,
    at: &At,
) -> Result<Vec<types::LifecycleRule>, Failure> {
    let request = s3.get_bucket_lifecycle_configuration().bucket(hub.bucket.as_str());
    let answer = request.expected_bucket_owner(hub.account.to_string()).send().await;
    let answer = unless_none(answer, "NoSuchLifecycleConfiguration", at, GET_LIFECYCLE)?;
    Ok(answer.and_then(|answer| answer.rules).unwrap_or_default())
}

/// Our rule, where it is on and says no more than such a rule can.
fn our_rule(rule: &types::LifecycleRule) -> Option<LifecycleRule> {
    if rule.status().as_str() != "Enabled" {
        return None;
    }
    let transition = match rule.transitions() {
        [] => None,
        [one] => Some(Transition {
            days: one.days()?.unsigned_abs(),
            storage_class: one.storage_class()?.as_str().to_owned(),
        }),
        _ => return None,
    };
    let noncurrent = rule.noncurrent_version_expiration().and_then(|it| it.noncurrent_days());
    let abort = rule.abort_incomplete_multipart_upload().and_then(|it| it.days_after_initiation());
    let lifecycle = Lifecycle {
        retention_days: rule.expiration()?.days()?.unsigned_abs(),
        transition,
        noncurrent_days: noncurrent.map(i32::unsigned_abs),
        abort_uploads_days: abort.map(i32::unsigned_abs),
    };
    Some(LifecycleRule { under: rule.filter()?.prefix()?.to_owned(), lifecycle })
}

/// The bucket's public access block. Without one, every switch is off.
pub(crate) async fn public_access_block(
    s3: &Client,
    hub: &Hub,
    at: &At,
) -> Result<PublicAccessBlock, Failure> {
    let request = s3
        .get_public_access_block()
        .bucket(hub.bucket.as_str())
        .expected_bucket_owner(hub.account.to_string());
    let none = "NoSuchPublicAccessBlockConfiguration";
    let answer = unless_none(request.send().await, none, at, GET_PUBLIC_ACCESS_BLOCK)?;
    Ok(block_of(answer.as_ref().and_then(|answer| answer.public_access_block_configuration())))
}

pub(super) fn block_of(block: Option<&types::PublicAccessBlockConfiguration>) -> PublicAccessBlock {
    block.map_or_else(PublicAccessBlock::default, |block| PublicAccessBlock {
        block_acls: block.block_public_acls().unwrap_or(false),
        ignore_acls: block.ignore_public_acls().unwrap_or(false),
        block_policy: block.block_public_policy().unwrap_or(false),
        restrict_buckets: block.restrict_public_buckets().unwrap_or(false),
    })
}

async fn ownership(s3: &Client, hub: &Hub, at: &At) -> Result<Option<String>, Failure> {
    let request = s3.get_bucket_ownership_controls().bucket(hub.bucket.as_str());
    let answer = request.expected_bucket_owner(hub.account.to_string()).send().await;
    let answer = unless_none(answer, "OwnershipControlsNotFoundError", at, GET_OWNERSHIP)?;
    let rule = answer.as_ref().and_then(|answer| answer.ownership_controls()?.rules().first());
    Ok(rule.map(|rule| rule.object_ownership().as_str().to_owned()))
}

/// The bucket's policy, as S3 returns it.
pub(crate) async fn policy(s3: &Client, hub: &Hub, at: &At) -> Result<Option<String>, Failure> {
    let request =
        s3.get_bucket_policy().bucket(hub.bucket.as_str()).expected_bucket_owner(hub.account.to_string());
    let Some(answer) = unless_none(request.send().await, "NoSuchBucketPolicy", at, GET_POLICY)? else {
        return Ok(None);
    };
    let policy = answer.policy.filter(|policy| !policy.trim().is_empty());
    policy.map(Some).ok_or_else(|| at.incomplete(GET_POLICY, &Incomplete::Empty))
}

/// Folders of other log services under the accounts' folders: one call, and one for each account that has a folder.
async fn other_logs(s3: &Client, hub: &Hub, at: &At) -> Result<BTreeSet<String>, Failure> {
    let mut others = BTreeSet::new();
    for account in folders(s3, hub, &layout::root(hub.prefix.as_ref()), at).await? {
        let below = folders(s3, hub, &account, at).await?;
        let of_others = |folder: &String| !last_segment(folder).is_some_and(layout::is_of_flow_logs);
        others.extend(below.into_iter().filter(of_others));
    }
    Ok(others)
}

/// The folders right under a prefix, whole.
pub(crate) async fn folders(s3: &Client, hub: &Hub, under: &str, at: &At) -> Result<Vec<String>, Failure> {
    // A folder that is on two pages is one folder.
    let mut folders = BTreeSet::new();
    let mut turned = Pages::default();
    let request =
        s3.list_objects_v2().bucket(hub.bucket.as_str()).expected_bucket_owner(hub.account.to_string());
    let mut pages = request.prefix(under).delimiter("/").into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| at.failure(LIST_OBJECTS, &error))?;
        let turned = turned.turn(page.next_continuation_token(), page.is_truncated());
        turned.map_err(|why| at.incomplete(LIST_OBJECTS, &why))?;
        folders.extend(page.common_prefixes().iter().filter_map(|folder| folder.prefix().map(str::to_owned)));
    }
    Ok(folders.into_iter().collect())
}

/// The name of a folder.
pub(crate) fn last_segment(folder: &str) -> Option<&str> {
    folder.strip_suffix('/')?.rsplit('/').next()
}
