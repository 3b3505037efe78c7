//! References whose values are known only where the test runs.

use super::*;
use crate::template::{Part, Variable};

fn open(text: &str) -> Vec<String> {
    good(text).open.iter().map(ToString::to_string).collect()
}

#[test]
fn an_open_value_is_of_the_type_that_its_place_wants() {
    for key in [
        "http: {version: \"${env:OPEN}\"}",
        "http: {connections: \"${env:OPEN}\"}",
        "http: {keepAlive: \"${env:OPEN}\"}",
        "http: {timeout: \"${env:OPEN}\", connectTimeout: 2m}",
        "http: {timeout: \"${env:OPEN}s\"}",
        "http: {maxRedirects: \"${env:OPEN}\"}",
        "http: {maxBody: \"${env:OPEN}MiB\"}",
        "http: {acceptEncoding: [\"${env:OPEN}\"]}",
        "http: {tlsResumption: \"${env:OPEN}\"}",
        "http: {ca: \"${env:OPEN}\"}",
        "http: {cert: \"${env:OPEN}\", key: k.pem}",
        "http: {cert: c.pem, key: \"${env:OPEN}\"}",
        "http: {proxy: \"${env:OPEN}\"}",
        "http: {hosts: {a: \"${env:OPEN}\"}}",
        "http: {unixSocket: \"${env:OPEN}\"}",
        "http: {auth: {bearer: \"a ${env:OPEN}\"}, headers: {x: [\"${env:OPEN}\"]}}",
        "project: \"${env:OPEN}\"",
        "tags: {a: \"${env:OPEN}\"}",
        "data: [{file: \"${env:OPEN}\", name: users}]",
        "data: [{file: a.csv, format: \"${env:OPEN}\", mode: \"${env:OPEN}\"}]",
        "thresholds: {http_reqs: \"count>${env:OPEN}\"}",
        "thresholds: {http_reqs: [{threshold: count>5, abortOnFail: \"${env:OPEN}\", delayAbortEval: \"${env:OPEN}\"}]}",
        "baseline: {compare: \"${env:OPEN}\", tolerance: \"${env:OPEN}\", metrics: [\"${env:OPEN}\"]}",
        "run: {tasks: \"${env:OPEN}\", max_duration: \"${env:OPEN}\", max_series: \"${env:OPEN}\"}",
        "run: {cpu: \"${env:OPEN}\", memory: 16384, tolerance: \"${env:OPEN}\"}",
        "run: {max_cost_usd: \"${env:OPEN}\", regions: [{region: \"${env:OPEN}\", weight: \"${env:OPEN}\"}]}",
        "notify: [{slack: \"${env:OPEN}\", on: [\"${env:OPEN}\"]}, {sns: \"${env:OPEN}\"}]",
        "contract: {openapi: \"${env:OPEN}\"}",
    ] {
        assert_eq!(open(&with_top(key)), ["${env:OPEN}"], "{key}");
    }
    for keys in [
        "executor: constant-vus, vus: \"${env:OPEN}\", duration: \"${env:OPEN}\"",
        "executor: shared-iterations, vus: 10, iterations: \"${env:OPEN}\"",
        "executor: shared-iterations, vus: \"${env:OPEN}\", iterations: 5, maxDuration: \"${env:OPEN}\"",
        "executor: ramping-vus, startVUs: 0, stages: [{duration: \"${env:OPEN}\", target: \"${env:OPEN}\"}]",
        "executor: constant-arrival-rate, rate: \"${env:OPEN}\", duration: 1s, preAllocatedVUs: \"${env:OPEN}\", maxVUs: 5",
        "executor: constant-arrival-rate, rate: \"${env:OPEN}/s\", duration: 1s, preAllocatedVUs: 5, maxVUs: \"${env:OPEN}\"",
        "executor: ramping-arrival-rate, startRate: \"${env:OPEN}\", timeUnit: \"${env:OPEN}\", stages: [{duration: 1s, target: \"${env:OPEN}\"}], preAllocatedVUs: 1",
        "executor: constant-vus, duration: 1s, startTime: \"${env:OPEN}\", gracefulStop: \"${env:OPEN}\", tags: {a: \"${env:OPEN}\"}",
    ] {
        let parsed = good(&with_executor(keys));
        assert_eq!(parsed.open.len(), 1, "{keys}");
        assert_eq!(parsed.definition.scenarios.len(), 1, "{keys}");
    }
    for step in [
        "- {get: \"${env:OPEN}\"}",
        "- {get: \"/a/${env:OPEN}\", name: \"${env:OPEN}\", timeout: \"${env:OPEN}\", maxRedirects: \"${env:OPEN}\"}",
        "- {post: /, file: \"${env:OPEN}\"}",
        "- {post: /, multipart: [{name: a, file: \"${env:OPEN}\"}]}",
        "- {post: /, json: {a: \"${env:OPEN}\"}}",
        "- {get: /, expect: \"${env:OPEN}\", checks: [\"status == ${env:OPEN}\"], extract: {a: \"${env:OPEN}\"}, onMissing: \"${env:OPEN}\"}\n- {get: \"/${a}\"}",
        "- think: \"${env:OPEN}\"",
        "- {group: \"${env:OPEN}\", steps: [{get: /}]}",
    ] {
        assert_eq!(open(&with_flow(step)), ["${env:OPEN}"], "{step}");
    }
}

#[test]
fn what_is_known_and_what_may_not_be_open_are_faults_beside_an_open_value() {
    let text = |target: &str, rate: &str| {
        with_executor(&format!(
            "executor: constant-arrival-rate, rate: \"{rate}\", duration: 1s, preAllocatedVUs: 1"
        ))
        .replace("http://127.0.0.1:8080", target)
    };
    for (target, rate, said) in [
        ("${env:RATE}", "5", "does not begin with http://"),
        ("${env:CLOSED}", "5", "\"CLOSED\" is not set"),
        ("${secret:gone}", "5", "\"gone\" cannot be read"),
        ("${secret:open}", "often", "\"often\" is not a valid rate"),
    ] {
        let message = faults(&text(target, rate));
        assert!(message.contains(said), "{message}");
        assert_eq!(message.lines().count(), 1, "{message}");
    }
    // A default comes before it is left open, wherever else the variable has none.
    let parsed = good(&text("http://${env:OPEN}", "${env:OPEN:-7}"));
    assert!(matches!(
        parsed.definition.scenarios[0].executor,
        Executor::ConstantArrivalRate { rate: 7, .. }
    ));
    assert!(faults(&text("http://${env:OPEN}", "${env:OPEN:-x}")).contains("is not a valid rate"));
}

#[test]
fn an_open_secret_is_a_secret() {
    for key in [
        "tags: {a: \"${secret:open}\"}",
        "thresholds: {http_reqs: \"count>${secret:open}\"}",
        "project: \"${secret:open}\"",
        "parameters: {p: \"${secret:open}\"}\ntags: {a: \"${param:p}\"}",
    ] {
        let message = faults(&with_top(key));
        assert!(message.contains("a secret cannot stand here"), "{message}");
    }
}

#[test]
fn what_decides_how_the_rest_is_read_cannot_be_open() {
    for text in [
        with_executor("executor: \"${env:OPEN}\", duration: 1s"),
        with_top("engine: \"${env:OPEN}\""),
        "version: 1\ntest: t\nengine: k6\nscript: \"${env:OPEN}\"\n".to_owned(),
    ] {
        let message = faults(&text);
        assert!(
            message.contains("what \"${env:OPEN}\" stands for must be known here"),
            "{message}"
        );
        assert_eq!(message.lines().count(), 1, "{message}");
    }
}

#[test]
fn a_host_that_is_known_stays_and_one_that_is_open_has_no_name() {
    let target = |target: &str| {
        let text = with_top("").replace("http://127.0.0.1:8080", target);
        good(&text).definition.target.unwrap()
    };
    assert_eq!(target("${secret:open}"), OPEN_TARGET);
    assert_eq!(target("https://${env:OPEN}/a"), OPEN_TARGET);
    assert_eq!(target("https://shop.${env:OPEN}"), OPEN_TARGET);
    assert_eq!(target("https://[${env:OPEN}]:1/a"), OPEN_TARGET);
    assert_eq!(target("http://a/${env:OPEN}"), "http://a/${env:OPEN}");
    // In a URL an open part is what a variable is.
    let parsed = good(&with_flow("- {get: \"https://${env:OPEN}/${vu}\"}"));
    let Step::Request(request) = &parsed.definition.scenarios[0].flow[0] else {
        panic!()
    };
    assert_eq!(
        request.url.parts,
        [
            Part::Literal("https://".into()),
            Part::Variable(Variable::Open("${env:OPEN}".into())),
            Part::Literal("/".into()),
            Part::Variable(Variable::Vu),
        ]
    );
    assert_eq!(request.name, "https://${env:OPEN}/${vu}");
}

#[test]
fn an_open_parameter_is_open_wherever_it_stands() {
    let text = format!(
        "parameters: {{rate: \"${{env:OPEN}}\", url: \"http://${{env:OPEN_TOO}}\"}}\n{}",
        with_executor(
            "executor: constant-arrival-rate, rate: \"${param:rate}\", duration: 1s, preAllocatedVUs: 1"
        )
        .replace("http://127.0.0.1:8080", "${param:url}")
    );
    let parsed = good(&text);
    assert_eq!(parsed.open.len(), 2);
    assert_eq!(parsed.shown_target.as_deref(), Some("${param:url}"));
    assert_eq!(parsed.definition.parameters["rate"], "${env:OPEN}");
}

#[test]
fn a_reference_that_is_left_open_has_a_place() {
    let text = with_flow(
        "- {get: /, headers: {a: \"${env:OPEN_A}\", b: \"${env:OPEN_A}${secret:open-b}\"}}",
    );
    let unset: Vec<_> = good(&text).unset.iter().map(ToString::to_string).collect();
    assert_eq!(
        unset,
        [
            "d.yaml:9:31: scenarios.s.flow[0].headers.a: ${env:OPEN_A} has no value here: it is checked where the test runs",
            "d.yaml:9:51: scenarios.s.flow[0].headers.b: ${secret:open-b} has no value here: it is checked where the test runs",
        ]
    );
}
