//! Accounts and credentials: the caller's own account, and a role in every other account, assumed once.

mod account;
mod caller;
mod credentials;
mod endpoint;
#[cfg(test)]
mod mocked;
mod organization;
mod profile;
mod role;
mod settings;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_config::identity::IdentityCache;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig, retry::RetryConfig};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use flowagg_core::failure::Failure;
use flowagg_core::fleet::{Fleet, FleetFile};
use flowagg_core::id::{AccountId, ExternalId, Place, Region, RoleName};

pub use account::Account;
pub(crate) use account::not_a_region;
use organization::named_units;
pub(crate) use organization::{Units, find_accounts};

use self::caller::identify;
use self::credentials::Source;
use self::profile::UsedProfile;
use self::settings::{check_endpoints, check_partition, check_partitions, check_region};
use super::failure::{CallError, may_be_wrong_account};
use super::proxy::http_client;
use super::setting::SettingError;
use super::traffic::Calls;

/// Attempts for throttled and failed calls, with backoff in between.
const ATTEMPTS: u32 = 6;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The STS error codes for expired or rejected credentials.
///
/// Source: "Common error types" (AWS STS API Reference).
const OF_CREDENTIALS: [&str; 4] =
    ["ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "SignatureDoesNotMatch"];

/// How to reach AWS. By default with the credentials and configuration of the standard chain.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Connection {
    /// A custom endpoint for all calls.
    pub endpoint_url: Option<String>,
    /// Timeout for each attempt of a call. An [`SdkConfig`] with a timeout configuration takes precedence.
    pub call_timeout: Duration,
    /// The profile for credentials, as with `--profile` in the AWS CLI. It takes precedence over the fleet file and `AWS_PROFILE`, and
    /// access keys in the environment are ignored. Not used with an [`SdkConfig`].
    pub profile: Option<String>,
    /// The region of the initial calls: the caller's identity, roles, and the region of an imported bucket. Default: the hub's region;
    /// without a fleet file, the region of the standard chain. It never affects the fleet's regions.
    pub region: Option<Region>,
    config: Option<SdkConfig>,
}

impl Connection {
    /// The default timeout for each attempt of a call.
    pub const CALL_TIMEOUT: Duration = Duration::from_secs(20);

    /// Uses the credentials, the region and the endpoint of this configuration instead of the standard chain's.
    ///
    /// STS is called in the region of the configuration, or in the hub's if it has none. Retries, timeouts and the HTTP client come from
    /// the configuration; values that it does not set get flowagg's defaults. `hub.profile` in the fleet file is not used.
    ///
    /// ```no_run
    /// use aws_config::{BehaviorVersion, Region};
    /// use flowagg::aws::{Connection, Session};
    /// use flowagg_core::fleet::{Fleet, FleetFile};
    ///
    /// # async fn example(fleet_file: &str) -> Result<(), Box<dyn std::error::Error>> {
    /// let config = aws_config::defaults(BehaviorVersion::latest())
    ///     .profile_name("network")
    ///     .region(Region::new("eu-west-1"))
    ///     .endpoint_url("http://localhost:4566")
    ///     .load()
    ///     .await;
    /// let file = FleetFile::parse(fleet_file)?;
    /// let session = Session::open(&file, &Connection::from_sdk_config(config)).await?;
    /// println!("{} uses the hub {}", session.caller(), session.hub().id);
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_sdk_config(config: SdkConfig) -> Self {
        Self { config: Some(config), ..Self::default() }
    }

    /// Loads the configuration and HTTP client of all calls, and the source of the credentials unless it is an [`SdkConfig`].
    ///
    /// Precedence of regions: the connection, the [`SdkConfig`], `hub_region`, the standard chain.
    async fn load(
        &self,
        hub_region: Option<&Region>,
        profile: Option<&str>,
    ) -> Result<(SdkConfig, SharedHttpClient, Option<Source>), SettingError> {
        check_partitions()?;
        let region = self.region.as_ref().or(hub_region);
        if let Some(config) = &self.config {
            let config = self.complete(config, hub_region);
            check_endpoints(&config, self.endpoint_url.as_deref())?;
            let http = config.http_client().map_or_else(http_client, Ok)?;
            return Ok((config, http, None));
        }
        let profile = UsedProfile::new(self.profile.as_deref(), profile)?;
        let http = http_client()?;
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(http.clone())
            .profile_name(&profile.name)
            // Responses are small, and each attempt has its own timeout.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .retry_config(retries())
            .timeout_config(timeouts(self.call_timeout));
        if let Some(region) = region {
            loader = loader.region(account::sdk_region(region));
        }
        if let Some(url) = &self.endpoint_url {
            loader = loader.endpoint_url(url);
        }
        let source = Source::of(profile).await?;
        let config = endpoint::without_empty(&loader.load().await);
        check_endpoints(&config, self.endpoint_url.as_deref())?;
        check_region(&config, &source.profile.name)?;
        let config = source.configured(config);
        Ok((config, http, Some(source)))
    }

    /// Fills in values that an embedder's configuration does not set.
    fn complete(&self, config: &SdkConfig, hub_region: Option<&Region>) -> SdkConfig {
        let is_set = config.region().is_some_and(|region| Region::parse(region.as_ref()).is_ok());
        let mut complete = config.to_builder();
        if let Some(region) = self.region.as_ref().or(hub_region.filter(|_| !is_set)) {
            complete.set_region(account::sdk_region(region));
        }
        if let Some(url) = &self.endpoint_url {
            complete.set_endpoint_url(Some(url.clone()));
        }
        if config.retry_config().is_none() {
            complete.set_retry_config(Some(retries()));
        }
        if config.timeout_config().is_none() {
            complete.set_timeout_config(Some(timeouts(self.call_timeout)));
        }
        if config.stalled_stream_protection().is_none() {
            complete.set_stalled_stream_protection(Some(StalledStreamProtectionConfig::disabled()));
        }
        // Without a shared cache, each region's client would load the credentials.
        if config.identity_cache().is_none() {
            complete.set_identity_cache(Some(IdentityCache::lazy().build()));
        }
        endpoint::without_empty(&complete.build())
    }
}

impl Default for Connection {
    fn default() -> Self {
        Self {
            endpoint_url: None,
            call_timeout: Self::CALL_TIMEOUT,
            profile: None,
            region: None,
            config: None,
        }
    }
}

/// Why a session could not be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// An option or environment variable is invalid; no AWS calls were made.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// The caller could not be identified because there are no usable credentials. This includes a profile's role that could not be
    /// assumed.
    #[error(transparent)]
    Caller(Failure),
    /// The caller was identified but cannot use the hub account.
    #[error(transparent)]
    Hub(Failure),
}

/// Why a session of the caller's own account could not be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenOwnError {
    /// An option or environment variable is invalid; no AWS calls were made.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// The caller could not be identified.
    #[error(transparent)]
    Caller(#[from] CallError),
}

/// The caller and the hub account, both with credentials.
#[derive(Clone, Debug)]
pub struct Session {
    caller: Account,
    hub: Account,
    external_id: Option<ExternalId>,
}

impl Session {
    /// Identifies the caller, and assumes a role in the hub account if the caller is in another account.
    ///
    /// Credentials come from the standard chain (with `hub.profile` if it is set), or from the configuration of
    /// [`Connection::from_sdk_config`].
    pub async fn open(file: &FleetFile, connection: &Connection) -> Result<Self, OpenError> {
        let hub = &file.hub;
        if let Some(region) = &connection.region {
            check_partition(region, &hub.region)?;
        }
        // An unknown region may be misspelled and then has no STS endpoint.
        let first = Some(&hub.region).filter(|region| region.is_known()).cloned();
        let first = first.unwrap_or_else(|| hub.region.partition().first_region());
        let (config, http, source) = connection.load(Some(&first), hub.profile.as_deref()).await?;
        let region = account::home(&config);
        // Until the caller is known, its calls are attributed to the hub account.
        let caller = sign_in(config, http, source, Some(hub.account), &region).await;
        let caller = caller.map_err(|error| OpenError::Caller(error.at(Place::new(hub.account, &region))))?;
        let account = open_hub(&caller, file).await.map_err(OpenError::Hub)?;
        if !hub.region.is_known() {
            let enabled = account.enabled_regions().await.map_err(OpenError::Hub)?;
            if !enabled.contains(&hub.region) {
                return Err(OpenError::Hub(not_a_region(account.id, &hub.region)));
            }
        }
        Ok(Self { caller, hub: account, external_id: file.external_id.clone() })
    }

    /// Opens the caller's own account as the hub, for use without a fleet file. The region comes from the connection or the standard
    /// chain.
    ///
    /// Fails if AWS does not identify the caller. The error has no account because none is known.
    pub async fn open_own_account(connection: &Connection) -> Result<Self, OpenOwnError> {
        let (config, http, source) = connection.load(None, None).await?;
        let region = account::home(&config);
        let caller = sign_in(config, http, source, None, &region).await?;
        Ok(Self { hub: caller.clone(), caller, external_id: None })
    }

    /// The caller's account.
    pub fn caller(&self) -> AccountId {
        self.caller.id
    }

    /// The ARN of the caller, as AWS returned it.
    pub fn caller_arn(&self) -> Option<&str> {
        self.caller.caller_arn.as_deref()
    }

    /// The same session with this region as the default for calls.
    pub(crate) fn moved_to(&self, region: &Region) -> Self {
        let moved = |account: &Account| {
            let config = account.config.to_builder().region(account::sdk_region(region)).build();
            Account { config, clients: Arc::default(), ..account.clone() }
        };
        let external_id = self.external_id.clone();
        Self { caller: moved(&self.caller), hub: moved(&self.hub), external_id }
    }

    /// The hub account.
    pub fn hub(&self) -> &Account {
        &self.hub
    }

    /// Enters an account: the caller's own, the hub, or another one by its role.
    pub(crate) async fn enter(&self, id: AccountId, role: &RoleName) -> Result<Account, Failure> {
        if id == self.hub.id {
            Ok(self.hub.clone())
        } else {
            self.caller.enter(id, role, self.external_id.as_ref(), &self.hub.home()).await
        }
    }
}

/// Loads the credentials and identifies the caller.
async fn sign_in(
    config: SdkConfig,
    http: SharedHttpClient,
    source: Option<Source>,
    counted_as: Option<AccountId>,
    region: &Region,
) -> Result<Account, CallError> {
    let Some(source) = source else { return identify(config, http, counted_as, region).await };
    let origin = source.origin();
    let config = source.loaded(config).await?;
    identify(config, http, counted_as, region).await.map_err(|error| {
        let is_refused = error.code.as_deref().is_some_and(|code| OF_CREDENTIALS.contains(&code));
        match origin {
            Some(origin) if is_refused => {
                CallError { message: format!("{} ({origin})", error.message), ..error }
            }
            _ => error,
        }
    })
}

async fn open_hub(caller: &Account, file: &FleetFile) -> Result<Account, Failure> {
    let hub = &file.hub;
    let as_member = file.members.get(&hub.account).map(|member| &member.role);
    let as_found = file.discovery().map(|(_, discovery)| &discovery.role);
    let role = hub.role.as_ref().or(as_member).or(as_found).cloned().unwrap_or_default();
    let entered = caller.enter(hub.account, &role, file.external_id.as_ref(), &caller.home()).await;
    entered.map_err(|mut failure| {
        let way_out = match (&hub.role, &file.read_role) {
            (None, _) => "set `hub.profile` or `hub.role`, or use the hub's own credentials".to_owned(),
            // The command only reads.
            (Some(role), Some(read_role)) if role == read_role => {
                format!("use the hub's own credentials (`hub.profile`), or create the role `{role}` in the hub account with a trust policy for the caller")
            }
            (Some(_), _) => return failure,
        };
        if may_be_wrong_account(&failure) {
            failure.advice =
                format!("the credentials are for account {}, but the hub account is {}: {way_out}", caller.id, hub.account).into();
        }
        failure
    })
}

/// The accounts of a fleet. Each is reachable or has the failure.
#[derive(Clone, Debug)]
pub struct Accounts {
    pub(super) session: Session,
    pub(super) members: BTreeMap<AccountId, Result<Account, Failure>>,
    pub(super) units: BTreeMap<AccountId, String>,
}

impl Accounts {
    /// The session that entered the accounts.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The hub account.
    pub fn hub(&self) -> &Account {
        self.session.hub()
    }

    /// The caller's account. Roles are assumed with its credentials.
    pub fn caller(&self) -> &Account {
        &self.session.caller
    }

    /// A member's account or the failure to enter it; `None` if it is not a member.
    pub fn member(&self, account: AccountId) -> Option<Result<&Account, &Failure>> {
        self.members.get(&account).map(Result::as_ref)
    }

    /// For each member, whether its account was entered, or the failure.
    pub fn entered(&self) -> BTreeMap<AccountId, Result<(), Failure>> {
        let entered = self.members.iter();
        entered.map(|(id, account)| (*id, account.as_ref().map(drop).map_err(Clone::clone))).collect()
    }

    /// The path of organizational units of each account, topmost first, separated by slashes. Only contains accounts that were listed
    /// from the organization.
    pub fn units(&self) -> &BTreeMap<AccountId, String> {
        &self.units
    }

    /// Like [`Accounts::units`], with the name of each unit next to its ID if it can be read.
    pub async fn named_units(&self, fleet: &Fleet) -> BTreeMap<AccountId, String> {
        match fleet.organization.as_ref().and_then(|organization| organization.discovery.as_ref()) {
            Some(discovery) => named_units(&self.session, discovery, &self.units).await,
            None => self.units.clone(),
        }
    }

    /// The calls sent since the previous `take_calls`.
    pub fn take_calls(&self) -> Calls {
        self.session.caller.traffic.take()
    }
}

fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(ATTEMPTS)
}

fn timeouts(call: Duration) -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).operation_attempt_timeout(call).build()
}
