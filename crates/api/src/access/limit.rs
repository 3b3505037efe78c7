//! How often somebody may ask: a bucket each, which fills by time.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Buckets that are kept before full ones are dropped: a full one and none are the same.
const KEPT: usize = 10_000;

/// How often each principal may ask.
#[derive(Debug)]
pub struct Limits {
    per_s: f64,
    most: f64,
    buckets: Mutex<HashMap<String, Bucket>>,
}

#[derive(Debug)]
struct Bucket {
    left: f64,
    at_ms: i64,
}

impl Limits {
    /// So many requests a second in the long run, and ten seconds' worth at once.
    pub fn per_second(rate: u32) -> Self {
        let per_s = f64::from(rate.max(1));
        Self {
            per_s,
            most: per_s * 10.0,
            buckets: Mutex::default(),
        }
    }

    /// Takes one request; else the seconds until there is one.
    pub(super) fn take(&self, who: &str, now_ms: i64) -> Result<(), u64> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= KEPT {
            buckets.retain(|_, bucket| self.left(bucket, now_ms) < self.most);
        }
        let fresh = || Bucket {
            left: self.most,
            at_ms: now_ms,
        };
        let bucket = buckets.entry(who.to_owned()).or_insert_with(fresh);
        bucket.left = self.left(bucket, now_ms);
        bucket.at_ms = now_ms;
        if bucket.left < 1.0 {
            return Err(((1.0 - bucket.left) / self.per_s).ceil().max(1.0) as u64);
        }
        bucket.left -= 1.0;
        Ok(())
    }

    fn left(&self, bucket: &Bucket, now_ms: i64) -> f64 {
        // A clock that was put back adds nothing.
        let passed_s = now_ms.saturating_sub(bucket.at_ms).max(0) as f64 / 1e3;
        (bucket.left + passed_s * self.per_s).min(self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_emptied_by_one_and_filled_by_time() {
        let limits = Limits::per_second(2);
        let taken = |who: &str, at_ms| {
            let all = std::iter::repeat_with(|| limits.take(who, at_ms));
            all.take(100).take_while(Result::is_ok).count()
        };
        assert_eq!(taken("ann", 0), 20);
        assert_eq!(limits.take("ann", 0), Err(1));
        assert_eq!(taken("bob", 0), 20, "each has their own");
        assert_eq!(taken("ann", 1_500), 3);
        assert_eq!(taken("ann", 1_000), 0, "a clock that was put back");
        assert_eq!(taken("ann", i64::MAX), 20, "no more than it holds");
    }
}
