//! Metrics of the test's own, further attempts, and functions with references among their arguments.

use super::*;
use crate::template::{Part, Variable};
use floodgate_records::metric::MetricKind;
use std::time::Duration;

fn request(flow: &str) -> RequestStep {
    let mut flow = good(&with_flow(flow)).definition.scenarios.remove(0).flow;
    match flow.remove(0) {
        Step::Request(request) => *request,
        other => panic!("{other:?}"),
    }
}

#[test]
fn metrics_of_the_tests_own_are_read() {
    let flow = "- {get: /, record: {cart_total: $.total, full: {value: $.full, type: rate}}}";
    let recorded = request(flow).record;
    let read: Vec<_> = recorded
        .iter()
        .map(|own| (own.metric.as_str(), own.kind))
        .collect();
    assert_eq!(
        read,
        [
            ("cart_total", MetricKind::Trend),
            ("full", MetricKind::Rate)
        ]
    );
    let metrics = good(&with_flow(flow)).definition.recorded_metrics();
    assert_eq!(
        metrics.into_iter().collect::<Vec<_>>(),
        ["cart_total", "full"]
    );
}

#[test]
fn metrics_of_the_tests_own_are_refused_with_their_places() {
    let with = |record: &str, thresholds: &str| {
        let flow = with_flow(&format!("- {{get: /, record: {record}}}"));
        format!("{flow}thresholds: {thresholds}\n")
    };
    for (record, thresholds, said) in [
        (
            "{http_reqs: $.a}",
            "{}",
            "9:27: scenarios.s.flow[0].record.http_reqs: the metric \"http_reqs\" is the program's own",
        ),
        (
            "{samples: $.a}",
            "{}",
            "is the program's own; give it another name",
        ),
        (
            "{http_req: $.a}",
            "{}",
            "\"http_req\" is too much like \"http_reqs\"",
        ),
        ("{a-b: $.a}", "{}", "is not a valid name here"),
        ("{a: total}", "{}", "unknown source \"total\""),
        (
            "{a: {value: $.a, type: sum}}",
            "{}",
            "\"sum\" is not known; allowed: trend, counter, gauge, rate",
        ),
        (
            "{a: $.a}, tags: {x: y}}\n- {get: /, record: {a: {value: $.a, type: counter}}",
            "{}",
            "\"a\" is a trend elsewhere, and a counter here",
        ),
        (
            "{orders: {value: $.a, type: counter}}",
            "{orders: p(95)<5}",
            "orders is a counter, which has no \"p(95)\"; allowed: count and rate",
        ),
    ] {
        let message = faults(&with(record, thresholds));
        assert!(message.contains(said), "{record}\n{message}");
    }
    let sound = with("{orders: {value: $.a, type: counter}}", "{orders: count>5}");
    assert_eq!(good(&sound).warnings, []);
}

#[test]
fn further_attempts_are_read() {
    let read = |keys: &str| {
        request(&format!("- {{get: /, retry: {{{keys}}}}}"))
            .retry
            .unwrap()
    };
    assert_eq!(
        read("attempts: 2"),
        Retry {
            attempts: 2,
            on: vec![RetryOn::Failed],
            backoff: (Duration::ZERO, Duration::ZERO)
        }
    );
    let full = read("attempts: 5, on: [503, 500..502, timeout], backoff: 100ms..2s");
    assert_eq!(
        full.on,
        [
            RetryOn::Status(503, 503),
            RetryOn::Status(500, 502),
            RetryOn::Error("timeout")
        ]
    );
    let ms = Duration::from_millis;
    assert_eq!(full.backoff, (ms(100), ms(2_000)));
    for (keys, said) in [
        ("attempts: 1", "a whole number from 2 to 10"),
        ("on: failed", "the key \"attempts\" is missing"),
        (
            "attempts: 2, on: tiemout",
            "\"tiemout\" is not an outcome of a request; did you mean \"timeout\"?",
        ),
        ("attempts: 2, delay: 1s", "unknown key; write backoff"),
        ("attempts: 2, backoff: 2s..1s", "ends before it starts"),
    ] {
        let message = faults(&with_flow(&format!("- {{get: /, retry: {{{keys}}}}}")));
        assert!(message.contains(said), "{keys}\n{message}");
    }
}

#[test]
fn references_stand_among_the_arguments_of_functions() {
    let url = request("- get: '/${base64(secret:token)}/${sha256(\"${env:HOST} ${vu}\")}'").url;
    let calls: Vec<_> = url
        .variables()
        .map(|variable| match variable {
            Variable::Call(call) => (call.secret, call.arguments[0].parts.clone()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(calls[0], (true, vec![Part::Literal("s3cr3t".into())]));
    let parts = vec![
        Part::Literal("shop.example ".into()),
        Part::Variable(Variable::Vu),
    ];
    assert_eq!(calls[1], (false, parts));
    // What is written is what is shown and stored.
    assert!(url.source.contains("secret:token"));
    let parsed = good(&with_flow("- get: '/${base64(secret:token)}'"));
    assert!(!parsed.normalised.to_string().contains("s3cr3t"));
    let references = References::of(&parsed.normalised);
    assert_eq!(
        references.secrets.into_iter().collect::<Vec<_>>(),
        ["token"]
    );
}

#[test]
fn functions_are_refused_with_their_places() {
    for (flow, said) in [
        (
            "- get: '/${base64(secret:none)}'",
            "the secret \"none\" cannot be read",
        ),
        (
            "- get: '/${base64(param:none)}'",
            "the parameter \"none\" is not declared",
        ),
        (
            "- get: '/${base64(nme)}'",
            "9:18: scenarios.s.flow[0].get: unknown variable \"nme\"",
        ),
        (
            "- get: '/${bse64(vu)}'",
            "unknown function \"bse64\"; did you mean \"base64\"?",
        ),
        (
            "- {get: /, name: \"${base64(secret:token)}\"}",
            "cannot stand here",
        ),
        (
            "- {group: \"${base64(secret:token)}\", steps: [{get: /}]}",
            "a secret cannot stand here",
        ),
    ] {
        let message = faults(&with_flow(flow));
        assert!(message.contains(said), "{flow}\n{message}");
        assert!(!message.contains("s3cr3t"), "{message}");
    }
}

#[test]
fn an_open_reference_among_arguments_is_open() {
    let parsed = good(&with_flow(
        "- {get: /, headers: {X-Sign: \"${hmacSha256(secret:open, vu)}\"}}",
    ));
    assert_eq!(parsed.open.len(), 1);
}

#[test]
fn a_schema_is_a_file_of_the_definition() {
    let parsed = good(&with_flow(
        "- {get: /, checks: [body fits schemas/a.json, \"$.x fits 'b c.json'\"]}\n- {if: body fits d.json, steps: [{get: /}]}",
    ));
    assert_eq!(parsed.files, ["b c.json", "d.json", "schemas/a.json"]);
    for (check, said) in [
        ("body fits gone.csv", "the file \"- {get"),
        (
            "body fits ../a.json",
            "the path \"../a.json\" is not one of a file here",
        ),
        ("body fits", "a file is missing"),
        ("header:X fits a.json", "\"fits\" does not fit the subject"),
        ("body schema a.json", "did you mean \"fits\"?"),
    ] {
        let message = faults(&with_flow(&format!("- {{get: /, checks: ['{check}']}}")));
        assert!(
            message.contains(said) || check.contains("gone") && message.contains("does not exist"),
            "{check}\n{message}"
        );
    }
}
