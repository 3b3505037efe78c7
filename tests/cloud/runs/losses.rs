//! Tasks that die, never come or come late.

use super::shop;
use crate::execution::{Ended, arrivals, eventually, input};
use crate::stack::{Stack, emulator_addr};
use floodgate_records::control::StopReason;
use floodgate_records::status::Status;
use floodgate_testserver::proxy::{Fault, Proxy, Rule};
use std::time::Duration;

/// A run of two tasks of which the second was killed.
struct Killed {
    ended: Ended,
    /// Requests that the target had received then, and in all.
    before: u64,
    counted: u64,
}

impl Killed {
    async fn run(test: &str, rest: &str) -> Self {
        let (stack, shop) = (Stack::shared().await, shop());
        let definition = arrivals(test, &shop.url(), (60, "8s"), 2, rest);
        let run = stack.start(&input(test, &definition)).await;
        eventually("the load", || shop.counters().requests() > 120).await;
        run.docker(&["kill", "--signal", "KILL"], 1).await;
        let before = shop.counters().requests();
        let ended = run.end().await;
        let counted = shop.counters().requests();
        Self {
            ended,
            before,
            counted,
        }
    }

    /// What the killed task had measured since its last shard is missing, and nothing else: half of what had come by then,
    /// at most.
    fn assert_only_its_tail_is_missing(&self) {
        assert_eq!(
            self.ended.record.completeness.clone().unwrap().tasks_lost,
            [1]
        );
        let merged = self.ended.requests();
        let missing = self.counted.checked_sub(merged);
        assert!(
            missing.is_some_and(|n| n <= self.before / 2 + 20),
            "{merged} of {}",
            self.counted
        );
    }
}

#[tokio::test]
#[ignore = "needs the emulator: cargo xtask test"]
async fn a_killed_container_leaves_no_verdict() {
    let killed = Killed::run("killed", "").await;
    let ended = &killed.ended;
    ended.expect(Status::Inconclusive, "Floodgate.Inconclusive");
    assert_eq!(
        ended.record.stopped_by.clone().unwrap().reason,
        StopReason::TasksLost
    );
    assert!(ended.cause.contains("task 1"), "{}", ended.cause);
    killed.assert_only_its_tail_is_missing();
}

#[tokio::test]
#[ignore = "needs the emulator: cargo xtask test"]
async fn a_killed_container_within_the_tolerance_is_a_warning() {
    let rest =
        "  tolerance: 50%\n  min_applied_load: 10%\nthresholds:\n  http_req_failed: [rate<0.01]";
    let killed = Killed::run("tolerated", rest).await;
    killed.ended.expect(Status::Passed, "");
    let warnings = &killed.ended.record.warnings;
    assert!(
        warnings
            .iter()
            .any(|warning| warning.contains("1 task lost")),
        "{warnings:?}"
    );
    killed.assert_only_its_tail_is_missing();
    assert!(
        killed.ended.requests() >= 240,
        "the other task's share is whole"
    );
}

#[tokio::test]
#[ignore = "needs the emulator: cargo xtask test"]
async fn a_task_that_never_becomes_ready_ends_the_run_before_any_load() {
    let (proxy, shop) = (Proxy::start(emulator_addr()).unwrap(), shop());
    proxy.set(vec![Rule::path("/control/ready/0001", Fault::Hold)]);
    let stack = Stack::own(
        "never-ready",
        &[
            "--generator-s3",
            &proxy.url(),
            "--placement",
            r#"{"start_timeout_s": 6}"#,
        ],
    )
    .await;
    let definition = arrivals("never-ready", &shop.url(), (50, "3s"), 2, "");
    let ended = stack
        .start(&input("never-ready", &definition))
        .await
        .end()
        .await;
    ended.expect(Status::Errored, "Floodgate.Errored");
    assert_eq!(
        ended.record.stopped_by.clone().unwrap().reason,
        StopReason::TasksLost
    );
    assert!(ended.cause.contains("ready"), "{}", ended.cause);
    assert!(proxy.faults() > 0);
    assert_eq!(shop.counters().requests(), 0);
}

#[tokio::test]
#[ignore = "needs the emulator: cargo xtask test"]
async fn all_wait_for_a_task_that_is_late() {
    let (proxy, shop) = (Proxy::start(emulator_addr()).unwrap(), shop());
    proxy.set(vec![Rule::path("/control/ready/0001", Fault::Hold)]);
    let stack = Stack::own("late", &["--generator-s3", &proxy.url()]).await;
    let definition = arrivals(
        "late",
        &shop.url(),
        (50, "3s"),
        2,
        "thresholds:\n  http_reqs: [count==150]",
    );
    let run = stack.start(&input("late", &definition)).await;
    eventually("the ready mark of the second task", || proxy.faults() > 0).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(
        shop.counters().requests(),
        0,
        "the first task has not waited"
    );
    proxy.set(vec![]);
    let ended = run.end().await;
    ended.expect(Status::Passed, "");
    assert_eq!((ended.requests(), shop.counters().requests()), (150, 150));
}
