//! Launch: every task of the plan, once.

use crate::app::App;
use crate::clock::{between, millis};
use crate::error::Result;
use crate::launched::{LaunchedTask, LaunchedTasks, RefusedTask};
use crate::run::{Run, RunPhase};
use crate::stack_config::{ON_DEMAND, SPOT, StackConfig};
use crate::supervisor::load_run;
use crate::tasks::{RunCapacity, RunError, RunRequest};
use floodgate_control::{Prepared, read_stop};
use floodgate_core::shard::sha256_hex;
use floodgate_records::keys::ExecutionKeys;
use floodgate_records::plan::PlannedTask;
use futures_util::StreamExt;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// RunTask calls a second: Fargate's sustained rate of launches
/// (<https://docs.aws.amazon.com/AmazonECS/latest/developerguide/throttling.html>).
const PER_SECOND: u32 = 20;
/// Calls under way at a time.
const AT_ONCE: usize = 10;
/// How long before the start time-out no task is asked for any more: it could not become ready in time.
const TOO_LATE: Duration = Duration::from_secs(20);
/// Between two rounds that place nothing, at first and at most.
const BACKOFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(15));

/// Starts what is not running yet.
pub(crate) async fn handle(app: &App, run: Run) -> Result<Run> {
    let app = &app.of(&run.execution);
    let loaded = load_run(app, &run.project, &run.execution).await?;
    let placement = StackConfig::load(app.stores.objects.as_ref()).await?;
    let keys = ExecutionKeys::new(&run.project, &run.execution);
    let stored = LaunchedTasks::load(app.stores.objects.as_ref(), &keys).await?;
    let mut launch = Launch {
        app,
        prepared: &loaded,
        placement: &placement,
        placed: stored.clone(),
        stored,
        keys: &keys,
    };
    launch.find_again().await?;
    let began_ms = app.clock.now_ms();
    let start_timeout = Duration::from_millis(loaded.plan.start_timeout_ms);
    let until_ms = loaded.execution.created_ms.saturating_add(millis(
        start_timeout.saturating_sub(TOO_LATE.min(start_timeout / 4)),
    ));
    let mut wait = Duration::ZERO;
    loop {
        let pending = launch.pending();
        if pending.is_empty() {
            break;
        }
        if read_stop(app.stores.objects.as_ref(), &keys)
            .await?
            .is_some()
        {
            launch.give_up(&pending, "was not started: the run was stopped before");
            break;
        }
        let last = launch.round(&pending, began_ms).await;
        launch.save().await?;
        let pending = launch.pending();
        if pending.is_empty() {
            break;
        }
        if app.clock.now_ms() >= until_ms {
            let why = last.unwrap_or_else(|| "there was no time left".into());
            launch.give_up(&pending, &format!("could not be placed in time: {why}"));
            break;
        }
        wait = launch.backoff();
        if between(began_ms, app.clock.now_ms()) + wait >= app.stay {
            break;
        }
        app.clock.sleep(wait).await;
        wait = Duration::ZERO;
    }
    launch.save().await?;
    let missing = launch.pending().len();
    let placed = &launch.placed;
    tracing::info!(
        placed = placed.count(),
        failed = placed.failed.len(),
        missing,
        fallback = placed.fallback,
        "tasks placed"
    );
    app.metrics(&run.project)
        .count("TasksPlaced", placed.count())
        .count("TasksMissing", (missing + placed.failed.len()) as u32)
        .emit();
    Ok(Run {
        phase: if missing > 0 {
            RunPhase::Launching
        } else {
            RunPhase::Waiting
        },
        wait_s: if missing > 0 {
            wait.as_secs().max(1)
        } else {
            1
        },
        placed: placed.count(),
        ..run
    })
}

struct Launch<'a> {
    app: &'a App,
    prepared: &'a Prepared,
    placement: &'a StackConfig,
    keys: &'a ExecutionKeys,
    placed: LaunchedTasks,
    /// What is stored of it.
    stored: LaunchedTasks,
}

impl Launch<'_> {
    fn pending(&self) -> Vec<PlannedTask> {
        let settled = self.placed.settled();
        let tasks = self.prepared.plan.tasks.iter();
        tasks
            .filter(|t| !settled.contains(&t.index))
            .cloned()
            .collect()
    }

    async fn save(&mut self) -> Result<()> {
        if self.stored != self.placed {
            let objects = self.app.stores.objects.as_ref();
            self.placed.save(objects, self.keys).await?;
            self.stored = self.placed.clone();
        }
        Ok(())
    }

    fn give_up(&mut self, tasks: &[PlannedTask], reason: &str) {
        self.placed.failed.extend(tasks.iter().map(|t| RefusedTask {
            task: t.index,
            reason: reason.to_owned(),
        }));
    }

    /// Tasks that an invocation started which was cut off before it could write them down.
    async fn find_again(&mut self) -> Result<()> {
        let pending = self.pending();
        if pending.is_empty() {
            return Ok(());
        }
        let id = &self.prepared.plan.execution;
        let regions: BTreeSet<&str> = pending.iter().map(|t| t.region.as_str()).collect();
        let known: BTreeSet<String> = self.placed.tasks.iter().map(|t| t.arn.clone()).collect();
        let mut settled = self.placed.settled();
        for region in regions {
            let cluster = &self.placement.region(region)?.cluster;
            let mut arns = self.app.tasks.started_by(region, cluster, id).await?;
            arns.retain(|arn| !known.contains(arn));
            if arns.is_empty() {
                continue;
            }
            for status in self.app.tasks.describe(region, cluster, &arns).await? {
                let Some(task) = status.task.filter(|t| settled.insert(*t)) else {
                    continue;
                };
                self.placed.tasks.push(LaunchedTask {
                    task,
                    arn: status.arn,
                    region: region.to_owned(),
                    capacity: status.capacity,
                    attempt: self.placed.attempt(task),
                    placed_ms: self.app.clock.now_ms(),
                });
            }
        }
        Ok(())
    }

    /// Asks once for each of these tasks, as long as the invocation lasts; returns what the last one that was not placed
    /// met with.
    async fn round(&mut self, pending: &[PlannedTask], began_ms: i64) -> Option<String> {
        let app = self.app;
        let pause = Duration::from_secs(1) / PER_SECOND;
        let requests: Vec<_> = pending
            .iter()
            .map(|task| (task, self.request(task)))
            .collect();
        let paced = futures_util::stream::iter(requests).then(|(task, request)| async move {
            app.clock.sleep(pause).await;
            (task, request)
        });
        let in_time = paced.take_while(|_| {
            let in_time = between(began_ms, app.clock.now_ms()) < app.stay;
            std::future::ready(in_time)
        });
        let answers = in_time.map(|(task, request)| async move {
            let answer = match &request {
                Ok(request) => app
                    .tasks
                    .run(request)
                    .await
                    .map(|started| (started.arn, request.capacity.name().to_owned())),
                Err(problem) => Err(RunError::Refused(problem.clone().into())),
            };
            (task, answer)
        });
        let mut answers = std::pin::pin!(answers.buffer_unordered(AT_ONCE));
        let (mut last, mut any, mut no_spot) = (None, false, false);
        while let Some((task, answer)) = answers.next().await {
            match answer {
                Ok((arn, capacity)) => {
                    any = true;
                    self.placed.tasks.push(LaunchedTask {
                        task: task.index,
                        arn,
                        region: task.region.clone(),
                        capacity,
                        attempt: self.placed.attempt(task.index),
                        placed_ms: app.clock.now_ms(),
                    });
                }
                Err(RunError::Refused(reason)) => {
                    tracing::warn!(task = task.index, %reason, "task refused");
                    let reason = format!("could not be placed: {reason}");
                    self.give_up(std::slice::from_ref(task), &reason);
                }
                Err(error) => {
                    if matches!(error, RunError::Capacity(_)) {
                        no_spot = true;
                        *self.placed.without_room.entry(task.index).or_insert(0) += 1;
                    }
                    tracing::debug!(task = task.index, reason = %error, "task not placed yet");
                    last = Some(error.to_string());
                }
            }
        }
        let capacity = &self.placement.capacity;
        if no_spot && capacity.fallback && capacity.provider == SPOT && !self.placed.fallback {
            tracing::warn!(to = ON_DEMAND, "no spot capacity; falling back");
            self.placed.fallback = true;
            any = true;
        }
        self.placed.idle_rounds = if any { 0 } else { self.placed.idle_rounds + 1 };
        last
    }

    fn backoff(&self) -> Duration {
        let (first, most) = BACKOFF;
        let doubled = first.saturating_mul(1 << self.placed.idle_rounds.min(8));
        if self.placed.idle_rounds == 0 {
            Duration::from_millis(200)
        } else {
            doubled.min(most)
        }
    }

    fn request(&self, task: &PlannedTask) -> std::result::Result<RunRequest, String> {
        let Prepared { plan, execution } = self.prepared;
        let place = self
            .placement
            .region(&task.region)
            .map_err(|e| e.to_string())?;
        let infrastructure = &execution.infrastructure;
        let definitions = place.task_definitions.get(execution.engine.as_str());
        let task_definition = definitions
            .and_then(|d| d.get(infrastructure.architecture.as_str()))
            .ok_or_else(|| {
                format!(
                    "region {} has no task definition of engine {} for {}",
                    task.region, execution.engine, infrastructure.architecture
                )
            })?;
        let config = &self.app.config;
        let environment = [
            ("FLOODGATE_BUCKET", config.bucket.clone()),
            ("FLOODGATE_BUCKET_REGION", config.bucket_region.clone()),
            ("FLOODGATE_PROJECT", plan.project.clone()),
            ("FLOODGATE_EXECUTION", plan.execution.clone()),
            ("FLOODGATE_TASK", task.index.to_string()),
            ("FLOODGATE_DEADLINE_MS", plan.deadline_ms.to_string()),
            // A container cannot see the limits of its task.
            ("FLOODGATE_TASK_CPU", infrastructure.cpu.to_string()),
            ("FLOODGATE_TASK_MEMORY", infrastructure.memory.to_string()),
        ];
        let tags = [
            ("project", &plan.project),
            ("test", &plan.test),
            ("execution", &plan.execution),
        ];
        let provider = match self.placed.fallback {
            true => ON_DEMAND.to_owned(),
            false => self.placement.capacity.provider.clone(),
        };
        let (capacity, network) = match &self.placement.launch_type {
            Some(name) => (RunCapacity::LaunchType(name.clone()), None),
            None => (
                RunCapacity::Provider(provider),
                place.network(&plan.project).cloned(),
            ),
        };
        Ok(RunRequest {
            region: task.region.clone(),
            cluster: place.cluster.clone(),
            task_definition: task_definition.clone(),
            task_role: self.placement.task_role(&plan.project).cloned(),
            cpu: infrastructure.cpu,
            memory: infrastructure.memory,
            environment: environment.map(|(k, v)| (k.to_owned(), v)).into(),
            started_by: plan.execution.clone(),
            client_token: client_token(
                &plan.project,
                &plan.execution,
                task.index,
                self.placed.attempt(task.index),
                capacity.name(),
            ),
            tags: tags.map(|(k, v)| (k.to_owned(), v.clone())).into(),
            capacity,
            network,
        })
    }
}

/// The same for the same request until ECS has answered it, so that a request whose answer was lost is carried out once; and no other
/// project's, whose run may have the same id. ECS
/// gives the answer to a token again, so that after one of no room another is needed. 64 characters, as many as a token may have
/// (<https://docs.aws.amazon.com/AmazonECS/latest/APIReference/ECS_Idempotency.html>).
fn client_token(project: &str, execution: &str, task: u32, attempt: u32, capacity: &str) -> String {
    sha256_hex(format!("{project}/{execution}/{task}/{attempt}/{capacity}").as_bytes())
}

/// How many of the tasks of each kind of capacity there are.
pub(crate) fn by_capacity(placed: &LaunchedTasks) -> BTreeMap<&str, u32> {
    let mut counts = BTreeMap::new();
    for task in &placed.tasks {
        *counts.entry(task.capacity.as_str()).or_insert(0) += 1;
    }
    counts
}
