//! Errors of requests through a proxy.

use std::error::Error;

use aws_smithy_runtime_api::client::result::ConnectorError;
use flowagg_core::text::one_line;
use http::Uri;
use http::uri::Scheme;
use hyper_util::client::legacy::connect::HttpConnector as Tcp;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use tower_service::Service;

use super::environment::Proxy;

/// The error of opening a tunnel. hyper-util exports it only through this associated type.
type TunnelError = <Tunnel<Tcp> as Service<Uri>>::Error;

/// Adds the proxy to an error. Rejected credentials are not retried.
pub(super) fn failed(proxy: &Proxy, uri: &Uri, error: ConnectorError) -> ConnectorError {
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

/// Why a request through a proxy failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    Credentials,
    /// The proxy cannot be reached.
    Unreachable(String),
    /// The proxy refused a tunnel to this host.
    Refused(String),
    /// An error behind the proxy, or an interrupted connection.
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

/// A request through a proxy failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(in crate::aws) struct ProxyFailed {
    message: String,
    help: String,
}

impl ProxyFailed {
    pub(super) fn new(proxy: &Proxy, cause: Cause) -> Self {
        let Proxy { variable, url } = proxy;
        let (message, help) = match cause {
            Cause::Credentials if proxy.has_credentials() => (
                format!("the proxy {proxy} rejected the user name and password"),
                format!(
                    "correct them in {variable} and percent-encode special characters (`%40` for `@`); flowagg uses Basic authentication"
                ),
            ),
            Cause::Credentials => {
                let (scheme, place) = url.split_once("://").unwrap_or(("http", url));
                let place = place.trim_end_matches('/');
                (
                    format!("the proxy {proxy} requires a user name and password"),
                    format!(
                        "set {variable} to `{scheme}://USER:PASSWORD@{place}` and percent-encode special characters (`%40` for `@`)"
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
                format!("request through the proxy {proxy} failed: {cause}"),
                "check the proxy and the endpoint; if the proxy decrypts TLS, add its certificate authority to this machine's trusted certificates, or set SSL_CERT_FILE to its PEM file"
                    .to_owned(),
            ),
        };
        Self { message, help }
    }

    pub(in crate::aws) fn help(&self) -> &str {
        &self.help
    }
}
