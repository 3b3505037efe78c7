//! A run that is worse than the one it is compared with.

use super::receiver::Receiver;
use super::{run, told};
use crate::support::*;
use floodgate_testserver::{Config, TestServer};
use serde_json::Value;

/// As many requests in a second, held against the last run that passed. How fast this machine is plays no part.
fn definition(target: &TestServer, requests: u32, notify: &str) -> String {
    let baseline = "baseline: {method: tolerance, tolerance: 20%, metrics: [http_reqs count]}";
    let rest = format!("{baseline}\nnotify:\n{notify}");
    arrivals(&target.url(), requests, "1s", &rest)
}

#[test]
fn a_regression_is_told_of_once_with_the_change_against_the_baseline() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
    let receiver = Receiver::start();
    let url = receiver.url();
    // What is on by default, and one that wants to know of nothing else.
    let notify = format!(
        "  - webhook: '{url}/all'\n  - webhook: '{url}/only'\n    on: [regressed]\n  - webhook: '{url}/none'\n    on: [recovered]\n"
    );
    let base = run(&bench, &definition(&target, 20, &notify), 0, &["--json"]).summary();
    let none = receiver.take();
    assert!(none.is_empty(), "the first run has no baseline: {none:?}");

    let worse = run(&bench, &definition(&target, 10, &notify), 99, &["--json"]).summary();
    let mut all = receiver.take();
    all.sort_by_key(|request| request.path.clone());
    let paths: Vec<_> = all.iter().map(|request| request.path.as_str()).collect();
    assert_eq!(paths, ["/all", "/only"], "each of them once");
    for request in &all {
        let body = told(request);
        assert_eq!(body["type"], "run.regressed");
        let data = &body["data"];
        assert_eq!(data["execution"], worse.execution.as_str());
        assert_eq!(data["events"], serde_json::json!(["regressed", "failed"]));
        let found = &data["baseline"];
        assert_eq!(found["outcome"], "regressed");
        assert_eq!(found["execution"], base.execution.as_str());
        let changes = found["changes"].as_array().unwrap();
        assert_eq!(
            changes,
            &["http_reqs count 10 after 20 (-50 %, allowed 20 %)"]
        );
    }

    // As many as before: nothing of a regression, and whoever waited for its end hears of it.
    run(&bench, &definition(&target, 20, &notify), 0, &[]);
    let mut all = receiver.take();
    all.sort_by_key(|request| request.path.clone());
    let kinds: Vec<(String, Value)> = all
        .iter()
        .map(|request| (request.path.clone(), told(request)["type"].clone()))
        .collect();
    let recovered = |path: &str| (path.to_owned(), Value::from("run.recovered"));
    assert_eq!(kinds, [recovered("/all"), recovered("/none")]);
}
