//! What is sent, and how it is bounded. What arrives is read back from an emulator where the cloud's tests run.

use super::*;
use crate::schemes;
use crate::testing::{Nothing, key, row, run, trend};
use floodgate_records::metric::MetricKind;

fn shape(metrics: &[&str], dimensions: &[&str], most: usize) -> Shape {
    let owned = |all: &[&str]| all.iter().map(|&one| one.to_owned()).collect();
    Shape::new("checkout", owned(metrics), owned(dimensions), most, 60)
}

#[test]
fn values_have_their_counts_and_series_that_differ_elsewhere_are_one() {
    let failed = key(
        "http_req_failed",
        MetricKind::Rate,
        &[("name", "a"), ("status", "500")],
    );
    let fine = key(
        "http_req_failed",
        MetricKind::Rate,
        &[("name", "a"), ("status", "200")],
    );
    let requests = key("http_reqs", MetricKind::Counter, &[("name", "a")]);
    let other = key("data_sent", MetricKind::Counter, &[("name", "a")]);
    let times = key(
        "http_req_response_time",
        MetricKind::Trend,
        &[("name", "a")],
    );
    let rows = [
        row(&failed, 5_000, 3, 3.0),
        row(&fine, 5_000, 7, 0.0),
        row(&requests, 5_000, 10, 10.0),
        row(&other, 5_000, 10, 99.0),
        trend(&times, 5_000, 1, [1_000, 1_000, 2_500]),
    ];
    let mut shape = shape(
        &["http_req_failed", "http_reqs", "http_req_response_time"],
        &["name"],
        9,
    );
    let (found, left_out) = data(&rows, &mut shape);
    assert_eq!(left_out, 0);
    let of = |metric: &str| found.iter().find(|d| d.metric == metric).unwrap();
    assert_eq!(of("http_req_failed").values, [(0.0, 7), (1.0, 3)]);
    assert_eq!(of("http_reqs").values, [(10.0, 1)]);
    assert_eq!(of("http_req_response_time").values, [(1.0, 2), (2.5, 1)]);
    assert_eq!(found.len(), 3);
    let json = of("http_req_response_time").json();
    assert_eq!(
        json,
        json!({
            "MetricName": "http_req_response_time",
            "Dimensions": [{ "Name": "test", "Value": "checkout" }, { "Name": "name", "Value": "a" }],
            "Timestamp": 5.0, "Values": [1.0, 2.5], "Counts": [2, 1], "Unit": "Milliseconds", "StorageResolution": 60,
        })
    );
}

#[test]
fn no_datum_and_no_request_is_larger_than_the_service_takes() {
    let times = key(
        "http_req_response_time",
        MetricKind::Trend,
        &[("name", "a")],
    );
    let rows: Vec<_> = (0..200)
        .map(|second| {
            trend(
                &times,
                second * 1_000,
                1,
                (0..1_500).map(|n| 1_000 + n * 977),
            )
        })
        .collect();
    let (found, _) = data(&rows, &mut shape(&[], &["name"], 9));
    assert!(
        found
            .iter()
            .all(|datum| datum.values.len() <= datum::VALUES)
    );
    let samples: u64 = found.iter().flat_map(|d| &d.values).map(|(_, n)| n).sum();
    assert_eq!(samples, 200 * 1_500);
    let requests = requests(&found);
    assert!(requests.len() > 1);
    for request in &requests {
        assert!(request.len() <= 1_000);
        assert!(serde_json::to_string(request).unwrap().len() < 1_000_000);
    }
    assert_eq!(requests.iter().map(Vec::len).sum::<usize>(), found.len());
}

#[test]
fn metrics_past_the_bound_are_left_out_and_counted() {
    let names = ["a", "b", "c", "a"];
    let rows: Vec<_> = names
        .iter()
        .enumerate()
        .map(|(n, name)| {
            let key = key("http_reqs", MetricKind::Counter, &[("name", name)]);
            row(&key, n as i64 * 1_000, 1, 1.0)
        })
        .collect();
    let mut shape = shape(&[], &["name"], 2);
    let (found, left_out) = data(&rows, &mut shape);
    assert_eq!((found.len(), left_out), (3, 1));
    // A batch that is repeated is the same.
    assert_eq!(data(&rows, &mut shape), (found, 1));
}

#[test]
fn dimensions_are_what_the_service_takes() {
    let odd = key(
        "http_reqs",
        MetricKind::Counter,
        &[("name", ": caf\u{e9}\n"), ("group", " ")],
    );
    let (found, _) = data(
        &[row(&odd, 0, 1, 1.0)],
        &mut shape(&[], &["name", "group", "scenario"], 2),
    );
    let dimensions: Vec<_> = found[0]
        .dimensions
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    assert_eq!(dimensions, [("test", "checkout"), ("name", "caf")]);
}

#[test]
fn options_are_checked() {
    for (url, part) in [
        ("cloudwatch:", "valid namespace"),
        ("cloudwatch://AWS/EC2", "valid namespace"),
        ("cloudwatch://Load?resolution=5", "60, or 1"),
        ("cloudwatch://Load?max_metrics=0", "from 1 to"),
        ("cloudwatch://Load?token=${env:X}", "takes no token"),
    ] {
        let opened = schemes::parse(url, &Nothing)
            .and_then(|target| schemes::open(&target, &run()).map(drop));
        let error = opened.unwrap_err().to_string();
        assert!(error.contains(part), "{url}: {error}");
    }
    let target = schemes::parse("cloudwatch://Load/tests?region=eu-west-1", &Nothing).unwrap();
    assert!(schemes::open(&target, &run()).is_ok());
}
