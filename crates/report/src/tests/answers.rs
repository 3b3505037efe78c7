//! Runs that answered a question: whether it got worse, how much the target takes.

use super::example::{Run, START_MS, judged, passed};
use floodgate_records::capacity::{
    CapacityEnd, CapacitySeen, CapacityStep, CapacitySummary, CapacityUnit, StepOutcome,
};
use floodgate_records::comparison::{Change, ComparedRun, Comparison, Gate, IfUndecided, Ratio};
use floodgate_records::metric::MetricKind;
use floodgate_records::outcome::Direction;
use floodgate_records::status::Status;

/// The p95 is surely worse than that of six runs before it, other numbers are not.
pub(super) fn regressed() -> Run {
    let mut run = passed();
    let gate = |(id, kind): (&str, MetricKind), base, head, ratio: Option<[f64; 3]>, outcome| {
        let (key, aggregate) = id.rsplit_once(' ').unwrap();
        Gate {
            id: id.into(),
            key: key.into(),
            aggregate: aggregate.into(),
            kind: Some(kind),
            direction: Direction::of(key, kind),
            base: Some(base),
            head: Some(head),
            ratio: ratio.map(|[low, estimate, high]| Ratio {
                estimate,
                low,
                high,
            }),
            of_rest: key == "checks",
            outcome,
            warmup_s: 20,
            note: None,
        }
    };
    let compared = |execution: &str, status| ComparedRun {
        execution: execution.into(),
        test: "shop/checkout".into(),
        version: "v1".into(),
        commit: None,
        status,
        started_ms: Some(START_MS),
    };
    let mut gates = vec![
        gate(
            ("http_req_duration p(95)", MetricKind::Trend),
            204.1,
            251.3,
            Some([1.172, 1.231, 1.294]),
            Change::Regressed,
        ),
        gate(
            ("http_req_failed rate", MetricKind::Rate),
            0.0012,
            0.0031,
            Some([0.9, 2.58, 7.4]),
            Change::Undecided,
        ),
        gate(
            ("checks rate", MetricKind::Rate),
            0.9995,
            0.9991,
            Some([0.7, 1.8, 4.1]),
            Change::Unchanged,
        ),
        gate(
            ("http_reqs rate", MetricKind::Counter),
            200.0,
            199.9,
            Some([0.996, 0.9995, 1.003]),
            Change::Unchanged,
        ),
    ];
    gates[1].note = Some("runs 2.4 times as long would decide".into());
    let comparison = Comparison {
        schema: Comparison::SCHEMA,
        base: compared("01KAH2V0QK8N5D1S9P3B6YTGWM", Status::Passed),
        pooled: 6,
        in_turns: false,
        head: compared(&run.0.id, Status::Failed),
        outcome: Change::Regressed,
        obstacles: Vec::new(),
        confidence: 0.95,
        min_effect: 0.05,
        history: 6,
        undecided: Some(IfUndecided::Inconclusive),
        gates,
    };
    let reason = format!(
        "worse than the baseline: {}",
        comparison.gates[0].sentence()
    );
    judged(&mut run, Status::Failed, &[&reason]);
    run.1.baseline = None;
    run.1.comparison = Some(Box::new(comparison));
    run
}

/// Steps at four loads, of which the largest drowned the target.
pub(super) fn capacity() -> CapacitySummary {
    let step = |load: f64, outcome, p95_ms: f64| CapacityStep {
        from_ms: 0,
        settled_ms: 5_000,
        until_ms: 20_000,
        load,
        seen: Some(CapacitySeen {
            outcome,
            why: match outcome {
                StepOutcome::Held => Vec::new(),
                _ => vec!["http_req_duration: p(95)<300".into()],
            },
            requests_per_s: 2.0 * load,
            iterations_per_s: load.min(510.0),
            p50_ms: Some(p95_ms / 3.0),
            p95_ms: Some(p95_ms),
            p99_ms: Some(p95_ms * 2.0),
            failed: if load > 600.0 { 0.024 } else { 0.0 },
            generator_cpu: 0.2,
        }),
    };
    CapacitySummary {
        low: Some(498.31),
        estimate: Some(514.27),
        high: Some(535.9),
        unit: CapacityUnit::IterationsPerSecond,
        limited_by: Some("http_req_duration: p(95)<300".into()),
        precision: 0.05,
        ended: CapacityEnd::Found,
        steps: vec![
            step(250.0, StepOutcome::Held, 24.1),
            step(500.0, StepOutcome::Held, 181.0),
            step(1_000.0, StepOutcome::Broke, 9_400.0),
            step(531.25, StepOutcome::Broke, 412.0),
        ],
    }
}
