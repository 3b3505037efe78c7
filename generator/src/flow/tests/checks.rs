//! What holds of a response, and what is taken out of it.

use super::support::*;
use crate::exchange::ErrorCode;
use crate::flow::Files;
use crate::flow::IterationEnd;
use floodgate_core::check::{Check, Comparison, Subject, Test};
use floodgate_core::decimal::Decimal;
use floodgate_core::definition::{Extractor, OnMissing, RequestStep};
use proptest::prelude::*;
use serde_json::json;
use serde_json_path::JsonPath;

fn reply() -> Reply {
    Reply {
        headers: vec![
            ("Content-Type", "text/plain".into()),
            ("X-Count", " 12 ".into()),
        ],
        cookies: vec![("sid", "abc")],
        ..Reply::body(
            r#"{"state":"open","n":1.5,"ok":true,"none":null,"list":[{"id":"x"},{"id":9}],"digits":"5"}"#,
        )
    }
}

fn outcome(subject: &Subject, test: &Test, reply: Reply) -> bool {
    let step_with = RequestStep {
        checks: vec![check("c", subject.clone(), test.clone())],
        ..get("/")
    };
    let mut world = World::new(vec![step(step_with)]).replies([reply]);
    world.run(0).unwrap();
    let log = world.log.borrow();
    assert_eq!(log.checks.len(), 1);
    log.checks[0].1
}

fn path(text: &str) -> Subject {
    Subject::JsonPath(JsonPath::parse(text).unwrap())
}

fn decimal(text: &str) -> Decimal {
    Decimal::parse(text).unwrap()
}

fn text(equal: bool, value: &str) -> Test {
    Test::Text {
        equal,
        value: value.into(),
    }
}

fn matches(negated: bool, regex: &str) -> Test {
    Test::Matches {
        negated,
        regex: regex::bytes::Regex::new(regex).unwrap(),
    }
}

fn contains(negated: bool, value: &str) -> Test {
    Test::Contains {
        negated,
        value: value.into(),
    }
}

fn same(equal: bool, value: serde_json::Value) -> Test {
    Test::Json { equal, value }
}

const EXISTS: Test = Test::Exists { negated: false };
const ABSENT: Test = Test::Exists { negated: true };

#[test]
fn json_numbers_are_compared_and_taken_digit_by_digit() {
    let body = "\u{feff}{\"id\": 9007199254740993, \"price\": 1.10, \"sum\": 0.30000000000000000001, \"k\": 1e3, \"far\": 1e999}";
    for (check, expected) in [
        ("$.id == 9007199254740993", true),
        ("$.id == 9007199254740992", false),
        ("$.id != 9007199254740992", true),
        ("$.id in 9007199254740993..9007199254740993", true),
        ("$.price == 1.1", true),
        ("$.price matches /^1\\.10$/", true),
        ("$.sum == 0.3", false),
        ("$.sum > 0.3", true),
        ("$.k == 1000", true),
        ("$.k == 10e2", true),
        ("$.far > 1e998", true),
        ("$.far == 1e999", true),
    ] {
        let check = floodgate_core::check::Check::parse(check).unwrap();
        assert_eq!(
            outcome(&check.subject, &check.test, Reply::body(body)),
            expected,
            "{}",
            check.name
        );
    }
}

#[test]
fn every_subject_meets_every_test() {
    use Comparison::{Eq, Ge, Gt, Le, Lt, Ne};
    let header = |name: &str| Subject::Header(name.into());
    let cookie = |name: &str| Subject::Cookie(name.into());
    let n = Test::Number;
    let d = |comparison, number| Test::Decimal(comparison, decimal(number));
    let size = reply().body.len() as f64;
    for (subject, test, expected) in [
        (Subject::Status, n(Eq, 200.0), true),
        (Subject::Status, n(Ne, 200.0), false),
        (Subject::Status, Test::InRange(200.0, 299.0), true),
        (Subject::Status, Test::InRange(201.0, 299.0), false),
        (Subject::Status, matches(false, "^2"), true),
        (Subject::Status, text(true, "200"), true),
        (Subject::Status, EXISTS, true),
        // The client answers after 10 ms: 1 sending, 8 waiting, 1 receiving; values are microseconds.
        (Subject::Duration, n(Lt, 10_000.0), false),
        (Subject::Duration, n(Le, 10_000.0), true),
        (Subject::Duration, n(Gt, 9_999.0), true),
        (Subject::ResponseTime, n(Eq, 10_000.0), true),
        (Subject::Size, n(Eq, size), true),
        (Subject::Size, n(Ge, size + 1.0), false),
        (Subject::Body, contains(false, "\"open\""), true),
        (Subject::Body, contains(true, "\"open\""), false),
        (Subject::Body, contains(false, "o.en"), false),
        (Subject::Body, contains(false, ""), true),
        (Subject::Body, matches(false, r"n.:\d"), true),
        (Subject::Body, matches(true, r"n.:\d"), false),
        (Subject::Body, text(true, "x"), false),
        (Subject::Body, text(false, "x"), true),
        (Subject::Body, EXISTS, true),
        (header("content-type"), text(true, "text/plain"), true),
        (header("x-count"), n(Eq, 12.0), true),
        (header("x-count"), Test::InRange(13.0, 14.0), false),
        (header("content-type"), n(Ne, 1.0), false),
        (header("x-none"), EXISTS, false),
        (header("x-none"), ABSENT, true),
        (header("x-none"), text(true, ""), true),
        (cookie("sid"), text(true, "abc"), true),
        (cookie("other"), ABSENT, true),
        (Subject::Protocol, text(true, "HTTP/1.1"), true),
        (path("$.state"), text(true, "open"), true),
        (path("$.state"), text(false, "open"), false),
        (path("$.state"), contains(false, "pe"), true),
        (path("$.state"), d(Eq, "1.0"), false),
        (path("$.state"), d(Ne, "1.0"), true),
        (path("$.n"), d(Eq, "1.5"), true),
        (path("$.n"), Test::Between(decimal("1"), decimal("2")), true),
        (path("$.n"), text(true, "1.5"), false),
        (path("$.n"), matches(false, r"^1\.5$"), true),
        (path("$.digits"), d(Eq, "5.0"), false),
        (path("$.ok"), same(true, json!(true)), true),
        (path("$.ok"), same(false, json!(true)), false),
        (path("$.none"), same(true, json!(null)), true),
        (path("$.none"), EXISTS, true),
        (path("$.list[*].id"), text(true, "x"), true),
        (path("$.list[?@.id == 9].id"), d(Eq, "9.0"), true),
        (path("$.list"), contains(false, "\"id\":9"), true),
        // What is absent fails all but `not exists`.
        (path("$.gone"), EXISTS, false),
        (path("$.gone"), ABSENT, true),
        (path("$.gone"), text(false, "x"), false),
        (path("$.gone"), same(false, json!(1)), false),
        (path("$.gone"), d(Ne, "1.0"), false),
        (path("$.gone"), contains(true, "x"), false),
    ] {
        assert_eq!(
            outcome(&subject, &test, reply()),
            expected,
            "{subject:?} {test:?}"
        );
    }
}

#[test]
fn nothing_holds_of_a_response_that_is_not_there() {
    let lost = Reply {
        error: Some(ErrorCode::ConnectionReset),
        ..Reply::default()
    };
    let half = Reply {
        error: Some(ErrorCode::ConnectionClosed),
        ..reply()
    };
    let html = Reply {
        body: b"<html>".to_vec(),
        ..reply()
    };
    let content = [
        (Subject::Body, contains(true, "x")),
        (Subject::Size, Test::Number(Comparison::Lt, 1e9)),
        (path("$.error"), ABSENT),
    ];
    for (subject, test) in &content {
        assert!(!outcome(subject, test, lost.clone()), "{subject:?}");
        assert!(!outcome(subject, test, half.clone()), "{subject:?}");
    }
    for subject in [Subject::Header("x".into()), Subject::Cookie("x".into())] {
        assert!(!outcome(&subject, &ABSENT, lost.clone()));
        assert!(
            outcome(&subject, &ABSENT, half.clone()),
            "the headers had come"
        );
    }
    assert!(!outcome(
        &Subject::Protocol,
        &text(false, "HTTP/2"),
        lost.clone()
    ));
    assert!(
        !outcome(&path("$.error"), &ABSENT, html),
        "what is not JSON says nothing about its nodes"
    );
    assert!(outcome(
        &Subject::Status,
        &Test::Number(Comparison::Eq, 0.0),
        lost
    ));
    assert!(outcome(
        &Subject::Status,
        &Test::Number(Comparison::Eq, 200.0),
        half
    ));
}

#[test]
fn deep_json_is_no_json() {
    let nested = |depth: usize| Reply::body(format!("{}{}", "[".repeat(depth), "]".repeat(depth)));
    assert!(outcome(&path("$"), &EXISTS, nested(100)));
    assert!(!outcome(&path("$"), &EXISTS, nested(100_000)));
    assert!(!outcome(&path("$..x"), &ABSENT, nested(1_000_000)));
}

#[test]
fn values_go_from_a_response_into_the_next_request() {
    let extract = vec![
        (
            "text".to_owned(),
            Extractor::JsonPath(JsonPath::parse("$.state").unwrap()),
        ),
        (
            "json".to_owned(),
            Extractor::JsonPath(JsonPath::parse("$.list[1]").unwrap()),
        ),
        (
            "group".to_owned(),
            Extractor::Regex(regex::Regex::new(r#""n":([0-9.]+)"#).unwrap()),
        ),
        (
            "whole".to_owned(),
            Extractor::Regex(regex::Regex::new("op..").unwrap()),
        ),
        ("head".to_owned(), Extractor::Header("X-COUNT".into())),
        ("sid".to_owned(), Extractor::Cookie("sid".into())),
        (
            "gone".to_owned(),
            Extractor::JsonPath(JsonPath::parse("$.gone").unwrap()),
        ),
        (
            "nothing".to_owned(),
            Extractor::Regex(regex::Regex::new("open(x)?").unwrap()),
        ),
    ];
    let all = "${text}|${json}|${group}|${whole}|${head}|${sid}|${gone}|${nothing}";
    let echo = post("/", floodgate_core::definition::Body::Text(t(all)));
    let flow = vec![
        step(RequestStep {
            extract,
            on_missing: OnMissing::Continue,
            ..get("/")
        }),
        step(echo.clone()),
    ];
    let mut world =
        World::new([vec![step(echo)], flow].concat()).replies([Reply::status(200), reply()]);
    world.run(0).unwrap();
    world.run(1).unwrap();
    let bodies: Vec<_> = world
        .io
        .sent
        .iter()
        .map(|r| std::str::from_utf8(&r.body).unwrap())
        .collect();
    assert_eq!(bodies[2], r#"open|{"id":9}|1.5|open| 12 |abc||"#);
    assert_eq!(bodies[3], "|||||||", "variables end with their iteration");
    let log = world.log.borrow();
    assert_eq!(
        log.outcomes()[..2],
        [("extract gone", false), ("extract nothing", false)]
    );
    assert_eq!(
        log.outcomes().len(),
        2 + 8,
        "the second iteration's response had none of them"
    );
}

#[test]
fn an_iteration_ends_where_there_is_nothing_to_extract() {
    let found = |path: &str| Extractor::JsonPath(JsonPath::parse(path).unwrap());
    let flow = vec![
        step(RequestStep {
            extract: vec![
                ("gone".into(), found("$.gone")),
                ("state".into(), found("$.state")),
            ],
            ..get("/a")
        }),
        step(get("/b/${gone}")),
    ];
    let replies = [
        reply(),
        Reply::status(500),
        Reply::body("{\"gone\":1,\"state\":2}"),
    ];
    let mut world = World::new(flow).replies(replies);
    for _ in 0..2 {
        let end = world.run(0).unwrap();
        assert!(matches!(end, IterationEnd::Failed { .. }), "{end:?}");
    }
    let end = world.run(1).unwrap();
    assert!(matches!(end, IterationEnd::Completed { .. }), "{end:?}");
    let paths: Vec<_> = world
        .io
        .sent
        .iter()
        .map(|r| r.path_and_query.as_str())
        .collect();
    assert_eq!(
        paths,
        ["/base/a", "/base/a", "/base/a", "/base/b/1"],
        "no request is made of an empty variable"
    );
    assert_eq!(
        world.log.borrow().outcomes(),
        [
            ("extract gone", false),
            ("extract gone", false),
            ("extract state", false)
        ],
        "all that is missing is counted"
    );
}

#[test]
fn only_what_is_looked_at_is_kept() {
    let of = |subject: Subject| RequestStep {
        checks: vec![check("c", subject, EXISTS)],
        ..get("/")
    };
    let from = |from: Extractor| RequestStep {
        extract: vec![("v".into(), from)],
        on_missing: OnMissing::Continue,
        ..get("/")
    };
    let mut world = World::new(vec![
        step(of(Subject::Status)),
        step(of(Subject::Duration)),
        step(of(Subject::Size)),
        step(of(Subject::Protocol)),
        step(of(Subject::Header("a".into()))),
        step(from(Extractor::Cookie("a".into()))),
        step(of(Subject::Body)),
        step(from(Extractor::Regex(regex::Regex::new("a").unwrap()))),
    ]);
    world.run(0).unwrap();
    let kept: Vec<_> = world
        .io
        .kept
        .iter()
        .map(|keep| (keep.headers, keep.body))
        .collect();
    let (nothing, headers, body) = ((false, false), (true, false), (false, true));
    assert_eq!(
        kept,
        [
            nothing, nothing, nothing, nothing, headers, headers, body, body
        ]
    );

    let mut compressed = definition(vec![step(of(Subject::Size))]);
    compressed.scenarios[0].http.accept_encoding = vec!["gzip".into()];
    let mut world = World::of(&compressed, 0, &crate::flow::Files::default()).unwrap();
    world.run(0).unwrap();
    assert!(
        world.io.kept[0].body,
        "the length after decompression needs the body"
    );
}

proptest! {
    #[test]
    fn no_body_is_a_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        for (subject, test) in [
            (Subject::Body, contains(false, "a")),
            (Subject::Body, matches(false, "a+")),
            (path("$..a[?@.b > 1]"), EXISTS),
        ] {
            outcome(&subject, &test, Reply::body(body.clone()));
        }
    }

    #[test]
    fn contains_is_what_it_says(hay in "[ab.*]{0,12}", needle in "[ab.*]{0,3}") {
        prop_assert_eq!(outcome(&Subject::Header("h".into()), &contains(false, &needle), Reply {
            headers: vec![("h", hay.clone())], ..Reply::status(200)
        }), hay.contains(&needle));
    }
}

#[test]
fn a_body_fits_its_schema_or_not() {
    let schema = r#"{"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}, "tag": {"pattern": "^a+$"}}}"#;
    let files: std::collections::BTreeMap<String, bytes::Bytes> = [
        ("order.json".to_owned(), schema.into()),
        ("broken.json".to_owned(), "{\"type\": 5}".into()),
        (
            "far.json".to_owned(),
            "{\"$ref\": \"https://far.example/x.json\"}".into(),
        ),
    ]
    .into();
    let of = |checks: &[&str]| {
        let checks = checks.iter().map(|text| Check::parse(text).unwrap());
        definition(vec![step(RequestStep {
            checks: checks.collect(),
            ..get("/")
        })])
    };
    let definition = of(&["body fits order.json", "$.order fits 'order.json'"]);
    let loaded = Files::load(&definition, &files).unwrap();
    for (body, expected) in [
        (
            r#"{"id": 1, "tag": "aa", "order": {"id": 2}}"#,
            [true, true],
        ),
        (r#"{"id": 1, "tag": "b"}"#, [false, false]),
        (r#"{"id": 1.5, "order": {"id": 1}}"#, [false, true]),
        ("no JSON", [false, false]),
        ("", [false, false]),
    ] {
        let mut world = World::of(&definition, 0, &loaded).unwrap();
        world = world.replies([Reply::body(body)]);
        world.run(0).unwrap();
        let held: Vec<_> = world
            .log
            .borrow()
            .outcomes()
            .iter()
            .map(|(_, held)| *held)
            .collect();
        assert_eq!(held, expected, "{body}");
    }
    for (file, said) in [
        ("broken.json", "file broken.json is not a JSON Schema: "),
        ("far.json", "file far.json is not a JSON Schema: "),
    ] {
        let fault = Files::load(&of(&[&format!("body fits {file}")]), &files).unwrap_err();
        assert!(fault.to_string().starts_with(said), "{fault}");
    }
}
