//! The program: environment in, Lambda's runtime around the router.

use super::gateway::behind_gateway;
use super::settings::{KEY, Settings};
use super::starter::Machines;
use crate::account::AwsAccount;
use crate::clock::{Clock as _, SystemClock};
use crate::config::Place;
use crate::resolve::stored;
use crate::serve::{give_up, log, stores, to_the_end, variable};
use async_trait::async_trait;
use aws_config::SdkConfig;
use axum::Router;
use floodgate_api::{Access, Definitions, Fetch, Identities, Limits, Service, Starter, router};
use floodgate_control::{Stores, Trail};
use floodgate_core::definition::Definition;
use floodgate_records::plan::Plan;
use floodgate_store::ObjectStore;
use floodgate_store::aws::call::Calls;
use floodgate_store::aws::sdk_config;
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// How long a verdict is waited for: API Gateway gives up after 30 s.
const LONGEST_WAIT: Duration = Duration::from_secs(25);

/// Where schedules are.
const SCHEDULES: &str = "this stack's schedules are in Terraform: see `schedules` of the module";

/// Answers the gateway's requests.
pub fn main() -> ExitCode {
    match Place::read(variable) {
        Ok(place) => to_the_end(serve(place)),
        Err(error) => give_up(&error.to_string()),
    }
}

async fn serve(place: Place) -> Result<(), String> {
    log("api", place.log)?;
    let router = prepared(&place).await.map_err(|error| error.to_string())?;
    let ended = lambda_http::run(router).await;
    ended.map_err(|error| error.to_string())
}

async fn prepared(place: &Place) -> Result<Router, Box<dyn Error + Send + Sync>> {
    let sdk = sdk_config().await;
    let stores = stores(&sdk, place);
    // Keys of issuers are no business of the account's, nor of an emulator that stands for it.
    let keys = Keys(Calls::new(&aws_config::SdkConfig::builder().build()));
    routes(&sdk, stores, Arc::new(keys)).await
}

/// The routes over a stack, for those whom its `config/api.json` lets in.
///
/// # Errors
/// Settings that are missing or cannot be used.
pub async fn routes(
    sdk: &SdkConfig,
    stores: Stores,
    keys: Arc<dyn Fetch>,
) -> Result<Router, Box<dyn Error + Send + Sync>> {
    let text = stores.objects.get(KEY).await?;
    let text = text.ok_or_else(|| format!("{KEY} is missing; apply the Terraform module"))?;
    let settings = Arc::new(Settings::parse(&text)?);
    let starter = Machines::new(
        stores.clone(),
        Arc::new(AwsAccount::new(sdk)),
        Arc::new(SystemClock),
        settings.state_machines.clone(),
    );
    router_of(settings, stores, Box::new(starter), keys)
}

/// The routes for those whom the settings let in.
///
/// # Errors
/// Providers of identities that would let anybody in.
pub fn router_of(
    settings: Arc<Settings>,
    stores: Stores,
    starter: Box<dyn Starter>,
    keys: Arc<dyn Fetch>,
) -> Result<Router, Box<dyn Error + Send + Sync>> {
    let known = Identities::default();
    let known = known.with_issuers_of(Path::new(KEY), &settings.issuers(), keys)?;
    let known = Arc::new(known);
    let definitions = Box::new(Stored(Arc::clone(&stores.objects)));
    let service = Service::new(stores, Trail::Vouched, definitions, now_ms)
        .starting(starter)
        .waiting(LONGEST_WAIT)
        .scheduling_elsewhere(SCHEDULES)
        .of(Arc::clone(&known));
    let limits = Limits::per_second(settings.requests_per_second);
    let routes = router(service, Access::by_token(known, limits, now_ms));
    Ok(behind_gateway(routes, settings))
}

fn now_ms() -> i64 {
    SystemClock.now_ms()
}

/// Definitions of runs that go on; what is secret in them stays open.
struct Stored(Arc<dyn ObjectStore>);

#[async_trait]
impl Definitions for Stored {
    async fn of(&self, plan: &Plan) -> Result<Definition, Box<dyn Error + Send + Sync>> {
        Ok(stored(self.0.as_ref(), plan).await?)
    }
}

/// Gets the keys of issuers.
struct Keys(Calls);

#[async_trait]
impl Fetch for Keys {
    async fn get(&self, url: &str) -> Result<Vec<u8>, String> {
        let found = self.0.get(url).await;
        found.map(|bytes| bytes.to_vec()).map_err(|e| e.to_string())
    }
}
