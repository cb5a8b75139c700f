use aws_sdk_ec2::types::{FlowLog, FlowLogsResourceType, LogDestinationType, TrafficType};
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::types::CreateBucketConfiguration;
use flowagg_core::id::{AccountId, Region};

use super::{World, WorldError};
use crate::aws::AwsError;

/// The real state, read or changed without flowagg.
impl World {
    /// S3 client for the hub.
    pub fn s3(&self) -> aws_sdk_s3::Client {
        self.aws.s3(self.hub, self.hub_region())
    }

    /// The live bucket policy; `None` if there is none.
    pub async fn policy(&self) -> Result<Option<String>, WorldError> {
        Ok(crate::delivery::live_policy(&self.s3(), &self.bucket, self.hub, self.hub_region()).await?)
    }

    /// Puts a bucket policy without flowagg.
    pub async fn put_policy(&self, policy: &str) -> Result<(), WorldError> {
        let put = self.s3().put_bucket_policy().bucket(self.bucket.as_str()).policy(policy).send().await;
        put.map_err(AwsError::during("PutBucketPolicy", self.hub, self.hub_region()))?;
        Ok(())
    }

    /// Creates the bucket without flowagg, in the hub's region and owned by this account.
    pub async fn create_bucket(&self, owner: AccountId) -> Result<(), WorldError> {
        let region = self.hub_region();
        let place = CreateBucketConfiguration::builder().location_constraint(region.as_str().into()).build();
        let create = self.aws.s3(owner, region).create_bucket().bucket(self.bucket.as_str());
        let created = create.create_bucket_configuration(place).send().await;
        match created {
            // The response to an earlier attempt was lost.
            Err(error) if error.code() == Some("BucketAlreadyOwnedByYou") => Ok(()),
            created => Ok(created.map(drop).map_err(AwsError::during("CreateBucket", owner, region))?),
        }
    }

    /// Creates the bucket without flowagg, with this policy, in which `BUCKET` is replaced by its name. Returns the
    /// policy.
    pub async fn bucket_of_others(&self, policy: &str) -> Result<String, WorldError> {
        let policy = policy.replace("BUCKET", self.bucket.as_str());
        self.create_bucket(self.hub).await?;
        self.put_policy(&policy).await?;
        Ok(policy)
    }

    /// The keys of all objects in the bucket, sorted.
    pub async fn keys(&self) -> Result<Vec<String>, WorldError> {
        let mut keys = Vec::new();
        let mut pages = self.s3().list_objects_v2().bucket(self.bucket.as_str()).into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(AwsError::during("ListObjectsV2", self.hub, self.hub_region()))?;
            keys.extend(page.contents().iter().filter_map(|object| object.key().map(str::to_owned)));
        }
        Ok(keys)
    }

    /// The flow logs of an account-region.
    pub async fn flow_logs(&self, account: AccountId, region: &Region) -> Result<Vec<FlowLog>, WorldError> {
        Ok(crate::delivery::flow_logs(&self.aws.ec2(account, region), account, region).await?)
    }

    /// Creates flow logs to the hub bucket without flowagg, for all VPCs of an account.
    pub async fn log_by_hand(&self, name: &str) -> Result<(), WorldError> {
        for (account, region, vpcs) in self.vpcs_of(name) {
            let create = self.aws.ec2(account, region).create_flow_logs();
            let create = create
                .resource_type(FlowLogsResourceType::Vpc)
                .set_resource_ids(Some(vpcs.iter().map(ToString::to_string).collect()))
                .traffic_type(TrafficType::All)
                .log_destination_type(LogDestinationType::S3)
                .log_destination(format!("arn:{}:s3:::{}", region.partition(), self.bucket));
            create.send().await.map_err(AwsError::during("CreateFlowLogs", account, region))?;
        }
        Ok(())
    }
}
