use super::testing::Samples;
use super::*;
use crate::check::Comparison;
use crate::metric::Tags;
use proptest::prelude::*;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn spec(key: &str, expression: &str) -> ThresholdSpec {
    ThresholdSpec {
        key: key.into(),
        expression: expression.into(),
        abort_on_fail: false,
        delay_abort_eval: Duration::ZERO,
    }
}

fn judge_in(
    source: &Samples,
    key: &str,
    expression: &str,
    elapsed: Duration,
) -> (Outcome, Option<f64>) {
    let outcomes = Thresholds::compile(&[spec(key, expression)])
        .unwrap()
        .evaluate(source, elapsed, &Known::default());
    (outcomes[0].outcome, outcomes[0].observed)
}

fn message(key: &str, expression: &str) -> String {
    check(key, expression).unwrap_err().to_string()
}

/// The cases of k6's own parser tests (metrics/thresholds_parser_test.go, v1.8.1), restated.
#[test]
fn accepts_what_k6_accepts() {
    for (text, aggregate, comparison, target) in [
        ("count>20", Aggregate::Count, Comparison::Gt, 20.0),
        ("rate<0.01", Aggregate::Rate, Comparison::Lt, 0.01),
        ("value>=3", Aggregate::Value, Comparison::Ge, 3.0),
        ("avg<=200", Aggregate::Avg, Comparison::Le, 200.0),
        ("min == 1", Aggregate::Min, Comparison::Eq, 1.0),
        ("max===1", Aggregate::Max, Comparison::Eq, 1.0),
        ("med!=1.5", Aggregate::Med, Comparison::Ne, 1.5),
        (
            "p(95)<500",
            Aggregate::Percentile(95.0),
            Comparison::Lt,
            500.0,
        ),
        (
            "p(99.9) < 1e3",
            Aggregate::Percentile(99.9),
            Comparison::Lt,
            1000.0,
        ),
        ("p(0)<.5", Aggregate::Percentile(0.0), Comparison::Lt, 0.5),
        (
            "  p(100) \t>=  -5.  ",
            Aggregate::Percentile(100.0),
            Comparison::Ge,
            -5.0,
        ),
    ] {
        let parsed = parse_expression(text).unwrap();
        assert_eq!(
            (parsed.aggregate, parsed.comparison, parsed.target),
            (aggregate, comparison, target),
            "{text}"
        );
        assert_eq!(parsed.text, text.trim());
    }
}

#[test]
fn refuses_what_k6_refuses_and_says_where() {
    for (text, column, part) in [
        (
            "count!20",
            6,
            "unknown operator \"!\"; did you mean \"!=\"?",
        ),
        ("foo>20", 1, "unknown aggregate \"foo\""),
        ("count>abc", 7, "\"abc\" is no number"),
        ("", 1, "empty"),
        ("p(95)", 6, "no operator"),
        ("<5", 1, "an aggregate before the operator"),
        ("p(95)<", 7, "a number after the operator"),
        ("p()<5", 1, "\"\" is no percentile"),
        ("p(99<5", 1, "unknown aggregate \"p(99\""),
        ("p(foo)<5", 1, "\"foo\" is no percentile"),
        ("p(101)<5", 1, "from 0 to 100"),
        ("p(-1)<5", 1, "from 0 to 100"),
        ("p( 95)<5", 1, "no percentile"),
        ("count>20>30", 7, "no number"),
        ("p(95) =< 5", 7, "did you mean \"<=\"?"),
        ("avg=5", 4, "did you mean \"==\"?"),
        ("avg<inf", 5, "no number"),
        ("avg<0x10", 5, "unknown unit"),
        ("avg<1e999", 5, "no number"),
        ("avg<1 2", 5, "no number"),
        ("p(95)<5 minutes", 9, "unknown unit \"minutes\""),
        ("rate<1%", 6, "write 0.01"),
        ("count<5ms", 7, "without the unit"),
        ("µ<5", 1, "unknown aggregate"),
    ] {
        let error = parse_expression(text).unwrap_err();
        assert_eq!(
            error.column,
            if text == "avg<0x10" { 6 } else { column },
            "{text}: {error}"
        );
        assert!(error.to_string().contains(part), "{text}: {error}");
    }
}

#[test]
fn hints_at_the_aggregate_that_was_meant() {
    for (text, nearest) in [
        ("p95<5", "did you mean \"p(95)\"?"),
        ("P(99.9)<5", "did you mean \"p(99.9)\"?"),
        ("mean<5", "did you mean \"avg\"?"),
        ("median<5", "did you mean \"med\"?"),
        ("cuont<5", "did you mean \"count\"?"),
    ] {
        assert!(
            parse_expression(text)
                .unwrap_err()
                .to_string()
                .contains(nearest),
            "{text}"
        );
    }
}

#[test]
fn units_are_exact() {
    for (text, ms) in [
        ("500ms", 500.0),
        ("1.2s", 1200.0),
        ("0.29 s", 290.0),
        ("900us", 0.9),
        ("900µs", 0.9),
        ("2m", 120_000.0),
        ("1h", 3_600_000.0),
        ("1e-1s", 100.0),
        ("0.007s", 7.0),
    ] {
        assert_eq!(
            parse_expression(&format!("p(95)<{text}")).unwrap().target,
            ms,
            "{text}"
        );
    }
}

#[test]
fn keys_follow_k6() {
    let tags = |list: &[(&str, &str)]| list.iter().copied().collect::<Tags>();
    for (text, metric, expected) in [
        ("http_reqs", "http_reqs", tags(&[])),
        (
            "http_reqs{name:home}",
            "http_reqs",
            tags(&[("name", "home")]),
        ),
        (
            "http_reqs{ name : home , status:200 }",
            "http_reqs",
            tags(&[("name", "home"), ("status", "200")]),
        ),
        (
            "http_reqs{name:\"home\"}",
            "http_reqs",
            tags(&[("name", "home")]),
        ),
        (
            "http_reqs{'name':'home'}",
            "http_reqs",
            tags(&[("name", "home")]),
        ),
        (
            "http_reqs{group:::cart}",
            "http_reqs",
            tags(&[("group", "::cart")]),
        ),
        (
            "http_reqs{name:http://x/{id}}",
            "http_reqs",
            tags(&[("name", "http://x/{id}")]),
        ),
        (
            "http_reqs{name:\"a,b\",x:y}",
            "http_reqs",
            tags(&[("name", "a,b"), ("x", "y")]),
        ),
        (
            "http_reqs{name:a\"b,x:y}",
            "http_reqs",
            tags(&[("name", "a\"b"), ("x", "y")]),
        ),
    ] {
        let key = parse_key(text).unwrap();
        assert_eq!(
            (key.metric.as_str(), key.tags),
            (metric, expected),
            "{text}"
        );
    }
    for (text, column, part) in [
        ("", 1, "empty"),
        ("http_reqs{name:x", 10, "not closed"),
        ("http_reqsname:x}", 16, "not opened"),
        ("http_reqs}name:x{", 10, "closes before"),
        ("http_reqs{name:x}y", 18, "after the closing"),
        ("http_reqs{}", 11, "is empty"),
        ("http_reqs{name:x,}", 18, "is empty"),
        ("http_reqs{name}", 11, "has no colon"),
        ("http_reqs{name:}", 11, "has no value"),
        ("http_reqs{name:x,status: }", 18, "has no value"),
        ("http_reqs{:x}", 11, "has no name"),
        ("http_reqs{name:x,name:y}", 18, "twice"),
        ("http_reqs {name:x}", 1, "no metric name"),
        ("1st", 1, "no metric name"),
        ("h", 1, "no metric name"),
    ] {
        let error = parse_key(text).unwrap_err();
        assert_eq!(error.column, column, "{text}: {error}");
        assert!(error.to_string().contains(part), "{text}: {error}");
    }
}

#[test]
fn a_definition_is_checked_before_the_run() {
    assert_eq!(check("http_req_duration{name:x}", "p(95)<500ms"), Ok(()));
    assert_eq!(check("my_own_metric", "rate<5"), Ok(()));
    assert_eq!(
        check("vus_min", "value>5"),
        Ok(()),
        "too short a name to be sure of a slip"
    );
    insta::assert_snapshot!([
        message("http_req_duraton", "p(95)<500"),
        message("http_reqs", "p(95)<500"),
        message("vus", "max<500"),
        message("http_req_failed", "count<5"),
        message("http_req_duration", "rate<5"),
        message("check", "rate>0.9"),
        message("http_req_failed", "rate<10%"),
        message("http_reqs{name}", "count>1"),
    ].join("\n"), @r#"
    "http_req_duraton", column 1: there is no metric "http_req_duraton"; did you mean "http_req_duration"?
    "p(95)<500", column 1: http_reqs is a counter, which has no "p(95)"; allowed are count and rate
    "max<500", column 1: vus is a gauge, which has no "max"; allowed are value; did you mean "value"?
    "count<5", column 1: http_req_failed is a rate, which has no "count"; allowed are rate; did you mean "rate"?
    "rate<5", column 1: http_req_duration is a trend, which has no "rate"; allowed are avg, min, max, med and p(N)
    "check", column 1: there is no metric "check"; did you mean "checks"?
    "rate<10%", column 6: 10% is a percentage; a ratio is in [0, 1]: write 0.1
    "http_reqs{name}", column 11: tag "name" has no colon; write name:value, and quote a value with a comma in it
    "#);
}

#[test]
fn all_faults_are_reported_at_once() {
    let faults = Thresholds::compile(&[
        spec("http_reqs", "count>"),
        spec("vus", "value>1"),
        spec("x{", "count>1"),
    ]);
    assert_eq!(faults.unwrap_err().len(), 2);
}

#[test]
fn doubts_are_warnings() {
    let mut slow = spec("http_reqs", "count>1000");
    slow.abort_on_fail = true;
    let list = [
        slow,
        spec("orders", "count>1"),
        spec("http_reqs{nme:x}", "count>1"),
    ];
    let warnings = Thresholds::compile(&list).unwrap().warnings();
    assert_eq!(warnings.len(), 3, "{warnings:#?}");
    for (warning, part) in
        warnings
            .iter()
            .zip(["delayAbortEval", "not built in", "did you mean \"name\""])
    {
        assert!(warning.contains(part), "{warning}");
    }
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
        .evaluate(&source, SECOND, &Known::default());
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
    let breached = |elapsed| stopped_by(&thresholds.abort_breaches(&run(), elapsed));
    assert_eq!(breached(SECOND * 30), "http_req_failed: rate<0.001");
    let both = "http_req_duration: p(95)<5; http_req_failed: rate<0.001";
    assert_eq!(breached(SECOND * 31), both);

    let mut outcomes = thresholds.evaluate(&run(), SECOND * 31, &Known::default());
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

proptest! {
    #[test]
    fn parsers_never_panic(text in "\\PC{0,40}") {
        let _ = parse_key(&text);
        let _ = parse_expression(&text);
    }

    #[test]
    fn near_expressions_never_panic(text in "[pacr(){}:,<>=!0-9.eE+\\-%µsm \"']{0,24}") {
        let _ = parse_key(&text);
        let _ = parse_expression(&text);
    }

    #[test]
    fn keys_survive_printing(
        metric in "[a-z_][a-z0-9_]{1,12}",
        tags in proptest::collection::btree_map("[a-z]{1,5}", "[a-z0-9:/{}]([a-z0-9,:/{} ]{0,6}[a-z0-9,:/{}])?", 0..4),
    ) {
        let key = Key { metric, tags: Tags(tags) };
        prop_assert_eq!(parse_key(&key.to_string()).unwrap(), key);
    }

    #[test]
    fn numbers_are_read_as_written(number in -1e9f64..1e9, spaces in " {0,3}") {
        let parsed = parse_expression(&format!("avg{spaces}<{spaces}{number}")).unwrap();
        prop_assert_eq!(parsed.target, number);
    }

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

#[test]
fn what_no_value_can_meet_or_miss_is_an_error() {
    for (key, expression, part) in [
        ("checks", "rate>99", "never holds"),
        ("checks", "rate>1", "never holds"),
        ("checks", "rate==2", "never holds"),
        ("http_req_failed", "rate<=1", "always holds"),
        ("http_req_failed", "rate!=1.5", "always holds"),
        ("http_req_failed", "rate<0", "never holds"),
        ("http_reqs", "count>=0", "always holds"),
        ("http_req_duration", "p(95)<0", "never holds"),
        ("vus", "value>-1", "always holds"),
    ] {
        let fault = pointless(key, expression).unwrap().to_string();
        assert!(fault.contains(part), "{key}: {expression}: {fault}");
        check(key, expression).unwrap();
    }
    for (key, expression) in [
        ("checks", "rate==1"),
        ("checks", "rate>=1"),
        ("http_req_failed", "rate<=0"),
        ("http_req_failed", "rate<1"),
        ("dropped_iterations", "count<=0"),
        // What a script declares may be negative.
        ("balance", "avg>=0"),
    ] {
        assert_eq!(pointless(key, expression), None, "{key}: {expression}");
    }
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
    let known = Known {
        interrupted_iterations: 60,
        ..Known::default()
    };
    let source = Samples::default().with(
        "iteration_duration",
        MetricKind::Trend,
        &[],
        vec![100_000.0; 40],
    );
    let thresholds = Thresholds::compile(&[spec("iteration_duration", "med<500")]).unwrap();
    let outcome = thresholds.evaluate(&source, SECOND, &known).remove(0);
    assert_eq!(outcome.outcome, Outcome::NoData);
    assert!(outcome.note.unwrap().contains("60 of 100 iterations"));
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
        let known = Known {
            kept,
            ..Known::default()
        };
        let outcomes = thresholds.evaluate(&source, SECOND, &known);
        [outcomes[0].outcome, outcomes[1].outcome]
    };
    assert_eq!(of(Some(Vec::new())), [Outcome::NoData, Outcome::Failed]);
    let checkout = Tags::new().with("name", "checkout");
    assert_eq!(of(Some(vec![checkout])), [Outcome::Passed, Outcome::Failed]);
}
