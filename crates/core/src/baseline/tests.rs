use super::*;
use crate::execution::summarise::testing::summary_with;
use crate::threshold::testing::Samples;
use floodgate_records::metric::MetricKind;
use proptest::prelude::*;

fn baseline(metrics: &[&str]) -> Baseline {
    let metrics: Vec<_> = metrics.iter().map(|m| (*m).to_owned()).collect();
    Baseline::compile(&metrics, 0.1).unwrap()
}

fn run(ms: f64, requests: f64, failed: f64) -> Samples {
    Samples::default()
        .with(
            "http_req_duration",
            MetricKind::Trend,
            &[("name", "a b")],
            [ms * 1000.0; 20],
        )
        .with("http_reqs", MetricKind::Counter, &[], [requests])
        .with(
            "http_req_failed",
            MetricKind::Rate,
            &[],
            (0..1000).map(|i| f64::from(u8::from(f64::from(i) < failed))),
        )
}

const SECOND: Duration = Duration::from_secs(1);

fn outcomes(metric: &str, before: &Samples, now: &Samples) -> BaselineOutcome {
    let b = baseline(&[metric]);
    let earlier = summary_with(before, &b);
    b.compare(now, SECOND, &MissingSamples::default(), Some(&earlier))
        .remove(0)
}

#[test]
fn worse_is_a_matter_of_the_metric() {
    let before = run(200.0, 1000.0, 10.0);
    for (metric, now, outcome) in [
        (
            "http_req_duration p(95)",
            run(219.0, 0.0, 0.0),
            Outcome::Passed,
        ),
        (
            "http_req_duration p(95)",
            run(221.0, 0.0, 0.0),
            Outcome::Failed,
        ),
        (
            "http_req_duration{ name: a b } p(97.5)",
            run(221.0, 0.0, 0.0),
            Outcome::Failed,
        ),
        (
            "http_req_duration avg",
            run(10.0, 0.0, 0.0),
            Outcome::Passed,
        ),
        ("http_reqs rate", run(200.0, 901.0, 0.0), Outcome::Passed),
        ("http_reqs rate", run(200.0, 899.0, 0.0), Outcome::Failed),
        ("http_reqs count", run(200.0, 5000.0, 0.0), Outcome::Passed),
        (
            "http_req_failed rate",
            run(200.0, 1.0, 11.0),
            Outcome::Passed,
        ),
        (
            "http_req_failed rate",
            run(200.0, 1.0, 12.0),
            Outcome::Failed,
        ),
        (
            "dropped_iterations count",
            run(200.0, 1.0, 0.0),
            Outcome::Passed,
        ),
    ] {
        let found = outcomes(metric, &before, &now);
        assert_eq!(found.outcome, outcome, "{}", found.sentence());
    }
}

#[test]
fn the_first_run_has_nothing_to_compare_with() {
    let found = baseline(&["http_req_duration p(95)"])
        .compare(
            &run(1.0, 1.0, 0.0),
            SECOND,
            &MissingSamples::default(),
            None,
        )
        .remove(0);
    assert_eq!(
        (found.outcome, found.baseline, found.observed),
        (Outcome::NoData, None, Some(1.0))
    );
    assert!(found.note.unwrap().contains("no earlier run"));
}

#[test]
fn what_either_side_lacks_is_told_apart() {
    let (with, without) = (
        run(1.0, 1.0, 0.0),
        Samples::default().with("vus", MetricKind::Gauge, &[], [1.0]),
    );
    let gone = outcomes("http_req_duration p(95)", &with, &without);
    assert_eq!(
        (gone.outcome, gone.baseline, gone.note.as_deref()),
        (
            Outcome::NoData,
            Some(1.0),
            Some("http_req_duration has no samples")
        )
    );
    let new = outcomes("http_req_duration p(95)", &without, &with);
    assert_eq!((new.outcome, new.baseline), (Outcome::NoData, None));
    assert!(new.note.unwrap().contains("the next baseline will"));
}

#[test]
fn faults_are_placed() {
    for (text, column, part) in [
        ("http_req_duration", 18, "an aggregate after"),
        ("http_req_duration p95", 19, "did you mean \"p(95)\"?"),
        (
            "  http_req_durtion p(95)",
            3,
            "did you mean \"http_req_duration\"?",
        ),
        ("http_reqs p(95)", 11, "allowed: count and rate"),
        ("http_reqs{name count", 10, "not closed"),
        ("", 1, "an aggregate after"),
    ] {
        let error = BaselineMetric::parse(text).unwrap_err();
        assert_eq!(error.at.start + 1, column, "{text}: {error}");
        assert!(error.to_string().contains(part), "{error}");
    }
}

proptest! {
    #[test]
    fn an_unchanged_run_is_never_worse(value in -1e6..1e6f64, tolerance in 0.0..2.0f64) {
        for d in [Direction::HigherIsWorse, Direction::LowerIsWorse, Direction::EitherIsWorse] {
            prop_assert!(d.holds(value, value, tolerance));
        }
    }

    #[test]
    fn more_tolerance_never_turns_a_pass_into_a_breach(a in 0.0..1e6f64, b in 0.0..1e6f64, t in 0.0..1.0f64, more in 0.0..1.0f64) {
        for d in [Direction::HigherIsWorse, Direction::LowerIsWorse, Direction::EitherIsWorse] {
            prop_assert!(!d.holds(a, b, t) || d.holds(a, b, t + more));
        }
    }

    #[test]
    fn parsing_never_panics(text in "\\PC{0,40}") {
        let _ = BaselineMetric::parse(&text);
    }
}
