//! When iterations start: k6's six executors as pure functions
//! (<https://grafana.com/docs/k6/latest/using-k6/scenarios/executors/>).
//!
//! All is computed exactly, in integers and nanoseconds from the scenario's start; nothing accumulates, so that nothing
//! drifts. A [`Segment`] says which starts, VUs and iterations are ours. The parts of all tasks and
//! threads together are exactly what one alone would do: the same iteration numbers at the same times, the same VUs in
//! the same intervals.

mod arrivals;
mod constant_arrival_rate;
mod constant_vus;
mod counted;
mod per_vu_iterations;
mod ramping_arrival_rate;
mod ramping_vus;
mod segment;
mod shared_iterations;
#[cfg(test)]
mod tests;
mod turns;
mod vu_loop;

use arrivals::Timeline;
pub use arrivals::{Arrivals, Start};
pub use counted::{Counted, Quota};
pub use segment::{MAX_CYCLE, Segment, SegmentError};
pub use turns::ROUND;
use turns::Turns;
pub use vu_loop::{Active, VuLoop};

use crate::definition::{Executor, Scenario, Side};
use std::time::Duration;

/// A segment's part of what an executor does.
#[derive(Clone, Debug)]
pub enum Schedule {
    /// An open loop: iterations start at given times.
    Arrivals(Arrivals),
    /// A closed loop by time: VUs iterate during given intervals.
    Loop(VuLoop),
    /// A closed loop by number: VUs iterate until a number of iterations is done.
    Counted(Counted),
}

impl Schedule {
    /// From the scenario's start until no further iteration starts: at the latest, where the number of iterations ends it.
    pub fn duration(&self) -> Duration {
        match self {
            Self::Arrivals(arrivals) => arrivals.duration(),
            Self::Loop(vu_loop) => vu_loop.duration(),
            Self::Counted(counted) => counted.max_duration(),
        }
    }

    /// Most VUs that are ours at any time.
    pub fn max_vus(&self) -> u64 {
        match self {
            Self::Arrivals(arrivals) => arrivals.max_vus(),
            Self::Loop(vu_loop) => vu_loop.slots(),
            Self::Counted(counted) => counted.vus(),
        }
    }

    /// How many iterations are ours; `None` where only time limits them.
    pub fn iterations(&self) -> Option<u64> {
        match self {
            Self::Arrivals(arrivals) => Some(arrivals.total()),
            Self::Loop(_) => None,
            Self::Counted(counted) => Some(counted.total()),
        }
    }
}

/// What of a scenario falls to `segment`.
pub fn schedule_of(scenario: &Scenario, segment: &Segment) -> Schedule {
    schedule_with(scenario, &scenario.executor, segment)
}

/// The same with another executor in the place of its own.
pub fn schedule_with(scenario: &Scenario, executor: &Executor, segment: &Segment) -> Schedule {
    // A definition's weights make shares: it is refused otherwise.
    let share = scenario
        .share
        .as_ref()
        .and_then(|share| Segment::of_weights(&share.weights, share.place).ok());
    let turns = scenario.side.map(|side| (side, scenario.start_time));
    shared(executor, share, turns, segment)
}

/// What of `executor` falls to `segment`.
pub fn schedule(executor: &Executor, segment: &Segment) -> Schedule {
    shared(executor, None, None, segment)
}

/// The same of a scenario that has only a share of the starts, or those of the turns of a side in a scenario that starts so long after the run.
fn shared(
    executor: &Executor,
    share: Option<Segment>,
    turns: Option<(Side, Duration)>,
    segment: &Segment,
) -> Schedule {
    let own = |timeline: Timeline| {
        let own = match share {
            Some(share) => Timeline::Shared(Box::new(timeline), share),
            None => timeline,
        };
        match turns {
            Some((side, start)) => Timeline::InTurns(Box::new(Turns::new(own, side, start))),
            None => own,
        }
    };
    match executor {
        Executor::SharedIterations {
            vus,
            iterations,
            max_duration,
        } => Schedule::Counted(shared_iterations::schedule(
            *vus,
            *iterations,
            *max_duration,
            segment,
        )),
        Executor::PerVuIterations {
            vus,
            iterations,
            max_duration,
        } => Schedule::Counted(per_vu_iterations::schedule(
            *vus,
            *iterations,
            *max_duration,
            segment,
        )),
        Executor::ConstantVus { vus, duration } => {
            Schedule::Loop(constant_vus::schedule(*vus, *duration, segment))
        }
        Executor::RampingVus {
            start_vus,
            stages,
            graceful_ramp_down,
        } => Schedule::Loop(ramping_vus::schedule(
            *start_vus,
            stages,
            *graceful_ramp_down,
            segment,
        )),
        Executor::ConstantArrivalRate {
            rate,
            time_unit,
            duration,
            pre_allocated_vus,
            max_vus,
            max_lateness,
        } => {
            let timeline = constant_arrival_rate::Timeline::new(*rate, *time_unit, *duration);
            Schedule::Arrivals(Arrivals::new(
                own(timeline.into()),
                *pre_allocated_vus,
                *max_vus,
                *max_lateness,
                segment,
            ))
        }
        Executor::RampingArrivalRate {
            start_rate,
            time_unit,
            stages,
            pre_allocated_vus,
            max_vus,
            max_lateness,
        } => {
            let timeline = ramping_arrival_rate::Timeline::new(*start_rate, *time_unit, stages);
            Schedule::Arrivals(Arrivals::new(
                own(timeline.into()),
                *pre_allocated_vus,
                *max_vus,
                *max_lateness,
                segment,
            ))
        }
    }
}

/// Whole nanoseconds; at most `i64::MAX` of them (292 years), which keeps sums and products of a few in range.
fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).map_or(MAX, |nanos| nanos.min(MAX))
}

/// The largest time in ns, and the largest rate each time unit, that schedules reckon with.
const MAX: u64 = i64::MAX as u64;

/// `value`, or the largest `u64` if it is larger.
fn saturate(value: u128) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}
