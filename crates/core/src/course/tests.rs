//! Parts, windows, slopes and objectives out of rows.

use super::*;
use crate::definition::model::{Executor, HttpOptions, Objective, RunPart, ThresholdSpec};
use crate::histogram::Histogram;
use crate::shard::window_s;
use bytes::Bytes;
use floodgate_records::metric::{MetricKind, SeriesKey};
use floodgate_records::outcome::Outcome;
use std::sync::Arc;

const START_MS: i64 = 1_700_000_000_000;

fn seconds(s: u64) -> Duration {
    Duration::from_secs(s)
}

fn times(duration_s: u64) -> Times {
    Times {
        start_ms: START_MS,
        duration: seconds(duration_s),
        planned: None,
    }
}

/// A trend's row with these values in ms.
fn times_of(at_s: i64, metric: &str, ms: &[f64]) -> Row {
    let mut histogram = Histogram::new();
    ms.iter().for_each(|v| histogram.record((v * 1e3) as u64));
    let mut encoded = Vec::new();
    histogram.encode_v2(&mut encoded);
    let exact = histogram.exact();
    row(
        at_s,
        (metric, MetricKind::Trend),
        (ms.len() as u64, exact.sum as f64),
        (exact.min as f64, exact.max as f64),
        Some(Bytes::from(encoded)),
    )
}

fn counted(at_s: i64, metric: &str, kind: MetricKind, count: u64, sum: f64) -> Row {
    row(at_s, (metric, kind), (count, sum), (0.0, 1.0), None)
}

fn row(
    at_s: i64,
    (metric, kind): (&str, MetricKind),
    (count, sum): (u64, f64),
    (min, max): (f64, f64),
    histogram: Option<Bytes>,
) -> Row {
    Row {
        time_ms: START_MS + at_s * 1_000,
        window_s: window_s(metric),
        key: Arc::new(SeriesKey {
            metric: metric.into(),
            kind,
            tags: Tags::new().with("status", "200").with("name", "home"),
        }),
        count,
        sum,
        min,
        max,
        histogram,
    }
}

fn with_part(key: &str, expression: &str, from: u64, to: Option<u64>) -> ThresholdSpec {
    ThresholdSpec {
        part: RunPart {
            from: Some(seconds(from)),
            to: to.map(seconds),
            stage: None,
        },
        ..ThresholdSpec::new(key, expression)
    }
}

fn objective(key: &str, expression: &str, of: f64, window: u64) -> ThresholdSpec {
    ThresholdSpec {
        objective: Some(Objective {
            of,
            window: seconds(window),
        }),
        ..ThresholdSpec::new(key, expression)
    }
}

fn judge(specs: &[ThresholdSpec], times: Times, rows: &[Row]) -> Vec<ThresholdOutcome> {
    let thresholds = Thresholds::compile(specs).unwrap();
    let mut course = Course::of(&thresholds, &[], times);
    course.add(rows);
    let mut totals = Totals::new();
    totals.add_windows(rows.iter()).unwrap();
    course.evaluate(&thresholds, &totals, &MissingSamples::default(), "seed")
}

#[test]
fn a_part_of_a_run_is_judged_by_what_was_measured_in_it() {
    let rows = [
        times_of(0, "http_req_duration", &[900.0; 20]),
        times_of(10, "http_req_duration", &[100.0; 20]),
        times_of(20, "http_req_duration", &[900.0; 20]),
        counted(12, "http_reqs", MetricKind::Counter, 30, 30.0),
        counted(25, "http_reqs", MetricKind::Counter, 500, 500.0),
    ];
    let specs = [
        ThresholdSpec::new("http_req_duration", "p(95)<300"),
        with_part("http_req_duration", "p(95)<300", 10, Some(20)),
        with_part("http_req_duration", "p(95)<300", 20, None),
        with_part("http_reqs", "rate<4", 10, Some(20)),
        with_part("http_req_duration", "p(95)<300", 30, None),
        with_part("http_req_duration", "p(95)<300", 15, Some(20)),
        with_part("dropped_iterations", "count==0", 10, Some(20)),
    ];
    let found = judge(&specs, times(30), &rows);
    let outcomes: Vec<_> = found.iter().map(|o| o.outcome).collect();
    use Outcome::{Failed, NoData, Passed};
    assert_eq!(
        outcomes,
        [Failed, Passed, Failed, Passed, NoData, NoData, Passed]
    );
    assert_eq!(found[1].id, "http_req_duration: p(95)<300 from 10s to 20s");
    assert_eq!(found[1].over_time.part.as_deref(), Some("from 10s to 20s"));
    assert_eq!(found[3].observed, Some(3.0));
    let note = |n: usize| found[n].note.as_deref().unwrap();
    assert!(
        note(4).starts_with("the run was over after 30.0 s"),
        "{}",
        note(4)
    );
    assert!(
        note(5).starts_with("20 samples stand in windows that reach across"),
        "{}",
        note(5)
    );
}

#[test]
fn an_objective_counts_windows_and_is_unsure_of_empty_ones() {
    let slow = [2usize, 7];
    let rows: Vec<Row> = (0..10)
        .filter(|n| *n != 9)
        .map(|n| {
            let ms = if slow.contains(&n) { 800.0 } else { 100.0 };
            times_of(n as i64 * 10, "http_req_duration", &[ms; 20])
        })
        .chain([counted(95, "vus", MetricKind::Gauge, 1, 1.0)])
        .collect();
    let specs = [
        objective("http_req_duration", "p(95)<300", 0.7, 10),
        objective("http_req_duration", "p(95)<300", 0.8, 10),
        objective("http_req_duration", "p(95)<300", 0.9, 10),
        objective("dropped_iterations", "count<1", 1.0, 50),
    ];
    let found = judge(&specs, times(100), &rows);
    let outcomes: Vec<_> = found.iter().map(|o| o.outcome).collect();
    use Outcome::{Failed, NoData, Passed};
    assert_eq!(outcomes, [Passed, NoData, Failed, Passed]);
    let seen = found[0].over_time.objective.unwrap();
    assert_eq!(
        (seen.windows, seen.held, seen.breached, seen.unknown),
        (10, 7, 2, 1)
    );
    assert!((seen.budget_used.unwrap() - 2.0 / 3.0).abs() < 1e-9);
    assert_eq!(found[0].observed, Some(0.7));
    assert_eq!(
        found[0].id,
        "http_req_duration: p(95)<300 in 70% of windows of 10s"
    );
    assert!(
        found[1]
            .note
            .as_deref()
            .unwrap()
            .contains("nothing is known of 1 of 10 windows")
    );
    assert_eq!(found[3].over_time.objective.unwrap().budget_used, None);
}

/// Twenty minutes whose p95 grows by so much an hour.
fn leak(an_hour: f64, seed: u64) -> Vec<Row> {
    let mut random = fastrand::Rng::with_seed(seed);
    let window = |n: i64| {
        let level = 100.0 * (1.0 + an_hour).powf(n as f64 / 360.0);
        let noise = 1.0 + 0.02 * (random.f64() - 0.5);
        let values: Vec<f64> = (0..100)
            .map(|k| level * noise * (0.5 + k as f64 / 100.0))
            .collect();
        times_of(n * 10, "http_req_duration", &values)
    };
    (0..120).map(window).collect()
}

#[test]
fn a_slope_holds_is_breached_or_takes_longer() {
    let specs = [ThresholdSpec::new(
        "http_req_duration",
        "trend(p(95))<10%/h",
    )];
    let of = |an_hour| judge(&specs, times(1_200), &leak(an_hour, 1)).remove(0);
    let steady = of(0.0);
    assert_eq!(steady.outcome, Outcome::Passed, "{steady:?}");
    assert_eq!(steady.aggregate, "trend(p(95))");
    let slope = steady.over_time.trend.unwrap();
    assert!(
        slope.low < 0.0 && slope.high > 0.0 && slope.window_s == 20,
        "{slope:?}"
    );
    assert_eq!(of(0.5).outcome, Outcome::Failed);
    let near = of(0.1);
    assert_eq!(near.outcome, Outcome::NoData);
    assert!(near.observed.is_some() && near.note.is_some(), "{near:?}");
    let short = judge(&specs, times(599), &leak(0.0, 1)).remove(0);
    let note = short.note.unwrap();
    assert_eq!(short.outcome, Outcome::NoData);
    assert!(note.starts_with("a slope takes 10 minutes"), "{note}");
    // Windows without samples are no proof of anything.
    let gaps: Vec<Row> = leak(0.0, 1).into_iter().step_by(5).collect();
    let gaps = judge(&specs, times(1_200), &gaps).remove(0);
    assert_eq!(gaps.outcome, Outcome::NoData);
}

fn constant(duration_s: u64) -> Scenario {
    Scenario {
        name: "s".into(),
        start_time: Duration::ZERO,
        graceful_stop: Duration::ZERO,
        executor: Executor::ConstantVus {
            vus: 1,
            duration: seconds(duration_s),
        },
        share: None,
        side: None,
        pace: None,
        tags: Default::default(),
        flow: Vec::new(),
        http: HttpOptions::default(),
    }
}

#[test]
fn the_warm_up_is_kept_and_not_judged_and_a_longer_one_is_suggested() {
    let thresholds = Thresholds {
        warmup: seconds(10),
        ..Thresholds::compile(&[ThresholdSpec::new("http_req_duration", "p(95)<300")]).unwrap()
    };
    let values = |n: i64| match n {
        0..3 => 900.0,
        _ => 100.0 + (n % 3) as f64,
    };
    let rows: Vec<Row> = (0..30)
        .flat_map(|n| {
            [
                times_of(n * 10, "http_req_duration", &[values(n); 50]),
                counted(n * 10, "http_reqs", MetricKind::Counter, 50, 50.0),
            ]
        })
        .collect();
    let mut course = Course::of(&thresholds, &[constant(300)], times(300));
    course.add(&rows);
    let judged = course.judged().unwrap();
    let reqs = judged.select("http_reqs", &Tags::new()).unwrap();
    assert_eq!(reqs.sum, 29.0 * 50.0);
    let warmup = course.warmup().unwrap();
    assert_eq!((warmup.seconds, warmup.http_reqs), (10.0, 50));
    let said = course.unsteady().unwrap();
    assert!(
        said.contains("in the first 20s") && said.contains("write warmup: 30s"),
        "{said}"
    );
    // Where the load is to change, nothing is steady.
    let half = constant(150);
    let mut changing = Course::of(&thresholds, &[constant(300), half], times(300));
    changing.add(&rows);
    assert_eq!(changing.unsteady(), None);
}

#[test]
fn long_runs_have_slopes_and_change_points() {
    let thresholds = Thresholds::default();
    let mut random = fastrand::Rng::with_seed(3);
    let rows: Vec<Row> = (0..180)
        .flat_map(|n| {
            let level = if n < 100 { 100.0 } else { 130.0 };
            let ms = level * (1.0 + 0.02 * (random.f64() - 0.5));
            let failed = f64::from(u8::from(n % 9 == 0));
            [
                times_of(n * 10, "http_req_duration", &vec![ms; 250]),
                counted(n * 10, "http_reqs", MetricKind::Counter, 250, 250.0),
                counted(n * 10, "http_req_failed", MetricKind::Rate, 250, failed),
            ]
        })
        .collect();
    let mut course = Course::of(&thresholds, &[constant(1_800)], times(1_800));
    course.add(&rows);
    let drift = course.drift(&MissingSamples::default(), "seed").unwrap();
    let ids: Vec<_> = drift.metrics.iter().map(|m| m.id.as_str()).collect();
    assert_eq!(
        ids,
        [
            "http_req_duration p(50)",
            "http_req_duration p(95)",
            "http_req_duration p(99)",
            "http_req_failed rate",
            "http_reqs rate"
        ]
    );
    assert_eq!((drift.window_s, drift.load_changes), (20, false));
    let [change] = &drift.metrics[1].changes[..] else {
        panic!("{drift:#?}")
    };
    assert_eq!(change.at_s, 1_000.0);
    assert!((change.change.unwrap() - 0.3).abs() < 0.01, "{change:?}");
    assert!(drift.metrics[3].changes.is_empty() && drift.metrics[4].changes.is_empty());
    assert!((drift.metrics[4].mean - 25.0).abs() < 1e-9, "{drift:?}");
    assert!(
        drift.metrics.iter().all(|m| m.slope.is_some()),
        "{drift:#?}"
    );
    // Nine minutes are too short.
    let mut short = Course::of(&thresholds, &[constant(540)], times(540));
    short.add(&rows[..162]);
    assert_eq!(short.drift(&MissingSamples::default(), "seed"), None);
}
