//! Steering a search for the capacity: orders a step, reads what was measured of it, and orders the next one.
//!
//! All that it remembers is in `control/capacity.json`, which it alone writes: whoever resumes the watch goes on with the same step.

use crate::error::Result;
use crate::{json, prefetch};
use floodgate_core::capacity::{
    Load, Next, Offered, Search, idle_from, judge_step, judged_between, search, trials,
};
use floodgate_core::definition::model::{CapacitySpec, Definition};
use floodgate_core::shard::{Row, decode};
use floodgate_core::threshold::Thresholds;
use floodgate_records::capacity::{CapacityControl, CapacityEnd, CapacityStep, StepOutcome};
use floodgate_records::keys::ExecutionKeys;
use floodgate_records::plan::Plan;
use floodgate_store::ObjectStore;
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
    /// The beginning of the run that is not judged.
    warmup: Duration,
    /// The longest time that iterations may go on after a step, in ms.
    graceful_ms: u64,
    /// Between two shards of a task, in ms.
    flush_ms: u64,
    /// As it stands in the store; `None` before it has been read.
    control: Option<CapacityControl>,
}

/// A look of the watch: when it is, and where it reads.
#[derive(Clone, Copy)]
pub(super) struct Look<'a> {
    pub(super) objects: &'a dyn ObjectStore,
    pub(super) keys: &'a ExecutionKeys,
    /// The tasks that send load.
    pub(super) tasks: &'a [u32],
    pub(super) start_ms: i64,
    pub(super) now_ms: i64,
    /// How long every task takes to see an order.
    pub(super) lead: Duration,
}

impl Look<'_> {
    /// Since the start of the run, in ms.
    fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.now_ms.saturating_sub(self.start_ms)).unwrap_or(0)
    }

    /// A time after the start in ms, as Unix ms.
    fn at(&self, after_ms: u64) -> i64 {
        self.start_ms.saturating_add_unsigned(after_ms)
    }

    /// The rows of all tasks from one time to another, in ms since the start; `None` while one of the shards of `flush_ms` is missing.
    async fn rows(&self, from_ms: u64, until_ms: u64, flush_ms: u64) -> Result<Option<Vec<Row>>> {
        let seqs = from_ms / flush_ms..=until_ms.saturating_sub(1) / flush_ms;
        let number = |seq: u64| u32::try_from(seq).unwrap_or(u32::MAX);
        // The latest first: while one is missing, it is that.
        let wanted = seqs.rev().flat_map(|seq| {
            let tasks = self.tasks.iter();
            tasks.map(move |&task| self.keys.shard(task, number(seq)))
        });
        let mut all = pin!(prefetch::read(self.objects, wanted));
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
            warmup: definition.warmup,
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
    pub(super) async fn step(&mut self, at: Look<'_>) -> Result<()> {
        let key = at.keys.capacity();
        let mut control = match self.control.take() {
            Some(control) => control,
            None => json::get(at.objects, &key).await?.unwrap_or_default(),
        };
        if self.advance(&mut control, at).await? {
            at.objects.put(&key, json::bytes(&key, &control)?).await?;
        }
        self.control = Some(control);
        Ok(())
    }

    /// Whether `control` has changed.
    async fn advance(&self, control: &mut CapacityControl, at: Look<'_>) -> Result<bool> {
        if control.ended.is_some() {
            return Ok(false);
        }
        let Some(step) = control.steps.last_mut() else {
            self.order(control, 0, at);
            return Ok(true);
        };
        let (until, gone) = (step.until_ms, step.until_ms + self.graceful_ms);
        if at.elapsed_ms() < until {
            return Ok(false);
        }
        let Some(seen) = &step.seen else {
            control.ended = match self.judge(step, at).await? {
                Judged::Not => return Ok(false),
                Judged::Last(why) => Some(why),
                Judged::Seen => None,
            };
            return Ok(true);
        };
        // What is still under way of a load that was too much must not be the next step's.
        let not_before = match seen.outcome == StepOutcome::Held || at.elapsed_ms() >= gone {
            true => 0,
            false => match self.drained(until, at).await? {
                Some(drained_ms) => drained_ms,
                None => return Ok(false),
            },
        };
        self.order(control, not_before, at);
        Ok(true)
    }

    /// When no iteration was under way any more after `from_ms`, as far as the shards say; in ms since the start.
    async fn drained(&self, mut from_ms: u64, at: Look<'_>) -> Result<Option<u64>> {
        let after = at.at(from_ms);
        while let Some(rows) = at
            .rows(from_ms, from_ms + self.flush_ms, self.flush_ms)
            .await?
        {
            if let Some(idle_ms) = idle_from(&rows, after) {
                return Ok(u64::try_from(idle_ms - at.start_ms).ok());
            }
            from_ms += self.flush_ms;
        }
        Ok(None)
    }

    /// Judges a step, once all of its shards are there.
    async fn judge(&self, step: &mut CapacityStep, at: Look<'_>) -> Result<Judged> {
        let (from, until) = (step.settled_ms, step.until_ms);
        let Some(rows) = at.rows(from, until, self.flush_ms).await? else {
            let patience = until + 2 * self.flush_ms + millis(PATIENCE);
            return Ok(match at.elapsed_ms() < patience {
                true => Judged::Not,
                false => Judged::Last(CapacityEnd::Unmeasured),
            });
        };
        let offered = Offered {
            from_ms: at.at(from),
            until_ms: at.at(until),
            rate: (!self.load.is_whole()).then_some(step.load),
            min_applied: self.min_applied,
        };
        // What has been decoded is sound; if it were not, the step would say nothing.
        step.seen = judge_step(&rows, &offered, &self.thresholds).ok();
        let says = step.seen.as_ref().map(|seen| seen.outcome);
        Ok(match says {
            Some(StepOutcome::Held | StepOutcome::Broke) => Judged::Seen,
            Some(StepOutcome::Spoiled) | None => Judged::Last(CapacityEnd::Generator),
        })
    }

    /// Orders the next step, or the end.
    fn order(&self, control: &mut CapacityControl, not_before_ms: u64, at: Look<'_>) {
        let seen = trials(&control.steps);
        let load = match self.search.next(&seen) {
            Next::Try(load) => load,
            Next::Found(_) => return control.ended = Some(CapacityEnd::Found),
            Next::AtLeast(_) => return control.ended = Some(CapacityEnd::MaxLoad),
            Next::Below(_) => return control.ended = Some(CapacityEnd::NeverHeld),
        };
        let from_ms = (at.elapsed_ms() + millis(at.lead)).max(not_before_ms);
        let is_near = !self.load.is_whole() && Search::is_bracketed(&seen);
        let from = Duration::from_millis(from_ms);
        // The first step settles until the warm-up is over at least.
        let judged_from = from.max(self.warmup.saturating_sub(self.spec.settle));
        let (settled, until) = judged_between(&self.spec, judged_from, load, is_near);
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
}

/// What came of judging a step.
enum Judged {
    /// Its shards are not there yet.
    Not,
    /// What was seen of it.
    Seen,
    /// No further step makes sense.
    Last(CapacityEnd),
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
