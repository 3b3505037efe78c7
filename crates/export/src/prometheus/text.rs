//! The text format that Prometheus scrapes
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>).

use super::names::{family, labels};
use super::samples::{Style, kind_of, values};
use crate::running::{Running, Total};
use floodgate_records::metric::{MetricKind, SeriesKey};
use std::fmt::Write as _;
use std::sync::Arc;

/// What is answered with it.
pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// All totals.
pub(super) fn text(running: &Running, run: &[(String, String)]) -> String {
    let mut out = String::new();
    let all: Vec<_> = running.totals().collect();
    let mut rest = &all[..];
    while let Some((first, _)) = rest.first() {
        let metric = &first.metric;
        let end = rest.partition_point(|(key, _)| key.metric == *metric);
        group(&mut out, &rest[..end], run);
        rest = &rest[end..];
    }
    out
}

/// All series of a metric; the samples of a name have to stand together.
fn group(out: &mut String, series: &[(&Arc<SeriesKey>, &Total)], run: &[(String, String)]) {
    let Some((first, total)) = series.first() else {
        return;
    };
    let family = family(&first.metric, first.kind, total.contains);
    let kind = kind_of(first.kind, &first.metric);
    let endings: &[&str] = match first.kind {
        MetricKind::Rate => &["_total", "_samples_total"],
        MetricKind::Counter => &["_total"],
        MetricKind::Gauge | MetricKind::Trend => &[""],
    };
    for ending in endings {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "# TYPE {family}{ending} {kind}");
        for (key, total) in series {
            let labels = labels(key, run);
            let labels: String = labels
                .iter()
                .map(|(name, value)| format!("{name}=\"{}\",", escaped(value)))
                .collect();
            let labels = labels.trim_end_matches(',');
            let wanted =
                |name: &str| !ending.starts_with('_') || name == format!("{family}{ending}");
            for value in values(key, total, Style::Classic) {
                if !wanted(&value.name) {
                    continue;
                }
                let le = value
                    .le
                    .map(|le| format!(",le=\"{le}\""))
                    .unwrap_or_default();
                let _ = writeln!(out, "{}{{{labels}{le}}} {}", value.name, value.value);
            }
        }
    }
}

fn escaped(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{key, row, trend};

    #[test]
    fn families_stand_together_and_labels_are_escaped() {
        let mut running = Running::default();
        let mut batch = running.batch();
        for (name, failed) in [("home \"\\\n", 1.0), ("cart", 0.0)] {
            let tags = [("name", name)];
            batch.add(&row(
                &key("http_req_failed", MetricKind::Rate, &tags),
                0,
                4,
                failed,
            ));
            batch.add(&row(
                &key("http_reqs", MetricKind::Counter, &tags),
                0,
                4,
                4.0,
            ));
            batch.add(&trend(
                &key("http_req_sending", MetricKind::Trend, &tags),
                0,
                10,
                [1_000, 3_000],
            ));
        }
        let changed = batch.changed();
        running.take(changed);
        let run = [("testid".to_owned(), "id".to_owned())];
        assert_eq!(
            text(&running, &run),
            r#"# TYPE floodgate_http_req_failed_total counter
floodgate_http_req_failed_total{name="cart",testid="id"} 0
floodgate_http_req_failed_total{name="home \"\\\n",testid="id"} 1
# TYPE floodgate_http_req_failed_samples_total counter
floodgate_http_req_failed_samples_total{name="cart",testid="id"} 4
floodgate_http_req_failed_samples_total{name="home \"\\\n",testid="id"} 4
# TYPE floodgate_http_req_sending_seconds summary
floodgate_http_req_sending_seconds_sum{name="cart",testid="id"} 0.004
floodgate_http_req_sending_seconds_count{name="cart",testid="id"} 2
floodgate_http_req_sending_seconds_sum{name="home \"\\\n",testid="id"} 0.004
floodgate_http_req_sending_seconds_count{name="home \"\\\n",testid="id"} 2
# TYPE floodgate_http_reqs_total counter
floodgate_http_reqs_total{name="cart",testid="id"} 4
floodgate_http_reqs_total{name="home \"\\\n",testid="id"} 4
"#
        );
    }
}
