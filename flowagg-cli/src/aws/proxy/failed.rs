//! What it means if a request does not get through a proxy.

use std::error::Error;

use aws_smithy_runtime_api::client::result::ConnectorError;
use flowagg_core::text::one_line;
use http::Uri;
use http::uri::Scheme;
use hyper_util::client::legacy::connect::HttpConnector as Tcp;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use tower_service::Service;

use super::environment::Proxy;

/// Why no tunnel could be opened; hyper-util exports it only like this.
type TunnelError = <Tunnel<Tcp> as Service<Uri>>::Error;

/// The same error, with the proxy. Missing credentials are not worth another attempt.
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

/// Why a request did not get through a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cause {
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
pub(in crate::aws) struct ProxyFailed {
    message: String,
    help: String,
}

impl ProxyFailed {
    pub(super) fn new(proxy: &Proxy, cause: Cause) -> Self {
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
    pub(in crate::aws) fn help(&self) -> &str {
        &self.help
    }
}
