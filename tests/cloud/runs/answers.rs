//! Runs that answer a question: how much a target takes, and whether it is slower than another one.

use super::cli::{expect, floodgate, output};
use super::shop;
use crate::execution::{PROJECT, arrivals};
use crate::stack::Stack;
use floodgate_records::capacity::CapacityEnd;
use floodgate_records::comparison::Change;
use floodgate_records::summary::Summary;
use floodgate_testserver::{Config, TestServer};

/// Tasks follow the steps that the watch orders, and the steps go on where one function left off.
#[tokio::test]
#[ignore = "needs the emulator: cargo xtask test"]
async fn the_capacity_of_a_service_is_found_by_several_tasks() {
    let (stack, folder) = (Stack::shared().await, tempfile::tempdir().unwrap());
    let service = TestServer::start(Config::service()).unwrap();
    let rest = "thresholds: {http_req_failed: rate<0.01, http_req_duration: p(95)<5000}";
    let definition = arrivals("capacity", &service.url(), (40, "1m"), 2, rest);
    let definition = definition.replace("get: /", "get: /bucket/80/10");
    std::fs::write(folder.path().join("test.yaml"), definition).unwrap();
    let search = [
        "capacity",
        "test.yaml",
        "--start",
        "40",
        "--settle",
        "2s",
        "--step",
        "4s",
        "--precision",
        "30%",
        "--max-duration",
        "2m",
        "--json",
    ];
    let said = expect(&output(floodgate(&stack, folder.path(), &search)).await, 0);
    let summary: Summary = serde_json::from_str(&said).unwrap();
    let capacity = summary.capacity.unwrap();
    assert_eq!(capacity.ended, CapacityEnd::Found, "{capacity:#?}");
    let (low, high) = (capacity.low.unwrap(), capacity.high.unwrap());
    assert!(low <= 80.8 && 80.8 <= high, "{low} to {high}");
    assert_eq!(
        capacity.limited_by.as_deref(),
        Some("http_req_failed: rate<0.01")
    );
    assert_eq!(summary.applied.http_reqs, service.counters().requests());
    let steps = &capacity.steps;
    assert!(steps.len() >= 3, "{steps:#?}");
}

/// Each task loads both targets in turns.
#[tokio::test]
#[ignore = "needs the emulator: cargo xtask test"]
async fn two_targets_are_loaded_in_turns_by_the_same_tasks() {
    let (stack, folder) = (Stack::shared().await, tempfile::tempdir().unwrap());
    let [head, base] = [shop(), shop()];
    let definition = arrivals("turns", &head.url(), (20, "10s"), 2, "");
    std::fs::write(folder.path().join("test.yaml"), definition).unwrap();
    let arguments = ["run", "test.yaml", "--against", &base.url(), "--json"];
    let said = expect(
        &output(floodgate(&stack, folder.path(), &arguments)).await,
        0,
    );
    let summary: Summary = serde_json::from_str(&said).unwrap();
    assert_eq!(summary.project, PROJECT);
    let requests = [&head, &base].map(|target| target.counters().requests());
    assert_eq!(requests, [100, 100]);
    let found = summary.comparison.unwrap();
    // Ten seconds decide nothing.
    assert!(
        found.in_turns && found.outcome == Change::Undecided,
        "{found:#?}"
    );
}
