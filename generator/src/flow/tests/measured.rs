//! Metrics of the test's own, and further attempts of requests.

use super::support::*;
use crate::exchange::ErrorCode;
use floodgate_core::check::Check;
use floodgate_core::definition::*;
use floodgate_records::metric::MetricKind;
use std::time::Duration;

fn recorded(metric: &str, kind: MetricKind, from: Extractor) -> Recorded {
    Recorded {
        metric: metric.into(),
        kind,
        from,
    }
}

fn path(text: &str) -> Extractor {
    Extractor::JsonPath(serde_json_path::JsonPath::parse(text).unwrap())
}

#[test]
fn values_of_responses_are_measured() {
    let step_with = RequestStep {
        record: vec![
            recorded("total", MetricKind::Trend, path("$.total")),
            recorded("full", MetricKind::Rate, path("$.full")),
            recorded("age", MetricKind::Gauge, Extractor::Header("Age".into())),
        ],
        ..get("/cart")
    };
    let mut world = World::new(vec![step(step_with)]).replies([
        Reply {
            headers: vec![("Age", "-7".to_owned())],
            ..Reply::body(r#"{"total":12.50,"full":true}"#)
        },
        Reply::body(r#"{"total":"much","full":false}"#),
        Reply::body(r#"{"total":-1}"#),
    ]);
    (0..3).for_each(|n| assert!(world.run(n).is_some()));
    let log = world.log.borrow();
    let own: Vec<_> = log
        .own
        .iter()
        .map(|(name, _, value)| (name.as_str(), *value))
        .collect();
    assert_eq!(
        own,
        [("total", 12.5), ("full", 1.0), ("age", -7.0), ("full", 0.0)]
    );
    // What is missing, no number, or none of its type is a failed check, and ends nothing.
    let missing = ["total", "age", "total", "full", "age"];
    let missing: Vec<_> = missing
        .iter()
        .map(|name| format!("record {name}"))
        .collect();
    let outcomes: Vec<_> = log
        .outcomes()
        .into_iter()
        .map(|(name, held)| (name.to_owned(), held))
        .collect();
    assert_eq!(
        outcomes,
        missing
            .into_iter()
            .map(|name| (name, false))
            .collect::<Vec<_>>()
    );
}

fn retried(attempts: u32, on: Vec<RetryOn>, backoff_ms: (u64, u64)) -> RequestStep {
    let ms = Duration::from_millis;
    RequestStep {
        retry: Some(Retry {
            attempts,
            on,
            backoff: (ms(backoff_ms.0), ms(backoff_ms.1)),
        }),
        checks: vec![Check::parse("status == 200").unwrap()],
        ..get("/")
    }
}

/// When each request was intended, and whether it was as expected.
fn requests(world: &World) -> Vec<(u64, bool)> {
    let log = world.log.borrow();
    log.http
        .iter()
        .map(|(_, _, intended, expected)| (intended / MS, *expected))
        .collect()
}

#[test]
fn attempts_are_requests_of_their_own_and_the_last_one_is_checked() {
    let flow = vec![
        step(retried(4, vec![RetryOn::Failed], (20, 40))),
        step(get("/b")),
    ];
    let bad = || Reply::status(503);
    let mut world = World::new(flow).replies([bad(), bad(), bad()]);
    world.run(0).unwrap();
    // Each takes 10 ms; pauses of 20, 40 and 40 ms, and the timer wakes 1 ms late.
    assert_eq!(
        requests(&world),
        [
            (0, false),
            (30, false),
            (81, false),
            (132, true),
            (143, true)
        ]
    );
    assert_eq!(world.log.borrow().outcomes(), [("status == 200", true)]);
}

#[test]
fn attempts_end_with_their_number() {
    let mut world = World::new(vec![step(retried(3, vec![RetryOn::Failed], (0, 0)))]);
    world.io.script.extend((0..9).map(|_| Reply::status(500)));
    world.run(0).unwrap();
    assert_eq!(requests(&world), [(0, false), (10, false), (20, false)]);
    assert_eq!(world.log.borrow().outcomes(), [("status == 200", false)]);
}

#[test]
fn only_the_outcomes_that_are_named_are_tried_again() {
    let on = || vec![RetryOn::Status(503, 503), RetryOn::Error("timeout")];
    let lost = |error| Reply {
        error: Some(error),
        ..Reply::default()
    };
    for (first, attempts) in [
        (Reply::status(503), 2),
        (Reply::status(500), 1),
        (Reply::status(200), 1),
        (lost(ErrorCode::Timeout), 2),
        (lost(ErrorCode::ConnectionReset), 1),
    ] {
        let mut world = World::new(vec![step(retried(2, on(), (0, 0)))]).replies([first.clone()]);
        world.run(0).unwrap();
        assert_eq!(world.io.sent.len(), attempts, "{first:?}");
    }
}

#[test]
fn an_attempt_sends_the_same_and_follows_redirects() {
    let own = RequestStep {
        url: t("/${uuid()}"),
        ..retried(3, vec![RetryOn::Failed], (0, 0))
    };
    let mut world = World::new(vec![step(own)]).replies([
        Reply::status(500),
        Reply::to(302, "/x"),
        Reply::status(500),
    ]);
    world.run(0).unwrap();
    let sent: Vec<_> = world.io.sent.iter().map(url_of).collect();
    assert_eq!(sent.len(), 4, "{sent:?}");
    assert_eq!((&sent[0], &sent[0]), (&sent[1], &sent[3]));
    assert!(sent[2].ends_with("/x"));
}

#[test]
fn an_attempt_that_is_cut_off_is_counted() {
    let mut world = World::new(vec![step(retried(3, vec![RetryOn::Failed], (0, 0)))]).replies([
        Reply::status(500),
        Reply {
            hangs: true,
            ..Reply::default()
        },
    ]);
    assert_eq!(world.run(0), None);
    assert!(world.vu.interrupted(&world.scenario, 15 * MS, &world.log));
    assert_eq!(requests(&world), [(0, false), (10, false)]);
}
