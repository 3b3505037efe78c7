//! A task whose load this program sends itself.

use super::base::Task;
use super::control::{self, Begin};
use super::error::TaskError;
use super::manifest::{Findings, folded};
use super::threads::{join, resume};
use super::worker::{Common, Order, Report};
use super::workers::{Running, vus_of};
use crate::clock::{Clock, Nanos, boot_time, unix_ms, unix_us};
use crate::environment::Level;
use crate::flow::Files;
use crate::flush::Flushed;
use crate::health::{Limits, memory_warning};
use crate::http::{ProxyVariables, SetupError, TransportOptions};
use crate::recorder::SeriesBudget;
use crate::standstill::{Standstills, as_us};
use floodgate_core::definition::model::Definition;
use floodgate_core::fold::Folding;
use floodgate_core::histogram::Histogram;
use floodgate_records::capacity::{CapacityControl, CapacityEnd};
use floodgate_records::manifest::{Manifest, ScriptSays, TaskOutcome};
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;
use tokio::sync::watch;

impl Task {
    /// Sends the load of a definition's flows.
    pub(super) async fn run_native(
        mut self,
        definition: Definition,
        files: Arc<Files>,
    ) -> Result<Manifest, TaskError> {
        let vus = vus_of(&definition, &self.segment);
        let limits = Limits::raise();
        let mut warnings = self.config.environment.warnings.clone();
        warnings.append(&mut limits.warnings(vus));
        warnings.extend(
            self.config
                .environment
                .limits
                .memory
                .and_then(|memory| memory_warning(memory, vus)),
        );
        let transports = self.transports(&definition, &files)?;
        let given = match self.set_up_once(&definition, &files).await? {
            Ok(before) => {
                warnings.extend(before.warnings);
                before.given
            }
            Err(by) => return self.finish_unstarted(by, warnings).await,
        };
        let clock = Clock::start();
        let folding = Folding::of(&definition);
        let kept_tags = folding.named().to_vec();
        let budget = Arc::new(SeriesBudget::new(definition.run.max_series, folding));
        let (steps, follow) = watch::channel(CapacityControl::default());
        let seeks = definition.capacity.is_some();
        let common = Common {
            steps: follow,
            transports,
            files: Arc::clone(&files),
            given,
            execution: self.plan.execution.clone(),
            task: self.config.task,
            clock,
            budget,
            first: (self.plan.debug_requests > 0)
                .then(|| Arc::new(AtomicU32::new(self.plan.debug_requests))),
            definition,
        };
        let common = Arc::new(common);
        let (orders, workers) = match self.start_workers(Arc::clone(&common)).await {
            Ok(started) => started,
            Err(error) => {
                self.clean_up(&common, true).await;
                return Err(error);
            }
        };

        let environment = self.config.environment.clone();
        self.say_ready(&warnings).await?;
        let start_ms = match self.begin().await {
            Ok(Begin::At(start_ms)) => start_ms,
            Ok(Begin::Never { by }) => {
                orders.send_replace(Order::Stop);
                workers.dismiss();
                warnings.extend(self.clean_up(&common, true).await);
                return self.finish_unstarted(by, warnings).await;
            }
            Err(error) => {
                orders.send_replace(Order::Stop);
                workers.dismiss();
                self.clean_up(&common, true).await;
                return Err(error);
            }
        };
        let start = on_clock(clock, start_ms);
        let (outbox, delivering) = self.outbox();
        let (hold, held) = std::sync::mpsc::channel();
        let flushing = (workers.windows, workers.recycle, held);
        let begin = (start_ms, &common.definition);
        let flusher = self.start_flusher(begin, outbox, flushing)?;
        orders.send_replace(Order::Start(start));
        (environment.log)(Level::Info, &format!("starts at {start_ms}"));

        let mut running = workers.running;
        let (stopped_by, standstill) = self.watch(&orders, (&steps, seeks), &mut running).await;
        let reports: Vec<Report> = workers.threads.into_iter().map(join).collect();
        let torn = self.clean_up(&common, stopped_by.is_some()).await;
        // The flusher gives signs of life until now.
        drop(hold);
        let mut flushed = tokio::task::spawn_blocking(move || join(flusher))
            .await
            .unwrap_or_else(|error| resume(error.into_panic()));
        let mut delivered = delivering
            .await
            .unwrap_or_else(|error| resume(error.into_panic()));
        flushed.health.standstill_max_us = as_us(standstill);
        warnings.append(&mut flushed.warnings);
        warnings.append(&mut delivered.warnings);
        let lost = delivered.lost.clone();
        let until = delivered.patience_ends;
        let outcome = match (&lost, stopped_by) {
            (Some(error), _) => TaskOutcome::Failed {
                error: error.clone(),
            },
            (None, Some(by)) => TaskOutcome::Stopped { by },
            (None, None) => TaskOutcome::Completed,
        };
        warnings.extend(
            torn.as_ref()
                .map(|why| format!("{why}; what it was to clean up is still there")),
        );
        let findings = Findings {
            script: ScriptSays {
                failed: torn,
                ..ScriptSays::default()
            },
            planned_start_ms: start_ms,
            kept_tags,
            warnings,
            ..findings(&reports, flushed, start)
        };
        let manifest = self.manifest(outcome, with_warnings(findings), delivered, limits);
        self.deliver(manifest, lost, until).await
    }

    /// Does the teardown; says why if that fails.
    async fn clean_up(&self, common: &Common, stopped: bool) -> Option<String> {
        let Common {
            definition,
            files,
            given,
            ..
        } = common;
        self.tear_down(definition, files, given, stopped).await
    }

    /// The client's options of each scenario.
    pub(super) fn transports(
        &self,
        definition: &Definition,
        files: &Files,
    ) -> Result<Vec<TransportOptions>, SetupError> {
        let variables = ProxyVariables::read(|name| self.config.resolver.env(name));
        let transports = definition.scenarios.iter().map(|scenario| {
            let options = TransportOptions::from(&scenario.http, |path| {
                let pem = files
                    .pem(path)
                    .ok_or_else(|| std::io::Error::from(std::io::ErrorKind::NotFound))?;
                Ok(pem.to_vec())
            })?;
            Ok(TransportOptions {
                variables: variables.clone(),
                targets: Arc::clone(&self.targets),
                ..options
            })
        });
        transports.collect()
    }

    /// Waits for the workers' end and passes on every order to stop; the result says who gave one, and how long this process
    /// stood still at most.
    async fn watch(
        &mut self,
        orders: &watch::Sender<Order>,
        (steps, seeks): (&watch::Sender<CapacityControl>, bool),
        running: &mut Running,
    ) -> (Option<String>, Duration) {
        /// How often the deadline and the time that has passed are looked at. A look wakes a core, which costs as much as a
        /// request does at a low rate.
        const LOOK: Duration = Duration::from_millis(100);
        let ordered = control::stop_ordered(&*self.store, &self.keys, &self.plan);
        let mut ordered = std::pin::pin!(ordered);
        let following = control::follow_steps(&*self.store, &self.keys, &self.plan, steps);
        let mut following = std::pin::pin!(following);
        let mut follows = seeks;
        let mut stopped_by = None;
        let mut standstills = Standstills::since(boot_time(), LOOK);
        loop {
            let by = tokio::select! {
                _ = running.recv() => break,
                () = tokio::time::sleep(LOOK) => {
                    (unix_ms() >= self.plan.deadline_ms).then(|| "deadline".to_owned())
                }
                by = &mut ordered, if stopped_by.is_none() => Some(by),
                () = &mut following, if follows => {
                    follows = false;
                    None
                }
                by = control::stop_signalled(&mut self.stop), if stopped_by.is_none() => Some(by),
            };
            if stopped_by.is_none() && by.is_some() {
                orders.send_replace(Order::Stop);
                steps.send_modify(|steps| steps.ended = Some(CapacityEnd::Unmeasured));
                follows = false;
                stopped_by = by;
            }
            standstills.look(boot_time());
        }
        (stopped_by, standstills.longest())
    }
}

/// What the workers and the flusher report, added up.
fn findings(reports: &[Report], flushed: Flushed, start: Nanos) -> Findings {
    let Flushed {
        totals,
        durations,
        health,
        ..
    } = flushed;
    let mut found = Findings {
        totals,
        durations,
        health,
        ..Findings::default()
    };
    let mut lag = Histogram::new();
    for report in reports {
        lag.add(&report.dispatch_lag);
        let late = as_us(report.late);
        found.health.standstill_max_us = found.health.standstill_max_us.max(late);
        found.connections.add(&report.connections);
        if let Some(scheduled) = report.scheduled {
            let before = found.totals.scheduled_iterations.unwrap_or(0);
            found.totals.scheduled_iterations = Some(before + scheduled);
        }
    }
    (found.health.lag_p99_us, found.health.lag_max_us) = (lag.quantile(0.99), lag.max());
    found.totals.data_exhausted = reports.iter().any(|report| report.data_exhausted);
    let began = reports.iter().filter_map(|report| report.began).max();
    let skew = began.map_or(0, |began| began.saturating_sub(start));
    found.start_skew_us = i64::try_from(skew / 1_000).unwrap_or(i64::MAX);
    found
}

/// The same with what its reader should know of it.
fn with_warnings(mut findings: Findings) -> Findings {
    if findings.totals.data_exhausted {
        findings.warnings.push("a data file with unique rows ran out before the schedule: add rows, or use mode sequential".to_owned());
    }
    findings.warnings.extend(folded(&findings.totals));
    findings
}

/// A Unix time on the task's clock; one that has passed before the clock's origin is the origin.
fn on_clock(clock: Clock, unix_ms: i64) -> Nanos {
    let ahead = (i128::from(unix_ms) * 1_000 - i128::from(unix_us())) * 1_000;
    u64::try_from(i128::from(clock.now()) + ahead).unwrap_or(0)
}
