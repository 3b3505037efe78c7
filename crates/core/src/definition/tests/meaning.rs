//! What a sound definition becomes.

use super::*;
use crate::template::{Part, Template, Variable};
use serde_json::json;
use std::time::Duration;

fn request(flow: &str) -> RequestStep {
    let step = good(&with_flow(flow))
        .definition
        .scenarios
        .remove(0)
        .flow
        .pop()
        .unwrap();
    let Step::Request(request) = step else {
        panic!("{step:?}")
    };
    *request
}

const S: fn(u64) -> Duration = Duration::from_secs;

#[test]
fn executors_have_k6s_defaults() {
    assert_eq!(
        executor("executor: shared-iterations"),
        Executor::SharedIterations {
            vus: 1,
            iterations: 1,
            max_duration: S(600)
        }
    );
    assert_eq!(
        executor("executor: per-vu-iterations, vus: 3"),
        Executor::PerVuIterations {
            vus: 3,
            iterations: 1,
            max_duration: S(600)
        }
    );
    assert_eq!(
        executor("executor: constant-vus, duration: 1m30s"),
        Executor::ConstantVus {
            vus: 1,
            duration: S(90)
        }
    );
    assert_eq!(
        executor(
            "executor: ramping-vus, stages: [{duration: 0, target: 2}, {duration: 5000, target: 0}]"
        ),
        Executor::RampingVus {
            start_vus: 1,
            stages: vec![
                Stage {
                    duration: S(0),
                    target: 2
                },
                Stage {
                    duration: S(5),
                    target: 0
                }
            ],
            graceful_ramp_down: S(30),
        }
    );
    assert_eq!(
        executor("executor: constant-arrival-rate, rate: 5, duration: 2s, preAllocatedVUs: 7"),
        Executor::ConstantArrivalRate {
            rate: 5,
            time_unit: S(1),
            duration: S(2),
            pre_allocated_vus: 7,
            max_vus: 7,
            max_lateness: S(10),
        }
    );
    assert_eq!(
        executor(
            "executor: ramping-arrival-rate, timeUnit: 1m, stages: [{duration: 1s, target: 2}], preAllocatedVUs: 0, maxVUs: 9"
        ),
        Executor::RampingArrivalRate {
            start_rate: 0,
            time_unit: S(60),
            stages: vec![Stage {
                duration: S(1),
                target: 2
            }],
            pre_allocated_vus: 0,
            max_vus: 9,
            max_lateness: S(10),
        }
    );
    let scenario = good(&with_executor(
        "executor: constant-vus, duration: 1s, startTime: 250",
    ))
    .definition
    .scenarios
    .remove(0);
    assert_eq!(scenario.start_time, Duration::from_millis(250));
    assert_eq!(scenario.graceful_stop, S(30));
}

#[test]
fn requests_take_every_part() {
    let parsed = good(include_str!("full.yaml"));
    let definition = &parsed.definition;
    assert_eq!(
        definition.target.as_deref(),
        Some("http://shop.example/base")
    );
    assert_eq!(
        parsed.files,
        [
            "api/openapi.yaml",
            "body.bin",
            "items.jsonl",
            "pictures/a.png",
            "tls/ca.pem",
            "tls/cert.pem",
            "tls/key.pem",
            "users.csv"
        ]
    );
    let flow = &definition.scenarios[0].flow;
    let Step::Request(first) = &flow[0] else {
        panic!()
    };
    assert_eq!((first.method.as_str(), first.name.as_str()), ("GET", "one"));
    assert_eq!(first.expected_statuses, [(200, 200), (300, 399)]);
    assert_eq!(
        first
            .params
            .iter()
            .map(|(k, _)| k.as_str())
            .collect::<Vec<_>>(),
        ["q", "q", "n"]
    );
    assert_eq!(first.extract.len(), 4);
    assert_eq!(
        first.auth,
        Some(Auth::Bearer(Template {
            source: "${secret:token}".into(),
            ..Template::literal("s3cr3t")
        }))
    );
    let Step::Request(purge) = &flow[7] else {
        panic!()
    };
    assert_eq!(purge.method, "PURGE");
    let Body::Multipart(parts) = &purge.body else {
        panic!()
    };
    assert_eq!(
        parts[1].content,
        PartContent::File {
            path: "pictures/a.png".into(),
            file_name: "b.png".into()
        }
    );
    assert!(matches!(&flow[8], Step::Group { name, steps } if name == "outer" && steps.len() == 3));
    assert_eq!(definition.http.headers.len(), 3);
    assert_eq!(definition.scenarios[0].http.version, HttpVersion::Http1);
    assert_eq!(definition.scenarios[0].http.timeout, S(10), "inherited");
    assert_eq!(definition.http.max_body_bytes, 1 << 20);
    assert_eq!(definition.run.memory, 5_120);
    let Channel::Webhook { secrets, .. } = &definition.notify[0].channel else {
        panic!("{:?}", definition.notify);
    };
    assert_eq!(secrets.len(), 2);
    assert_eq!(definition.notify[0].on[0], Event::Started);
    assert_eq!(definition.notify[1].on.len(), 6);
    let Channel::Email(email) = &definition.notify[4].channel else {
        panic!("{:?}", definition.notify);
    };
    assert_eq!((email.to.len(), email.smtp.is_some()), (2, true));
    assert!(matches!(&definition.notify[5].channel, Channel::Email(email) if email.smtp.is_none()));
    assert!(definition.thresholds[2].abort_on_fail);
}

#[test]
fn json_bodies_keep_types() {
    let text = "- set: {r: x}\n- {post: /, json: {n: 5, f: 1.50, s: \"5\", t: true, z: null, v: \"${vu}\", m: \"a ${r}\", p: \"$${x}\", l: [1, \"${r}\"], e: \"${env:RATE}\"}}";
    let Body::Json(JsonTemplate::Object(fields)) = request(text).body else {
        panic!()
    };
    let field = |name: &str| {
        fields
            .iter()
            .find(|(key, _)| key == name)
            .unwrap()
            .1
            .clone()
    };
    assert_eq!(field("n"), JsonTemplate::Number("5".into()));
    assert_eq!(field("f"), JsonTemplate::Number("1.50".into()));
    assert_eq!(field("s"), JsonTemplate::Literal(json!("5")));
    assert_eq!(field("t"), JsonTemplate::Literal(json!(true)));
    assert_eq!(field("z"), JsonTemplate::Literal(json!(null)));
    assert_eq!(field("p"), JsonTemplate::Literal(json!("${x}")));
    assert_eq!(
        field("e"),
        JsonTemplate::Literal(json!("70")),
        "the environment is text"
    );
    assert_eq!(
        field("v"),
        JsonTemplate::String(Template {
            parts: vec![Part::Variable(Variable::Vu)],
            source: "${vu}".into()
        })
    );
    assert!(matches!(field("m"), JsonTemplate::String(template) if template.parts.len() == 2));
    assert!(matches!(field("l"), JsonTemplate::Array(items) if items.len() == 2));
}

/// What the requests of a definition send as JSON and ask for, from its text and again from what is stored of it.
fn json_and_urls(text: &str) -> (String, Vec<String>) {
    let parsed = good(text);
    let said = |definition: &Definition| {
        let Step::Request(request) = &definition.scenarios[0].flow[0] else {
            panic!()
        };
        (
            format!("{:?}", request.body),
            vec![request.url.as_literal().unwrap_or_default().to_owned()],
        )
    };
    let stored = good(&parsed.normalised.to_string());
    assert_eq!(stored.normalised, parsed.normalised);
    assert_eq!(stored.definition, parsed.definition);
    said(&parsed.definition)
}

#[test]
fn numbers_are_the_digits_that_stand_there() {
    let numbers = [
        "1.10",
        "1.0",
        "9223372036854775808",
        "-9223372036854775809",
        "0.1234567890123456789",
        "123456789012345.678901",
        "340282366920938463463374607431768211456",
        "1e999",
        "1E+3",
        "-0",
        "0",
    ];
    for number in numbers {
        let text = with_flow(&format!("- {{post: /, json: {{a: {number}}}}}"));
        let (body, _) = json_and_urls(&text);
        assert!(
            body.contains(&format!("Number(\"{number}\")")),
            "{number}: {body}"
        );
    }
    // What only YAML can write is the same number in JSON's grammar.
    for (number, sent) in [
        ("+1", "1"),
        (".5", "0.5"),
        ("5.", "5"),
        ("0x1F", "31"),
        ("0o17", "15"),
    ] {
        let text = with_flow(&format!("- {{post: /, json: [{number}]}}"));
        let (body, _) = json_and_urls(&text);
        assert!(
            body.contains(&format!("Number(\"{sent}\")")),
            "{number}: {body}"
        );
    }
    for number in ["01234", "-007", "00.5", ".inf", ".nan"] {
        let message = faults(&with_flow(&format!("- {{post: /, json: [{number}]}}")));
        assert!(
            message.contains(&format!("JSON has no number {number}; put it into quotes")),
            "{message}"
        );
    }
}

#[test]
fn parameters_are_the_text_that_stands_there() {
    let text = format!(
        "parameters: {{zip: 01234, ver: 1.10, big: 123456789012345678901234567890, hex: 0x1F, e: 1e3}}\n{}",
        with_flow(
            "- {post: \"/${param:zip}/${param:ver}/${param:big}/${param:hex}/${param:e}\", json: [\"${param:zip}\", \"${param:ver}\", \"${param:hex}\"]}"
        )
    );
    let (body, urls) = json_and_urls(&text);
    assert_eq!(
        urls,
        ["/01234/1.10/123456789012345678901234567890/0x1F/1e3"]
    );
    assert!(
        body.contains("[Literal(String(\"01234\")), Number(\"1.10\"), Number(\"31\")]"),
        "{body}"
    );
    let parameters = read_with(&text, &[("zip", "09999"), ("ver", "2.50")]).unwrap();
    let again = good(&parameters.normalised.to_string())
        .definition
        .parameters;
    assert_eq!(again, parameters.definition.parameters);
    assert_eq!((&again["zip"][..], &again["ver"][..]), ("09999", "2.50"));
}

#[test]
fn parameters_keep_the_type_of_their_default_in_json() {
    let text = format!(
        "parameters: {{n: 5, zip: \"01234\"}}\n{}",
        with_flow("- {post: /, json: [\"${param:n}\", \"${param:zip}\"]}")
    );
    for (sets, expected) in [
        (vec![], json!([5, "01234"])),
        (vec![("n", "7"), ("zip", "9")], json!([7, "9"])),
    ] {
        let definition = read_with(&text, &sets).unwrap().definition;
        let Step::Request(request) = &definition.scenarios[0].flow[0] else {
            panic!()
        };
        let Body::Json(JsonTemplate::Array(items)) = &request.body else {
            panic!()
        };
        let items: Vec<_> = items
            .iter()
            .map(|item| match item {
                JsonTemplate::Literal(value) => value.clone(),
                JsonTemplate::Number(digits) => digits.parse().unwrap(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(json!(items), expected);
    }
    let message = read_with(&text, &[("n", "many")]).unwrap_err().to_string();
    assert_eq!(
        message,
        "--set n:1:1: \"many\" is not a number, as the parameter's default is"
    );
}

#[test]
fn names_default_to_the_url_as_written() {
    let request = request("- set: {id: x}\n- {get: \"/o/${id}?k=${secret:token}\"}");
    assert_eq!(
        request.name, "/o/${id}?k=${secret:token}",
        "a variable makes no new series, a secret no tag"
    );
    assert_eq!(request.url.parts[0], Part::Literal("/o/".into()));
}

#[test]
fn a_step_is_not_named_by_credentials() {
    let step = request("- get: http://ann:s3cr3t@127.0.0.1:8080/a");
    assert_eq!(step.name, "http://***@127.0.0.1:8080/a");
    assert_eq!(step.url.source, "http://ann:s3cr3t@127.0.0.1:8080/a");
}

#[test]
fn fargate_has_no_task_of_a_quarter_cpu_with_a_gigabyte_and_a_half() {
    for memory in [512, 1_024, 2_048] {
        good(&with_top(&format!("run: {{cpu: 256, memory: {memory}}}")));
    }
    let faults = faults(&with_top("run: {cpu: 256, memory: 1536}"));
    assert!(
        faults.contains("512 MiB, or 1024 to 2048 in steps of 1024"),
        "{faults}"
    );
    // What is past the bounds of its key is one fault.
    for size in ["cpu: 100", "memory: 100", "memory: x"] {
        let faults = self::faults(&with_top(&format!("run: {{{size}}}")));
        assert_eq!(faults.lines().count(), 1, "{faults}");
    }
}
