//! Settings of the hub bucket that show how it is used. A failed read leaves its setting unknown; the others are still read.

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::get_bucket_acl::GetBucketAclOutput;
use aws_sdk_s3::operation::get_bucket_notification_configuration::GetBucketNotificationConfigurationOutput;
use aws_sdk_s3::types::{
    BucketVersioningStatus, DefaultRetention as RetentionRule, Grant, ObjectLockConfiguration,
    ObjectLockEnabled, Payer, Type,
};
use flowagg_core::acl::{Acl, AclGrant, Grantee};
use flowagg_core::failure::Failure;
use flowagg_core::fleet::Hub;
use flowagg_core::observed::{DefaultRetention, ObjectLock, Usage, Versioning};

use super::hub::unless_none;
use crate::aws::call::*;
use crate::aws::failure::At;

/// Reads all settings concurrently.
pub(super) async fn read(s3: &Client, hub: &Hub, at: &At) -> Usage {
    let (public_policy, acl, versioning, object_lock, replication, requester_pays, notifications) = futures::join!(
        public_policy(s3, hub, at),
        acl(s3, hub, at),
        versioning(s3, hub, at),
        object_lock(s3, hub, at),
        replication(s3, hub, at),
        requester_pays(s3, hub, at),
        notifications(s3, hub, at),
    );
    let mut usage = Usage::default();
    usage.public_policy = public_policy;
    usage.acl = acl;
    usage.versioning = versioning;
    usage.object_lock = object_lock;
    usage.replication = replication;
    usage.requester_pays = requester_pays;
    usage.notifications = notifications;
    usage
}

async fn public_policy(s3: &Client, hub: &Hub, at: &At) -> Result<bool, Failure> {
    let request = s3.get_bucket_policy_status().bucket(hub.bucket.as_str());
    let answer = request.expected_bucket_owner(hub.account.to_string()).send().await;
    let Some(answer) = unless_none(answer, "NoSuchBucketPolicy", at, GET_POLICY_STATUS)? else {
        return Ok(false);
    };
    let is_public = answer.policy_status().and_then(|status| status.is_public());
    is_public.ok_or_else(|| unclear(at, GET_POLICY_STATUS))
}

async fn acl(s3: &Client, hub: &Hub, at: &At) -> Result<Acl, Failure> {
    let request = s3.get_bucket_acl().bucket(hub.bucket.as_str());
    let answer = request.expected_bucket_owner(hub.account.to_string()).send().await;
    answer.map(|answer| acl_of(&answer)).map_err(|error| at.failure(GET_ACL, &error))
}

/// The grants to grantees other than the owner; all grants if S3 does not return the owner.
fn acl_of(answer: &GetBucketAclOutput) -> Acl {
    let owner = answer.owner().and_then(|owner| owner.id());
    let is_foreign = |grant: &&Grant| {
        let user = grant.grantee().and_then(|grantee| grantee.id());
        user.is_none() || user != owner
    };
    answer.grants().iter().filter(is_foreign).map(grant_of).collect()
}

fn grant_of(grant: &Grant) -> AclGrant {
    let grantee = match grant.grantee().map(|it| (it.r#type(), it.uri(), it.id(), it.email_address())) {
        Some((Type::Group, Some(uri), ..)) => Grantee::from_group_uri(uri),
        Some((Type::CanonicalUser, _, Some(id), _)) => Grantee::from_canonical_id(id),
        Some((kind, uri, id, email)) => {
            Grantee::Other(uri.or(id).or(email).unwrap_or(kind.as_str()).to_owned())
        }
        None => Grantee::Other("an unnamed grantee".to_owned()),
    };
    let permission = grant.permission().map_or("an unknown permission", |it| it.as_str()).to_owned();
    AclGrant::new(grantee, permission)
}

async fn versioning(s3: &Client, hub: &Hub, at: &At) -> Result<Versioning, Failure> {
    let request = s3.get_bucket_versioning().bucket(hub.bucket.as_str());
    let answer = request.expected_bucket_owner(hub.account.to_string()).send().await;
    let answer = answer.map_err(|error| at.failure(GET_VERSIONING, &error))?;
    versioning_of(answer.status()).ok_or_else(|| unclear(at, GET_VERSIONING))
}

/// The status is missing if versioning was never enabled. `None` if it is unknown.
fn versioning_of(status: Option<&BucketVersioningStatus>) -> Option<Versioning> {
    match status {
        None => Some(Versioning::Off),
        Some(BucketVersioningStatus::Enabled) => Some(Versioning::Enabled),
        Some(BucketVersioningStatus::Suspended) => Some(Versioning::Suspended),
        Some(_) => None,
    }
}

async fn object_lock(s3: &Client, hub: &Hub, at: &At) -> Result<Option<ObjectLock>, Failure> {
    let request = s3.get_object_lock_configuration().bucket(hub.bucket.as_str());
    let answer = request.expected_bucket_owner(hub.account.to_string()).send().await;
    let answer = unless_none(answer, "ObjectLockConfigurationNotFoundError", at, GET_OBJECT_LOCK)?;
    Ok(answer.as_ref().and_then(|answer| object_lock_of(answer.object_lock_configuration()?)))
}

fn object_lock_of(lock: &ObjectLockConfiguration) -> Option<ObjectLock> {
    if lock.object_lock_enabled() != Some(&ObjectLockEnabled::Enabled) {
        return None;
    }
    let retention = lock.rule().and_then(|rule| retention_of(rule.default_retention()?));
    Some(ObjectLock::new(retention))
}

fn retention_of(default: &RetentionRule) -> Option<DefaultRetention> {
    let (number, unit) = default.days().map(|days| (days, "day")).or(default.years().map(|n| (n, "year")))?;
    let plural = if number == 1 { "" } else { "s" };
    let mode = default.mode().map_or("mode unknown", |mode| mode.as_str()).to_owned();
    Some(DefaultRetention::new(mode, format!("{number} {unit}{plural}")))
}

async fn replication(s3: &Client, hub: &Hub, at: &At) -> Result<bool, Failure> {
    let request = s3.get_bucket_replication().bucket(hub.bucket.as_str());
    let answer = request.expected_bucket_owner(hub.account.to_string()).send().await;
    let answer = unless_none(answer, "ReplicationConfigurationNotFoundError", at, GET_REPLICATION)?;
    let rules = answer.as_ref().and_then(|answer| Some(answer.replication_configuration()?.rules()));
    Ok(rules.is_some_and(|rules| !rules.is_empty()))
}

async fn requester_pays(s3: &Client, hub: &Hub, at: &At) -> Result<bool, Failure> {
    let request = s3.get_bucket_request_payment().bucket(hub.bucket.as_str());
    let answer = request.expected_bucket_owner(hub.account.to_string()).send().await;
    let answer = answer.map_err(|error| at.failure(GET_REQUEST_PAYMENT, &error))?;
    match answer.payer() {
        Some(Payer::Requester) => Ok(true),
        Some(Payer::BucketOwner) => Ok(false),
        _ => Err(unclear(at, GET_REQUEST_PAYMENT)),
    }
}

async fn notifications(s3: &Client, hub: &Hub, at: &At) -> Result<bool, Failure> {
    let request = s3.get_bucket_notification_configuration().bucket(hub.bucket.as_str());
    let answer = request.expected_bucket_owner(hub.account.to_string()).send().await;
    answer.map(|answer| notifies(&answer)).map_err(|error| at.failure(GET_NOTIFICATION, &error))
}

fn notifies(answer: &GetBucketNotificationConfigurationOutput) -> bool {
    !answer.topic_configurations().is_empty()
        || !answer.queue_configurations().is_empty()
        || !answer.lambda_function_configurations().is_empty()
        || answer.event_bridge_configuration().is_some()
}

/// The failure for a response without the requested value.
fn unclear(at: &At, call: Call) -> Failure {
    let help =
        "run the command again; if it fails again, check the proxy or endpoint between flowagg and AWS";
    at.failed(call, None, "the response does not contain the setting", help)
}

#[cfg(test)]
mod tests;
