//! One task: reads its plan, says that it is ready, starts at the common time, sends its share of the load, and leaves a
//! manifest.

mod files;
mod objects;
mod vu;
mod worker;

use crate::clock::{Clock, Nanos};
use crate::flow::Files;
use crate::flush::{self, FlushConfig, Flushed};
use crate::health::{Limits, allowed_cpus};
use crate::http::TransportOptions;
use crate::recorder::SeriesBudget;
use bytes::Bytes;
use floodgate_core::definition::Resolver;
use floodgate_core::definition::model::Definition;
use floodgate_core::execution::control::{Ready, Start, Stop};
use floodgate_core::execution::manifest::{Manifest, TaskOutcome};
use floodgate_core::execution::plan::Plan;
use floodgate_core::keys::ExecutionKeys;
use floodgate_core::schedule::{Segment, schedule};
use floodgate_store::{ObjectStore, StoreError};
use objects::{optional, require};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::{oneshot, watch};
use worker::{Assignment, Common, Order, Report};

/// What a task is started with.
#[derive(Clone)]
pub struct Config {
    /// The tenant.
    pub project: String,
    /// The execution's ULID.
    pub execution: String,
    /// Which task of the plan this is.
    pub task: u32,
    /// Threads that send load; by default one a CPU that may be used, and no more than VUs need.
    pub workers: Option<usize>,
    /// Resolves what the definition refers to, on this machine.
    pub resolver: Arc<dyn Resolver + Send + Sync>,
}

/// Why a task could not run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Something that it needs is not in the store.
    #[error("{key}: not found; is the execution's id right, and was it prepared?")]
    Missing {
        /// The key.
        key: String,
    },
    /// Something in the store does not read back.
    #[error("{key}: {problem}")]
    Malformed {
        /// The key.
        key: String,
        /// What is wrong.
        problem: String,
    },
    /// The plan has no such task.
    #[error("task {task} is not in the plan, which has {tasks}")]
    NoSuchTask {
        /// The task.
        task: u32,
        /// How many the plan has.
        tasks: usize,
    },
    /// The definition cannot be run here.
    #[error("{0}")]
    Unusable(String),
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// VUs that a worker thread should have at least; below, a second thread only costs.
const VUS_A_WORKER: u64 = 8;

/// Runs one task to its end. `stop` holds who gave the order to stop, if anyone (a signal, say).
///
/// # Errors
/// What keeps the task from running, or its manifest from being written. What goes wrong later is in the manifest.
pub async fn run(
    config: Config,
    store: Arc<dyn ObjectStore>,
    stop: watch::Receiver<Option<String>>,
) -> Result<Manifest, RunError> {
    let keys = ExecutionKeys::new(&config.project, &config.execution);
    let plan: Plan = require(&*store, &keys.plan()).await?;
    let definition = files::definition(&*store, &plan, &*config.resolver).await?;
    let base = files::base_folder(&*store, &plan).await?;
    let loaded = Files::load(&definition, base.path())
        .map_err(|error| RunError::Unusable(error.to_string()))?;
    let weights: Vec<_> = plan.tasks.iter().map(|task| task.weight).collect();
    let place = plan.tasks.iter().position(|task| task.index == config.task);
    let place = place.ok_or(RunError::NoSuchTask {
        task: config.task,
        tasks: plan.tasks.len(),
    })?;
    let segment = Segment::of_weights(&weights, place)
        .map_err(|error| RunError::Unusable(error.to_string()))?;
    let task = Task {
        workers: worker_count(&config, &definition, &segment),
        segment,
        keys,
        plan,
        store,
        stop,
        config,
    };
    task.run(definition, loaded).await
}

struct Task {
    workers: usize,
    segment: Segment,
    keys: ExecutionKeys,
    plan: Plan,
    store: Arc<dyn ObjectStore>,
    stop: watch::Receiver<Option<String>>,
    config: Config,
}

impl Task {
    async fn run(mut self, definition: Definition, files: Files) -> Result<Manifest, RunError> {
        let vus = vus_of(&definition, &self.segment);
        let limits = Limits::raise();
        let mut warnings = limits.warnings(vus);
        let transports = definition.scenarios.iter().map(|scenario| {
            TransportOptions::from(&scenario.http, |path| {
                let pem = files
                    .pem(path)
                    .ok_or_else(|| std::io::Error::from(std::io::ErrorKind::NotFound))?;
                Ok(pem.to_vec())
            })
        });
        let transports = transports
            .collect::<Result<_, _>>()
            .map_err(|error| RunError::Unusable(error.to_string()))?;
        let clock = Clock::start();
        let budget = Arc::new(SeriesBudget::new(definition.run.max_series));
        let common = Common {
            transports,
            files,
            execution: self.plan.execution.clone(),
            task: self.config.task,
            clock,
            budget,
            definition,
        };
        let (orders, crew) = self.start_workers(Arc::new(common)).await?;

        let ready = Ready {
            task: self.config.task,
            at_ms: unix_ms(),
            host: format!("pid {}", std::process::id()),
            warnings: warnings.clone(),
        };
        self.put(&self.keys.ready(self.config.task), &ready).await?;
        let Some(start_ms) = self.await_start().await? else {
            orders.send_replace(Order::Stop);
            crew.dismiss();
            return self.finish_unstarted(warnings).await;
        };
        let start = on_clock(clock, start_ms);
        let flusher = self.start_flusher(start_ms, crew.windows, crew.recycle)?;
        orders.send_replace(Order::Start(start));

        let mut workers = crew.workers;
        let stopped_by = self.watch(&orders, &mut workers).await;
        let reports: Vec<Report> = workers.into_iter().map(join).collect();
        let mut flushed = tokio::task::spawn_blocking(move || join(flusher))
            .await
            .unwrap_or_else(|error| resume(error.into_panic()));
        warnings.append(&mut flushed.written.warnings);
        let manifest = self.manifest(
            start, start_ms, stopped_by, &reports, flushed, limits, warnings,
        );
        self.put(&self.keys.manifest(self.config.task), &manifest)
            .await?;
        Ok(manifest)
    }

    async fn start_workers(
        &self,
        common: Arc<Common>,
    ) -> Result<(watch::Sender<Order>, Crew), RunError> {
        let (orders, listen) = watch::channel(Order::Wait);
        let (to_flusher, windows) = channel();
        let mut crew = Crew {
            workers: Vec::new(),
            windows,
            recycle: Vec::new(),
        };
        let mut ready = Vec::new();
        for number in 0..self.workers {
            let (recycle, recycled) = channel();
            let (told, listening) = oneshot::channel();
            let assignment = Assignment {
                number,
                segment: self.segment.split(self.workers as u32, number as u32),
                orders: listen.clone(),
                ready: told,
                to_flusher: to_flusher.clone(),
                recycled,
            };
            let common = Arc::clone(&common);
            let thread = Builder::new()
                .name(format!("load-{number}"))
                .spawn(move || worker::run(&common, assignment));
            crew.workers.push(
                thread.map_err(|error| {
                    RunError::Unusable(format!("no thread for a worker: {error}"))
                })?,
            );
            crew.recycle.push(recycle);
            ready.push(listening);
        }
        for ready in ready {
            let problem = match ready.await {
                Ok(Ok(())) => continue,
                Ok(Err(problem)) => problem,
                Err(_) => "a worker thread ended before it was ready".to_owned(),
            };
            orders.send_replace(Order::Stop);
            crew.dismiss();
            return Err(RunError::Unusable(problem));
        }
        Ok((orders, crew))
    }

    /// The ordered start, Unix ms; `None` if there is to be none.
    async fn await_start(&mut self) -> Result<Option<i64>, RunError> {
        /// How often `start.json` is looked for: of the local folder that costs nothing, and it bounds the start's lead.
        const LOOK: Duration = Duration::from_millis(10);
        let patience =
            tokio::time::Instant::now() + Duration::from_millis(self.plan.start_timeout_ms);
        let look = LOOK.max(Duration::from_millis(
            self.plan.control_interval_ms.min(1_000) / 20,
        ));
        loop {
            if let Some(start) = optional::<Start>(&*self.store, &self.keys.start()).await? {
                return Ok(Some(start.start_ms));
            }
            let stopped = self.stop.borrow().is_some()
                || optional::<Stop>(&*self.store, &self.keys.stop())
                    .await?
                    .is_some();
            if stopped || tokio::time::Instant::now() > patience {
                return Ok(None);
            }
            tokio::time::sleep(look).await;
        }
    }

    fn start_flusher(
        &self,
        start_ms: i64,
        windows: std::sync::mpsc::Receiver<crate::recorder::Closed>,
        recycle: Vec<std::sync::mpsc::Sender<crate::recorder::Window>>,
    ) -> Result<JoinHandle<Flushed>, RunError> {
        let config = FlushConfig {
            keys: self.keys.clone(),
            execution: self.plan.execution.clone(),
            task: self.config.task,
            segment: self.segment.to_string(),
            start_ms,
            flush_s: (self.plan.flush_interval_ms / 1_000).max(1),
            live: Duration::from_millis(self.plan.live_interval_ms.max(100)),
            workers: self.workers,
            usable_cpus: allowed_cpus().min(self.workers as f64),
        };
        let store = Arc::clone(&self.store);
        Builder::new()
            .name("flush".to_owned())
            .spawn(move || flush::run(config, store, &windows, recycle))
            .map_err(|error| RunError::Unusable(format!("no thread for the flusher: {error}")))
    }

    /// Waits for the workers' end and passes on every order to stop; the result says who gave one.
    async fn watch(
        &mut self,
        orders: &watch::Sender<Order>,
        workers: &mut [JoinHandle<Report>],
    ) -> Option<String> {
        /// How often it is looked at whether the workers have ended.
        const LOOK: Duration = Duration::from_millis(20);
        let control = Duration::from_millis(self.plan.control_interval_ms.max(10));
        let mut next_control = tokio::time::Instant::now() + control;
        let mut stopped_by = None;
        while !workers.iter().all(JoinHandle::is_finished) {
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                _ = self.stop.wait_for(Option::is_some), if stopped_by.is_none() => {}
            }
            if stopped_by.is_some() {
                continue;
            }
            let mut by = self.stop.borrow().clone();
            if by.is_none() && unix_ms() >= self.plan.deadline_ms {
                by = Some("deadline".to_owned());
            }
            if by.is_none() && tokio::time::Instant::now() >= next_control {
                next_control = tokio::time::Instant::now() + control;
                // A store that does not answer now is asked again; the deadline holds in any case.
                let stop = optional::<Stop>(&*self.store, &self.keys.stop()).await;
                by = stop.ok().flatten().map(|stop| stop.by);
            }
            if by.is_some() {
                orders.send_replace(Order::Stop);
                stopped_by = by;
            }
        }
        stopped_by
    }

    async fn finish_unstarted(&self, warnings: Vec<String>) -> Result<Manifest, RunError> {
        let by = self
            .stop
            .borrow()
            .clone()
            .unwrap_or_else(|| "no start was ordered in time".to_owned());
        let manifest = Manifest {
            schema: Manifest::SCHEMA,
            execution: self.plan.execution.clone(),
            task: self.config.task,
            outcome: TaskOutcome::Stopped { by },
            planned_start_ms: 0,
            start_skew_us: 0,
            ended_ms: unix_ms(),
            shards: Vec::new(),
            totals: Default::default(),
            health: Default::default(),
            warnings,
        };
        self.put(&self.keys.manifest(self.config.task), &manifest)
            .await?;
        Ok(manifest)
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "it gathers what everybody has to report"
    )]
    fn manifest(
        &self,
        start: Nanos,
        start_ms: i64,
        stopped_by: Option<String>,
        reports: &[Report],
        flushed: Flushed,
        limits: Limits,
        mut warnings: Vec<String>,
    ) -> Manifest {
        let Flushed {
            written,
            mut totals,
            mut health,
        } = flushed;
        let mut lag = floodgate_core::histogram::Histogram::new();
        for report in reports {
            lag.add(&report.dispatch_lag);
            if let Some(scheduled) = report.scheduled {
                totals.scheduled_iterations =
                    Some(totals.scheduled_iterations.unwrap_or(0) + scheduled);
            }
        }
        (health.lag_p99_us, health.lag_max_us) = (lag.quantile(0.99), lag.max());
        (health.open_files_limit, health.local_ports) = (limits.open_files, limits.local_ports);
        if reports.iter().any(|report| report.data_exhausted) {
            warnings.push("a data file with unique rows ran out before the schedule: add rows, or use mode sequential".to_owned());
        }
        if totals.folded_samples > 0 {
            let (samples, max) = (totals.folded_samples, "run.max_series");
            warnings.push(format!("{samples} samples of series past {max} stand under name=__other__: give requests fixed names"));
        }
        let skew = reports
            .iter()
            .filter_map(|report| report.began)
            .max()
            .map_or(0, |began| began.saturating_sub(start));
        let outcome = match (written.lost, stopped_by) {
            (Some(error), _) => TaskOutcome::Failed { error },
            (None, Some(by)) => TaskOutcome::Stopped { by },
            (None, None) => TaskOutcome::Completed,
        };
        Manifest {
            schema: Manifest::SCHEMA,
            execution: self.plan.execution.clone(),
            task: self.config.task,
            outcome,
            planned_start_ms: start_ms,
            start_skew_us: i64::try_from(skew / 1_000).unwrap_or(i64::MAX),
            ended_ms: unix_ms(),
            shards: written.shards,
            totals,
            health,
            warnings,
        }
    }

    async fn put(&self, key: &str, value: &impl serde::Serialize) -> Result<(), RunError> {
        let json = serde_json::to_vec_pretty(value);
        let json = json.map_err(|error| RunError::Malformed {
            key: key.to_owned(),
            problem: error.to_string(),
        })?;
        Ok(self.store.put(key, Bytes::from(json)).await?)
    }
}

/// Worker threads that wait for their orders.
struct Crew {
    workers: Vec<JoinHandle<Report>>,
    windows: std::sync::mpsc::Receiver<crate::recorder::Closed>,
    recycle: Vec<std::sync::mpsc::Sender<crate::recorder::Window>>,
}

impl Crew {
    /// Waits for the end of workers that were told to stop before they began.
    fn dismiss(self) {
        self.workers
            .into_iter()
            .for_each(|worker| drop(join(worker)));
    }
}

fn join<T>(thread: JoinHandle<T>) -> T {
    thread.join().unwrap_or_else(|panic| resume(panic))
}

fn resume(panic: Box<dyn std::any::Any + Send>) -> ! {
    std::panic::resume_unwind(panic)
}

/// VUs that this task may have at the same time, over all scenarios.
fn vus_of(definition: &Definition, segment: &Segment) -> u64 {
    definition
        .scenarios
        .iter()
        .map(|scenario| schedule(&scenario.executor, segment).max_vus())
        .sum()
}

fn worker_count(config: &Config, definition: &Definition, segment: &Segment) -> usize {
    let vus = vus_of(definition, segment);
    let needed = usize::try_from(vus.div_ceil(VUS_A_WORKER)).unwrap_or(usize::MAX);
    config
        .workers
        .unwrap_or_else(|| (allowed_cpus().round() as usize).min(needed))
        .max(1)
}

fn unix_ms() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// A Unix time on the task's clock; one that has passed before the clock's origin is the origin.
fn on_clock(clock: Clock, unix_ms: i64) -> Nanos {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let ahead =
        i128::from(unix_ms) * 1_000_000 - i128::try_from(since.as_nanos()).unwrap_or(i128::MAX);
    u64::try_from(i128::from(clock.now()) + ahead).unwrap_or(0)
}
