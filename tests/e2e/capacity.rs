//! `floodgate capacity`: the load at which a target's thresholds just hold.

use crate::support::*;
use floodgate_records::capacity::{CapacityEnd, CapacityUnit, StepOutcome};
use floodgate_testserver::{Config, TestServer};

/// A flow against a page, at a rate of its own that says no more than where to begin.
fn definition(target: &str, executor: &str, page: &str) -> String {
    format!(
        "version: 1\ntest: shop\ntarget: {target}\nscenarios:\n  browse:\n    {executor}\n    gracefulStop: 2s\n    flow: [get: {page}]\n\
         thresholds: {{ http_req_failed: rate<0.01, http_req_duration: p(95)<1000 }}\n"
    )
}

const RATE: &str =
    "executor: constant-arrival-rate\n    rate: 100\n    duration: 1m\n    preAllocatedVUs: 20";

fn server() -> TestServer {
    TestServer::start(Config::service()).unwrap()
}

#[test]
fn the_capacity_of_a_token_bucket_is_found() {
    let server = server();
    let bench = Bench::new();
    bench.write("c.yaml", &definition(&server.url(), RATE, "/bucket/800/10"));
    let path = bench.path("c.yaml").display().to_string();
    let short = ["--settle", "1s", "--step", "3s", "--precision", "25%"];
    let ended =
        bench.floodgate(&[&["capacity", &path, "--start", "400", "--json"], &short[..]].concat());
    let summary = ended.expect(0).summary();
    let capacity = summary.capacity.unwrap();
    assert_eq!(capacity.ended, CapacityEnd::Found);
    assert_eq!(capacity.unit, CapacityUnit::IterationsPerSecond);
    let (low, high) = (capacity.low.unwrap(), capacity.high.unwrap());
    assert!(low <= 808.0 && 808.0 <= high, "{low} to {high}");
    assert_eq!(
        capacity.limited_by.as_deref(),
        Some("http_req_failed: rate<0.01")
    );
    // What was sent is what was ordered.
    let ordered: f64 = capacity
        .steps
        .iter()
        .map(|step| step.load * (step.until_ms - step.from_ms) as f64 / 1_000.0)
        .sum();
    let sent = summary.applied.iterations + summary.applied.dropped_iterations;
    assert!(
        (sent as f64 - ordered).abs() <= capacity.steps.len() as f64,
        "{sent} of {ordered}"
    );
    assert_eq!(summary.applied.http_reqs, server.counters().requests());
    assert!(
        summary.generators[0].start_skew_ms.abs() < 5_000.0,
        "it began when it was to"
    );
}

#[test]
fn vus_up_to_the_largest_that_may_be_tried() {
    let server = server();
    let bench = Bench::new();
    let vus = "executor: constant-vus\n    vus: 10\n    duration: 1m";
    bench.write(
        "c.yaml",
        &(definition(&server.url(), vus, "/delay/5")
            + "capacity: { start: 1, max: 2, settle: 1s, step: 3s }\n"),
    );
    let path = bench.path("c.yaml").display().to_string();
    let ended = bench.floodgate(&["run", &path]);
    let shown = ended.expect(98).stdout();
    assert!(shown.contains("the capacity is at least 2 VUs"), "{shown}");
    assert!(shown.contains("✓ held"), "{shown}");
    assert!(
        ended.stderr().contains("step 2: 2 VUs; 1 held"),
        "{}",
        ended.stderr()
    );
    let ended = bench.floodgate(&[
        "run",
        &path,
        "--generators",
        "2",
        "--json",
        "--set",
        "capacity.start=2",
    ]);
    let capacity = ended.expect(98).summary().capacity.unwrap();
    assert_eq!((capacity.low, capacity.steps.len()), (Some(2.0), 1));
    assert_eq!(
        capacity.steps[0].seen.as_ref().unwrap().outcome,
        StepOutcome::Held
    );
}

#[test]
fn an_order_to_stop_keeps_what_was_found() {
    let server = server();
    let bench = Bench::new();
    bench.write("c.yaml", &definition(&server.url(), RATE, "/bucket/800/10"));
    let path = bench.path("c.yaml").display().to_string();
    let running = bench.spawn(&["capacity", &path, "--settle", "1s", "--step", "3s"]);
    eventually("a step was judged", || {
        files(&bench.path(".floodgate"), "capacity.json")
            .iter()
            .any(|file| std::fs::read_to_string(file).is_ok_and(|text| text.contains("held")))
    });
    running.signal("INT");
    let ended = running.end();
    let shown = ended.expect(105).stdout();
    assert!(shown.contains("✓ held"), "{shown}");
}

#[test]
fn what_cannot_be_scaled_is_refused_before_anything_starts() {
    let server = server();
    let bench = Bench::new();
    let shared = "executor: shared-iterations\n    iterations: 10";
    bench.write("c.yaml", &definition(&server.url(), shared, "/"));
    let path = bench.path("c.yaml").display().to_string();
    let ended = bench.floodgate(&["capacity", &path]);
    ended.expect(104).refused("its load must be one number");
    bench.write("c.yaml", &definition(&server.url(), RATE, "/"));
    let ended = bench.floodgate(&["capacity", &path, "--start", "5", "--max", "2"]);
    ended
        .expect(104)
        .refused("the first load 5 is above the largest, 2");
    let ended = bench.floodgate(&["capacity", &path, "--precision", "90%"]);
    ended
        .expect(104)
        .refused("the precision \"90%\" is out of range");
    assert_eq!(server.counters().requests(), 0);
}
