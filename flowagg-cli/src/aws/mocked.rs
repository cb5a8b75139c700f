//! SDK clients with mocked responses, for tests.

use aws_credential_types::Credentials;
use aws_smithy_mocks::{MockResponseInterceptor, Rule, RuleMode, create_mock_http_client};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::RetryConfig;
use flowagg_core::fleet::{Fleet, FleetFile};
use flowagg_core::id::{AccountId, Place, Region};
use flowagg_core::observed::{Bucket, Observed};

macro_rules! client {
    ($sdk:ident, $rules:expr) => {{
        let mut interceptor = MockResponseInterceptor::new().rule_mode(RuleMode::MatchAny);
        for rule in $rules {
            interceptor = interceptor.with_rule(rule);
        }
        let config = $sdk::Config::builder()
            .behavior_version($sdk::config::BehaviorVersion::latest())
            .region($sdk::config::Region::new("eu-west-1"))
            .credentials_provider(Credentials::new("key", "secret", None, None, "test"))
            .http_client(create_mock_http_client())
            // Retries would wait between attempts.
            .retry_config(RetryConfig::disabled())
            .interceptor(interceptor);
        $sdk::Client::from_conf(config.build())
    }};
}

#[cfg(feature = "athena")]
pub(crate) fn athena(rules: &[&Rule]) -> aws_sdk_athena::Client {
    client!(aws_sdk_athena, rules)
}

pub(crate) fn ec2(rules: &[&Rule]) -> aws_sdk_ec2::Client {
    client!(aws_sdk_ec2, rules)
}

pub(crate) fn organizations(rules: &[&Rule]) -> aws_sdk_organizations::Client {
    client!(aws_sdk_organizations, rules)
}

pub(crate) fn s3(rules: &[&Rule]) -> aws_sdk_s3::Client {
    client!(aws_sdk_s3, rules)
}

/// An HTTP client whose responses are computed from the request's signature and body.
pub(crate) fn http(answer: fn(&str, &str) -> (u16, String)) -> SharedHttpClient {
    http_client_fn(move |_, _| SharedHttpConnector::new(Answers(answer)))
}

#[derive(Debug)]
struct Answers(fn(&str, &str) -> (u16, String));

impl HttpConnector for Answers {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let signature = request.headers().get("authorization").unwrap_or_default();
        let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default());
        let (status, answer) = (self.0)(signature, &body);
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status.try_into().unwrap(), SdkBody::from(answer))))
    }
}

pub(crate) fn file() -> FleetFile {
    let text = "[hub]\naccount = \"111122223333\"\nregion = \"eu-west-1\"\nbucket = \"acme-logs\"\n\
                [[members]]\naccount = \"222222222222\"\nregions = [\"eu-west-1\"]\n";
    FleetFile::parse(text).unwrap()
}

pub(crate) fn fleet() -> Fleet {
    file().named().unwrap()
}

pub(crate) fn place() -> Place {
    Place::new(AccountId::parse("222222222222").unwrap(), &Region::parse("eu-west-1").unwrap())
}

/// A bucket with this policy and default settings; `None` if the bucket does not exist.
pub(crate) fn observed(policy: Option<&str>) -> Observed {
    let bucket = policy.map(|policy| {
        let mut found = Bucket::default();
        found.policy = Some(policy.to_owned());
        found
    });
    Observed::new(Ok(bucket))
}
