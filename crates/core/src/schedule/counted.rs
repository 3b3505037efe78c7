//! A closed loop by number: how many iterations our VUs run.

use super::segment::Segment;
use std::time::Duration;

/// A segment's VUs and iterations of an executor that counts.
#[derive(Clone, Debug)]
pub struct Counted {
    pub(super) segment: Segment,
    /// VUs of all segments.
    pub(super) all_vus: u64,
    pub(super) quota: Quota,
    pub(super) max_duration: Duration,
    /// Who has which of the shared iterations.
    pub(super) shared: Segment,
}

/// When VUs are done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quota {
    /// Each VU after this many iterations of its own.
    PerVu(u64),
    /// All our VUs after this many iterations together; a VU that is free takes the next one.
    Shared(u64),
}

impl Counted {
    /// Our VUs.
    pub fn vus(&self) -> u64 {
        self.segment.count_below(self.all_vus)
    }

    /// The number over all tasks, from 1, of the VU in our `slot`, from 0.
    pub fn vu_number(&self, slot: u64) -> u64 {
        self.segment.nth(slot).saturating_add(1)
    }

    /// How many iterations.
    pub fn quota(&self) -> Quota {
        self.quota
    }

    /// How many iterations are ours in all.
    pub fn total(&self) -> u64 {
        match self.quota {
            Quota::PerVu(iterations) => self.vus().saturating_mul(iterations),
            Quota::Shared(iterations) => iterations,
        }
    }

    /// The number over all tasks, from 0, of our `k`-th iteration, for `k` below [`Self::total`]. With a quota for each
    /// VU, iteration *j* of the VU in `slot` is the one with `k` = *j* × [`Self::vus`] + `slot`; numbers that are handed
    /// out in the order of the starts are as good, as each is used once.
    pub fn iteration(&self, k: u64) -> u64 {
        match self.quota {
            Quota::Shared(_) => self.shared.nth(k),
            Quota::PerVu(_) => {
                let vus = self.vus().max(1);
                (k / vus)
                    .saturating_mul(self.all_vus)
                    .saturating_add(self.segment.nth(k % vus))
            }
        }
    }

    /// Until when iterations start; running ones may go on during the graceful stop.
    pub fn max_duration(&self) -> Duration {
        self.max_duration
    }
}
