//! Pages whose capacity is known by construction.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::time::{Duration, Instant};

/// What stands in the path of a page: each pair is a target of its own.
type Parameters = (u32, u32);

/// The state of such pages since the server began.
#[derive(Debug)]
pub(super) struct Limits {
    origin: Instant,
    random: RefCell<fastrand::Rng>,
    /// When each server of a queue is free again, after `origin`.
    queues: RefCell<HashMap<Parameters, BinaryHeap<Reverse<Duration>>>>,
    /// Tokens of a bucket, and when it had so many.
    buckets: RefCell<HashMap<Parameters, (f64, Duration)>>,
}

impl Limits {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            origin: Instant::now(),
            random: RefCell::new(fastrand::Rng::with_seed(seed)),
            queues: RefCell::default(),
            buckets: RefCell::default(),
        }
    }

    /// How long a request that arrives now takes in a queue for `servers` that each serve `per_s` a second on average, with
    /// exponential service times (M/M/c for arrivals of a Poisson process).
    pub(super) fn queue(&self, servers: u32, per_s: u32) -> Duration {
        let now = self.origin.elapsed();
        let mut queues = self.queues.borrow_mut();
        let free = queues.entry((servers, per_s)).or_insert_with(|| {
            (0..servers.max(1))
                .map(|_| Reverse(Duration::ZERO))
                .collect()
        });
        let start = free.pop().map_or(now, |Reverse(free)| free.max(now));
        let service = -(1.0 - self.random.borrow_mut().f64()).ln() / f64::from(per_s.max(1));
        let end = start + Duration::from_secs_f64(service);
        free.push(Reverse(end));
        end - now
    }

    /// Whether there is a token for a request that arrives now, in a bucket of `burst` that gets `per_s` a second.
    pub(super) fn admits(&self, per_s: u32, burst: u32) -> bool {
        let now = self.origin.elapsed();
        let most = f64::from(burst);
        let mut buckets = self.buckets.borrow_mut();
        let (tokens, then) = buckets.entry((per_s, burst)).or_insert((most, now));
        let gained = (now - *then).as_secs_f64() * f64::from(per_s);
        (*tokens, *then) = ((*tokens + gained).min(most), now);
        let admitted = *tokens >= 1.0;
        if admitted {
            *tokens -= 1.0;
        }
        admitted
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_makes_those_wait_that_find_all_servers_busy() {
        let limits = Limits::new(1);
        let waits: Vec<_> = (0..1_000).map(|_| limits.queue(2, 100)).collect();
        // Two servers do a thousand jobs of 10 ms in 5 s.
        let last = waits.last().unwrap().as_secs_f64();
        assert!((4.5..5.5).contains(&last), "{last}");
        assert!(waits[0] < waits[999]);
    }

    #[test]
    fn a_bucket_admits_its_burst_at_once() {
        let limits = Limits::new(1);
        let admitted = (0..100).filter(|_| limits.admits(1, 10)).count();
        assert_eq!(admitted, 10);
        assert!(limits.admits(1, 11), "another bucket");
    }
}
