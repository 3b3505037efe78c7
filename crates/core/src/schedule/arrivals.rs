//! An open loop: when our iterations start, and who may run them.

use super::segment::Segment;
use super::turns::Turns;
use super::{constant_arrival_rate, nanos, ramping_arrival_rate};
use std::time::Duration;

/// One start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Start {
    /// The iteration's number over all tasks, from 0.
    pub iteration: u64,
    /// When it is due, from the scenario's start.
    pub at: Duration,
}

/// A segment's starts of an arrival-rate executor.
#[derive(Clone, Debug)]
pub struct Arrivals {
    timeline: Timeline,
    vus: Segment,
    starts: Segment,
    total: u64,
    pre_allocated_vus: u64,
    max_vus: u64,
    max_lateness: Duration,
}

/// All starts of an executor, over all segments.
#[derive(Clone, Debug)]
pub(super) enum Timeline {
    Constant(constant_arrival_rate::Timeline),
    Ramping(ramping_arrival_rate::Timeline),
    /// What one of several scenarios has of the starts that they share.
    Shared(Box<Timeline>, Segment),
    /// What is due in the turns of one of two targets.
    InTurns(Box<Turns>),
}

impl From<constant_arrival_rate::Timeline> for Timeline {
    fn from(timeline: constant_arrival_rate::Timeline) -> Self {
        Self::Constant(timeline)
    }
}

impl From<ramping_arrival_rate::Timeline> for Timeline {
    fn from(timeline: ramping_arrival_rate::Timeline) -> Self {
        Self::Ramping(timeline)
    }
}

impl Timeline {
    /// How many starts there are.
    pub(super) fn total(&self) -> u64 {
        match self {
            Self::Constant(timeline) => timeline.total(),
            Self::Ramping(timeline) => timeline.total(),
            Self::Shared(timeline, share) => share.count_below(timeline.total()),
            Self::InTurns(turns) => turns.total(),
        }
    }

    /// When start `n` is due, in ns; `n` is below the total.
    pub(super) fn at(&self, n: u64) -> u64 {
        match self {
            Self::Constant(timeline) => timeline.at(n),
            Self::Ramping(timeline) => timeline.at(n),
            Self::Shared(timeline, share) => timeline.at(share.nth(n)),
            Self::InTurns(turns) => turns.at(n),
        }
    }

    /// How many starts are due at or before `t` ns.
    pub(super) fn due_by(&self, t: u64) -> u64 {
        match self {
            Self::Constant(timeline) => timeline.due_by(t),
            Self::Ramping(timeline) => timeline.due_by(t),
            Self::Shared(timeline, share) => share.count_below(timeline.due_by(t)),
            Self::InTurns(turns) => turns.due_by(t),
        }
    }

    /// Iterations a second at `t` ns.
    pub(super) fn rate_at(&self, t: u64) -> f64 {
        match self {
            Self::Constant(timeline) => timeline.rate_at(t),
            Self::Ramping(timeline) => timeline.rate_at(t),
            Self::Shared(timeline, share) => timeline.rate_at(t) * share.share(),
            Self::InTurns(turns) => turns.rate_at(t),
        }
    }

    /// In ns.
    pub(super) fn duration(&self) -> u64 {
        match self {
            Self::Constant(timeline) => timeline.duration(),
            Self::Ramping(timeline) => timeline.duration(),
            Self::Shared(timeline, _) => timeline.duration(),
            Self::InTurns(turns) => turns.duration(),
        }
    }
}

impl Arrivals {
    pub(super) fn new(
        timeline: Timeline,
        pre_allocated_vus: u64,
        max_vus: u64,
        max_lateness: Duration,
        segment: &Segment,
    ) -> Self {
        let max_vus = max_vus.max(pre_allocated_vus);
        let starts = segment.serving(max_vus);
        Self {
            total: starts.count_below(timeline.total()),
            pre_allocated_vus: segment.count_below(pre_allocated_vus),
            max_vus: segment.count_below(max_vus),
            timeline,
            vus: segment.clone(),
            starts,
            max_lateness,
        }
    }

    /// Our `k`-th start, from `k` = 0, in the order of time; `None` past the end. A function of `k` alone, in time
    /// that grows with the logarithm of the number of stages (5 ns at a constant rate, 32 ns at one of four ramps:
    /// `benches/schedule.rs`).
    #[inline]
    pub fn start(&self, k: u64) -> Option<Start> {
        if k >= self.total {
            return None;
        }
        let iteration = self.starts.nth(k);
        Some(Start {
            iteration,
            at: Duration::from_nanos(self.timeline.at(iteration)),
        })
    }

    /// How many starts are ours.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// How many of our starts are due at `t` (from the scenario's start) or before.
    pub fn scheduled_by(&self, t: Duration) -> u64 {
        self.starts.count_below(self.timeline.due_by(nanos(t)))
    }

    /// Our VUs to allocate before the start: those in the slots from 0.
    pub fn pre_allocated_vus(&self) -> u64 {
        self.pre_allocated_vus
    }

    /// Our VUs at most, those allocated before included. If it is 0 and there are VUs in other segments, no start is ours.
    pub fn max_vus(&self) -> u64 {
        self.max_vus
    }

    /// The number over all tasks, from 1, of the VU in our `slot`, from 0.
    pub fn vu_number(&self, slot: u64) -> u64 {
        self.vus.nth(slot).saturating_add(1)
    }

    /// How long iterations start; running ones may go on during the graceful stop.
    pub fn duration(&self) -> Duration {
        Duration::from_nanos(self.timeline.duration())
    }

    /// Past which lateness a start is dropped.
    pub fn max_lateness(&self) -> Duration {
        self.max_lateness
    }

    /// Our starts a second at `t` (from the scenario's start): the rate as a real number, 0 after the end.
    pub fn rate_at(&self, t: Duration) -> f64 {
        self.timeline.rate_at(nanos(t)) * self.starts.share()
    }
}
