//! Looking on at a run that another process watches. Nothing is written and nothing is decided.

use super::live::Live;
use super::progress::Progress;
use super::state::{Phase, Pulse, TaskState, WatchState};
use crate::error::Result;
use crate::stop::read_stop;
use crate::{Stores, json};
use floodgate_core::definition::model::Definition;
use floodgate_records::control::Start;
use floodgate_records::keys::ExecutionKeys;
use floodgate_records::plan::Plan;

/// Looks on at one run.
pub struct Observer {
    stores: Stores,
    keys: ExecutionKeys,
    plan: Plan,
    definition: Definition,
    live: Live,
    pulses: Vec<Pulse>,
    read_ms: Option<i64>,
    progress: Progress,
}

impl Observer {
    /// From a plan that stands and its definition.
    pub fn new(stores: Stores, plan: Plan, definition: Definition) -> Self {
        let tasks = plan.tasks.len();
        let progress = Progress::before_start(&plan, &WatchState::new(tasks, 0));
        Self {
            stores,
            keys: ExecutionKeys::new(&plan.project, &plan.execution),
            live: Live::new(tasks, &definition, true),
            pulses: vec![Pulse::default(); tasks],
            read_ms: None,
            progress,
            plan,
            definition,
        }
    }

    /// How the run stands. Live objects are read no more often than tasks write them.
    ///
    /// # Errors
    /// What the store refuses, and an object that cannot be read. A look may be repeated after an error.
    pub async fn look(&mut self, now_ms: i64) -> Result<&Progress> {
        let state = self.state(now_ms).await?;
        let interval_ms = i64::try_from(self.plan.live_interval_ms).unwrap_or(i64::MAX);
        let due = self
            .read_ms
            .is_none_or(|read_ms| now_ms.saturating_sub(read_ms) >= interval_ms);
        if state.start_ms.is_some() && due {
            let objects = self.stores.objects.as_ref();
            self.live
                .read(objects, &self.keys, &mut self.pulses, now_ms)
                .await?;
            self.read_ms = Some(now_ms);
        }
        self.progress = self
            .live
            .progress(&self.plan, &self.definition, &state, now_ms);
        Ok(&self.progress)
    }

    /// What the watch remembered last. Between two of its turns start and stop may have been written: they are looked for, so
    /// that a view is not behind by a turn. Before its first turn nothing is known of the tasks.
    async fn state(&self, now_ms: i64) -> Result<WatchState> {
        let objects = self.stores.objects.as_ref();
        let stored: Option<WatchState> = json::get(objects, &self.keys.watch()).await?;
        let is_remembered = stored.is_some();
        let mut state = stored.unwrap_or_else(|| WatchState::new(self.plan.tasks.len(), now_ms));
        if state.start_ms.is_none()
            && let Some(Start { start_ms }) = json::get(objects, &self.keys.start()).await?
        {
            state.start_ms = Some(start_ms);
            state.phase = Phase::Running;
            // On one machine nothing is remembered, and all tasks were ready before the start was written.
            let starts = |task: &&mut TaskState| **task == TaskState::Ready || !is_remembered;
            for task in state.tasks.iter_mut().filter(starts) {
                *task = TaskState::Running;
            }
        }
        if state.stop.is_none()
            && let Some(stop) = read_stop(objects, &self.keys).await?
        {
            state.stop = Some((stop, now_ms));
            if state.phase != Phase::Ended {
                state.phase = Phase::Stopping;
            }
        }
        Ok(state)
    }
}
