//! What a run measured, as log lines in CloudWatch's embedded metric format: no call, no permission, one point a run and figure.
//!
//! Each figure with its dimensions is a custom metric there, which costs money by the month: only the headline of a run is written, and
//! what its thresholds judge.

use floodgate_log::{Sink, write};
use floodgate_records::metric::{Contains, MetricKind};
use floodgate_records::status::Status;
use floodgate_records::summary::{MetricSummary, Summary};
use serde_json::{Map, Value, json};

/// What is written of every run that has it; of other metrics those with thresholds.
const METRICS: [&str; 5] = [
    "http_reqs",
    "http_req_failed",
    "http_req_response_time",
    "iterations",
    "dropped_iterations",
];
/// Metrics of a directive at most, a limit of the format
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>).
const MOST: usize = 100;
/// Characters of a name at most, a limit of the service.
const LONGEST_NAME: usize = 1_024;

/// A figure of the run, such as `http_reqs.count`.
struct Figure {
    name: String,
    unit: &'static str,
    value: f64,
}

/// Writes the figures of a run that was judged. Of one that was not, no figure says anything.
pub(crate) fn emit(out: &Sink, namespace: &str, stack: &str, at_ms: i64, summary: &Summary) {
    if !matches!(summary.status, Status::Passed | Status::Failed) {
        return;
    }
    for some in figures(summary).chunks(MOST) {
        write(out, &line(namespace, stack, at_ms, summary, some));
    }
}

fn figures(summary: &Summary) -> Vec<Figure> {
    let wanted = summary
        .metrics
        .iter()
        .filter(|(name, metric)| METRICS.contains(&name.as_str()) || !metric.thresholds.is_empty());
    let all = wanted.flat_map(|(name, metric)| {
        metric.values.iter().map(move |(figure, value)| Figure {
            name: format!("{name}.{figure}"),
            unit: unit(metric, figure),
            value: *value,
        })
    });
    let is_sound = |figure: &Figure| {
        let is_plain = |c: char| c.is_ascii() && !c.is_ascii_control();
        figure.value.is_finite()
            && figure.name.len() <= LONGEST_NAME
            && figure.name.chars().all(is_plain)
    };
    all.filter(is_sound).collect()
}

fn unit(metric: &MetricSummary, figure: &str) -> &'static str {
    match (metric.kind, metric.contains, figure) {
        (_, _, "count" | "passes" | "fails") if metric.contains != Contains::Data => "Count",
        (MetricKind::Counter, Contains::Data, "count") => "Bytes",
        (MetricKind::Counter, Contains::Data, "rate") => "Bytes/Second",
        (MetricKind::Counter, _, "rate") => "Count/Second",
        (MetricKind::Trend, Contains::Time, _) => "Milliseconds",
        _ => "None",
    }
}

fn line(namespace: &str, stack: &str, at_ms: i64, summary: &Summary, figures: &[Figure]) -> Value {
    let definitions: Vec<_> = figures
        .iter()
        .map(|figure| json!({ "Name": figure.name, "Unit": figure.unit }))
        .collect();
    let values = figures
        .iter()
        .map(|figure| (figure.name.clone(), json!(figure.value)));
    let mut line: Map<String, Value> = values.collect();
    for (name, value) in [
        ("Stack", stack),
        ("Project", &summary.project),
        ("Test", &summary.test),
        // No dimension: each run would be metrics of its own.
        ("Execution", &summary.execution),
    ] {
        line.insert(name.to_owned(), value.into());
    }
    let directive = json!({
        "Namespace": namespace,
        "Dimensions": [["Stack", "Project", "Test"]],
        "Metrics": definitions,
    });
    let about = json!({ "Timestamp": at_ms, "CloudWatchMetrics": [directive] });
    line.insert("_aws".to_owned(), about);
    Value::Object(line)
}
