//! Validates endpoints and regions before any call. The SDK ignores some invalid values and panics on others.

use std::env;

use aws_config::SdkConfig;
use aws_types::service_config::ServiceConfigKey;
use flowagg_core::id::Region;
use http::Uri;

use crate::aws::setting::{SettingError, raw, redacted, variable};

/// The services that flowagg calls, including those for credentials: the service ID in the AWS configuration, and the variable.
///
/// Source: "Service-specific endpoints" (AWS SDKs and Tools Reference Guide).
const SERVICES: [(&str, &str); 8] = [
    ("STS", "AWS_ENDPOINT_URL_STS"),
    ("EC2", "AWS_ENDPOINT_URL_EC2"),
    ("S3", "AWS_ENDPOINT_URL_S3"),
    ("KMS", "AWS_ENDPOINT_URL_KMS"),
    ("Organizations", "AWS_ENDPOINT_URL_ORGANIZATIONS"),
    ("Athena", "AWS_ENDPOINT_URL_ATHENA"),
    ("SSO", "AWS_ENDPOINT_URL_SSO"),
    ("SSO OIDC", "AWS_ENDPOINT_URL_SSO_OIDC"),
];
/// The variable for a partitions file, which the SDK uses in its tests.
const PARTITIONS: &str = "SMITHY_CLIENT_SDK_CUSTOM_PARTITION";
/// The variable for the endpoint of all services.
const ENDPOINT_URL: &str = "AWS_ENDPOINT_URL";

/// Checks that no custom partitions file is set: the SDK panics if it cannot read it.
pub(super) fn check_partitions() -> Result<(), SettingError> {
    match raw(PARTITIONS)? {
        Some(_) => {
            let what = "flowagg uses its built-in partitions";
            Err(SettingError::new(PARTITIONS, what, format!("unset {PARTITIONS}")))
        }
        None => Ok(()),
    }
}

/// Checks the endpoints that the SDK has read from options, variables and the profile.
pub(super) fn check_endpoints(config: &SdkConfig, option: Option<&str>) -> Result<(), SettingError> {
    if let Some(url) = option {
        check_url("`--endpoint-url`", url)?;
    }
    let of_all = variable(ENDPOINT_URL)?;
    let is_of_all = |url: &str| of_all.as_deref() == Some(url);
    if let Some(url) = config.endpoint_url() {
        check_url(if is_of_all(url) { ENDPOINT_URL } else { "`endpoint_url` of the profile" }, url)?;
    }
    let Some(settings) = config.service_config() else { return Ok(()) };
    for (id, name) in SERVICES {
        let key =
            ServiceConfigKey::builder().service_id(id).env(ENDPOINT_URL).profile("endpoint_url").build();
        let Some(url) = key.ok().and_then(|key| settings.load_config(key)) else { continue };
        let of_profile = format!("`endpoint_url` of {id} in the AWS configuration");
        let name = if variable(name)?.is_some() {
            name
        } else if is_of_all(&url) {
            ENDPOINT_URL
        } else {
            &of_profile
        };
        check_url(name, &url)?;
    }
    Ok(())
}

/// Checks that a URL has a supported scheme and a host.
pub(super) fn check_url(name: &str, url: &str) -> Result<(), SettingError> {
    let parsed: Option<Uri> = url.parse().ok();
    let is_usable = parsed.is_some_and(|url| {
        matches!(url.scheme_str(), Some("http" | "https")) && url.host().is_some_and(|host| !host.is_empty())
    });
    if is_usable {
        return Ok(());
    }
    let what = format!("`{}` is not a valid endpoint URL", redacted(url));
    Err(SettingError::new(name, what, "start it with `http://` or `https://`, e.g. `http://localhost:4566`"))
}

/// Checks the region that the SDK has read from variables and the profile.
pub(super) fn check_region(config: &SdkConfig, profile: &str) -> Result<(), SettingError> {
    let Some(region) = config.region().filter(|region| !region.as_ref().is_empty()) else { return Ok(()) };
    let Err(error) = Region::parse(region.as_ref()) else { return Ok(()) };
    let named = ["AWS_REGION", "AWS_DEFAULT_REGION"].into_iter();
    let mut named = named.filter(|name| env::var(name).is_ok_and(|value| value == region.as_ref()));
    let name = named.next().map_or_else(|| format!("`region` of profile `{profile}`"), str::to_owned);
    Err(SettingError::new(name, error.to_string(), error.help()))
}

/// Checks that the connection's region is in the hub's partition: roles and endpoints do not cross partitions.
pub(super) fn check_partition(region: &Region, hub: &Region) -> Result<(), SettingError> {
    if region.partition() == hub.partition() {
        return Ok(());
    }
    let what = format!(
        "{region} is in partition `{}`, but the hub region {hub} is in `{}`",
        region.partition(),
        hub.partition()
    );
    Err(SettingError::new("`--region`", what, format!("use a region of `{}`, or omit it", hub.partition())))
}
