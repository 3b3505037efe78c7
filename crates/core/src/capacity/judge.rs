//! What was seen of a step.

use crate::histogram::HistogramError;
use crate::merge::Totals;
use crate::shard::Row;
use crate::threshold::{MetricSource, MissingSamples, Thresholds, US_PER_MS, implicit};
use crate::verdict::{SATURATED_CPU, SATURATED_SHARE};
use floodgate_records::capacity::{CapacitySeen, StepOutcome};
use floodgate_records::metric::{Builtin, Tags};
use floodgate_records::outcome::{Outcome, ThresholdOutcome};
use std::collections::BTreeMap;
use std::time::Duration;

/// A step as it was to be.
#[derive(Clone, Copy, Debug)]
pub struct Offered {
    /// The judged part's first moment, Unix ms.
    pub from_ms: i64,
    /// Its end.
    pub until_ms: i64,
    /// Iterations that were to start each second; `None` in a closed loop.
    pub rate: Option<f64>,
    /// The share of them that must have started, in [0, 1].
    pub min_applied: f64,
}

/// Judges a step by its own windows. Rows of others are passed over; so are windows that lie in it only in part.
///
/// # Errors
/// A row whose histogram is damaged.
pub fn judge_step(
    rows: &[Row],
    offered: &Offered,
    thresholds: &Thresholds,
) -> Result<CapacitySeen, HistogramError> {
    let inside = |row: &&Row| {
        let end = row.time_ms + i64::from(row.window_s) * 1_000;
        row.time_ms >= offered.from_ms && end <= offered.until_ms
    };
    let mut totals = Totals::new();
    totals.add_windows(rows.iter().filter(inside))?;
    let cpu = cpu(rows.iter().filter(inside));
    let length_ms = u64::try_from(offered.until_ms - offered.from_ms).unwrap_or(0);
    let elapsed = Duration::from_millis(length_ms);
    let mut why = broken(&totals, offered, thresholds, elapsed);
    let mut outcome = match why.is_empty() {
        true => StepOutcome::Held,
        false => StepOutcome::Broke,
    };
    let busy = cpu.values().filter(|share| **share > SATURATED_CPU).count();
    if outcome == StepOutcome::Broke && busy as f64 > SATURATED_SHARE * cpu.len() as f64 {
        // What broke may be the generator's doing.
        outcome = StepOutcome::Spoiled;
        why = vec![format!(
            "a generator had no CPU left in {busy} of {} seconds",
            cpu.len()
        )];
    }
    let sum = |metric: Builtin| {
        let found = totals.select(metric.name(), &Tags::new());
        found.map_or(0.0, |all| all.sum)
    };
    let seconds = elapsed.as_secs_f64().max(f64::MIN_POSITIVE);
    // From the intended start, where the flow has requests over HTTP.
    let times = totals.select(Builtin::HttpReqResponseTime.name(), &Tags::new());
    let quantile = |q: f64| Some(times.as_ref()?.distribution.as_ref()?.quantile(q) / US_PER_MS);
    let failed = totals.select(Builtin::HttpReqFailed.name(), &Tags::new());
    Ok(CapacitySeen {
        outcome,
        why,
        requests_per_s: sum(Builtin::HttpReqs) / seconds,
        iterations_per_s: sum(Builtin::Iterations) / seconds,
        p50_ms: quantile(0.5),
        p95_ms: quantile(0.95),
        p99_ms: quantile(0.99),
        failed: failed.map_or(0.0, |all| all.sum / (all.count as f64).max(1.0)),
        generator_cpu: cpu.into_values().fold(0.0, f64::max),
    })
}

/// The thresholds that did not hold, and whether too few iterations could start.
fn broken(
    totals: &Totals,
    offered: &Offered,
    thresholds: &Thresholds,
    elapsed: Duration,
) -> Vec<String> {
    let own = thresholds.evaluate(totals, elapsed, &MissingSamples::default());
    let all = own.into_iter().chain(implicit::outcomes(totals, elapsed));
    let mut broken: Vec<String> = all
        .filter(|threshold| threshold.outcome != Outcome::Passed)
        .map(|threshold| named(&threshold))
        .collect();
    let dropped = totals.select(Builtin::DroppedIterations.name(), &Tags::new());
    let dropped = dropped.map_or(0.0, |all| all.sum);
    let planned = offered.rate.unwrap_or(0.0) * elapsed.as_secs_f64();
    if planned > 0.0 && dropped > (1.0 - offered.min_applied) * planned {
        broken.push(Builtin::DroppedIterations.name().to_owned());
    }
    if totals.metrics().is_empty() {
        broken.push("nothing was measured".to_owned());
    }
    broken
}

fn named(threshold: &ThresholdOutcome) -> String {
    match (threshold.outcome, &threshold.note) {
        (Outcome::NoData, Some(note)) => format!("{} ({note})", threshold.id),
        _ if threshold.implicit => threshold
            .note
            .clone()
            .unwrap_or_else(|| threshold.id.clone()),
        _ => threshold.id.clone(),
    }
}

/// The largest CPU use of a generator by second.
fn cpu<'a>(rows: impl Iterator<Item = &'a Row>) -> BTreeMap<i64, f64> {
    let mut largest = BTreeMap::new();
    for row in rows.filter(|row| row.key.metric == Builtin::GeneratorCpu.name()) {
        let share = largest.entry(row.time_ms).or_insert(0.0_f64);
        *share = share.max(row.max);
    }
    largest
}

/// The first moment from `from_ms` on, Unix ms, at whose second no VU was in an iteration any more; `None` if there is none.
pub fn idle_from(rows: &[Row], from_ms: i64) -> Option<i64> {
    let mut busy: BTreeMap<i64, f64> = BTreeMap::new();
    let gauges = rows
        .iter()
        .filter(|row| row.key.metric == Builtin::Vus.name());
    for row in gauges.filter(|row| row.time_ms >= from_ms) {
        *busy.entry(row.time_ms).or_default() += row.sum;
    }
    busy.into_iter()
        .find(|(_, vus)| *vus == 0.0)
        .map(|(at, _)| at + 1_000)
}
