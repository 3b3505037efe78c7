//! Targets that misbehave: every fault has its code, and no run hangs or claims success.

use crate::support::*;
use floodgate_core::execution::record::Status;
use floodgate_target::faulty::{Answer, OnConnect, Script};
use floodgate_target::{Config, Target, tls};

const FAILED: &str = "    http: { timeout: 500ms }\nthresholds:\n  http_req_failed: [rate==0]\n";

/// Every request fails with this code, and the run fails with its threshold.
#[track_caller]
fn fails_with(url: &str, code: &str) {
    let bench = Bench::new();
    let (ended, summary) = bench.run(&arrivals(url, 10, "1s", FAILED), &[]);
    ended.expect(99);
    assert_eq!(summary.status, Status::Failed);
    assert_eq!(value(&summary, "http_req_failed", "rate"), 1.0);
    let codes: Vec<_> = summary
        .errors
        .iter()
        .map(|(code, n)| (code.as_str(), *n))
        .collect();
    assert_eq!(codes, [(code, 10)]);
}

fn faulty(script: Script) -> Target {
    Target::start(Config::faulty(script)).unwrap()
}

#[test]
fn a_target_that_refuses() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    fails_with(&format!("http://{address}"), "connection_refused");
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
fn a_certificate_of_nobody() {
    let target = Target::start(Config::service().with_tls(tls::Mode::SelfSigned)).unwrap();
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
    let faults = [
        (Answer::EndlessHeaders, "headers_too_large"),
        (Answer::HalfHead, "connection_closed"),
        (Answer::HalfBody, "connection_closed"),
        (Answer::HalfBodyReset, "connection_reset"),
        (Answer::LengthTooLong, "timeout"),
        (Answer::LengthTwice, "protocol"),
        (Answer::ChunkSizeInvalid, "protocol"),
        (Answer::ChunkCut, "connection_closed"),
        (Answer::StatusLineInvalid, "protocol"),
        (Answer::Withhold, "timeout"),
    ];
    // Each run takes a second or so and hardly any CPU.
    std::thread::scope(|scope| {
        for (answer, code) in faults {
            scope.spawn(move || fails_with(&faulty(Script::always(answer)).url(), code));
        }
    });
}
