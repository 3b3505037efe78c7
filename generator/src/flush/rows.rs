//! Rows of a shard by kind of metric; what their columns mean stands in [`floodgate_core::shard`].

use bytes::Bytes;
use floodgate_core::histogram::Histogram;
use floodgate_core::shard::Row;
use floodgate_records::metric::SeriesKey;
use std::sync::Arc;

fn row(
    key: &Arc<SeriesKey>,
    time_ms: i64,
    window_s: u32,
    count: u64,
    [sum, min, max]: [f64; 3],
) -> Row {
    Row {
        time_ms,
        window_s,
        key: Arc::clone(key),
        count,
        sum,
        min,
        max,
        histogram: None,
    }
}

/// `samples` additions of `sum` in all. Smallest and largest additions are not followed one by one: they stand as the
/// mean where all additions are of one size, and bound it otherwise.
pub(super) fn counter(
    key: &Arc<SeriesKey>,
    time_ms: i64,
    window_s: u32,
    samples: u64,
    sum: u64,
) -> Row {
    let ones = samples == sum;
    row(
        key,
        time_ms,
        window_s,
        samples,
        [
            sum as f64,
            if ones { 1.0 } else { 0.0 },
            if ones { 1.0 } else { sum as f64 },
        ],
    )
}

/// `held` of `samples`.
pub(super) fn rate(
    key: &Arc<SeriesKey>,
    time_ms: i64,
    window_s: u32,
    samples: u64,
    held: u64,
) -> Row {
    let (min, max) = (
        f64::from(u8::from(held == samples)),
        f64::from(u8::from(held > 0)),
    );
    row(key, time_ms, window_s, samples, [held as f64, min, max])
}

/// Samples, last value, smallest, largest.
pub(super) fn gauge(
    key: &Arc<SeriesKey>,
    time_ms: i64,
    window_s: u32,
    (samples, last, min, max): (u64, f64, f64, f64),
) -> Row {
    row(key, time_ms, window_s, samples, [last, min, max])
}

/// A histogram, if there is anything in it.
pub(super) fn trend(
    key: &Arc<SeriesKey>,
    time_ms: i64,
    window_s: u32,
    histogram: &Histogram,
    rows: &mut Vec<Row>,
) {
    if histogram.is_empty() {
        return;
    }
    let mut bytes = Vec::with_capacity(128);
    histogram.encode_v2(&mut bytes);
    let exact = histogram.exact();
    let mut row = row(
        key,
        time_ms,
        window_s,
        exact.count,
        [exact.sum as f64, exact.min as f64, exact.max as f64],
    );
    row.histogram = Some(Bytes::from(bytes));
    rows.push(row);
}
