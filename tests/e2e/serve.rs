//! `floodgate serve`: runs that somebody starts over HTTP, in whose name, and with what of the machine.

use crate::support::*;
use floodgate_testserver::{Config, TestServer};
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;

/// The program that asks an API whatever its description allows. `cargo xtask test` sets it.
const SCHEMATHESIS: &str = "FLOODGATE_SCHEMATHESIS";
/// Their SHA-256 stands in [`TOKENS`].
pub const TESTER: &str = "a-token-of-a-tester-0123456789";
pub const ADMIN: &str = "a-token-of-an-admin-0123456789";
const TOKENS: &str = r#"{"tokens": [
  {"principal": "ci", "sha256": "TESTER", "projects": {"e2e": "tester"}},
  {"principal": "lead", "sha256": "ADMIN", "projects": {"e2e": "admin"}}
]}"#;

/// The service, and its port.
pub fn serve(bench: &Bench, more: &[&str]) -> (Running, u16) {
    let digest = |token: &str| {
        let command = format!("printf %s {token} | sha256sum");
        let said = Command::new("sh").args(["-c", &command]).output().unwrap();
        String::from_utf8(said.stdout).unwrap()[..64].to_owned()
    };
    let tokens = TOKENS
        .replace("TESTER", &digest(TESTER))
        .replace("ADMIN", &digest(ADMIN));
    bench.write("tokens.json", &tokens);
    let listen = [
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--tokens",
        "tokens.json",
    ];
    // Of one that has served here before.
    let _ = std::fs::remove_file(bench.path("address.txt"));
    let setting = "export HIDDEN=hunter2 FLOODGATE_SECRET_KEY=hunter2; exec > address.txt";
    let running = bench.spawn_limited(setting, &[&listen, more].concat());
    let mut address = String::new();
    eventually("the address", || {
        address = std::fs::read_to_string(bench.path("address.txt")).unwrap_or_default();
        address.ends_with('\n')
    });
    let port = address.trim().rsplit(':').next().unwrap().parse().unwrap();
    (running, port)
}

/// A time in so many seconds, as expressions have it.
pub fn in_seconds(seconds: u32) -> String {
    let ahead = format!("+{seconds} seconds");
    let arguments = ["-u", "-d", &ahead, "+at(%Y-%m-%dT%H:%M:%S)"];
    let said = Command::new("date").args(arguments).output().unwrap();
    String::from_utf8(said.stdout).unwrap().trim().to_owned()
}

/// The status and the body of an answer.
pub fn ask(port: u16, token: &str, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let body = match body {
        Value::Null => String::new(),
        body => body.to_string(),
    };
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (
        head[9..12].parse().unwrap(),
        serde_json::from_str(body).unwrap_or_default(),
    )
}

#[test]
fn nobody_is_served_who_cannot_be_told_from_another() {
    let bench = Bench::new();
    for listen in ["127.0.0.1:0", "0.0.0.0:0", "[::]:0"] {
        bench
            .floodgate(&["serve", "--listen", listen])
            .refused("--tokens or --oidc");
    }
    bench.write("tokens.json", "{}");
    bench
        .floodgate(&["serve", "--tokens", "tokens.json"])
        .refused("tokens.json: missing field");
}

#[test]
fn a_run_is_started_and_judged_over_http_in_the_name_of_the_token() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    let (running, port) = serve(&bench, &[]);
    let runs = "/v1/projects/e2e/executions";
    let definition = arrivals(
        "${env:TARGET}",
        20,
        "1s",
        "thresholds:\n  http_reqs: [count>0]\n",
    );
    let body = json!({
        "definition": definition, "environment": {"TARGET": target.url()}, "parameters": {"scenarios.one.rate": "30"}, "commit": "c0ffee"
    });
    let (status, started) = ask(port, TESTER, "POST", runs, &body);
    assert_eq!(status, 201, "{started}");
    let id = started["execution"].as_str().unwrap().to_owned();
    // One at a time, unless it is told otherwise.
    let (status, busy) = ask(port, TESTER, "POST", runs, &body);
    assert!(
        status == 409 && busy["detail"].as_str().unwrap().contains("--max-runs"),
        "{busy}"
    );
    let path = started["verdict"].as_str().unwrap();
    let mut verdict = Value::Null;
    eventually("the verdict", || {
        verdict = ask(
            port,
            TESTER,
            "GET",
            &format!("{path}?wait=30s"),
            &Value::Null,
        )
        .1;
        verdict["is_final"] == true
    });
    assert_eq!(
        (&verdict["status"], &verdict["exit_code"]),
        (&json!("passed"), &json!(0)),
        "{verdict}"
    );
    assert_eq!(
        (&verdict["principal"], &verdict["principal_is"]),
        (&json!("ci"), &json!("verified"))
    );
    assert_eq!(target.counters().requests(), 30);
    // The same test again, from what is on record; with what it was given then.
    let again = json!({"test": "arrivals", "environment": {"TARGET": target.url()}});
    let mut started = (0, Value::Null);
    eventually("the place of the first run", || {
        started = ask(port, TESTER, "POST", runs, &again);
        started.0 != 409
    });
    assert_eq!(started.0, 201, "{}", started.1);
    let second = started.1["execution"].as_str().unwrap().to_owned();
    eventually("the second verdict", || {
        let path = format!("{runs}/{second}/verdict?wait=30s");
        ask(port, TESTER, "GET", &path, &Value::Null).1["passed"] == true
    });
    let pin = json!({ "execution": id });
    let baseline = "/v1/projects/e2e/tests/arrivals/baseline";
    assert_eq!(ask(port, TESTER, "PUT", baseline, &pin).0, 403);
    assert_eq!(ask(port, ADMIN, "PUT", baseline, &pin).0, 200);
    running.signal("TERM");
    running.end().expect(0);
    let trail = bench
        .floodgate(&["audit", "list", "--project", "e2e"])
        .expect(0)
        .stdout();
    assert!(
        trail.contains("ci (proven): started") && trail.contains("lead (proven): baseline"),
        "{trail}"
    );
    bench.floodgate(&["audit", "verify"]).expect(0);
}

#[test]
fn a_definition_from_elsewhere_gets_nothing_of_the_machine() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    let secrets = bench.path(".floodgate/secrets");
    std::fs::create_dir_all(secrets.join("other")).unwrap();
    std::fs::write(secrets.join("key"), "hunter2").unwrap();
    std::fs::write(secrets.join("other/key"), "hunter2").unwrap();
    let (running, port) = serve(&bench, &[]);
    let runs = "/v1/projects/e2e/executions";
    let good = arrivals(&target.url(), 20, "1s", "");
    let header = |value: &str| {
        good.replace(
            "- get: /",
            &format!("- get: /\n        headers: {{x: \"{value}\"}}"),
        )
    };
    for (definition, said) in [
        (header("${env:HIDDEN}"), "HIDDEN"),
        (header("${secret:key}"), "secrets/e2e/key of the service"),
        (
            good.replace("project: e2e", "project: other"),
            "asked for in e2e",
        ),
        ("nonsense".to_owned(), "definition.json"),
        (
            "version: 1\nproject: e2e\ntest: t\nscript: ../../etc/passwd\n".to_owned(),
            "script",
        ),
    ] {
        let body = json!({ "definition": definition });
        let (status, told) = ask(port, TESTER, "POST", runs, &body);
        let told = told["detail"].as_str().unwrap_or_default();
        assert_eq!(status, 422, "{definition}: {told}");
        assert!(told.contains(said) && !told.contains("hunter2"), "{told}");
        // Neither what callers cannot do nor where the service lies.
        for own in ["FLOODGATE_SECRET", bench.path("").to_str().unwrap()] {
            assert!(!told.contains(own), "{told}");
        }
    }
    for name in ["LD_PRELOAD", "FLOODGATE_OUT", "PATH"] {
        let body = json!({"definition": good, "environment": {name: "x"}});
        assert_eq!(ask(port, TESTER, "POST", runs, &body).0, 422, "{name}");
    }
    assert_eq!(target.counters().requests(), 0);
    // Secrets of the project itself are there to be used.
    std::fs::create_dir(secrets.join("e2e")).unwrap();
    std::fs::write(secrets.join("e2e/key"), "of-e2e").unwrap();
    let body = json!({"definition": header("${secret:key}")});
    let (status, started) = ask(port, TESTER, "POST", runs, &body);
    assert_eq!(status, 201, "{started}");
    let id = started["execution"].as_str().unwrap();
    let path = format!("{runs}/{id}/abort");
    assert_eq!(ask(port, TESTER, "POST", &path, &Value::Null).0, 202);
    eventually("its end", || {
        let path = format!("{runs}/{id}/verdict?wait=30s");
        ask(port, TESTER, "GET", &path, &Value::Null).1["is_final"] == true
    });
    running.signal("INT");
    running.end().expect(0);
}

#[test]
fn a_run_from_elsewhere_touches_no_file_and_no_port_of_the_machine() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    let (running, port) = serve(&bench, &[]);
    let runs = "/v1/projects/e2e/executions";
    let plain = arrivals(&target.url(), 20, "1s", "");
    let trail = bench.path(".floodgate/.records/e2e/audit.jsonl");
    let sink = format!("file:{}?format=jsonl", trail.display());
    let (tokens, before) = (bench.path("tokens.json"), TOKENS.len());
    let refused = |body: Value, said: &str| {
        let (status, told) = ask(port, TESTER, "POST", runs, &body);
        let told = told["detail"].as_str().unwrap_or_default().to_owned();
        assert!(status == 422 && told.contains(said), "{body}: {told}");
    };
    let with = |keys: &str| json!({"definition": format!("{plain}{keys}\n")});
    for (keys, said) in [
        (format!("export: [\"{sink}\"]"), "export[0]: file:/"),
        (
            format!("export: [\"FILE://{}?format=csv\"]", tokens.display()),
            "writes no file of the service's machine; take it out",
        ),
        ("export: [metrics://127.0.0.1:0]".into(), "opens no port"),
        (
            "export: [\"postgres://h/db?sslmode=require&sslrootcert=/etc/passwd\"]".into(),
            "reads no file",
        ),
        (
            "export: [\"postgres://h/db?sslmode=require&sslroot%63ert=/etc/passwd\"]".into(),
            "has no option",
        ),
        (
            "http: {unixSocket: /run/docker.sock}".into(),
            "http.unixSocket: \"/run/docker.sock\" is a socket",
        ),
        ("http: {ca: ../order.json}".into(), "out of the definition"),
        (
            "http: {ca: order.json}".into(),
            "a definition that is sent has no files",
        ),
        ("data: [{name: a, file: .env}]".into(), "does not exist"),
    ] {
        refused(with(&keys), said);
    }
    // However it comes there.
    let mut body = with("export: [\"${env:SINK}\"]");
    body["environment"] = json!({ "SINK": sink });
    refused(body, "writes no file");
    let mut body = with("");
    body["parameters"] = json!({ "export": format!("[\"{sink}\"]") });
    refused(body, "writes no file");
    let own = "scenarios.one.http";
    let mut body = with("");
    body["parameters"] = json!({ own: "{unixSocket: /run/docker.sock}" });
    refused(body, "scenarios.one.http.unixSocket");
    // On the command line it may, and what is on record since may not be started from elsewhere.
    let sinking = format!(
        "{plain}export: [\"file:{}\"]\n",
        bench.path("own.csv").display()
    );
    bench.write("sinking.yaml", &sinking);
    bench.floodgate(&["run", "sinking.yaml"]).expect(0);
    assert!(bench.path("own.csv").exists());
    std::fs::remove_file(bench.path("own.csv")).unwrap();
    refused(json!({"test": "arrivals"}), "writes no file");
    let schedule = json!({"test": "arrivals", "expression": in_seconds(2)});
    let path = "/v1/projects/e2e/schedules/soon";
    assert_eq!(ask(port, ADMIN, "PUT", path, &schedule).0, 200);
    let mut why = String::new();
    eventually("its first time", || {
        let shown = ask(port, ADMIN, "GET", path, &Value::Null).1;
        why = shown["last"][0]["why"].as_str().unwrap_or_default().into();
        !why.is_empty()
    });
    assert!(why.contains("writes no file"), "{why}");
    assert!(!bench.path("own.csv").exists());
    assert_eq!(
        target.counters().requests(),
        20,
        "those of the command line"
    );
    assert!(std::fs::read(&tokens).unwrap().len() > before);
    running.signal("TERM");
    running.end().expect(0);
    bench.floodgate(&["audit", "verify"]).expect(0);
}

#[test]
fn load_goes_only_where_the_project_may_send_it() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    let list =
        |projects: Value| bench.write("targets.json", &json!({ "projects": projects }).to_string());
    bench.write("tokens.json", r#"{"tokens": []}"#);
    list(json!({"e2e": {"allowed_targets": ["http://shop.example"]}}));
    bench
        .floodgate(&[
            "serve",
            "--tokens",
            "tokens.json",
            "--targets",
            "targets.json",
        ])
        .refused("project \"e2e\": \"http://shop.example\" is not a target: give a host");

    list(json!({"other": {"allowed_targets": ["127.0.0.1"]}}));
    let (running, port) = serve(&bench, &["--targets", "targets.json"]);
    let runs = "/v1/projects/e2e/executions";
    let start = |target: &str| {
        let body = json!({"definition": arrivals("${env:TARGET}", 20, "1s", ""), "environment": {"TARGET": target}});
        ask(port, TESTER, "POST", runs, &body)
    };
    let refused = |target: &str, told: &str| {
        let (status, answer) = start(target);
        let detail = answer["detail"].as_str().unwrap_or_default();
        assert!(status == 422 && detail.contains(told), "{status}: {answer}");
    };
    let ended = |target: &str| {
        let mut started = (0, Value::Null);
        eventually("a place", || {
            started = start(target);
            started.0 != 409
        });
        assert_eq!(started.0, 201, "{}", started.1);
        let path = format!("{}?wait=30s", started.1["verdict"].as_str().unwrap());
        let mut verdict = Value::Null;
        eventually("the verdict", || {
            verdict = ask(port, TESTER, "GET", &path, &Value::Null).1;
            verdict["is_final"] == true
        });
        verdict
    };
    let here = target.url();
    refused(&here, "targets.json: projects: \"e2e\" is not listed");

    // What is listed is loaded; whatever the definition says, nothing else is.
    list(json!({"e2e": {"allowed_targets": ["localhost"]}}));
    refused(
        &here,
        "target: 127.0.0.1 is not among the targets of the project (localhost); add it to allowed_targets",
    );
    assert_eq!(target.counters().requests(), 0);
    let by_name = here.replace("127.0.0.1", "localhost");
    assert_eq!(ended(&by_name)["status"], "passed");
    assert_eq!(target.counters().requests(), 20);

    // A name says nothing of its address: that is looked at when the load is sent.
    list(json!({"e2e": {"allowed_targets": ["10.0.0.0/8"]}}));
    let verdict = ended(&by_name);
    assert!(
        verdict["passed"] == false && verdict["status"] != "aborted",
        "{verdict}"
    );
    assert_eq!(target.counters().requests(), 20);

    // The clock may not do more than a person.
    let schedule =
        json!({"test": "arrivals", "expression": in_seconds(2), "parameters": {"target": here}});
    let path = "/v1/projects/e2e/schedules/soon";
    assert_eq!(ask(port, ADMIN, "PUT", path, &schedule).0, 200);
    let mut why = String::new();
    eventually("its first time", || {
        let shown = ask(port, ADMIN, "GET", path, &Value::Null).1;
        why = shown["last"][0]["why"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        !why.is_empty()
    });
    assert!(why.contains("127.0.0.1 is not among the targets"), "{why}");
    assert_eq!(target.counters().requests(), 20);
    running.signal("TERM");
    running.end().expect(0);
}

#[test]
fn wrong_tokens_hold_up_whoever_a_known_proxy_asks_for() {
    let bench = Bench::new();
    let (running, port) = serve(&bench, &["--proxies", "1"]);
    let status = |token: &str, client: &str| {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        write!(
            stream,
            "GET /v1/projects HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\
             x-forwarded-for: 203.0.113.1, {client}\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer[9..12].parse::<u16>().unwrap()
    };
    eventually("too many failures", || {
        status("no-such-token-0123456789", "192.0.2.1") == 429
    });
    assert_eq!(status(TESTER, "192.0.2.2"), 200);
    // Where nothing is known of a proxy, the connection's address counts, whatever is sent.
    running.signal("TERM");
    running.end().expect(0);
    let (running, port) = serve(&bench, &[]);
    eventually("too many failures", || {
        ask(
            port,
            "no-such-token-0123456789",
            "GET",
            "/v1/projects",
            &Value::Null,
        )
        .0 == 429
    });
    running.signal("TERM");
    running.end().expect(0);
}

#[test]
fn the_api_answers_as_its_description_says() {
    let Ok(program) = std::env::var(SCHEMATHESIS) else {
        eprintln!("skipped: {SCHEMATHESIS} is not set (cargo xtask test)");
        return;
    };
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    let (ended, summary) = bench.run(
        &arrivals(
            &target.url(),
            20,
            "1s",
            "thresholds:\n  http_reqs: [count>0]\n",
        ),
        &[],
    );
    ended.expect(0);
    let (running, port) = serve(&bench, &["--rate", "100000"]);
    // Half of what it asks is about what is there.
    let config = format!(
        "[parameters]\n\"path.project\" = \"e2e\"\n\"path.id\" = \"{}\"\n\"path.test\" = \"arrivals\"\n\"path.version\" = \"{}\"\n",
        summary.execution, summary.version
    );
    for (config, token) in [
        (config.as_str(), ADMIN),
        ("", ADMIN),
        (config.as_str(), TESTER),
    ] {
        bench.write("schemathesis.toml", config);
        let url = format!("http://127.0.0.1:{port}/openapi.json");
        let mut command = Command::new(&program);
        command
            .current_dir(bench.path(""))
            .args(["run", &url, "--header", &format!("Authorization: Bearer {token}")])
            .args(["--checks", "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"])
            .args(["--max-examples", "10", "--seed", "1", "--phases", "examples,coverage,fuzzing"])
            .args(["--suppress-health-check", "all", "--request-timeout", "90", "--no-color"]);
        let asked = command.output().unwrap();
        let said = String::from_utf8_lossy(&asked.stdout).into_owned();
        assert!(
            asked.status.success(),
            "{said}{}",
            String::from_utf8_lossy(&asked.stderr)
        );
    }
    running.signal("TERM");
    running.end().expect(0);
}
