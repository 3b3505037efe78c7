//! How often somebody may ask: a bucket each, which fills by time.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Buckets that are kept at most.
const KEPT: usize = 10_000;

/// How often each may ask: principals, or addresses.
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
        Self::new(per_s, per_s * 10.0)
    }

    /// So many a second in the long run, and so many at once.
    pub(super) fn new(per_s: f64, most: f64) -> Self {
        Self {
            per_s,
            most,
            buckets: Mutex::default(),
        }
    }

    /// The seconds until there is one to take, if there is none now.
    pub(super) fn wait_s(&self, who: &str, now_ms: i64) -> Option<u64> {
        let buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let left = self.left(buckets.get(who)?, now_ms);
        (left < 1.0).then(|| self.until_one(left))
    }

    /// Takes one request; else the seconds until there is one.
    pub(super) fn take(&self, who: &str, now_ms: i64) -> Result<(), u64> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= KEPT && !buckets.contains_key(who) {
            self.make_room(&mut buckets, now_ms);
        }
        let fresh = || Bucket {
            left: self.most,
            at_ms: now_ms,
        };
        let bucket = buckets.entry(who.to_owned()).or_insert_with(fresh);
        bucket.left = self.left(bucket, now_ms);
        bucket.at_ms = now_ms;
        if bucket.left < 1.0 {
            return Err(self.until_one(bucket.left));
        }
        bucket.left -= 1.0;
        Ok(())
    }

    /// Drops the fuller half: of all those they have asked the least, and a full bucket and none are the same.
    fn make_room(&self, buckets: &mut HashMap<String, Bucket>, now_ms: i64) {
        let mut left: Vec<f64> = buckets.values().map(|b| self.left(b, now_ms)).collect();
        left.sort_by(f64::total_cmp);
        let middle = left[left.len() / 2];
        // Of those in the middle as many as there is room for.
        let mut room = left.len() / 2 - left.iter().filter(|left| **left < middle).count();
        buckets.retain(|_, bucket| {
            let left = self.left(bucket, now_ms);
            let in_the_middle = left >= middle;
            let is_kept = left < middle || left <= middle && left < self.most && room > 0;
            room -= usize::from(is_kept && in_the_middle);
            is_kept
        });
    }

    fn until_one(&self, left: f64) -> u64 {
        ((1.0 - left) / self.per_s).ceil().max(1.0) as u64
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

    #[test]
    fn however_many_ask_the_memory_is_bounded_and_who_asks_most_is_remembered() {
        let limits = Limits::new(1.0, 5.0);
        while limits.take("eve", 0).is_ok() {}
        for n in 0..3 * KEPT {
            let _ = limits.take(&format!("host-{n}"), 0);
        }
        assert!(limits.buckets.lock().is_ok_and(|all| all.len() <= KEPT));
        assert_eq!(limits.wait_s("eve", 0), Some(1));
        assert_eq!(limits.wait_s("eve", 1_000), None);
        assert_eq!(limits.wait_s("somebody else", 0), None);
    }
}
