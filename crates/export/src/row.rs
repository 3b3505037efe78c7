//! What is exported.

use floodgate_core::histogram::Histogram;
use floodgate_records::metric::{Contains, MetricKind, SeriesKey};
use std::sync::Arc;

/// What one series measured in one window, all tasks together.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Start of the window, Unix ms.
    pub time_ms: i64,
    /// Its length in seconds; at least 1.
    pub window_s: u32,
    /// Metric, kind and tags; rows of one series share it.
    pub key: Arc<SeriesKey>,
    /// What the values are.
    pub contains: Contains,
    /// Samples; at least 1.
    pub count: u64,
    /// Counter: what was added. Rate: non-zero samples. Gauge: the last value. Trend: the exact sum, in thousandths of the printed
    /// unit: µs of times.
    pub sum: f64,
    /// The smallest value: of trends exact, in thousandths.
    pub min: f64,
    /// The largest value: of trends exact, in thousandths.
    pub max: f64,
    /// Trends only: all values, in thousandths.
    pub histogram: Option<Histogram>,
}

impl Row {
    /// End of the window, Unix ms.
    pub fn end_ms(&self) -> i64 {
        let length = i64::from(self.window_s) * 1_000;
        self.time_ms.saturating_add(length)
    }

    /// What sum, minimum, maximum and the histogram's values are divided by for the unit that is printed: milliseconds of times.
    pub fn scale(&self) -> f64 {
        match self.key.kind {
            MetricKind::Trend => 1e3,
            _ => 1.0,
        }
    }

    /// The exact mean of a trend in the printed unit, the ratio of a rate in [0, 1], the last value of a gauge, what was added to a
    /// counter.
    pub fn mean(&self) -> f64 {
        match self.key.kind {
            MetricKind::Counter | MetricKind::Gauge => self.sum,
            MetricKind::Rate => self.sum / self.count.max(1) as f64,
            MetricKind::Trend => self.sum / self.count.max(1) as f64 / self.scale(),
        }
    }

    /// The value of a trend in the printed unit at or below which the share `q` in [0, 1] of the samples lies: at most 0.1 % above
    /// the true one and never below it. [`Self::mean`] of all other kinds.
    pub fn quantile(&self, q: f64) -> f64 {
        match &self.histogram {
            Some(histogram) => histogram.quantile(q) as f64 / self.scale(),
            None => self.mean(),
        }
    }
}
