//! Setup and teardown once for all tasks, and one start for all: by the engine's own control, where it has one.

use super::super::base::Task;
use super::super::control;
use super::super::error::TaskError;
use super::super::objects::optional;
use super::super::threads::resume;
use crate::environment::Level;
use crate::script::Child;
use floodgate_engines::{Control, ControlError, Phase};
use floodgate_records::control::StopReason;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Between two questions to the engine.
const ASK: Duration = Duration::from_millis(50);
/// Between two looks whether the other tasks have ended.
const LOOK: Duration = Duration::from_millis(500);
/// How long the teardown waits for tasks that do not report: it runs all the same then.
const OTHERS: Duration = Duration::from_secs(60);
/// How long a teardown may take; an engine's own bound is shorter as a rule.
const TEARDOWN: Duration = Duration::from_secs(300);
/// After an order to stop, how long the end of the load and the teardown may take in all.
pub(super) const LAST_PATIENCE: Duration = Duration::from_secs(60);

/// Calls something that blocks.
pub(super) async fn blocking<T: Send + 'static>(call: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(call)
        .await
        .unwrap_or_else(|error| resume(error.into_panic()))
}

impl Task {
    /// Waits until the engine could start, with setup run once for all. `Some` is who said that there is to be no start.
    ///
    /// # Errors
    /// An engine that ends, or a setup that fails.
    pub(super) async fn make_ready(
        &mut self,
        control: &Arc<dyn Control>,
        child: &mut Child,
    ) -> Result<Option<String>, TaskError> {
        let limit = Duration::from_millis(self.plan.start_timeout_ms);
        let (store, keys, plan) = (
            Arc::clone(&self.store),
            self.keys.clone(),
            self.plan.clone(),
        );
        tokio::select! {
            ready = self.set_up(control, limit) => ready.map(|()| None),
            ended = child.wait() => Err(match ended {
                Ok(ended) => TaskError::NotReady(format!("the engine {}", ended.said)),
                Err(source) => TaskError::System {
                    what: "the engine cannot be waited for".to_owned(),
                    source,
                },
            }),
            by = control::stop_ordered(&*store, &keys, &plan) => Ok(Some(by)),
            by = stop_signalled(&self.stop) => Ok(Some(by)),
            () = sleep(limit) => Err(TaskError::NotReady(format!(
                "the engine was not ready within {} s: does its script's setup end?", limit.as_secs()
            ))),
        }
    }

    async fn set_up(&self, control: &Arc<dyn Control>, limit: Duration) -> Result<(), TaskError> {
        loop {
            let asked = control.clone();
            if blocking(move || asked.is_ready()).await {
                break;
            }
            sleep(ASK).await;
        }
        let alone = self.plan.tasks.len() == 1;
        if control.leads() {
            let asked = control.clone();
            let data = blocking(move || asked.run_setup(limit)).await?;
            if control.has_setup() && !alone {
                let data = data.unwrap_or(Value::Null);
                self.put(&self.keys.setup(), &data, Instant::now() + limit)
                    .await?;
            }
        } else if control.has_setup() {
            let data = loop {
                match optional::<Value>(&*self.store, &self.keys.setup()).await {
                    Ok(Some(data)) => break data,
                    Err(error @ TaskError::Malformed { .. }) => return Err(error),
                    // A store that does not answer now is asked again, as long as there is time.
                    Ok(None) | Err(_) => sleep(control::start_look(&self.plan)).await,
                }
            };
            let (asked, data) = (control.clone(), (!data.is_null()).then_some(data));
            blocking(move || asked.put_setup(&data)).await?;
        }
        Ok(())
    }

    /// Waits until the load is over everywhere and runs the teardown; says why if that fails. Without a control it never ends. A load that
    /// the script has ended is to end everywhere.
    pub(super) fn lead(
        &self,
        control: Option<Arc<dyn Control>>,
        flags: Flags,
    ) -> impl Future<Output = Option<ControlError>> + use<> {
        let (store, keys, log) = (
            Arc::clone(&self.store),
            self.keys.clone(),
            Arc::clone(&self.config.environment.log),
        );
        let (own, patience) = (self.config.task, self.config.environment.patience);
        let tasks = self.plan.tasks.iter().map(|task| task.index);
        let others: Vec<_> = tasks.filter(|&task| task != own).collect();
        async move {
            let Some(control) = control else {
                return std::future::pending().await;
            };
            let end = loop {
                let asked = control.clone();
                if let Some(end) = blocking(move || asked.ended()).await {
                    break end;
                }
                sleep(ASK).await;
            };
            flags.over.store(true, Ordering::Release);
            let stopped = || flags.stopped.load(Ordering::Acquire);
            if end == Phase::Interrupted && !stopped() {
                let order = (StopReason::Script, by_script(own, "test.abort()"));
                let until = Instant::now() + patience;
                control::order_stop(&*store, &keys, order, until, &log).await;
            }
            let limit = Instant::now() + OTHERS;
            for task in others {
                let key = keys.manifest(task);
                while !stopped()
                    && Instant::now() < limit
                    && !matches!(store.get(&key).await, Ok(Some(_)))
                {
                    sleep(LOOK).await;
                }
            }
            let failed = blocking(move || control.run_teardown(TEARDOWN))
                .await
                .err()?;
            log(Level::Error, &failed.to_string());
            Some(failed)
        }
    }
}

/// What the task and whoever leads for it tell each other.
#[derive(Clone, Debug, Default)]
pub(super) struct Flags {
    /// Somebody has ordered the run to stop.
    pub(super) stopped: Arc<AtomicBool>,
    /// The load is over here.
    pub(super) over: Arc<AtomicBool>,
}

/// Who stopped a run whose script ended the test.
pub(super) fn by_script(task: u32, why: &str) -> String {
    format!("the script, in task {task}: {why}")
}

/// As [`control::stop_signalled`], on a receiver of its own.
async fn stop_signalled(stop: &tokio::sync::watch::Receiver<Option<String>>) -> String {
    let mut stop = stop.clone();
    control::stop_signalled(&mut stop).await
}
