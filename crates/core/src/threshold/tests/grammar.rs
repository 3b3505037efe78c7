//! Keys and expressions as they are written.

use super::*;
use crate::check::Comparison;
use floodgate_records::metric::Tags;
use proptest::prelude::*;

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
        ("count>abc", 7, "\"abc\" is not a valid number"),
        ("", 1, "empty"),
        ("p(95)", 6, "no operator"),
        ("<5", 1, "an aggregate before the operator"),
        ("p(95)<", 7, "a number after the operator"),
        ("p()<5", 3, "\"\" is not a valid percentile"),
        ("p(99<5", 1, "unknown aggregate \"p(99\""),
        ("p(foo)<5", 3, "\"foo\" is not a valid percentile"),
        ("p(101)<5", 3, "from 0 to 100"),
        ("p(-1)<5", 3, "from 0 to 100"),
        ("p( 95)<5", 3, "not a valid percentile"),
        ("count>20>30", 7, "not a valid number"),
        ("p(95) =< 5", 7, "did you mean \"<=\"?"),
        ("avg=5", 4, "did you mean \"==\"?"),
        ("avg<inf", 5, "not a valid number"),
        ("avg<0x10", 5, "unknown unit"),
        ("avg<1e999", 5, "not a valid number"),
        ("avg<1 2", 5, "not a valid number"),
        ("p(95)<5 minutes", 9, "unknown unit \"minutes\""),
        ("rate<1%", 6, "write 0.01"),
        ("count<5ms", 7, "without the unit"),
        ("µ<5", 1, "unknown aggregate"),
    ] {
        let error = parse_expression(text).unwrap_err();
        assert_eq!(
            error.at.start + 1,
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
        ("http_reqs {name:x}", 1, "not a valid metric name"),
        ("1st", 1, "not a valid metric name"),
        ("h", 1, "not a valid metric name"),
    ] {
        let error = parse_key(text).unwrap_err();
        assert_eq!(error.at.start + 1, column, "{text}: {error}");
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
    there is no metric "http_req_duraton"; did you mean "http_req_duration"?
    http_reqs is a counter, which has no "p(95)"; allowed: count and rate
    vus is a gauge, which has no "max"; did you mean "value"? allowed: value
    http_req_failed is a rate, which has no "count"; did you mean "rate"? allowed: rate
    http_req_duration is a trend, which has no "rate"; allowed: avg, min, max, med and p(N)
    there is no metric "check"; did you mean "checks"?
    10% is a percentage; a ratio is in [0, 1]: write 0.1
    the tag "name" has no colon; allowed: name:value, a value with a comma in it in quotes
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
        spec("baskets", "count>1"),
        spec("http_reqs{nme:x}", "count>1"),
    ];
    let warnings = Thresholds::compile(&list)
        .unwrap()
        .warnings(&["baskets".to_owned()].into());
    assert_eq!(warnings.len(), 3, "{warnings:#?}");
    for (warning, part) in
        warnings
            .iter()
            .zip(["delayAbortEval", "not built in", "did you mean \"name\""])
    {
        assert!(warning.contains(part), "{warning}");
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
        let (parsed_key, parsed) = (
            parse_key(key).unwrap(),
            parse_expression(expression).unwrap(),
        );
        let fault = pointless(&parsed_key, &parsed).unwrap().to_string();
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
        let (parsed_key, parsed) = (
            parse_key(key).unwrap(),
            parse_expression(expression).unwrap(),
        );
        assert_eq!(pointless(&parsed_key, &parsed), None, "{key}: {expression}");
    }
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
}
