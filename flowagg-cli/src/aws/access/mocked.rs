//! Accounts with mocked responses, for tests.

use std::sync::Arc;

use aws_config::{BehaviorVersion, SdkConfig, retry::RetryConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use flowagg_core::id::AccountId;

use super::Account;
use crate::aws::mocked;

/// An account whose responses are computed from the request's signature and body.
pub(super) fn answered(id: &str, retries: RetryConfig, answer: fn(&str, &str) -> (u16, String)) -> Account {
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(aws_config::Region::new("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
            "CALLER", "secret", None, None, "test",
        )))
        .retry_config(retries)
        .build();
    let id = AccountId::parse(id).unwrap();
    let http = mocked::http(answer);
    Account { id, caller_arn: None, config, http, traffic: Arc::default(), clients: Arc::default() }
}

/// A response to `AssumeRole`.
pub(super) fn role() -> (u16, String) {
    let given = "<AccessKeyId>ROLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey>\
        <SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>";
    let answer = format!("<AssumeRoleResult><Credentials>{given}</Credentials></AssumeRoleResult>");
    (200, format!("<AssumeRoleResponse>{answer}</AssumeRoleResponse>"))
}
