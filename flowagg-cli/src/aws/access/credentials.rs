//! The initial credentials, from the profile or the standard chain, and the errors if none can be loaded.
//!
//! They are loaded before the first call. During a call, the call timeout would interrupt a sign-in, and the error would not contain
//! the profile.

use std::env;
use std::error::Error;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::meta::ProviderChainError;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileLoadError, ProfileSet};
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, SharedCredentialsProvider, future};
use aws_sdk_sso::operation::get_role_credentials::GetRoleCredentialsError;
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use flowagg_core::text::one_line;

use super::profile::{Origin, UsedProfile, listed, profiles, suggestion};
use crate::aws::call::{ASSUME_ROLE, GET_CALLER_IDENTITY};
use crate::aws::failure::{CallError, Unloadable};
use crate::aws::proxy::ProxyFailed;
use crate::aws::setting::SettingError;

/// Timeout for loading the initial credentials. Long, because a `credential_process` program may open a browser.
const PATIENCE: Duration = Duration::from_secs(120);
/// The last source of the standard chain.
const LAST: &str = "Ec2InstanceMetadata";
/// Prefix of the SDK's message for an invalid profile.
const OF_SDK: &str = "ProfileFile provider could not be built: ";
/// The maximum number of characters printed from a program's output.
const PRINTED: usize = 400;

/// Where the credentials of a configuration come from.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) profile: UsedProfile,
    profiles: Result<ProfileSet, ProfileFileLoadError>,
}

impl Source {
    /// Fails if the profile of `--profile` does not exist.
    pub(super) async fn of(profile: UsedProfile) -> Result<Self, SettingError> {
        let profiles = profiles(&profile).await;
        if profile.is_option() {
            let wrong = match &profiles {
                Err(error) => Some((unreadable(error), FILES.to_owned())),
                Ok(set) if set.get_profile(&profile.name).is_none() => Some((
                    format!("profile `{}` does not exist", profile.name),
                    suggestion(&profile.name, set),
                )),
                Ok(_) => None,
            };
            if let Some((what, help)) = wrong {
                return Err(SettingError::new("`--profile`", what, help));
            }
        }
        Ok(Self { profile, profiles })
    }

    /// With `--profile`, replaces the credentials provider so that access keys in the environment are ignored.
    pub(super) fn configured(&self, config: SdkConfig) -> SdkConfig {
        if !self.profile.is_option() {
            return config;
        }
        let conf = ProviderConfig::without_region()
            .with_region(config.region().cloned())
            .with_use_fips(config.use_fips())
            .with_use_dual_stack(config.use_dual_stack());
        let conf = match config.http_client() {
            Some(http) => conf.with_http_client(http),
            None => conf,
        };
        let of_profile =
            ProfileFileCredentialsProvider::builder().configure(&conf).profile_name(&self.profile.name);
        let chain = CredentialsProviderChain::first_try("Profile", of_profile.build())
            .or_else("EcsContainer", EcsCredentialsProvider::builder().configure(&conf).build())
            .or_else(LAST, ImdsCredentialsProvider::builder().configure(&conf).build());
        config.into_builder().credentials_provider(SharedCredentialsProvider::new(chain)).build()
    }

    /// Describes the origin of the credentials, if it is the environment or a profile.
    pub(super) fn origin(&self) -> Option<String> {
        let has = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
        if !self.profile.is_option() && has("AWS_ACCESS_KEY_ID") && has("AWS_SECRET_ACCESS_KEY") {
            return Some("credentials of AWS_ACCESS_KEY_ID".to_owned());
        }
        let profiles = self.profiles.as_ref().ok()?;
        Origin::of(profiles, &self.profile.name)?;
        Some(format!("credentials of {}", self.profile))
    }

    /// Loads the credentials. The first call uses them; expired credentials are reloaded.
    pub(super) async fn loaded(self, config: SdkConfig) -> Result<SdkConfig, CallError> {
        let Some(provider) = config.credentials_provider() else { return Ok(config) };
        let first = match tokio::time::timeout(PATIENCE, provider.provide_credentials()).await {
            Ok(Ok(credentials)) => Mutex::new(Some(credentials)),
            Ok(Err(error)) => return Err(self.explain(&error)),
            Err(_) => {
                let what = format!("{}: no credentials within {} seconds", self.profile, PATIENCE.as_secs());
                let help = "sign in again, or use another profile with `--profile`";
                return Err(CallError::failed(GET_CALLER_IDENTITY, None, what, help));
            }
        };
        let loaded = SharedCredentialsProvider::new(Loaded { first, provider, source: self });
        Ok(config.into_builder().credentials_provider(loaded).build())
    }

    fn explain(&self, error: &CredentialsError) -> CallError {
        let profile = &self.profile;
        if let Some(refused) = find::<SdkError<AssumeRoleError, HttpResponse>>(error) {
            let error = CallError::of(ASSUME_ROLE, refused);
            return CallError { message: format!("{profile}: {}", error.message), ..error };
        }
        if let Some(failed) = find::<ProxyFailed>(error) {
            return CallError::failed(
                GET_CALLER_IDENTITY,
                None,
                format!("{profile}: {failed}"),
                failed.help(),
            );
        }
        let (message, help) = match &self.profiles {
            Err(error) => (unreadable(error), FILES.to_owned()),
            Ok(set) if profile.is_named() && set.get_profile(&profile.name).is_none() => (
                format!("no AWS credentials found: {profile} does not exist"),
                suggestion(&profile.name, set),
            ),
            Ok(set) => match Origin::of(set, &profile.name) {
                Some(Origin::Nowhere(name, source)) => (
                    format!(
                        "{profile} cannot be used: `source_profile = {source}` of profile `{name}` does not exist"
                    ),
                    suggestion(source, set),
                ),
                Some(origin) => self.of_profile(origin, error),
                None if matches!(error, CredentialsError::InvalidConfiguration(_)) => self.invalid(error),
                None => self.without_profile(set, error),
            },
        };
        CallError::failed(GET_CALLER_IDENTITY, None, message, help)
    }

    /// Message and advice if a profile's credentials cannot be loaded.
    fn of_profile(&self, origin: Origin<'_>, error: &CredentialsError) -> (String, String) {
        let profile = &self.profile;
        let cause = cause(error);
        if let Origin::LoginSession(name) = origin {
            return (
                format!("{profile}: flowagg does not support sign-ins with `aws login`"),
                format!(
                    "export the credentials with `eval \"$(aws configure export-credentials --profile {name} --format env)\"`, or use a profile with `sso_session`"
                ),
            );
        }
        if matches!(error, CredentialsError::InvalidConfiguration(_)) {
            return self.invalid(error);
        }
        match origin {
            Origin::Sso(name) => self.of_sso(name, error, &cause),
            Origin::Process(name) => (
                format!("{profile}: `credential_process` failed: {}", without_secrets(&cause)),
                format!("run the `credential_process` command of profile `{name}` in a terminal, and fix it"),
            ),
            Origin::WebIdentity(name) => (
                format!("{profile}: the web identity token cannot be used: {cause}"),
                format!("check `web_identity_token_file` and `role_arn` of profile `{name}`"),
            ),
            Origin::Source(name, source) => (
                format!("{profile}: `credential_source = {source}`: {cause}"),
                format!(
                    "check `credential_source` of profile `{name}`, and run flowagg where that source has credentials"
                ),
            ),
            Origin::Keys(_) | Origin::LoginSession(_) | Origin::Nowhere(..) => self.invalid(error),
        }
    }

    fn of_sso(&self, name: &str, error: &CredentialsError, cause: &str) -> (String, String) {
        let profile = &self.profile;
        let login = format!("sign in with `aws sso login --profile {name}`, then run the command again");
        match find::<SdkError<GetRoleCredentialsError, HttpResponse>>(error) {
            Some(SdkError::ServiceError(context)) => {
                let reason = one_line(context.err().message().unwrap_or("AWS returned no message"));
                match context.err() {
                    GetRoleCredentialsError::UnauthorizedException(_) => {
                        (format!("{profile}: the SSO session has expired or was ended: {reason}"), login)
                    }
                    error => (
                        format!(
                            "{profile}: GetRoleCredentials: {}: {reason}",
                            error.code().unwrap_or("no code")
                        ),
                        format!(
                            "check `sso_account_id` and `sso_role_name` of profile `{name}`: the user must be assigned to this account and permission set in IAM Identity Center"
                        ),
                    ),
                }
            }
            Some(_) => (
                format!("{profile}: GetRoleCredentials request failed: {cause}"),
                format!("check the network, the proxy, and `sso_region` of profile `{name}`"),
            ),
            None => match error {
                CredentialsError::CredentialsNotLoaded(_) => self.invalid(error),
                _ if find::<io::Error>(error)
                    .is_some_and(|error| error.kind() == io::ErrorKind::NotFound) =>
                {
                    (format!("{profile}: not signed in with SSO: no token is cached"), login)
                }
                _ => (format!("{profile}: not signed in with SSO: {cause}"), login),
            },
        }
    }

    fn invalid(&self, error: &CredentialsError) -> (String, String) {
        (format!("{} cannot be used: {}", self.profile, cause(error)), FILES.to_owned())
    }

    /// Message and advice if neither the environment nor the profile has credentials, and the remaining sources failed or had none.
    fn without_profile(&self, set: &ProfileSet, error: &CredentialsError) -> (String, String) {
        let profile = &self.profile;
        let is_set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
        let exists = set.get_profile(&profile.name).is_some();
        let mut what = if is_set("AWS_ACCESS_KEY_ID") && !profile.is_option() {
            "AWS_ACCESS_KEY_ID is set without AWS_SECRET_ACCESS_KEY".to_owned()
        } else if exists {
            format!("{profile} has none")
        } else {
            "the environment has no access keys, and the AWS configuration has no profile `default`"
                .to_owned()
        };
        let attempts = find_not_loaded(error);
        what += &match attempts {
            // No other source is configured. The metadata service was tried unless it is disabled.
            Some(last) if last == LAST && !is_disabled() => {
                "; the instance metadata service has none either".to_owned()
            }
            Some(_) => String::new(),
            None if is_set("AWS_WEB_IDENTITY_TOKEN_FILE") && !profile.is_option() => {
                format!(
                    "; the web identity token of AWS_WEB_IDENTITY_TOKEN_FILE cannot be used: {}",
                    cause(error)
                )
            }
            None if is_set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
                || is_set("AWS_CONTAINER_CREDENTIALS_FULL_URI") =>
            {
                format!("; the container credentials endpoint failed: {}", cause(error))
            }
            None => format!("; the instance metadata service failed: {}", cause(error)),
        };
        let others = listed(&set.profiles().filter(|name| *name != profile.name).collect());
        let help = match others {
            _ if exists && profile.is_named() => format!(
                "add credentials to it with `aws configure sso --profile {name}` or `aws configure --profile {name}`, or select another profile with `--profile`",
                name = profile.name
            ),
            Some(others) => format!("select a profile with `--profile` or AWS_PROFILE: {others}"),
            None => "sign in (`aws configure sso`, `aws configure`), or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY".to_owned(),
        };
        (format!("no AWS credentials found: {what}"), help)
    }
}

const FILES: &str = "correct the AWS configuration: `~/.aws/config` and `~/.aws/credentials`, or the files set in AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE";

fn unreadable(error: &ProfileFileLoadError) -> String {
    format!("the AWS configuration cannot be read: {}", cause(error))
}

/// Whether the metadata service is disabled.
fn is_disabled() -> bool {
    env::var("AWS_EC2_METADATA_DISABLED").is_ok_and(|value| value.eq_ignore_ascii_case("true"))
}

/// The last source of a chain if none of its sources had credentials.
fn find_not_loaded(error: &CredentialsError) -> Option<&str> {
    let chain = find::<ProviderChainError<CredentialsError>>(error)?;
    Some(chain.attempts().last().map_or("", |attempt| attempt.name()))
}

/// The first error of this type in the source chain.
fn find<'e, E: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e E> {
    std::iter::successors(Some(error), |&error| error.source()).find_map(|error| error.downcast_ref())
}

/// The message of the root cause.
fn cause(error: &(dyn Error + 'static)) -> String {
    let deepest = std::iter::successors(Some(error), |&error| error.source()).last();
    let text = one_line(&deepest.map(ToString::to_string).unwrap_or_default());
    text.trim_start_matches(OF_SDK).to_owned()
}

/// Redacts potential secrets in another program's output: long words with digits, such as keys and tokens.
fn without_secrets(text: &str) -> String {
    /// Secret access keys have 40 characters; other tokens can be shorter.
    const SECRET: usize = 32;
    let is_part = |c: char| c.is_ascii_alphanumeric() || "+/=_-.".contains(c);
    let mut shown = String::new();
    for piece in text.split_inclusive(|c| !is_part(c)) {
        let word = piece.trim_end_matches(|c| !is_part(c));
        // Keys do not contain `.`, `-` or `_`.
        let is_path =
            word.starts_with(['/', '.']) && word.contains(['.', '-', '_']) && !word.contains(['+', '=']);
        let is_secret = word.len() >= SECRET && word.contains(|c: char| c.is_ascii_digit()) && !is_path;
        shown.push_str(if is_secret { "***" } else { word });
        shown.extend(piece.chars().skip(word.chars().count()));
    }
    match shown.char_indices().nth(PRINTED) {
        Some((end, _)) => shown.get(..end).unwrap_or_default().to_owned() + "...",
        None => shown,
    }
}

/// A provider with preloaded initial credentials.
#[derive(Debug)]
struct Loaded {
    first: Mutex<Option<Credentials>>,
    provider: SharedCredentialsProvider,
    source: Source,
}

impl Loaded {
    fn take(&self) -> Option<Credentials> {
        let first = self.first.lock().unwrap_or_else(PoisonError::into_inner).take();
        first.filter(|first| first.expiry().is_none_or(|expiry| expiry > SystemTime::now()))
    }

    async fn again(&self) -> provider::Result {
        let loaded = self.provider.provide_credentials().await;
        loaded.map_err(|error| CredentialsError::provider_error(Unloadable(self.source.explain(&error))))
    }
}

impl ProvideCredentials for Loaded {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        match self.take() {
            Some(first) => future::ProvideCredentials::ready(Ok(first)),
            None => future::ProvideCredentials::new(self.again()),
        }
    }

    fn fallback_on_interrupt(&self) -> Option<Credentials> {
        self.provider.fallback_on_interrupt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_tokens_in_program_output_are_redacted() {
        for (text, shown) in [
            (
                "exited with code exit status: 1. Stderr: token expired",
                "exited with code exit status: 1. Stderr: token expired",
            ),
            (
                "Stderr: SecretAccessKey=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY1 failed",
                "Stderr: *** failed",
            ),
            (
                "{\"SecretAccessKey\": \"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY1\"}",
                "{\"SecretAccessKey\": \"***\"}",
            ),
            (
                "no file /usr/local/share/credentials/helper2/config.json here",
                "no file /usr/local/share/credentials/helper2/config.json here",
            ),
        ] {
            assert_eq!(without_secrets(text), shown);
        }
        let long = "a ".repeat(PRINTED);
        assert!(without_secrets(&long).ends_with("..."));
    }
}
