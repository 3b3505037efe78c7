//! Which function answers.

use crate::app::App;
use crate::config::Function;
use crate::error::{FunctionError, Result};
use crate::{export, finish, launch, merge, notify, prepare, reap, watch};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tracing::{Instrument as _, field};

/// Answers one invocation.
///
/// # Errors
/// [`FunctionError`], under whose name the state machine decides.
pub async fn handle(app: &App, payload: Value) -> Result<Value> {
    let span = tracing::error_span!("invocation", execution = field::Empty);
    of_function(app, payload).instrument(span).await
}

async fn of_function(app: &App, payload: Value) -> Result<Value> {
    let result = match app.config.function {
        Function::Prepare => answer(Box::pin(prepare::handle(app, read(payload)?)).await),
        Function::Launch => answer(Box::pin(launch::handle(app, read(payload)?)).await),
        Function::Watch => answer(Box::pin(watch::handle(app, read(payload)?)).await),
        Function::Merge => answer(Box::pin(merge::handle(app, read(payload)?)).await),
        Function::Finish => answer(Box::pin(finish::handle(app, read(payload)?)).await),
        Function::Export => answer(Box::pin(export::handle(app, read(payload)?)).await),
        Function::Reap => answer(Box::pin(reap::handle(app, read(payload)?)).await),
        Function::Notify => answer(Box::pin(notify::handle(app, read(payload)?)).await),
    };
    match &result {
        Err(error) if error.is_fault() => {
            tracing::error!(error = error.name(), problem = %error, "failed");
        }
        Err(error) => tracing::info!(error = error.name(), reason = %error, "does not start now"),
        Ok(_) => {}
    }
    result
}

fn read<T: DeserializeOwned>(payload: Value) -> Result<T> {
    serde_json::from_value(payload)
        .map_err(|error| FunctionError::invalid(format!("input: {error}")))
}

fn answer<T: Serialize>(result: Result<T>) -> Result<Value> {
    serde_json::to_value(result?)
        .map_err(|error| FunctionError::errored(format!("the answer cannot be written: {error}")))
}
