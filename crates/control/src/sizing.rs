//! How many tasks a test needs, and where they go: pure functions of the definition.

use floodgate_core::definition::model::{Definition, Executor, Region, Scenario, Share, Step, Way};
use floodgate_engines::facts;
use floodgate_records::plan::PlannedLoad;
use std::time::Duration;

/// The number of tasks for `run.tasks: auto`: as many as the busiest of requests, VUs by CPU and VUs by memory needs, and one
/// for each region. A definition whose load is not known (a script's own) gets one a region. It may be more than
/// [`MAX_TASKS`](crate::MAX_TASKS), which no run has: fewer could not send that load.
pub fn auto_tasks(definition: &Definition, load: &PlannedLoad) -> u32 {
    let of = facts(definition.engine).capacity;
    let vcpu = f64::from(definition.run.cpu) / 1_024.0;
    let gib = f64::from(definition.run.memory) / 1_024.0;
    let requests: f64 = definition.scenarios.iter().map(requests_per_s).sum();
    let vus = load.max_vus as f64;
    let needed = [
        requests / (of.requests_per_s * vcpu),
        vus / (of.vus * vcpu),
        vus / (of.vus_a_gib * gib),
    ];
    let needed = needed.into_iter().fold(1.0, f64::max).ceil();
    // An `as` from a float saturates.
    let regions = definition.run.regions.len() as u32;
    (needed as u32).max(regions)
}

/// The largest rate of requests that a scenario's schedule asks for; zero where it names none (a closed loop).
fn requests_per_s(scenario: &Scenario) -> f64 {
    let per_s = |rate: u64, unit: Duration| {
        let unit = unit.as_secs_f64();
        if unit > 0.0 { rate as f64 / unit } else { 0.0 }
    };
    let iterations = match &scenario.executor {
        Executor::ConstantArrivalRate {
            rate, time_unit, ..
        } => per_s(*rate, *time_unit),
        Executor::RampingArrivalRate {
            start_rate,
            time_unit,
            stages,
            ..
        } => {
            let most = stages.iter().map(|s| s.target).chain([*start_rate]).max();
            per_s(most.unwrap_or(0), *time_unit)
        }
        _ => 0.0,
    };
    let share = scenario.share.as_ref().map_or(1.0, Share::ratio);
    iterations * share * requests(&scenario.flow).max(1.0)
}

/// How many passes are reckoned with of a loop whose number the target decides: its bound is mostly far above.
const USUAL_PASSES: u32 = 10;

/// Requests of an iteration, rather too many than too few; of several ways, what they have on average.
fn requests(steps: &[Step]) -> f64 {
    let each = steps.iter().map(|step| match step {
        Step::Request(_) => 1.0,
        Step::Group { steps, .. } => requests(steps),
        Step::Repeat(repeat) => {
            let passes = match repeat.condition {
                Some(_) => repeat.most.min(USUAL_PASSES),
                None => repeat.most,
            };
            f64::from(passes) * requests(&repeat.steps)
        }
        Step::Each(each) => f64::from(each.most.min(USUAL_PASSES)) * requests(&each.steps),
        Step::If(branch) => requests(&branch.steps).max(requests(&branch.otherwise)),
        Step::Choose(ways) => {
            let all: f64 = ways.iter().map(|way| f64::from(way.weight)).sum();
            let own = |way: &Way| f64::from(way.weight) * requests(&way.steps);
            ways.iter().map(own).sum::<f64>() / all.max(1.0)
        }
        Step::Think { .. } | Step::Set(_) | Step::Stop => 0.0,
    });
    each.sum()
}

/// The region of each task: by weight, by the method of the largest remainder, so that no region is further than one task
/// from its exact share. Of equal remainders the first region gets the task. Regions of weight zero get none; if all are, the
/// weights count as equal. Without regions there are no tasks.
pub fn spread(tasks: u32, regions: &[Region]) -> Vec<String> {
    let mut weights: Vec<u128> = regions.iter().map(|r| u128::from(r.weight)).collect();
    if weights.iter().all(|w| *w == 0) {
        weights.fill(1);
    }
    let all: u128 = weights.iter().sum();
    if all == 0 {
        return Vec::new();
    }
    let total = u128::from(tasks);
    let mut counts: Vec<u128> = weights.iter().map(|w| total * w / all).collect();
    let missing = total - counts.iter().sum::<u128>();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by_key(|&i| std::cmp::Reverse(total * weights[i] % all));
    for &i in order.iter().take(usize::try_from(missing).unwrap_or(0)) {
        counts[i] += 1;
    }
    let of_region = |(region, count): (&Region, &u128)| {
        std::iter::repeat_n(region.region.clone(), usize::try_from(*count).unwrap_or(0))
    };
    regions.iter().zip(&counts).flat_map(of_region).collect()
}

/// How often tasks write and look, by their number: few tasks are followed closely, many must not make storage requests the
/// larger part of the cost. With 1,000 tasks there are 60,000 shards an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intervals {
    /// Between two shards; a multiple of 10 s, so that no window is split.
    pub flush: Duration,
    /// Between two live objects.
    pub live: Duration,
    /// Between two looks at the order to stop.
    pub control: Duration,
}

impl Intervals {
    /// For so many tasks.
    pub fn for_tasks(tasks: u32) -> Self {
        let tasks = u64::from(tasks);
        Self {
            flush: Duration::from_secs((tasks.div_ceil(100) * 10).clamp(10, 60)),
            live: Duration::from_millis((tasks * 30).clamp(2_000, 30_000)),
            control: Duration::from_millis((tasks * 5).clamp(500, 5_000)),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
