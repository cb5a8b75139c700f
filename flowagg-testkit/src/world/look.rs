use aws_sdk_ec2::types::{FlowLog, FlowLogsResourceType, LogDestinationType, TrafficType};
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::types::CreateBucketConfiguration;
use flowagg_core::id::{AccountId, Region};

use super::{World, WorldError};
use crate::aws::AwsError;

/// The truth, as the account itself sees it.
impl World {
    /// S3 as the hub sees it.
    pub fn s3(&self) -> aws_sdk_s3::Client {
        self.aws.s3(self.hub, self.hub_region())
    }

    /// The bucket's policy as it is; `None` where there is none.
    pub async fn policy(&self) -> Result<Option<String>, WorldError> {
        Ok(crate::delivery::live_policy(&self.s3(), &self.bucket, self.hub, self.hub_region()).await?)
    }

    /// Puts a policy on the bucket behind flowagg's back.
    pub async fn put_policy(&self, policy: &str) -> Result<(), WorldError> {
        let put = self.s3().put_bucket_policy().bucket(self.bucket.as_str()).policy(policy).send().await;
        put.map_err(AwsError::during("PutBucketPolicy", self.hub, self.hub_region()))?;
        Ok(())
    }

    /// Makes the bucket behind flowagg's back, in the hub's region, owned by this account.
    pub async fn create_bucket(&self, owner: AccountId) -> Result<(), WorldError> {
        let region = self.hub_region();
        let place = CreateBucketConfiguration::builder().location_constraint(region.as_str().into()).build();
        let create = self.aws.s3(owner, region).create_bucket().bucket(self.bucket.as_str());
        let created = create.create_bucket_configuration(place).send().await;
        match created {
            // The answer to an earlier try was lost.
            Err(error) if error.code() == Some("BucketAlreadyOwnedByYou") => Ok(()),
            created => Ok(created.map(drop).map_err(AwsError::during("CreateBucket", owner, region))?),
        }
    }

    /// Makes the bucket behind flowagg's back, with this policy, in which `BUCKET` stands for its name. Returns the policy.
    pub async fn bucket_of_others(&self, policy: &str) -> Result<String, WorldError> {
        let policy = policy.replace("BUCKET", self.bucket.as_str());
        self.create_bucket(self.hub).await?;
        self.put_policy(&policy).await?;
        Ok(policy)
    }

    /// The keys of all objects in the bucket, in order.
    pub async fn keys(&self) -> Result<Vec<String>, WorldError> {
        let mut keys = Vec::new();
        let mut pages = self.s3().list_objects_v2().bucket(self.bucket.as_str()).into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(AwsError::during("ListObjectsV2", self.hub, self.hub_region()))?;
            keys.extend(page.contents().iter().filter_map(|object| object.key().map(str::to_owned)));
        }
        Ok(keys)
    }

    /// The flow logs of an account and region.
    pub async fn flow_logs(&self, account: AccountId, region: &Region) -> Result<Vec<FlowLog>, WorldError> {
        Ok(crate::delivery::flow_logs(&self.aws.ec2(account, region), account, region).await?)
    }

    /// Makes flow logs to the hub's bucket behind flowagg's back, for all VPCs of an account of this world.
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
