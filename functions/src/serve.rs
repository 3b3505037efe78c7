//! The program: environment in, Lambda's runtime around the function.

use crate::account::AwsAccount;
use crate::app::App;
use crate::clock::SystemClock;
use crate::config::{Config, Function, Place};
use crate::dispatch::handle;
use crate::ecs::EcsTasks;
use crate::error::FunctionError;
use aws_config::SdkConfig;
use floodgate_control::Stores;
use floodgate_log::{Level, Sink, lines};
use floodgate_notify::{Account, Courier, FOREGROUND, Reach};
use floodgate_store::aws::call::Calls;
use floodgate_store::aws::sdk_config;
use floodgate_store::dynamodb::DynamoStore;
use floodgate_store::s3::S3Store;
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::{Map, Value};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

/// Runs the function that the environment names.
pub fn main() -> ExitCode {
    match Config::read(variable) {
        Ok(config) => to_the_end(serve(config)),
        Err(error) => give_up(&error.to_string()),
    }
}

pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Does the work of a process: on one thread, as Lambda gives one processor at most to most functions.
pub(crate) fn to_the_end(work: impl Future<Output = Result<(), String>>) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let ended = match runtime {
        Ok(runtime) => runtime.block_on(work),
        Err(error) => Err(error.to_string()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => give_up(&error),
    }
}

/// What is said before it is known how much is wanted, and which function this is.
pub(crate) fn give_up(problem: &str) -> ExitCode {
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

/// Log lines of a function on standard output, from now on.
pub(crate) fn log(function: &str, level: Level) -> Result<Sink, String> {
    let out: Sink = Arc::new(Mutex::new(std::io::stdout()));
    let log = lines(level, program(function), out.clone());
    tracing::dispatcher::set_global_default(log).map_err(|error| error.to_string())?;
    Ok(out)
}

/// The stack's bucket and table.
pub(crate) fn stores(sdk: &SdkConfig, place: &Place) -> Stores {
    // The bucket has one region, wherever the function is.
    let objects = S3Store::in_region(sdk, &place.bucket, &place.bucket_region);
    Stores {
        objects: Arc::new(objects),
        records: Arc::new(DynamoStore::new(sdk, place.table.clone())),
    }
}

async fn serve(config: Config) -> Result<(), String> {
    let out = log(config.function.name(), config.log)?;
    let sdk = sdk_config().await;
    let app = App {
        stores: stores(&sdk, &config.place()),
        tasks: Arc::new(EcsTasks::new(&sdk)),
        account: Arc::new(AwsAccount::new(&sdk)),
        courier: Arc::new(Courier::new(
            Account::Given(Calls::new(&sdk)),
            // Definitions come from elsewhere, and Lambda's own interface listens on this machine.
            Reach::Elsewhere,
            FOREGROUND,
        )),
        clock: Arc::new(SystemClock),
        out,
        stay: App::STAY,
        reach: Reach::Elsewhere,
        config,
    };
    let app = &app;
    let answer = |event: LambdaEvent<Value>| async move {
        let mut app = app.clone();
        if app.config.function == Function::Export {
            app.stay = time_left(event.context.deadline());
        }
        let result: Result<Value, FunctionError> = handle(&app, event.payload).await;
        result
    };
    lambda_runtime::run(service_fn(answer))
        .await
        .map_err(|error| error.to_string())
}

/// What Lambda gives an invocation, less what it takes to say how it ended.
fn time_left(deadline: SystemTime) -> Duration {
    const TO_SAY_SO: Duration = Duration::from_secs(20);
    let left = deadline.duration_since(SystemTime::now());
    let left = left.unwrap_or_default();
    left.saturating_sub(TO_SAY_SO).max(left / 2)
}
