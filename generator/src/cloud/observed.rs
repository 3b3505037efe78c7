//! An HTTP client for AWS that learns from the `Date` of each answer how far our clock is off.

use crate::clock::unix_us;
use crate::environment::ServerClock;
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use std::sync::Arc;

/// A client whose answers teach a clock.
#[derive(Clone, Debug)]
pub struct Observed {
    inner: SharedHttpClient,
    clock: Arc<ServerClock>,
}

impl Observed {
    /// The same client, watched.
    pub const fn new(inner: SharedHttpClient, clock: Arc<ServerClock>) -> Self {
        Self { inner, clock }
    }
}

impl HttpClient for Observed {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(ObservedConnector {
            inner: self.inner.http_connector(settings, components),
            clock: Arc::clone(&self.clock),
        })
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.inner.connector_metadata()
    }
}

#[derive(Debug)]
struct ObservedConnector {
    inner: SharedHttpConnector,
    clock: Arc<ServerClock>,
}

impl HttpConnector for ObservedConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let clock = Arc::clone(&self.clock);
        // Before the connection is opened, if it has to be: too early is still a bound.
        let sent_us = unix_us();
        let answer = self.inner.call(request);
        HttpConnectorFuture::new(async move {
            let answer = answer.await?;
            let received_us = unix_us();
            if let Some(date) = answer.headers().get("date")
                && let Ok(date) = DateTime::from_str(date, Format::HttpDate)
            {
                clock.learn(date.secs(), sent_us, received_us);
            }
            Ok(answer)
        })
    }
}
