//! The handful of numbers that views show, taken from one task's live object.

use floodgate_core::histogram::Histogram;
use floodgate_core::shard::Row;
use floodgate_records::metric::Builtin;

/// Cumulative numbers of a task since the start.
#[derive(Clone, Debug, Default)]
pub(super) struct Figures {
    pub(super) iterations: u64,
    /// Those of scenarios with an arrival rate.
    pub(super) arrivals: u64,
    pub(super) requests: u64,
    pub(super) failed: u64,
    pub(super) dropped: u64,
    pub(super) checks: u64,
    pub(super) checks_held: u64,
    pub(super) bytes_received: u64,
    pub(super) vus: u64,
    pub(super) response: Histogram,
}

impl Figures {
    /// From the rows of a live object. A histogram that cannot be read is left out here; the merge at the end reports it.
    /// `open` says whether a scenario has an arrival rate.
    pub(super) fn of(rows: &[Row], open: impl Fn(&str) -> bool) -> Self {
        let mut all = Self::default();
        for row in rows {
            let sum = row.sum.max(0.0) as u64;
            match Builtin::parse(&row.key.metric) {
                Some(Builtin::Iterations) => {
                    all.iterations += sum;
                    all.arrivals += if row.key.tags.get("scenario").is_some_and(&open) {
                        sum
                    } else {
                        0
                    };
                }
                Some(Builtin::HttpReqs) => all.requests += sum,
                Some(Builtin::HttpReqFailed) => all.failed += sum,
                Some(Builtin::DroppedIterations) => all.dropped += sum,
                Some(Builtin::DataReceived) => all.bytes_received += sum,
                Some(Builtin::Vus) => all.vus += sum,
                Some(Builtin::Checks) => {
                    all.checks += row.count;
                    all.checks_held += sum;
                }
                Some(Builtin::HttpReqResponseTime) => {
                    if let Some(bytes) = &row.histogram {
                        let _ = all.response.add_v2(bytes);
                    }
                }
                _ => {}
            }
        }
        all
    }

    /// Both together: two tasks.
    pub(super) fn add(&mut self, other: &Self) {
        self.iterations += other.iterations;
        self.arrivals += other.arrivals;
        self.requests += other.requests;
        self.failed += other.failed;
        self.dropped += other.dropped;
        self.checks += other.checks;
        self.checks_held += other.checks_held;
        self.bytes_received += other.bytes_received;
        self.vus += other.vus;
        self.response.add(&other.response);
    }

    /// What came since `earlier`. Gauges stay as they are.
    pub(super) fn since(&self, earlier: &Self) -> Self {
        Self {
            iterations: self.iterations.saturating_sub(earlier.iterations),
            arrivals: self.arrivals.saturating_sub(earlier.arrivals),
            requests: self.requests.saturating_sub(earlier.requests),
            failed: self.failed.saturating_sub(earlier.failed),
            dropped: self.dropped.saturating_sub(earlier.dropped),
            checks: self.checks.saturating_sub(earlier.checks),
            checks_held: self.checks_held.saturating_sub(earlier.checks_held),
            bytes_received: self.bytes_received.saturating_sub(earlier.bytes_received),
            vus: self.vus,
            response: difference(&self.response, &earlier.response),
        }
    }
}

/// The samples of `later` that `earlier`, an older state of the same histogram, does not have. Exact ends are lost: a
/// bucket stands for its samples.
fn difference(later: &Histogram, earlier: &Histogram) -> Histogram {
    let mut rest = Histogram::new();
    let mut old = earlier.buckets().peekable();
    for bucket in later.buckets() {
        while old.next_if(|o| o.highest < bucket.highest).is_some() {}
        let before = old
            .next_if(|o| o.highest == bucket.highest)
            .map_or(0, |o| o.count);
        if bucket.count > before {
            rest.record_n(bucket.highest, bucket.count - before);
        }
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_difference_of_two_states_is_what_came_between_them() {
        let mut earlier = Histogram::new();
        for us in [0, 5, 5, 1_000, 90_000] {
            earlier.record(us);
        }
        let mut later = earlier.clone();
        let mut between = Histogram::new();
        for us in [3, 5, 1_000, 70_000, 2_000_000] {
            later.record(us);
            between.record(us);
        }
        let rest = difference(&later, &earlier);
        assert_eq!(rest.count(), between.count());
        for q in [0.1, 0.5, 0.9, 1.0] {
            let (found, expected) = (rest.quantile(q) as f64, between.quantile(q) as f64);
            assert!(
                (found - expected).abs() <= expected * 0.001 + 1.0,
                "{q}: {found} instead of {expected}"
            );
        }
        assert_eq!(difference(&earlier, &earlier).count(), 0);
    }
}
