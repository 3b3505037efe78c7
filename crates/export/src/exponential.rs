//! Histograms with exponential buckets, as OpenTelemetry and Prometheus (native histograms) have them.
//!
//! Every power of two is split into [`PARTS`] buckets, so that each is 2^(1/32) = 1.0219 times as wide as the one before it. A sample goes where
//! the upper bound of its own bucket belongs, which is what Floodgate's own quantiles are made of. So the upper bound of the bucket in which a
//! quantile lies is at most [`ERROR`] above Floodgate's quantile, and never below it; the lower bound is at most as much below.

use floodgate_core::histogram::Histogram;

/// `scale` in OpenTelemetry, `schema` in Prometheus: 2^SCALE buckets for every power of two.
pub(crate) const SCALE: i32 = 5;
/// 2^[`SCALE`].
const PARTS: f64 = 32.0;
/// How far the bounds of a bucket are apart, as a share of the lower one: 2^(1/32) - 1.
#[cfg(test)]
pub(crate) const ERROR: f64 = 0.021_898;

/// Buckets with consecutive indices; bucket *i* holds what is above 2^(i/32) and at most 2^((i+1)/32), in the unit that was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Exponential {
    /// Samples that are zero.
    pub(crate) zeros: u64,
    /// The index of the first bucket.
    pub(crate) first: i32,
    /// Samples by bucket; neither the first nor the last is 0.
    pub(crate) counts: Vec<u64>,
}

impl Exponential {
    /// From a histogram of thousandths or millionths of the unit: `per_unit` of its values are 1.
    pub(crate) fn of(histogram: &Histogram, per_unit: f64) -> Self {
        let mut all = Self::default();
        for bucket in histogram.buckets() {
            if bucket.highest == 0 {
                all.zeros += bucket.count;
                continue;
            }
            let index = index_of(bucket.highest as f64 / per_unit);
            if all.counts.is_empty() {
                all.first = index;
            }
            let place = usize::try_from(index - all.first).unwrap_or(0);
            if place >= all.counts.len() {
                all.counts.resize(place + 1, 0);
            }
            all.counts[place] += bucket.count;
        }
        all
    }
}

/// The bucket of a value above zero.
fn index_of(value: f64) -> i32 {
    ((value.log2() * PARTS).ceil() as i32).saturating_sub(1)
}

/// The upper bound of a bucket.
#[cfg(test)]
pub(crate) fn upper_of(index: i32) -> f64 {
    (f64::from(index + 1) / PARTS).exp2()
}

#[cfg(test)]
mod tests {
    use super::*;
    use floodgate_core::histogram::HIGHEST_US;
    use proptest::prelude::*;

    /// The upper bound of the bucket with the sample of rank ⌈q·n⌉.
    fn quantile(all: &Exponential, q: f64) -> f64 {
        let n = all.zeros + all.counts.iter().sum::<u64>();
        let rank = ((q * n as f64).ceil() as u64).clamp(1, n);
        let mut seen = all.zeros;
        if seen >= rank {
            return 0.0;
        }
        for (count, index) in all.counts.iter().zip(all.first..) {
            seen += count;
            if seen >= rank {
                return upper_of(index);
            }
        }
        f64::NAN
    }

    proptest! {
        #[test]
        fn quantiles_are_within_the_stated_error(
            values in proptest::collection::vec(prop_oneof![0..2_000u64, 0..=HIGHEST_US], 1..300),
            q in 0.001..0.999f64,
        ) {
            let mut all = Histogram::new();
            values.iter().for_each(|&value| all.record(value));
            let found = Exponential::of(&all, 1e6);
            prop_assert_eq!(found.zeros + found.counts.iter().sum::<u64>(), all.count());
            // Not the exact maximum, which stands beside the buckets, but the bound of its bucket.
            let rank = ((q * all.count() as f64).ceil() as u64).clamp(1, all.count());
            let mut seen = 0;
            let own = all.buckets().find(|b| { seen += b.count; seen >= rank }).map_or(0, |b| b.highest);
            let (own, found) = (own as f64 / 1e6, quantile(&found, q));
            prop_assert!(found >= own * (1.0 - 1e-12), "{} below {}", found, own);
            prop_assert!(found <= own * (1.0 + ERROR), "{} above {}", found, own);
        }
    }

    #[test]
    fn bounds_belong_to_the_bucket_below() {
        for (value, index) in [(1.0, -1), (1.000_001, 0), (2.0, 31), (0.5, -33), (4.0, 63)] {
            assert_eq!(index_of(value), index, "{value}");
        }
        assert!((upper_of(0) - 1.0 - ERROR).abs() < 1e-6);
    }

    #[test]
    fn empty_ends_are_left_out() {
        let mut all = Histogram::new();
        [0, 1_000_000, 2_000_000]
            .into_iter()
            .for_each(|us| all.record(us));
        let found = Exponential::of(&all, 1e6);
        assert_eq!((found.zeros, found.counts.iter().sum::<u64>()), (1, 2));
        assert!(found.counts.first() == Some(&1) && found.counts.last() == Some(&1));
        assert_eq!(
            Exponential::of(&Histogram::new(), 1e6),
            Exponential::default()
        );
    }
}
