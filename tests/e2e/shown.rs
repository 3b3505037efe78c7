//! What a person sees.

use crate::support::*;
use floodgate_records::printable::shows;
use floodgate_testserver::{Config, TestServer};

/// Sets the title, clears the screen (also in C1), forges a line, turns the direction of writing.
const HOSTILE: &str = r"x\x1b]0;pwned\x07\x1b[2J\x9b31m\n✓ FORGED\u202etxt\u2066";

/// The same as a shell or an environment has it.
fn raw() -> String {
    "x\u{1b}]0;pwned\u{7}\u{1b}[2J\u{9b}31m\n✓ FORGED\u{202e}txt\u{2066}".to_owned()
}

fn assert_printable(what: &str, text: &str) {
    let bad = |c: &char| !shows(*c) && *c != '\n' && *c != '\t';
    assert_eq!(text.chars().find(bad), None, "{what}: {text:?}");
    assert!(
        !text.lines().any(|line| line.starts_with("✓ FORGED")),
        "{what}: {text}"
    );
}

#[test]
fn no_text_of_a_test_reaches_the_terminal_raw() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    bench.write(
        "run.yaml",
        &format!(
            "version: 1\ntest: t\ntarget: {url}\nscenarios:\n  s:\n    executor: shared-iterations\n    vus: 1\n    iterations: 3\n    \
             flow:\n      - get: /?a=1\n        name: \"{HOSTILE}\"\n        checks: [\"body contains \\\"{HOSTILE}\\\"\", status == 200]\n\
             thresholds:\n  \"http_reqs{{name:nothing}}\": [count>0]\n",
            url = target.url()
        ),
    );
    let bad = format!(
        "version: 1\ntest: \"{HOSTILE}\"\n\"{HOSTILE}\": 1\nscenarios:\n  \"{HOSTILE}\":\n    executor: \"{HOSTILE}\"\n"
    );
    bench.write("bad.yaml", &bad);
    let mut seen = Vec::new();
    for args in [
        &["run", "run.yaml", "--junit", "j.xml"][..],
        &["run", "run.yaml", "--json"],
        &["inspect", "run.yaml"],
        &["inspect", "run.yaml", "--json"],
        &["validate", "run.yaml"],
        &["validate", "bad.yaml"],
        &["runs"],
        &["runs", "--json"],
        &["run", "run.yaml", "--set", &format!("test={}", raw())],
        &["run", "run.yaml", "--set", &raw()],
        &["run", &raw()],
        &["run", "run.yaml", "--frob", &raw()],
        &["show", &raw()],
        &["hit", &format!("http://{}", raw())],
        &["import", &raw()],
        &["init", &format!("no/such/{}", raw())],
    ] {
        let ended = bench.floodgate(args);
        assert_printable(&format!("{args:?}, stdout"), &ended.stdout());
        assert_printable(&format!("{args:?}, stderr"), &ended.stderr());
        seen.push(ended);
    }
    // The name is there to be seen, as its codes.
    assert!(
        seen[0].stdout().contains(r"x\u{1b}]0;pwned"),
        "{}",
        seen[0].stdout()
    );
    assert!(seen[5].stderr().contains(r"\u{1b}"), "{}", seen[5].stderr());
    assert_printable(
        "JUnit",
        &std::fs::read_to_string(bench.path("j.xml")).unwrap(),
    );
    // What is stored is what was said.
    let id = seen[1].summary().execution;
    let summary = seen[1].summary();
    assert!(
        summary.requests.iter().any(|r| r.name.contains('\u{9b}')),
        "{summary:?}"
    );
    let shown = bench.floodgate(&["show", &id]).expect(0).stdout();
    assert_printable("show", &shown);
}

/// Every text in a JSON value, one after the other, replaced by this one.
fn replaced(json: &serde_json::Value, by: &str) -> Vec<serde_json::Value> {
    use serde_json::Value;
    match json {
        Value::String(_) => vec![by.into()],
        Value::Array(all) => (0..all.len())
            .flat_map(|at| {
                replaced(&all[at], by).into_iter().map(move |new| {
                    let mut all = all.clone();
                    all[at] = new;
                    Value::Array(all)
                })
            })
            .collect(),
        Value::Object(all) => all
            .iter()
            .flat_map(|(key, value)| {
                replaced(value, by).into_iter().map(move |new| {
                    let mut all = all.clone();
                    all[key] = new;
                    Value::Object(all)
                })
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// Whoever can write into the folder of executions does not thereby write to the terminal of who looks at them.
#[test]
fn no_text_of_a_record_or_a_summary_reaches_the_terminal_raw() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    let rest = "    tags: { a: b }\nthresholds: { http_reqs: [count>0] }\n";
    let (_, summary) = bench.run(&arrivals(&target.url(), 10, "1s", rest), &[]);
    let id = &summary.execution;
    let mut tried = 0;
    for name in [
        format!(".floodgate/.records/e2e/{id}.json"),
        format!(".floodgate/projects/e2e/executions/{id}/summary.json"),
    ] {
        let own = std::fs::read_to_string(bench.path(&name)).unwrap();
        let json: serde_json::Value = serde_json::from_str(&own).unwrap();
        for odd in replaced(&json, &raw()) {
            bench.write(&name, &odd.to_string());
            for args in [&["runs"][..], &["show", id]] {
                let ended = bench.floodgate(args);
                let what = format!("{args:?} of {odd}");
                assert_printable(&what, &ended.stdout());
                assert_printable(&what, &ended.stderr());
                assert!(!ended.stderr().contains("panicked"), "{what}");
            }
            tried += 1;
        }
        bench.write(&name, &own);
    }
    assert!(tried > 20, "{tried}");
    bench.floodgate(&["show", id]).expect(0);
}

#[test]
fn a_run_says_by_name_what_failed() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::service()).unwrap());
    bench.write(
        "t.yaml",
        &format!(
            "version: 1\ntest: t\ntarget: {}\nscenarios:\n  s:\n    executor: shared-iterations\n    vus: 2\n    iterations: 6\n    \
             flow:\n      - get: /\n        name: home\n        checks: [status == 200]\n      - get: /no/such/page\n        name: gone\n        \
             checks: [status == 200]\n",
            target.url()
        ),
    );
    let ended = bench.floodgate(&["run", "t.yaml", "--json"]);
    let summary = ended.summary();
    let rows: Vec<_> = summary
        .requests
        .iter()
        .map(|r| (r.name.as_str(), r.count, r.failed))
        .collect();
    assert_eq!(rows, [("gone", 6, 6), ("home", 6, 0)]);
    assert_eq!(summary.requests[0].outcomes["404"], 6);
    assert_eq!(summary.errors["404"], 6);
    assert!(summary.requests[1].times["http_req_duration"]["p(95)"] > 0.0);
    let failing: Vec<_> = summary.checks.iter().filter(|c| c.fails > 0).collect();
    assert_eq!(failing.len(), 1);
    assert_eq!(failing[0].request.as_deref(), Some("gone"));
    assert_eq!(failing[0].scenario.as_deref(), Some("s"));
    let vus = value(&summary, "vus", "max");
    assert!(
        (1.0..=2.0).contains(&vus),
        "{vus}: a short run has VUs, too"
    );
    let table = bench
        .floodgate(&["show", &summary.execution])
        .expect(0)
        .stdout();
    let line = table
        .lines()
        .find(|l| l.trim_start().starts_with("gone"))
        .unwrap();
    assert!(
        line.contains("6 (100 %)") && line.contains("404 ×6"),
        "{line}"
    );
    let last = table.lines().last().unwrap();
    assert!(
        last.contains(&summary.status.as_str().to_uppercase()),
        "{last}"
    );
}

#[test]
fn the_first_failures_are_kept_and_shown_without_secrets() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::service()).unwrap());
    std::fs::create_dir_all(bench.path(".floodgate/secrets")).unwrap();
    bench.write(".floodgate/secrets/key", "s3cr3t-key+1");
    bench.write(
        "t.yaml",
        &format!(
            "version: 1\ntest: t\ntarget: {}\nhttp:\n  headers: {{ X-Own: '${{secret:key}}', Authorization: Bearer tok3n-of-mine }}\n\
             run: {{ redact: [pin] }}\nscenarios:\n  s:\n    executor: shared-iterations\n    vus: 4\n    iterations: 40\n    flow:\n      \
             - post: /no/such/page?key=${{secret:key}}\n        name: gone\n        json: {{ pin: '98765', password: hunter22, plain: seen }}\n        \
             checks: [status == 200]\n      - get: /\n        name: home\n        checks: [status == 200, 'body contains \"nowhere\"']\n",
            target.url()
        ),
    );
    let ended = bench.floodgate(&["run", "t.yaml", "--json"]);
    let summary = ended.summary();
    let failures = summary.failures.clone().unwrap();
    assert_eq!((failures.kept, failures.left_out), (20, 0), "{failures:?}");
    assert_eq!(failures.first.len(), 2, "{failures:?}");
    let id = &summary.execution;
    let json = bench
        .floodgate(&["show", id, "--failures", "--json"])
        .expect(0)
        .stdout();
    let log: floodgate_records::failure::FailureLog = serde_json::from_str(&json).unwrap();
    let gone = log.samples.iter().find(|s| s.name == "gone").unwrap();
    assert_eq!(
        (gone.status, &gone.checks[..]),
        (Some(404), &["status == 200".to_owned()][..])
    );
    let (sent, received) = (
        gone.request.as_ref().unwrap(),
        gone.response.as_ref().unwrap(),
    );
    assert_eq!(sent.method, "POST");
    assert!(sent.url.ends_with("/no/such/page?key=***"), "{}", sent.url);
    let body = &sent.body.as_ref().unwrap().text;
    assert!(
        body.contains("seen") && !body.contains("98765") && !body.contains("hunter22"),
        "{body}"
    );
    assert!(
        received.line.starts_with("HTTP/1.1 404"),
        "{}",
        received.line
    );
    assert!(!received.headers.is_empty());
    assert!(gone.times["http_req_duration"] > 0.0 && gone.at_ms > 1_700_000_000_000);
    let home = log.samples.iter().find(|s| s.name == "home").unwrap();
    let shown = &home.response.as_ref().map_or(String::new(), |r| {
        r.body.as_ref().map_or(String::new(), |b| b.text.clone())
    });
    assert!(
        log.samples
            .iter()
            .any(|s| s.name == "home" && s.response.is_some()),
        "{shown}"
    );
    let text = bench
        .floodgate(&["show", id, "--failures"])
        .expect(0)
        .stdout();
    assert!(
        text.contains("✗ gone  404") && text.contains("> POST "),
        "{text}"
    );
    let table = bench.floodgate(&["show", id]).expect(0).stdout();
    assert!(
        table.contains("First failures") && table.contains("--failures"),
        "{table}"
    );
    // Nowhere in what a run leaves, but where the user put it.
    for file in files(&bench.path(".floodgate"), "") {
        if file.to_string_lossy().contains("secrets/") {
            continue;
        }
        let bytes = std::fs::read(&file).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains("s3cr3t-key"), "{}", file.display());
    }
    for shown in [&json, &text, &table, &ended.stdout(), &ended.stderr()] {
        for secret in ["s3cr3t-key", "tok3n-of-mine"] {
            assert!(!shown.contains(secret), "{secret}: {shown}");
        }
    }
}

#[test]
fn first_requests_are_shown_on_demand() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::service()).unwrap());
    bench.write("t.yaml", &arrivals(&target.url(), 20, "1s", ""));
    let ended = bench.floodgate(&["run", "t.yaml", "--debug-requests", "2", "--quiet"]);
    let said = ended.stderr();
    assert_eq!(said.matches("> GET http://127.0.0.1").count(), 2, "{said}");
    assert!(
        said.contains("< HTTP/1.1 200") && said.contains("Welcome"),
        "{said}"
    );
    let plain = bench.floodgate(&["run", "t.yaml", "--quiet"]).stderr();
    assert!(!plain.contains("< HTTP/1.1"), "{plain}");
}

#[test]
fn a_hit_says_what_happened() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    let url = format!("{}/a?b=c", target.url());
    let ended = bench.floodgate(&["hit", &url, "-n", "5"]);
    let said = ended.stdout();
    assert!(
        said.starts_with("✓ done: 5 requests, none failed") && !said.contains("PASSED"),
        "{said}"
    );
    assert!(said.lines().next().unwrap().contains(&url), "{said}");
    let runs = bench.floodgate(&["runs"]).expect(0).stdout();
    assert!(
        runs.contains("done") && runs.contains("hit http://127.0.0.1"),
        "{runs}"
    );
    let dead = bench.floodgate(&["hit", "http://127.0.0.1:1/", "-n", "5", "--json"]);
    assert_ne!(dead.code(), Some(0), "nobody answered");
    assert_eq!(
        dead.summary().target.as_deref(),
        Some("http://127.0.0.1:1/")
    );
    let dead = bench
        .floodgate(&["hit", "http://127.0.0.1:1/", "-n", "5"])
        .stdout();
    assert!(
        dead.starts_with("✗ all 5 requests failed: connection_refused"),
        "{dead}"
    );
    assert!(
        !dead.contains("response time") && !dead.contains("service time"),
        "{dead}"
    );
    // Whichever comes first ends it.
    let short = bench.floodgate(&[
        "hit",
        &url,
        "-n",
        "1000000000",
        "-d",
        "1",
        "-c",
        "1",
        "--json",
    ]);
    assert!(short.summary().duration_s < 30.0);
}
