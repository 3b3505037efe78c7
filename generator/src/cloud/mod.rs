//! The generator as the program of a container: configured by its environment, objects in S3, and an end for certain.
//!
//! What a task needs from outside is read before it says that it is ready: plan, definition, secrets, where it runs. From then
//! on only S3 matters to it, and it outlives S3 being away.

mod config;
mod connect;
mod ending;
mod log;
mod metadata;
mod observed;
mod resolver;
mod watchdog;

pub use config::{Config, ConfigError, HELP};
pub use ending::{AFTER_DEADLINE, AFTER_SIGNAL, FAILURE, SUCCESS};
pub use metadata::{ClockDrift, TaskMetadata};
pub use observed::Observed;
pub use resolver::TaskResolver;
pub use watchdog::Watchdog;

use crate::environment::{Level, Log, ServerClock, TaskEnvironment, spool_bytes};
use crate::limits::{Named, TaskLimits};
use crate::task::TaskError;
use floodgate_records::manifest::{LimitSource, Manifest, TaskOutcome};
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// How long the end of a run waits for S3. With the flush before it, it fits into what is left after SIGTERM.
pub const PATIENCE: Duration = Duration::from_secs(90);
/// How long plan, definition and secrets are asked for.
const PREPARATION: Duration = Duration::from_secs(60);
/// CPU units of one vCPU.
const CPU_UNITS: f64 = 1_024.0;
/// Runs the task that the environment describes and returns the exit code. What went wrong stands in the log.
pub fn run(variable: &dyn Fn(&str) -> Option<String>) -> u8 {
    let config = match Config::read(variable) {
        Ok(config) => config,
        Err(errors) => {
            log::begin(Level::Error, None);
            for error in errors {
                tracing::error!("{error}");
            }
            return FAILURE;
        }
    };
    log::begin(config.log, Some(&config));
    floodgate_log::report_panics();
    hide();
    let (stop, stopped) = watch::channel(None);
    let watchdog = match Watchdog::start(config.deadline_ms, stop) {
        Ok(watchdog) => watchdog,
        Err(error) => {
            tracing::error!("no thread for the watchdog: {error}");
            return FAILURE;
        }
    };
    // A panic of any thread of the task arrives here; the hook has reported it.
    let body = std::panic::AssertUnwindSafe(|| supervise(&config, &watchdog, stopped));
    std::panic::catch_unwind(body).unwrap_or(FAILURE)
}

/// Keeps this process's environment and memory, which have the role's credentials in them, from the engine that it starts, which runs
/// as the same user and could read them in `/proc` (`PR_SET_DUMPABLE`, proc(5)).
fn hide() {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        tracing::warn!("a script could read this process's environment: {error}");
    }
}

fn supervise(config: &Config, watchdog: &Watchdog, stopped: watch::Receiver<Option<String>>) -> u8 {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!("no runtime for the control thread: {error}");
            return FAILURE;
        }
    };
    let outcome = runtime.block_on(async {
        let signals = obey_signals(watchdog.clone());
        tokio::select! {
            outcome = Box::pin(task(config, stopped)) => outcome,
            error = signals => Err(TaskError::system("signals cannot be taken over")(error)),
        }
    });
    // A look-up of a name or a file that hangs must not keep the process.
    runtime.shutdown_background();
    conclude(outcome)
}

/// Passes signals on; returns only if it cannot.
async fn obey_signals(watchdog: Watchdog) -> std::io::Error {
    let take = |kind| signal(kind);
    let (mut terminate, mut interrupt) =
        match (take(SignalKind::terminate()), take(SignalKind::interrupt())) {
            (Ok(terminate), Ok(interrupt)) => (terminate, interrupt),
            (Err(error), _) | (_, Err(error)) => return error,
        };
    loop {
        let name = tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        };
        watchdog.stop(name, AFTER_SIGNAL);
    }
}

async fn task(
    config: &Config,
    stopped: watch::Receiver<Option<String>>,
) -> Result<Manifest, TaskError> {
    let mut early = stopped.clone();
    let (task, store) = tokio::select! {
        prepared = Box::pin(prepare(config)) => prepared?,
        by = early.wait_for(Option::is_some) => {
            let by = by.ok().and_then(|by| by.clone()).unwrap_or_default();
            return Err(TaskError::NotReady(format!("stopped by {by} before the plan and the definition could be read")));
        }
    };
    crate::task::run(task, store, stopped).await
}

async fn prepare(
    config: &Config,
) -> Result<(crate::task::Config, Arc<dyn floodgate_store::ObjectStore>), TaskError> {
    let clock = Arc::<ServerClock>::default();
    let log: Log = Arc::new(log::say);
    let (store, secrets) = connect::connect(config, &clock).await;
    let metadata = match &config.metadata_uri {
        Some(uri) => match metadata::fetch(uri).await {
            Ok(metadata) => Some(metadata),
            Err(problem) => {
                tracing::warn!("no task metadata: {problem}");
                None
            }
        },
        None => None,
    };
    let resolver = tokio::time::timeout(
        PREPARATION,
        resolver::prefetch(&*store, config, &secrets, &log),
    );
    let resolver = resolver.await.map_err(|_| {
        TaskError::NotReady(format!(
            "plan, definition and secrets could not be read within {} s",
            PREPARATION.as_secs()
        ))
    })??;
    let to_log = Arc::clone(&log);
    let limits = limits(TaskLimits::of_process(), metadata.as_ref(), config);
    let environment = TaskEnvironment {
        limits,
        spool_bytes: spool_bytes(limits.memory),
        patience: PATIENCE,
        console: Arc::new(move |line| to_log(Level::Info, &format!("console: {line}"))),
        warnings: metadata
            .iter()
            .filter_map(TaskMetadata::clock_warning)
            .collect(),
        clock,
        in_cloud: true,
        log,
        ..TaskEnvironment::default()
    };
    let environment = match &metadata {
        Some(metadata) => TaskEnvironment {
            host: metadata.task_arn.clone(),
            ..environment
        },
        None => environment,
    };
    tracing::info!(
        host = environment.host,
        availability_zone = metadata.and_then(|m| m.availability_zone),
        cpus = limits.cpus,
        cpus_from = limits.cpus_from.words(),
        memory_bytes = limits.memory,
        memory_from = limits.memory_from.words(),
        version = env!("CARGO_PKG_VERSION"),
        "prepared"
    );
    let task = crate::task::Config {
        project: config.project.clone(),
        execution: config.execution.clone(),
        task: config.task,
        workers: None,
        resolver: Arc::new(resolver),
        environment,
    };
    Ok((task, store))
}

/// What a task may use: what it sees itself, what ECS says of it, and what it was asked for with.
fn limits(seen: TaskLimits, metadata: Option<&TaskMetadata>, config: &Config) -> TaskLimits {
    let told = metadata.map(TaskMetadata::limits).unwrap_or_default();
    let vcpus = config.cpu_units.map(|units| f64::from(units) / CPU_UNITS);
    let asked = Named::of(vcpus, config.memory_mib.map(f64::from));
    let tightest = seen
        .and(told, LimitSource::TaskMetadata)
        .and(asked, LimitSource::Requested);
    TaskLimits {
        blind: told.cpus.or(asked.cpus).is_none(),
        ..tightest
    }
}

/// The last line of the log, and the exit code.
fn conclude(outcome: Result<Manifest, TaskError>) -> u8 {
    let manifest = match outcome {
        Ok(manifest) => manifest,
        Err(error) => {
            tracing::error!("{error}");
            return FAILURE;
        }
    };
    for warning in &manifest.warnings {
        tracing::warn!("{warning}");
    }
    let (level, message, code) = match &manifest.outcome {
        TaskOutcome::Failed { error } => (Level::Error, format!("failed: {error}"), FAILURE),
        TaskOutcome::Stopped { by } => (Level::Info, format!("stopped by {by}"), SUCCESS),
        TaskOutcome::Completed => (Level::Info, "completed".to_owned(), SUCCESS),
    };
    let figures = tracing::error_span!(
        "task",
        shards = manifest.shards.len(),
        http_reqs = manifest.totals.http_reqs,
        cpu_mean = manifest.health.cpu_mean,
        peak_rss_bytes = manifest.health.peak_rss_bytes,
        start_skew_us = manifest.start_skew_us,
    );
    figures.in_scope(|| log::say(level, &message));
    code
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use rustix::process::{DumpableBehavior, dumpable_behavior};

    const FARGATE: &str = r#"{"TaskARN":"a","Limits":{"CPU":0.5,"Memory":1024}}"#;

    #[test]
    fn a_task_is_as_small_as_the_tightest_of_all_that_is_known() {
        let seen = TaskLimits {
            cpus: 2.0,
            cpus_from: LimitSource::Machine,
            memory: Some(8 << 30),
            memory_from: LimitSource::Machine,
            blind: false,
        };
        let metadata: TaskMetadata = serde_json::from_str(FARGATE).unwrap();
        let mut config = config::tests::good();
        let blind = limits(seen, None, &config);
        assert_eq!((blind.cpus, blind.cpus_from), (2.0, LimitSource::Machine));
        assert!(blind.blind, "two CPUs are not what it has");
        let told = limits(seen, Some(&metadata), &config);
        assert_eq!((told.cpus, told.memory), (0.5, Some(1 << 30)));
        assert!(!told.blind);
        (config.cpu_units, config.memory_mib) = (Some(256), Some(2_048));
        let asked = limits(seen, Some(&metadata), &config);
        assert_eq!((asked.cpus, asked.memory), (0.25, Some(1 << 30)));
        let from = (asked.cpus_from, asked.memory_from);
        assert_eq!(from, (LimitSource::Requested, LimitSource::TaskMetadata));
        // Without an answer of the endpoint, what was asked for is still known.
        let asked = limits(seen, None, &config);
        assert_eq!((asked.cpus, asked.memory), (0.25, Some(2 << 30)));
    }

    #[test]
    fn the_environment_of_a_task_is_closed_to_its_script() {
        hide();
        assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
    }
}
