//! Thresholds on samples.

use super::*;
use crate::threshold::testing::Samples;
use floodgate_records::metric::Tags;
use proptest::prelude::*;
use std::collections::BTreeMap;

const SECOND: Duration = Duration::from_secs(1);

fn judge_in(
    source: &Samples,
    key: &str,
    expression: &str,
    elapsed: Duration,
) -> (Outcome, Option<f64>) {
    let outcomes = Thresholds::compile(&[spec(key, expression)])
        .unwrap()
        .evaluate(source, elapsed, &MissingSamples::default());
    (outcomes[0].outcome, outcomes[0].observed)
}

fn run() -> Samples {
    Samples::default()
        .with(
            "http_reqs",
            MetricKind::Counter,
            &[("name", "home")],
            [1.0; 60],
        )
        .with(
            "http_reqs",
            MetricKind::Counter,
            &[("name", "cart")],
            [1.0; 40],
        )
        .with(
            "http_req_failed",
            MetricKind::Rate,
            &[("name", "home")],
            (0..60).map(|i| f64::from(u8::from(i == 7))),
        )
        .with(
            "http_req_duration",
            MetricKind::Trend,
            &[("name", "home")],
            (1..=100).map(|i| f64::from(i) * 1000.0),
        )
        .with("vus", MetricKind::Gauge, &[], [1.0, 7.0, 3.0])
}

#[test]
fn every_type_is_evaluated() {
    let ten = SECOND * 10;
    for (key, expression, outcome, observed) in [
        ("http_reqs", "count>=100", Outcome::Passed, 100.0),
        ("http_reqs", "rate>10", Outcome::Failed, 10.0),
        ("http_reqs{name:cart}", "count==40", Outcome::Passed, 40.0),
        ("http_req_failed", "rate<0.02", Outcome::Passed, 1.0 / 60.0),
        ("http_req_duration", "p(95)<95", Outcome::Failed, 95.0),
        ("http_req_duration", "p(95)<=95ms", Outcome::Passed, 95.0),
        ("http_req_duration", "p(0)==1", Outcome::Passed, 1.0),
        ("http_req_duration", "p(100)<0.2s", Outcome::Passed, 100.0),
        ("http_req_duration", "med<=50000us", Outcome::Passed, 50.0),
        ("http_req_duration", "avg===50.5", Outcome::Passed, 50.5),
        ("http_req_duration", "min>1", Outcome::Failed, 1.0),
        ("http_req_duration", "max!=100", Outcome::Failed, 100.0),
        ("vus", "value==3", Outcome::Passed, 3.0),
    ] {
        assert_eq!(
            judge_in(&run(), key, expression, ten),
            (outcome, Some(observed)),
            "{key}: {expression}"
        );
    }
}

#[test]
fn missing_data_never_passes() {
    let no_data = (Outcome::NoData, None);
    for (key, expression) in [
        ("http_req_waiting", "p(95)<500"),
        ("checks", "rate>=0.1"),
        ("http_req_duration{name:nowhere}", "p(95)<500"),
        ("http_reqs{name:nowhere}", "count<10"),
        ("vus_max", "value<10"),
        ("orders", "count<10"),
    ] {
        assert_eq!(
            judge_in(&run(), key, expression, SECOND),
            no_data,
            "{key}: {expression}"
        );
    }
    assert_eq!(
        judge_in(&run(), "http_reqs", "rate>0", Duration::ZERO),
        no_data,
        "no time, no rate"
    );
    assert_eq!(
        judge_in(
            &Samples::default(),
            "dropped_iterations",
            "count<10",
            SECOND
        ),
        no_data,
        "nothing measured at all"
    );
}

#[test]
fn a_built_in_counter_that_was_never_added_to_is_zero() {
    assert_eq!(
        judge_in(&run(), "dropped_iterations", "count<10", SECOND),
        (Outcome::Passed, Some(0.0))
    );
    assert_eq!(
        judge_in(&run(), "iterations", "rate>0", SECOND),
        (Outcome::Failed, Some(0.0))
    );
}

#[test]
fn a_custom_metric_of_another_type_has_no_data_and_says_why() {
    let source = Samples::default().with("orders", MetricKind::Counter, &[], [1.0]);
    let outcomes = Thresholds::compile(&[spec("orders", "p(95)<5")])
        .unwrap()
        .evaluate(&source, SECOND, &MissingSamples::default());
    assert_eq!(outcomes[0].outcome, Outcome::NoData);
    assert_eq!(
        outcomes[0].note.as_deref(),
        Some("orders was recorded as a counter, which has no p(95); use count and rate")
    );
}

#[test]
fn aborts_wait_for_their_delay_and_for_data() {
    let abort = |key: &str, expression: &str, delay: u64| ThresholdSpec {
        abort_on_fail: true,
        delay_abort_eval: SECOND * delay as u32,
        ..spec(key, expression)
    };
    let thresholds = Thresholds::compile(&[
        abort("http_req_duration", "p(95)<5", 30),
        abort("http_req_failed", "rate<0.001", 0),
        abort("http_req_waiting", "p(95)<5", 0),
        abort("vus", "value<100", 0),
        spec("http_req_duration", "p(95)<1"),
    ])
    .unwrap();
    let breached = |elapsed| {
        let run = run();
        stopped_by(&thresholds.abort_breaches(|_| Some(&run), elapsed))
    };
    assert_eq!(breached(SECOND * 30), "http_req_failed: rate<0.001");
    let both = "http_req_duration: p(95)<5; http_req_failed: rate<0.001";
    assert_eq!(breached(SECOND * 31), both);

    let mut outcomes = thresholds.evaluate(&run(), SECOND * 31, &MissingSamples::default());
    mark_aborted(
        &mut outcomes,
        &Stop {
            reason: StopReason::Threshold,
            by: both.into(),
            at_ms: 0,
        },
    );
    assert_eq!(
        outcomes.iter().map(|o| o.aborted).collect::<Vec<_>>(),
        [true, true, false, false, false]
    );
}

/// Requests of 100 ms, and some that were cut off after 1 ms: they would have taken longer, nobody knows how much.
fn cut_off(complete: usize, cut_off: usize) -> Samples {
    Samples::default()
        .with(
            "http_req_duration",
            MetricKind::Trend,
            &[("name", "home")],
            vec![100_000.0; complete],
        )
        .with(
            "http_req_duration",
            MetricKind::Trend,
            &[("name", "home"), ("error_code", "interrupted")],
            vec![1_000.0; cut_off],
        )
}

#[test]
fn what_was_cut_off_counts_as_longer_than_everything() {
    let key = "http_req_duration";
    for (complete, cut, expression, expected) in [
        (94, 6, "p(95)<500", Outcome::NoData),
        (96, 4, "p(95)<500", Outcome::Passed),
        (96, 4, "p(95)<50", Outcome::Failed),
        (96, 4, "max<500", Outcome::NoData),
        (96, 4, "max<50", Outcome::Failed),
        (96, 4, "max>50", Outcome::Passed),
        (96, 4, "avg<500", Outcome::NoData),
        (96, 0, "avg<500", Outcome::Passed),
        (0, 5, "p(95)<500", Outcome::NoData),
        (50, 50, "med<500", Outcome::Passed),
        (49, 51, "med<500", Outcome::NoData),
    ] {
        let source = cut_off(complete, cut);
        let (outcome, _) = judge_in(&source, key, expression, SECOND);
        assert_eq!(
            outcome, expected,
            "{complete} and {cut} cut off: {expression}"
        );
    }
    let thresholds = Thresholds::compile(&[spec(key, "p(95)<500")]).unwrap();
    let all = thresholds.evaluate(&cut_off(0, 5), SECOND, &MissingSamples::default());
    let note = all[0].note.as_deref().unwrap();
    assert!(note.starts_with("5 of 5 requests were cut off before their end, and none"));
    assert!(!note.contains("at least this"), "{note}");
    let missing = MissingSamples {
        interrupted_iterations: 60,
        ..MissingSamples::default()
    };
    let source = Samples::default().with(
        "iteration_duration",
        MetricKind::Trend,
        &[],
        vec![100_000.0; 40],
    );
    let thresholds = Thresholds::compile(&[spec("iteration_duration", "med<500")]).unwrap();
    let outcome = thresholds.evaluate(&source, SECOND, &missing).remove(0);
    assert_eq!(outcome.outcome, Outcome::NoData);
    assert!(outcome.note.unwrap().contains("60 of 100 iterations"));
}

/// One sample of more than an hour says nothing of how long those would have taken that were cut off.
#[test]
fn what_was_cut_off_counts_beside_what_was_clamped() {
    let hour = |source: Samples| {
        let tags = &[("name", "export")];
        source.with(
            "http_req_duration",
            MetricKind::Trend,
            tags,
            [3_600_000_000.0],
        )
    };
    for (complete, cut, expression, expected) in [
        (48, 51, "med<500", Outcome::NoData),
        (50, 49, "med<500", Outcome::Passed),
        (96, 3, "p(95)<500", Outcome::Passed),
        // The 97th of a hundred, those put last that were cut off, is the one of an hour.
        (96, 3, "p(97)<500", Outcome::NoData),
        (96, 3, "p(97)<50", Outcome::Failed),
    ] {
        let source = hour(cut_off(complete, cut));
        let (outcome, _) = judge_in(&source, "http_req_duration", expression, SECOND);
        assert_eq!(outcome, expected, "{complete}, {cut} cut off: {expression}");
    }
}

#[test]
fn a_clamped_sample_breaches_every_upper_bound() {
    let source = Samples::default().with(
        "http_req_duration",
        MetricKind::Trend,
        &[],
        [1_000.0, 2_000.0, 3_600_000_000.0],
    );
    for (expression, expected) in [
        ("max<90m", Outcome::Failed),
        ("p(99)<61m", Outcome::Failed),
        ("max<=1h", Outcome::Failed),
        ("med<1s", Outcome::Passed),
        ("avg<90m", Outcome::NoData),
        ("avg<1s", Outcome::Failed),
        ("max>30m", Outcome::Passed),
        ("max>90m", Outcome::NoData),
    ] {
        let (outcome, _) = judge_in(&source, "http_req_duration", expression, SECOND);
        assert_eq!(outcome, expected, "{expression}");
    }
}

#[test]
fn a_filter_that_folding_took_from_has_no_outcome() {
    let source = Samples::default()
        .with(
            "http_req_failed",
            MetricKind::Rate,
            &[("name", "checkout"), ("scenario", "s")],
            [0.0; 20],
        )
        .with(
            "http_req_failed",
            MetricKind::Rate,
            &[("name", "__other__"), ("scenario", "s")],
            [1.0; 180],
        );
    let list = [
        spec("http_req_failed{name:checkout}", "rate<0.01"),
        spec("http_req_failed{scenario:s}", "rate<0.01"),
    ];
    let thresholds = Thresholds::compile(&list).unwrap();
    let of = |kept: Option<Vec<Tags>>| {
        let missing = MissingSamples {
            kept,
            ..MissingSamples::default()
        };
        let outcomes = thresholds.evaluate(&source, SECOND, &missing);
        [outcomes[0].outcome, outcomes[1].outcome]
    };
    assert_eq!(of(Some(Vec::new())), [Outcome::NoData, Outcome::Failed]);
    let checkout = Tags::new().with("name", "checkout");
    assert_eq!(of(Some(vec![checkout])), [Outcome::Passed, Outcome::Failed]);
}

proptest! {
    #[test]
    fn percentiles_rise_and_stay_within_the_extremes(
        values in proptest::collection::vec(1.0..1e6f64, 1..50), a in 0.0..=100.0f64, b in 0.0..=100.0f64,
    ) {
        let source = Samples::default().with("t_x", MetricKind::Trend, &[], values);
        let selected = source.select("t_x", &Tags::new()).unwrap();
        let at = |p| Aggregate::Percentile(p).of(&selected, SECOND).unwrap();
        let (low, high) = (at(a.min(b)), at(a.max(b)));
        prop_assert!(at(0.0) <= low && low <= high && high <= at(100.0));
    }
}

/// How soon a target refuses says nothing of how soon it answers.
#[test]
fn times_of_requests_that_nobody_answered_hold_no_upper_bound() {
    let refused: &[(&str, &str)] = &[("scenario", "b"), ("status", "0"), ("error_code", "dns")];
    let answered: &[(&str, &str)] = &[("scenario", "a"), ("status", "200")];
    let of = |tags: &[(&str, &str)], us: f64, source: Samples| {
        source.with("http_req_duration", MetricKind::Trend, tags, [us; 10])
    };
    let source = of(answered, 5_000.0, of(refused, 1_000.0, Samples::default()));
    for (key, expression, expected) in [
        (
            "http_req_duration{scenario:b}",
            "p(95)<500",
            Outcome::NoData,
        ),
        ("http_req_duration{scenario:b}", "max<0.5", Outcome::Failed),
        (
            "http_req_duration{scenario:a}",
            "p(95)<500",
            Outcome::Passed,
        ),
        ("http_req_duration", "p(95)<500", Outcome::Passed),
    ] {
        let (outcome, _) = judge_in(&source, key, expression, SECOND);
        assert_eq!(outcome, expected, "{key}: {expression}");
    }
}

#[test]
fn values_of_other_systems_that_are_missing_keep_a_threshold_from_holding() {
    let source = Samples::default().with("shop_cpu", MetricKind::Trend, &[], vec![40_000.0; 9]);
    let note = "1 of 10 values of shop_cpu are missing: cannot be reached";
    let missing = MissingSamples {
        unobserved: BTreeMap::from([
            ("shop_cpu".to_owned(), note.to_owned()),
            (
                "queue".to_owned(),
                "10 of 10 values of queue are missing".to_owned(),
            ),
        ]),
        ..MissingSamples::default()
    };
    for (key, expression, outcome) in [
        ("shop_cpu", "avg<80", Outcome::NoData),
        ("shop_cpu", "max<30", Outcome::Failed),
        ("shop_cpu", "max>30", Outcome::NoData),
        ("queue", "max<30", Outcome::NoData),
    ] {
        let thresholds = Thresholds::compile(&[spec(key, expression)]).unwrap();
        let found = thresholds.evaluate(&source, SECOND, &missing).remove(0);
        assert_eq!(found.outcome, outcome, "{key}: {expression}");
        assert!(found.note.unwrap().contains("are missing"), "{key}");
        let whole = thresholds.evaluate(&source, SECOND, &MissingSamples::default());
        let holds = expression.contains("<80") || expression.contains(">30");
        assert_eq!(whole[0].outcome == Outcome::Passed, holds, "{expression}");
    }
}
