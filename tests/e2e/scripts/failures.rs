//! Why requests of a script failed can be seen without running it again, as far as its tool tells.

use super::{copied, tool};
use crate::support::*;
use floodgate_records::failure::FailureLog;
use floodgate_testserver::{Config, TestServer};
use std::path::Path;

/// The samples of a run.
fn samples(bench: &Bench, id: &str) -> FailureLog {
    let shown = bench.floodgate(&["show", id, "--failures", "--json"]);
    serde_json::from_str(&shown.expect(0).stdout()).unwrap()
}

/// What a definition asks for here: a page that is not there, whose address has secrets in it.
fn definition(engine: &str, script: &str, target: &TestServer) -> String {
    let (url, port) = (target.url(), target.addr().port());
    format!(
        "version: 1\ntest: fails\nengine: {engine}\nscript: {script}\ntarget: {url}\n\
         parameters: {{port: {port}, path: '/status/404?token=t0psecret&order=hidden1&page=7'}}\n\
         run: {{redact: [order]}}\n"
    )
}

fn explained(engine: &str, bench: &Bench, script: &str, message: &str) {
    let target = TestServer::start(Config::service()).unwrap();
    let text = definition(engine, script, &target);
    let (ended, summary) = bench.run(&text, &["--generators", "2"]);
    ended.expect(99);
    let log = samples(bench, &summary.execution);
    assert!(!log.samples.is_empty(), "{engine} tells of failures");
    let all = serde_json::to_string(&log).unwrap();
    assert!(
        !all.contains("t0psecret") && !all.contains("hidden1"),
        "{all}"
    );
    for sample in &log.samples {
        assert!(
            sample.name == "home" || sample.name.contains("/status/404?token=***&"),
            "{sample:?}"
        );
        assert_eq!(sample.status, Some(404), "{sample:?}");
        let request = sample.request.as_ref().map(|request| request.url.as_str());
        assert!(
            request.is_none_or(|url| url.ends_with("/status/404?token=***&order=***&page=7")),
            "{sample:?}"
        );
        assert!(sample.times.contains_key("http_req_duration"), "{sample:?}");
    }
    assert_eq!(summary.failures.unwrap().kept, log.samples.len() as u64);
    let kept = log.samples.len() as u32;
    assert!(
        kept <= FailureLog::MAX_OF_KIND,
        "{engine}: {kept} of one kind"
    );
    let shown = bench.floodgate(&["show", &summary.execution, "--failures"]);
    assert!(shown.expect(0).stdout().contains(message), "{engine}");
}

#[test]
fn k6_tells_method_and_address() {
    let Some(_) = tool("FLOODGATE_K6") else {
        return;
    };
    let bench = Bench::new();
    bench.write(
        "fails.js",
        "import http from 'k6/http';\nexport const options = { vus: 2, iterations: 40 };\n\
         export default () => http.get(`${__ENV.TARGET}${__ENV.path}`);\n",
    );
    explained("k6", &bench, "fails.js", "> GET http://127.0.0.1:");
}

#[test]
fn jmeter_tells_address_and_answer() {
    let Some(_) = tool("FLOODGATE_JMETER") else {
        return;
    };
    let bench = Bench::new();
    copied(&bench, "browse.jmx");
    let plan = std::fs::read_to_string(bench.path("browse.jmx")).unwrap();
    bench.write(
        "fails.jmx",
        &plan.replace("path\">/<", "path\">${__P(path)}<"),
    );
    explained("jmeter", &bench, "fails.jmx", "< 404 Not Found");
}

#[test]
fn results_from_elsewhere_tell_it_too() {
    let bench = Bench::new();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/engines/fixtures");
    for (file, said) in [
        ("k6/samples.json", "dial: connection refused"),
        ("k6/samples.csv", "dial: connection refused"),
        ("jmeter/5.6.3-default.csv", "< 404 Not Found"),
        ("jmeter/5.6.3-xml.jtl", "text expected to contain /nowhere/"),
        (
            "gatling/text/simulation.log",
            "status.find.is(418), but actually found 200",
        ),
        ("gatling/binary/simulation.log", "status.find.is(418)"),
    ] {
        let file = fixtures.join(file).display().to_string();
        let ended = bench.floodgate(&["import", &file, "--json"]);
        let summary = ended.summary();
        let shown = bench.floodgate(&["show", &summary.execution, "--failures"]);
        let text = shown.expect(0).stdout();
        assert!(text.contains(said), "{file}: {text}");
    }
}
