//! Accounts and credentials: the caller's own, and a role in every other account, each taken once.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig, identity::IdentityCache, retry::RetryConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{self, ProvideCredentials, SharedCredentialsProvider, future};
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use flowagg_core::fleet::{Fleet, Hub, Only};
use flowagg_core::id::{AccountId, Region, RoleName};
use flowagg_core::observed::{Failure, Place};
use futures::{StreamExt, stream};

use super::call::{ASSUME_ROLE, GET_CALLER_IDENTITY};
use super::failure::At;

/// How often a throttled or failed call is tried, with back-off between.
const ATTEMPTS: u32 = 6;
const FIRST_ATTEMPTS: u32 = 2;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Credentials are renewed when they have less than this left.
const RENEW_BEFORE: Duration = Duration::from_secs(300);
/// What CloudTrail shows as the caller in every account.
const SESSION_NAME: &str = "flowagg";

/// How AWS is reached.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Send every call there instead of to AWS.
    pub endpoint_url: Option<String>,
    /// How long one try of a call may take.
    pub call_timeout: Duration,
}

impl Connection {
    /// The time that one try of a call may take, where nothing else is said.
    pub const CALL_TIMEOUT: Duration = Duration::from_secs(20);
}

impl Default for Connection {
    fn default() -> Self {
        Self { endpoint_url: None, call_timeout: Self::CALL_TIMEOUT }
    }
}

/// Every account of a fleet: reachable, or with the reason why not.
pub struct Accounts {
    hub: Account,
    members: BTreeMap<AccountId, Result<Account, Failure>>,
    only: Vec<Only>,
}

impl Accounts {
    /// Finds out who the caller is, and takes a role in every other account. Fails when the hub cannot be reached.
    ///
    /// Credentials come from the standard chain, from `hub.profile` where it is set. No role is taken in the account
    /// that the caller is already in. With `only`, no other member is reached or looked at.
    pub async fn open(fleet: &Fleet, connection: &Connection, only: &[Only]) -> Result<Self, Failure> {
        let base = base(&fleet.hub, connection).await;
        let caller = caller(&base, &fleet.hub).await?;
        let hub = open_hub(&base, caller, fleet).await?;
        let looked_at: BTreeMap<AccountId, &RoleName> =
            fleet.places_in(only).map(|(member, _)| (member.account, &member.role)).collect();
        let members = stream::iter(looked_at).map(|(account, role)| {
            let (base, hub) = (&base, &hub);
            async move {
                if account == hub.id {
                    return (account, Ok(hub.clone()));
                }
                (account, Account::open(base, caller, account, role, &fleet.hub.region).await)
            }
        });
        let members = members.buffer_unordered(super::AT_ONCE).collect().await;
        Ok(Self { hub, members, only: only.to_vec() })
    }

    /// Whether every account and region is looked at.
    pub fn is_whole(&self) -> bool {
        self.only.is_empty()
    }

    /// The accounts and regions to look at.
    pub(super) fn places(&self, fleet: &Fleet) -> Vec<Place> {
        let places = fleet.places_in(&self.only);
        places.map(|(member, region)| Place { account: member.account, region: region.clone() }).collect()
    }

    /// The hub account.
    pub fn hub(&self) -> &Account {
        &self.hub
    }

    /// A member's account, or why it cannot be reached.
    pub fn member(&self, account: AccountId) -> Option<Result<&Account, &Failure>> {
        self.members.get(&account).map(Result::as_ref)
    }
}

async fn open_hub(base: &SdkConfig, caller: AccountId, fleet: &Fleet) -> Result<Account, Failure> {
    let hub = &fleet.hub;
    let as_member = fleet.members.get(&hub.account).map(|member| &member.role);
    let role = hub.role.as_ref().or(as_member).cloned().unwrap_or_default();
    Account::open(base, caller, hub.account, &role, &hub.region).await.map_err(|failure| match hub.role {
        Some(_) => failure,
        None => Failure {
            help: format!(
                "the credentials are for {caller}, the hub is {}: set `hub.profile` or `hub.role`, or use the hub's own credentials",
                hub.account
            ),
            ..failure
        },
    })
}

/// An account with credentials for it.
#[derive(Clone, Debug)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    config: SdkConfig,
}

impl Account {
    async fn open(
        base: &SdkConfig,
        caller: AccountId,
        id: AccountId,
        role: &RoleName,
        hub_region: &Region,
    ) -> Result<Self, Failure> {
        if id == caller {
            return Ok(Self { id, config: base.clone() });
        }
        let arn = role.arn(hub_region.partition(), id);
        let at = At::new(id, hub_region).about(&arn);
        let provider =
            AssumeRoleProvider::builder(arn).session_name(SESSION_NAME).configure(base).build().await;
        let first = provider.provide_credentials().await.map_err(|error| {
            let error: SdkError<aws_sdk_sts::operation::assume_role::AssumeRoleError, HttpResponse> =
                SdkError::construction_failure(error);
            at.failure(ASSUME_ROLE, &error)
        })?;
        let config = base
            .to_builder()
            .credentials_provider(SharedCredentialsProvider::new(Role { first, provider }))
            .identity_cache(IdentityCache::lazy().build())
            .build();
        Ok(Self { id, config })
    }

    /// The account in a region, to EC2.
    pub fn ec2(&self, region: &Region) -> aws_sdk_ec2::Client {
        let config = aws_sdk_ec2::config::Builder::from(&self.config);
        aws_sdk_ec2::Client::from_conf(config.region(sdk_region(region)).build())
    }

    /// The account in a region, to S3.
    ///
    /// With an endpoint of one's own, buckets are named in the path: `bucket.localhost` does not resolve everywhere.
    pub fn s3(&self, region: &Region) -> aws_sdk_s3::Client {
        let path_style =
            self.config.endpoint_url().is_some() || std::env::var_os("AWS_ENDPOINT_URL_S3").is_some();
        let config = aws_sdk_s3::config::Builder::from(&self.config);
        aws_sdk_s3::Client::from_conf(config.region(sdk_region(region)).force_path_style(path_style).build())
    }
}

/// A role's credentials: the first that were had, and new ones before they run out.
#[derive(Debug)]
struct Role {
    first: Credentials,
    provider: AssumeRoleProvider,
}

impl ProvideCredentials for Role {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let good = self.first.expiry().is_none_or(|expiry| expiry > SystemTime::now() + RENEW_BEFORE);
        if good {
            return future::ProvideCredentials::ready(provider::Result::Ok(self.first.clone()));
        }
        self.provider.provide_credentials()
    }
}

fn sdk_region(region: &Region) -> aws_config::Region {
    aws_config::Region::new(region.as_str().to_owned())
}

async fn base(hub: &Hub, connection: &Connection) -> SdkConfig {
    // One client for all: each would read the machine's root certificates and keep connections of its own.
    let https = aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        .build_https();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(https)
        .region(sdk_region(&hub.region))
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(CONNECT_TIMEOUT)
                .operation_attempt_timeout(connection.call_timeout)
                .build(),
        );
    if let Some(profile) = &hub.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(url) = &connection.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    loader.load().await
}

async fn caller(base: &SdkConfig, hub: &Hub) -> Result<AccountId, Failure> {
    let at = At::new(hub.account, &hub.region);
    // The first call: whoever mistyped an endpoint should not wait for six tries.
    let tries = aws_sdk_sts::config::Builder::new()
        .retry_config(RetryConfig::standard().with_max_attempts(FIRST_ATTEMPTS));
    let answer =
        aws_sdk_sts::Client::new(base).get_caller_identity().customize().config_override(tries).send().await;
    let identity = answer.map_err(|error| {
        let failure = at.failure(GET_CALLER_IDENTITY, &error);
        match base.endpoint_url() {
            Some(url) if failure.code.is_none() => {
                Failure { message: format!("{} ({url})", failure.message), ..failure }
            }
            _ => failure,
        }
    })?;
    let account = identity.account().unwrap_or_default();
    AccountId::parse(account).map_err(|error| {
        at.failed(
            GET_CALLER_IDENTITY,
            None,
            error.to_string(),
            "check the endpoint: this is no answer of AWS",
        )
    })
}
