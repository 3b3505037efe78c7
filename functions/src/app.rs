//! What all functions share, and which one answers.

use crate::account::Account;
use crate::clock::Clock;
use crate::config::{Config, Function};
use crate::error::{FunctionError, Result};
use crate::log::Log;
use crate::metrics::Metrics;
use crate::tasks::Tasks;
use crate::{finish, launch, merge, prepare, reap, watch};
use floodgate_control::Stores;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// A function with everything that it works on.
#[derive(Clone)]
pub struct App {
    /// What its environment says.
    pub config: Config,
    /// Bucket and table.
    pub stores: Stores,
    /// Containers.
    pub tasks: Arc<dyn Tasks>,
    /// The rest of the account.
    pub account: Arc<dyn Account>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Where it tells what it does.
    pub log: Log,
    /// How long an invocation of launch, watch or reap may stay and look again; below the function's time-out.
    pub stay: Duration,
}

impl App {
    /// How long invocations stay.
    pub const STAY: Duration = Duration::from_secs(20);

    /// The same, with log lines that name an execution.
    #[must_use]
    pub(crate) fn of(&self, execution: &str) -> Self {
        Self {
            log: self.log.of(execution),
            ..self.clone()
        }
    }

    /// Metrics of a project.
    pub(crate) fn metrics<'a>(&'a self, project: &'a str) -> Metrics<'a> {
        Metrics::new(&self.log, &self.config.stack, project, self.clock.now_ms())
    }
}

/// Answers one invocation.
///
/// # Errors
/// [`FunctionError`], under whose name the state machine decides.
pub async fn handle(app: &App, payload: Value) -> Result<Value> {
    let result = match app.config.function {
        Function::Prepare => answer(Box::pin(prepare::handle(app, read(payload)?)).await),
        Function::Launch => answer(Box::pin(launch::handle(app, read(payload)?)).await),
        Function::Watch => answer(Box::pin(watch::handle(app, read(payload)?)).await),
        Function::Merge => answer(Box::pin(merge::handle(app, read(payload)?)).await),
        Function::Finish => answer(Box::pin(finish::handle(app, read(payload)?)).await),
        Function::Reap => answer(Box::pin(reap::handle(app, read(payload)?)).await),
    };
    if let Err(error) = &result {
        app.log.error(
            "failed",
            json!({"error": error.name(), "problem": error.to_string()}),
        );
    }
    result
}

fn read<T: DeserializeOwned>(payload: Value) -> Result<T> {
    serde_json::from_value(payload)
        .map_err(|error| FunctionError::InvalidDefinition(format!("input: {error}")))
}

fn answer<T: Serialize>(result: Result<T>) -> Result<Value> {
    serde_json::to_value(result?)
        .map_err(|error| FunctionError::Errored(format!("the answer cannot be written: {error}")))
}
