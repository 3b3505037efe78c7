//! Watching a run: a machine that is stepped by its caller, and between two steps is nothing but its [`WatchState`].

mod abort;
mod capacity;
mod figures;
mod live;
mod observer;
mod progress;
mod state;

pub use observer::Observer;
pub use progress::{Progress, Quantiles};
pub use state::{Phase, Pulse, TaskState, WatchOptions, WatchState};

use crate::error::Result;
use crate::prepare::max_duration;
use crate::stop::{order_stop, read_stop};
use crate::{LostTask, Prepared, Stores, json};
use capacity::{Look, Seeking};
use floodgate_core::definition::model::Definition;
use floodgate_records::control::{Start, Stop, StopReason};
use floodgate_records::execution::Execution;
use floodgate_records::keys::ExecutionKeys;
use floodgate_records::plan::Plan;
use floodgate_records::status::Status;
use floodgate_store::StoreError;
use live::Live;
use std::time::Duration;

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Next {
    /// How long to wait before the next step.
    pub wait: Duration,
    /// Where the run stands; [`Phase::Ended`] wants no further step.
    pub phase: Phase,
}

/// Watches one run.
pub struct Watch {
    stores: Stores,
    keys: ExecutionKeys,
    plan: Plan,
    execution: Execution,
    definition: Definition,
    options: WatchOptions,
    state: WatchState,
    reported: Vec<LostTask>,
    live: Live,
    progress: Progress,
    /// The search for the capacity, if the run is one.
    sought: Option<Seeking>,
}

impl Watch {
    /// A watch over tasks that were just started.
    pub fn new(
        stores: Stores,
        prepared: Prepared,
        definition: Definition,
        options: WatchOptions,
        now_ms: i64,
    ) -> Self {
        let state = WatchState::new(prepared.plan.tasks.len(), now_ms);
        Self::resume(stores, prepared, definition, options, state)
    }

    /// A watch that goes on where another one stood.
    pub fn resume(
        stores: Stores,
        prepared: Prepared,
        definition: Definition,
        options: WatchOptions,
        state: WatchState,
    ) -> Self {
        let Prepared { plan, execution } = prepared;
        let keys = ExecutionKeys::new(&plan.project, &plan.execution);
        let live = Live::new(plan.tasks.len(), &definition, options.figures);
        let progress = Progress::before_start(&plan, &state);
        let sought = Seeking::of(&definition, &plan);
        Self {
            stores,
            keys,
            plan,
            execution,
            definition,
            options,
            state,
            reported: Vec::new(),
            live,
            progress,
            sought,
        }
    }

    /// What has to be kept for [`Self::resume`].
    pub fn state(&self) -> &WatchState {
        &self.state
    }

    /// How the run stands, as of the last step.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// The tasks that are lost so far, with the reason.
    pub fn lost(&self) -> Vec<LostTask> {
        self.state.lost_tasks()
    }

    /// The caller saw a task end (a process that exited, a stopped container). If it has written its manifest that is
    /// its end; otherwise it is lost for this reason.
    pub fn task_exited(&mut self, task: u32, reason: impl Into<String>) {
        self.reported.push(LostTask {
            task,
            reason: reason.into(),
        });
    }

    /// Orders all tasks to stop; the first order counts.
    ///
    /// # Errors
    /// What the store refuses.
    pub async fn stop(
        &mut self,
        reason: StopReason,
        by: impl Into<String>,
        now_ms: i64,
    ) -> Result<()> {
        let order = Stop {
            reason,
            by: by.into(),
            at_ms: now_ms,
        };
        let standing = order_stop(self.stores.objects.as_ref(), &self.keys, &order).await?;
        self.stopping(standing, now_ms);
        Ok(())
    }

    /// Looks at everything once, gives the orders that follow, and says when to look again.
    ///
    /// # Errors
    /// What the store refuses. A step may be repeated after an error.
    pub async fn step(&mut self, now_ms: i64) -> Result<Next> {
        self.see_manifests().await?;
        if self.state.stop.is_none()
            && let Some(stop) = read_stop(self.stores.objects.as_ref(), &self.keys).await?
        {
            self.stopping(stop, now_ms);
        }
        // Whoever looks again after a long time, stopped or asleep, finds tasks that have ended in order: nothing is to be ordered.
        let over = self
            .state
            .tasks
            .iter()
            .all(|task| *task == TaskState::Ended);
        match self.state.phase {
            _ if over => {}
            Phase::Waiting => self.wait_for_tasks(now_ms).await?,
            Phase::Running => self.run(now_ms).await?,
            Phase::Stopping => self.wait_for_end(now_ms).await?,
            Phase::Ended => {}
        }
        if self.state.tasks.iter().all(TaskState::is_over) {
            self.state.phase = Phase::Ended;
            // The last figures are shown with the end.
            if over && self.options.figures {
                self.read_live(now_ms).await?;
            }
        }
        self.progress = self
            .live
            .progress(&self.plan, &self.definition, &self.state, now_ms);
        if let (Some(sought), Phase::Running) = (&self.sought, self.state.phase) {
            let elapsed = self.progress.elapsed;
            self.progress.offered_per_s = sought.offered(elapsed);
            self.progress.seeking = sought.sentence(elapsed);
        }
        Ok(Next {
            wait: self.wait(),
            phase: self.state.phase,
        })
    }

    fn stopping(&mut self, stop: Stop, now_ms: i64) {
        if self.state.stop.is_none() {
            self.state.stop = Some((stop, now_ms));
        }
        if self.state.phase != Phase::Ended {
            self.state.phase = Phase::Stopping;
        }
    }

    fn wait(&self) -> Duration {
        let needed = Duration::from_millis(self.plan.load.max_duration_ms);
        self.options
            .poll
            .max(needed / self.options.max_steps.max(1))
    }

    /// A manifest is the last thing that a task writes; it counts for more than any sign that the task is gone.
    async fn see_manifests(&mut self) -> Result<()> {
        let prefix = format!("{}tasks/", self.keys.root());
        let there = self.stores.objects.list(&prefix).await?;
        for (task, state) in (0..).zip(&mut self.state.tasks) {
            let key = self.keys.manifest(task);
            if there.binary_search_by(|o| o.key.as_str().cmp(&key)).is_ok() {
                *state = TaskState::Ended;
            }
        }
        for LostTask { task, reason } in self.reported.drain(..) {
            if let Some(state) = self
                .state
                .tasks
                .get_mut(task as usize)
                .filter(|s| !s.is_over())
            {
                *state = TaskState::Lost { reason };
            }
        }
        Ok(())
    }

    async fn wait_for_tasks(&mut self, now_ms: i64) -> Result<()> {
        let there = self.stores.objects.list(&self.keys.ready_prefix()).await?;
        for (task, state) in (0..).zip(&mut self.state.tasks) {
            let key = self.keys.ready(task);
            let found = || there.binary_search_by(|o| o.key.as_str().cmp(&key)).is_ok();
            if *state == TaskState::Pending && found() {
                *state = TaskState::Ready;
            }
        }
        let timeout_ms = self.plan.start_timeout_ms;
        if now_ms.saturating_sub(self.state.since_ms) >= saturating_i64(timeout_ms) {
            for state in self
                .state
                .tasks
                .iter_mut()
                .filter(|s| **s == TaskState::Pending)
            {
                let reason = format!("was not ready within {} s", timeout_ms as f64 / 1_000.0);
                *state = TaskState::Lost { reason };
            }
        }
        if self.too_many_lost() {
            return self
                .stop(StopReason::TasksLost, self.lost_sentence(), now_ms)
                .await;
        }
        let waiting = self.state.tasks.contains(&TaskState::Pending);
        if !waiting && self.state.tasks.contains(&TaskState::Ready) {
            self.start(now_ms).await?;
        }
        Ok(())
    }

    /// Sets the one start of all tasks, unless a step before this one did and was cut off.
    async fn start(&mut self, now_ms: i64) -> Result<()> {
        let key = self.keys.start();
        let lead_ms =
            saturating_i64(u64::try_from(self.options.lead.as_millis()).unwrap_or(u64::MAX));
        let mut start = Start {
            start_ms: now_ms.saturating_add(lead_ms),
        };
        match self
            .stores
            .objects
            .put_new(&key, json::bytes(&key, &start)?)
            .await
        {
            Ok(()) => {}
            Err(StoreError::Exists { .. }) => {
                start = json::need(
                    self.stores.objects.as_ref(),
                    key,
                    "it stood there a moment ago",
                )
                .await?;
            }
            Err(error) => return Err(error.into()),
        }
        self.execution.status = Status::Running;
        self.execution.started_ms = Some(start.start_ms);
        self.stores
            .records
            .update(&self.execution, &[Status::Preparing, Status::Running])
            .await?;
        self.state.start_ms = Some(start.start_ms);
        self.state.phase = Phase::Running;
        for (state, pulse) in self.state.tasks.iter_mut().zip(&mut self.state.pulses) {
            if *state == TaskState::Ready {
                *state = TaskState::Running;
                pulse.seen_ms = start.start_ms;
            }
        }
        Ok(())
    }

    async fn run(&mut self, now_ms: i64) -> Result<()> {
        self.read_live(now_ms).await?;
        self.find_dead(now_ms);
        if self.too_many_lost() {
            return self
                .stop(StopReason::TasksLost, self.lost_sentence(), now_ms)
                .await;
        }
        let start_ms = self.state.start_ms.unwrap_or(now_ms);
        let longest = max_duration(&self.definition, &self.plan.load).as_millis();
        let end_ms = start_ms
            .saturating_add(i64::try_from(longest).unwrap_or(i64::MAX))
            .min(self.plan.deadline_ms);
        if now_ms >= end_ms {
            return self
                .stop(
                    StopReason::Deadline,
                    "the longest duration of the run",
                    now_ms,
                )
                .await;
        }
        let elapsed =
            Duration::from_millis(u64::try_from(now_ms.saturating_sub(start_ms)).unwrap_or(0));
        if let Some(sought) = &mut self.sought {
            // Beyond the capacity thresholds break: that is what is sought.
            return sought
                .step(Look {
                    objects: self.stores.objects.as_ref(),
                    keys: &self.keys,
                    tasks: &sending(&self.state.tasks),
                    start_ms,
                    now_ms,
                    lead: self.options.lead,
                })
                .await;
        }
        if let Some(id) = abort::breached(&self.definition, &self.live, elapsed) {
            return self.stop(StopReason::Threshold, id, now_ms).await;
        }
        Ok(())
    }

    /// Tasks write their last shards and manifests; one that does not is lost.
    async fn wait_for_end(&mut self, now_ms: i64) -> Result<()> {
        if self.options.figures {
            self.read_live(now_ms).await?;
        }
        let ordered_ms = self
            .state
            .stop
            .as_ref()
            .map_or(now_ms, |(_, seen_ms)| *seen_ms);
        let grace = self.options.stop_grace;
        if now_ms.saturating_sub(ordered_ms)
            >= saturating_i64(u64::try_from(grace.as_millis()).unwrap_or(u64::MAX))
        {
            for state in self.state.tasks.iter_mut().filter(|s| !s.is_over()) {
                let reason = format!(
                    "wrote no manifest within {} s of the order to stop",
                    grace.as_secs_f64()
                );
                *state = TaskState::Lost { reason };
            }
        }
        Ok(())
    }

    async fn read_live(&mut self, now_ms: i64) -> Result<()> {
        let objects = self.stores.objects.as_ref();
        self.live
            .read(objects, &self.keys, &mut self.state.pulses, now_ms)
            .await
    }

    fn find_dead(&mut self, now_ms: i64) {
        let silence_ms = u64::from(self.options.missed_intervals)
            .saturating_mul(self.plan.live_interval_ms)
            .max(u64::try_from(self.options.min_silence.as_millis()).unwrap_or(u64::MAX));
        for (state, pulse) in self.state.tasks.iter_mut().zip(&self.state.pulses) {
            if *state == TaskState::Running
                && now_ms.saturating_sub(pulse.seen_ms) > saturating_i64(silence_ms)
            {
                let reason = format!("gave no sign of life for {} s", silence_ms as f64 / 1_000.0);
                *state = TaskState::Lost { reason };
            }
        }
    }

    /// Past the tolerance the run can no longer pass or fail: going on would only cost.
    fn too_many_lost(&self) -> bool {
        let share = self.state.lost() as f64 / self.state.tasks.len().max(1) as f64;
        self.state.lost() > 0 && share > self.definition.run.tolerance
    }

    fn lost_sentence(&self) -> String {
        let lost: Vec<_> = self
            .lost()
            .into_iter()
            .map(|l| format!("task {} {}", l.task, l.reason))
            .collect();
        lost.join("; ")
    }
}

/// The tasks that send load, by number.
fn sending(tasks: &[TaskState]) -> Vec<u32> {
    let all = (0..).zip(tasks);
    all.filter(|(_, state)| **state == TaskState::Running)
        .map(|(task, _)| task)
        .collect()
}

fn saturating_i64(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
