//! The samples that a series is made of.

use super::names::{family, has_buckets, per_unit};
use crate::running::Total;
use floodgate_core::histogram::Histogram;
use floodgate_records::metric::{Contains, MetricKind, SeriesKey};

/// Bounds of buckets within a decade: each is at most 1.29 times the one before it (the series R10 of preferred numbers, ISO 3).
const STEPS: [f64; 10] = [1.0, 1.25, 1.6, 2.0, 2.5, 3.2, 4.0, 5.0, 6.3, 8.0];
/// Decades of times: from 100 µs to below 100 s.
const TIMES: std::ops::Range<i32> = -4..2;
/// Decades of everything else.
const OTHERS: std::ops::Range<i32> = 0..6;

/// A sample.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Value {
    /// The metric's name.
    pub(super) name: String,
    /// The label `le`, of buckets.
    pub(super) le: Option<String>,
    /// The value.
    pub(super) value: f64,
}

/// How histograms are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// Buckets are series.
    Classic,
    /// Buckets are within a sample, which is made elsewhere; here is nothing of them.
    Native,
}

/// What kind of metric the samples of a series make together, in the words of the text format.
pub(super) fn kind_of(kind: MetricKind, metric: &str) -> &'static str {
    match kind {
        MetricKind::Counter | MetricKind::Rate => "counter",
        MetricKind::Gauge => "gauge",
        MetricKind::Trend if has_buckets(metric) => "histogram",
        MetricKind::Trend => "summary",
    }
}

/// The samples of a series with these totals: always the same names and bounds in the same order.
pub(super) fn values(key: &SeriesKey, total: &Total, style: Style) -> Vec<Value> {
    let family = family(&key.metric, key.kind, total.contains);
    let one = |ending: &str, value: f64| Value {
        name: format!("{family}{ending}"),
        le: None,
        value,
    };
    match key.kind {
        MetricKind::Counter => vec![one("_total", total.sum)],
        MetricKind::Gauge => vec![one("", total.sum)],
        MetricKind::Rate => vec![
            one("_total", total.sum),
            one("_samples_total", total.count as f64),
        ],
        MetricKind::Trend if style == Style::Native => Vec::new(),
        MetricKind::Trend => {
            let mut all = Vec::new();
            if has_buckets(&key.metric)
                && let Some(histogram) = &total.histogram
            {
                let buckets = buckets(histogram, total.contains).into_iter();
                all.extend(buckets.map(|(le, count)| Value {
                    le: Some(le),
                    ..one("_bucket", count as f64)
                }));
            }
            all.push(one("_sum", total.sum / per_unit(total.contains)));
            all.push(one("_count", total.count as f64));
            all
        }
    }
}

/// How many samples are at or below each bound. What Floodgate's own bucket of 0.1 % cannot tell apart from a bound counts as above it.
fn buckets(histogram: &Histogram, contains: Contains) -> Vec<(String, u64)> {
    let decades = if contains == Contains::Time {
        TIMES
    } else {
        OTHERS
    };
    let bounds = decades.flat_map(|decade| STEPS.map(|step| bound(step, decade)));
    let mut rest = histogram.buckets().peekable();
    let mut seen = 0;
    let mut all: Vec<(String, u64)> = bounds
        .map(|bound| {
            // Half of a thousandth keeps what is exact in decimals from being lost in binary.
            let highest = bound * per_unit(contains) + 5e-4;
            while let Some(bucket) = rest.next_if(|b| b.highest as f64 <= highest) {
                seen += bucket.count;
            }
            (bound.to_string(), seen)
        })
        .collect();
    all.push(("+Inf".into(), histogram.count()));
    all
}

/// A step of a decade as the decimal that it is.
fn bound(step: f64, decade: i32) -> f64 {
    match decade {
        0.. => step * 10f64.powi(decade),
        _ => step / 10f64.powi(-decade),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::running::Running;
    use crate::testing::{key, trend};

    #[test]
    fn buckets_add_up_and_bounds_are_plain_decimals() {
        let key = key("http_req_duration", MetricKind::Trend, &[]);
        let running = Running::default();
        let mut batch = running.batch();
        let (total, _) = batch.add(&trend(&key, 0, 10, [0, 100, 101, 1_250, 99_000_000_000]));
        let values = values(&key, total, Style::Classic);
        let les: Vec<&str> = values.iter().filter_map(|v| v.le.as_deref()).collect();
        assert_eq!(les.len(), 61);
        assert_eq!(les[..3], ["0.0001", "0.000125", "0.00016"]);
        assert_eq!(les[58..], ["63", "80", "+Inf"]);
        let count = |le: &str| {
            values
                .iter()
                .find(|v| v.le.as_deref() == Some(le))
                .unwrap()
                .value
        };
        assert_eq!(
            [
                count("0.0001"),
                count("0.00125"),
                count("80"),
                count("+Inf")
            ],
            [2.0, 4.0, 4.0, 5.0]
        );
        let rising = |pair: &[&str]| match pair {
            [a, b] => a.parse::<f64>().unwrap() < b.parse::<f64>().unwrap(),
            _ => false,
        };
        assert!(les[..60].windows(2).all(rising), "{les:?}");
        assert!(les[..60].iter().all(|le| le.len() <= 8), "{les:?}");
    }
}
