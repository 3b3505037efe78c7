//! What a task of the native engine does before and after the load: setup and teardown, once a run, whatever the number of tasks.

use super::base::Task;
use super::control;
use super::error::TaskError;
use super::objects::optional;
use super::once::Once;
use crate::clock::unix_ms;
use crate::environment::Level;
use crate::flow::{Files, Given};
use floodgate_core::definition::{Definition, Step};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// Between two looks whether the other tasks have ended.
const LOOK: Duration = Duration::from_millis(500);
/// How long the teardown waits for tasks that do not report: it is done all the same then.
const OTHERS: Duration = Duration::from_secs(60);
/// How long a teardown may take.
const TEARDOWN: Duration = Duration::from_secs(300);
/// The same after an order to stop, and past the deadline: less than whoever waits for the manifest waits.
const LAST: Duration = Duration::from_secs(40);

impl Task {
    /// Whether this is the task that does what is done once.
    fn leads(&self) -> bool {
        let first = self.plan.tasks.first();
        first.is_some_and(|first| first.index == self.config.task)
    }

    /// What setup gives to all flows; `Err` within is who said that there is to be no start.
    ///
    /// # Errors
    /// A setup that fails, or does not end in time.
    pub(super) async fn set_up_once(
        &self,
        definition: &Definition,
        files: &Arc<Files>,
    ) -> Result<Result<Given, String>, TaskError> {
        if definition.setup.is_empty() {
            return Ok(Ok(Given::new()));
        }
        let limit = Duration::from_millis(self.plan.start_timeout_ms);
        let mut stop = self.stop.clone();
        let ended = tokio::select! {
            given = self.given(definition, files, limit) => given.map(Ok),
            by = control::stop_ordered(&*self.store, &self.keys, &self.plan) => Ok(Err(by)),
            by = control::stop_signalled(&mut stop) => Ok(Err(by)),
            () = sleep(limit) => Err(TaskError::NotReady(format!(
                "setup did not end within {} s", limit.as_secs()
            ))),
        };
        if let Err(error) = &ended {
            (self.config.environment.log)(Level::Error, &error.to_string());
        }
        ended
    }

    async fn given(
        &self,
        definition: &Definition,
        files: &Arc<Files>,
        limit: Duration,
    ) -> Result<Given, TaskError> {
        if self.leads() {
            let once = self.once("setup", definition, &definition.setup, files, Given::new())?;
            let given = once.run().await;
            let given = given.map_err(|why| TaskError::NotReady(format!("setup failed: {why}")))?;
            if self.plan.tasks.len() > 1 {
                self.put(&self.keys.setup(), &given, Instant::now() + limit)
                    .await?;
            }
            return Ok(given);
        }
        loop {
            match optional::<Given>(&*self.store, &self.keys.setup()).await {
                Ok(Some(given)) => return Ok(given),
                Err(error @ TaskError::Malformed { .. }) => return Err(error),
                // A store that does not answer now is asked again, as long as there is time.
                Ok(None) | Err(_) => sleep(control::start_look(&self.plan)).await,
            }
        }
    }

    fn once(
        &self,
        name: &str,
        definition: &Definition,
        flow: &[Step],
        files: &Arc<Files>,
        given: Given,
    ) -> Result<Once, TaskError> {
        let definition = definition.once(name, flow);
        Ok(Once {
            transports: self.transports(&definition, files)?,
            definition,
            files: Arc::clone(files),
            execution: self.plan.execution.clone(),
            task: self.config.task,
            given,
        })
    }

    /// Does the teardown, once the load is over everywhere; says why if that fails. `stopped`: somebody has ordered the end.
    pub(super) async fn tear_down(
        &self,
        definition: &Definition,
        files: &Arc<Files>,
        given: &Given,
        stopped: bool,
    ) -> Option<String> {
        if definition.teardown.is_empty() || !self.leads() {
            return None;
        }
        if !stopped {
            self.others_over().await;
        }
        let left = u64::try_from(self.plan.deadline_ms.saturating_sub(unix_ms())).unwrap_or(0);
        let limit = match stopped {
            true => LAST,
            false => TEARDOWN.min(Duration::from_millis(left)).max(LAST),
        };
        let flow = &definition.teardown;
        let ended = match self.once("teardown", definition, flow, files, given.clone()) {
            Ok(once) => timeout(limit, once.run()).await,
            Err(error) => Ok(Err(error.to_string())),
        };
        let why = match ended {
            Ok(Ok(_)) => return None,
            Ok(Err(why)) => why,
            Err(_) => format!("it did not end within {} s", limit.as_secs()),
        };
        let failed = format!("teardown failed: {why}");
        (self.config.environment.log)(Level::Error, &failed);
        Some(failed)
    }

    /// Waits until the other tasks have written their manifests, or somebody orders to stop, for a while.
    async fn others_over(&self) {
        let wait = async {
            let others = self.plan.tasks.iter().map(|task| task.index);
            for task in others.filter(|&task| task != self.config.task) {
                let key = self.keys.manifest(task);
                while !matches!(self.store.get(&key).await, Ok(Some(_))) {
                    sleep(LOOK).await;
                }
            }
        };
        tokio::select! {
            _ = timeout(OTHERS, wait) => {}
            _ = control::stop_ordered(&*self.store, &self.keys, &self.plan) => {}
        }
    }
}
