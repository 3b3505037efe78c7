//! One task: reads its plan, says that it is ready, starts at the common time, sends its share of the load, and leaves a
//! manifest.

mod apart;
mod around;
mod base;
mod config;
mod contract;
mod control;
mod error;
mod files;
mod manifest;
mod native;
mod objects;
mod once;
mod script;
mod secrets;
mod threads;
mod vu;
mod worker;
mod workers;

pub use config::Config;
pub use error::{MalformedObject, TaskError};
pub use worker::PrepareError;

use crate::flow::Files;
use base::Task;
use floodgate_core::execution::redact::Redactor;
use floodgate_core::schedule::Segment;
use floodgate_core::targets::Targets;
use floodgate_records::keys::ExecutionKeys;
use floodgate_records::manifest::Manifest;
use floodgate_records::plan::Plan;
use floodgate_store::ObjectStore;
use objects::require;
use secrets::Remembering;
use std::sync::Arc;
use tokio::sync::watch;
use workers::worker_count;

/// Runs one task to its end. `stop` holds who gave the order to stop, if anyone (a signal, say).
///
/// # Errors
/// What keeps the task from running, or its manifest from being written. What goes wrong later is in the manifest.
///
/// # Examples
/// A task of an execution that was prepared in a folder:
/// ```
/// # use floodgate_core::definition::Resolver;
/// # use floodgate_generator::{Config, TaskEnvironment, TaskError, run};
/// # use floodgate_store::{ObjectStore, local::LocalStore};
/// # use std::sync::Arc;
/// /// Nothing is referred to.
/// struct Nothing;
///
/// impl Resolver for Nothing {
///     fn env(&self, _: &str) -> Option<String> {
///         None
///     }
///     fn secret(&self, name: &str) -> Result<String, String> {
///         Err(format!("there is no secret {name}"))
///     }
///     fn file_exists(&self, _: &str) -> bool {
///         true
///     }
/// }
///
/// # let folder = tempfile::tempdir()?;
/// let store: Arc<dyn ObjectStore> = Arc::new(LocalStore::open(folder.path())?);
/// let config = Config {
///     project: "shop".into(),
///     execution: "01KB0000000000000000000000".into(),
///     task: 0,
///     workers: None,
///     resolver: Arc::new(Nothing),
///     environment: TaskEnvironment::default(),
/// };
/// // Whoever holds the other end orders the task to stop by sending a name.
/// let (_stop, stopped) = tokio::sync::watch::channel(None);
/// let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
/// let outcome = runtime.block_on(run(config, store, stopped));
/// // Nobody has prepared it.
/// assert!(matches!(outcome, Err(TaskError::Missing { .. })));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub async fn run(
    mut config: Config,
    store: Arc<dyn ObjectStore>,
    stop: watch::Receiver<Option<String>>,
) -> Result<Manifest, TaskError> {
    let keys = ExecutionKeys::new(&config.project, &config.execution);
    let plan: Plan = require(&*store, &keys.plan()).await?;
    if let Some(spool) = &plan.spool {
        config.environment.spool = spool.into();
        config.environment.spool_stays = true;
    }
    let remembering = Remembering::new(&*config.resolver);
    let definition = files::definition(&*store, &plan, &remembering).await?;
    let redactor = Arc::new(Redactor::new(&definition.run.redact, remembering.given()));
    let base = files::base_folder(&*store, &plan).await?;
    let weights: Vec<_> = plan.tasks.iter().map(|task| task.weight).collect();
    let place = plan.tasks.iter().position(|task| task.index == config.task);
    let place = place.ok_or(TaskError::NoSuchTask {
        task: config.task,
        tasks: plan.tasks.len(),
    })?;
    let segment = Segment::of_weights(&weights, place)?;
    let targets = match config.environment.in_cloud || plan.allowed_targets.is_some() {
        true => Targets::in_cloud(plan.allowed_targets.as_deref())?,
        false => Targets::default(),
    };
    let task = Task {
        targets: Arc::new(targets),
        workers: worker_count(&config, &definition, &segment),
        segment,
        keys,
        plan,
        store,
        stop,
        redactor,
        config,
    };
    if definition.engine.runs_scripts() {
        return task.run_script(definition, base).await;
    }
    let loaded = Files::load(&definition, base.path())?;
    task.run_native(definition, Arc::new(loaded)).await
}
