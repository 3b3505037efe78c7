//! What a task of the native engine does before and after the load: setup and teardown, once a run, whatever the number of tasks.

use super::base::Task;
use super::contract::ContractCheck;
use super::control;
use super::error::TaskError;
use super::objects::optional;
use super::once::Once;
use crate::clock::unix_ms;
use crate::environment::Level;
use crate::flow::{Files, Given};
use floodgate_core::definition::{Definition, Step};
use floodgate_records::control::StopReason;
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

/// What there is before the load.
#[derive(Debug, Default)]
pub(super) struct Before {
    /// What setup has given.
    pub(super) given: Given,
    /// What of the contract was not checked.
    pub(super) warnings: Vec<String>,
    /// Why there must be no load, a line each.
    refusal: Vec<String>,
}

impl Before {
    fn with(given: Given) -> Self {
        Self {
            given,
            ..Self::default()
        }
    }
}

/// What is done before the load, in words.
fn preparations(definition: &Definition) -> &'static str {
    match (definition.setup.is_empty(), definition.contract.is_some()) {
        (false, true) => "setup and the check of the contract",
        (true, true) => "the check of the contract",
        _ => "setup",
    }
}

impl Task {
    /// Whether this is the task that does what is done once.
    fn leads(&self) -> bool {
        let first = self.plan.tasks.first();
        first.is_some_and(|first| first.index == self.config.task)
    }

    /// What setup gives to all flows, and warnings of the contract's check; `Err` within is who said that there is to be no start.
    ///
    /// # Errors
    /// A setup that fails, or does not end in time.
    pub(super) async fn set_up_once(
        &self,
        definition: &Definition,
        files: &Arc<Files>,
    ) -> Result<Result<Before, String>, TaskError> {
        if definition.setup.is_empty() && definition.contract.is_none() {
            return Ok(Ok(Before::default()));
        }
        let limit = Duration::from_millis(self.plan.start_timeout_ms);
        let mut stop = self.stop.clone();
        let ended = tokio::select! {
            before = self.before(definition, files, limit) => before.map(Ok),
            by = control::stop_ordered(&*self.store, &self.keys, &self.plan) => Ok(Err(by)),
            by = control::stop_signalled(&mut stop) => Ok(Err(by)),
            () = sleep(limit) => Err(TaskError::NotReady(format!(
                "{} did not end within {} s", preparations(definition), limit.as_secs()
            ))),
        };
        let log = &self.config.environment.log;
        match ended {
            Ok(Ok(before)) if !before.refusal.is_empty() => {
                log(Level::Error, &before.refusal.join("\n"));
                self.tear_down(definition, files, &before.given, true).await;
                let by = before.refusal.join("\n");
                let order = (StopReason::Contract, by.clone());
                let until = Instant::now() + self.config.environment.patience;
                control::order_stop(&*self.store, &self.keys, order, until, log).await;
                Ok(Err(by))
            }
            Err(error) => {
                log(Level::Error, &error.to_string());
                Err(error)
            }
            ended => ended,
        }
    }

    async fn before(
        &self,
        definition: &Definition,
        files: &Arc<Files>,
        limit: Duration,
    ) -> Result<Before, TaskError> {
        if self.leads() {
            let mut given = Given::new();
            if !definition.setup.is_empty() {
                let once = self.once("setup", definition, &definition.setup, files, given)?;
                let failed = |mut why: String| {
                    self.redactor.redact_text(&mut why);
                    TaskError::NotReady(format!("setup failed: {why}"))
                };
                given = once.run().await.map_err(failed)?;
            }
            let before = self.checked(definition, files, given).await?;
            // The others wait for it, and have nothing to wait for if there is to be no load.
            if self.plan.tasks.len() > 1 && before.refusal.is_empty() {
                let until = Instant::now() + limit;
                self.put(&self.keys.setup(), &before.given, until).await?;
            }
            return Ok(before);
        }
        loop {
            match optional::<Given>(&*self.store, &self.keys.setup()).await {
                Ok(Some(given)) => return Ok(Before::with(given)),
                Err(error @ TaskError::Malformed { .. }) => return Err(error),
                // A store that does not answer now is asked again, as long as there is time.
                Ok(None) | Err(_) => sleep(control::start_look(&self.plan)).await,
            }
        }
    }

    /// Holds the target's responses against the contract, if there is one.
    async fn checked(
        &self,
        definition: &Definition,
        files: &Arc<Files>,
        given: Given,
    ) -> Result<Before, TaskError> {
        let Some(contract) = files.contract() else {
            return Ok(Before::with(given));
        };
        let check = ContractCheck {
            transports: self.transports(definition, files)?,
            definition: definition.clone(),
            contract: Arc::clone(contract),
            files: Arc::clone(files),
            execution: self.plan.execution.clone(),
            task: self.config.task,
            given: given.clone(),
        };
        let failed = |why| TaskError::NotReady(format!("the check of the contract failed: {why}"));
        let mut found = check.run().await.map_err(failed)?;
        for line in found.refusal.iter_mut().chain(&mut found.warnings) {
            self.redactor.redact_text(line);
        }
        Ok(Before {
            given,
            warnings: found.warnings,
            refusal: found.refusal,
        })
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
        let mut why = match ended {
            Ok(Ok(_)) => return None,
            Ok(Err(why)) => why,
            Err(_) => format!("it did not end within {} s", limit.as_secs()),
        };
        self.redactor.redact_text(&mut why);
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
