//! HTTP proxies: which requests take one, and what it means if one fails.
//!
//! The variables are those of the AWS CLI: `HTTPS_PROXY` for endpoints with TLS, `HTTP_PROXY` for the others, and `NO_PROXY`; in
//! lower case they come first. `ALL_PROXY` is not read. Source: "Using an HTTP proxy for the AWS CLI" (AWS CLI User Guide).

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt;
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
use flowagg_core::text::one_line;
use http::Uri;
use http::uri::Scheme;
use hyper_util::client::legacy::connect::HttpConnector as Tcp;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::Matcher;
use tower_service::Service;

use super::setting::{SettingError, check_certificates, raw, redacted, variable};

/// Why no tunnel could be opened; hyper-util exports it only like this.
type TunnelError = <Tunnel<Tcp> as Service<Uri>>::Error;

/// The metadata services of instances and containers. Only this machine reaches them.
///
/// Source: "Container credential provider" and "IMDS credential provider" (AWS SDKs and Tools Reference Guide).
const LINK_LOCAL: &str = "169.254.0.0/16,fd00:ec2::/32";
/// Endpoints that replace these.
const OF_THIS_MACHINE: [&str; 2] =
    ["AWS_EC2_METADATA_SERVICE_ENDPOINT", "AWS_CONTAINER_CREDENTIALS_FULL_URI"];

/// The client of all calls, those for credentials included. Its requests take the proxies that the environment names.
///
/// There is one for all: each would read the machine's root certificates and keep connections of its own.
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

/// A proxy, and the variable that names it.
#[derive(Clone)]
struct Proxy {
    variable: &'static str,
    url: String,
}

impl Proxy {
    /// The first variable that is set decides; an empty one means that there is no proxy.
    fn named(names: [&'static str; 2]) -> Result<Option<Self>, SettingError> {
        for variable in names {
            if let Some(url) = raw(variable)? {
                return (!url.trim().is_empty()).then(|| Self::parse(variable, url.trim())).transpose();
            }
        }
        Ok(None)
    }

    fn parse(variable: &'static str, text: &str) -> Result<Self, SettingError> {
        let url = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let is_usable = url.parse::<Uri>().is_ok_and(|uri| is_usable(&uri));
        if is_usable { Ok(Self { variable, url }) } else { Err(unusable(variable, text)) }
    }

    fn has_credentials(&self) -> bool {
        self.url.parse::<Uri>().is_ok_and(|uri| uri.authority().is_some_and(|it| it.as_str().contains('@')))
    }
}

fn unusable(variable: &str, url: &str) -> SettingError {
    let what = format!("`{}` is not the URL of an HTTP proxy", redacted(url));
    let help = "write it as in `http://proxy.example:8080` or `http://USER:PASSWORD@proxy.example:8080`, with special characters percent-encoded (`%40` for `@`)";
    SettingError::new(variable, what, help)
}

/// Whether a URL has a scheme that can be used, a host, one user name at most, and a port that is a number.
fn is_usable(uri: &Uri) -> bool {
    let Some(authority) = uri.authority() else { return false };
    let (userinfo, place) = authority.as_str().rsplit_once('@').unwrap_or(("", authority.as_str()));
    let host = authority.host();
    matches!(uri.scheme_str(), Some("http" | "https"))
        && !host.is_empty()
        && !userinfo.contains('@')
        && (place == host || authority.port_u16().is_some_and(|port| port > 0))
}

/// Without the user name and the password.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` ({})", redacted(&self.url), self.variable)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({self})")
    }
}

/// What takes no proxy.
#[derive(Debug)]
struct Exempt {
    /// It intercepts all but the hosts of `NO_PROXY`.
    matcher: Matcher,
    /// Hosts with their ports.
    authorities: BTreeSet<String>,
    /// Whether an entry is `*`, which the matcher takes for host names alone.
    is_everything: bool,
}

impl Exempt {
    fn read() -> Result<Self, SettingError> {
        let named = match raw("no_proxy")? {
            Some(named) => named,
            None => raw("NO_PROXY")?.unwrap_or_default(),
        };
        let mut of_this_machine = Vec::new();
        for name in OF_THIS_MACHINE {
            of_this_machine.extend(variable(name)?);
        }
        Ok(Self::new(&named, of_this_machine.iter().map(String::as_str)))
    }

    fn new<'u>(named: &str, urls: impl Iterator<Item = &'u str>) -> Self {
        let matcher = Matcher::builder().all("http://proxy").no(format!("{LINK_LOCAL},{named}")).build();
        let with_port = named.split(',').filter_map(|entry| authority(&format!("http://{}", entry.trim())));
        let authorities = with_port.chain(urls.filter_map(authority)).collect();
        let is_everything = named.split(',').any(|entry| entry.trim() == "*");
        Self { matcher, authorities, is_everything }
    }

    fn contains(&self, uri: &Uri) -> bool {
        self.is_everything
            || self.matcher.intercept(uri).is_none()
            || authority(&uri.to_string()).is_some_and(|it| self.authorities.contains(&it))
    }
}

/// The host and the port of a URL, in lower case.
fn authority(url: &str) -> Option<String> {
    let uri: Uri = url.parse().ok()?;
    let default = if uri.scheme() == Some(&Scheme::HTTPS) { 443 } else { 80 };
    Some(format!("{}:{}", uri.host()?.to_ascii_lowercase(), uri.port_u16().unwrap_or(default)))
}

/// A proxy, and the client that sends through it.
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
                // To a request in clear text the proxy itself answers, as no tunnel is opened.
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

/// The same error, with the proxy. Missing credentials are not worth another attempt.
fn failed(proxy: &Proxy, uri: &Uri, error: ConnectorError) -> ConnectorError {
    let cause = Cause::of(uri, &error);
    let is_final = cause == Cause::Credentials;
    let failed = Box::new(ProxyFailed::new(proxy, cause));
    if is_final || error.is_user() {
        ConnectorError::user(failed)
    } else if error.is_timeout() {
        ConnectorError::timeout(failed)
    } else if error.is_io() {
        ConnectorError::io(failed)
    } else {
        let kind = error.as_other();
        ConnectorError::other(failed, kind)
    }
}

/// Why a request did not get through a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Cause {
    Credentials,
    /// No connection to the proxy.
    Unreachable(String),
    /// It opens no tunnel to this host.
    Refused(String),
    /// Something behind the proxy, or a connection that broke.
    Behind(String),
}

impl Cause {
    fn of(uri: &Uri, error: &ConnectorError) -> Self {
        let chain = || std::iter::successors(Some(error as &(dyn Error + 'static)), |&error| error.source());
        let deepest = one_line(&chain().last().map(ToString::to_string).unwrap_or_default());
        match chain().find_map(|error| error.downcast_ref::<TunnelError>()) {
            Some(TunnelError::ProxyAuthRequired) => return Self::Credentials,
            Some(TunnelError::ConnectFailed(_)) => return Self::Unreachable(deepest),
            Some(TunnelError::TunnelUnsuccessful) => {
                return Self::Refused(uri.host().unwrap_or_default().to_owned());
            }
            Some(_) => return Self::Behind(deepest),
            None => {}
        }
        let is_connect = chain()
            .filter_map(|error| error.downcast_ref::<hyper_util::client::legacy::Error>())
            .any(hyper_util::client::legacy::Error::is_connect);
        if is_connect && uri.scheme() == Some(&Scheme::HTTP) {
            Self::Unreachable(deepest)
        } else {
            Self::Behind(deepest)
        }
    }
}

/// A request that did not get through a proxy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(super) struct ProxyFailed {
    message: String,
    help: String,
}

impl ProxyFailed {
    fn new(proxy: &Proxy, cause: Cause) -> Self {
        let Proxy { variable, url } = proxy;
        let (message, help) = match cause {
            Cause::Credentials if proxy.has_credentials() => (
                format!("the proxy {proxy} does not accept the user name and password"),
                format!(
                    "correct them in {variable}; special characters are percent-encoded (`%40` for `@`), and they are sent as Basic authentication"
                ),
            ),
            Cause::Credentials => {
                let (scheme, place) = url.split_once("://").unwrap_or(("http", url));
                let place = place.trim_end_matches('/');
                (
                    format!("the proxy {proxy} requires a user name and password"),
                    format!(
                        "set {variable} to `{scheme}://USER:PASSWORD@{place}`, with special characters percent-encoded (`%40` for `@`)"
                    ),
                )
            }
            Cause::Unreachable(cause) => (
                format!("the proxy {proxy} cannot be reached: {cause}"),
                format!("correct {variable}, or list hosts that need no proxy in NO_PROXY"),
            ),
            Cause::Refused(host) => (
                format!("the proxy {proxy} refused a connection to `{host}`"),
                "allow this host in the proxy, or list it in NO_PROXY if it can be reached without the proxy"
                    .to_owned(),
            ),
            Cause::Behind(cause) => (
                format!("could not be sent through the proxy {proxy}: {cause}"),
                "check the proxy and the endpoint; if the proxy decrypts TLS, its certificate authority must be among those of this machine, or in the file that SSL_CERT_FILE names"
                    .to_owned(),
            ),
        };
        Self { message, help }
    }

    /// What to do about it.
    pub(super) fn help(&self) -> &str {
        &self.help
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_proxies_may_lack_the_scheme_and_must_have_a_host_and_a_valid_port() {
        let parse = |url: &str| Proxy::parse("HTTPS_PROXY", url);
        for url in [
            "proxy:8080",
            "http://proxy",
            "https://u:p%40@proxy.example:3128/",
            "http://[::1]:8080",
            "10.0.0.1:1",
        ] {
            assert!(parse(url).is_ok(), "{url}");
        }
        for url in [
            "socks5://proxy:1080",
            "http://",
            "://",
            "http://u:p@ss@proxy",
            "http://proxy:99999",
            "http://proxy:",
            "a b",
            "ftp://x",
        ] {
            assert!(parse(url).is_err(), "{url}");
        }
        let error = parse("http://user:p@ss@proxy:8080").unwrap_err();
        assert_eq!(error.what, "`http://***@proxy:8080` is not the URL of an HTTP proxy");
        assert!(parse("user:pass@proxy:8080").unwrap().has_credentials());
        assert_eq!(
            format!("{:?}", parse("user:pass@proxy").unwrap()),
            "Proxy(`http://***@proxy` (HTTPS_PROXY))"
        );
    }

    #[test]
    fn exempt_are_the_hosts_of_no_proxy_and_the_metadata_services() {
        let urls = ["http://127.0.0.1:51679/v2/credentials", "nonsense !"];
        let exempt =
            Exempt::new(" .internal.example, s3.amazonaws.com,10.0.0.0/8 ,localhost:4566", urls.into_iter());
        for (url, expected) in [
            ("https://sts.amazonaws.com/", false),
            ("https://s3.amazonaws.com/", true),
            ("https://bucket.s3.amazonaws.com/", true),
            ("https://nots3.amazonaws.com/", false),
            ("https://a.internal.example/", true),
            ("https://10.1.2.3/", true),
            ("https://11.1.2.3/", false),
            ("http://localhost:4566/", true),
            ("http://localhost:4567/", false),
            ("http://169.254.169.254/latest/api/token", true),
            ("http://169.254.170.2/credentials", true),
            ("http://[fd00:ec2::254]/latest/api/token", true),
            ("http://127.0.0.1:51679/v2/credentials", true),
            ("http://127.0.0.1:51680/", false),
        ] {
            assert_eq!(exempt.contains(&url.parse().unwrap()), expected, "{url}");
        }
        for url in ["https://sts.amazonaws.com/", "http://127.0.0.1:4566/"] {
            assert!(Exempt::new("a, *", [].into_iter()).contains(&url.parse().unwrap()), "{url}");
        }
    }
}
