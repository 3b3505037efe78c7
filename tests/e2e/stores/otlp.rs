//! OpenTelemetry: a Collector, and VictoriaMetrics.

use super::servers;
use super::{export, run, times};
use crate::export::server::installed;
use crate::support::*;
use floodgate_records::summary::Summary;
use serde_json::Value;
use std::collections::BTreeMap;

/// How far the upper bound of a bucket is above Floodgate's own quantile at most: 2^(1/32) - 1.
const ERROR: f64 = 0.0219;

/// All points of a metric that a Collector wrote.
fn points(lines: &str, metric: &str, kind: &str) -> Vec<Value> {
    let lines = lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let list = |value: &Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
    let scopes = lines
        .flat_map(|line| list(&line, "resourceMetrics"))
        .flat_map(|r| list(&r, "scopeMetrics"));
    let metrics = scopes.flat_map(|scope| list(&scope, "metrics"));
    let found = metrics.filter(|m| m["name"] == format!("floodgate.{metric}"));
    found.flat_map(|m| list(&m[kind], "dataPoints")).collect()
}

/// 64-bit numbers are texts in the JSON of protobuf.
fn whole(value: &Value) -> u64 {
    value
        .as_str()
        .map_or_else(|| value.as_u64().unwrap_or(0), |text| text.parse().unwrap())
}

/// The last point of each series.
fn last(points: Vec<Value>) -> Vec<Value> {
    let mut series = BTreeMap::new();
    for point in points {
        series.insert(point["attributes"].to_string(), point);
    }
    series.into_values().collect()
}

/// What the exponential histograms of all series say together: count, sum, and a quantile as the upper bound of its bucket.
fn quantile(points: &[Value], q: f64) -> (u64, f64, f64) {
    let mut buckets: BTreeMap<i64, u64> = BTreeMap::new();
    let (mut count, mut sum) = (0, 0.0);
    for point in points {
        assert_eq!(point["scale"], 5);
        count += whole(&point["count"]);
        sum += point["sum"].as_f64().unwrap();
        *buckets.entry(i64::MIN).or_default() += whole(&point["zeroCount"]);
        let offset = point["positive"]["offset"].as_i64().unwrap_or(0);
        for (n, i) in point["positive"]["bucketCounts"]
            .as_array()
            .into_iter()
            .flatten()
            .zip(offset..)
        {
            *buckets.entry(i).or_default() += whole(n);
        }
    }
    assert_eq!(buckets.values().sum::<u64>(), count);
    let rank = (q * count as f64).ceil() as u64;
    let mut seen = 0;
    let found = buckets.iter().find(|(_, n)| {
        seen += **n;
        seen >= rank
    });
    (count, sum, ((*found.unwrap().0 + 1) as f64 / 32.0).exp2())
}

/// Whether what was written is what a run measured.
pub fn agrees(lines: &str, summary: &Summary, delta: bool) {
    let of = |metric: &str, kind: &str| {
        let all = points(lines, metric, kind);
        if delta { all } else { last(all) }
    };
    let sum = |metric: &str| {
        of(metric, "sum")
            .iter()
            .map(|p| p["asDouble"].as_f64().unwrap())
            .sum::<f64>()
    };
    let requests = value(summary, "http_reqs", "count");
    let failed = summary.requests.iter().map(|r| r.failed).sum::<u64>() as f64;
    assert_eq!(
        [
            sum("http_reqs"),
            sum("http_req_failed"),
            sum("http_req_failed.samples")
        ],
        [requests, failed, requests]
    );
    let histograms = of("http_req_duration", "exponentialHistogram");
    for (q, ms) in times(summary) {
        let (count, total, s) = quantile(&histograms, q);
        assert_eq!(count as f64, requests);
        let average = value(summary, "http_req_duration", "avg");
        assert!((total * 1e3 / requests - average).abs() < 1e-9 * average);
        let own = ms / 1e3;
        assert!(
            s >= own * (1.0 - 1e-9) && s <= own * (1.0 + ERROR),
            "{q}: {s} s, not {own} s"
        );
    }
}

#[test]
fn a_collector_gets_runs_as_they_were() {
    let Some(program) = installed("FLOODGATE_OTELCOL") else {
        return;
    };
    let bench = Bench::new();
    let summary = run(&bench, "e2e", 60);
    for temporality in ["delta", "cumulative"] {
        let server = servers::collector(&program);
        let url = format!(
            "otlp+http://127.0.0.1:{}?temporality={temporality}",
            server.port
        );
        export(&bench, &summary, &url);
        agrees(&written(&server), &summary, temporality == "delta");
    }
}

/// What a Collector has written of a run, when it has written all of it.
pub fn written(server: &servers::Server) -> String {
    let got = server.path("got.json");
    let mut text = String::new();
    eventually("the collector has written everything", || {
        text = std::fs::read_to_string(&got).unwrap_or_default();
        let complete = text.ends_with('\n');
        let sent: f64 = last(points(
            if complete { &text } else { "" },
            "iterations",
            "sum",
        ))
        .iter()
        .map(|p| p["asDouble"].as_f64().unwrap())
        .sum();
        complete && sent > 0.0
    });
    text
}

#[test]
fn victoriametrics_takes_otlp() {
    let Some(program) = installed("FLOODGATE_VICTORIA") else {
        return;
    };
    let server = servers::victoria(&program);
    let bench = Bench::new();
    let summary = run(&bench, "e2e", 60);
    export(
        &bench,
        &summary,
        &format!(
            "otlp+http://127.0.0.1:{}/opentelemetry/v1/metrics",
            server.port
        ),
    );
    server.get("/internal/force_flush").unwrap();
    let query = "sum(last_over_time({__name__=\"floodgate.http_reqs\"}[1h]))";
    let now = summary.started_ms.unwrap() as f64 / 1e3 + summary.duration_s + 15.0;
    assert_eq!(
        server.promql(query, now),
        Some(value(&summary, "http_reqs", "count"))
    );
}
