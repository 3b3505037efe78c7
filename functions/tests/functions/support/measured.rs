//! What tasks measured, as they would have written it.

use super::{ID, Stack};
use floodgate_core::histogram::Histogram;
use floodgate_core::shard::{Content, Row, ShardMeta, Sources, encode, entry, window_s};
use floodgate_records::manifest::ShardEntry;
use floodgate_records::metric::{Builtin, SeriesKey, Tags};
use serde_json::json;
use std::ops::Range;
use std::sync::Arc;

/// Requests of each task in each second, so many of which failed in all.
pub const PER_SECOND: u64 = 5;

fn series(metric: Builtin) -> Arc<SeriesKey> {
    Arc::new(SeriesKey {
        metric: metric.name().to_owned(),
        kind: metric.kind(),
        tags: Tags::new().with("scenario", "browse").with("name", "GET /"),
    })
}

fn row(metric: Builtin, time_ms: i64, sum: f64) -> Row {
    Row {
        time_ms,
        window_s: window_s(metric.name()),
        key: series(metric),
        count: PER_SECOND,
        sum,
        min: 0.0,
        max: if sum > 0.0 { 1.0 } else { 0.0 },
        histogram: None,
    }
}

/// A second: each request took some more ms than the one before.
fn second(time_ms: i64) -> Vec<Row> {
    let mut histogram = Histogram::new();
    (1..=PER_SECOND).for_each(|n| histogram.record(n * 1_000));
    let exact = histogram.exact();
    let mut bytes = Vec::new();
    histogram.encode_v2(&mut bytes);
    let mut rows = vec![
        row(Builtin::HttpReqs, time_ms, PER_SECOND as f64),
        row(Builtin::Iterations, time_ms, PER_SECOND as f64),
        row(Builtin::HttpReqFailed, time_ms, 0.0),
    ];
    rows.push(Row {
        sum: exact.sum as f64,
        min: exact.min as f64,
        max: exact.max as f64,
        histogram: Some(bytes.into()),
        ..row(Builtin::HttpReqResponseTime, time_ms, 0.0)
    });
    rows
}

impl Stack {
    /// Shards and manifest of a task that sent its load for so many seconds.
    pub fn measured(&self, task: u32, seconds: i64) {
        self.measured_in_parts(task, &[seconds]);
    }

    /// The same in several shards, which end after so many seconds.
    pub fn measured_in_parts(&self, task: u32, ends: &[i64]) {
        let starts = [0].into_iter().chain(ends.iter().copied());
        let parts = starts.zip(ends).enumerate();
        let entries: Vec<_> = parts
            .map(|(number, (from, to))| self.shard(task, number, from..*to))
            .collect();
        self.manifest(task, json!(entries));
        let key = self.key(&format!("tasks/{task:04}.json"));
        let mut manifest = self.objects.json(&key);
        let sent = PER_SECOND * ends.last().copied().unwrap() as u64;
        for total in ["http_reqs", "iterations", "scheduled_iterations"] {
            manifest["totals"][total] = json!(sent);
        }
        self.objects.set(&key, manifest.to_string());
    }

    /// A shard of these seconds; what the manifest says of it.
    pub fn shard(&self, task: u32, number: usize, seconds: Range<i64>) -> ShardEntry {
        let start = self.objects.json(&self.key("control/start.json"));
        let start_ms = start["start_ms"].as_i64().unwrap();
        let at = |second: i64| start_ms + second * 1_000;
        let rows: Vec<Row> = seconds.clone().flat_map(|s| second(at(s))).collect();
        let number = number as u32;
        let meta = ShardMeta {
            content: Content::Shard,
            execution: ID.into(),
            segment: format!("{}/2", task + 1),
            sources: Sources::one(task, number),
            start_ms: at(seconds.start),
            end_ms: at(seconds.end),
        };
        let bytes = encode(&meta, &rows).unwrap();
        let entry = entry(number, rows.len(), &bytes);
        let key = self.key(&format!("shards/{task:04}/{number:06}.parquet"));
        self.objects.set(&key, bytes);
        entry
    }
}
