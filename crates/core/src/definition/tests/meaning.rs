//! What a sound definition becomes.

use super::*;
use crate::template::{Part, Template, Variable};
use serde_json::json;
use std::time::Duration;

fn executor(keys: &str) -> Executor {
    good(&with_executor(keys))
        .definition
        .scenarios
        .remove(0)
        .executor
}

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
    assert_eq!(definition.notify[1].on.len(), 5);
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
        "--set n:1:1: \"many\" does not fit the parameter, whose default is a number"
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
fn references_fill_in_and_fall_back() {
    let rate = |text: &str| match executor(&format!(
        "executor: constant-arrival-rate, rate: \"{text}\", duration: 1s, preAllocatedVUs: 1"
    )) {
        Executor::ConstantArrivalRate { rate, .. } => rate,
        other => panic!("{other:?}"),
    };
    assert_eq!(rate("${env:RATE}"), 70);
    assert_eq!(rate("${env:NONE:-30}"), 30);
    assert_eq!(rate("${env:EMPTY:-31}"), 31);
    assert_eq!(rate("1${env:RATE}"), 170);
}

#[test]
fn overrides_change_values_and_parameters() {
    let base = include_str!("../../../../../examples/checkout.yaml");
    let rate = |overrides: &[(&str, &str)]| match &read_with(base, overrides)
        .unwrap()
        .definition
        .scenarios[0]
        .executor
    {
        Executor::ConstantArrivalRate { rate, .. } => *rate,
        other => panic!("{other:?}"),
    };
    assert_eq!(rate(&[]), 50);
    assert_eq!(rate(&[("rate", "7")]), 7, "a parameter");
    assert_eq!(rate(&[("scenarios.browse.rate", "8")]), 8, "a path");
    assert_eq!(rate(&[("rate", "7"), ("rate", "9")]), 9, "the last wins");
    let parsed = read_with(
        base,
        &[
            ("scenarios.browse.flow.0.get", "/other"),
            ("run.max_series", "77"),
            ("http.version", "2"),
            ("scenarios.buy.stages", "[{duration: 5s, target: 3}]"),
            ("http_req_failed", "rate<0.5"),
        ][..4],
    )
    .unwrap();
    assert_eq!(parsed.definition.run.max_series, 77);
    assert_eq!(parsed.definition.http.version, HttpVersion::Http2);
    assert!(
        matches!(&parsed.definition.scenarios[1].executor, Executor::RampingVus { stages, .. } if stages.len() == 1)
    );
    let Step::Request(first) = &parsed.definition.scenarios[0].flow[0] else {
        panic!()
    };
    assert_eq!(first.url.source, "/other");
    let dotted = read_with(
        &with_top("thresholds: {\"http_reqs{name:a.b}\": rate>1}"),
        &[("thresholds.http_reqs{name:a.b}", "rate>2")],
    );
    assert_eq!(
        dotted.unwrap().definition.thresholds[0].expression,
        "rate>2"
    );
    assert_eq!(parsed.normalised["run"]["max_series"], json!(77));
    assert_eq!(
        parsed.normalised["scenarios"]["browse"]["rate"],
        json!("${param:rate}"),
        "references stay"
    );
}

#[test]
fn merge_keys_and_anchors_work() {
    let text = format!(
        "{HEAD}x-base: &base {{executor: constant-vus, vus: 3, duration: 1s, flow: [{{get: /}}]}}\nscenarios:\n  a: {{<<: *base, vus: 5}}\n  b: *base\n"
    );
    let parsed = good(&text);
    let vus: Vec<_> = parsed
        .definition
        .scenarios
        .iter()
        .map(|scenario| match scenario.executor {
            Executor::ConstantVus { vus, .. } => vus,
            ref other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(vus, [5, 3]);
    assert!(parsed.normalised.get("x-base").is_none());
}

#[test]
fn the_version_is_of_the_meaning() {
    let hash = |text: &str| version(&good(text).normalised, []);
    let plain = "version: 1\ntest: t\nengine: k6\nscript: a.js\n";
    assert_eq!(
        hash(plain),
        hash("# a comment\n{version: 1, \"test\": 't', engine: k6,\n script: a.js}")
    );
    assert_ne!(hash(plain), hash(&plain.replace("a.js", "b.js")));
    let value = json!({});
    fn file<'a>(name: &'a str, text: &'a str) -> (&'a str, &'a [u8]) {
        (name, text.as_bytes())
    }
    let both = version(&value, [file("a", "1"), file("b", "2")]);
    assert_eq!(
        both,
        version(&value, [file("b", "2"), file("a", "1")]),
        "the order of files does not matter"
    );
    assert_ne!(both, version(&value, [file("a", "1b2")]));
    assert_eq!(both.len(), 64);
}

#[test]
fn external_engines_need_no_scenarios() {
    let definition = good(include_str!("full-k6.yaml")).definition;
    assert_eq!(
        (definition.engine, definition.script.as_deref()),
        (Engine::K6, Some("load.js"))
    );
    assert_eq!(definition.project, "default");
    let text = "version: 1\ntest: t\nengine: jmeter\nscript: p.jmx\nfiles: [rows.csv]\n\
                parameters: {threads: 5, host: \"${env:HOST}\"}\n";
    let parsed = good(text);
    assert_eq!(parsed.files, ["p.jmx", "rows.csv"]);
    assert_eq!(parsed.definition.script_files, ["rows.csv"]);
    let parameters: Vec<_> = parsed.definition.parameters.into_iter().collect();
    let expected = [("host", "shop.example"), ("threads", "5")];
    assert_eq!(
        parameters,
        expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
}

#[test]
fn a_script_takes_parameters_that_its_definition_does_not_list() {
    let plain = "version: 1\ntest: t\nengine: k6\nscript: load.js\n";
    let of = |text: &str, overrides: &[(&str, &str)]| {
        let parsed = read_with(text, overrides).unwrap();
        let all = parsed.definition.parameters.into_iter();
        all.map(|(name, value)| format!("{name}={value}"))
            .collect::<Vec<_>>()
    };
    // A name with dots is one name; what looks like a path of a key is one only where the key is known.
    let given = [
        ("BASE_URL", "http://127.0.0.1:1"),
        ("my.prop", "007"),
        ("parameters.target", "${env:HOST}"),
        ("hosts", "x"),
    ];
    let all = [
        "BASE_URL=http://127.0.0.1:1",
        "hosts=x",
        "my.prop=007",
        "target=shop.example",
    ];
    assert_eq!(of(plain, &given), all);
    let listed = format!("{plain}parameters: {{users: 5, other: a}}\n");
    assert_eq!(
        of(&listed, &[("users", "6"), ("more", "b")]),
        ["more=b", "other=a", "users=6"]
    );
    // The definition's own keys come first, misspelt ones are told, and the native engine has no script to give parameters to.
    let target = read_with(plain, &[("target", "http://127.0.0.1:2")]).unwrap();
    assert_eq!(
        target.definition.target.as_deref(),
        Some("http://127.0.0.1:2")
    );
    let misspelt = read_with(plain, &[("thersholds.checks", "rate==1")]).unwrap_err();
    assert!(
        misspelt
            .to_string()
            .contains("did you mean \"thresholds\"?"),
        "{misspelt}"
    );
    let native = read_with(&with_top(""), &[("BASE_URL", "x")]).unwrap_err();
    assert!(native.to_string().contains("no parameter and no key"));
}

#[test]
fn a_file_cannot_take_the_place_of_the_definition() {
    let text = "version: 1\ntest: t\nengine: k6\nscript: definition.json\n";
    let faults = read(text).unwrap_err();
    assert_eq!(
        faults.to_string(),
        "d.yaml:4:9: script: \"definition.json\" is the name of a file of ours; call the file otherwise: both are stored in one folder"
    );
}

#[test]
fn what_a_local_run_does_not_heed() {
    let list =
        |text: &str| -> Vec<String> { good(text).local.iter().map(ToString::to_string).collect() };
    let script = "version: 1\ntest: t\nengine: k6\nscript: load.js\nhttp: {insecure: true}\n";
    assert_eq!(
        list(script),
        ["d.yaml:5:1: http: has no effect with an engine that runs a script"]
    );
    let unheeded = list(include_str!("full.yaml"));
    for (line, path) in unheeded.iter().zip([
        "run.tasks",
        "run.cpu",
        "run.memory",
        "run.regions",
        "run.max_cost_usd",
        "notify",
        "contract",
    ]) {
        let says = if path.starts_with("run.") {
            LOCAL_ONLY
        } else {
            "has no effect yet"
        };
        assert!(
            line.ends_with(&format!(": {path}: {says}")),
            "{path}: {line}"
        );
    }
    assert_eq!(unheeded.len(), 7, "{unheeded:#?}");
    assert_eq!(list(&with_flow("- get: http://x/")), [""; 0]);
}

#[test]
fn a_shown_target_has_all_but_secrets_resolved() {
    for (target, shown) in [
        ("http://${env:HOST}/$${x", "http://shop.example/${x"),
        (
            "http://${env:HOST}/${secret:token}",
            "http://shop.example/${secret:token}",
        ),
        ("${param:plain}/${param:hidden}", "http://a/${param:hidden}"),
        ("http://127.0.0.1:1", "http://127.0.0.1:1"),
    ] {
        let text = with_top("parameters: { plain: http://a, hidden: \"${secret:token}\" }");
        let parsed = good(&text.replace("http://127.0.0.1:8080", &format!("\"{target}\"")));
        assert_eq!(parsed.shown_target.as_deref(), Some(shown));
    }
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
}

#[test]
fn warnings_do_not_stop() {
    let parsed = good(&format!(
        "parameters: {{unused: 1}}\n{}",
        with_top("http: {insecure: true, ca: a.pem, timeout: 1s, connectTimeout: 2s}")
    ));
    let warnings: Vec<_> = parsed.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(warnings.len(), 3, "{warnings:#?}");
    assert!(
        warnings[0].starts_with("d.yaml:1:14: parameters.unused: the parameter is never used"),
        "{}",
        warnings[0]
    );
}

#[test]
fn references_are_found_as_they_are_resolved() {
    let definition = json!({
        "target": "${env:ONE}x${env:TWO:-d}",
        "scenarios": [{"${env:KEY}": "$${env:NO} ${secret:a/b} ${env:ONE} ${vu} ${param:p}"}],
        "parameters": {"p": "${secret:arn:aws:x}"},
        "broken": "${env:OPEN",
        "x-notes": "${env:UNREAD}",
    });
    let found = References::of(&definition);
    assert_eq!(found.env.into_iter().collect::<Vec<_>>(), ["ONE", "TWO"]);
    // A default makes it optional.
    assert_eq!(found.required_env.into_iter().collect::<Vec<_>>(), ["ONE"]);
    assert_eq!(
        found.secrets.into_iter().collect::<Vec<_>>(),
        ["a/b", "arn:aws:x"]
    );
}
