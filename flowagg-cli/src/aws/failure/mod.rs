//! Converts SDK errors to a [`Failure`]: the place, the error and the advice.

mod codes;
mod denial;
mod response;
mod table;

use std::error::Error;
use std::io;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use flowagg_core::failure::{Advice, Failure};
use flowagg_core::id::Place;
use flowagg_core::text::one_line;

use self::codes::AwsError;
use self::denial::{Denial, Effect};
use super::call::{self, Call};
use super::complete::Incomplete;
use super::proxy::ProxyFailed;
use super::sender::{self, NotFromAws};

/// The account-region and resource of a call, for error messages.
#[derive(Clone, Debug)]
pub(crate) struct At {
    pub(crate) place: Place,
    pub(crate) resource: Option<String>,
}

impl At {
    pub(crate) fn new(place: Place) -> Self {
        Self { place, resource: None }
    }

    pub(crate) fn about(&self, resource: impl ToString) -> Self {
        Self { resource: Some(resource.to_string()), ..self.clone() }
    }

    /// A failure without an SDK error.
    pub(crate) fn failed(
        &self,
        call: Call,
        code: Option<&str>,
        message: impl Into<String>,
        advice: impl Into<Advice>,
    ) -> Failure {
        let mut failed = Failure::new(self.place.clone(), call.name.to_owned(), message, advice);
        failed.resource = self.resource.clone();
        failed.code = code.map(str::to_owned);
        failed
    }

    /// The failure of an `Unsuccessful` item in a successful response.
    pub(crate) fn unsuccessful(&self, call: Call, code: Option<&str>, message: Option<&str>) -> Failure {
        let code = code.unwrap_or("no code");
        let message = message.map_or_else(|| "AWS returned no message".to_owned(), one_line);
        let error = AwsError { call, code, message: &message, status: None, bucket_region: None };
        self.failed(call, Some(code), message.clone(), error.advice())
    }

    /// The failure of a call whose response is incomplete.
    pub(crate) fn incomplete(&self, call: Call, why: &Incomplete) -> Failure {
        self.failed(call, None, why.to_string(), why.help())
    }

    /// The failure of a call that AWS rejected or that did not reach AWS.
    pub(crate) fn failure<E>(&self, call: Call, error: &SdkError<E, HttpResponse>) -> Failure
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let mut failure = CallError::of(call, error).at(self.place.clone());
        failure.resource = self.resource.clone();
        failure
    }
}

/// A failed call without an account: until the caller is identified, no account is known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{call}: {message}; {}", advice.without_place())]
#[non_exhaustive]
pub struct CallError {
    /// The name of the API operation.
    pub call: String,
    /// AWS's error code, if it returned one.
    pub code: Option<String>,
    /// The error message.
    pub message: String,
    /// How to fix it.
    pub advice: Advice,
}

impl CallError {
    /// Converts it to a failure of this account-region.
    pub(super) fn at(self, place: Place) -> Failure {
        let Self { call, code, message, advice } = self;
        let mut failure = Failure::new(place, call, message, advice);
        failure.code = code;
        failure
    }

    /// Whether the call was denied and, according to AWS, an IAM policy that allows it would be enough.
    pub(super) fn is_plain_denial(&self, call: Call) -> bool {
        is_plain_denial(call, self.code.as_deref(), &self.message)
    }

    /// An error without an SDK error.
    pub(super) fn failed(
        call: Call,
        code: Option<&str>,
        message: impl Into<String>,
        advice: impl Into<Advice>,
    ) -> Self {
        Self {
            call: call.name.to_owned(),
            code: code.map(str::to_owned),
            message: message.into(),
            advice: advice.into(),
        }
    }

    /// The error of a call that AWS rejected or that did not reach AWS.
    pub(super) fn of<E>(call: Call, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        match error {
            SdkError::ServiceError(context) => Self::returned(call, context.err(), context.raw()),
            SdkError::TimeoutError(_) => Self::failed(
                call,
                None,
                "the call timed out",
                "the network or AWS is slow: run the command again, or increase `--call-timeout`; completed changes are kept",
            ),
            _ => Self::unsent(call, error),
        }
    }

    /// The error in a response. Responses of other servers are reported as such.
    fn returned(call: Call, error: &impl ProvideErrorMetadata, response: &HttpResponse) -> Self {
        let status = response.status().as_u16();
        let code = match error.code() {
            Some(code) => code.to_owned(),
            // A response with a success status that the SDK could not parse.
            None if response.status().is_success() => {
                return Self::not_from_aws(call, &NotFromAws::of(response));
            }
            None => match sender::check(response) {
                Ok(()) => code_of_status(status),
                Err(foreign) => return Self::not_from_aws(call, &foreign),
            },
        };
        let reason = error.message().unwrap_or("AWS returned no message");
        let message = format!("{}{}", one_line(reason), response::times(response));
        let bucket_region = response::bucket_region(response, reason);
        let error = AwsError {
            call,
            code: &code,
            message: &message,
            status: Some(status),
            bucket_region: bucket_region.as_deref(),
        };
        Self::failed(call, Some(&code), message.clone(), error.advice())
    }

    fn not_from_aws(call: Call, foreign: &NotFromAws) -> Self {
        Self::failed(call, None, foreign.to_string(), foreign.help())
    }

    /// A call without a response: no credentials, no role or no connection.
    fn unsent(call: Call, error: &(dyn Error + 'static)) -> Self {
        let mut deepest = error;
        let (mut in_credentials, mut is_untrusted) = (false, false);
        let mut cause = error.source();
        while let Some(error) = cause {
            if let Some(refused) = error.downcast_ref::<SdkError<AssumeRoleError, HttpResponse>>() {
                return Self::of(call::ASSUME_ROLE, refused);
            }
            if let Some(CredentialsError::CredentialsNotLoaded(_)) = error.downcast_ref::<CredentialsError>()
            {
                return Self::failed(
                    call,
                    None,
                    "no AWS credentials found",
                    "sign in (`aws sso login`, `aws configure`), or set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
                );
            }
            if let Some(foreign) = error.downcast_ref::<NotFromAws>() {
                return Self::not_from_aws(call, foreign);
            }
            if let Some(why) = error.downcast_ref::<Incomplete>() {
                return Self::failed(call, None, why.to_string(), why.help());
            }
            if let Some(failed) = error.downcast_ref::<ProxyFailed>() {
                return Self::failed(call, None, failed.to_string(), failed.help());
            }
            if let Some(unloadable) = error.downcast_ref::<Unloadable>() {
                return Self { call: call.name.to_owned(), ..unloadable.0.clone() };
            }
            in_credentials |= error.is::<CredentialsError>();
            is_untrusted |= is_untrusted_certificate(error);
            deepest = error;
            cause = error.source();
        }
        let help = if in_credentials {
            "the credentials could not be loaded: check the profile, and sign in again"
        } else if is_untrusted {
            "the endpoint's TLS certificate is not trusted: if a proxy decrypts TLS, add its certificate authority to this machine's trusted certificates, or set SSL_CERT_FILE to its PEM file"
        } else {
            "check the network, the region name, and the endpoint (`--endpoint-url`, AWS_ENDPOINT_URL) if one is set"
        };
        Self::failed(call, None, format!("request failed: {}", one_line(&deepest.to_string())), help)
    }
}

/// Whether the call was denied and, according to AWS, an IAM policy that allows it would be enough.
pub(super) fn is_plain_denial(call: Call, code: Option<&str>, message: &str) -> bool {
    let denial = Denial::parse(call, message);
    code.is_some_and(table::is_denial) && denial.is_none_or(Denial::is_plain)
}

/// Credentials could not be reloaded. Carries the profile and the advice through the SDK's error to [`CallError::of`].
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(super) struct Unloadable(pub(super) CallError);

/// Whether TLS rejected a server certificate. An [`io::Error`] does not return its inner error from `source`.
fn is_untrusted_certificate(error: &(dyn Error + 'static)) -> bool {
    let mut inner = Some(error);
    while let Some(error) = inner {
        if matches!(error.downcast_ref(), Some(rustls::Error::InvalidCertificate(_))) {
            return true;
        }
        inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref).map(|inner| inner as _);
    }
    false
}

/// Whether credentials of another account might be able to assume the role: `AssumeRole` was denied, but not by a Deny statement.
pub(crate) fn may_be_wrong_account(failure: &Failure) -> bool {
    let is_explicit = Denial::parse(call::ASSUME_ROLE, &failure.message)
        .is_some_and(|denial| denial.effect == Effect::Denies);
    failure.code.as_deref() == Some("AccessDenied") && !is_explicit
}

/// Responses to `HEAD` requests have no body, so the status has to serve as the code.
fn code_of_status(status: u16) -> String {
    match status {
        301 => "PermanentRedirect".into(),
        307 => "TemporaryRedirect".into(),
        403 => "AccessDenied".into(),
        404 => "NotFound".into(),
        other => format!("HTTP {other}"),
    }
}

#[cfg(test)]
mod tests;
