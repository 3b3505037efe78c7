//! Runs that answered a question: whether it got worse, how much the target takes.

use super::example::{Run, START_MS, judged, passed};
use floodgate_records::capacity::{
    CapacityEnd, CapacitySeen, CapacityStep, CapacitySummary, CapacityUnit, StepOutcome,
};
use floodgate_records::comparison::{Change, ComparedRun, Comparison, Gate, IfUndecided, Ratio};
use floodgate_records::drift::{Drift, DriftChange, DriftMetric, WarmUp};
use floodgate_records::metric::MetricKind;
use floodgate_records::outcome::{Direction, Outcome};
use floodgate_records::over_time::{ObjectiveSeen, Slope};
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

/// Eight hours in which the p95 creeps up, of which the first minutes are not judged.
pub(super) fn soak() -> Run {
    let mut run = passed();
    let slope = |per_hour: f64, low: f64, high: f64| Slope {
        per_hour,
        low,
        high,
        confidence: 0.95,
        window_s: 300,
        windows: 95,
    };
    let metric = |id: &str, kind, mean, slope| {
        let (key, aggregate) = id.rsplit_once(' ').unwrap();
        DriftMetric {
            id: id.into(),
            key: key.into(),
            aggregate: aggregate.into(),
            kind,
            direction: Direction::of(key, kind),
            mean,
            slope,
            note: None,
            changes: Vec::new(),
        }
    };
    let mut metrics = vec![
        metric(
            "http_req_duration p(50)",
            MetricKind::Trend,
            81.2,
            Some(slope(0.0002, -0.0004, 0.0009)),
        ),
        metric(
            "http_req_duration p(95)",
            MetricKind::Trend,
            231.7,
            Some(slope(0.0121, 0.0108, 0.0134)),
        ),
        metric("http_req_failed rate", MetricKind::Rate, 0.0012, None),
        metric(
            "http_reqs rate",
            MetricKind::Counter,
            50.0,
            Some(slope(0.0, -0.0001, 0.0001)),
        ),
    ];
    metrics[1].changes = vec![DriftChange {
        at_s: 9_000.0,
        outcome: Change::Regressed,
        before: 214.0,
        after: 239.5,
        change: Some(0.119),
        p_value: 1e-9,
    }];
    metrics[2].note = Some("in 1 of 95 windows it is no more than a lower bound".into());
    run.1.drift = Some(Drift {
        from_s: 120.0,
        to_s: 28_620.0,
        window_s: 300,
        confidence: 0.95,
        load_changes: true,
        metrics,
    });
    run.1.warmup = Some(WarmUp {
        seconds: 120.0,
        http_reqs: 6_000,
        failed: 12,
        iterations: 3_000,
    });
    let thresholds = &mut run.0.thresholds;
    let mut creeping = thresholds[0].clone();
    creeping.expression = "trend(p(95))<1%/h".into();
    creeping.id = format!("{}: {}", creeping.key, creeping.expression);
    creeping.aggregate = "trend(p(95))".into();
    (creeping.target, creeping.observed, creeping.outcome) = (0.01, Some(0.0121), Outcome::Failed);
    creeping.over_time.trend = Some(slope(0.0121, 0.0108, 0.0134));
    let mut part = thresholds[0].clone();
    part.expression += " from 7h";
    part.id = format!("{}: {}", part.key, part.expression);
    part.over_time.part = Some("from 7h".into());
    let mut objective = thresholds[0].clone();
    objective.expression += " in 99% of windows of 1m";
    objective.id = format!("{}: {}", objective.key, objective.expression);
    objective.aggregate = "windows".into();
    (objective.target, objective.observed, objective.outcome) =
        (0.99, Some(470.0 / 478.0), Outcome::NoData);
    objective.note = Some("nothing is known of 4 of 478 windows".into());
    objective.over_time.objective = Some(ObjectiveSeen {
        of: 0.99,
        window_s: 60,
        windows: 478,
        held: 470,
        breached: 4,
        unknown: 4,
        budget_used: Some(4.0 / 4.78),
    });
    thresholds.extend([creeping, part, objective]);
    run
}
