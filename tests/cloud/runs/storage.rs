//! S3 that fails in the middle of a run.

use super::shop;
use crate::execution::{arrivals, eventually, input};
use crate::stack::{Stack, emulator_addr};
use floodgate_records::status::Status;
use floodgate_testserver::proxy::{Fault, Proxy, Rule};
use std::time::Duration;

/// For ten seconds S3 answers nobody in a generator: first with errors, then not at all.
#[tokio::test]
#[ignore = "needs the emulator: cargo xtask test"]
async fn nothing_is_lost_while_s3_fails_for_ten_seconds() {
    let (proxy, shop) = (Proxy::start(emulator_addr()).unwrap(), shop());
    let stack = Stack::own("outage", &["--generator-s3", &proxy.url()]).await;
    let definition = arrivals(
        "outage",
        &shop.url(),
        (60, "15s"),
        2,
        "thresholds:\n  http_reqs: [count==900]",
    );
    let run = stack.start(&input("outage", &definition)).await;
    eventually("the load", || shop.counters().requests() > 60).await;
    for fault in [Fault::Status(503), Fault::Close] {
        proxy.set(vec![Rule::all(fault)]);
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
    proxy.set(vec![]);
    let ended = run.end().await;
    ended.expect(Status::Passed, "");
    assert!(proxy.faults() > 0, "the generators have not met the outage");
    assert_eq!((ended.requests(), shop.counters().requests()), (900, 900));
}
