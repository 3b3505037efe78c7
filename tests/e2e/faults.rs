//! Targets that misbehave: every fault has its code, and no run hangs or claims success.

use crate::export::server::free_port;
use crate::support::*;
use floodgate_records::status::Status;
use floodgate_testserver::faulty::{Answer, OnConnect, Script};
use floodgate_testserver::{Config, TestServer, tls};
use std::time::Duration;

/// Every request fails with this code before a status came: nothing is known of the target, whatever the threshold says.
#[track_caller]
fn fails_with(url: &str, code: &str) {
    fails(url, code, Status::Inconclusive);
}

/// Every request fails with this code, and the run is judged so.
#[track_caller]
fn fails(url: &str, code: &str, status: Status) {
    let bench = Bench::new();
    let timeout = timeout(code);
    let rest =
        format!("    http: {{ timeout: {timeout} }}\nthresholds:\n  http_req_failed: [rate==0]\n");
    let (ended, summary) = bench.run(&arrivals(url, 10, "1s", &rest), &[]);
    ended.expect(i32::from(status.exit_code()));
    assert_eq!(summary.status, status);
    let reasons = summary.reasons.join("; ");
    assert!(reasons.contains(code), "{reasons}");
    assert_eq!(value(&summary, "http_req_failed", "rate"), 1.0);
    let codes: Vec<_> = summary
        .errors
        .iter()
        .map(|(code, n)| (code.as_str(), *n))
        .collect();
    assert_eq!(codes, [(code, 10)]);
}

fn faulty(script: Script) -> TestServer {
    TestServer::start(Config::faulty(script)).unwrap()
}

#[test]
fn a_target_that_refuses() {
    let url = format!("http://127.0.0.1:{}", free_port());
    fails_with(&url, "connection_refused");
}

#[test]
fn a_target_that_resets() {
    fails_with(
        &faulty(Script::on_connect(OnConnect::Reset)).url(),
        "connection_reset",
    );
}

#[test]
fn a_target_that_closes_without_an_answer() {
    fails_with(
        &faulty(Script::on_connect(OnConnect::Close)).url(),
        "connection_closed",
    );
}

#[test]
fn a_target_that_never_answers() {
    fails_with(
        &faulty(Script::on_connect(OnConnect::Silent)).url(),
        "timeout",
    );
}

#[test]
fn a_name_that_cannot_be() {
    fails_with(&format!("http://{}.invalid", "a".repeat(64)), "dns");
}

#[test]
fn certificates_that_do_not_hold() {
    for (mode, trusted) in [
        (tls::Mode::Expired, true),
        (tls::Mode::WrongName, true),
        (tls::Mode::Valid, false),
    ] {
        let bench = Bench::new();
        let target = TestServer::start(Config::fast().with_tls(mode)).unwrap();
        let http = if trusted {
            bench.write("ca.pem", target.ca_pem().unwrap());
            "    http: { ca: ca.pem }\n"
        } else {
            ""
        };
        let (ended, summary) = bench.run(&arrivals(&target.url(), 10, "1s", http), &[]);
        ended.expect(98);
        assert_eq!(summary.errors["tls_certificate"], 10, "{mode:?}");
        assert_eq!(value(&summary, "http_req_failed", "rate"), 1.0, "{mode:?}");
        assert_eq!(target.counters().requests(), 0, "{mode:?}");
    }
}

#[test]
fn a_handshake_of_garbage() {
    let garbage = OnConnect::Send(b"220 mail.example ESMTP ready\r\n".to_vec());
    let target = faulty(Script::on_connect(garbage));
    fails_with(&target.url().replace("http:", "https:"), "tls");
}

#[test]
fn a_client_without_the_certificate_that_is_asked_for() {
    let bench = Bench::new();
    let target = TestServer::start(Config::fast().with_tls(tls::Mode::ClientCertificate)).unwrap();
    let certificates = target.certificates().unwrap();
    bench.write("ca.pem", certificates.ca_pem());
    bench.write("cert.pem", certificates.client_cert_pem());
    bench.write("key.pem", certificates.client_key_pem());
    for (http, failed) in [
        ("{ ca: ca.pem }", 1.0),
        ("{ ca: ca.pem, cert: cert.pem, key: key.pem }", 0.0),
    ] {
        let http = format!("    http: {http}\n");
        let (_, summary) = bench.run(&arrivals(&target.url(), 10, "1s", &http), &[]);
        assert_eq!(value(&summary, "http_req_failed", "rate"), failed, "{http}");
    }
}

#[test]
fn a_certificate_of_nobody() {
    let target = TestServer::start(Config::service().with_tls(tls::Mode::SelfSigned)).unwrap();
    fails_with(&target.url(), "tls_certificate");
    let bench = Bench::new();
    let ended = bench.floodgate(&[
        "hit",
        &target.url(),
        "-n",
        "3",
        "-c",
        "1",
        "--insecure",
        "--json",
    ]);
    assert_eq!(
        value(&ended.expect(0).summary(), "http_req_failed", "rate"),
        0.0
    );
}

#[test]
fn answers_that_are_none() {
    let before_the_status = [
        (Answer::EndlessHeaders, "headers_too_large"),
        (Answer::HalfHead, "connection_closed"),
        (Answer::LengthTwice, "protocol"),
        (Answer::LengthInvalid, "protocol"),
        (Answer::HeaderInvalid, "protocol"),
        (Answer::HugeHeader(80 << 10), "headers_too_large"),
        (Answer::ManyHeaders(300), "headers_too_large"),
        (Answer::StatusLineInvalid, "protocol"),
        (Answer::Withhold, "timeout"),
    ];
    let after_the_status = [
        (Answer::HalfBody, "connection_closed"),
        (Answer::HalfBodyReset, "connection_reset"),
        (Answer::LengthTooLong, "timeout"),
        (Answer::ChunkSizeInvalid, "protocol"),
        (Answer::ChunkSizeOverflow, "protocol"),
        (Answer::ChunkTooLong, "protocol"),
        (Answer::ChunkCut, "connection_closed"),
    ];
    let faults = (before_the_status
        .map(|fault| (fault, Status::Inconclusive))
        .into_iter())
    .chain(after_the_status.map(|fault| (fault, Status::Failed)));
    // Each run takes a second or so and hardly any CPU.
    std::thread::scope(|scope| {
        for ((answer, code), status) in faults {
            scope.spawn(move || fails(&faulty(Script::always(answer)).url(), code, status));
        }
    });
}

#[test]
fn a_target_that_stalls() {
    let stall = Script::stall(Duration::from_secs(1), Duration::from_secs(1));
    let (bench, target) = (Bench::new(), faulty(stall));
    let definition = arrivals(&target.url(), 100, "3s", "").replace("maxVUs: 50", "maxVUs: 300");
    let (_, summary) = bench.run(&definition, &[]);
    let sent = value(&summary, "http_reqs", "count");
    assert_eq!(sent, target.counters().requests() as f64);
    let dropped = summary.applied.dropped_iterations as f64;
    assert_eq!(sent + dropped, 300.0, "no start is lost");
    assert!(summary.errors.is_empty(), "{:?}", summary.errors);
    // The first request in the stall was due at most 10 ms after it began. There is no upper bound on a busy machine.
    let longest = value(&summary, "http_req_response_time", "max");
    assert!(longest >= 980.0, "{longest} ms");
    // Of 300 requests 100 fell into the stall: half of those waited for 500 ms or more.
    let p90 = value(&summary, "http_req_response_time", "p(90)");
    assert!(p90 >= 600.0, "{p90} ms");
}

#[test]
fn no_open_files_left() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    let definition = format!(
        "version: 1\nproject: e2e\ntest: vus\ntarget: {}\nscenarios:\n  one:\n    executor: constant-vus\n    vus: 100\n    \
         duration: 1s\n    flow: [{{ get: / }}, {{ think: 100ms }}]\n",
        target.url()
    );
    bench.write("test.yaml", &definition);
    let ended = bench
        .spawn_limited("ulimit -n 80", &["run", "test.yaml", "--json"])
        .end();
    let summary = ended.expect(98).summary();
    assert_eq!(summary.status, Status::Inconclusive);
    let exhausted = summary.errors["generator_exhausted"];
    assert_eq!(summary.errors.len(), 1, "{:?}", summary.errors);
    assert_eq!(
        value(&summary, "http_reqs", "count"),
        (target.counters().requests() + exhausted) as f64
    );
    let said = |text: &str| summary.warnings.iter().any(|w| w.contains(text));
    assert!(said("ulimit -n"), "{:?}", summary.warnings);
}

/// Beside one that answers: what is measured of that says nothing of the other.
#[test]
fn a_scenario_whose_target_is_gone_is_no_pass() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    let definition = format!(
        "version: 1\nproject: e2e\ntest: two\ntarget: {}\nscenarios:\n  here: {{ executor: per-vu-iterations, iterations: 5, flow: [{{ get: / \
         }}] }}\n  gone: {{ executor: per-vu-iterations, iterations: 3, flow: [{{ get: 'http://127.0.0.1:1/' }}] }}\n",
        target.url()
    );
    let (ended, summary) = bench.run(&definition, &[]);
    ended.expect(98);
    let reasons = summary.reasons.join("; ");
    assert!(
        reasons.contains("no response to any of 3 requests of the scenario gone"),
        "{reasons}"
    );
    let times = "thresholds: { 'http_req_duration{scenario:gone}': p(95)<500, 'http_req_duration{scenario:here}': p(95)<60000 }\n";
    let (_, summary) = bench.run(&(definition + times), &[]);
    let outcomes = summary
        .reasons
        .iter()
        .filter(|why| why.contains("threshold"));
    let outcomes: Vec<_> = outcomes.collect();
    assert_eq!(outcomes.len(), 1, "{outcomes:?}");
    assert!(
        outcomes[0].contains("none of these requests got a response"),
        "{outcomes:?}"
    );
}
