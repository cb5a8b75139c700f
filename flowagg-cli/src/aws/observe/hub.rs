//! The hub bucket: existence, owner, region and settings.

use std::collections::BTreeSet;

use aws_sdk_s3::Client;
use aws_sdk_s3::types;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use flowagg_core::failure::Failure;
use flowagg_core::fleet::Hub;
use flowagg_core::id::{AccountId, BucketName, Place, Region};
use flowagg_core::observed::{Bucket, BucketEncryption, PublicAccessBlock};

use super::{contents, lifecycle, usage};
use crate::aws::Account;
use crate::aws::call::*;
use crate::aws::complete::{Incomplete, Pages};
use crate::aws::failure::At;

pub(super) async fn read(hub: &Hub, account: &Account) -> Result<Option<Bucket>, Failure> {
    let s3 = account.s3(&hub.region);
    let at = At::new(hub.place()).about(&hub.bucket);
    read_with(&s3, hub, &at).await
}

/// Every call must succeed, except the reads of usage and contents.
pub(super) async fn read_with(s3: &Client, hub: &Hub, at: &At) -> Result<Option<Bucket>, Failure> {
    if !exists(s3, hub, at).await? {
        return Ok(None);
    }
    let settings = async {
        futures::try_join!(
            encryption(s3, hub, at),
            lifecycle(s3, hub, at),
            public_access_block(s3, hub, at),
            ownership(s3, hub, at),
            policy(s3, hub, at),
        )
    };
    let (settings, usage, contents) =
        futures::join!(settings, usage::read(s3, hub, at), contents::contents(s3, hub, at));
    let (encryption, lifecycle, public_access_block, ownership, policy) = settings?;
    let mut bucket = Bucket::default();
    bucket.encryption = encryption;
    bucket.lifecycle = lifecycle;
    bucket.public_access_block = public_access_block;
    bucket.ownership = ownership;
    bucket.policy = policy;
    bucket.contents = contents;
    bucket.usage = usage;
    Ok(Some(bucket))
}

async fn exists(s3: &Client, hub: &Hub, at: &At) -> Result<bool, Failure> {
    let owner = hub.account.to_string();
    let answer = s3.head_bucket().bucket(hub.bucket.as_str()).expected_bucket_owner(owner).send().await;
    let found = match answer {
        Ok(found) => found.bucket_region().map(str::to_owned),
        Err(error) => match (status(&error), bucket_region(&error)) {
            (Some(404), _) => return Ok(false),
            (Some(403), _) => {
                let mut failure = at.failure(HEAD_BUCKET, &error);
                failure.message = format!("the bucket exists, but access is denied to {}", hub.account);
                return Err(failure);
            }
            (Some(301), region) => region.or(Some("another region".to_owned())),
            // S3 returns these statuses if the signature is for another region, but also for other reasons.
            (Some(307 | 400), Some(region)) if region != hub.region.as_str() => Some(region),
            _ => return Err(at.failure(HEAD_BUCKET, &error)),
        },
    };
    match found {
        Some(region) if region != hub.region.as_str() => Err(at.failed(
            HEAD_BUCKET,
            None,
            format!("the bucket is in {region}, but the fleet file names {}", hub.region),
            "correct `hub.region`, or choose another `hub.bucket`",
        )),
        _ => Ok(true),
    }
}

/// The region of a bucket. Fails if `owner` is given and another account owns the bucket.
pub(crate) async fn locate(
    account: &Account,
    bucket: &BucketName,
    owner: Option<AccountId>,
) -> Result<Region, Failure> {
    let home = account.home();
    let at = At::new(Place::new(account.id, &home)).about(bucket);
    let owner = owner.map(|owner| owner.to_string());
    let request = account.s3(&home).head_bucket().bucket(bucket.as_str()).set_expected_bucket_owner(owner);
    let region = match request.send().await {
        Ok(found) => found.bucket_region().map(str::to_owned),
        Err(error) => match (status(&error), bucket_region(&error)) {
            (Some(301), Some(region)) => Some(region),
            (Some(307 | 400), Some(region)) if region != home.as_str() => Some(region),
            _ => return Err(at.failure(HEAD_BUCKET, &error)),
        },
    };
    let region = region.map_or(Ok(home), |region| Region::parse(&region));
    region.map_err(|error| at.failed(HEAD_BUCKET, None, error.to_string(), error.help()))
}

/// The bucket's region in an S3 error.
fn bucket_region<E>(error: &SdkError<E, HttpResponse>) -> Option<String> {
    error.raw_response()?.headers().get("x-amz-bucket-region").map(str::to_owned)
}

/// The HTTP status of an S3 error; `None` if another server sent the response.
fn status<E>(error: &SdkError<E, HttpResponse>) -> Option<u16> {
    match error {
        SdkError::ServiceError(error) => Some(error.raw().status().as_u16()),
        _ => None,
    }
}

/// The response, or `None` if it is an error with the code `none`: the setting does not exist.
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

/// The bucket's encryption rules as S3 returns them: one, or none.
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

/// The default encryption of a rule; `None` if the rule only blocks encryption types.
pub(super) fn encryption_of(rule: &types::ServerSideEncryptionRule) -> Option<BucketEncryption> {
    let default = rule.apply_server_side_encryption_by_default()?;
    let mut encryption = BucketEncryption::new(default.sse_algorithm().as_str().to_owned());
    encryption.key = default.kms_master_key_id().map(str::to_owned).filter(|key| !is_aws_managed(key));
    encryption.bucket_key = rule.bucket_key_enabled().unwrap_or(false);
    Some(encryption)
}

/// Whether it is the alias of the AWS managed key for S3, or the alias ARN.
fn is_aws_managed(key: &str) -> bool {
    key == "alias/aws/s3" || key.ends_with(":alias/aws/s3")
}

/// The bucket's public access block. If it has none, all switches are off.
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
    block.map_or_else(PublicAccessBlock::default, |block| {
        let mut switches = PublicAccessBlock::default();
        switches.block_acls = block.block_public_acls().unwrap_or(false);
        switches.ignore_acls = block.ignore_public_acls().unwrap_or(false);
        switches.block_policy = block.block_public_policy().unwrap_or(false);
        switches.restrict_buckets = block.restrict_public_buckets().unwrap_or(false);
        switches
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

/// The complete prefixes of the folders directly under a prefix.
pub(crate) async fn folders(s3: &Client, hub: &Hub, under: &str, at: &At) -> Result<Vec<String>, Failure> {
    listing(s3, hub, under, at).await.map(|(folders, _)| folders.into_iter().collect())
}

/// The complete folder prefixes and keys directly under a prefix, without duplicates. Omits the key that equals the prefix, which
/// some tools create as a folder marker.
pub(super) async fn listing(
    s3: &Client,
    hub: &Hub,
    under: &str,
    at: &At,
) -> Result<(BTreeSet<String>, BTreeSet<String>), Failure> {
    let (mut folders, mut keys) = (BTreeSet::new(), BTreeSet::new());
    let mut turned = Pages::default();
    let request =
        s3.list_objects_v2().bucket(hub.bucket.as_str()).expected_bucket_owner(hub.account.to_string());
    let mut pages = request.prefix(under).delimiter("/").into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| at.failure(LIST_OBJECTS, &error))?;
        let turned = turned.turn(page.next_continuation_token(), page.is_truncated());
        turned.map_err(|why| at.incomplete(LIST_OBJECTS, &why))?;
        folders.extend(page.common_prefixes().iter().filter_map(|folder| folder.prefix().map(str::to_owned)));
        let below = page.contents().iter().filter_map(|object| object.key().map(str::to_owned));
        keys.extend(below.filter(|key| key != under));
    }
    Ok((folders, keys))
}

/// The name of a folder without its parents.
pub(crate) fn last_segment(folder: &str) -> Option<&str> {
    folder.strip_suffix('/')?.rsplit('/').next()
}
