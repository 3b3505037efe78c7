//! Objectives: the share of windows in which a threshold held.

use super::grid::{Grid, Layout};
use super::{Course, across};
use crate::definition::model::{Objective, Stretch};
use crate::threshold::{MissingSamples, Threshold, observe};
use floodgate_records::key::Key;
use floodgate_records::outcome::{Outcome, ThresholdOutcome};
use floodgate_records::over_time::{ObjectiveSeen, OverTime};
use std::time::Duration;

/// Windows of a run at most: each is judged by a histogram of its own.
pub(crate) const MAX_WINDOWS: u64 = 20_000;

impl Course {
    /// The windows of an objective, from the beginning of its stretch on; the last one is as long as the run leaves it. What ends after
    /// the load has ended belongs to the last one. `None`: the run was over before, or there are too many.
    pub(super) fn objective_layout(
        &self,
        key: &Key,
        stretch: Stretch,
        objective: Objective,
    ) -> Option<Layout> {
        let end = stretch.to.unwrap_or(Duration::MAX).min(self.times.end());
        let length = end.checked_sub(stretch.from).filter(|d| !d.is_zero())?;
        let windows = length
            .as_nanos()
            .div_ceil(objective.window.as_nanos().max(1));
        let windows = u64::try_from(windows).ok().filter(|n| *n <= MAX_WINDOWS)?;
        Some(Layout {
            key: key.clone(),
            from_ms: i64::try_from(stretch.from.as_millis()).ok()?,
            window_s: u32::try_from(objective.window.as_secs()).ok()?,
            windows: usize::try_from(windows).ok()?,
            with_rest: stretch.to.is_none(),
        })
    }

    /// It holds if it surely held in as many windows as it has to, and is breached if it surely did not: windows of which nobody can tell
    /// count for neither.
    pub(super) fn objective(
        &self,
        threshold: &Threshold,
        objective: Objective,
        missing: &MissingSamples,
    ) -> ThresholdOutcome {
        let stretch = threshold.part.stretch(self.warmup);
        if let Some(why) = self.not_reached(stretch) {
            return threshold.unknown(Some(why));
        }
        let layout = self.objective_layout(&threshold.key, stretch, objective);
        let Some(grid) = layout.and_then(|layout| self.grid(&layout)) else {
            let why = format!("the run has more than {MAX_WINDOWS} such windows; make them longer");
            return threshold.unknown(Some(why));
        };
        if grid.across > 0 {
            return threshold.unknown(Some(across(grid.across)));
        }
        let seen = self.count(threshold, objective, grid, missing);
        let all = seen.windows as f64;
        let needed = objective.of * all - 1e-9;
        let (least, most) = (seen.held as f64, (seen.held + seen.unknown) as f64);
        let outcome = if least >= needed {
            Outcome::Passed
        } else if most < needed {
            Outcome::Failed
        } else {
            Outcome::NoData
        };
        let note = (outcome == Outcome::NoData).then(|| {
            format!(
                "nothing is known of {} of {} windows: no sample came in them, or samples that are no more than lower bounds; longer windows have more samples",
                seen.unknown, seen.windows
            )
        });
        let unknown = threshold.unknown(note);
        ThresholdOutcome {
            observed: (seen.held + seen.breached > 0).then_some(least / all),
            outcome,
            over_time: OverTime {
                objective: Some(seen),
                ..unknown.over_time.clone()
            },
            ..unknown
        }
    }

    fn count(
        &self,
        threshold: &Threshold,
        objective: Objective,
        grid: &Grid,
        missing: &MissingSamples,
    ) -> ObjectiveSeen {
        // Iterations that were cut off stand in no window; each spoils one at most.
        let none_cut_off = MissingSamples {
            interrupted_iterations: 0,
            ..missing.clone()
        };
        let end_ms = self.times.end().as_millis();
        let end_ms = i64::try_from(end_ms).unwrap_or(i64::MAX);
        let (mut held, mut breached, mut unknown, mut delicate) = (0, 0, 0, 0);
        for (at, window) in grid.windows.iter().enumerate() {
            let length_ms = i64::from(grid.layout.window_s) * 1_000;
            let begin_ms = grid.layout.from_ms + at as i64 * length_ms;
            let left_ms = (end_ms - begin_ms).clamp(1, length_ms);
            let elapsed = Duration::from_millis(left_ms.unsigned_abs());
            let outcome = |missing: &MissingSamples| {
                let expression = &threshold.expression;
                let seen = observe(
                    window,
                    &threshold.key,
                    expression.aggregate,
                    elapsed,
                    missing,
                );
                seen.outcome(expression.comparison, expression.target)
            };
            let found = outcome(&none_cut_off);
            match found {
                Outcome::Passed => held += 1,
                Outcome::Failed => breached += 1,
                Outcome::NoData => unknown += 1,
            }
            if missing.interrupted_iterations > 0 && found == Outcome::Passed {
                delicate += u64::from(outcome(missing) != found);
            }
        }
        let spoiled = delicate.min(missing.interrupted_iterations);
        let windows = grid.windows.len() as u64;
        let budget = (1.0 - objective.of) * windows as f64;
        ObjectiveSeen {
            of: objective.of,
            window_s: grid.layout.window_s,
            windows,
            held: held - spoiled,
            breached,
            unknown: unknown + spoiled,
            budget_used: (budget > 1e-9).then(|| breached as f64 / budget),
        }
    }
}
