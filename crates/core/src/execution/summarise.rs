//! The end of a run: thresholds, comparison, verdict and summary from merged data.

mod requests;

pub(crate) use requests::failed_as;
pub use requests::{METRICS as REQUEST_METRICS, by_tag as requests_by};

use super::applied::unanswered_scenarios;
use crate::baseline::{Baseline, BaselineMetric};
use crate::course::Course;
use crate::threshold::{
    Aggregate, Failures, MetricSource, MissingSamples, Selected, Thresholds, US_PER_MS, implicit,
    is_unanswered, mark_aborted, select,
};
use crate::verdict::{Evidence, Saturation, Verdict, judge};
use floodgate_records::capacity::CapacitySummary;
use floodgate_records::comparison::Comparison;
use floodgate_records::connections::Connections;
use floodgate_records::control::Stop;
use floodgate_records::execution::{AppliedLoad, Completeness, Execution};
use floodgate_records::key::Key;
use floodgate_records::manifest::Manifest;
use floodgate_records::metric::{Builtin, Contains, MetricKind, Tags};
use floodgate_records::outcome::{Outcome, ThresholdOutcome};
use floodgate_records::summary::{
    BaselineSummary, GeneratorSummary, MetricSummary, Summary, ThresholdResult,
};
use std::collections::BTreeMap;
use std::time::Duration;

/// All that is known of a run when its data has been merged.
pub struct Finished<'a> {
    /// Its record so far.
    pub execution: &'a Execution,
    /// What is judged of the merged data: all that comes after the warm-up.
    pub source: &'a dyn MetricSource,
    /// From the common start to the last window with data.
    pub duration: Duration,
    /// The beginning of it that is not judged.
    pub warmup: Duration,
    /// Parts and windows of the run, if anything asks for them.
    pub course: Option<&'a Course>,
    /// Expected against received.
    pub completeness: Completeness,
    /// What was sent.
    pub applied: AppliedLoad,
    /// Each task's own account.
    pub manifests: &'a [Manifest],
    /// The definition's thresholds.
    pub thresholds: &'a Thresholds,
    /// What capacity was sought and found: then thresholds are none of the whole run's business.
    pub capacity: Option<CapacitySummary>,
    /// The definition's comparison, and the summary of the earlier run if there is one.
    pub baseline: Option<(&'a Baseline, Option<&'a Summary>)>,
    /// The comparison with an earlier run by intervals, if there is one.
    pub comparison: Option<&'a Comparison>,
    /// What a comparison by intervals is about, whether there is one yet or not.
    pub compared_metrics: &'a [BaselineMetric],
    /// Why the earlier run that there is has no summary to compare with, a sentence each.
    pub baseline_missing: &'a [String],
    /// The share of tasks and shards that may be missing, in [0, 1].
    pub tolerance: f64,
    /// The share of the scheduled iterations that must have started, in [0, 1].
    pub min_applied_load: f64,
    /// The share of the started iterations that must have run to their end, in [0, 1].
    pub min_completed_load: f64,
    /// Whether the test sends HTTP requests at all.
    pub expects_requests: bool,
    /// Scenarios that were to send something and sent nothing.
    pub silent_scenarios: Vec<String>,
    /// Metrics that lack values of other systems, each with a sentence about it.
    pub unobserved: &'a BTreeMap<String, String>,
    /// The order that stopped it, if one did.
    pub stop: Option<&'a Stop>,
    /// What kept it from being carried out, a sentence each.
    pub errors: &'a [String],
}

/// What a run amounts to.
#[derive(Clone, Debug, PartialEq)]
pub struct Conclusion {
    /// The verdict.
    pub verdict: Verdict,
    /// Outcomes in the order of the definition, for the record.
    pub thresholds: Vec<ThresholdOutcome>,
    /// The published account.
    pub summary: Summary,
}

/// Judges a run and sums it up.
pub fn conclude(run: &Finished<'_>) -> Conclusion {
    let missing = missing_samples(run);
    let whole = run.capacity.is_none();
    let mut thresholds = match (whole, run.course) {
        (true, Some(course)) => {
            course.evaluate(run.thresholds, run.source, &missing, &run.execution.id)
        }
        (true, None) => run.thresholds.evaluate(run.source, run.judged(), &missing),
        (false, _) => Vec::new(),
    };
    if let Some(stop) = run.stop {
        mark_aborted(&mut thresholds, stop);
    }
    let compared = run.baseline.map(|(baseline, earlier)| BaselineSummary {
        execution: earlier.map(|s| s.execution.clone()),
        outcomes: baseline.compare(run.source, run.judged(), &missing, earlier),
    });
    if whole {
        thresholds.extend(implicit::outcomes(run.source, run.judged()));
    }
    let failures = Failures::of(run.source).to_string();
    let nothing_judged = nothing_judged(run);
    let unanswered_scenarios = unanswered_scenarios(run.source);
    let mut verdict = judge(&Evidence {
        thresholds: &thresholds,
        baseline: compared.as_ref().map_or(&[], |b| &b.outcomes),
        comparison: run.comparison,
        baseline_missing: run.baseline_missing,
        completeness: &run.completeness,
        tolerance: run.tolerance,
        applied: &run.applied,
        // Beyond the capacity no load is applied as planned; each step was judged by how far its own was.
        min_applied_load: if whole { run.min_applied_load } else { 0.0 },
        min_completed_load: if whole { run.min_completed_load } else { 0.0 },
        expects_requests: run.expects_requests,
        silent_scenarios: &run.silent_scenarios,
        unanswered_scenarios: &unanswered_scenarios,
        nothing_judged: nothing_judged.as_deref(),
        failures: &failures,
        capacity: run.capacity.as_ref(),
        manifests: run.manifests,
        stop: run.stop,
        errors: run.errors,
    });
    if let Some((_, Some(earlier))) = run
        .baseline
        .filter(|(_, e)| e.is_some_and(|e| e.version != run.execution.version))
    {
        verdict.warnings.push(format!(
            "the baseline run {} was of another version of the test; what changed may be the test",
            earlier.execution
        ));
    }
    let mut connections = Connections::default();
    for manifest in run.manifests {
        connections.add(&manifest.connections);
    }
    verdict.warnings.extend(connections.warnings());
    verdict
        .warnings
        .extend(run.course.and_then(Course::unsteady));
    // Warnings from before the start stay in front.
    let mut warnings = run.execution.warnings.clone();
    warnings.extend(
        verdict
            .warnings
            .iter()
            .filter(|w| !run.execution.warnings.contains(w))
            .cloned(),
    );
    verdict.warnings = warnings;
    let drift = run
        .course
        .and_then(|course| course.drift(&missing, &run.execution.id));
    let mut summary = summarise(run, &verdict, &thresholds, compared, connections);
    summary.drift = drift;
    Conclusion {
        verdict,
        thresholds,
        summary,
    }
}

impl Finished<'_> {
    /// How long what is judged took.
    fn judged(&self) -> Duration {
        self.duration.saturating_sub(self.warmup)
    }
}

/// Why nothing was measured of the target where it counts, although something was in the warm-up.
fn nothing_judged(run: &Finished<'_>) -> Option<String> {
    let (sent, warmup) = (run.applied.http_reqs, run.course?.warmup()?);
    let requests = Builtin::HttpReqs.name();
    let count = |s: Option<Selected<'_>>| s.map_or(0, |s| s.sum.round() as u64);
    let after = count(run.source.select(requests, &Tags::new()));
    let unanswered = count(run.source.select_where(requests, &is_unanswered));
    let of = format!("the warm-up of {} s", warmup.seconds);
    if sent == 0 || run.applied.unanswered_reqs >= sent {
        None
    } else if after == 0 {
        Some(format!("nothing was sent after {of}"))
    } else {
        (unanswered >= after).then(|| {
            let any = match after {
                1 => "the one request".to_owned(),
                n => format!("any of the {n} requests"),
            };
            format!("no response to {any} after {of}, so nothing was measured of the target")
        })
    }
}

/// What the manifests say of the samples. A filter counts as kept if every task kept it; of a lost task nobody knows.
fn missing_samples(run: &Finished<'_>) -> MissingSamples {
    let mut kept: Option<Vec<Tags>> = None;
    for manifest in run.manifests {
        let theirs = &manifest.kept_tags;
        match &mut kept {
            Some(all) => all.retain(|filter| theirs.contains(filter)),
            None => kept = Some(theirs.clone()),
        }
    }
    MissingSamples {
        kept: Some(kept.unwrap_or_default()),
        interrupted_iterations: run.applied.interrupted_iterations,
        unobserved: run.unobserved.clone(),
    }
}

fn summarise(
    run: &Finished<'_>,
    verdict: &Verdict,
    thresholds: &[ThresholdOutcome],
    baseline: Option<BaselineSummary>,
    connections: Connections,
) -> Summary {
    let e = run.execution;
    Summary {
        schema: Summary::SCHEMA,
        execution: e.id.clone(),
        project: e.project.clone(),
        test: e.test.clone(),
        version: e.version.clone(),
        target: e.target.clone(),
        status: verdict.status,
        reasons: verdict.reasons.clone(),
        started_ms: e.started_ms,
        duration_s: run.duration.as_secs_f64(),
        completeness: run.completeness.clone(),
        planned: e.planned.clone(),
        applied: run.applied.clone(),
        metrics: metrics(run, thresholds),
        requests: requests_by(run.source, "name", run.judged()),
        checks: requests::checks(run.source),
        errors: requests::errors(run.source),
        connections,
        // They lie beside the merged data; whoever finishes the run adds them.
        failures: None,
        traced: Vec::new(),
        baseline,
        comparison: run.comparison.map(|found| Box::new(judged(found, verdict))),
        generators: generators(run.manifests),
        warmup: run.course.and_then(Course::warmup),
        drift: None,
        capacity: run.capacity.clone(),
        warnings: verdict.warnings.clone(),
        infrastructure: e.infrastructure.clone(),
        cost: e.cost.clone(),
    }
}

/// The aggregates of each trend in every summary.
const TREND_AGGREGATES: [Aggregate; 8] = [
    Aggregate::Avg,
    Aggregate::Min,
    Aggregate::Med,
    Aggregate::Max,
    Aggregate::Percentile(90.0),
    Aggregate::Percentile(95.0),
    Aggregate::Percentile(99.0),
    Aggregate::Percentile(99.9),
];

/// All metrics with data, the sub-metrics that thresholds and baseline name, and those of them that have no data.
fn metrics(run: &Finished<'_>, outcomes: &[ThresholdOutcome]) -> BTreeMap<String, MetricSummary> {
    let plain = |metric: String| Key {
        metric,
        tags: Tags::new(),
    };
    let mut keys: BTreeMap<Key, Vec<Aggregate>> = run
        .source
        .metrics()
        .into_iter()
        .map(|(name, _)| (plain(name), Vec::new()))
        .collect();
    for t in &run.thresholds.items {
        keys.entry(t.key.clone())
            .or_default()
            .push(t.expression.aggregate);
    }
    for m in run.baseline.iter().flat_map(|(b, _)| &b.metrics) {
        keys.entry(m.key.clone()).or_default().push(m.aggregate);
    }
    for m in run.compared_metrics {
        keys.entry(m.key.clone()).or_default().push(m.aggregate);
    }
    let mut all: BTreeMap<_, _> = keys
        .iter()
        .map(|(key, named)| (key.to_string(), metric(run, key, named)))
        .collect();
    for o in outcomes {
        if let Some(metric) = all.get_mut(&o.key) {
            let result = ThresholdResult {
                ok: o.outcome == Outcome::Passed,
                observed: o.observed,
            };
            metric.thresholds.insert(o.expression.clone(), result);
        }
    }
    all
}

fn metric(run: &Finished<'_>, key: &Key, named: &[Aggregate]) -> MetricSummary {
    let builtin = Builtin::parse(&key.metric);
    let selected = select(run.source, key);
    let kind = selected
        .as_ref()
        .map(|s| s.kind)
        .or(builtin.map(Builtin::kind))
        .unwrap_or_else(|| guess(named));
    MetricSummary {
        kind,
        contains: builtin.map_or_else(|| custom(run, &key.metric), Builtin::contains),
        values: selected.map_or_else(BTreeMap::new, |s| values(&s, named, run.judged())),
        thresholds: BTreeMap::new(),
    }
}

/// What a custom metric holds, by the tasks that wrote it.
fn custom(run: &Finished<'_>, metric: &str) -> Contains {
    let says_so = |manifest: &Manifest| manifest.durations.iter().any(|name| name == metric);
    if run.manifests.iter().any(says_so) {
        Contains::Time
    } else {
        Contains::Default
    }
}

/// The type of a custom metric that was never recorded, from the aggregates that are asked of it.
fn guess(named: &[Aggregate]) -> MetricKind {
    let kinds = [
        MetricKind::Counter,
        MetricKind::Gauge,
        MetricKind::Rate,
        MetricKind::Trend,
    ];
    kinds
        .into_iter()
        .find(|k| named.iter().all(|a| a.is_of(*k)))
        .unwrap_or(MetricKind::Counter)
}

fn values(s: &Selected<'_>, named: &[Aggregate], elapsed: Duration) -> BTreeMap<String, f64> {
    let mut values = BTreeMap::new();
    let standard: &[Aggregate] = match s.kind {
        MetricKind::Counter => &[Aggregate::Count, Aggregate::Rate],
        MetricKind::Gauge => &[Aggregate::Value],
        MetricKind::Rate => &[Aggregate::Rate],
        MetricKind::Trend => &TREND_AGGREGATES,
    };
    for a in standard.iter().chain(named) {
        if let Some(value) = a.of(s, elapsed) {
            values.insert(a.to_string(), value);
        }
    }
    let mut also = |name: &str, value: f64| values.insert(name.to_owned(), value);
    match s.kind {
        _ if s.count == 0 => {}
        MetricKind::Counter => {}
        MetricKind::Gauge => {
            also("min", s.min);
            also("max", s.max);
        }
        MetricKind::Rate => {
            also("passes", s.sum);
            also("fails", s.count as f64 - s.sum);
        }
        MetricKind::Trend => {
            also("count", s.count as f64);
        }
    }
    values
}

/// A comparison was made before it was known how the run ends, which follows from it, among others.
fn judged(found: &Comparison, verdict: &Verdict) -> Comparison {
    let mut found = found.clone();
    for run in [&mut found.base, &mut found.head] {
        if !run.status.is_final() {
            run.status = verdict.status;
        }
    }
    found
}

/// How each generator fared.
pub fn generators(manifests: &[Manifest]) -> Vec<GeneratorSummary> {
    manifests.iter().map(generator).collect()
}

fn generator(m: &Manifest) -> GeneratorSummary {
    let h = &m.health;
    GeneratorSummary {
        task: m.task,
        outcome: m.outcome.ending().into(),
        saturated: !Saturation::of(h).is_empty(),
        limits: h.limits,
        contended_seconds: h.contended_seconds,
        stolen_seconds: h.stolen_seconds,
        cpu_mean: h.cpu_mean,
        cpu_max: h.cpu_max,
        saturated_seconds: h.saturated_seconds,
        throttled_seconds: h.throttled_seconds,
        measured_seconds: h.measured_seconds,
        lag_p99_ms: h.lag_p99_us as f64 / US_PER_MS,
        lag_max_ms: h.lag_max_us as f64 / US_PER_MS,
        start_skew_ms: m.start_skew_us as f64 / US_PER_MS,
        peak_rss_bytes: h.peak_rss_bytes,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod testing;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
