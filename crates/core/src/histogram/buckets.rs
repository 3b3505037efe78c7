//! A histogram as its buckets, one by one.

use super::codec::Seen;
use super::geometry::{HIGHEST_US, highest_of, index_of, lowest_of};
use super::{Bucket, Exact, Histogram, HistogramError};

impl Histogram {
    /// The buckets that hold samples, by rising value.
    pub fn buckets(&self) -> impl Iterator<Item = Bucket> + '_ {
        self.indexed().map(|(index, count)| Bucket {
            lowest: lowest_of(index),
            highest: highest_of(index),
            count,
        })
    }

    /// The histogram that has these buckets and exact figures: what [`Self::buckets`] and [`Self::exact`] gave.
    ///
    /// # Errors
    /// [`HistogramError::Contradiction`] for a bucket of another geometry, and for figures that don't fit the buckets;
    /// [`HistogramError::Overflow`].
    pub fn from_buckets(
        exact: Exact,
        buckets: impl IntoIterator<Item = Bucket>,
    ) -> Result<Self, HistogramError> {
        let mut all = Self::new();
        let mut seen = Seen::default();
        for bucket in buckets {
            let index = place(&bucket)?;
            if bucket.count == 0 {
                continue;
            }
            if bucket.count > u64::MAX - seen.count {
                return Err(HistogramError::Overflow);
            }
            *all.slot(index) += bucket.count;
            seen.first = if seen.count == 0 {
                index
            } else {
                seen.first.min(index)
            };
            seen.last = seen.last.max(index);
            seen.count += bucket.count;
        }
        seen.check(exact, 0)?;
        if exact.count > 0 {
            all.count = exact.count;
            (all.sum, all.min, all.max) = (exact.sum, exact.min, exact.max);
        }
        Ok(all)
    }
}

fn place(bucket: &Bucket) -> Result<usize, HistogramError> {
    let wrong = |field, stated, found| {
        Err(HistogramError::Contradiction {
            field,
            stated,
            found,
        })
    };
    if bucket.lowest > HIGHEST_US {
        return Err(HistogramError::TooLong);
    }
    let index = index_of(bucket.lowest);
    if lowest_of(index) != bucket.lowest {
        return wrong("lower bound", bucket.lowest, lowest_of(index));
    }
    if highest_of(index) != bucket.highest {
        return wrong("upper bound", bucket.highest, highest_of(index));
    }
    Ok(index)
}
