//! Buckets of a histogram, taken together for stores that keep them by window.

use floodgate_core::histogram::Histogram;

/// Parts of every power of two; a bucket is at most its 64th wide.
const PARTS_BITS: u32 = 6;

/// The upper bound, inclusive, of the coarse bucket that holds a value: at most 1/64 above it. Values below 128 have a bucket each. A bucket of a
/// [`Histogram`] lies within one of these as a whole.
pub(crate) fn coarse_upper(value: u64) -> u64 {
    let magnitude = (u64::BITS - value.leading_zeros()).saturating_sub(PARTS_BITS + 1);
    value | ((1 << magnitude) - 1)
}

/// The coarse buckets that hold samples, by rising upper bound, with their counts.
pub(crate) fn coarse(histogram: &Histogram) -> Vec<(u64, u64)> {
    let mut all: Vec<(u64, u64)> = Vec::new();
    for bucket in histogram.buckets() {
        let upper = coarse_upper(bucket.highest);
        match all.last_mut() {
            Some((last, count)) if *last == upper => *count += bucket.count,
            _ => all.push((upper, bucket.count)),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use floodgate_core::histogram::HIGHEST_US;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_coarse_bucket_is_a_64th_wide_and_holds_fine_ones_as_a_whole(value in 0..=HIGHEST_US) {
            let upper = coarse_upper(value);
            prop_assert!(upper >= value);
            prop_assert!((upper - value) as f64 <= value as f64 / 64.0, "{} {}", value, upper);
            let mut one = Histogram::new();
            one.record(value);
            for bucket in one.buckets() {
                prop_assert_eq!(coarse_upper(bucket.lowest), coarse_upper(bucket.highest));
            }
        }

        #[test]
        fn no_sample_is_lost(values in proptest::collection::vec(0..=HIGHEST_US, 0..200)) {
            let mut all = Histogram::new();
            values.iter().for_each(|&value| all.record(value));
            let coarse = coarse(&all);
            prop_assert_eq!(coarse.iter().map(|(_, n)| n).sum::<u64>(), all.count());
            prop_assert!(coarse.windows(2).all(|pair| pair[0].0 < pair[1].0));
        }
    }
}
