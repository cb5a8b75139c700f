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
