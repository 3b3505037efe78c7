//! The AWS clients of a task.

use super::config::Config;
use super::observed::Observed;
use crate::environment::ServerClock;
use floodgate_store::ObjectStore;
use floodgate_store::aws::call::Calls;
use floodgate_store::aws::sdk_config;
use floodgate_store::s3::S3Store;
use std::sync::Arc;

/// The store in the bucket's region, and the secrets of the task's own.
pub(super) async fn connect(
    config: &Config,
    clock: &Arc<ServerClock>,
) -> (Arc<dyn ObjectStore>, Calls) {
    let own = sdk_config().await;
    let secrets = Calls::new(&own);
    let observed = own
        .http_client()
        .map(|inner| Observed::new(inner, Arc::clone(clock)));
    let own = match observed {
        Some(observed) => own.into_builder().http_client(observed).build(),
        None => own,
    };
    let store = S3Store::in_region(&own, &config.bucket, &config.bucket_region);
    (Arc::new(store), secrets)
}
