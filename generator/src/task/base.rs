//! What a task does, whoever sends its load: tell that it is ready, wait for the start, deliver shards and a manifest.

use super::config::Config;
use super::control::{self, Begin};
use super::error::TaskError;
use crate::clock::unix_ms;
use crate::environment::Level;
use crate::flush::{self, Delivered, FlushConfig, Outbox};
use floodgate_core::definition::model::Definition;
use floodgate_core::execution::redact::Redactor;
use floodgate_core::schedule::Segment;
use floodgate_core::shard::PHASE_WINDOW_S;
use floodgate_core::targets::Targets;
use floodgate_records::control::Ready;
use floodgate_records::keys::ExecutionKeys;
use floodgate_records::manifest::Manifest;
use floodgate_records::plan::Plan;
use floodgate_records::unwritten::Unwritten;
use floodgate_store::ObjectStore;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// One task of a plan.
pub(super) struct Task {
    pub(super) workers: usize,
    /// What load may be sent to.
    pub(super) targets: Arc<Targets>,
    pub(super) segment: Segment,
    pub(super) keys: ExecutionKeys,
    pub(super) plan: Plan,
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) stop: watch::Receiver<Option<String>>,
    pub(super) redactor: Arc<Redactor>,
    pub(super) config: Config,
}

impl Task {
    /// Says that it could start, and what it found wanting.
    pub(super) async fn say_ready(&self, warnings: &[String]) -> Result<(), TaskError> {
        let environment = &self.config.environment;
        let ready = Ready {
            task: self.config.task,
            at_ms: unix_ms(),
            host: environment.host.clone(),
            warnings: warnings.to_vec(),
        };
        let key = self.keys.ready(self.config.task);
        let until = tokio::time::Instant::now() + environment.patience;
        self.put(&key, &ready, until).await?;
        (environment.log)(Level::Info, "ready");
        Ok(())
    }

    /// Waits for the start, or for a reason that there is none.
    pub(super) async fn begin(&mut self) -> Result<Begin, TaskError> {
        let (store, log) = (&*self.store, &self.config.environment.log);
        control::await_start(store, &self.keys, &self.plan, &mut self.stop, log).await
    }

    /// Where shards go, and what brings them into the store.
    pub(super) fn outbox(&self) -> (Outbox, tokio::task::JoinHandle<Delivered>) {
        let (outbox, delivery) = flush::outbox(
            Arc::clone(&self.store),
            self.keys.clone(),
            self.config.task,
            self.config.environment.clone(),
        );
        (outbox, tokio::spawn(delivery.run()))
    }

    /// Writes the manifest, or leaves it beside the store; `lost` says which shards could not be written, `until` how long they were
    /// tried.
    pub(super) async fn deliver(
        &self,
        manifest: Manifest,
        lost: Option<String>,
        until: Option<tokio::time::Instant>,
    ) -> Result<Manifest, TaskError> {
        let patience = tokio::time::Instant::now() + self.config.environment.patience;
        // Whoever has waited for the shards waits a little longer for the account of them.
        let until = until.map_or(patience, |until| until.max(patience.min(last_words())));
        let key = self.keys.manifest(self.config.task);
        match self.put(&key, &manifest, until).await {
            Ok(()) => Ok(manifest),
            Err(error) => {
                let left = |left: &Unwritten| {
                    format!(
                        "{} shards could only be left in {}",
                        left.shards, left.folder
                    )
                };
                let shards = lost
                    .or_else(|| manifest.unwritten.as_ref().map(left))
                    .unwrap_or_else(|| "all shards are written".to_owned());
                let left = serde_json::to_vec(&manifest)
                    .map_err(std::io::Error::other)
                    .and_then(|bytes| flush::spool(&self.config.environment, &key, &bytes));
                let place = match left {
                    Ok(path) => format!("it lies in {}", path.display()),
                    Err(error) => format!("nor elsewhere: {error}"),
                };
                Err(TaskError::Undelivered {
                    shards,
                    source: Box::new(error),
                    place,
                })
            }
        }
    }

    pub(super) fn flush_config(&self, start_ms: i64, definition: &Definition) -> FlushConfig {
        let flush_s = (self.plan.flush_interval_ms / 1_000).max(1);
        FlushConfig {
            execution: self.plan.execution.clone(),
            task: self.config.task,
            segment: self.segment.to_string(),
            start_ms,
            flush_s,
            phase_s: definition
                .phase_window_s()
                .min(u32::try_from(flush_s).unwrap_or(PHASE_WINDOW_S)),
            marks: definition.live_marks(),
            live: Duration::from_millis(self.plan.live_interval_ms.max(100)),
            workers: self.workers,
            usable_cpus: self.config.environment.limits.cpus.min(self.workers as f64),
            limits: self.config.environment.limits,
            redactor: Arc::clone(&self.redactor),
        }
    }

    /// Writes an object, again and again until `until`.
    pub(super) async fn put(
        &self,
        key: &str,
        value: &impl serde::Serialize,
        until: tokio::time::Instant,
    ) -> Result<(), TaskError> {
        control::put_until(
            &*self.store,
            key,
            value,
            until,
            &self.config.environment.log,
        )
        .await
    }
}

/// When the last attempt at a manifest ends that follows shards which could not be written.
fn last_words() -> tokio::time::Instant {
    tokio::time::Instant::now() + Duration::from_secs(5)
}
