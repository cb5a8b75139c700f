use aws_sdk_ec2::types::Tag;
use flowagg_core::id::{AccountId, Region, ResourceId};
use futures::future::try_join_all;

use super::{World, WorldAccount, WorldError};
use crate::aws::AwsError;

impl World {
    /// Tags every VPC that an account was created with.
    pub async fn tag_vpcs(&self, name: &str, key: &str, value: &str) -> Result<(), WorldError> {
        let tag = Tag::builder().key(key).value(value).build();
        for (account, region, vpcs) in self.vpcs_of(name) {
            let ids = vpcs.iter().map(ToString::to_string).collect();
            let create =
                self.aws.ec2(account, region).create_tags().set_resources(Some(ids)).tags(tag.clone());
            create.send().await.map_err(AwsError::during("CreateTags", account, region))?;
        }
        Ok(())
    }

    /// Shares every VPC that an account was created with. The other account sees them with their owner, next to its
    /// own.
    ///
    /// # Panics
    ///
    /// If the other account does not exist.
    #[track_caller]
    pub fn share_vpcs(&self, name: &str, with: &str) {
        let other = self.accounts.get(with).map(|account| account.id);
        assert!(other.is_some(), "the world has no account `{with}`");
        let share = |other| {
            for (owner, region, vpcs) in self.vpcs_of(name) {
                vpcs.iter().for_each(|vpc| self.front.shares(other, region, vpc.as_str(), owner));
            }
        };
        other.into_iter().for_each(share);
    }

    /// Starts an instance in every VPC that an account was created with, so that each has a network interface in use.
    pub async fn start_instances(&self, name: &str) -> Result<(), WorldError> {
        for (account, region, vpcs) in self.vpcs_of(name) {
            let ec2 = self.aws.ec2(account, region);
            for (number, vpc) in vpcs.iter().enumerate() {
                let block = format!("10.{}.9.0/24", number % 256);
                let create = ec2.create_subnet().vpc_id(vpc.as_str()).cidr_block(block).send().await;
                let subnet = create.map_err(AwsError::during("CreateSubnet", account, region))?.subnet;
                let run = ec2.run_instances().image_id("ami-0a1b2c3d4e5f67890").min_count(1).max_count(1);
                let run = run.set_subnet_id(subnet.and_then(|subnet| subnet.subnet_id)).send().await;
                run.map_err(AwsError::during("RunInstances", account, region))?;
            }
        }
        Ok(())
    }

    /// The VPCs that an account was created with, by region; regions without VPCs are omitted.
    pub(super) fn vpcs_of(&self, name: &str) -> impl Iterator<Item = (AccountId, &Region, &[ResourceId])> {
        let accounts = self.accounts.get(name).into_iter();
        accounts
            .flat_map(|account| {
                account.vpcs.iter().map(|(region, vpcs)| (account.id, region, vpcs.as_slice()))
            })
            .filter(|(.., vpcs)| !vpcs.is_empty())
    }

    /// Gives an account exactly this many VPCs in each region.
    pub(super) async fn furnish(&mut self, name: &str, id: AccountId, vpcs: usize) -> Result<(), AwsError> {
        let made = self.regions.iter().map(|region| self.furnish_region(id, region, vpcs));
        let vpcs = self.regions.iter().cloned().zip(try_join_all(made).await?).collect();
        self.accounts.insert(name.to_owned(), WorldAccount { id, vpcs, is_member: false, lines: Vec::new() });
        Ok(())
    }

    async fn furnish_region(
        &self,
        account: AccountId,
        region: &Region,
        vpcs: usize,
    ) -> Result<Vec<ResourceId>, AwsError> {
        self.delete_default_vpc(account, region).await?;
        let ec2 = self.aws.ec2(account, region);
        let mut made = Vec::new();
        for number in 0..vpcs {
            let create = ec2.create_vpc().cidr_block(format!("10.{}.0.0/16", number % 256)).send().await;
            let vpc = create.map_err(AwsError::during("CreateVpc", account, region))?.vpc;
            let id = vpc.and_then(|vpc| vpc.vpc_id).unwrap_or_default();
            made.push(ResourceId::parse(&id).map_err(AwsError::during("CreateVpc", account, region))?);
        }
        Ok(made)
    }

    async fn delete_default_vpc(&self, account: AccountId, region: &Region) -> Result<(), AwsError> {
        let ec2 = self.aws.ec2(account, region);
        let subnets = ec2.describe_subnets().send().await;
        for subnet in subnets.map_err(AwsError::during("DescribeSubnets", account, region))?.subnets() {
            let delete = ec2.delete_subnet().set_subnet_id(subnet.subnet_id.clone());
            delete.send().await.map_err(AwsError::during("DeleteSubnet", account, region))?;
        }
        let defaults = ec2.describe_vpcs().send().await;
        for vpc in defaults.map_err(AwsError::during("DescribeVpcs", account, region))?.vpcs() {
            let delete = ec2.delete_vpc().set_vpc_id(vpc.vpc_id.clone());
            delete.send().await.map_err(AwsError::during("DeleteVpc", account, region))?;
        }
        Ok(())
    }
}
