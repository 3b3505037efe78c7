//! Slopes: how a number goes over windows, and thresholds about it.

use super::grid::{Grid, Layout};
use super::{Course, across};
use crate::check::Comparison;
use crate::definition::model::Stretch;
use crate::drift::{self, Estimate, LEAST_S, Scale, Seen, longer, windows_of};
use crate::seed;
use crate::threshold::{Aggregate, MetricSource, MissingSamples, Threshold, observe};
use floodgate_records::key::Key;
use floodgate_records::metric::MetricKind;
use floodgate_records::outcome::{Outcome, ThresholdOutcome};
use floodgate_records::over_time::{OverTime, Slope};
use std::time::Duration;

/// How sure the intervals of all slopes of a run are together.
pub(super) const CONFIDENCE: f64 = 0.95;
/// The share of windows that may be without enough samples.
const MOST_GAPS: f64 = 0.1;
/// Samples beyond a quantile that a window has to have: with fewer it is that of one or none.
const BEYOND: f64 = 2.0;
/// Runs that are longer by more than this are not a remedy.
const MOST_TIMES: f64 = 10.0;

impl Course {
    /// The windows of a slope; `None` if the stretch was too short for one. What ends after the load has ended is left out.
    pub(super) fn slope_layout(&self, key: &Key, stretch: Stretch) -> Option<Layout> {
        let end = stretch.to.unwrap_or(Duration::MAX).min(self.times.end());
        let seconds = end.checked_sub(stretch.from)?.as_secs();
        let (window_s, windows) = windows_of(u32::try_from(seconds).ok()?)?;
        Some(Layout {
            key: key.clone(),
            from_ms: i64::try_from(stretch.from.as_millis()).ok()?,
            window_s,
            windows: windows as usize,
            with_rest: false,
        })
    }

    /// Judges a slope by its interval.
    pub(super) fn trend(
        &self,
        threshold: &Threshold,
        missing: &MissingSamples,
        slopes: usize,
        seed: &str,
    ) -> ThresholdOutcome {
        let stretch = threshold.part.stretch(self.warmup);
        if let Some(why) = self.not_reached(stretch) {
            return threshold.unknown(Some(why));
        }
        let Some(layout) = self.slope_layout(&threshold.key, stretch) else {
            let why = format!(
                "a slope takes {} minutes of load after the warm-up at least; make the run longer",
                LEAST_S / 60
            );
            return threshold.unknown(Some(why));
        };
        let Some(grid) = self.grid(&layout) else {
            return threshold.unknown(None);
        };
        let aggregate = threshold.expression.aggregate;
        let (scale, seen) = match seen(grid, aggregate, missing) {
            Ok(found) => found,
            Err(why) => return threshold.unknown(Some(why)),
        };
        let level = (1.0 - CONFIDENCE) / slopes.max(1) as f64;
        let found = drift::slope(scale, &seen, level, seed::of(&[seed, &threshold.id()]));
        judged(threshold, &found, said(&found, grid, level))
    }
}

/// A slope in a record.
pub(super) fn said(found: &Estimate, grid: &Grid, level: f64) -> Slope {
    Slope {
        per_hour: found.per_hour,
        low: found.low,
        high: found.high,
        confidence: 1.0 - level,
        window_s: grid.layout.window_s,
        windows: grid.layout.windows as u32,
    }
}

/// It holds if all of the interval does, and is breached if none of it does.
fn judged(threshold: &Threshold, found: &Estimate, slope: Slope) -> ThresholdOutcome {
    let (comparison, target) = (threshold.expression.comparison, threshold.expression.target);
    let ends = [found.low, found.high].map(|end| comparison.holds(end, target));
    let is_bound = !matches!(comparison, Comparison::Eq | Comparison::Ne);
    let outcome = match ends {
        [true, true] if is_bound => Outcome::Passed,
        [false, false] if is_bound => Outcome::Failed,
        _ => Outcome::NoData,
    };
    let note = (outcome == Outcome::NoData).then(|| match longer(found, target) {
        times if times > MOST_TIMES => {
            "the slope is too near the limit for a run of a bearable length to decide".to_owned()
        }
        times => format!("a run {times:.1} times as long would decide, if it goes on as it did"),
    });
    let unknown = threshold.unknown(note);
    ThresholdOutcome {
        observed: Some(found.per_hour),
        outcome,
        over_time: OverTime {
            trend: Some(slope),
            ..unknown.over_time.clone()
        },
        ..unknown
    }
}

/// A number window by window, and of what kind it is.
///
/// # Errors
/// What is missing for a slope: a sentence.
pub(super) fn seen(
    grid: &Grid,
    aggregate: Aggregate,
    missing: &MissingSamples,
) -> Result<(Scale, Vec<Seen>), String> {
    if grid.across > 0 {
        return Err(across(grid.across));
    }
    let key = &grid.layout.key;
    let (mut kind, mut all, mut doubtful) = (None, Vec::new(), 0);
    let mut why = None;
    for (at, window) in grid.windows.iter().enumerate() {
        let elapsed = Duration::from_secs(u64::from(grid.layout.window_s));
        let seen = observe(window, key, aggregate, elapsed, missing);
        let samples = window.select(&key.metric, &key.tags).map_or(0, |s| s.count);
        kind = kind.or(seen.kind);
        let is_rate = aggregate == Aggregate::Rate && seen.kind == Some(MetricKind::Counter);
        if samples as f64 >= least_samples(aggregate) || is_rate {
            doubtful += u64::from(seen.value.is_some() && !seen.is_exact());
            if let Some(value) = seen.value {
                let begin =
                    grid.layout.from_ms as f64 / 1e3 + at as f64 * f64::from(grid.layout.window_s);
                all.push(Seen {
                    at_h: (begin + f64::from(grid.layout.window_s) / 2.0) / 3_600.0,
                    value,
                    of: match is_rate {
                        true => value * elapsed.as_secs_f64(),
                        false => samples as f64,
                    },
                });
            }
        }
        why = why.or(seen.note);
    }
    let scale = match kind {
        Some(MetricKind::Trend) => Scale::Time,
        Some(MetricKind::Rate) => Scale::Share,
        Some(MetricKind::Counter) => Scale::Count,
        _ => return Err(why.unwrap_or_else(|| format!("{key} has no samples"))),
    };
    let windows = grid.layout.windows;
    if doubtful > 0 {
        let why = why.unwrap_or_default();
        return Err(format!(
            "in {doubtful} of {windows} windows it is no more than a lower bound: {why}"
        ));
    }
    if ((windows - all.len()) as f64) > MOST_GAPS * windows as f64 {
        let gaps = windows - all.len();
        return Err(match why {
            Some(why) if all.is_empty() => why,
            _ => format!(
                "{gaps} of {windows} windows of {} s have less than {} samples of it, which is too few for a slope; a longer run has longer windows",
                grid.layout.window_s,
                least_samples(aggregate)
            ),
        });
    }
    Ok((scale, all))
}

fn least_samples(aggregate: Aggregate) -> f64 {
    match aggregate {
        Aggregate::Percentile(p) => {
            let q = (p / 100.0).clamp(1e-6, 1.0 - 1e-6);
            (BEYOND / q.min(1.0 - q)).round()
        }
        Aggregate::Med => 2.0 * BEYOND,
        _ => 1.0,
    }
}
