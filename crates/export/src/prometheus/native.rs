//! Native histograms.

use super::proto::{BucketSpan, Histogram};
use crate::exponential::{Exponential, SCALE};

/// Empty buckets that are written rather than skipped: a span takes about as many bytes.
const MOST_EMPTY: u32 = 3;
/// Tells that a series ends here (<https://prometheus.io/docs/specs/prw/remote_write_spec/#stale-markers>).
pub(super) const STALE: f64 = f64::from_bits(0x7ff0_0000_0000_0002);

/// From exponential buckets.
pub(super) fn of(all: &Exponential, count: u64, sum: f64, timestamp: i64) -> Histogram {
    let mut histogram = Histogram {
        count,
        sum,
        schema: SCALE,
        zero_count: all.zeros,
        timestamp,
        ..Histogram::default()
    };
    let (mut before, mut end) = (0i64, 0i32);
    // Prometheus numbers a bucket by its upper bound, OpenTelemetry by the lower one.
    for (&count, index) in all.counts.iter().zip(all.first.saturating_add(1)..) {
        if count == 0 {
            continue;
        }
        let gap = index.saturating_sub(end);
        match histogram.positive_spans.last_mut() {
            Some(span) if gap.unsigned_abs() <= MOST_EMPTY => {
                for _ in 0..gap {
                    histogram.positive_deltas.push(-before);
                    before = 0;
                }
                span.length += gap.unsigned_abs() + 1;
            }
            _ => histogram.positive_spans.push(BucketSpan {
                offset: gap,
                length: 1,
            }),
        }
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        histogram.positive_deltas.push(count - before);
        (before, end) = (count, index.saturating_add(1));
    }
    histogram
}

/// The marker of a native histogram.
pub(super) fn stale(timestamp: i64) -> Histogram {
    Histogram {
        sum: STALE,
        timestamp,
        ..Histogram::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Indices and counts, as a reader of the format finds them.
    fn read(histogram: &Histogram) -> Vec<(i32, i64)> {
        let (mut found, mut index, mut count) = (Vec::new(), 0, 0);
        let mut deltas = histogram.positive_deltas.iter();
        for span in &histogram.positive_spans {
            index += span.offset;
            for delta in deltas.by_ref().take(span.length as usize) {
                count += delta;
                if count != 0 {
                    found.push((index, count));
                }
                index += 1;
            }
        }
        found
    }

    proptest! {
        #[test]
        fn spans_and_differences_are_read_back(
            first in -500i32..500, counts in proptest::collection::vec(prop_oneof![Just(0u64), 0..9u64], 0..200),
        ) {
            let mut counts = counts;
            counts.push(1);
            let all = Exponential { zeros: 3, first, counts: counts.clone() };
            let expected: Vec<_> = counts.iter().zip(first + 1..).filter(|(n, _)| **n > 0).map(|(n, i)| (i, *n as i64)).collect();
            prop_assert_eq!(read(&of(&all, 1, 1.0, 0)), expected);
        }
    }

    #[test]
    fn the_marker_is_the_one_of_prometheus() {
        assert!(STALE.is_nan());
        assert_eq!(STALE.to_bits(), 0x7ff0_0000_0000_0002);
    }
}
