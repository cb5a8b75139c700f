//! The cost of the calls of a first `apply` when the SDK alone makes them: the lower bound of flowagg's CPU time per
//! call.
//!
//! Each account-region has its own client, with the settings of flowagg's clients but without flowagg's additions: no
//! interceptor, no counting, no pacing. Responses are used only for the next request. The clients are created before
//! the clock starts, and their cost is printed next to that of the calls. It includes a part that flowagg avoids: by
//! default, a client validates its HTTP client, which reads the root certificates of the machine.

use std::error::Error;
use std::time::{Duration, Instant};

use aws_sdk_ec2::Client;
use aws_sdk_ec2::config::retry::RetryConfig;
use aws_sdk_ec2::config::timeout::TimeoutConfig;
use aws_sdk_ec2::config::{
    BehaviorVersion, Config, Credentials, IdentityCache, Region, SharedHttpClient,
    StalledStreamProtectionConfig,
};
use aws_sdk_ec2::types::{
    FlowLogsResourceType, LogDestinationType, ResourceType, Tag, TagSpecification, TrafficType,
};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use flowagg_testkit::simulation::{BUCKET, Simulation};
use futures::StreamExt;

use crate::endpoint::Endpoint;
use crate::fleet::Size;
use crate::usage::{self, Cost};

/// Number of concurrent calls, as in flowagg.
const AT_ONCE: usize = 448;

/// The results.
pub(crate) struct Floor {
    pub(crate) cost: Cost,
    pub(crate) wall: Duration,
    /// The CPU time of creating a client, if the system reports it.
    pub(crate) client: Option<Duration>,
}

/// Makes the EC2 calls of a first `apply` in a fleet of this size.
pub(crate) fn measure(size: &Size) -> Result<Floor, Box<dyn Error>> {
    let endpoint = Endpoint::start(size)?;
    let shape = size.shape();
    let accounts = Simulation::new(shape.clone());
    let places =
        accounts.accounts().iter().flat_map(|account| shape.regions().iter().map(|at| (&account.id, *at)));
    let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc)).build_https();

    let before = usage::of_process();
    let made = places.map(|(account, region)| client(&http, endpoint.url(), account, region));
    let clients: Vec<Client> = made.collect();
    let number = u32::try_from(clients.len())?;
    let making = before.and_then(|before| usage::of_process()?.checked_sub(before));

    let runtime = tokio::runtime::Runtime::new()?;
    let (before, start) = (usage::of_process(), Instant::now());
    let sent = runtime.block_on(async {
        let reading = clients.into_iter().map(|client| tokio::spawn(read(client)));
        let mut reading = futures::stream::iter(reading).buffer_unordered(AT_ONCE / 2);
        let mut found = Vec::new();
        while let Some(read) = reading.next().await {
            found.push(read??);
        }
        let creating = found.into_iter().map(|(client, vpcs)| tokio::spawn(create(client, vpcs)));
        let mut creating = futures::stream::iter(creating).buffer_unordered(AT_ONCE);
        while let Some(created) = creating.next().await {
            created??;
        }
        Sent::Ok(())
    });
    sent.map_err(|error| -> Box<dyn Error> { error })?;
    let wall = start.elapsed();
    let all = before.and_then(|before| usage::of_process()?.checked_sub(before));
    let cost = Cost { calls: endpoint.calls().len(), all, endpoint: endpoint.cpu() };
    Ok(Floor { cost, wall, client: making.map(|all| all / number.max(1)) })
}

fn client(http: &SharedHttpClient, url: &str, account: &str, region: &str) -> Client {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .operation_attempt_timeout(Duration::from_secs(20));
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .endpoint_url(url)
        // The endpoint interprets the access key as the account.
        .credentials_provider(Credentials::new(account, "secret", Some("token".to_owned()), None, "floor"))
        .identity_cache(IdentityCache::no_cache())
        .http_client(http.clone())
        .retry_config(RetryConfig::standard())
        .timeout_config(timeouts.build())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    Client::from_conf(config.build())
}

type Sent<T> = Result<T, Box<dyn Error + Send + Sync>>;

async fn read(client: Client) -> Sent<(Client, Vec<String>)> {
    let (vpcs, flow_logs) = futures::join!(client.describe_vpcs().send(), client.describe_flow_logs().send());
    flow_logs?;
    let ids = vpcs?.vpcs().iter().filter_map(|vpc| vpc.vpc_id().map(str::to_owned)).collect();
    Ok((client, ids))
}

async fn create(client: Client, vpcs: Vec<String>) -> Sent<()> {
    let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build();
    let tags = TagSpecification::builder()
        .resource_type(ResourceType::VpcFlowLog)
        .tags(tag("managed-by", "flowagg"))
        .tags(tag("flowagg-fleet", BUCKET))
        .build();
    let request = client
        .create_flow_logs()
        .resource_type(FlowLogsResourceType::Vpc)
        .set_resource_ids(Some(vpcs))
        .traffic_type(TrafficType::All)
        .log_destination_type(LogDestinationType::S3)
        .log_destination(format!("arn:aws:s3:::{BUCKET}"))
        .max_aggregation_interval(600)
        .tag_specifications(tags);
    request.send().await?;
    Ok(())
}
