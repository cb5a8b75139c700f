//! The bucket, its settings and its policy.

use flowagg_core::fleet::{Encryption, Fleet, Hub};
use flowagg_core::lifecycle::FleetRule;
use flowagg_core::observed::{BucketEncryption, PublicAccessBlock};
use flowagg_policy::{Grant, Unnamed, merge};

use super::block::{Block, Body, Value};
use super::live::{LiveState, OWNER_ENFORCED};
use super::names::{BUCKET, ENCRYPTION, LIFECYCLE, NAME, OWNERSHIP, POLICY, PUBLIC_ACCESS_BLOCK};
use super::providers::HUB;
use crate::export::ExportError;

/// The bucket and a resource for each setting. Settings that the plan keeps have their live values.
pub(super) fn bucket(fleet: &Fleet, live: Option<&LiveState<'_>>, rule: Option<FleetRule>) -> Vec<Block> {
    let hub = &fleet.hub;
    let namespace = hub.bucket.is_account_regional().then_some("account-regional");
    let bucket = Body::default()
        .set("provider", Value::address(format!("aws.{HUB}")))
        .gap()
        .set("bucket", hub.bucket.as_str())
        .set_some("bucket_namespace", namespace)
        .block("lifecycle", Body::default().set("prevent_destroy", true));
    let block = live.map_or(PublicAccessBlock::FULL, LiveState::public_access_block);
    let public_access_block = setting()
        .gap()
        .set("block_public_acls", block.block_acls)
        .set("block_public_policy", block.block_policy)
        .set("ignore_public_acls", block.ignore_acls)
        .set("restrict_public_buckets", block.restrict_buckets);
    let ownership = live.map_or(Some(OWNER_ENFORCED), LiveState::ownership);
    let mut blocks = vec![
        Block::resource(BUCKET, NAME, bucket),
        Block::resource(PUBLIC_ACCESS_BLOCK, NAME, public_access_block),
    ];
    blocks.extend(ownership.map(|ownership| {
        let rule = Body::default().set("object_ownership", ownership);
        Block::resource(OWNERSHIP, NAME, setting().block("rule", rule))
    }));
    blocks.push(Block::resource(ENCRYPTION, NAME, setting().block("rule", encryption(hub, live))));
    if let Some(rule) = rule {
        blocks.push(Block::resource(LIFECYCLE, NAME, setting().block("rule", lifecycle(rule))));
    }
    blocks
}

/// The common arguments of all settings of the bucket.
fn setting() -> Body {
    Body::default()
        .set("provider", Value::address(format!("aws.{HUB}")))
        .gap()
        .set("bucket", Value::expression(format!("{BUCKET}.{NAME}.id")))
}

fn encryption(hub: &Hub, live: Option<&LiveState<'_>>) -> Body {
    let wanted = match &hub.encryption {
        None | Some(Encryption::SseS3) => BucketEncryption::new("AES256"),
        Some(Encryption::SseKms { key, bucket_key }) => {
            let mut encryption = BucketEncryption::new("aws:kms");
            encryption.key = Some(key.to_string());
            encryption.bucket_key = *bucket_key;
            encryption
        }
    };
    let stays = live.and_then(LiveState::encryption_that_stays);
    let BucketEncryption { algorithm, key, bucket_key, .. } = stays.cloned().unwrap_or(wanted);
    let by_kms = key.is_some();
    let default = Body::default().set("sse_algorithm", algorithm).set_some("kms_master_key_id", key);
    Body::default()
        .set_some("bucket_key_enabled", by_kms.then_some(bucket_key))
        .block("apply_server_side_encryption_by_default", default)
}

fn lifecycle(rule: FleetRule) -> Body {
    let FleetRule { id, under, expire_days, transition, noncurrent_days, abort_uploads_days, .. } = rule;
    let mut rule = Body::default()
        .set("id", id)
        .set("status", "Enabled")
        .block("filter", Body::default().set("prefix", under));
    if let Some(days) = expire_days {
        rule = rule.block("expiration", Body::default().set("days", days));
    }
    if let Some(to) = transition {
        let to = Body::default().set("days", to.days).set("storage_class", to.storage_class);
        rule = rule.block("transition", to);
    }
    if let Some(days) = noncurrent_days {
        rule = rule.block("noncurrent_version_expiration", Body::default().set("noncurrent_days", days));
    }
    if let Some(days) = abort_uploads_days {
        let abort = Body::default().set("days_after_initiation", days);
        rule = rule.block("abort_incomplete_multipart_upload", abort);
    }
    rule
}

/// The whole policy: the live policy with the fleet's grant merged in, or the policy for a bucket that has none.
pub(super) fn policy(fleet: &Fleet, live: Option<&LiveState<'_>>) -> Result<Vec<Block>, ExportError> {
    let text = match live.and_then(LiveState::policy) {
        Some(text) => text.to_owned(),
        None => merge(None, &Grant::from(fleet), Unnamed::Keep)?.text,
    };
    let document: serde_json::Value = serde_json::from_str(&text).map_err(ExportError::defect)?;
    let locals = Body::default().set("bucket_policy", Value::of_json(document));
    let policy = setting().set("policy", Value::expression("jsonencode(local.bucket_policy)"));
    Ok(vec![Block::new("locals", &[], locals), Block::resource(POLICY, NAME, policy)])
}
