//! An endpoint that is not AWS's own.

use aws_config::SdkConfig;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

/// The configuration without empty endpoints: as for the AWS CLI, `AWS_ENDPOINT_URL=` is as good as unset. The SDK panics on it.
pub(super) fn without_empty(config: &SdkConfig) -> SdkConfig {
    let mut without = config.to_builder();
    if config.endpoint_url().is_some_and(str::is_empty) {
        without.set_endpoint_url(None);
    }
    if config.service_config().is_some() {
        without.set_service_config(Some(WithoutEmpty(config.clone())));
    }
    without.build()
}

/// Endpoints of single services, such as `AWS_ENDPOINT_URL_S3`, that are not empty.
#[derive(Debug)]
struct WithoutEmpty(SdkConfig);

impl LoadServiceConfig for WithoutEmpty {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        self.0.service_config()?.load_config(key).filter(|value| !value.is_empty())
    }
}

/// The URL without a user name and password, which are secrets.
pub(super) fn redacted(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.rsplit_once('@').map_or_else(|| url.to_owned(), |(_, host)| format!("***@{host}"));
    };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://***@{host}{path}"),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_name_and_password_of_an_endpoint_are_not_shown() {
        for (url, shown) in [
            ("http://localhost:4566", "http://localhost:4566"),
            ("http://user:p@ss@proxy.example:8080/a@b", "http://***@proxy.example:8080/a@b"),
            ("https://token@aws.example", "https://***@aws.example"),
            ("https://aws.example?a@b", "https://aws.example?a@b"),
            ("user:pass@proxy:8080", "***@proxy:8080"),
            ("no url", "no url"),
        ] {
            assert_eq!(redacted(url), shown);
        }
    }
}
