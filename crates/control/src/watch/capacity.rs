//! Steering a search for the capacity: orders a step, reads what was measured of it, and orders the next one.
//!
//! All that it remembers is in `control/capacity.json`, which it alone writes: whoever resumes the watch goes on with the same step.

use crate::error::Result;
use crate::stores::Stores;
use crate::{json, prefetch};
use floodgate_core::capacity::{
    Load, Next, Offered, Search, idle_from, judge_step, judged_between, search, trials,
};
use floodgate_core::definition::model::{CapacitySpec, Definition};
use floodgate_core::shard::{Row, decode};
use floodgate_core::threshold::Thresholds;
use floodgate_records::capacity::{
    CapacityControl, CapacityEnd, CapacitySeen, CapacityStep, StepOutcome,
};
use floodgate_records::keys::ExecutionKeys;
use floodgate_records::plan::Plan;
use futures_util::StreamExt;
use std::pin::pin;
use std::time::Duration;

/// How long shards of a step may take to come, beyond the interval at which they are written.
const PATIENCE: Duration = Duration::from_secs(60);

/// A search that is under way.
pub(super) struct Seeking {
    spec: CapacitySpec,
    load: Load,
    search: Search,
    thresholds: Thresholds,
    min_applied: f64,
    /// The longest time that iterations may go on after a step, in ms.
    graceful_ms: u64,
    /// Between two shards of a task, in ms.
    flush_ms: u64,
    /// As it stands in the store; `None` before it has been read.
    control: Option<CapacityControl>,
}

/// When a watch looks.
#[derive(Clone, Copy)]
pub(super) struct Moment {
    pub(super) start_ms: i64,
    pub(super) now_ms: i64,
    /// How long every task takes to see an order.
    pub(super) lead: Duration,
}

impl Moment {
    /// Since the start of the run, in ms.
    fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.now_ms.saturating_sub(self.start_ms)).unwrap_or(0)
    }
}

impl Seeking {
    pub(super) fn of(definition: &Definition, plan: &Plan) -> Option<Self> {
        let (spec, load, search) = search(definition)?;
        let scenarios = definition.scenarios.iter();
        let graceful_stop = scenarios.map(|s| s.graceful_stop).max().unwrap_or_default();
        Some(Self {
            spec,
            load,
            search,
            // Those that don't compile never get here: the definition would not have been accepted.
            thresholds: Thresholds::compile(&definition.thresholds).ok()?,
            min_applied: definition.run.min_applied_load,
            graceful_ms: millis(graceful_stop),
            flush_ms: plan.flush_interval_ms.max(1),
            control: None,
        })
    }

    fn current(&self, elapsed: Duration) -> Option<(usize, &CapacityStep)> {
        let control = self.control.as_ref()?;
        let step = control.steps.last()?;
        let is_under_way = millis(elapsed) < step.until_ms && control.ended.is_none();
        is_under_way.then_some((control.steps.len(), step))
    }

    /// Iterations a second that are to start now; `None` in a closed loop.
    pub(super) fn offered(&self, elapsed: Duration) -> Option<f64> {
        if self.load.is_whole() {
            return None;
        }
        let step = self.current(elapsed).map(|(_, step)| step);
        let begun = step.filter(|step| millis(elapsed) >= step.from_ms);
        Some(begun.map_or(0.0, |step| step.load))
    }

    /// What is being tried, and what the last step showed.
    pub(super) fn sentence(&self, elapsed: Duration) -> Option<String> {
        let control = self.control.as_ref()?;
        let unit = self.load.unit.as_str();
        let seen = control.steps.iter().rev().find_map(|step| {
            let what = match step.seen.as_ref()?.outcome {
                StepOutcome::Held => "held",
                StepOutcome::Broke => "broke",
                StepOutcome::Spoiled => "said nothing",
            };
            Some(format!("{} {what}", figures(step.load)))
        });
        let now = match self.current(elapsed) {
            Some((n, step)) => format!("step {n}: {} {unit}", figures(step.load)),
            None if control.ended.is_some() => "the search is over".to_owned(),
            None => "waiting for the target to recover".to_owned(),
        };
        Some(match seen {
            Some(seen) => format!("{now}; {seen}"),
            None => now,
        })
    }

    /// Does what is due now, if anything is.
    pub(super) async fn step(
        &mut self,
        stores: &Stores,
        keys: &ExecutionKeys,
        tasks: &[u32],
        at: Moment,
    ) -> Result<()> {
        let mut control = match self.control.take() {
            Some(control) => control,
            None => json::get(stores.objects.as_ref(), &keys.capacity())
                .await?
                .unwrap_or_default(),
        };
        let changed = self.advance(&mut control, stores, keys, tasks, at).await?;
        if changed {
            let key = keys.capacity();
            let bytes = json::bytes(&key, &control)?;
            stores.objects.put(&key, bytes).await?;
        }
        self.control = Some(control);
        Ok(())
    }

    /// Whether `control` has changed.
    async fn advance(
        &self,
        control: &mut CapacityControl,
        stores: &Stores,
        keys: &ExecutionKeys,
        tasks: &[u32],
        at: Moment,
    ) -> Result<bool> {
        if control.ended.is_some() {
            return Ok(false);
        }
        let Some(step) = control.steps.last() else {
            self.order(control, 0, at);
            return Ok(true);
        };
        let (until, gone) = (step.until_ms, step.until_ms + self.graceful_ms);
        let held = match &step.seen {
            _ if at.elapsed_ms() < until => return Ok(false),
            None => return self.look(control, stores, keys, tasks, at).await,
            Some(seen) => seen.outcome == StepOutcome::Held,
        };
        // What is still under way of a load that was too much must not be the next step's.
        let not_before = match held || at.elapsed_ms() >= gone {
            true => 0,
            false => match self.drained(stores, keys, tasks, until, at).await? {
                Some(drained_ms) => drained_ms,
                None => return Ok(false),
            },
        };
        self.order(control, not_before, at);
        Ok(true)
    }

    /// When no iteration was under way any more after `from_ms`, as far as the shards say; in ms since the start.
    async fn drained(
        &self,
        stores: &Stores,
        keys: &ExecutionKeys,
        tasks: &[u32],
        from_ms: u64,
        at: Moment,
    ) -> Result<Option<u64>> {
        let after = at.start_ms.saturating_add_unsigned(from_ms);
        let mut until_ms = from_ms + self.flush_ms;
        while let Some(rows) = self.rows(stores, keys, tasks, from_ms, until_ms).await? {
            if let Some(idle_ms) = idle_from(&rows, after) {
                return Ok(u64::try_from(idle_ms - at.start_ms).ok());
            }
            until_ms += self.flush_ms;
        }
        Ok(None)
    }

    /// Judges the last step, once all of its shards are there.
    async fn look(
        &self,
        control: &mut CapacityControl,
        stores: &Stores,
        keys: &ExecutionKeys,
        tasks: &[u32],
        at: Moment,
    ) -> Result<bool> {
        let Some(step) = control.steps.last_mut() else {
            return Ok(false);
        };
        let (from, until) = (step.settled_ms, step.until_ms);
        let Some(rows) = self.rows(stores, keys, tasks, from, until).await? else {
            let patience = until + 2 * self.flush_ms + millis(PATIENCE);
            if at.elapsed_ms() < patience {
                return Ok(false);
            }
            control.ended = Some(CapacityEnd::Unmeasured);
            return Ok(true);
        };
        let offered = Offered {
            from_ms: at.start_ms.saturating_add_unsigned(from),
            until_ms: at.start_ms.saturating_add_unsigned(until),
            rate: (!self.load.is_whole()).then_some(step.load),
            min_applied: self.min_applied,
        };
        // What has been decoded is sound; if it were not, the step would say nothing.
        let seen = judge_step(&rows, &offered, &self.thresholds).ok();
        let spoiled = seen
            .as_ref()
            .is_none_or(|seen: &CapacitySeen| seen.outcome == StepOutcome::Spoiled);
        step.seen = seen;
        if spoiled {
            control.ended = Some(CapacityEnd::Generator);
        }
        Ok(true)
    }

    /// Orders the next step, or the end.
    fn order(&self, control: &mut CapacityControl, not_before_ms: u64, at: Moment) {
        let load = match self.search.next(&trials(&control.steps)) {
            Next::Try(load) => load,
            Next::Found(_) => return control.ended = Some(CapacityEnd::Found),
            Next::AtLeast(_) => return control.ended = Some(CapacityEnd::MaxLoad),
            Next::Below(_) => return control.ended = Some(CapacityEnd::NeverHeld),
        };
        let from_ms = (at.elapsed_ms() + millis(at.lead)).max(not_before_ms);
        let seen = trials(&control.steps);
        let is_near = !self.load.is_whole() && self.search.interval(&seen).is_some();
        let from = Duration::from_millis(from_ms);
        let (settled, until) = judged_between(&self.spec, from, load, is_near);
        let (settled_ms, until_ms) = (millis(settled), millis(until));
        if until_ms > millis(self.spec.max_duration) {
            control.ended = Some(CapacityEnd::MaxDuration);
            return;
        }
        control.steps.push(CapacityStep {
            from_ms,
            settled_ms,
            until_ms,
            load,
            seen: None,
        });
    }

    /// The rows of all tasks from one time to another, in ms since the start; `None` while shards are missing.
    async fn rows(
        &self,
        stores: &Stores,
        keys: &ExecutionKeys,
        tasks: &[u32],
        from_ms: u64,
        until_ms: u64,
    ) -> Result<Option<Vec<Row>>> {
        let first = from_ms / self.flush_ms;
        let last = until_ms.saturating_sub(1) / self.flush_ms;
        let seqs = || first..=last;
        let number = |seq: u64| u32::try_from(seq).unwrap_or(u32::MAX);
        let wanted = tasks
            .iter()
            .flat_map(|&task| seqs().map(move |seq| keys.shard(task, number(seq))));
        let mut all = pin!(prefetch::read(stores.objects.as_ref(), wanted));
        let mut rows = Vec::new();
        while let Some(object) = all.next().await {
            let Some(shard) = object?.and_then(|bytes| decode(&bytes).ok()) else {
                return Ok(None);
            };
            rows.extend(shard.rows);
        }
        Ok(Some(rows))
    }
}

/// A load as it is shown while the search goes on.
fn figures(load: f64) -> String {
    match load < 100.0 && load.fract() != 0.0 {
        true => format!("{load:.2}"),
        false => format!("{load:.0}"),
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX / 4)
}
