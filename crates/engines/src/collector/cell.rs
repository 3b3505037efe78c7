//! What is known of one series in one window.

use bytes::Bytes;
use floodgate_core::histogram::Histogram;
use floodgate_core::shard::Row;
use floodgate_records::metric::{MetricKind, SeriesKey};
use std::sync::Arc;

/// Figures of one series; what they mean by kind stands in [`floodgate_core::shard`].
#[derive(Clone, Debug, Default)]
pub(super) struct Cell {
    pub(super) count: u64,
    pub(super) sum: f64,
    min: f64,
    max: f64,
    pub(super) histogram: Option<Box<Histogram>>,
}

impl Cell {
    pub(super) fn is_empty(&self) -> bool {
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

    #[inline]
    pub(super) fn count(&mut self, value: f64) {
        self.span(value);
        self.sum += value;
    }

    #[inline]
    pub(super) fn gauge(&mut self, value: f64) {
        self.span(value);
        self.sum = value;
    }

    #[inline]
    pub(super) fn rate(&mut self, held: bool) {
        let value = f64::from(u8::from(held));
        self.span(value);
        self.sum += value;
    }

    #[inline]
    pub(super) fn trend(&mut self, value_us: u64) {
        self.count += 1;
        self.histogram
            .get_or_insert_with(Box::default)
            .record(value_us);
    }

    /// Adds a later window of the same series.
    pub(super) fn add(&mut self, kind: MetricKind, other: &Self) {
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
    pub(super) fn clear(&mut self) {
        let mut histogram = self.histogram.take();
        if let Some(histogram) = &mut histogram {
            histogram.clear();
        }
        *self = Self {
            histogram,
            ..Self::default()
        };
    }

    pub(super) fn to_row(&self, key: &Arc<SeriesKey>, time_ms: i64, window_s: u32) -> Row {
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
