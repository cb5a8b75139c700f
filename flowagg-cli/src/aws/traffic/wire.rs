use std::sync::Arc;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextMut;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, Metadata};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use flowagg_core::id::{AccountId, Region};
use tokio::time::Instant;

use super::Traffic;

/// Attaches the operation to each request, for [`Wire`].
#[derive(Debug)]
pub(crate) struct NameTheCall;

#[derive(Clone, Debug)]
struct Named(Metadata);

impl Intercept for NameTheCall {
    fn name(&self) -> &'static str {
        "NameTheCall"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(call) = config.load::<Metadata>() {
            context.request_mut().add_extension(Named(call.clone()));
        }
        Ok(())
    }
}

/// The HTTP client of one account-region, with counting, tracing and rate limits. Without an account until the caller is known.
#[derive(Clone, Debug)]
pub(crate) struct Wire {
    pub(crate) account: Option<AccountId>,
    pub(crate) region: Region,
    pub(crate) traffic: Arc<Traffic>,
    pub(crate) http: SharedHttpClient,
}

impl HttpClient for Wire {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let connector = self.http.http_connector(settings, components);
        SharedHttpConnector::new(Sender { wire: self.clone(), connector })
    }

    // `validate_base_client_config` is not forwarded: the inner client would read all root certificates of the machine again for
    // each SDK client.

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.http.connector_metadata()
    }
}

#[derive(Debug)]
struct Sender {
    wire: Wire,
    connector: SharedHttpConnector,
}

impl HttpConnector for Sender {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Some(Named(call)) = request.extension::<Named>() else { return self.connector.call(request) };
        let Wire { account, ref region, ref traffic, .. } = self.wire;
        let operation = call.name().to_owned();
        let wait = traffic.admit(account, region, call.service(), &operation);
        let (connector, region) = (self.connector.clone(), region.clone());
        HttpConnectorFuture::new(async move {
            let account = account.map(tracing::field::display);
            if !wait.is_zero() {
                tracing::debug!(account, %region, operation, ?wait, "waiting to stay within AWS's rate limit");
                tokio::time::sleep(wait).await;
            }
            let start = Instant::now();
            let answer = connector.call(request).await;
            let took = start.elapsed();
            match &answer {
                Ok(answer) => {
                    let status = answer.status().as_u16();
                    tracing::info!(account, %region, operation, status, ?took);
                }
                Err(error) => tracing::warn!(account, %region, operation, %error, ?took),
            }
            answer
        })
    }
}
