//! What the schedules of a definition come to, over all tasks.

use crate::capacity::{Load, search};
use crate::definition::model::CapacitySpec;
use crate::definition::{Definition, Scenario};
use crate::schedule::{Schedule, Segment, VuLoop, schedule_of};
use floodgate_records::plan::PlannedLoad;
use std::collections::BTreeMap;
use std::time::Duration;

/// The longest time of a script whose load is not known, and of a definition that does not say it either.
pub const UNKNOWN_DURATION: Duration = Duration::from_secs(3_600);

/// The load that a definition's scenarios want. One without scenarios (an external engine's own) plans nothing that is
/// known: no number of iterations, no VUs, no time.
pub fn planned_load(definition: &Definition) -> PlannedLoad {
    if let Some((spec, load, _)) = search(definition) {
        return sought(definition, &spec, &load);
    }
    let mut load = PlannedLoad {
        iterations: (!definition.scenarios.is_empty()).then_some(0),
        ..PlannedLoad::default()
    };
    let mut vus = Occupancy::default();
    for scenario in &definition.scenarios {
        let whole = schedule_of(scenario, &Segment::whole());
        load.iterations = load
            .iterations
            .zip(whole.iterations())
            .map(|(sum, own)| sum.saturating_add(own));
        let end = scenario.start_time.saturating_add(whole.duration());
        load.duration_ms = load.duration_ms.max(millis(end));
        load.max_duration_ms = load
            .max_duration_ms
            .max(millis(end.saturating_add(scenario.graceful_stop)));
        vus.add(scenario, &whole);
    }
    load.max_vus = vus.most();
    load
}

/// A search ends when it is done: its time is bounded, its load is that of the largest step that is known before.
fn sought(definition: &Definition, spec: &CapacitySpec, load: &Load) -> PlannedLoad {
    let largest = spec.max.unwrap_or(load.total).max(load.total);
    let whole = load.schedules(&definition.scenarios, largest, spec.step, &Segment::whole());
    let scenarios = definition.scenarios.iter();
    let graceful_stop = scenarios.map(|s| s.graceful_stop).max().unwrap_or_default();
    PlannedLoad {
        iterations: None,
        max_vus: whole.iter().map(Schedule::max_vus).sum(),
        duration_ms: millis(spec.max_duration),
        max_duration_ms: millis(spec.max_duration.saturating_add(graceful_stop)),
    }
}

/// Rounded up.
fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

/// How the number of VUs changes over the run.
#[derive(Default)]
struct Occupancy(BTreeMap<Duration, i128>);

impl Occupancy {
    /// A VU is taken while it may run an iteration, graceful ramp-downs and stops included: what k6 calls the execution
    /// requirements (`GetExecutionRequirements` of each executor). An arrival rate takes as many as it ever may.
    fn add(&mut self, scenario: &Scenario, whole: &Schedule) {
        let end = whole.duration().saturating_add(scenario.graceful_stop);
        match whole {
            Schedule::Loop(vu_loop) => {
                for (vus, from, until) in taken(vu_loop, scenario.graceful_stop) {
                    self.take(vus, scenario.start_time, from, until);
                }
            }
            Schedule::Arrivals(_) | Schedule::Counted(_) => {
                self.take(whole.max_vus(), scenario.start_time, Duration::ZERO, end);
            }
        }
    }

    fn take(&mut self, vus: u64, start: Duration, from: Duration, until: Duration) {
        *self.0.entry(start.saturating_add(from)).or_default() += i128::from(vus);
        *self.0.entry(start.saturating_add(until)).or_default() -= i128::from(vus);
    }

    fn most(&self) -> u64 {
        let running = self.0.values().scan(0, |vus, change| {
            *vus += change;
            Some(*vus)
        });
        running
            .max()
            .map_or(0, |most| u64::try_from(most).unwrap_or(u64::MAX))
    }
}

/// The intervals in which VUs of a loop are taken; those of one VU don't overlap.
fn taken(vu_loop: &VuLoop, graceful_stop: Duration) -> Vec<(u64, Duration, Duration)> {
    let mut taken: Vec<(u64, Duration, Duration)> = Vec::new();
    for slot in 0..vu_loop.slots() {
        let mut own: Vec<(u64, Duration, Duration)> = Vec::new();
        for active in vu_loop.active(slot) {
            let until = vu_loop.interrupted_at(&active, graceful_stop);
            match own.last_mut() {
                Some(last) if last.2 >= active.from => last.2 = last.2.max(until),
                _ => own.push((1, active.from, until)),
            }
        }
        taken.append(&mut own);
    }
    taken
}
