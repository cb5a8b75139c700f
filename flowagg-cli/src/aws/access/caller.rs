use std::sync::Arc;

use aws_config::{SdkConfig, retry::RetryConfig};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use flowagg_core::id::{AccountId, Region};

use super::account::{Account, sts_of_caller};
use crate::aws::call::GET_CALLER_IDENTITY;
use crate::aws::failure::CallError;
use crate::aws::setting::redacted;

/// Attempts of the first call. Few, so that a wrong endpoint is reported early.
const FIRST_ATTEMPTS: u32 = 2;

/// Looks up the account of the credentials.
///
/// `counted_as` is the account that traces attribute the call to.
pub(super) async fn identify(
    config: SdkConfig,
    http: SharedHttpClient,
    counted_as: Option<AccountId>,
    region: &Region,
) -> Result<Account, CallError> {
    let traffic = Arc::default();
    let sts = sts_of_caller(counted_as, &config, &http, &traffic, region);
    let tries = aws_sdk_sts::config::Builder::new()
        .retry_config(RetryConfig::standard().with_max_attempts(FIRST_ATTEMPTS));
    let answer = sts.get_caller_identity().customize().config_override(tries).send().await;
    let identity = answer.map_err(|error| {
        let error = CallError::of(GET_CALLER_IDENTITY, &error);
        match config.endpoint_url() {
            Some(url) if error.code.is_none() => {
                CallError { message: format!("{} ({})", error.message, redacted(url)), ..error }
            }
            _ => error,
        }
    })?;
    let id = AccountId::parse(identity.account().unwrap_or_default()).map_err(|error| {
        let help = "check the endpoint: this response is not from AWS";
        CallError::failed(GET_CALLER_IDENTITY, None, error.to_string(), help)
    })?;
    let caller_arn = identity.arn;
    Ok(Account { id, caller_arn, config, http, traffic, clients: Arc::default() })
}

#[cfg(test)]
mod tests {
    use super::super::mocked::answered;
    use super::*;

    async fn refused() -> CallError {
        let answer = |_: &str, _: &str| {
            let error = "<Code>AccessDenied</Code><Message>not authorized</Message>";
            (403, format!("<ErrorResponse><Error>{error}</Error></ErrorResponse>"))
        };
        let Account { config, http, .. } = answered("222222222222", RetryConfig::disabled(), answer);
        let region = Region::parse("eu-west-1").unwrap();
        identify(config, http, None, &region).await.unwrap_err()
    }

    #[tokio::test]
    async fn error_before_the_caller_is_identified_contains_no_account() {
        let error = refused().await;
        assert_eq!((error.call.as_str(), error.code.as_deref()), ("GetCallerIdentity", Some("AccessDenied")));
        let help =
            "allow sts:GetCallerIdentity for the caller; `flowagg permissions` prints the IAM policies";
        assert_eq!(error.to_string(), format!("GetCallerIdentity: not authorized; {help}"));
    }
}
