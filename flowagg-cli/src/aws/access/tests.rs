use std::sync::{Arc, Mutex};

use aws_config::timeout::TimeoutConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

use super::mocked::{answered, role};
use super::*;
use crate::aws::mocked::{file, fleet};

const ENDPOINT: &str = "http://aws.example";

/// A fake STS for one account that records the URL and signature of each request.
#[derive(Clone, Debug)]
struct Sts {
    account: &'static str,
    requests: Arc<Mutex<Vec<(String, String)>>>,
}

impl Sts {
    fn of(account: &'static str) -> Self {
        Self { account, requests: Arc::default() }
    }

    /// A configuration with only credentials and an endpoint.
    fn config(&self) -> SdkConfig {
        let connector = SharedHttpConnector::new(self.clone());
        let credentials = Credentials::new("OWN", "secret", None, None, "test");
        SdkConfig::builder()
            .http_client(http_client_fn(move |_, _| connector.clone()))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .endpoint_url(ENDPOINT)
            .build()
    }

    fn requests(&self) -> Vec<(String, String)> {
        self.requests.lock().unwrap().clone()
    }
}

impl HttpConnector for Sts {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let signature = request.headers().get("authorization").unwrap_or_default();
        self.requests.lock().unwrap().push((request.uri().to_owned(), signature.to_owned()));
        let account = &self.account;
        let caller = format!("<Account>{account}</Account><Arn>arn:aws:iam::{account}:user/jane</Arn>");
        let result = format!("<GetCallerIdentityResult>{caller}</GetCallerIdentityResult>");
        let answer = format!("<GetCallerIdentityResponse>{result}</GetCallerIdentityResponse>");
        HttpConnectorFuture::ready(Ok(HttpResponse::new(200.try_into().unwrap(), SdkBody::from(answer))))
    }
}

#[tokio::test]
async fn session_uses_the_given_credentials_region_and_endpoint() {
    let sts = Sts::of("111122223333");
    let config = sts.config().to_builder().region(aws_config::Region::new("us-east-1")).build();
    let session = Session::open(&file(), &Connection::from_sdk_config(config)).await.unwrap();
    assert_eq!((session.caller(), session.hub().id), (fleet().hub.account, fleet().hub.account));
    assert_eq!(session.caller_arn(), Some("arn:aws:iam::111122223333:user/jane"));
    let [(url, signature)] = &sts.requests()[..] else { panic!("{:?}", sts.requests()) };
    assert!(url.starts_with(ENDPOINT), "{url}");
    assert!(signature.contains("Credential=OWN/") && signature.contains("/us-east-1/sts/"), "{signature}");
}

#[tokio::test]
async fn session_without_a_valid_region_uses_the_hub_region() {
    for region in [None, Some(aws_config::Region::new("nowhere"))] {
        let sts = Sts::of("111122223333");
        let config = sts.config().to_builder().region(region).build();
        let session = Session::open(&file(), &Connection::from_sdk_config(config)).await.unwrap();
        assert_eq!(session.hub().home(), fleet().hub.region);
        assert!(sts.requests()[0].1.contains("/eu-west-1/sts/"), "{:?}", sts.requests());
    }
}

#[test]
fn values_of_the_configuration_are_kept_and_others_get_defaults() {
    let region = fleet().hub.region;
    let own = TimeoutConfig::builder().connect_timeout(Duration::from_secs(1)).build();
    let config = Sts::of("111122223333").config();
    let set = config.to_builder().timeout_config(own.clone()).retry_config(RetryConfig::disabled());
    let kept = Connection::default().complete(&set.build(), Some(&region));
    assert_eq!(kept.timeout_config(), Some(&own));
    assert_eq!(kept.retry_config().map(RetryConfig::max_attempts), Some(1));

    let filled = Connection::default().complete(&config, Some(&region));
    assert_eq!(filled.timeout_config(), Some(&timeouts(Connection::CALL_TIMEOUT)));
    assert_eq!(filled.retry_config().map(RetryConfig::max_attempts), Some(ATTEMPTS));
    assert!(filled.identity_cache().is_some());
}

#[tokio::test]
async fn session_without_a_fleet_file_uses_the_callers_account() {
    let sts = Sts::of("333333333333");
    let config = sts.config().to_builder().region(aws_config::Region::new("eu-north-1")).build();
    let session = Session::open_own_account(&Connection::from_sdk_config(config)).await.unwrap();
    assert_eq!(
        (session.caller(), session.hub().id.to_string()),
        (session.hub().id, "333333333333".to_owned())
    );
    assert!(sts.requests()[0].1.contains("/eu-north-1/sts/"), "{:?}", sts.requests());
    assert_eq!(session.moved_to(&fleet().hub.region).hub().home(), fleet().hub.region);
}

/// Returns an empty value for every setting of every service, like variables that are set but empty.
#[derive(Debug)]
struct Empty;

impl LoadServiceConfig for Empty {
    fn load_config(&self, _: ServiceConfigKey<'_>) -> Option<String> {
        Some(String::new())
    }
}

#[tokio::test]
async fn empty_endpoint_counts_as_not_set() {
    let sts = Sts::of("111122223333");
    let region = aws_config::Region::new("eu-west-1");
    let config = sts.config().into_builder().endpoint_url("").service_config(Empty).region(region).build();
    Session::open_own_account(&Connection::from_sdk_config(config)).await.unwrap();
    assert_eq!(sts.requests()[0].0, "https://sts.eu-west-1.amazonaws.com/");
}

#[test]
fn endpoint_of_the_connection_overrides_the_configuration() {
    let config = Sts::of("111122223333").config();
    let mut connection = Connection::default();
    assert_eq!(connection.complete(&config, None).endpoint_url(), Some(ENDPOINT));
    connection.endpoint_url = Some("http://other.example".to_owned());
    assert_eq!(connection.complete(&config, None).endpoint_url(), Some("http://other.example"));
}

#[tokio::test]
async fn external_id_is_sent_with_each_role() {
    let caller = answered("111122223333", RetryConfig::disabled(), |_, body| {
        if body.contains("ExternalId=acme%2F7") {
            return role();
        }
        let error = "<Code>AccessDenied</Code><Message>not authorized</Message>";
        (403, format!("<ErrorResponse><Error>{error}</Error></ErrorResponse>"))
    });
    let (member, region) = (AccountId::parse("222222222222").unwrap(), fleet().hub.region);
    let external_id = ExternalId::parse("acme/7").unwrap();
    let entered = caller.enter(member, &RoleName::default(), Some(&external_id), &region).await;
    assert_eq!(entered.unwrap().id, member);
    let refused = caller.enter(member, &RoleName::default(), None, &region).await;
    assert_eq!(refused.unwrap_err().code.as_deref(), Some("AccessDenied"));
}
