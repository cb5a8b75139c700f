//! The bucket's lifecycle configuration as the XML that S3 returns: the SDK's types drop unknown elements.

use std::sync::{Arc, Mutex};

use aws_sdk_s3::Client;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use flowagg_core::failure::Failure;
use flowagg_core::fleet::Hub;
use flowagg_core::lifecycle::LifecycleDocument;

use super::hub::unless_none;
use crate::aws::call::GET_LIFECYCLE;
use crate::aws::failure::At;

/// The bucket's lifecycle configuration; `None` if it has none. A response that is not a complete configuration is a failure.
pub(crate) async fn lifecycle(s3: &Client, hub: &Hub, at: &At) -> Result<Option<LifecycleDocument>, Failure> {
    let body = Body::default();
    let request = s3.get_bucket_lifecycle_configuration().bucket(hub.bucket.as_str());
    let request = request.expected_bucket_owner(hub.account.to_string());
    let answer = request.customize().interceptor(body.clone()).send().await;
    let Some(answer) = unless_none(answer, "NoSuchLifecycleConfiguration", at, GET_LIFECYCLE)? else {
        return Ok(None);
    };
    let size = answer.transition_default_minimum_object_size();
    let mut document = LifecycleDocument::new(body.text());
    document.minimum_object_size = size.map(|size| size.as_str().to_owned());
    match document.rules() {
        Ok(_) => Ok(Some(document)),
        Err(error) => Err(at.failed(GET_LIFECYCLE, None, error.to_string(), error.help())),
    }
}

/// Captures the body of the last response.
#[derive(Clone, Debug, Default)]
struct Body(Arc<Mutex<Vec<u8>>>);

impl Body {
    /// The body as text; empty if it is not UTF-8, which then fails to parse.
    fn text(&self) -> String {
        let body = self.0.lock().map(|body| body.clone()).unwrap_or_default();
        String::from_utf8(body).unwrap_or_default()
    }
}

impl Intercept for Body {
    fn name(&self) -> &'static str {
        "KeepTheBody"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let (Some(bytes), Ok(mut body)) = (context.response().body().bytes(), self.0.lock()) {
            *body = bytes.to_vec();
        }
        Ok(())
    }
}
