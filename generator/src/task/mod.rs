//! One task: reads its plan, says that it is ready, starts at the common time, sends its share of the load, and leaves a
//! manifest.

mod control;
mod files;
mod objects;
mod script;
mod secrets;
mod vu;
mod worker;

use crate::clock::{Clock, Nanos, boot_time, unix_ms, unix_us};
use crate::flow::Files;
use crate::flush::{self, Delivered, FlushConfig, Flushed, Outbox};
use crate::health::{Limits, memory_warning, workers_in};
use crate::http::{ProxyVariables, SetupError, TransportOptions};
use crate::recorder::SeriesBudget;
use crate::site::{Level, Site};
use crate::standstill::{Standstills, as_us};
use control::Begin;
use floodgate_core::definition::Resolver;
use floodgate_core::definition::model::Definition;
use floodgate_core::execution::redact::Redactor;
use floodgate_core::fold::Folding;
use floodgate_core::schedule::{Segment, schedule};
use floodgate_core::targets::Targets;
use floodgate_records::connections::Connections;
use floodgate_records::control::Ready;
use floodgate_records::keys::ExecutionKeys;
use floodgate_records::manifest::{Manifest, TaskOutcome, Totals};
use floodgate_records::plan::Plan;
use floodgate_records::unwritten::Unwritten;
use floodgate_store::{ObjectStore, StoreError};
use objects::require;
use secrets::Remembering;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::mpsc::channel;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
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
    /// The place that it runs in.
    pub site: Site,
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
    /// Something that was measured, or the account of it, is not in the store.
    #[error("{0}")]
    Undelivered(String),
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// VUs that a worker thread should have at least; below, a second thread only costs.
const VUS_A_WORKER: u64 = 8;

/// An offset of the clock above it is worth a warning: it shifts this task's load against that of the others.
const CLOCK_LIMIT_US: u64 = 50_000;

/// Runs one task to its end. `stop` holds who gave the order to stop, if anyone (a signal, say).
///
/// # Errors
/// What keeps the task from running, or its manifest from being written. What goes wrong later is in the manifest.
pub async fn run(
    mut config: Config,
    store: Arc<dyn ObjectStore>,
    stop: watch::Receiver<Option<String>>,
) -> Result<Manifest, RunError> {
    let keys = ExecutionKeys::new(&config.project, &config.execution);
    let plan: Plan = require(&*store, &keys.plan()).await?;
    if let Some(spool) = &plan.spool {
        config.site.spool = spool.into();
        config.site.spool_stays = true;
    }
    let remembering = Remembering::new(&*config.resolver);
    let definition = files::definition(&*store, &plan, &remembering).await?;
    let redactor = Arc::new(Redactor::new(&definition.run.redact, remembering.given()));
    let base = files::base_folder(&*store, &plan).await?;
    let weights: Vec<_> = plan.tasks.iter().map(|task| task.weight).collect();
    let place = plan.tasks.iter().position(|task| task.index == config.task);
    let place = place.ok_or(RunError::NoSuchTask {
        task: config.task,
        tasks: plan.tasks.len(),
    })?;
    let segment = Segment::of_weights(&weights, place)
        .map_err(|error| RunError::Unusable(error.to_string()))?;
    let targets = match config.site.in_cloud {
        true => Targets::in_cloud(plan.allowed_targets.as_deref())
            .map_err(|error| RunError::Unusable(error.to_string()))?,
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
    let loaded = Files::load(&definition, base.path())
        .map_err(|error| RunError::Unusable(error.to_string()))?;
    task.run(definition, loaded).await
}

struct Task {
    workers: usize,
    /// What load may be sent to.
    targets: Arc<Targets>,
    segment: Segment,
    keys: ExecutionKeys,
    plan: Plan,
    store: Arc<dyn ObjectStore>,
    stop: watch::Receiver<Option<String>>,
    redactor: Arc<Redactor>,
    config: Config,
}

impl Task {
    async fn run(mut self, definition: Definition, files: Files) -> Result<Manifest, RunError> {
        let vus = vus_of(&definition, &self.segment);
        let limits = Limits::raise();
        let mut warnings = self.config.site.warnings.clone();
        warnings.append(&mut limits.warnings(vus));
        warnings.extend(
            self.config
                .site
                .limits
                .memory
                .and_then(|memory| memory_warning(memory, vus)),
        );
        let variables = ProxyVariables::read(|name| self.config.resolver.env(name));
        let transports = definition.scenarios.iter().map(|scenario| {
            let options = TransportOptions::from(&scenario.http, |path| {
                let pem = files
                    .pem(path)
                    .ok_or_else(|| std::io::Error::from(std::io::ErrorKind::NotFound))?;
                Ok(pem.to_vec())
            })?;
            Ok::<_, SetupError>(TransportOptions {
                variables: variables.clone(),
                targets: Arc::clone(&self.targets),
                ..options
            })
        });
        let transports = transports
            .collect::<Result<_, _>>()
            .map_err(|error| RunError::Unusable(error.to_string()))?;
        let clock = Clock::start();
        let folding = Folding::of(&definition);
        let kept_tags = folding.named().to_vec();
        let budget = Arc::new(SeriesBudget::new(definition.run.max_series, folding));
        let common = Common {
            transports,
            files,
            execution: self.plan.execution.clone(),
            task: self.config.task,
            clock,
            budget,
            first: (self.plan.debug_requests > 0)
                .then(|| Arc::new(AtomicU32::new(self.plan.debug_requests))),
            definition,
        };
        let (orders, crew) = self.start_workers(Arc::new(common)).await?;

        let site = self.config.site.clone();
        self.say_ready(&warnings).await?;
        let start_ms = match self.begin().await {
            Ok(Begin::At(start_ms)) => start_ms,
            Ok(Begin::Never { by }) => {
                orders.send_replace(Order::Stop);
                crew.dismiss();
                return self.finish_unstarted(by, warnings).await;
            }
            Err(error) => {
                orders.send_replace(Order::Stop);
                crew.dismiss();
                return Err(error);
            }
        };
        let start = on_clock(clock, start_ms);
        let (outbox, delivering) = self.outbox();
        let flusher = self.start_flusher(start_ms, outbox, crew.windows, crew.recycle)?;
        orders.send_replace(Order::Start(start));
        (site.log)(Level::Info, &format!("starts at {start_ms}"));

        let mut running = crew.running;
        let (stopped_by, standstill) = self.watch(&orders, &mut running).await;
        let reports: Vec<Report> = crew.workers.into_iter().map(join).collect();
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
        let mut manifest = self.manifest(
            start, start_ms, stopped_by, &reports, flushed, delivered, limits, warnings,
        );
        manifest.kept_tags = kept_tags;
        self.deliver(manifest, lost, until).await
    }

    /// Says that it could start, and what it found wanting.
    async fn say_ready(&self, warnings: &[String]) -> Result<(), RunError> {
        let site = &self.config.site;
        let ready = Ready {
            task: self.config.task,
            at_ms: unix_ms(),
            host: site.host.clone(),
            warnings: warnings.to_vec(),
        };
        let key = self.keys.ready(self.config.task);
        let until = tokio::time::Instant::now() + site.patience;
        self.put(&key, &ready, until).await?;
        (site.log)(Level::Info, "ready");
        Ok(())
    }

    /// Waits for the start, or for a reason that there is none.
    async fn begin(&mut self) -> Result<Begin, RunError> {
        let (store, log) = (&*self.store, &self.config.site.log);
        control::await_start(store, &self.keys, &self.plan, &mut self.stop, log).await
    }

    /// Where shards go, and what brings them into the store.
    fn outbox(&self) -> (Outbox, tokio::task::JoinHandle<Delivered>) {
        let (outbox, delivery) = flush::outbox(
            Arc::clone(&self.store),
            self.keys.clone(),
            self.config.task,
            self.config.site.clone(),
        );
        (outbox, tokio::spawn(delivery.run()))
    }

    /// Writes the manifest, or leaves it beside the store; `lost` says which shards could not be written, `until` how long they were
    /// tried.
    async fn deliver(
        &self,
        manifest: Manifest,
        lost: Option<String>,
        until: Option<tokio::time::Instant>,
    ) -> Result<Manifest, RunError> {
        let patience = tokio::time::Instant::now() + self.config.site.patience;
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
                    .and_then(|bytes| flush::spool(&self.config.site, &key, &bytes));
                let place = match left {
                    Ok(path) => format!("it lies in {}", path.display()),
                    Err(error) => format!("nor elsewhere: {error}"),
                };
                Err(RunError::Undelivered(format!(
                    "{shards}; the manifest could not be written: {error}; {place}"
                )))
            }
        }
    }

    async fn start_workers(
        &self,
        common: Arc<Common>,
    ) -> Result<(watch::Sender<Order>, Crew), RunError> {
        let (orders, listen) = watch::channel(Order::Wait);
        let (to_flusher, windows) = channel();
        let (runs, running) = mpsc::channel(1);
        let mut crew = Crew {
            workers: Vec::new(),
            running,
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
            let runs = runs.clone();
            let thread = Builder::new()
                .name(format!("load-{number}"))
                .spawn(move || {
                    let report = worker::run(&common, assignment);
                    // A panic drops it, too.
                    drop(runs);
                    report
                });
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

    fn start_flusher(
        &self,
        start_ms: i64,
        outbox: Outbox,
        windows: std::sync::mpsc::Receiver<crate::recorder::Closed>,
        recycle: Vec<std::sync::mpsc::Sender<crate::recorder::Window>>,
    ) -> Result<JoinHandle<Flushed>, RunError> {
        let config = self.flush_config(start_ms);
        Builder::new()
            .name("flush".to_owned())
            .spawn(move || flush::run(config, outbox, &windows, recycle))
            .map_err(|error| RunError::Unusable(format!("no thread for the flusher: {error}")))
    }

    fn flush_config(&self, start_ms: i64) -> FlushConfig {
        FlushConfig {
            execution: self.plan.execution.clone(),
            task: self.config.task,
            segment: self.segment.to_string(),
            start_ms,
            flush_s: (self.plan.flush_interval_ms / 1_000).max(1),
            live: Duration::from_millis(self.plan.live_interval_ms.max(100)),
            workers: self.workers,
            usable_cpus: self.config.site.limits.cpus.min(self.workers as f64),
            limits: self.config.site.limits,
            redactor: Arc::clone(&self.redactor),
        }
    }

    /// Waits for the workers' end and passes on every order to stop; the result says who gave one, and how long this process
    /// stood still at most.
    async fn watch(
        &mut self,
        orders: &watch::Sender<Order>,
        running: &mut Running,
    ) -> (Option<String>, Duration) {
        /// How often the deadline and the time that has passed are looked at. A look wakes a core, which costs as much as a
        /// request does at a low rate.
        const LOOK: Duration = Duration::from_millis(100);
        let ordered = control::stop_ordered(&*self.store, &self.keys, &self.plan);
        let mut ordered = std::pin::pin!(ordered);
        let mut stopped_by = None;
        let mut standstills = Standstills::since(boot_time(), LOOK);
        loop {
            let by = tokio::select! {
                _ = running.recv() => break,
                () = tokio::time::sleep(LOOK) => {
                    (unix_ms() >= self.plan.deadline_ms).then(|| "deadline".to_owned())
                }
                by = &mut ordered, if stopped_by.is_none() => Some(by),
                by = control::told(&mut self.stop), if stopped_by.is_none() => Some(by),
            };
            if stopped_by.is_none() && by.is_some() {
                orders.send_replace(Order::Stop);
                stopped_by = by;
            }
            standstills.look(boot_time());
        }
        (stopped_by, standstills.longest())
    }

    async fn finish_unstarted(
        &self,
        by: String,
        warnings: Vec<String>,
    ) -> Result<Manifest, RunError> {
        let manifest = Manifest {
            schema: Manifest::SCHEMA,
            execution: self.plan.execution.clone(),
            task: self.config.task,
            outcome: TaskOutcome::Stopped { by },
            planned_start_ms: 0,
            start_skew_us: 0,
            ended_ms: unix_ms(),
            connections: Default::default(),
            shards: Vec::new(),
            unwritten: None,
            totals: Default::default(),
            durations: Vec::new(),
            script: Default::default(),
            kept_tags: Vec::new(),
            health: Default::default(),
            warnings,
        };
        let until = tokio::time::Instant::now() + self.config.site.patience;
        self.put(&self.keys.manifest(self.config.task), &manifest, until)
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
        delivered: Delivered,
        limits: Limits,
        mut warnings: Vec<String>,
    ) -> Manifest {
        let Flushed {
            mut totals,
            mut health,
            ..
        } = flushed;
        let mut lag = floodgate_core::histogram::Histogram::new();
        let mut connections = Connections::default();
        for report in reports {
            lag.add(&report.dispatch_lag);
            health.standstill_max_us = health.standstill_max_us.max(as_us(report.late));
            connections.add(&report.connections);
            if let Some(scheduled) = report.scheduled {
                totals.scheduled_iterations =
                    Some(totals.scheduled_iterations.unwrap_or(0) + scheduled);
            }
        }
        (health.lag_p99_us, health.lag_max_us) = (lag.quantile(0.99), lag.max());
        (health.open_files_limit, health.local_ports) = (limits.open_files, limits.local_ports);
        let offset = self.config.site.clock.offset();
        health.clock_offset_us = offset.map(|offset| [offset.min_us, offset.max_us]);
        warnings.extend(offset.and_then(|offset| offset.warning(CLOCK_LIMIT_US)));
        totals.data_exhausted = reports.iter().any(|report| report.data_exhausted);
        if totals.data_exhausted {
            warnings.push("a data file with unique rows ran out before the schedule: add rows, or use mode sequential".to_owned());
        }
        warnings.extend(folded(&totals));
        let skew = reports
            .iter()
            .filter_map(|report| report.began)
            .max()
            .map_or(0, |began| began.saturating_sub(start));
        let outcome = match (delivered.lost, stopped_by) {
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
            connections,
            shards: delivered.shards,
            unwritten: delivered.unwritten,
            totals,
            durations: Vec::new(),
            script: Default::default(),
            kept_tags: Vec::new(),
            health,
            warnings,
        }
    }

    async fn put(
        &self,
        key: &str,
        value: &impl serde::Serialize,
        until: tokio::time::Instant,
    ) -> Result<(), RunError> {
        control::put_until(&*self.store, key, value, until, &self.config.site.log).await
    }
}

/// What is said of series past the bound.
fn folded(totals: &Totals) -> Option<String> {
    let (samples, max) = (totals.folded_samples, "run.max_series");
    (samples > 0).then(|| format!("{samples} samples of series past {max} stand under name=__other__: give requests fixed names"))
}

/// When the last attempt at a manifest ends that follows shards which could not be written.
fn last_words() -> tokio::time::Instant {
    tokio::time::Instant::now() + Duration::from_secs(5)
}

/// Receives nothing, and ends when the last worker thread does.
type Running = mpsc::Receiver<Infallible>;

/// Worker threads that wait for their orders.
struct Crew {
    workers: Vec<JoinHandle<Report>>,
    running: Running,
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
        .unwrap_or_else(|| {
            let limits = &config.site.limits;
            let fit = limits.memory.map_or(usize::MAX, workers_in);
            (limits.cpus.round() as usize).min(needed).min(fit)
        })
        .max(1)
}

/// A Unix time on the task's clock; one that has passed before the clock's origin is the origin.
fn on_clock(clock: Clock, unix_ms: i64) -> Nanos {
    let ahead = (i128::from(unix_ms) * 1_000 - i128::from(unix_us())) * 1_000;
    u64::try_from(i128::from(clock.now()) + ahead).unwrap_or(0)
}
