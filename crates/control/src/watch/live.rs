//! The live objects of all tasks, as of the last step.

use super::figures::Figures;
use super::progress::Progress;
use super::state::{Pulse, TaskState, WatchState};
use crate::error::Result;
use crate::prefetch;
use floodgate_core::definition::model::{Definition, Stretch};
use floodgate_core::merge::Totals;
use floodgate_core::shard::{Shard, decode};
use floodgate_core::threshold::{MetricSource, Thresholds};
use floodgate_records::keys::ExecutionKeys;
use floodgate_records::plan::Plan;
use floodgate_store::ObjectStore;
use futures_util::StreamExt;
use std::collections::VecDeque;
use std::pin::pin;

/// States of a task that are kept: rates and quantiles of "now" are over the time between the first and the last.
const KEPT: usize = 3;

/// What is known of the tasks' measurements during the run.
pub(super) struct Live {
    tasks: Vec<TaskLive>,
    totals: Totals,
    /// The parts of the run that thresholds which may end it are about.
    parts: Vec<(Stretch, Totals)>,
    /// The scenarios with an arrival rate.
    open: Vec<String>,
    /// Whether a view wants figures, and whether a threshold may stop the run.
    figures: bool,
    judged: bool,
}

#[derive(Default)]
struct TaskLive {
    /// Unix ms by the store, and the figures then.
    history: VecDeque<(i64, Figures)>,
    latest: Option<Shard>,
    /// The version of the object in which the latest was.
    version: String,
}

impl Live {
    pub(super) fn new(tasks: usize, definition: &Definition, figures: bool) -> Self {
        Self {
            tasks: (0..tasks).map(|_| TaskLive::default()).collect(),
            totals: Totals::default(),
            parts: parts_of(definition),
            open: definition
                .scenarios
                .iter()
                .filter(|s| s.executor.is_open())
                .map(|s| s.name.clone())
                .collect(),
            figures,
            judged: definition.thresholds.iter().any(|t| t.abort_on_fail),
        }
    }

    /// What was measured so far in a part of the run that may end it, merged over the tasks.
    pub(super) fn of(&self, stretch: &Stretch) -> Option<&dyn MetricSource> {
        if stretch.is_whole() {
            return Some(&self.totals);
        }
        let (_, totals) = self.parts.iter().find(|(own, _)| own == stretch)?;
        Some(totals)
    }

    /// Reads the objects that have changed. One that cannot be decoded is a sign of life and nothing else: it is
    /// overwritten at the next flush, and the verdict never depends on it.
    pub(super) async fn read(
        &mut self,
        objects: &dyn ObjectStore,
        keys: &ExecutionKeys,
        pulses: &mut [Pulse],
        now_ms: i64,
    ) -> Result<()> {
        let prefix = keys.live_prefix();
        let mut there = Vec::new();
        let mut changed = Vec::new();
        for info in objects.list(&prefix).await? {
            let name = info.key.strip_prefix(&prefix).unwrap_or(&info.key);
            let number = name.strip_suffix(".parquet").and_then(|n| n.parse().ok());
            let Some((task, pulse)) = number.and_then(|t: usize| Some((t, pulses.get_mut(t)?)))
            else {
                continue;
            };
            // Not the time of the change, which some stores know to the second only.
            if self.tasks[task].version != info.version {
                changed.push((task, info.modified_ms, info.version.clone()));
            }
            if pulse.version != info.version {
                *pulse = Pulse {
                    version: info.version,
                    seen_ms: now_ms,
                };
            }
            there.push(task);
        }
        if self.figures {
            self.update(objects, keys, &changed).await
        } else if self.judged {
            self.total(objects, keys, &there).await
        } else {
            Ok(())
        }
    }

    fn clear(&mut self) {
        self.totals = Totals::default();
        for (_, totals) in &mut self.parts {
            *totals = Totals::default();
        }
    }

    /// All live objects added up, one at a time in memory beside those that are on their way.
    async fn total(
        &mut self,
        objects: &dyn ObjectStore,
        keys: &ExecutionKeys,
        tasks: &[usize],
    ) -> Result<()> {
        let wanted = tasks.iter().map(|&task| keys.live(task as u32));
        let mut all = pin!(prefetch::read(objects, wanted));
        self.clear();
        while let Some(object) = all.next().await {
            if let Some(live) = object?.and_then(|bytes| decode(&bytes).ok()) {
                add(&mut self.totals, &mut self.parts, &live);
            }
        }
        Ok(())
    }

    async fn update(
        &mut self,
        objects: &dyn ObjectStore,
        keys: &ExecutionKeys,
        changed: &[(usize, i64, String)],
    ) -> Result<()> {
        let wanted = changed.iter().map(|(task, ..)| keys.live(*task as u32));
        let mut all = pin!(prefetch::read(objects, wanted));
        let mut any = false;
        for (task, modified_ms, version) in changed {
            let Some(bytes) = all.next().await.transpose()?.flatten() else {
                continue;
            };
            if let Ok(shard) = decode(&bytes) {
                let figures = Figures::of(&shard.rows, |scenario| {
                    self.open.iter().any(|open| open == scenario)
                });
                let task = &mut self.tasks[*task];
                task.push(*modified_ms, figures, shard);
                task.version.clone_from(version);
                any = true;
            }
        }
        if any {
            self.clear();
            for live in self.tasks.iter().filter_map(|t| t.latest.as_ref()) {
                add(&mut self.totals, &mut self.parts, live);
            }
        }
        Ok(())
    }

    /// The numbers for a view.
    pub(super) fn progress(
        &self,
        plan: &Plan,
        definition: &Definition,
        state: &WatchState,
        now_ms: i64,
    ) -> Progress {
        let mut progress = Progress::before_start(plan, state);
        progress.set_time(definition, plan, state, now_ms);
        let (mut overall, mut recent) = (Figures::default(), Figures::default());
        let start_ms = state.start_ms.unwrap_or(now_ms);
        for (task, task_state) in self.tasks.iter().zip(&state.tasks) {
            let Some((at, latest)) = task.history.back() else {
                continue;
            };
            overall.add(latest);
            if *task_state != TaskState::Running {
                continue;
            }
            progress.vus += latest.vus;
            let (since, first) = match task.history.front() {
                Some((first_at, first)) if first_at < at => (*first_at, Some(first)),
                _ => (start_ms, None),
            };
            let window = first.map_or_else(|| latest.clone(), |first| latest.since(first));
            progress.add_rates(&window, at.saturating_sub(since));
            recent.add(&window);
        }
        progress.set_figures(&overall, &recent);
        progress
    }
}

impl TaskLive {
    fn push(&mut self, at_ms: i64, figures: Figures, live: Shard) {
        if self.history.len() == KEPT {
            self.history.pop_front();
        }
        self.history.push_back((at_ms, figures));
        self.latest = Some(live);
    }
}

/// The parts of a run that thresholds with `abortOnFail` are about, but for all of it.
fn parts_of(definition: &Definition) -> Vec<(Stretch, Totals)> {
    // Thresholds that do not compile never get here: the definition would not have been accepted.
    let stretches = Thresholds::of(definition).map(|all| all.abort_stretches());
    let stretches = stretches.unwrap_or_default().into_iter();
    let parts = stretches.filter(|stretch| !stretch.is_whole());
    parts.map(|stretch| (stretch, Totals::default())).collect()
}

/// Adds the live object of one more task.
fn add(totals: &mut Totals, parts: &mut [(Stretch, Totals)], live: &Shard) {
    // What has been decoded is sound.
    let _ = totals.add_live(live);
    for (stretch, of_part) in parts {
        let rows = live.rows.iter().filter(|row| {
            let after_ms = row.time_ms - live.meta.start_ms;
            stretch.has_live(after_ms, row.window_s, row.key.kind)
        });
        let _ = of_part.add_live_rows(rows);
    }
}
