//! SDK clients of any account of an emulator: its access key id is the account's id.

use std::error::Error;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_ec2::config::BehaviorVersion;
use aws_sdk_ec2::error::DisplayErrorContext;
use aws_types::SdkConfig;
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
        aws_sdk_ec2::Client::new(&self.config(account, region))
    }

    /// KMS in an account and region.
    pub fn kms(&self, account: AccountId, region: &Region) -> aws_sdk_kms::Client {
        aws_sdk_kms::Client::new(&self.config(account, region))
    }

    /// STS in an account and region.
    pub fn sts(&self, account: AccountId, region: &Region) -> aws_sdk_sts::Client {
        aws_sdk_sts::Client::new(&self.config(account, region))
    }

    /// S3 as an account sees it from a region.
    pub fn s3(&self, account: AccountId, region: &Region) -> aws_sdk_s3::Client {
        s3(&self.config(account, region))
    }

    fn config(&self, account: AccountId, region: &Region) -> SdkConfig {
        config(&self.url, credentials(account), region)
    }
}

/// What every client of an emulator is made of.
pub(crate) fn config(url: &str, credentials: Credentials, region: &Region) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .region(aws_types::region::Region::new(region.to_string()))
        .endpoint_url(url)
        .build()
}

/// S3, with buckets in the path: an emulator's host has no names under it.
pub(crate) fn s3(config: &SdkConfig) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::config::Builder::from(config).force_path_style(true);
    aws_sdk_s3::Client::from_conf(config.build())
}

pub(crate) fn credentials(account: AccountId) -> Credentials {
    Credentials::new(account.to_string(), "test", None, None, "flowagg-testkit")
}

/// A call that the emulator did not do.
#[derive(Debug, thiserror::Error)]
#[error("{call} for {account} in {region}: {why}")]
#[non_exhaustive]
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
    /// To be put behind a call: `.map_err(AwsError::during("CreateVpc", account, region))`.
    pub(crate) fn during<E: Error>(
        call: &'static str,
        account: AccountId,
        region: &Region,
    ) -> impl FnOnce(E) -> Self {
        let region = region.clone();
        move |error| Self { call, account, region, why: DisplayErrorContext(error).to_string() }
    }
}
