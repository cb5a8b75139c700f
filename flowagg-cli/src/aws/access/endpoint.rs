//! Custom endpoints.

use aws_config::SdkConfig;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

/// The configuration without empty endpoints. As in the AWS CLI, an empty `AWS_ENDPOINT_URL` counts as not set; the SDK would panic.
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

/// Drops empty service-specific endpoints, e.g. `AWS_ENDPOINT_URL_S3`.
#[derive(Debug)]
struct WithoutEmpty(SdkConfig);

impl LoadServiceConfig for WithoutEmpty {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        self.0.service_config()?.load_config(key).filter(|value| !value.is_empty())
    }
}
