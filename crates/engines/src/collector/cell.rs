//! What is known of one series of any metric in one window.

use bytes::Bytes;
use floodgate_core::histogram::Histogram;
use floodgate_core::shard::Row;
use floodgate_records::metric::{MetricKind, SeriesKey};
use std::sync::Arc;

/// Figures of one series; what they mean by kind stands in [`floodgate_core::shard`].
#[derive(Clone, Debug, Default)]
pub struct Cell {
    pub(super) count: u64,
    pub(super) sum: f64,
    min: f64,
    max: f64,
    pub(super) histogram: Option<Box<Histogram>>,
}

impl Cell {
    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    #[inline]
    fn span(&mut self, value: f64) {
        if self.count == 0 {
            (self.min, self.max) = (value, value);
        } else {
            (self.min, self.max) = (self.min.min(value), self.max.max(value));
        }
        self.count += 1;
    }

    /// Adds to a counter.
    #[inline]
    pub fn count(&mut self, value: f64) {
        self.span(value);
        self.sum += value;
    }

    /// Sets a gauge.
    #[inline]
    pub fn gauge(&mut self, value: f64) {
        self.span(value);
        self.sum = value;
    }

    /// Counts one outcome of a rate.
    #[inline]
    pub fn rate(&mut self, held: bool) {
        let value = f64::from(u8::from(held));
        self.span(value);
        self.sum += value;
    }

    /// Counts one value of a trend, in thousandths: µs of a time.
    #[inline]
    pub fn trend(&mut self, value_us: u64) {
        self.count += 1;
        self.histogram
            .get_or_insert_with(Box::default)
            .record(value_us);
    }

    /// Adds a sample of a kind of metric: a counter's addition, a gauge's value, a rate's outcome (not zero: it held), or a trend's value,
    /// which is kept in thousandths. Returns false, and adds nothing, if the kind has no such value: one that is not finite, or a
    /// negative one of a counter or a trend.
    pub fn sample(&mut self, kind: MetricKind, value: f64) -> bool {
        let counts_up = matches!(kind, MetricKind::Counter | MetricKind::Trend);
        if !value.is_finite() || (counts_up && value < 0.0) {
            return false;
        }
        match kind {
            MetricKind::Counter => self.count(value),
            MetricKind::Gauge => self.gauge(value),
            MetricKind::Rate => self.rate(value != 0.0),
            // The cast saturates, and the histogram clamps what is too long and counts it.
            MetricKind::Trend => self.trend((value * 1_000.0).round() as u64),
        }
        true
    }

    /// Values of a trend that were too large for its histogram.
    pub fn clamped(&self) -> u64 {
        self.histogram.as_ref().map_or(0, |own| own.clamped())
    }

    /// Adds a later window of the same series.
    pub fn add(&mut self, kind: MetricKind, other: &Self) {
        if other.count == 0 {
            return;
        }
        if let Some(theirs) = &other.histogram {
            self.histogram.get_or_insert_with(Box::default).add(theirs);
        }
        if self.count == 0 {
            (self.min, self.max) = (other.min, other.max);
        } else {
            (self.min, self.max) = (self.min.min(other.min), self.max.max(other.max));
        }
        self.sum = match kind {
            MetricKind::Gauge => other.sum,
            _ => self.sum + other.sum,
        };
        self.count += other.count;
    }

    /// Forgets all, keeping the memory of the histogram.
    pub fn clear(&mut self) {
        let mut histogram = self.histogram.take();
        if let Some(histogram) = &mut histogram {
            histogram.clear();
        }
        *self = Self {
            histogram,
            ..Self::default()
        };
    }

    /// The row of a shard for a window that begins at `time_ms` (Unix) and has `window_s` seconds.
    pub fn to_row(&self, key: &Arc<SeriesKey>, time_ms: i64, window_s: u32) -> Row {
        let mut row = Row {
            time_ms,
            window_s,
            key: Arc::clone(key),
            count: self.count,
            sum: self.sum,
            min: self.min,
            max: self.max,
            histogram: None,
        };
        if let Some(histogram) = &self.histogram
            && key.kind == MetricKind::Trend
        {
            let mut bytes = Vec::with_capacity(128);
            histogram.encode_v2(&mut bytes);
            let exact = histogram.exact();
            (row.sum, row.min, row.max) = (exact.sum as f64, exact.min as f64, exact.max as f64);
            row.histogram = Some(Bytes::from(bytes));
        }
        row
    }
}
