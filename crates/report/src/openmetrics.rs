//! The main figures as samples of OpenMetrics, which GitLab shows beside those of the target branch (`artifacts:reports:metrics`,
//! <https://docs.gitlab.com/ci/testing/metrics_reports/>).

use crate::figure::times_of;
use floodgate_records::metric::Builtin;
use floodgate_records::printable::printable;
use floodgate_records::status::Status;
use floodgate_records::summary::Summary;
use std::fmt::Write as _;

/// A sample a line, with the labels `test` and, of a request, `name`; times in seconds. There are no comments, and no blanks in labels (`_` stands
/// for them): GitLab takes what stands before the first blank as the name of a metric.
pub fn openmetrics(summary: &Summary) -> String {
    let test = label(&format!("{}/{}", summary.project, summary.test));
    let mut lines = String::new();
    let mut sample = |name: &str, labels: &str, value: f64| {
        // Writing to a string cannot fail.
        let _ = writeln!(lines, "floodgate_{name}{{test=\"{test}\"{labels}}} {value}");
    };
    let passed = summary.status == Status::Passed;
    sample("passed", "", f64::from(u8::from(passed)));
    let a = &summary.applied;
    sample("requests", "", a.http_reqs as f64);
    sample("iterations", "", a.iterations as f64);
    sample("dropped_iterations", "", a.dropped_iterations as f64);
    if summary.duration_s > 0.0 {
        let rate = a.http_reqs as f64 / summary.duration_s;
        sample("requests_per_second", "", (rate * 100.0).round() / 100.0);
    }
    let failed = summary.metrics.get(Builtin::HttpReqFailed.name());
    if let Some(ratio) = failed.and_then(|m| m.values.get("rate")) {
        sample("failed_ratio", "", *ratio);
    }
    for (name, metric) in [
        ("response_time_seconds", Builtin::HttpReqResponseTime),
        ("service_time_seconds", Builtin::HttpReqDuration),
    ] {
        let values = summary.metrics.get(metric.name()).map(|m| &m.values);
        let values = values.filter(|_| !summary.is_unanswered(metric.name()));
        for (quantile, aggregate) in QUANTILES {
            if let Some(ms) = values.and_then(|values| values.get(aggregate)) {
                sample(name, &format!(",quantile=\"{quantile}\""), seconds(*ms));
            }
        }
    }
    for r in summary.requests.iter().filter(|r| r.names == 1) {
        let name = format!(",name=\"{}\"", label(&r.name));
        sample("request_failures", &name, r.failed as f64);
        let times = times_of(r).filter(|_| r.responses > 0);
        let times = times.map(|(_, times)| times);
        for (quantile, aggregate) in QUANTILES {
            if let Some(ms) = times.and_then(|times| times.get(aggregate)) {
                let labels = format!("{name},quantile=\"{quantile}\"");
                sample("request_time_seconds", &labels, seconds(*ms));
            }
        }
    }
    lines
}

/// Whole µs, as they are measured.
fn seconds(ms: f64) -> f64 {
    (ms * 1e3).round() / 1e6
}

const QUANTILES: [(&str, &str); 3] = [("0.5", "med"), ("0.95", "p(95)"), ("0.99", "p(99)")];

/// A label's value without its quotes.
fn label(text: &str) -> String {
    let text = printable(text).replace('\\', "\\\\").replace('"', "\\\"");
    text.replace(char::is_whitespace, "_")
}
