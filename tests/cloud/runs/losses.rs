//! Tasks that die, never come or come late.

use super::shop;
use crate::execution::{arrivals, eventually, input};
use crate::stack::{Stack, emulator_addr};
use floodgate_core::execution::control::StopReason;
use floodgate_core::execution::record::Status;
use floodgate_target::proxy::{Fault, Proxy, Rule};
use std::time::Duration;

/// Starts a run of two tasks and kills the second.
async fn killed(stack: &Stack, test: &str, rest: &str) -> (crate::execution::Ended, u64) {
    let shop = shop();
    let definition = arrivals(test, &shop.url(), (60, "8s"), 2, rest);
    let run = stack.start(&input(test, &definition)).await;
    eventually("the load", || shop.counters().requests() > 120).await;
    run.docker(&["kill", "--signal", "KILL"], 1).await;
    let ended = run.end().await;
    (ended, shop.counters().requests())
}

/// What a killed task loses: what it has measured since its last shard, and no more.
fn assert_only_the_tail_is_missing(merged: u64, counted: u64) {
    // The second task sends 30 a second.
    assert!(merged <= counted, "{merged} of {counted}");
    assert!(counted - merged <= 30 * 8, "{merged} of {counted}");
    assert!(merged >= 240, "the first task's share is whole: {merged} of {counted}");
}

#[tokio::test]
#[ignore = "needs the emulator: cargo xtask test"]
async fn a_killed_container_leaves_no_verdict() {
    let (ended, counted) = killed(&Stack::shared().await, "killed", "").await;
    ended.expect(Status::Inconclusive, "Floodgate.Inconclusive");
    assert_eq!(ended.record.completeness.clone().unwrap().tasks_lost, [1]);
    assert!(ended.record.reasons.iter().any(|reason| reason.contains("task")), "{:?}", ended.record.reasons);
    assert_only_the_tail_is_missing(ended.requests(), counted);
}

#[tokio::test]
#[ignore = "needs the emulator: cargo xtask test"]
async fn a_killed_container_within_the_tolerance_is_a_warning() {
    let rest = "  tolerance: 50%\n  min_applied_load: 10%\nthresholds:\n  http_req_failed: [rate<0.01]";
    let (ended, counted) = killed(&Stack::shared().await, "tolerated", rest).await;
    ended.expect(Status::Passed, "");
    assert_eq!(ended.record.completeness.clone().unwrap().tasks_lost, [1]);
    assert!(!ended.record.warnings.is_empty());
    assert_only_the_tail_is_missing(ended.requests(), counted);
}

#[tokio::test]
#[ignore = "needs the emulator: cargo xtask test"]
async fn a_task_that_never_becomes_ready_ends_the_run_before_any_load() {
    let (proxy, shop) = (Proxy::start(emulator_addr()).unwrap(), shop());
    proxy.set(vec![Rule::path("/control/ready/0001", Fault::Hold)]);
    let stack = Stack::own(
        "never-ready",
        &["--generator-s3", &proxy.url(), "--placement", r#"{"start_timeout_s": 6}"#],
    ).await;
    let definition = arrivals("never-ready", &shop.url(), (50, "3s"), 2, "");
    let ended = stack.start(&input("never-ready", &definition)).await.end().await;
    ended.expect(Status::Errored, "Floodgate.Errored");
    assert_eq!(ended.record.stopped_by.clone().map(|stop| stop.reason), Some(StopReason::TasksLost));
    assert!(proxy.faults() > 0);
    assert_eq!(shop.counters().requests(), 0);
}

#[tokio::test]
#[ignore = "needs the emulator: cargo xtask test"]
async fn all_wait_for_a_task_that_is_late() {
    let (proxy, shop) = (Proxy::start(emulator_addr()).unwrap(), shop());
    proxy.set(vec![Rule::path("/control/ready/0001", Fault::Hold)]);
    let stack = Stack::own("late", &["--generator-s3", &proxy.url()]).await;
    let definition = arrivals("late", &shop.url(), (50, "3s"), 2, "thresholds:\n  http_reqs: [count==150]");
    let run = stack.start(&input("late", &definition)).await;
    eventually("the ready mark of the second task", || proxy.faults() > 0).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(shop.counters().requests(), 0, "the first task has not waited");
    proxy.set(vec![]);
    let ended = run.end().await;
    ended.expect(Status::Passed, "");
    assert_eq!((ended.requests(), shop.counters().requests()), (150, 150));
}
