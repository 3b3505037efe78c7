//! Encoding, decoding and merging of a task's shard: 10 s of 20 names with 50 requests a second each.
#![allow(clippy::unwrap_used, missing_docs)]

use divan::{Bencher, black_box};
use floodgate_core::histogram::Histogram;
use floodgate_core::merge::Merger;
use floodgate_core::shard::{Content, Row, Shard, ShardMeta, Sources, decode, encode};
use floodgate_records::metric::{MetricKind, SeriesKey, Tags};
use std::sync::Arc;

fn main() {
    divan::main();
}

fn shard() -> Shard {
    let mut random = fastrand::Rng::with_seed(7);
    let mut rows = Vec::new();
    for metric in [
        "http_req_duration",
        "http_req_response_time",
        "http_reqs",
        "http_req_failed",
    ] {
        let kind = if metric.ends_with('s') {
            MetricKind::Counter
        } else {
            MetricKind::Trend
        };
        let kind = if metric == "http_req_failed" {
            MetricKind::Rate
        } else {
            kind
        };
        for name in 0..20 {
            let tags = Tags::new()
                .with("name", format!("/api/{name}"))
                .with("method", "GET")
                .with("status", "200");
            let key = Arc::new(SeriesKey {
                metric: metric.into(),
                kind,
                tags,
            });
            for second in 0..10 {
                let mut h = Histogram::new();
                (0..50).for_each(|_| h.record(3_000 + random.u64(..5_000)));
                let mut bytes = Vec::new();
                h.encode_v2(&mut bytes);
                let trend = kind == MetricKind::Trend;
                rows.push(Row {
                    time_ms: second * 1_000,
                    window_s: 1,
                    key: key.clone(),
                    count: 50,
                    sum: if trend { h.sum() as f64 } else { 50.0 },
                    min: if trend { h.min() as f64 } else { 1.0 },
                    max: if trend { h.max() as f64 } else { 1.0 },
                    histogram: trend.then(|| bytes.into()),
                });
            }
        }
    }
    let sources = Sources::one(0, 0);
    let (execution, segment) = ("x".into(), String::new());
    Shard {
        meta: ShardMeta {
            content: Content::Shard,
            execution,
            segment,
            sources,
            start_ms: 0,
            end_ms: 10_000,
        },
        rows,
    }
}

#[divan::bench]
fn shard_encode(bencher: Bencher<'_, '_>) {
    let shard = shard();
    bencher
        .counter(shard.rows.len())
        .bench_local(|| encode(&shard.meta, black_box(&shard.rows)).unwrap());
}

#[divan::bench]
fn shard_decode(bencher: Bencher<'_, '_>) {
    let shard = shard();
    let bytes = encode(&shard.meta, &shard.rows).unwrap();
    bencher
        .counter(shard.rows.len())
        .bench_local(|| decode(black_box(&bytes)).unwrap());
}

/// Into windows that are open already, as all tasks' shards but the first are.
#[divan::bench]
fn shard_merge(bencher: Bencher<'_, '_>) {
    let mut shard = shard();
    let mut merger = Merger::new("x", std::io::sink()).unwrap();
    merger.push(&shard).unwrap();
    let mut task = 0;
    bencher.counter(shard.rows.len()).bench_local(|| {
        task += 1;
        shard.meta.sources = Sources::one(task, 0);
        merger.push(black_box(&shard)).unwrap()
    });
}
