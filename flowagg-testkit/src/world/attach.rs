//! How AWS changes a bucket policy when the account that owns the bucket creates a flow log to it. No emulator does
//! this.

use aws_sdk_s3::Client;
use flowagg_core::id::{AccountId, BucketName, Region};
use serde_json::{Value, json};

use crate::endpoint::{Call, Request};

/// How AWS attaches the statements that log delivery needs to a bucket policy. AWS's pages contradict each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyAttachment {
    /// AWS appends the statements to the existing policy.
    ///
    /// Source: "Logs sent to Amazon S3" (Amazon CloudWatch Logs User Guide).
    Appends,
    /// AWS replaces the existing policy.
    ///
    /// Source: "Amazon S3 bucket permissions for flow logs" (Amazon VPC User Guide).
    Replaces,
}

/// The hub bucket, and how AWS attaches statements to its policy.
#[derive(Clone, Debug)]
pub(super) struct Attaching {
    pub(super) how: PolicyAttachment,
    pub(super) s3: Client,
    pub(super) hub: AccountId,
    pub(super) bucket: BucketName,
    pub(super) region: Region,
}

impl Attaching {
    /// Attaches the statements if this call created a flow log in the hub account to its bucket.
    ///
    /// Source: "Amazon S3 bucket permissions for flow logs": AWS does so only if the creator owns the bucket.
    pub(super) async fn after(&self, call: &Call, request: &Request) {
        let destination = request.field("LogDestination").unwrap_or_default();
        let own = format!("arn:aws:s3:::{}", self.bucket);
        if call.account != Some(self.hub) || !destination.starts_with(&own) {
            return;
        }
        let live = crate::delivery::live_policy(&self.s3, &self.bucket, self.hub, &self.region).await;
        let live = live.ok().flatten().and_then(|text| serde_json::from_str(&text).ok());
        let mut policy = match (self.how, live) {
            (PolicyAttachment::Appends, Some(policy)) => policy,
            _ => json!({ "Version": "2012-10-17", "Id": "AWSLogDeliveryWrite20150319", "Statement": [] }),
        };
        if let Some(statements) = policy.get_mut("Statement").and_then(Value::as_array_mut) {
            let new = self.statements();
            // AWS does not add statements that the policy already contains.
            statements.extend(new.into_iter().filter(|new| !statements.contains(new)).collect::<Vec<_>>());
        }
        let put = self.s3.put_bucket_policy().bucket(self.bucket.as_str()).policy(policy.to_string());
        // If the bucket no longer exists, there is no policy, which the scenario would notice.
        drop(put.send().await);
    }

    /// Source: "Amazon S3 bucket permissions for flow logs" (Amazon VPC User Guide).
    fn statements(&self) -> [Value; 2] {
        let (account, bucket) = (self.hub.to_string(), format!("arn:aws:s3:::{}", self.bucket));
        let arn = json!({ "aws:SourceArn": format!("arn:aws:logs:{}:{account}:*", self.region) });
        let service = json!({ "Service": "delivery.logs.amazonaws.com" });
        [
            json!({
                "Sid": "AWSLogDeliveryWrite", "Effect": "Allow", "Principal": service, "Action": "s3:PutObject",
                "Resource": format!("{bucket}/AWSLogs/{account}/*"),
                "Condition": {
                    "StringEquals": { "aws:SourceAccount": account, "s3:x-amz-acl": "bucket-owner-full-control" },
                    "ArnLike": arn,
                },
            }),
            json!({
                "Sid": "AWSLogDeliveryAclCheck", "Effect": "Allow", "Principal": service, "Action": "s3:GetBucketAcl",
                "Resource": bucket,
                "Condition": { "StringEquals": { "aws:SourceAccount": account }, "ArnLike": arn },
            }),
        ]
    }
}
