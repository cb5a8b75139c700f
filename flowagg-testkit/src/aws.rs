//! SDK clients for any account of an emulator. The access key ID is the account ID.

use std::error::Error;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_ec2::config::BehaviorVersion;
use aws_sdk_ec2::error::DisplayErrorContext;
use aws_types::SdkConfig;
use flowagg_core::id::{AccountId, Region};

/// The endpoint of an emulator, accessible as any account.
#[derive(Clone, Debug)]
pub struct Aws {
    url: String,
}

impl Aws {
    /// Uses the emulator at this endpoint.
    pub fn at(url: &str) -> Self {
        Self { url: url.to_owned() }
    }

    /// URL of the endpoint.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// EC2 client for an account and region.
    pub fn ec2(&self, account: AccountId, region: &Region) -> aws_sdk_ec2::Client {
        aws_sdk_ec2::Client::new(&self.config(account, region))
    }

    /// KMS client for an account and region.
    pub fn kms(&self, account: AccountId, region: &Region) -> aws_sdk_kms::Client {
        aws_sdk_kms::Client::new(&self.config(account, region))
    }

    /// STS client for an account and region.
    pub fn sts(&self, account: AccountId, region: &Region) -> aws_sdk_sts::Client {
        aws_sdk_sts::Client::new(&self.config(account, region))
    }

    /// S3 client for an account and region.
    pub fn s3(&self, account: AccountId, region: &Region) -> aws_sdk_s3::Client {
        s3(&self.config(account, region))
    }

    fn config(&self, account: AccountId, region: &Region) -> SdkConfig {
        config(&self.url, credentials(account), region)
    }
}

/// The configuration of every client of an emulator.
pub(crate) fn config(url: &str, credentials: Credentials, region: &Region) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .region(aws_types::region::Region::new(region.to_string()))
        .endpoint_url(url)
        .build()
}

/// S3 client with path-style addressing, because an emulator's host has no subdomains.
pub(crate) fn s3(config: &SdkConfig) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::config::Builder::from(config).force_path_style(true);
    aws_sdk_s3::Client::from_conf(config.build())
}

pub(crate) fn credentials(account: AccountId) -> Credentials {
    Credentials::new(account.to_string(), "test", None, None, "flowagg-testkit")
}

/// A failed call to the emulator.
#[derive(Debug, thiserror::Error)]
#[error("{call} for {account} in {region}: {why}")]
#[non_exhaustive]
pub struct AwsError {
    /// AWS's name of the operation.
    pub call: &'static str,
    /// The account that called.
    pub account: AccountId,
    /// The region called.
    pub region: Region,
    /// The error with its causes.
    pub why: String,
}

impl AwsError {
    /// Converts the error of a call: `.map_err(AwsError::during("CreateVpc", account, region))`.
    pub(crate) fn during<E: Error>(
        call: &'static str,
        account: AccountId,
        region: &Region,
    ) -> impl FnOnce(E) -> Self {
        let region = region.clone();
        move |error| Self { call, account, region, why: DisplayErrorContext(error).to_string() }
    }
}
