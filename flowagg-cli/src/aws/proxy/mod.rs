//! HTTP proxies: which requests use one, and errors.
//!
//! The variables are those of the AWS CLI: `HTTPS_PROXY` for endpoints with TLS, `HTTP_PROXY` for others, and `NO_PROXY`. Lowercase
//! names take precedence. `ALL_PROXY` is ignored. Source: "Using an HTTP proxy for the AWS CLI" (AWS CLI User Guide).

mod environment;
mod failed;

use std::sync::Arc;

use aws_smithy_http_client::proxy::{ProxyConfig, ProxyError};
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use http::Uri;

use self::environment::{Exempt, Proxy, unusable};
pub(super) use self::failed::ProxyFailed;
use self::failed::{Cause, failed};
use super::setting::{SettingError, check_certificates};

/// The HTTP client for all calls, including those for credentials. Uses the proxies in the environment.
///
/// It is shared because each client reads the machine's root certificates and has its own connections.
pub(super) fn http_client() -> Result<SharedHttpClient, SettingError> {
    check_certificates()?;
    let direct = Builder::new().tls_provider(tls()).build_https();
    let https = Proxy::named(["https_proxy", "HTTPS_PROXY"])?;
    let http = Proxy::named(["http_proxy", "HTTP_PROXY"])?;
    if https.is_none() && http.is_none() {
        return Ok(direct);
    }
    let https = https.map(|proxy| Via::new(proxy, |url| ProxyConfig::https(url))).transpose()?;
    let http = http.map(|proxy| Via::new(proxy, |url| ProxyConfig::http(url))).transpose()?;
    let exempt = Arc::new(Exempt::read()?);
    Ok(SharedHttpClient::new(Routes { direct, https, http, exempt }))
}

fn tls() -> Provider {
    Provider::Rustls(CryptoMode::AwsLc)
}

/// A proxy and the client that uses it.
#[derive(Clone, Debug)]
struct Via {
    proxy: Proxy,
    client: SharedHttpClient,
}

impl Via {
    fn new(
        proxy: Proxy,
        config: impl FnOnce(&str) -> Result<ProxyConfig, ProxyError>,
    ) -> Result<Self, SettingError> {
        let config = config(&proxy.url).map_err(|_| unusable(proxy.variable, &proxy.url))?;
        let client = Builder::new().build_with_connector_fn(move |settings, components| {
            let mut builder = Connector::builder().proxy_config(config.clone());
            builder.set_connector_settings(settings.cloned());
            builder.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
            builder.tls_provider(tls()).build()
        });
        Ok(Self { proxy, client })
    }
}

/// Sends each request directly or through its proxy.
#[derive(Debug)]
struct Routes {
    direct: SharedHttpClient,
    https: Option<Via>,
    http: Option<Via>,
    exempt: Arc<Exempt>,
}

impl HttpClient for Routes {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let through = |via: &Via| (via.proxy.clone(), via.client.http_connector(settings, components));
        SharedHttpConnector::new(Router {
            direct: self.direct.http_connector(settings, components),
            https: self.https.as_ref().map(through),
            http: self.http.as_ref().map(through),
            exempt: Arc::clone(&self.exempt),
        })
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.direct.connector_metadata()
    }
}

#[derive(Debug)]
struct Router {
    direct: SharedHttpConnector,
    https: Option<(Proxy, SharedHttpConnector)>,
    http: Option<(Proxy, SharedHttpConnector)>,
    exempt: Arc<Exempt>,
}

impl HttpConnector for Router {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let uri: Option<Uri> = request.uri().parse().ok().filter(|uri| !self.exempt.contains(uri));
        let via = uri.as_ref().and_then(|uri| match uri.scheme_str() {
            Some("https") => self.https.as_ref(),
            _ => self.http.as_ref(),
        });
        let (Some(uri), Some((proxy, connector))) = (uri, via) else { return self.direct.call(request) };
        let answer = connector.call(request);
        let proxy = proxy.clone();
        HttpConnectorFuture::new(async move {
            match answer.await {
                // Without TLS there is no tunnel, so the proxy itself responds.
                Ok(answer) if answer.status().as_u16() == PROXY_AUTHENTICATION_REQUIRED => {
                    Err(ConnectorError::user(ProxyFailed::new(&proxy, Cause::Credentials).into()))
                }
                Ok(answer) => Ok(answer),
                Err(error) => Err(failed(&proxy, &uri, error)),
            }
        })
    }
}

/// "Proxy Authentication Required" (RFC 9110).
const PROXY_AUTHENTICATION_REQUIRED: u16 = 407;
