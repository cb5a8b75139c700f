use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, future};
use aws_sdk_sts::Client;
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use flowagg_core::id::ExternalId;

/// Credentials are renewed when they expire within this time.
const RENEW_BEFORE: Duration = Duration::from_secs(300);
/// The session name that CloudTrail shows in every account.
const SESSION_NAME: &str = "flowagg";

/// Credentials of a role, renewed before they expire. They are cached here, so no SDK identity cache is needed.
#[derive(Debug)]
pub(super) struct Role {
    sts: Client,
    arn: String,
    external_id: Option<ExternalId>,
    credentials: Mutex<Credentials>,
    renewing: tokio::sync::Mutex<()>,
}

impl Role {
    pub(super) async fn take(
        sts: Client,
        arn: String,
        external_id: Option<ExternalId>,
    ) -> Result<Self, SdkError<AssumeRoleError, HttpResponse>> {
        let credentials = Mutex::new(assume(&sts, &arn, external_id.as_ref()).await?);
        Ok(Self { sts, arn, external_id, credentials, renewing: tokio::sync::Mutex::new(()) })
    }

    /// The current credentials, unless they expire soon.
    fn good(&self) -> Option<Credentials> {
        let credentials = self.credentials.lock().unwrap_or_else(PoisonError::into_inner);
        let soon = SystemTime::now() + RENEW_BEFORE;
        credentials.expiry().is_none_or(|expiry| expiry > soon).then(|| credentials.clone())
    }

    /// Assumes the role again. Concurrent callers wait and share the result.
    async fn renewed(&self) -> provider::Result {
        let _alone = self.renewing.lock().await;
        if let Some(good) = self.good() {
            return Ok(good);
        }
        let new = assume(&self.sts, &self.arn, self.external_id.as_ref())
            .await
            .map_err(CredentialsError::provider_error)?;
        *self.credentials.lock().unwrap_or_else(PoisonError::into_inner) = new.clone();
        Ok(new)
    }
}

async fn assume(
    sts: &Client,
    arn: &str,
    external_id: Option<&ExternalId>,
) -> Result<Credentials, SdkError<AssumeRoleError, HttpResponse>> {
    let request = sts
        .assume_role()
        .role_arn(arn)
        .role_session_name(SESSION_NAME)
        .set_external_id(external_id.map(ToString::to_string));
    let answer = request.send().await?;
    let Some(given) = answer.credentials() else {
        return Err(SdkError::construction_failure("the response contains no credentials"));
    };
    Ok(Credentials::new(
        given.access_key_id(),
        given.secret_access_key(),
        Some(given.session_token().to_owned()),
        SystemTime::try_from(*given.expiration()).ok(),
        "AssumeRole",
    ))
}

impl ProvideCredentials for Role {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        match self.good() {
            Some(good) => future::ProvideCredentials::ready(Ok(good)),
            None => future::ProvideCredentials::new(self.renewed()),
        }
    }
}
