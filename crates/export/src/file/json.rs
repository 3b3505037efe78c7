//! JSON lines: a row each, or k6's metrics and points.

use super::Format;
use crate::points::{Point, Points, points};
use crate::row::Row;
use crate::sink::Run;
use chrono::{DateTime, SecondsFormat};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::io::{self, Write};

/// An object a row, with all buckets of trends.
pub(super) struct Lines;

impl Format for Lines {
    fn head(&mut self, run: &Run) -> Vec<u8> {
        let head = json!({
            "schema": 1,
            "execution": run.execution.id,
            "project": run.execution.project,
            "test": run.execution.test,
            "testid": run.testid,
        });
        format!("{head}\n").into_bytes()
    }

    fn rows(&mut self, rows: &[Row], out: &mut Vec<u8>) -> io::Result<()> {
        for row in rows {
            let scale = row.scale();
            let mut line = json!({
                "time_ms": row.time_ms,
                "window_s": row.window_s,
                "metric": row.key.metric,
                "kind": row.key.kind,
                "contains": row.contains,
                "tags": row.key.tags,
                "count": row.count,
                "sum": row.sum / scale,
                "min": row.min / scale,
                "max": row.max / scale,
            });
            if let (Some(histogram), Some(line)) = (&row.histogram, line.as_object_mut()) {
                let value = |q: f64| Value::from(row.quantile(q));
                line.insert("mean".into(), row.mean().into());
                for (name, q) in [("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99)] {
                    line.insert(name.into(), value(q));
                }
                let buckets = histogram
                    .buckets()
                    .map(|bucket| json!([bucket.highest as f64 / scale, bucket.count]));
                line.insert("buckets".into(), buckets.collect());
            }
            writeln!(out, "{line}")?;
        }
        Ok(())
    }
}

/// k6's output: `Metric` once for each metric, before its first `Point`
/// (<https://grafana.com/docs/k6/latest/results-output/real-time/json/>).
pub(super) struct K6 {
    points: Points,
    testid: String,
    /// Metrics that the file declares, and those that the batch would that is being written.
    declared: BTreeSet<String>,
    fresh: BTreeSet<String>,
}

impl K6 {
    pub(super) fn new(points: Points) -> Self {
        Self {
            points,
            testid: String::new(),
            declared: BTreeSet::new(),
            fresh: BTreeSet::new(),
        }
    }
}

impl Format for K6 {
    fn head(&mut self, run: &Run) -> Vec<u8> {
        self.testid.clone_from(&run.testid);
        Vec::new()
    }

    fn rows(&mut self, rows: &[Row], out: &mut Vec<u8>) -> io::Result<()> {
        // A batch that is written again declares them again.
        self.fresh.clear();
        let mut result = Ok(());
        points(rows, self.points, |row, points| {
            if result.is_ok() {
                result = self.write(row, points, out);
            }
        });
        result
    }

    fn taken(&mut self) {
        self.declared.append(&mut self.fresh);
    }
}

impl K6 {
    fn write(&mut self, row: &Row, points: &[Point], out: &mut Vec<u8>) -> io::Result<()> {
        let metric = &row.key.metric;
        if !self.declared.contains(metric) && self.fresh.insert(metric.clone()) {
            let line = json!({
                "type": "Metric",
                "data": {
                    "name": metric,
                    "type": row.key.kind,
                    "contains": row.contains,
                    "thresholds": [],
                    "submetrics": null,
                },
                "metric": metric,
            });
            writeln!(out, "{line}")?;
        }
        let mut tags: Map<String, Value> = Map::new();
        for (name, value) in &row.key.tags.0 {
            tags.insert(name.clone(), value.as_str().into());
        }
        tags.entry("testid")
            .or_insert_with(|| self.testid.as_str().into());
        let tags = Value::Object(tags).to_string();
        let metric = Value::from(metric.as_str());
        for point in points {
            let (time, value) = (rfc3339(point.time_ns), Value::from(point.value));
            writeln!(
                out,
                r#"{{"metric":{metric},"type":"Point","data":{{"time":"{time}","value":{value},"tags":{tags}}}}}"#
            )?;
        }
        Ok(())
    }
}

fn rfc3339(time_ns: i64) -> String {
    let time = DateTime::from_timestamp_nanos(time_ns);
    time.to_rfc3339_opts(SecondsFormat::Nanos, true)
}
