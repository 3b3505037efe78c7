//! Runs that go as they should, to the verdict that their data deserve.

use super::shop;
use crate::execution::{PROJECT, arrivals, input};
use crate::stack::Stack;
use floodgate_records::control::StopReason;
use floodgate_records::status::Status;
use floodgate_store::RecordStore as _;

#[tokio::test]
#[ignore = "needs the emulator: cargo xtask test"]
async fn a_run_passes_with_every_request_counted() {
    let stack = Stack::shared().await;
    let definition = |url: &str| {
        let thresholds = "thresholds:\n  http_req_failed: [rate<0.01]\n  http_reqs: [count==400]";
        arrivals("passes", url, (100, "4s"), 2, thresholds)
    };
    let (run, ended, shop) = stack.run_to_pass("passes", definition).await;
    assert_eq!((ended.requests(), shop.counters().requests()), (400, 400));
    let record = &ended.record;
    assert_eq!(record.run_arn.as_deref(), Some(run.arn.as_str()));
    assert_eq!(record.trigger.principal.as_deref(), Some("ann"));
    assert_eq!(
        (
            record.infrastructure.kind.as_str(),
            record.infrastructure.tasks
        ),
        ("aws", 2)
    );
    let completeness = record.completeness.clone().unwrap();
    assert_eq!(
        (completeness.tasks_reported, completeness.tasks_lost.len()),
        (2, 0)
    );
    assert_eq!(completeness.shards_merged, completeness.shards_expected);
    assert!(record.start_skew_us.is_some());
    let cost = record.cost.clone().unwrap();
    assert!(
        cost.actual_usd.unwrap() > 0.0 && cost.estimate_usd.unwrap() > 0.0,
        "{cost:?}"
    );
    let (first, last) = shop.counters().span_ms().unwrap();
    println!(
        "created to first request: {} ms; last request to verdict: {} ms",
        first - record.created_ms,
        record.ended_ms.unwrap() - last
    );
}

#[tokio::test]
#[ignore = "needs the emulator: cargo xtask test"]
async fn a_breached_threshold_fails_the_run() {
    let (stack, shop) = (Stack::shared().await, shop());
    let definition = arrivals(
        "fails",
        &shop.url(),
        (50, "3s"),
        1,
        "thresholds:\n  http_reqs: [count>1000]",
    );
    let ended = stack.start(&input("fails", &definition)).await.end().await;
    ended.expect(Status::Failed, "Floodgate.ThresholdsFailed");
    assert!(ended.cause.contains("http_reqs"), "{}", ended.cause);
    assert_eq!((ended.requests(), shop.counters().requests()), (150, 150));
    assert_eq!(ended.record.thresholds[0].observed, Some(150.0));
}

#[tokio::test]
#[ignore = "needs the emulator: cargo xtask test"]
async fn a_threshold_that_aborts_ends_the_run_early() {
    let (stack, shop) = (Stack::shared().await, shop());
    let definition = arrivals(
        "aborts",
        &shop.url(),
        (50, "60s"),
        2,
        "thresholds:\n  http_reqs: [{threshold: count<60, abortOnFail: true, delayAbortEval: 1s}]",
    );
    let ended = stack.start(&input("aborts", &definition)).await.end().await;
    ended.expect(Status::Failed, "Floodgate.ThresholdsFailed");
    let stop = ended.record.stopped_by.clone().unwrap();
    assert_eq!(stop.reason, StopReason::Threshold);
    assert!(ended.record.thresholds[0].aborted);
    ended.expect_requests_of(shop.counters());
    assert!(
        (60..3000).contains(&ended.requests()),
        "{}",
        ended.requests()
    );
}

#[tokio::test]
#[ignore = "needs the emulator: cargo xtask test"]
async fn an_invalid_definition_starts_nothing() {
    let (stack, shop) = (Stack::shared().await, shop());
    let definition = arrivals("invalid", &shop.url(), (50, "never"), 1, "");
    let run = stack.start(&input("invalid", &definition)).await;
    let (error, cause) = run.failure().await;
    assert_eq!(error, "Floodgate.InvalidDefinition");
    assert!(cause.contains("never"), "{cause}");
    // It is on record all the same, and stays as it is when the end of the execution is told.
    let ended = run.end().await;
    ended.expect(Status::Errored, "Floodgate.InvalidDefinition");
    let record = ended.record.clone();
    assert_eq!(record.error.as_deref(), Some("Floodgate.InvalidDefinition"));
    assert!(record.reasons[0].contains("never"), "{record:?}");
    assert!(ended.summary.is_none());
    let trail = stack.records.audit_trail(PROJECT).await.unwrap();
    let entries: Vec<_> = trail.iter().filter(|e| e.execution == run.id).collect();
    assert_eq!(entries.len(), 1, "{entries:?}");
    assert_eq!(
        (entries[0].principal.as_str(), entries[0].action.as_str()),
        ("ann", "refuse")
    );
    assert_eq!(shop.counters().requests(), 0);
}

/// With more shards than a function is given, the merge is a tree.
#[tokio::test]
#[ignore = "needs the emulator: cargo xtask test"]
async fn many_shards_are_merged_in_parts() {
    let stack = Stack::own("parts", &["--placement", r#"{"merge_shards": 3}"#]).await;
    let definition = |url: &str| {
        let thresholds = "thresholds:\n  http_reqs: [count==300]";
        arrivals("parts", url, (60, "5s"), 4, thresholds)
    };
    let (_, ended, shop) = stack.run_to_pass("parts", definition).await;
    assert_eq!((ended.requests(), shop.counters().requests()), (300, 300));
    let completeness = ended.record.completeness.unwrap();
    assert_eq!(completeness.shards_merged, completeness.shards_expected);
}

/// One run in two regions, each with a cluster of its own; the bucket lies in one of them.
#[tokio::test]
#[ignore = "needs the emulator: cargo xtask test"]
async fn two_regions_share_a_run_by_weight() {
    const OTHER: &str = "us-east-1";
    let stack = Stack::own("regions", &["--other-region", OTHER]).await;
    let rest = "  regions: [{region: eu-west-1, weight: 2}, {region: us-east-1, weight: 1}]\nthresholds:\n  http_reqs: [count==240]";
    let definition = |url: &str| arrivals("regions", url, (60, "4s"), 3, rest);
    let (run, ended, shop) = stack.run_to_pass("regions", definition).await;
    assert_eq!((ended.requests(), shop.counters().requests()), (240, 240));
    let record = &ended.record;
    assert_eq!(record.infrastructure.regions, ["eu-west-1", OTHER]);
    assert_eq!(record.completeness.clone().unwrap().tasks_reported, 3);
    let arns = run.placed().await;
    let there = arns.iter().filter(|arn| arn.contains(OTHER)).count();
    assert_eq!((arns.len(), there), (3, 1), "{arns:?}");
    assert_eq!(stack.running_in(OTHER).await, 0);
}
