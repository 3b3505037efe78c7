//! Looks after a run for one invocation: what watch and reap have in common.

use crate::app::App;
use crate::clock::between;
use crate::cost::{budget, observed, site};
use crate::error::Result;
use crate::export;
use crate::launched::LaunchedTasks;
use crate::pace::{Course, Moment, whole_seconds};
use crate::resolve;
use crate::run::{Run, RunPhase};
use crate::stack_config::StackConfig;
use crate::tasks::TaskStatus;
use floodgate_control::watch::{Next, Phase, TaskState, Watch, WatchOptions, WatchState};
use floodgate_control::{Prepared, find, json, load_plan};
use floodgate_core::cost::{self, Observed, Watched};
use floodgate_core::definition::model::Definition;
use floodgate_records::control::StopReason;
use floodgate_records::execution::Execution;
use floodgate_records::keys::ExecutionKeys;
use floodgate_records::plan::Plan;
use std::collections::BTreeMap;
use std::time::Duration;

/// Between two looks at the containers: the tasks' own marks say most things sooner.
const CONTAINERS_EVERY: Duration = Duration::from_secs(5);

/// A run's plan and record.
pub(crate) async fn load_run(app: &App, project: &str, id: &str) -> Result<Prepared> {
    let stored = app.stores.records.get(Some(project), id).await?;
    let execution = match stored {
        Some(execution) => execution,
        None => find(&app.stores, id).await?,
    };
    let plan = load_plan(&app.stores, &execution).await?;
    Ok(Prepared { plan, execution })
}

/// What a watch remembers; `None` before its first turn.
pub(crate) async fn load_state(app: &App, keys: &ExecutionKeys) -> Result<Option<WatchState>> {
    let objects = app.stores.objects.as_ref();
    Ok(json::get(objects, &keys.watch()).await?)
}

/// What an invocation knows of the run that it looks after.
pub(crate) struct Supervisor<'a> {
    app: &'a App,
    keys: ExecutionKeys,
    placement: StackConfig,
    pub(crate) placed: LaunchedTasks,
    plan: Plan,
    execution: Execution,
    definition: Definition,
    watch: Watch,
    /// What is stored of the watch's state.
    saved: Option<WatchState>,
    looked_ms: Option<i64>,
    /// What was done before this turn.
    before: Watched,
    began_ms: i64,
    looks: u64,
}

impl<'a> Supervisor<'a> {
    /// Goes on where the last one stood, with what was done until then.
    pub(crate) async fn load(
        app: &'a App,
        project: &str,
        id: &str,
        before: Watched,
    ) -> Result<Self> {
        let began_ms = app.clock.now_ms();
        let objects = app.stores.objects.as_ref();
        let prepared = load_run(app, project, id).await?;
        let keys = ExecutionKeys::new(&prepared.plan.project, &prepared.plan.execution);
        let definition = resolve::stored(objects, &prepared.plan).await?;
        let placement = StackConfig::load(objects).await?;
        let placed = LaunchedTasks::load(objects, &keys).await?;
        let saved = load_state(app, &keys).await?;
        // The start time-out is one for placing tasks and for their becoming ready.
        let state = saved.clone().unwrap_or_else(|| {
            WatchState::new(prepared.plan.tasks.len(), prepared.execution.created_ms)
        });
        let Prepared { plan, execution } = prepared.clone();
        let options = WatchOptions::cloud(&plan);
        let stores = app.stores.clone();
        let watch = Watch::resume(stores, prepared, definition.clone(), options, state);
        Ok(Self {
            app,
            keys,
            placement,
            placed,
            plan,
            execution,
            definition,
            watch,
            saved,
            looked_ms: None,
            before,
            began_ms,
            looks: 0,
        })
    }

    /// Looks at everything once.
    pub(crate) async fn step(&mut self) -> Result<Next> {
        let now_ms = self.app.clock.now_ms();
        self.looks += 1;
        let due = self
            .looked_ms
            .is_none_or(|looked| between(looked, now_ms) >= CONTAINERS_EVERY);
        if due && self.watch.state().phase != Phase::Ended {
            self.looked_ms = Some(now_ms);
            self.look_at_containers().await?;
            self.check_budget(now_ms).await?;
        }
        let next = self.watch.step(now_ms).await?;
        self.save().await?;
        Ok(next)
    }

    /// Orders all tasks to stop.
    pub(crate) async fn stop(&mut self, reason: StopReason, by: &str) -> Result<()> {
        let now_ms = self.app.clock.now_ms();
        Ok(self.watch.stop(reason, by, now_ms).await?)
    }

    /// Sinks to which the run is exported while it goes on.
    pub(crate) fn live_exports(&self) -> Vec<String> {
        export::live_urls(&self.placement, &self.definition)
    }

    /// The phase of the watch.
    pub(crate) fn phase(&self) -> Phase {
        self.watch.state().phase
    }

    async fn look_at_containers(&mut self) -> Result<()> {
        for failed in &self.placed.failed {
            self.watch.task_exited(failed.task, failed.reason.clone());
        }
        let states = &self.watch.state().tasks;
        let open = |task: u32| states.get(task as usize).is_some_and(|s| !s.is_over());
        let mut by_region: BTreeMap<&str, BTreeMap<&str, u32>> = BTreeMap::new();
        for task in self.placed.tasks.iter().filter(|t| open(t.task)) {
            by_region
                .entry(&task.region)
                .or_default()
                .insert(&task.arn, task.task);
        }
        let mut exits = Vec::new();
        for (region, numbers) in by_region {
            let cluster = &self.placement.region(region)?.cluster;
            let arns: Vec<String> = numbers.keys().map(|arn| (*arn).to_owned()).collect();
            let all = match self.app.tasks.describe(region, cluster, &arns).await {
                Ok(all) => all,
                Err(error) => {
                    // The tasks' marks and their silence say the same, only later.
                    tracing::warn!(region, reason = %error, "containers unknown");
                    continue;
                }
            };
            let stopped = |s: &TaskStatus| Some((*numbers.get(s.arn.as_str())?, s.reason.clone()));
            exits.extend(all.iter().filter(|s| s.stopped).filter_map(stopped));
        }
        for (task, reason) in exits {
            tracing::info!(task, reason, "container stopped");
            self.watch.task_exited(task, reason);
        }
        Ok(())
    }

    async fn check_budget(&mut self, now_ms: i64) -> Result<()> {
        let Some(most) = budget(&self.placement, &self.definition) else {
            return Ok(());
        };
        let state = self.watch.state();
        if !matches!(state.phase, Phase::Waiting | Phase::Running) {
            return Ok(());
        }
        let site = site(self.app, &self.placement, &self.execution);
        let so_far = Observed {
            watched: self.watched(),
            ..observed(&self.placed, state.start_ms, now_ms)
        };
        let usd = cost::so_far(&self.plan, &self.definition.run, &site, &so_far).usd();
        if usd < most {
            return Ok(());
        }
        let by = format!("${usd:.4} of ${most}");
        tracing::warn!(usd, max_cost_usd = most, "budget used up");
        self.stop(StopReason::Budget, &by).await
    }

    /// Stops the containers of lost tasks: nobody waits for them any more. A stop that fails is tried again at the next
    /// turn by whoever ends the run, and in the end the task's own deadline holds.
    pub(crate) async fn stop_lost(&self) {
        let lost = self.watch.state().tasks.iter().map(TaskState::is_lost);
        let lost: Vec<bool> = lost.collect();
        for task in &self.placed.tasks {
            if lost.get(task.task as usize) != Some(&true) {
                continue;
            }
            let Ok(place) = self.placement.region(&task.region) else {
                continue;
            };
            let why = "the run goes on or ends without this task";
            let stopped = self
                .app
                .tasks
                .stop(&task.region, &place.cluster, &task.arn, why);
            if let Err(error) = stopped.await {
                tracing::warn!(task = task.task, reason = %error, "a lost task could not be stopped");
            }
        }
    }

    async fn save(&mut self) -> Result<()> {
        let state = self.watch.state();
        if self.saved.as_ref() == Some(state) {
            return Ok(());
        }
        let objects = self.app.stores.objects.as_ref();
        json::put_compact(objects, &self.keys.watch(), state).await?;
        self.saved = Some(state.clone());
        Ok(())
    }

    /// How many tasks are lost.
    pub(crate) fn lost(&self) -> u32 {
        self.watch.state().lost() as u32
    }

    /// Where the run stands, for the pace.
    pub(crate) fn moment(&self, turn: u32) -> Moment {
        Moment {
            phase: self.phase(),
            now_ms: self.app.clock.now_ms(),
            turn,
            start_ms: self.watch.state().start_ms,
            course: Course::of(&self.plan, &self.definition),
        }
    }

    /// All that the watch has done, this turn included.
    fn watched(&self) -> Watched {
        Watched {
            turns: self.before.turns + 1,
            looks: self.before.looks + self.looks,
            time: self.before.time + between(self.began_ms, self.app.clock.now_ms()),
        }
    }

    /// The run as the state machine sees it after this turn.
    pub(crate) fn run(&self, turn: u32, wait: Duration, error: Option<String>) -> Run {
        let watched = self.watched();
        Run {
            project: self.plan.project.clone(),
            execution: self.plan.execution.clone(),
            engine: self.execution.engine.to_string(),
            phase: match self.phase() {
                Phase::Waiting => RunPhase::Waiting,
                Phase::Running => RunPhase::Running,
                Phase::Stopping => RunPhase::Stopping,
                Phase::Ended => RunPhase::Ended,
            },
            wait_s: whole_seconds(wait),
            tasks: self.plan.tasks.len() as u32,
            placed: self.placed.count(),
            parts: 0,
            status: None,
            turn,
            looks: watched.looks,
            watched_ms: u64::try_from(watched.time.as_millis()).unwrap_or(u64::MAX),
            error,
        }
    }
}
