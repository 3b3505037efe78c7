//! A closed loop by time: in which intervals each of our VUs iterates.

use super::ramping_vus::Leg;
use super::{nanos, segment::Segment};
use std::time::Duration;

/// A segment's VUs of an executor that loops for a time.
#[derive(Clone, Debug)]
pub struct VuLoop {
    legs: Vec<Leg>,
    /// Most VUs of all segments.
    max_vus: u64,
    graceful_ramp_down: Duration,
    vus: Segment,
    iterations: Segment,
}

/// An interval in which a VU starts iterations, from the scenario's start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Active {
    /// The first starts here.
    pub from: Duration,
    /// From here on, none starts; one that runs may finish within the graceful ramp-down or stop. If the next interval
    /// begins before it has finished, the VU goes on without being interrupted, as in k6.
    pub until: Duration,
}

impl VuLoop {
    /// `legs` follow one another without gaps from 0; `max_vus` is the most they come to.
    pub(super) fn new(
        legs: Vec<Leg>,
        max_vus: u64,
        graceful_ramp_down: Duration,
        segment: &Segment,
    ) -> Self {
        Self {
            legs,
            max_vus,
            graceful_ramp_down,
            vus: segment.clone(),
            iterations: segment.serving(max_vus),
        }
    }

    /// Our VUs at most; slots are numbered from 0 to this.
    pub fn slots(&self) -> u64 {
        self.vus.count_below(self.max_vus)
    }

    /// The number over all tasks, from 1, of the VU in our `slot`.
    pub fn vu_number(&self, slot: u64) -> u64 {
        self.vus.nth(slot).saturating_add(1)
    }

    /// The number over all tasks, from 0, of the `k`-th iteration that our VUs start.
    pub fn iteration(&self, k: u64) -> u64 {
        self.iterations.nth(k)
    }

    /// The intervals in which the VU in our `slot` starts iterations: ascending, none empty, none touching the next.
    pub fn active(&self, slot: u64) -> Vec<Active> {
        let number = self.vu_number(slot);
        let mut active: Vec<Active> = Vec::new();
        for (from, until) in self.legs.iter().filter_map(|leg| leg.active(number)) {
            let (from, until) = (Duration::from_nanos(from), Duration::from_nanos(until));
            match active.last_mut() {
                Some(last) if last.until == from => last.until = until,
                _ => active.push(Active { from, until }),
            }
        }
        active
    }

    /// When an iteration that still runs after `active` is interrupted, from the scenario's start: after the graceful
    /// ramp-down, or after the scenario's graceful stop if that is earlier or if the VU is active to the end.
    pub fn interrupted_at(&self, active: &Active, graceful_stop: Duration) -> Duration {
        let stop = self.duration().saturating_add(graceful_stop);
        if active.until >= self.duration() {
            stop
        } else {
            stop.min(active.until.saturating_add(self.graceful_ramp_down))
        }
    }

    /// How many of our VUs start iterations at `t` (from the scenario's start).
    pub fn vus_at(&self, t: Duration) -> u64 {
        let t = nanos(t);
        let index = self.legs.partition_point(|leg| leg.end() <= t);
        self.legs
            .get(index)
            .map_or(0, |leg| self.vus.count_below(leg.vus_at(t)))
    }

    /// Each time at which the number of our VUs changes, with the number from then on, from time 0 to the end with
    /// 0 VUs. Where several changes fall on one ns, the last one counts.
    pub fn steps(&self) -> impl Iterator<Item = (Duration, u64)> + use<> {
        let mut steps: Vec<(u64, u64)> = Vec::new();
        let mut push = |at, vus| {
            while steps.last().is_some_and(|last| last.0 >= at) {
                steps.pop();
            }
            if steps.last().is_none_or(|last| last.1 != vus) {
                steps.push((at, vus));
            }
        };
        for leg in &self.legs {
            let [from, to] = [leg.from, leg.to].map(|vus| self.vus.count_below(vus));
            push(leg.start, from);
            for slot in from..to {
                push(leg.change(self.vu_number(slot)), slot + 1);
            }
            for slot in (to..from).rev() {
                push(leg.change(self.vu_number(slot)), slot);
            }
        }
        push(nanos(self.duration()), 0);
        steps
            .into_iter()
            .map(|(at, vus)| (Duration::from_nanos(at), vus))
    }

    /// How long iterations start; running ones may go on during the graceful stop.
    pub fn duration(&self) -> Duration {
        Duration::from_nanos(self.legs.last().map_or(0, Leg::end))
    }

    /// How long an iteration of a VU that is ramped down before the end may go on.
    pub fn graceful_ramp_down(&self) -> Duration {
        self.graceful_ramp_down
    }
}
