use super::*;
use crate::execution::summarise::testing::execution;
use crate::histogram::Histogram;
use crate::shard::Row;
use bytes::Bytes;
use floodgate_records::engine::Engine;
use floodgate_records::execution::Execution;
use floodgate_records::metric::{SeriesKey, Tags};
use floodgate_records::status::Status;
use std::sync::Arc;

const WINDOWS: usize = 30;

fn row(at: usize, metric: Builtin, count: u64, sum: f64, histogram: Option<Bytes>) -> Row {
    Row {
        time_ms: (at * 10_000) as i64,
        window_s: 10,
        key: Arc::new(SeriesKey {
            metric: metric.name().to_owned(),
            kind: metric.kind(),
            tags: Tags::new().with("name", "home"),
        }),
        count,
        sum,
        min: 0.0,
        max: 0.0,
        histogram,
    }
}

/// Five minutes at 200/s, with times of about `scale` ms and this share of failures.
fn rows(seed: u64, scale: f64, failed: f64) -> Vec<Row> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut rows = Vec::new();
    for at in 0..WINDOWS {
        let mut histogram = Histogram::new();
        let shared = scale * 1e3 * (0.99 + 0.02 * random.f64());
        for _ in 0..2_000 {
            histogram.record((shared * (1.0 + 3.0 * random.f64().powi(4))) as u64);
        }
        let mut encoded = Vec::new();
        histogram.encode_v2(&mut encoded);
        let sum = histogram.sum() as f64;
        let times = Some(Bytes::from(encoded));
        rows.push(row(at, Builtin::HttpReqDuration, 2_000, sum, times));
        let failures = (0..2_000).filter(|_| random.f64() < failed).count() as f64;
        rows.push(row(at, Builtin::HttpReqFailed, 2_000, failures, None));
        rows.push(row(at, Builtin::HttpReqs, 2_000, 2_000.0, None));
    }
    rows
}

fn terms(metrics: &[&str]) -> Terms {
    Terms {
        metrics: metrics
            .iter()
            .map(|text| BaselineMetric::parse(text).unwrap())
            .collect(),
        confidence: 0.95,
        min_effect: 0.05,
        undecided: None,
    }
}

fn record(id: &str, change: impl FnOnce(&mut Execution)) -> Execution {
    let mut record = execution();
    record.id = id.to_owned();
    record.status = Status::Passed;
    change(&mut record);
    record
}

fn account(execution: &Execution) -> Account<'_> {
    Account {
        execution,
        generators: &[],
    }
}

fn measured(rows: &[Row], terms: &Terms) -> Measured {
    Measured::of(rows, 0, 10.0 * WINDOWS as f64, &terms.metrics)
}

fn compared_by(metrics: &[&str], rows: [&[Row]; 2], records: [&Execution; 2]) -> Comparison {
    let terms = terms(metrics);
    let measured = rows.map(|rows| measured(rows, &terms));
    let run = |at: usize| Run {
        account: account(records[at]),
        measured: &measured[at],
    };
    compare(Against::One(run(0), &[]), run(1), &terms)
}

const METRICS: [&str; 3] = [
    "http_req_duration p(95)",
    "http_req_failed rate",
    "http_reqs rate",
];

#[test]
fn what_is_worse_follows_from_the_metric() {
    let (a, b) = (record("A", |_| {}), record("B", |_| {}));
    let (fast, slow) = (rows(1, 10.0, 0.0), rows(2, 12.0, 0.02));
    let of = |rows: [&[Row]; 2]| compared_by(&METRICS, rows, [&a, &b]);
    let outcomes = |c: &Comparison| c.gates.iter().map(|g| g.outcome).collect::<Vec<_>>();
    let worse = of([&fast, &slow]);
    assert_eq!(worse.outcome, Change::Regressed);
    assert_eq!(
        outcomes(&worse),
        [Change::Regressed, Change::Regressed, Change::Unchanged]
    );
    let ratio = worse.gates[0].ratio.unwrap();
    assert!(ratio.low > 1.1 && ratio.high < 1.3, "{ratio:?}");
    assert!(worse.gates[0].base.unwrap() > 10.0, "in ms");
    assert_eq!(worse.gates[2].head, Some(200.0), "a second");
    let better = of([&slow, &fast]);
    assert_eq!(better.outcome, Change::Improved);
    assert_eq!(better, of([&slow, &fast]), "the same runs give the same");
}

#[test]
fn no_failures_in_either_run_are_unchanged() {
    let (a, b) = (record("A", |_| {}), record("B", |_| {}));
    let same = compared_by(
        &METRICS,
        [&rows(1, 10.0, 0.0), &rows(2, 10.0, 0.0)],
        [&a, &b],
    );
    assert_eq!(same.outcome, Change::Unchanged, "{same:#?}");
    assert_eq!(same.gates[1].note.as_deref(), Some("none in either run"));
}

#[test]
fn what_has_no_interval_is_undecided_and_says_why() {
    let (a, b) = (record("A", |_| {}), record("B", |_| {}));
    let rows = rows(1, 10.0, 0.0);
    let metrics = [
        "http_req_duration max",
        "http_req_duration{name:nope} p(95)",
    ];
    let none = compared_by(&metrics, [&rows, &rows], [&a, &b]);
    assert_eq!(none.outcome, Change::Undecided);
    assert!(
        none.gates
            .iter()
            .all(|g| g.note.is_some() && g.ratio.is_none())
    );
    let empty = compared_by(&[], [&rows, &rows], [&a, &b]);
    assert_eq!(
        empty.outcome,
        Change::Undecided,
        "nothing that is missing passes"
    );
}

/// What makes a run one of another kind, and what is said of it.
type Difference = (fn(&mut Execution), &'static str);

#[test]
fn runs_of_another_kind_are_named_and_not_judged() {
    let rows = rows(1, 10.0, 0.0);
    let a = record("A", |_| {});
    let cases: [Difference; 8] = [
        (|e| e.version = "f".repeat(64), "the test has changed"),
        (|e| e.test = "other".into(), "different tests"),
        (|e| e.engine = Engine::K6.into(), "the engine differs"),
        (|e| e.planned.max_vus += 1, "the planned load differs"),
        (
            |e| e.infrastructure.tasks += 1,
            "the number of tasks differs",
        ),
        (
            |e| e.infrastructure.regions = vec!["us-east-1".into()],
            "the region differs",
        ),
        (|e| e.infrastructure.cpu += 1, "the size of a task differs"),
        (|e| e.status = Status::Inconclusive, "B is inconclusive"),
    ];
    for (change, word) in cases {
        let b = record("B", change);
        let found = compared_by(&METRICS[..1], [&rows, &rows], [&a, &b]);
        assert_eq!(found.outcome, Change::NotComparable);
        assert!(found.obstacles[0].contains(word), "{:?}", found.obstacles);
        assert_eq!(found.obstacles.len(), 1, "{:?}", found.obstacles);
    }
}

/// Checks of which this share fails, evenly over the run.
fn checked(failed: f64) -> Vec<Row> {
    let held = |_| 2_000.0 - (2_000.0 * failed).round();
    (0..WINDOWS)
        .map(|at| row(at, Builtin::Checks, 2_000, held(at), None))
        .collect()
}

#[test]
fn of_a_share_that_is_nearly_all_the_rest_is_compared() {
    let (a, b) = (record("A", |_| {}), record("B", |_| {}));
    let of = |before: f64, now: f64| {
        let found = compared_by(
            &["checks rate"],
            [&checked(before), &checked(now)],
            [&a, &b],
        );
        found.gates[0].clone()
    };
    let worse = of(0.001, 0.004);
    assert_eq!(worse.outcome, Change::Regressed, "{worse:?}");
    assert!(worse.of_rest && worse.ratio.unwrap().low > 2.0, "{worse:?}");
    assert!((worse.base.unwrap() - 0.999).abs() < 1e-9, "{worse:?}");
    assert_eq!(of(0.004, 0.001).outcome, Change::Improved);
    assert_eq!(of(0.0, 0.001).outcome, Change::Regressed);
    assert_eq!(of(0.0, 0.0).note.as_deref(), Some("all in either run"));
}

#[test]
fn a_failure_or_two_in_thousands_of_requests_are_no_change() {
    let (a, b) = (record("A", |_| {}), record("B", |_| {}));
    let failed = |at: usize| {
        row(
            at,
            Builtin::HttpReqFailed,
            2_000,
            f64::from(u8::from(at == 3)),
            None,
        )
    };
    let none = |at: usize| row(at, Builtin::HttpReqFailed, 2_000, 0.0, None);
    let one: Vec<Row> = (0..WINDOWS).map(failed).collect();
    let none: Vec<Row> = (0..WINDOWS).map(none).collect();
    for rows in [[&none, &one], [&one, &none]] {
        let rows = rows.map(Vec::as_slice);
        let found = compared_by(&METRICS[1..2], rows, [&a, &b]);
        assert_eq!(found.outcome, Change::Unchanged, "{found:#?}");
    }
}

#[test]
fn a_run_is_compared_with_several_together() {
    let before: Vec<_> = (0..6).map(|n| rows(10 + n, 10.0, 0.01)).collect();
    let (a, b) = (record("A", |_| {}), record("B", |_| {}));
    let terms = terms(&METRICS);
    let before: Vec<_> = before.iter().map(|rows| measured(rows, &terms)).collect();
    let of = |head: &[Row]| {
        let measured = measured(head, &terms);
        let head = Run {
            account: account(&b),
            measured: &measured,
        };
        compare(Against::Several(account(&a), &before), head, &terms)
    };
    let same = of(&rows(1, 10.0, 0.01));
    assert_eq!((same.pooled, same.history), (6, 6));
    assert_ne!(same.outcome, Change::Regressed, "{same:#?}");
    let worse = of(&rows(2, 12.0, 0.01));
    assert_eq!(worse.gates[0].outcome, Change::Regressed, "{worse:#?}");
    let base = worse.gates[0].base.unwrap();
    assert!(
        (base - same.gates[0].base.unwrap()).abs() < 1e-9 && base > 10.0,
        "{base}"
    );
    assert!(
        (worse.gates[2].base.unwrap() - 200.0).abs() < 0.1,
        "a second"
    );
}

#[test]
fn sides_of_a_run_are_compared_round_by_round() {
    // A machine that gets slower and slower, and a head that is slower by 4 %.
    let of = |side: &str, factor: f64, seed: u64| {
        let mut random = fastrand::Rng::with_seed(seed);
        let at = |at: usize| {
            let mut histogram = Histogram::new();
            let scale = 10e3 * factor * (1.0 + at as f64 / WINDOWS as f64);
            for _ in 0..2_000 {
                histogram.record((scale * (1.0 + random.f64())) as u64);
            }
            let mut encoded = Vec::new();
            histogram.encode_v2(&mut encoded);
            let (sum, times) = (histogram.sum() as f64, Bytes::from(encoded));
            let mut row = row(at, Builtin::HttpReqDuration, 2_000, sum, Some(times));
            let mut key = SeriesKey::clone(&row.key);
            key.tags = key.tags.with("side", side);
            row.key = Arc::new(key);
            row
        };
        (0..WINDOWS).map(at).collect::<Vec<_>>()
    };
    let terms = terms(&["http_req_duration p(95)"]);
    let a = record("A", |_| {});
    let outcome = |factor: f64| {
        let rows = [of("base", 1.0, 1), of("head", factor, 2)].concat();
        let sides = ["base", "head"].map(|side| {
            let tags = Tags::new().with("side", side);
            Measured::where_tagged(&tags, &rows, 0, 10.0 * WINDOWS as f64, &terms.metrics)
        });
        let [base, head] = sides.each_ref().map(|measured| Run {
            account: account(&a),
            measured,
        });
        let strict = Terms {
            min_effect: 0.01,
            ..terms.clone()
        };
        compare(Against::InTurns(base), head, &strict)
    };
    let slower = outcome(1.04);
    assert_eq!(slower.outcome, Change::Regressed, "{slower:#?}");
    assert!(slower.in_turns && slower.gates[0].ratio.unwrap().low > 1.02);
    assert_ne!(outcome(1.0).outcome, Change::Regressed);
    assert_eq!(outcome(0.96).outcome, Change::Improved);
}
