//! A shop's checkout test, with different ends.

use floodgate_records::connections::{Connections, TlsResumption};
use floodgate_records::cost::{Cost, CostItem};
use floodgate_records::engine::Engine;
use floodgate_records::execution::{
    AppliedLoad, Completeness, ExcludedShard, Execution, Infrastructure, InfrastructureKind,
    Trigger, TriggerKind,
};
use floodgate_records::failure::{FailuresSummary, TracedRequest};
use floodgate_records::manifest::{GeneratorLimits, LimitSource, TaskEnding};
use floodgate_records::metric::{Builtin, Contains, MetricKind};
use floodgate_records::outcome::{BaselineOutcome, Direction, Outcome, ThresholdOutcome};
use floodgate_records::over_time::OverTime;
use floodgate_records::plan::PlannedLoad;
use floodgate_records::status::Status;
use floodgate_records::summary::{
    BaselineSummary, CheckSummary, GeneratorSummary, MetricSummary, RequestSummary, Summary,
    ThresholdResult,
};
use floodgate_records::word::Word;
use std::collections::BTreeMap;

pub(super) type Run = (Execution, Summary);

pub(super) const START_MS: i64 = 1_763_762_400_000;

fn metric(name: &str, values: &[(&str, f64)]) -> (String, MetricSummary) {
    let builtin = Builtin::parse(name.split('{').next().unwrap_or(name));
    let metric = MetricSummary {
        kind: builtin.map_or(MetricKind::Counter, Builtin::kind),
        contains: builtin.map_or(Contains::Default, Builtin::contains),
        values: values.iter().map(|(k, v)| ((*k).to_owned(), *v)).collect(),
        thresholds: BTreeMap::new(),
    };
    (name.to_owned(), metric)
}

fn trend(name: &str, q: [f64; 6]) -> (String, MetricSummary) {
    let [med, p90, p95, p99, p999, max] = q;
    let quantiles = [
        ("med", med),
        ("p(90)", p90),
        ("p(95)", p95),
        ("p(99)", p99),
        ("p(99.9)", p999),
        ("max", max),
    ];
    let mut all = vec![("count", 150_000.0), ("avg", med * 1.1), ("min", med * 0.4)];
    all.extend(quantiles);
    metric(name, &all)
}

fn threshold(
    key: &str,
    aggregate: &str,
    rest: (&str, f64, &str),
    observed: Option<f64>,
    outcome: Outcome,
) -> ThresholdOutcome {
    let (operator, target, written) = rest;
    let expression = format!("{aggregate}{operator}{written}");
    ThresholdOutcome {
        id: format!("{key}: {expression}"),
        key: key.into(),
        expression,
        aggregate: aggregate.into(),
        operator: Word::of(operator),
        target,
        observed,
        outcome,
        aborted: false,
        note: None,
        implicit: false,
        over_time: OverTime::default(),
    }
}

fn connections() -> Connections {
    let mut all = Connections {
        opened: 64,
        tls_handshakes: 64,
        tls_resumed: 3,
        tls_resumption: [TlsResumption::PerVu.into()].into(),
        spoiled: 1,
        ..Connections::default()
    };
    all.route("proxy http://***@10.0.0.1:3128 (HTTPS_PROXY)", 64);
    all.fault("connection_refused", "10.0.0.9:443: connection refused", 2);
    all
}

fn generator(task: u32, cpu: f64, lag_p99_ms: f64) -> GeneratorSummary {
    GeneratorSummary {
        task,
        outcome: TaskEnding::Completed.into(),
        saturated: false,
        limits: GeneratorLimits {
            cpus: 1.0,
            cpus_from: Some(LimitSource::Machine),
            memory_bytes: Some(2 << 30),
            memory_from: Some(LimitSource::Machine),
        },
        contended_seconds: Some(1),
        stolen_seconds: 0,
        cpu_mean: cpu,
        cpu_max: (cpu * 1.4).min(1.0),
        saturated_seconds: 0,
        throttled_seconds: 0,
        measured_seconds: 300,
        lag_p99_ms,
        lag_max_ms: lag_p99_ms * 9.0,
        start_skew_ms: 0.18 * f64::from(task + 1),
        peak_rss_bytes: 21_000_000 + u64::from(task) * 400_000,
    }
}

fn comparison(observed: f64, outcome: Outcome) -> BaselineOutcome {
    BaselineOutcome {
        id: "http_req_duration p(95)".into(),
        key: "http_req_duration".into(),
        aggregate: "p(95)".into(),
        direction: Direction::HigherIsWorse,
        tolerance: 0.1,
        baseline: Some(204.1),
        observed: Some(observed),
        change: Some(observed / 204.1 - 1.0),
        outcome,
        note: None,
    }
}

/// The half of the requests that has this name.
fn request(name: &str, failed: u64, [p95, p99]: [f64; 2]) -> RequestSummary {
    let mut outcomes = BTreeMap::from([("200".to_owned(), 74_999 - failed)]);
    if failed > 0 {
        outcomes.insert("503".to_owned(), failed - 3);
        outcomes.insert("timeout".to_owned(), 3);
    }
    let times = [
        ("med", p95 / 3.0),
        ("p(95)", p95),
        ("p(99)", p99),
        ("max", p99 * 2.0),
    ];
    let times: BTreeMap<_, _> = times.map(|(name, ms)| (name.to_owned(), ms)).into();
    RequestSummary {
        name: name.into(),
        names: 1,
        count: 74_999,
        failed,
        responses: 74_999 - failed.min(3),
        outcomes,
        times: [("http_req_response_time".to_owned(), times)].into(),
    }
}

/// Everything holds.
fn traced(response_ms: f64, status: Option<u16>, error: Option<&str>) -> TracedRequest {
    TracedRequest {
        trace: "4bf92f3577b34da6a3ce929d0e0e4736".into(),
        at_ms: 1_773_000_000_000,
        task: 1,
        scenario: "browse".into(),
        name: "checkout".into(),
        status,
        error: error.map(str::to_owned),
        response_ms,
    }
}

pub(super) fn passed() -> Run {
    let thresholds = vec![
        threshold(
            "http_req_duration",
            "p(95)",
            ("<", 500.0, "500"),
            Some(212.447),
            Outcome::Passed,
        ),
        threshold(
            "http_req_duration{name:checkout}",
            "p(99)",
            ("<", 900.0, "900ms"),
            Some(612.35),
            Outcome::Passed,
        ),
        threshold(
            "http_req_failed",
            "rate",
            ("<", 0.01, "0.01"),
            Some(0.000_054),
            Outcome::Passed,
        ),
        threshold(
            "http_reqs",
            "rate",
            (">", 480.0, "480"),
            Some(499.99),
            Outcome::Passed,
        ),
    ];
    let infrastructure = Infrastructure {
        kind: InfrastructureKind::Local.into(),
        tasks: 2,
        regions: vec!["local".into()],
        engine_version: "0.1.0".into(),
        ..Infrastructure::default()
    };
    let planned = PlannedLoad {
        iterations: Some(75_000),
        max_vus: 400,
        duration_ms: 300_000,
        max_duration_ms: 330_000,
    };
    let applied = AppliedLoad {
        iterations: 75_000,
        dropped_iterations: 0,
        http_reqs: 149_998,
        samples: 0,
        ratio: Some(1.0),
        ..AppliedLoad::default()
    };
    let completeness = Completeness {
        tasks_expected: 2,
        tasks_reported: 2,
        shards_expected: 60,
        shards_merged: 60,
        ..Completeness::default()
    };
    let mut metrics: BTreeMap<_, _> = [
        trend(
            "http_req_response_time",
            [41.2, 131.0, 214.0, 498.0, 1_210.0, 1_804.0],
        ),
        trend(
            "http_req_duration",
            [40.9, 129.0, 212.447, 491.0, 1_190.0, 1_798.0],
        ),
        trend(
            "http_req_duration{name:checkout}",
            [88.1, 240.0, 388.0, 612.35, 1_240.0, 1_798.0],
        ),
        trend(
            "iteration_duration",
            [2_031.0, 2_804.0, 2_911.0, 3_220.0, 3_950.0, 4_420.0],
        ),
        trend("generator_lag", [0.031, 0.058, 0.07, 0.11, 0.32, 1.2]),
        trend("http_req_blocked", [0.001, 0.002, 0.002, 0.31, 1.4, 9.8]),
        trend("http_req_connecting", [0.0, 0.0, 0.0, 0.21, 0.9, 4.1]),
        trend("http_req_tls_handshaking", [0.0; 6]),
        trend("http_req_sending", [0.012, 0.019, 0.024, 0.061, 0.4, 2.2]),
        trend(
            "http_req_waiting",
            [40.6, 128.0, 211.0, 489.0, 1_180.0, 1_790.0],
        ),
        trend("http_req_receiving", [0.09, 0.31, 0.48, 1.9, 7.7, 22.0]),
        metric("http_reqs", &[("count", 149_998.0), ("rate", 499.99)]),
        metric(
            "http_req_failed",
            &[("rate", 0.000_054), ("passes", 8.0), ("fails", 149_990.0)],
        ),
        metric("data_sent", &[("count", 24_100_000.0), ("rate", 80_333.0)]),
        metric(
            "data_received",
            &[("count", 1_830_000_000.0), ("rate", 6_100_000.0)],
        ),
        metric("vus", &[("value", 0.0), ("min", 0.0), ("max", 173.0)]),
        metric("orders_placed", &[("count", 74_996.0), ("rate", 249.99)]),
    ]
    .into_iter()
    .collect();
    for t in &thresholds {
        let result = ThresholdResult {
            ok: t.outcome == Outcome::Passed,
            observed: t.observed,
        };
        metrics.entry(t.key.clone()).and_modify(|m| {
            m.thresholds.insert(t.expression.clone(), result);
        });
    }
    let check = |name: &str, fails| CheckSummary {
        name: name.into(),
        request: Some("checkout".into()),
        scenario: Some("buy".into()),
        passes: 75_000 - fails,
        fails,
    };
    let summary = Summary {
        capacity: None,
        warmup: None,
        drift: None,
        schema: Summary::SCHEMA,
        execution: "01KAKQ8Z5T3M9W2C7XH4RJ6EVB".into(),
        project: "shop".into(),
        test: "checkout".into(),
        version: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".into(),
        target: Some("https://staging.shop.example".into()),
        status: Status::Passed,
        reasons: vec!["4 thresholds and the baseline hold".into()],
        started_ms: Some(START_MS),
        duration_s: 300.0,
        completeness: completeness.clone(),
        planned: planned.clone(),
        applied: applied.clone(),
        metrics,
        requests: vec![
            request("checkout", 8, [212.1, 612.35]),
            request("home", 0, [9.21, 17.4]),
        ],
        checks: vec![
            check("status == 200", 8),
            check("duration < 800ms", 412),
            check("body contains \"Welcome\"", 0),
        ],
        errors: [("503".to_owned(), 5), ("timeout".to_owned(), 3)].into(),
        connections: connections(),
        traced: Vec::new(),
        failures: Some(FailuresSummary {
            kept: 13,
            left_out: 0,
            object: "projects/shop/executions/01KAKQ8Z5T3M9W2C7XH4RJ6EVB/artifacts/failures.json"
                .into(),
            first: vec![
                "POST https://staging.shop.example/checkout: 503 after 12.1 ms, status == 200 does not hold".into(),
                "POST https://staging.shop.example/checkout: timeout after 5000.0 ms".into(),
            ],
        }),
        baseline: Some(BaselineSummary {
            execution: Some("01KAH2V0QK8N5D1S9P3B6YTGWM".into()),
            outcomes: vec![comparison(212.447, Outcome::Passed)],
        }),
        comparison: None,
        generators: vec![generator(0, 0.22, 0.11), generator(1, 0.231, 0.108)],
        warnings: Vec::new(),
        infrastructure: infrastructure.clone(),
        cost: None,
    };
    let execution = Execution {
        version: summary.version.clone(),
        engine: Engine::Http.into(),
        target: Some("https://staging.shop.example".into()),
        trigger: Trigger {
            kind: TriggerKind::Cli.into(),
            ..Trigger::default()
        },
        started_ms: Some(START_MS),
        ended_ms: Some(START_MS + 301_200),
        status: Status::Passed,
        reasons: summary.reasons.clone(),
        infrastructure,
        planned,
        applied: Some(applied),
        completeness: Some(completeness),
        start_skew_us: Some(180),
        thresholds,
        ..Execution::created(
            summary.execution.clone(),
            "shop",
            "checkout",
            START_MS - 2_000,
        )
    };
    (execution, summary)
}

pub(super) fn judged((e, s): &mut Run, status: Status, reasons: &[&str]) {
    e.status = status;
    s.status = status;
    s.reasons = reasons.iter().map(|r| (*r).to_owned()).collect();
    e.reasons.clone_from(&s.reasons);
}

/// The same in the cloud, with what it cost.
pub(super) fn in_the_cloud() -> Run {
    let (mut e, mut s) = passed();
    let item = |what: &str, quantity, unit: &str, usd| CostItem {
        what: Word::of(what),
        region: "eu-west-1".into(),
        quantity,
        unit: Word::of(unit),
        usd,
    };
    s.cost = Some(Cost {
        estimate_usd: Some(0.021_3),
        actual_usd: Some(0.017_1),
        items: vec![
            item("fargate vCPU arm64", 0.21, "vCPU-hours", 0.0068),
            item("fargate memory arm64", 0.42, "GB-hours", 0.0015),
            item("step functions", 244.0, "transitions", 0.0061),
            item("s3 writes", 410.0, "requests", 0.002),
            item("s3 reads", 1_100.0, "requests", 0.0004),
            item("lambda arm64", 22.0, "GB-seconds", 0.0003),
        ],
        prices_of: "2026-11-22".into(),
    });
    e.cost.clone_from(&s.cost);
    (e, s)
}

/// Slow checkouts stop the run, and the baseline is missed.
pub(super) fn failed() -> Run {
    let mut run = passed();
    judged(
        &mut run,
        Status::Failed,
        &[
            "threshold breached and stopped the run: http_req_duration{name:checkout}: p(99)<900ms, observed 1640.2 ms",
            "worse than the baseline: http_req_duration p(95) 251.3 ms after 204.1 ms (+23.13 %, allowed 10 %)",
        ],
    );
    let (e, s) = &mut run;
    s.traced = vec![
        traced(1_640.2, Some(503), None),
        traced(1_212.0, None, Some("timeout")),
    ];
    let t = &mut e.thresholds[1];
    (t.outcome, t.observed, t.aborted) = (Outcome::Failed, Some(1_640.2), true);
    e.thresholds[0].observed = Some(251.3);
    s.baseline.as_mut().unwrap().outcomes = vec![comparison(251.3, Outcome::Failed)];
    s.metrics.extend([
        trend(
            "http_req_response_time",
            [52.8, 171.0, 402.0, 1_910.0, 4_120.0, 5_204.0],
        ),
        trend(
            "http_req_duration",
            [48.3, 152.0, 251.3, 1_204.0, 2_390.0, 2_798.0],
        ),
        trend(
            "http_req_duration{name:checkout}",
            [131.0, 488.0, 871.0, 1_640.2, 2_610.0, 2_798.0],
        ),
        trend(
            "http_req_waiting",
            [47.9, 151.0, 249.0, 1_200.0, 2_380.0, 2_790.0],
        ),
        metric("data_sent", &[("count", 7_360_000.0), ("rate", 78_300.0)]),
        metric(
            "data_received",
            &[("count", 558_000_000.0), ("rate", 5_940_000.0)],
        ),
        metric("vus", &[("value", 400.0), ("min", 0.0), ("max", 400.0)]),
        metric("orders_placed", &[("count", 22_877.0), ("rate", 243.37)]),
    ]);
    for c in &mut s.checks {
        c.passes = 22_910 - c.fails;
    }
    s.duration_s = 94.0;
    s.applied = AppliedLoad {
        iterations: 22_910,
        dropped_iterations: 590,
        http_reqs: 45_771,
        samples: 0,
        ratio: Some(0.975),
        ..AppliedLoad::default()
    };
    e.thresholds[3].observed = Some(486.93);
    s.generators[1].outcome = TaskEnding::Stopped.into();
    s.warnings = vec![
        "590 iterations were dropped (2.51 %), because no VU was free in time; raise maxVUs, or plan a lower rate".into(),
        "iterations started late although a VU was ready (p99 740 ms; tasks 0, 1), which the response times include; use \
         more generators with fewer VUs each, or give them more CPU"
            .into(),
    ];
    e.applied = Some(s.applied.clone());
    e.ended_ms = Some(START_MS + 96_000);
    run
}

/// A lost task, a damaged shard, a saturated generator.
pub(super) fn inconclusive() -> Run {
    let mut run = passed();
    judged(
        &mut run,
        Status::Inconclusive,
        &[
            "1 of 3 tasks lost: task 2",
            "1 of 60 shards not merged (task 0, shard 17: checksum differs from the manifest's)",
            "the generator had no CPU left, so the figures show the generator, not the target: task 1",
        ],
    );
    let (e, s) = &mut run;
    s.completeness = Completeness {
        tasks_expected: 3,
        tasks_reported: 2,
        tasks_lost: vec![2],
        shards_expected: 60,
        shards_merged: 59,
        shards_excluded: vec![ExcludedShard {
            task: 0,
            seq: 17,
            reason: "checksum differs from the manifest's".into(),
        }],
        disagreements: Vec::new(),
    };
    s.baseline = None;
    e.thresholds[3].outcome = Outcome::NoData;
    e.thresholds[3].observed = None;
    e.thresholds[3].note = Some("http_reqs has no samples".into());
    let g = &mut s.generators[1];
    (
        g.saturated,
        g.cpu_mean,
        g.cpu_max,
        g.saturated_seconds,
        g.lag_p99_ms,
    ) = (true, 0.981, 1.0, 251, 31.0);
    s.warnings = vec![
        "generator short of CPU (task 1, CPU up to 100 %); use more tasks or generators, more CPU a task, or a lower rate"
            .into(),
    ];
    run
}

/// The engine never started.
pub(super) fn nothing() -> Run {
    let mut run = passed();
    judged(
        &mut run,
        Status::Errored,
        &["none of 2 tasks reported, and no shard was found"],
    );
    let (e, s) = &mut run;
    (s.started_ms, s.duration_s, e.started_ms) = (None, 0.0, None);
    s.metrics.clear();
    s.checks.clear();
    s.requests.clear();
    s.failures = None;
    s.errors.clear();
    s.generators.clear();
    s.baseline = None;
    e.thresholds.clear();
    s.applied = AppliedLoad::default();
    e.applied = None;
    s.completeness = Completeness {
        tasks_expected: 2,
        tasks_lost: vec![0, 1],
        ..Completeness::default()
    };
    run
}

/// A pass without an earlier run.
pub(super) fn first_run() -> Run {
    let mut run = passed();
    let baseline = run.1.baseline.as_mut().unwrap();
    baseline.execution = None;
    let b = &mut baseline.outcomes[0];
    (b.baseline, b.change, b.outcome) = (None, None, Outcome::NoData);
    b.note = Some("there is no earlier run to compare with yet".into());
    run
}
