//! Secrets of every kind of place in one run: each arrives where it is meant to, and is in nothing that the run leaves, prints or tells.

use crate::notify::receiver::{Receiver, Request};
use crate::serve::{ADMIN, ask, serve};
use crate::support::*;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// Names of the secrets. Each stands in one place of [`DEFINITION`].
const NAMES: [&str; 14] = [
    "agent", "header", "bearer", "basic", "query", "path", "body", "json", "check", "setup",
    "hook", "sign", "sink", "gauge",
];

/// A failing run: samples of failures are kept, and notifications are sent.
const DEFINITION: &str = r#"
http:
  userAgent: "probe ${secret:agent}"
  headers: { X-Key: "${secret:header}" }
parameters: { query: "${secret:query}" }
setup:
  - { get: /setup, headers: { X-Setup: "${secret:setup}" } }
scenarios:
  one:
    executor: constant-arrival-rate
    rate: 5
    duration: 2s
    preAllocatedVUs: 5
    maxVUs: 20
    flow:
      - { get: /bearer, name: bearer, checks: [status == 201], auth: { bearer: "${secret:bearer}" } }
      - { get: /basic, name: basic, checks: [status == 201], auth: { basic: { username: ann, password: "${secret:basic}" } } }
      - { get: "/p/${secret:path}", name: path, checks: [status == 201], params: { q: "${param:query}" } }
      - { post: /body, name: body, body: "a ${secret:body} b", checks: ['body contains "${secret:check}"'] }
      - { post: /json, name: json, checks: [status == 201], json: { a: ["x ${secret:json}"] } }
thresholds: { checks: [rate>0.99], gauge: [max<1] }
observe:
  gauge: { prometheus: SINK, query: up, interval: 1s, token: "${secret:gauge}" }
export:
  - { to: "influxdb://ann@SINKHOST/k6", password: "${secret:sink}" }
notify:
  - { webhook: "SINK/hook/${secret:hook}", secret: "${secret:sign}", on: [started, failed, inconclusive, errored] }
  - { slack: "http://127.0.0.1:1/${secret:hook}", on: [failed, inconclusive, errored] }
"#;

/// What is looked for: whatever a value is escaped for, this part of it stays.
fn core(name: &str) -> String {
    format!("pl4nted{name}s3cret")
}

/// Values with characters that some form escapes, where the place takes them.
fn value(name: &str) -> String {
    match name {
        "path" => format!("{}'&+", core(name)),
        "query" | "body" | "json" | "basic" => format!("{}\"<&+% '", core(name)),
        _ => core(name),
    }
}

/// The first secret that is found in bytes, plain or in Base64.
fn found(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    NAMES.into_iter().map(core).find(|core| {
        // Three beginnings; the edges depend on what is beside it.
        let coded = (0..3).map(|before| {
            let coded = STANDARD.encode(format!("{}{core}", "x".repeat(before)));
            coded[4..coded.len() - 4].to_owned()
        });
        text.contains(core.as_str()) || coded.into_iter().any(|coded| text.contains(&coded))
    })
}

/// Whether each request that a receiver got has nothing but what is meant for it; all secrets that arrived are noted.
fn arrived(requests: &[Request]) -> Vec<&'static str> {
    let texts: Vec<_> = requests
        .iter()
        .map(|request| format!("{}\n{}", request.head, request.body))
        .collect();
    let basic = STANDARD.encode(format!("ann:{}", value("basic")));
    let sink = STANDARD.encode(format!("ann:{}", value("sink")));
    NAMES
        .into_iter()
        .filter(|name| {
            let core = core(name);
            let sent = |text: &String| match *name {
                "basic" => text.contains(&basic),
                "sink" => text.contains(&core) || text.contains(&sink),
                _ => text.contains(&core),
            };
            texts.iter().any(sent)
        })
        .collect()
}

#[test]
fn secrets_arrive_and_are_in_nothing_else() {
    let (bench, target, sink) = (Bench::new(), Receiver::start(), Receiver::start());
    let secrets = bench.path(".floodgate/secrets/e2e");
    std::fs::create_dir_all(&secrets).unwrap();
    for name in NAMES {
        std::fs::write(secrets.join(name), value(name)).unwrap();
    }
    let host = sink.url().replace("http://", "");
    let definition = DEFINITION
        .replace("SINKHOST", &host)
        .replace("SINK", &sink.url());
    let head = format!(
        "version: 1\nproject: e2e\ntest: secrets\ntarget: {}\n",
        target.url()
    );
    bench.write("test.yaml", &format!("{head}{definition}"));
    let folder = secrets.display();
    let script = format!(
        "export FLOODGATE_SECRETS='{folder}' GITHUB_STEP_SUMMARY=step.md GITHUB_ACTIONS=true"
    );
    let more = [
        "--generators",
        "2",
        "--debug-requests",
        "3",
        "--junit",
        "junit.xml",
        "--markdown",
        "run.md",
    ];
    let args = [
        &["run", "test.yaml"][..],
        &more,
        &[
            "--html",
            "run.html",
            "--openmetrics",
            "run.txt",
            "--badge",
            "run.svg",
        ],
    ];
    let ended = bench.spawn_limited(&script, &args.concat()).end();
    let (requests, told) = (target.take(), sink.take());
    assert!(
        [98, 99].contains(&ended.code().unwrap()),
        "{}",
        ended.stderr()
    );
    let sent = arrived(&requests);
    let to_target = &NAMES[..10];
    let missing: Vec<_> = to_target
        .iter()
        .filter(|name| **name != "check" && !sent.contains(name))
        .collect();
    assert!(
        missing.is_empty(),
        "{missing:?} never arrived: {}",
        ended.stderr()
    );
    assert!(
        sent.iter().all(|name| to_target.contains(name)),
        "{sent:?} at the target"
    );
    let sent = arrived(&told);
    assert_eq!(
        sent,
        ["hook", "sink", "gauge"],
        "at the sinks: {}",
        ended.stderr()
    );
    for request in &told {
        assert_eq!(
            found(request.body.as_bytes()),
            None,
            "told {}",
            request.body
        );
    }

    let id = newest(&bench)["id"].as_str().unwrap().to_owned();
    let export = format!("file:{}/exported.json", bench.path("").display());
    let commands: [&[&str]; 14] = [
        &["show", &id],
        &["show", &id, "--json"],
        &["show", &id, "--failures"],
        &["show", &id, "--failures", "--json"],
        &["runs", "--json"],
        &[
            "report",
            &id,
            "--html",
            "again.html",
            "--markdown",
            "again.md",
        ],
        &["export", &id, "--to", &export],
        &["notify", "list"],
        &["notify", "list", "--json"],
        &["notify", "retry"],
        &["audit", "list"],
        &["trend", "http_reqs", "count"],
        &["validate", "test.yaml"],
        &["inspect", "test.yaml"],
    ];
    for command in commands {
        let ended = bench.spawn_limited(&script, command).end();
        let said = format!("{}{}", ended.stdout(), ended.stderr());
        assert_ne!(ended.code(), Some(104), "{command:?}: {said}");
        assert_eq!(found(said.as_bytes()), None, "{command:?} says {said}");
    }
    let said = format!("{}{}", ended.stdout(), ended.stderr());
    assert!(said.contains("/bearer"), "no request is shown: {said}");
    assert_eq!(found(said.as_bytes()), None, "{said}");
    nothing_is_left(&bench);
    over_the_api(&bench, &id);
}

/// No file but the secrets' own has one of them.
fn nothing_is_left(bench: &Bench) {
    let all = files(&bench.path(""), "");
    let kept: Vec<_> = all
        .iter()
        .filter(|path| !path.to_string_lossy().contains("/.floodgate/secrets/"))
        .collect();
    for name in [
        "junit.xml",
        "run.md",
        "run.html",
        "step.md",
        "again.html",
        "exported.json",
        "failures",
    ] {
        let is_there = kept
            .iter()
            .any(|path| path.to_string_lossy().contains(name));
        assert!(is_there, "{name} is not among {kept:?}");
    }
    for path in kept {
        let bytes = std::fs::read(path).unwrap();
        assert_eq!(found(&bytes), None, "in {}", path.display());
    }
}

/// Nor has anything that the API answers.
fn over_the_api(bench: &Bench, id: &str) {
    let (service, port) = serve(bench, &[]);
    let (_, listed) = ask(
        port,
        ADMIN,
        "GET",
        "/v1/projects/e2e/tests/secrets/versions",
        &Value::Null,
    );
    let version = listed[0]["version"].as_str().unwrap().to_owned();
    for path in [
        format!("executions/{id}"),
        format!("executions/{id}/verdict"),
        format!("executions/{id}/live"),
        "tests/secrets/versions".to_owned(),
        format!("tests/secrets/versions/{version}"),
        "audit".to_owned(),
    ] {
        let path = format!("/v1/projects/e2e/{path}");
        let (status, answer) = ask(port, ADMIN, "GET", &path, &Value::Null);
        assert_eq!(status, 200, "{path}: {answer}");
        assert_eq!(
            found(answer.to_string().as_bytes()),
            None,
            "{path}: {answer}"
        );
    }
    service.signal("TERM");
    service.end().expect(0);
}
