//! What the stores on AWS have in common: how a client reaches the services, and what their errors mean.

#[cfg(feature = "calls")]
pub mod call;
#[cfg(feature = "calls")]
pub mod ecr;
mod error;
#[cfg(feature = "calls")]
pub mod quota;
#[cfg(feature = "calls")]
pub mod secret;
#[cfg(feature = "calls")]
mod service;

#[cfg(any(feature = "s3", feature = "calls"))]
pub use error::Chained;
#[cfg(feature = "s3")]
pub(crate) use error::code;
pub(crate) use error::store_error;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, SdkConfig};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use std::time::Duration;

/// To open a connection: far more than any path inside AWS takes.
const CONNECT: Duration = Duration::from_secs(3);
/// From the end of a request to the first byte of its answer.
const READ: Duration = Duration::from_secs(10);
/// One try, its body included: 20 s for the 100 MB of a large merged object are 5 MB/s.
const ATTEMPT: Duration = Duration::from_secs(20);
/// All tries and the pauses between them.
const OPERATION: Duration = Duration::from_secs(60);
/// Tries of a request. The pauses between them are drawn at random below 0.2, 0.4, 0.8 and 1.6 s.
const ATTEMPTS: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Configuration for all AWS clients as [`loader`] has it.
pub async fn sdk_config() -> SdkConfig {
    loader().load().await
}

/// How configuration for all AWS clients is loaded: region, credentials and endpoint from the usual places (environment, profile, container or
/// instance; `AWS_ENDPOINT_URL` leads to an emulator), TLS by rustls with ring and the certificates of the machine
/// (`SSL_CERT_FILE` names a bundle, as in an image that has nothing else), bounded time for each request, and retries with
/// jitter after throttling, failures of the service and lost connections.
pub fn loader() -> ConfigLoader {
    let http = Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .read_timeout(READ)
        .operation_attempt_timeout(ATTEMPT)
        .operation_timeout(OPERATION)
        .build();
    // The standard mode draws every pause at random and has a budget, so that a service in trouble is not hit harder:
    // https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
    let retries = RetryConfig::standard()
        .with_max_attempts(ATTEMPTS)
        .with_initial_backoff(FIRST_PAUSE)
        .with_max_backoff(LONGEST_PAUSE);
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .timeout_config(timeouts)
        .retry_config(retries)
}
