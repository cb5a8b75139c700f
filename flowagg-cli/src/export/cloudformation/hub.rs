//! The template of the hub: the resources that `apply` creates in the hub account.

use flowagg_core::fleet::{Encryption, Fleet};
use flowagg_core::lifecycle::FleetRule;
use flowagg_core::plan::rule_of_new_bucket;
use flowagg_policy::Grant;
use serde_json::{Map, Value, json};

use super::template::{Resource, Template, TemplateFormat, attribute, reference, sub};
use crate::export::{ExportError, ExportFiles};

const BUCKET: &str = "FlowLogBucket";
const NAME: &str = "BucketName";
const RETENTION: &str = "RetentionDays";

/// The template of the hub bucket: encryption, lifecycle, public access block, ownership and policy. Its parameters are the bucket's name
/// and, if objects expire, the number of days. Its outputs are the bucket's name and ARN. Other stacks can import them only after the
/// whole stack, including the policy, is created.
///
/// The bucket is kept when the stack is deleted. The policy is deleted with the stack, which ends delivery.
pub fn hub(fleet: &Fleet, format: TemplateFormat) -> Result<ExportFiles, ExportError> {
    let hub = &fleet.hub;
    let mut notes = vec![format!("deploy the stack in account {}, region {}", hub.account, hub.region)];
    if let Some(Encryption::SseKms { key, .. }) = &hub.encryption {
        notes.push(format!(
            "the policy of {key} is not in the template; `flowagg plan` reports whether it allows log delivery to use the key"
        ));
    }
    // Objects must not expire before their transition.
    let fewest = 1 + hub.lifecycle.transition.as_ref().map_or(0, |transition| transition.days);
    let mut template = Template::new(format!(
        "The S3 bucket for the VPC Flow Logs of the fleet, in account {}, region {}",
        hub.account, hub.region
    ))
    .noted(&notes)
    .parameter(
        NAME,
        json!({
            "Type": "String",
            "Default": hub.bucket,
            "Description": "The bucket that receives all flow logs",
            "AllowedPattern": "^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$",
        }),
    )
    .resource(BUCKET, Resource::new("AWS::S3::Bucket", bucket(fleet)).kept())
    .resource("FlowLogBucketPolicy", Resource::new("AWS::S3::BucketPolicy", policy(fleet)?))
    .output(NAME, "The bucket that receives all flow logs", reference(BUCKET))
    .output("BucketArn", "The ARN of the bucket", attribute(BUCKET, "Arn"));
    if let Some(days) = hub.lifecycle.retention.in_new_bucket() {
        template = template.parameter(
            RETENTION,
            json!({
                "Type": "Number",
                "Default": days,
                "MinValue": fewest,
                "Description": "Objects expire after this many days",
            }),
        );
    }
    Ok(ExportFiles::of_templates(vec![template.file("hub", format)?], notes))
}

fn bucket(fleet: &Fleet) -> Value {
    let hub = &fleet.hub;
    let mut bucket = json!({
        "BucketName": reference(NAME),
        "BucketEncryption": { "ServerSideEncryptionConfiguration": [encryption(hub.encryption.as_ref())] },
        "OwnershipControls": { "Rules": [{ "ObjectOwnership": "BucketOwnerEnforced" }] },
        "PublicAccessBlockConfiguration": {
            "BlockPublicAcls": true,
            "BlockPublicPolicy": true,
            "IgnorePublicAcls": true,
            "RestrictPublicBuckets": true,
        },
    });
    if let Some(rule) = rule_of_new_bucket(fleet) {
        bucket["LifecycleConfiguration"] = json!({ "Rules": [lifecycle(rule)] });
    }
    if hub.bucket.is_account_regional() {
        bucket["BucketNamespace"] = json!("account-regional");
    }
    bucket
}

/// The template creates the bucket, so there is no existing encryption to keep.
fn encryption(encryption: Option<&Encryption>) -> Value {
    match encryption {
        None | Some(Encryption::SseS3) => {
            json!({ "ServerSideEncryptionByDefault": { "SSEAlgorithm": "AES256" } })
        }
        Some(Encryption::SseKms { key, bucket_key }) => json!({
            "ServerSideEncryptionByDefault": { "SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key },
            "BucketKeyEnabled": bucket_key,
        }),
    }
}

fn lifecycle(rule: FleetRule) -> Value {
    let FleetRule { id, under, expire_days, transition, noncurrent_days, abort_uploads_days, .. } = rule;
    let mut rule = Map::new();
    let mut set = |key: &str, value| rule.insert(key.to_owned(), value);
    set("Id", json!(id));
    set("Status", json!("Enabled"));
    set("Prefix", json!(under));
    if expire_days.is_some() {
        set("ExpirationInDays", reference(RETENTION));
    }
    if let Some(to) = transition {
        set("Transitions", json!([{ "StorageClass": to.storage_class, "TransitionInDays": to.days }]));
    }
    if let Some(days) = noncurrent_days {
        set("NoncurrentVersionExpiration", json!({ "NoncurrentDays": days }));
    }
    if let Some(days) = abort_uploads_days {
        set("AbortIncompleteMultipartUpload", json!({ "DaysAfterInitiation": days }));
    }
    Value::Object(rule)
}

/// The policy for a bucket without a policy. It refers to the ARN of the bucket resource, so that it remains correct if the bucket's name is
/// changed.
fn policy(fleet: &Fleet) -> Result<Value, ExportError> {
    let grant = Grant::from(fleet);
    let arn = grant.bucket_arn();
    let mut statements = Vec::new();
    for text in flowagg_policy::statements(&grant)? {
        let mut statement: Value = serde_json::from_str(&text).map_err(ExportError::defect)?;
        by_attribute(&mut statement["Resource"], &arn);
        statements.push(statement);
    }
    let document = json!({ "Version": "2012-10-17", "Statement": statements });
    Ok(json!({ "Bucket": reference(BUCKET), "PolicyDocument": document }))
}

fn by_attribute(resources: &mut Value, arn: &str) {
    match resources {
        Value::Array(all) => all.iter_mut().for_each(|one| by_attribute(one, arn)),
        Value::String(text) => match text.strip_prefix(arn) {
            Some("") => *resources = attribute(BUCKET, "Arn"),
            // `Fn::Sub` would substitute policy variables, and not every tool supports its escape sequence.
            Some(key) if key.contains("${") => {
                *resources = json!({ "Fn::Join": ["", [attribute(BUCKET, "Arn"), key]] });
            }
            Some(key) => *resources = sub(&format!("${{{BUCKET}.Arn}}{key}")),
            None => {}
        },
        _ => {}
    }
}
