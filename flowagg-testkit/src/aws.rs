//! SDK clients of any account of an emulator: its access key id is the account's id.

use std::error::Error;

use aws_credential_types::Credentials;
use aws_sdk_ec2::error::DisplayErrorContext;
use flowagg_core::id::{AccountId, Region};

/// An emulator's endpoint, as any account that one cares to name.
#[derive(Clone, Debug)]
pub struct Aws {
    url: String,
}

impl Aws {
    /// The AWS at this endpoint.
    pub fn at(url: &str) -> Self {
        Self { url: url.to_owned() }
    }

    /// The endpoint.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// EC2 in an account and region.
    pub fn ec2(&self, account: AccountId, region: &Region) -> aws_sdk_ec2::Client {
        ec2(&self.url, credentials(account), region)
    }

    /// KMS in an account and region.
    pub fn kms(&self, account: AccountId, region: &Region) -> aws_sdk_kms::Client {
        let config = aws_sdk_kms::Config::builder()
            .behavior_version(aws_sdk_kms::config::BehaviorVersion::latest())
            .credentials_provider(credentials(account))
            .region(aws_sdk_kms::config::Region::new(region.to_string()))
            .endpoint_url(&self.url);
        aws_sdk_kms::Client::from_conf(config.build())
    }

    /// STS in an account and region.
    pub fn sts(&self, account: AccountId, region: &Region) -> aws_sdk_sts::Client {
        let config = aws_sdk_sts::Config::builder()
            .behavior_version(aws_sdk_sts::config::BehaviorVersion::latest())
            .credentials_provider(credentials(account))
            .region(aws_sdk_sts::config::Region::new(region.to_string()))
            .endpoint_url(&self.url);
        aws_sdk_sts::Client::from_conf(config.build())
    }

    /// S3 as an account sees it from a region.
    pub fn s3(&self, account: AccountId, region: &Region) -> aws_sdk_s3::Client {
        s3(&self.url, credentials(account), region)
    }
}

pub(crate) fn ec2(url: &str, credentials: Credentials, region: &Region) -> aws_sdk_ec2::Client {
    let config = aws_sdk_ec2::Config::builder()
        .behavior_version(aws_sdk_ec2::config::BehaviorVersion::latest())
        .credentials_provider(credentials)
        .region(aws_sdk_ec2::config::Region::new(region.to_string()))
        .endpoint_url(url);
    aws_sdk_ec2::Client::from_conf(config.build())
}

pub(crate) fn s3(url: &str, credentials: Credentials, region: &Region) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(aws_sdk_s3::config::BehaviorVersion::latest())
        .credentials_provider(credentials)
        .region(aws_sdk_s3::config::Region::new(region.to_string()))
        .force_path_style(true)
        .endpoint_url(url);
    aws_sdk_s3::Client::from_conf(config.build())
}

pub(crate) fn credentials(account: AccountId) -> Credentials {
    Credentials::new(account.to_string(), "test", None, None, "flowagg-testkit")
}

/// A call that the emulator did not do.
#[derive(Debug, thiserror::Error)]
#[error("{call} for {account} in {region}: {why}")]
pub struct AwsError {
    /// The call, by AWS's name.
    pub call: &'static str,
    /// The account that called.
    pub account: AccountId,
    /// The region called.
    pub region: Region,
    /// What went wrong, with its causes.
    pub why: String,
}

impl AwsError {
    /// To be put behind a call: `.map_err(AwsError::of("CreateVpc", account, region))`.
    pub(crate) fn of<E: Error>(
        call: &'static str,
        account: AccountId,
        region: &Region,
    ) -> impl FnOnce(E) -> Self {
        let region = region.clone();
        move |error| Self { call, account, region, why: DisplayErrorContext(error).to_string() }
    }
}
