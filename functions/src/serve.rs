//! The program: environment in, Lambda's runtime around the function.

use crate::account::AwsAccount;
use crate::app::App;
use crate::clock::SystemClock;
use crate::config::Config;
use crate::dispatch::handle;
use crate::ecs::EcsTasks;
use crate::error::FunctionError;
use floodgate_control::Stores;
use floodgate_log::{Level, Sink, lines};
use floodgate_store::aws::sdk_config;
use floodgate_store::dynamodb::DynamoStore;
use floodgate_store::s3::S3Store;
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::{Map, Value};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

/// Runs the function that the environment names.
pub fn main() -> ExitCode {
    let config = match Config::read(|name| std::env::var(name).ok()) {
        Ok(config) => config,
        Err(error) => return give_up(&error.to_string()),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return give_up(&error.to_string()),
    };
    match runtime.block_on(serve(config)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => give_up(&error),
    }
}

/// What is said before it is known how much is wanted, and which function this is.
fn give_up(problem: &str) -> ExitCode {
    let out: Sink = Arc::new(Mutex::new(std::io::stdout()));
    let program = program("start");
    tracing::dispatcher::with_default(&lines(Level::Error, program, out), || {
        tracing::error!(problem, "cannot start");
    });
    ExitCode::FAILURE
}

fn program(function: &str) -> Map<String, Value> {
    Map::from_iter([("function".to_owned(), function.into())])
}

async fn serve(config: Config) -> Result<(), String> {
    let out: Sink = Arc::new(Mutex::new(std::io::stdout()));
    let log = lines(config.log, program(config.function.name()), out.clone());
    tracing::dispatcher::set_global_default(log).map_err(|error| error.to_string())?;
    let sdk = sdk_config().await;
    // The bucket has one region, wherever the function is.
    let objects = S3Store::in_region(&sdk, &config.bucket, &config.bucket_region);
    let app = App {
        stores: Stores {
            objects: Arc::new(objects),
            records: Arc::new(DynamoStore::new(&sdk, config.table.clone())),
        },
        tasks: Arc::new(EcsTasks::new(&sdk)),
        account: Arc::new(AwsAccount::new(&sdk)),
        clock: Arc::new(SystemClock),
        out,
        stay: App::STAY,
        config,
    };
    let app = &app;
    let answer = |event: LambdaEvent<Value>| async move {
        let result: Result<Value, FunctionError> = handle(app, event.payload).await;
        result
    };
    lambda_runtime::run(service_fn(answer))
        .await
        .map_err(|error| error.to_string())
}
