//! Whether the load of a run was to change.

use crate::definition::model::{Executor, Scenario, Stage};
use std::time::Duration;

/// Whether the load changes between two times after the start; `None` if no scenario says what it is.
pub(super) fn load_changes(scenarios: &[Scenario], from: Duration, to: Duration) -> Option<bool> {
    if scenarios.is_empty() {
        return None;
    }
    let mut changes = scenarios.iter().flat_map(changes_of);
    Some(changes.any(|(begin, end)| {
        if begin == end {
            begin > from && begin < to
        } else {
            begin < to && end > from
        }
    }))
}

/// When the load of a scenario changes, after the start of the run: at once (both the same), or from one time to the other.
fn changes_of(scenario: &Scenario) -> Vec<(Duration, Duration)> {
    let start = scenario.start_time;
    match &scenario.executor {
        // Until their iterations are done, which is no plan's.
        Executor::SharedIterations { .. } | Executor::PerVuIterations { .. } => {
            vec![(start, start)]
        }
        Executor::ConstantVus { duration, .. } | Executor::ConstantArrivalRate { duration, .. } => {
            let end = start.saturating_add(*duration);
            vec![(start, start), (end, end)]
        }
        Executor::RampingVus {
            start_vus, stages, ..
        } => ramps(start, *start_vus, stages),
        Executor::RampingArrivalRate {
            start_rate, stages, ..
        } => ramps(start, *start_rate, stages),
    }
}

fn ramps(start: Duration, first: u64, stages: &[Stage]) -> Vec<(Duration, Duration)> {
    let (mut at, mut load) = (start, first);
    let mut changes = vec![(start, start)];
    for stage in stages {
        let end = at.saturating_add(stage.duration);
        if stage.target != load {
            changes.push((at, end));
        }
        (at, load) = (end, stage.target);
    }
    changes.push((at, at));
    changes
}
