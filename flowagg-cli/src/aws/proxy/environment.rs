//! The proxies in the environment, and the hosts that bypass them.

use std::collections::BTreeSet;
use std::fmt;

use http::Uri;
use http::uri::Scheme;
use hyper_util::client::proxy::matcher::Matcher;

use crate::aws::setting::{SettingError, raw, redacted, variable};

/// The metadata services of instances and containers. Only this machine can reach them.
///
/// Source: "Container credential provider" and "IMDS credential provider" (AWS SDKs and Tools Reference Guide).
const LINK_LOCAL: &str = "169.254.0.0/16,fd00:ec2::/32";
/// Variables for endpoints that replace them.
const OF_THIS_MACHINE: [&str; 2] =
    ["AWS_EC2_METADATA_SERVICE_ENDPOINT", "AWS_CONTAINER_CREDENTIALS_FULL_URI"];

/// A proxy, and the variable that it was set in.
#[derive(Clone)]
pub(super) struct Proxy {
    pub(super) variable: &'static str,
    pub(super) url: String,
}

impl Proxy {
    /// Reads the first variable that is set. An empty value means no proxy.
    pub(super) fn named(names: [&'static str; 2]) -> Result<Option<Self>, SettingError> {
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

    pub(super) fn has_credentials(&self) -> bool {
        self.url.parse::<Uri>().is_ok_and(|uri| uri.authority().is_some_and(|it| it.as_str().contains('@')))
    }
}

pub(super) fn unusable(variable: &str, url: &str) -> SettingError {
    let what = format!("`{}` is not a valid HTTP proxy URL", redacted(url));
    let help = "use the form `http://proxy.example:8080` or `http://USER:PASSWORD@proxy.example:8080`, and percent-encode special characters (`%40` for `@`)";
    SettingError::new(variable, what, help)
}

/// Whether a URL has a supported scheme, a host, at most one user name, and a valid port.
fn is_usable(uri: &Uri) -> bool {
    let Some(authority) = uri.authority() else { return false };
    let (userinfo, place) = authority.as_str().rsplit_once('@').unwrap_or(("", authority.as_str()));
    let host = authority.host();
    matches!(uri.scheme_str(), Some("http" | "https"))
        && !host.is_empty()
        && !userinfo.contains('@')
        && (place == host || authority.port_u16().is_some_and(|port| port > 0))
}

/// Redacts the user name and password.
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

/// Hosts that bypass the proxy.
#[derive(Debug)]
pub(super) struct Exempt {
    /// Matches all hosts except those in `NO_PROXY`.
    matcher: Matcher,
    /// Hosts with ports.
    authorities: BTreeSet<String>,
    /// Whether an entry is `*`. The matcher applies that only to host names.
    is_everything: bool,
}

impl Exempt {
    pub(super) fn read() -> Result<Self, SettingError> {
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

    pub(super) fn contains(&self, uri: &Uri) -> bool {
        self.is_everything
            || self.matcher.intercept(uri).is_none()
            || authority(&uri.to_string()).is_some_and(|it| self.authorities.contains(&it))
    }
}

/// The host and port of a URL, in lower case.
fn authority(url: &str) -> Option<String> {
    let uri: Uri = url.parse().ok()?;
    let default = if uri.scheme() == Some(&Scheme::HTTPS) { 443 } else { 80 };
    Some(format!("{}:{}", uri.host()?.to_ascii_lowercase(), uri.port_u16().unwrap_or(default)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxy_url_needs_a_host_and_a_valid_port_but_no_scheme() {
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
        assert_eq!(error.what, "`http://***@proxy:8080` is not a valid HTTP proxy URL");
        assert!(parse("user:pass@proxy:8080").unwrap().has_credentials());
        assert_eq!(
            format!("{:?}", parse("user:pass@proxy").unwrap()),
            "Proxy(`http://***@proxy` (HTTPS_PROXY))"
        );
    }

    #[test]
    fn no_proxy_hosts_and_metadata_services_bypass_the_proxy() {
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
