use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use aws_config::{SdkConfig, identity::IdentityCache};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use flowagg_core::failure::{Advice, Failure};
use flowagg_core::id::{AccountId, ExternalId, Partition, Place, Region, RoleName};

use super::role::Role;
use crate::aws::call::{ASSUME_ROLE, DESCRIBE_REGIONS};
use crate::aws::complete::{Incomplete, WholeResponses};
use crate::aws::failure::At;
use crate::aws::traffic::{NameTheCall, Traffic, Wire};

/// An account with credentials.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[allow(missing_docs, reason = "plain fields")]
pub struct Account {
    pub id: AccountId,
    /// The ARN of the caller whose credentials are used; `None` if AWS did not return it.
    pub(super) caller_arn: Option<String>,
    pub(super) config: SdkConfig,
    pub(super) http: SharedHttpClient,
    pub(super) traffic: Arc<Traffic>,
    pub(super) clients: Arc<Clients>,
}

/// Cached clients. Creating one takes longer than a call and uses 20 kB.
#[derive(Debug, Default)]
pub(super) struct Clients {
    ec2: Mutex<BTreeMap<Region, aws_sdk_ec2::Client>>,
    sts: Mutex<BTreeMap<Region, aws_sdk_sts::Client>>,
}

/// The cached client for a region, created on first use.
fn kept<C: Clone>(clients: &Mutex<BTreeMap<Region, C>>, region: &Region, make: impl FnOnce() -> C) -> C {
    let mut clients = clients.lock().unwrap_or_else(PoisonError::into_inner);
    clients.entry(region.clone()).or_insert_with(make).clone()
}

/// A client configuration whose calls are traced, counted and rate-limited. Each account-region has its own retry budget: with the
/// default shared one, an account that always fails would use up the retries of all others.
macro_rules! client {
    ($account:expr, $sdk:ident, $region:expr) => {{
        let Account { id, config, http, traffic, .. } = $account;
        client!(Some(*id), config, http, traffic, $sdk, $region)
    }};
    ($id:expr, $config:expr, $http:expr, $traffic:expr, $sdk:ident, $region:expr) => {{
        let account: Option<AccountId> = $id;
        let whose = account.map_or_else(|| "caller".to_owned(), |id| id.to_string());
        let (http, traffic) = ($http.clone(), Arc::clone($traffic));
        let wire = Wire { account, region: $region.clone(), traffic, http };
        $sdk::config::Builder::from($config)
            .region(sdk_region($region))
            .http_client(wire)
            .retry_partition($sdk::config::retry::RetryPartition::new(format!("{whose} {}", $region)))
            .interceptor(NameTheCall)
            .interceptor(WholeResponses)
    }};
}

impl Account {
    /// Enters another account by assuming a role. In the account itself, no role is assumed.
    pub(super) async fn enter(
        &self,
        id: AccountId,
        role: &RoleName,
        external_id: Option<&ExternalId>,
        region: &Region,
    ) -> Result<Self, Failure> {
        if id == self.id {
            return Ok(self.clone());
        }
        let arn = role.arn(region.partition(), id);
        let at = At::new(Place::new(id, region)).about(&arn);
        let taken = Role::take(self.sts(region), arn, external_id.cloned()).await;
        let role = taken.map_err(|error| at.failure(ASSUME_ROLE, &error))?;
        let config = self
            .config
            .to_builder()
            .credentials_provider(SharedCredentialsProvider::new(role))
            .identity_cache(IdentityCache::no_cache())
            .build();
        Ok(Self { id, config, clients: Arc::default(), ..self.clone() })
    }

    /// The region of calls without an explicit region.
    pub(in crate::aws) fn home(&self) -> Region {
        home(&self.config)
    }

    /// The region in the AWS configuration.
    pub(in crate::aws) fn configured_region(&self) -> Option<Region> {
        configured_region(&self.config)
    }

    /// The regions that are enabled in the account.
    pub(crate) async fn enabled_regions(&self) -> Result<BTreeSet<Region>, Failure> {
        let first = self.home().partition().first_region();
        // Without `AllRegions`, AWS returns only enabled regions.
        let answer = self.ec2(&first).describe_regions().send().await;
        let answer =
            answer.map_err(|error| At::new(Place::new(self.id, &first)).failure(DESCRIBE_REGIONS, &error))?;
        let incomplete =
            |why: &Incomplete| At::new(Place::new(self.id, &first)).incomplete(DESCRIBE_REGIONS, why);
        let enabled = answer.regions().iter().filter(|region| region.opt_in_status() != Some("not-opted-in"));
        let mut regions = BTreeSet::new();
        for region in enabled {
            let region = match region.region_name().map(|name| (name, Region::parse(name))) {
                Some((_, Ok(region))) => region,
                // Emulators return the regions of every partition.
                Some((name, Err(_))) if name.contains("-iso") => continue,
                Some((name, Err(_))) => {
                    return Err(incomplete(&Incomplete::UnknownId(name.to_owned())));
                }
                None => return Err(incomplete(&Incomplete::Missing("the name of a region"))),
            };
            // An account is in one partition.
            if region.partition() == first.partition() {
                regions.insert(region);
            }
        }
        Ok(regions)
    }

    /// Timeout for each attempt of a call.
    #[cfg(feature = "query")]
    pub(in crate::aws) fn call_timeout(&self) -> Option<std::time::Duration> {
        self.config.timeout_config()?.operation_attempt_timeout()
    }

    pub(in crate::aws) fn ec2(&self, region: &Region) -> aws_sdk_ec2::Client {
        let make = || aws_sdk_ec2::Client::from_conf(client!(self, aws_sdk_ec2, region).build());
        kept(&self.clients.ec2, region, make)
    }

    /// The S3 client for a region.
    ///
    /// With a custom endpoint it uses path-style URLs, because `bucket.localhost` does not resolve everywhere.
    pub(in crate::aws) fn s3(&self, region: &Region) -> aws_sdk_s3::Client {
        let path_style =
            self.config.endpoint_url().is_some() || std::env::var_os("AWS_ENDPOINT_URL_S3").is_some();
        let config = client!(self, aws_sdk_s3, region).force_path_style(path_style);
        aws_sdk_s3::Client::from_conf(config.build())
    }

    pub(in crate::aws) fn kms(&self, region: &Region) -> aws_sdk_kms::Client {
        aws_sdk_kms::Client::from_conf(client!(self, aws_sdk_kms, region).build())
    }

    #[cfg(feature = "athena")]
    pub(in crate::aws) fn athena(&self, region: &Region) -> aws_sdk_athena::Client {
        aws_sdk_athena::Client::from_conf(client!(self, aws_sdk_athena, region).build())
    }

    /// The Organizations client. Organizations has one region in each partition.
    pub(in crate::aws) fn organizations(&self) -> aws_sdk_organizations::Client {
        let region = &self.home().partition().first_region();
        aws_sdk_organizations::Client::from_conf(client!(self, aws_sdk_organizations, region).build())
    }

    pub(super) fn sts(&self, region: &Region) -> aws_sdk_sts::Client {
        let make = || aws_sdk_sts::Client::from_conf(client!(self, aws_sdk_sts, region).build());
        kept(&self.clients.sts, region, make)
    }
}

/// The STS client before the account of the credentials is known. Its calls are attributed to `account`.
pub(super) fn sts_of_caller(
    account: Option<AccountId>,
    config: &SdkConfig,
    http: &SharedHttpClient,
    traffic: &Arc<Traffic>,
    region: &Region,
) -> aws_sdk_sts::Client {
    aws_sdk_sts::Client::from_conf(client!(account, config, http, traffic, aws_sdk_sts, region).build())
}

/// The failure for a region that flowagg does not know and that is not enabled in the account.
pub(crate) fn not_a_region(account: AccountId, region: &Region) -> Failure {
    let meant = region.nearest_known().map(|known| format!("did you mean `{known}`? ")).unwrap_or_default();
    let advice =
        Advice::for_place(|account, region| format!("{meant}otherwise enable {region} in {account}"));
    let what = "flowagg does not know this region and the account does not list it; no calls were made there";
    At::new(Place::new(account, region)).failed(DESCRIBE_REGIONS, None, what, advice)
}

/// The region of calls without an explicit region.
pub(super) fn home(config: &SdkConfig) -> Region {
    configured_region(config).unwrap_or(Partition::Aws.first_region())
}

fn configured_region(config: &SdkConfig) -> Option<Region> {
    config.region().and_then(|region| Region::parse(region.as_ref()).ok())
}

pub(super) fn sdk_region(region: &Region) -> aws_config::Region {
    aws_config::Region::new(region.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use aws_config::retry::RetryConfig;
    use flowagg_core::id::{Place, Region};
    use futures::future::join_all;

    use super::super::mocked::answered;
    use crate::aws::call::{ASSUME_ROLE, DESCRIBE_VPCS, GET_ENCRYPTION};
    use crate::aws::failure::At;

    fn throttled() -> (u16, String) {
        let code = "<Code>RequestLimitExceeded</Code><Message>Slow down.</Message>";
        (503, format!("<Response><Errors><Error>{code}</Error></Errors></Response>"))
    }

    #[tokio::test]
    async fn throttled_account_does_not_use_up_retries_of_other_accounts() {
        static CALLS: AtomicUsize = AtomicUsize::new(0);
        let region = Region::parse("eu-west-1").unwrap();
        let tries =
            RetryConfig::standard().with_max_attempts(3).with_initial_backoff(Duration::from_millis(1));

        let busy = answered("222222222222", tries.clone(), |_, _| throttled());
        let asked = (0..80).map(|_| async { busy.ec2(&region).describe_vpcs().send().await.is_err() });
        assert!(join_all(asked).await.into_iter().all(|failed| failed));

        let calm = answered("333333333333", tries, |_, _| match CALLS.fetch_add(1, Ordering::Relaxed) {
            0 => throttled(),
            _ => (200, "<DescribeVpcsResponse><vpcSet/></DescribeVpcsResponse>".to_owned()),
        });
        calm.ec2(&region).describe_vpcs().send().await.unwrap();
        assert_eq!(CALLS.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn empty_or_truncated_response_fails_calls_of_every_service() {
        let region = Region::parse("eu-west-1").unwrap();
        for (body, expected) in [
            ("", "the response is empty"),
            ("<A><b/>", "the response is incomplete: it does not end with `</A>`"),
        ] {
            let answer: fn(&str, &str) -> (u16, String) = match body {
                "" => |_, _| (200, String::new()),
                _ => |_, _| (200, "<A><b/>".to_owned()),
            };
            let account = answered("222222222222", RetryConfig::disabled(), answer);
            let at = At::new(Place::new(account.id, &region));
            let vpcs = account.ec2(&region).describe_vpcs().send().await.unwrap_err();
            let role = account.sts(&region).assume_role().role_arn("r").role_session_name("s");
            let role = role.send().await.unwrap_err();
            let encryption =
                account.s3(&region).get_bucket_encryption().bucket("logs").send().await.unwrap_err();
            for failure in [
                at.failure(DESCRIBE_VPCS, &vpcs),
                at.failure(ASSUME_ROLE, &role),
                at.failure(GET_ENCRYPTION, &encryption),
            ] {
                assert_eq!(failure.message, expected, "{failure:?}");
            }
        }
    }

    #[tokio::test]
    async fn empty_responses_to_s3_writes_are_accepted_and_errors_keep_their_code() {
        let region = Region::parse("eu-west-1").unwrap();
        let account = answered("222222222222", RetryConfig::disabled(), |_, _| (204, String::new()));
        let s3 = account.s3(&region);
        s3.put_bucket_policy().bucket("logs").policy("{}").send().await.unwrap();
        s3.delete_bucket_policy().bucket("logs").send().await.unwrap();
        s3.head_bucket().bucket("logs").send().await.unwrap();

        let account = answered("222222222222", RetryConfig::disabled(), |_, _| throttled());
        let error = account.ec2(&region).describe_vpcs().send().await.unwrap_err();
        let failure = At::new(Place::new(account.id, &region)).failure(DESCRIBE_VPCS, &error);
        assert_eq!(
            (failure.code.as_deref(), failure.message.as_str()),
            (Some("RequestLimitExceeded"), "Slow down.")
        );
    }
}
