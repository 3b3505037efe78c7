//! The course of a run: parts of it, and windows, out of its merged rows.
//!
//! Thresholds of a part of the run, objectives, slopes, the warm-up and the drift of a run need more than the totals of a run. What they
//! need is known before any row is read ([`Course::new`]); rows are then added as they come ([`Course::add`]), and nothing else of them is
//! kept. A run that needs none of it is not read a second time.
//!
//! Every time at which something begins or ends is the end of a window of the merged rows, which the definition has seen to
//! ([`Definition::phase_window_s`]). Rows that lie across such a time all the same, as another program may have written them, are counted,
//! and leave what they touch without an outcome.

mod drift;
mod grid;
mod load;
mod objective;
mod part;
mod steady;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
mod trend;

use crate::definition::model::{Definition, Scenario, Stretch};
pub(crate) use crate::drift::LEAST_S;
use crate::merge::Totals;
use crate::shard::Row;
use crate::threshold::{MetricSource, MissingSamples, Threshold, Thresholds};
use floodgate_records::drift::{Drift, WarmUp};
use floodgate_records::metric::{Builtin, Tags};
use floodgate_records::outcome::ThresholdOutcome;
use grid::{Grid, Layout};
use load::load_changes;
pub(crate) use objective::MAX_WINDOWS;
use part::PartOfRun;
use std::collections::BTreeMap;
use std::time::Duration;

/// When a run was.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// The common start, Unix ms.
    pub start_ms: i64,
    /// From the start to the last window with data.
    pub duration: Duration,
    /// From the start to the last scheduled start, where that is known.
    pub planned: Option<Duration>,
}

impl Times {
    /// When the load ended, after the start.
    fn end(&self) -> Duration {
        self.planned
            .map_or(self.duration, |planned| planned.min(self.duration))
    }
}

/// What was measured in the course of a run, as far as it is asked for.
#[derive(Debug)]
pub struct Course {
    times: Times,
    warmup: Duration,
    /// Whether the load was to change in what is judged; `None` where that is not known.
    load_changes: Option<bool>,
    /// All that comes after the warm-up, if there is one; and what comes before.
    judged: Option<(PartOfRun, PartOfRun)>,
    parts: BTreeMap<Stretch, PartOfRun>,
    grids: Vec<Grid>,
}

impl Course {
    /// What is to be known of a run; nothing has been added yet.
    pub fn new(definition: &Definition, thresholds: &Thresholds, times: Times) -> Self {
        match definition.capacity {
            // Each step of a search is judged by itself.
            Some(_) => Self::after_warmup(definition.warmup, None, times),
            None => Self::of(thresholds, &definition.scenarios, times),
        }
    }

    /// The same of a run with these scenarios.
    pub fn of(thresholds: &Thresholds, scenarios: &[Scenario], times: Times) -> Self {
        let warmup = thresholds.warmup;
        let changes = load_changes(scenarios, warmup, times.end());
        let mut course = Self::after_warmup(warmup, changes, times);
        for threshold in &thresholds.items {
            course.ask(threshold);
        }
        let layouts = course.own_layouts();
        layouts.into_iter().for_each(|layout| course.lay(layout));
        course
    }

    fn after_warmup(warmup: Duration, load_changes: Option<bool>, times: Times) -> Self {
        let judged = Stretch {
            from: warmup,
            to: None,
        };
        let before = Stretch {
            from: Duration::ZERO,
            to: Some(warmup),
        };
        Self {
            times,
            warmup,
            load_changes,
            judged: (!warmup.is_zero())
                .then(|| (PartOfRun::of_all(judged), PartOfRun::of_all(before))),
            parts: BTreeMap::new(),
            grids: Vec::new(),
        }
    }

    fn ask(&mut self, threshold: &Threshold) {
        let stretch = threshold.part.stretch(self.warmup);
        if !threshold.is_plain() {
            let layout = match &threshold.objective {
                Some(objective) => self.objective_layout(&threshold.key, stretch, *objective),
                None => self.slope_layout(&threshold.key, stretch),
            };
            if let Some(layout) = layout {
                self.lay(layout);
            }
        } else if !threshold.part.is_whole() {
            let part = self.parts.entry(stretch);
            part.or_insert_with(|| PartOfRun::of(stretch))
                .also(&threshold.key.metric);
        }
    }

    /// Adds a grid unless there is one like it.
    fn lay(&mut self, layout: Layout) {
        if self.grid(&layout).is_none() {
            self.grids.push(Grid::new(layout));
        }
    }

    fn grid(&self, layout: &Layout) -> Option<&Grid> {
        self.grids.iter().find(|grid| grid.layout == *layout)
    }

    /// Whether nothing is asked for, so that no row need be added.
    pub fn is_empty(&self) -> bool {
        self.judged.is_none() && self.parts.is_empty() && self.grids.is_empty()
    }

    /// Adds rows of the merged file, in any order.
    pub fn add(&mut self, rows: &[Row]) {
        for row in rows {
            let after_ms = row.time_ms.saturating_sub(self.times.start_ms).max(0);
            if let Some((judged, before)) = &mut self.judged {
                judged.add(row, after_ms);
                before.add(row, after_ms);
            }
            for part in self.parts.values_mut() {
                part.add(row, after_ms);
            }
            for grid in &mut self.grids {
                grid.add(row, after_ms);
            }
        }
    }

    /// What is judged, if it is not all that was measured.
    pub fn judged(&self) -> Option<&Totals> {
        self.judged.as_ref().map(|(judged, _)| &judged.totals)
    }

    /// The warm-up, if there is one.
    pub fn warmup(&self) -> Option<WarmUp> {
        let (_, before) = self.judged.as_ref()?;
        let sum = |metric: Builtin| {
            let found = before.totals.select(metric.name(), &Tags::new());
            found.map_or(0, |all| all.sum.round() as u64)
        };
        Some(WarmUp {
            seconds: self.warmup.as_secs_f64(),
            http_reqs: sum(Builtin::HttpReqs),
            failed: sum(Builtin::HttpReqFailed),
            iterations: sum(Builtin::Iterations),
        })
    }

    /// Evaluates all thresholds; `judged` is all that they are about unless they say otherwise. The draws of intervals follow from `seed`.
    pub fn evaluate(
        &self,
        thresholds: &Thresholds,
        judged: &dyn MetricSource,
        missing: &MissingSamples,
        seed: &str,
    ) -> Vec<ThresholdOutcome> {
        let slopes = thresholds.items.iter().filter(|t| t.expression.is_trend);
        let slopes = slopes.count();
        let elapsed = self.times.duration.saturating_sub(self.warmup);
        let judge = |t: &Threshold| match &t.objective {
            Some(objective) => self.objective(t, *objective, missing),
            None if t.expression.is_trend => self.trend(t, missing, slopes, seed),
            None if t.part.is_whole() => t.judge(judged, elapsed, missing),
            None => self.part(t, missing),
        };
        thresholds.items.iter().map(judge).collect()
    }

    /// Judges a threshold of a part of the run.
    fn part(&self, threshold: &Threshold, missing: &MissingSamples) -> ThresholdOutcome {
        let stretch = threshold.part.stretch(self.warmup);
        if let Some(why) = self.not_reached(stretch) {
            return threshold.unknown(Some(why));
        }
        match self.parts.get(&stretch) {
            Some(part) if part.across == 0 => {
                let length = stretch.length(self.times.duration);
                threshold.judge(&part.totals, length, missing)
            }
            part => threshold.unknown(Some(across(part.map_or(0, |part| part.across)))),
        }
    }

    /// Why nothing of a stretch was measured: the run was over before.
    fn not_reached(&self, stretch: Stretch) -> Option<String> {
        let ended = self.times.duration;
        (stretch.from >= ended).then(|| {
            format!(
                "the run was over after {:.1} s, before this part of it began",
                ended.as_secs_f64()
            )
        })
    }

    /// Slopes and change points of the run; `None` if it was too short to tell.
    pub fn drift(&self, missing: &MissingSamples, seed: &str) -> Option<Drift> {
        drift::drift(self, missing, seed)
    }

    /// What a reader should know if the judged part was not steady.
    pub fn unsteady(&self) -> Option<String> {
        steady::unsteady(self)
    }
}

/// Why there is no outcome although there are samples.
fn across(samples: u64) -> String {
    format!(
        "{samples} samples stand in windows that reach across an end of this part, so nobody can tell on which side they are; \
         the engine wrote other windows than were asked for"
    )
}
