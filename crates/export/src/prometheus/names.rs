//! What metrics and labels are called.
//!
//! A metric is `floodgate_`, its name, and its unit: `_seconds` of times, `_bytes` of data; counters end in `_total`. A rate is two of
//! them: `…_total` has the samples that are not zero, `…_samples_total` all. Tags are labels; one whose name would be another label's is
//! `tag_…`.

use crate::sink::Run;
use floodgate_records::metric::{Builtin, Contains, MetricKind, SeriesKey};
use std::collections::BTreeMap;

/// Labels that are not tags.
const TAKEN: [&str; 5] = ["project", "test", "le", "quantile", "__name__"];

/// The name of a metric without the endings of its samples.
pub(super) fn family(metric: &str, kind: MetricKind, contains: Contains) -> String {
    let metric = valid(metric);
    let unit = match (kind, contains) {
        (MetricKind::Trend, Contains::Time) => "_seconds",
        (MetricKind::Trend | MetricKind::Counter, Contains::Data) => "_bytes",
        _ => "",
    };
    format!("floodgate_{metric}{unit}")
}

/// What a histogram's values are divided by for the unit of [`family`]: µs to seconds, thousandths to whole ones.
pub(super) fn per_unit(contains: Contains) -> f64 {
    match contains {
        Contains::Time => 1e6,
        _ => 1e3,
    }
}

/// Whether a trend has buckets where each of them is a series of its own: what people look at, and not each phase of a request.
pub(super) fn has_buckets(metric: &str) -> bool {
    match Builtin::parse(metric) {
        Some(Builtin::HttpReqDuration | Builtin::HttpReqResponseTime) | None => true,
        Some(metric) => !metric.is_of_request(),
    }
}

/// What all series of a run have.
pub(super) fn run_labels(run: &Run) -> Vec<(String, String)> {
    let execution = &run.execution;
    [
        ("project", &execution.project),
        ("test", &execution.test),
        ("testid", &run.testid),
    ]
    .map(|(name, value)| (name.to_owned(), value.clone()))
    .into()
}

/// Labels of a series, by name, without that of the metric.
pub(super) fn labels(key: &SeriesKey, run: &[(String, String)]) -> BTreeMap<String, String> {
    let mut all: BTreeMap<String, String> = run.iter().cloned().collect();
    for (tag, value) in &key.tags.0 {
        let name = valid(tag);
        let name = match TAKEN.contains(&name.as_str()) || name.starts_with("__") {
            true => format!("tag_{name}"),
            false => name,
        };
        all.insert(name, value.clone());
    }
    all.retain(|_, value| !value.is_empty());
    all
}

/// `[a-zA-Z_][a-zA-Z0-9_]*`, as label names have to be and names of metrics may; other characters are `_`.
fn valid(name: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let name: String = name
        .chars()
        .map(|c| if fits(c) { c } else { '_' })
        .collect();
    match name.starts_with(|c: char| c.is_ascii_digit()) || name.is_empty() {
        true => format!("_{name}"),
        false => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::key;

    #[test]
    fn names_have_their_unit() {
        use Contains::{Data, Default, Time};
        for (metric, kind, contains, expected) in [
            (
                "http_reqs",
                MetricKind::Counter,
                Default,
                "floodgate_http_reqs",
            ),
            (
                "data_sent",
                MetricKind::Counter,
                Data,
                "floodgate_data_sent_bytes",
            ),
            (
                "http_req_duration",
                MetricKind::Trend,
                Time,
                "floodgate_http_req_duration_seconds",
            ),
            (
                "items per cart",
                MetricKind::Trend,
                Default,
                "floodgate_items_per_cart",
            ),
        ] {
            assert_eq!(family(metric, kind, contains), expected);
        }
    }

    #[test]
    fn labels_are_valid_and_never_stand_for_another() {
        let tags = [
            ("le", "1"),
            ("__name__", "evil"),
            ("my tag", "a\n\"b\""),
            ("9", "x"),
            ("testid", "own"),
            ("empty", ""),
        ];
        let run = [("project", "shop"), ("test", "t"), ("testid", "id")]
            .map(|(n, v)| (n.into(), v.into()));
        let labels = labels(&key("http_reqs", MetricKind::Counter, &tags), &run);
        let labels: Vec<_> = labels
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_str()))
            .collect();
        assert_eq!(
            labels,
            [
                ("_9", "x"),
                ("my_tag", "a\n\"b\""),
                ("project", "shop"),
                ("tag___name__", "evil"),
                ("tag_le", "1"),
                ("test", "t"),
                ("testid", "own"),
            ]
        );
    }
}
