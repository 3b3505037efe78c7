//! The load of a step: the scenarios of a definition, scaled together.

use crate::definition::model::{Executor, Scenario, Share};
use crate::schedule::{Schedule, Segment, schedule_with};
use floodgate_records::capacity::CapacityUnit;
use std::time::Duration;

/// Rates are sent as whole numbers of iterations in this time, which keeps three digits after the point.
const RATE_UNIT: Duration = Duration::from_secs(1_000);

/// What the scenarios of a definition add up to, and each one's part of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Load {
    /// What it is counted in.
    pub unit: CapacityUnit,
    /// What the definition says, over all scenarios: the largest of a ramp.
    pub total: f64,
    parts: Vec<f64>,
}

impl Load {
    /// `None` unless all scenarios have an arrival rate or all have VUs, and any of it.
    pub fn of(scenarios: &[Scenario]) -> Option<Self> {
        let loads: Vec<_> = scenarios
            .iter()
            .map(|scenario| {
                let (unit, load) = of_executor(&scenario.executor)?;
                let share = scenario.share.as_ref().map_or(1.0, Share::ratio);
                Some((unit, load * share))
            })
            .collect::<Option<_>>()?;
        let (unit, _) = *loads.first()?;
        let parts: Vec<f64> = loads.iter().map(|(_, load)| *load).collect();
        let total = parts.iter().sum();
        let same = loads.iter().all(|(other, _)| *other == unit);
        (same && total > 0.0).then_some(Self { unit, total, parts })
    }

    /// Whether it is counted in whole numbers.
    pub fn is_whole(&self) -> bool {
        self.unit == CapacityUnit::Vus
    }

    /// What each scenario does on a segment while all together make `total`. Limits of VUs grow with the rate, and never shrink.
    pub fn schedules(
        &self,
        scenarios: &[Scenario],
        total: f64,
        duration: Duration,
        segment: &Segment,
    ) -> Vec<Schedule> {
        let factor = total / self.total;
        let (mut exact, mut rounded) = (0.0, 0.0);
        let parts = self.parts.iter().zip(scenarios);
        parts
            .map(|(part, scenario)| {
                // Rounded so that the sum is right.
                exact += part * factor;
                let vus = exact.round() - rounded;
                rounded += vus;
                let executor = scaled(&scenario.executor, factor, vus as u64, duration);
                schedule_with(scenario, &executor, segment)
            })
            .collect()
    }
}

fn of_executor(executor: &Executor) -> Option<(CapacityUnit, f64)> {
    let rate = |rate: u64, unit: Duration| {
        let per_s = rate as f64 / unit.as_secs_f64();
        Some((CapacityUnit::IterationsPerSecond, per_s))
    };
    let vus = |vus: u64| Some((CapacityUnit::Vus, vus as f64));
    match executor {
        Executor::ConstantArrivalRate {
            rate: load,
            time_unit,
            ..
        } => rate(*load, *time_unit),
        Executor::RampingArrivalRate {
            start_rate,
            time_unit,
            stages,
            ..
        } => {
            let targets = stages.iter().map(|stage| stage.target);
            rate(targets.fold(*start_rate, u64::max), *time_unit)
        }
        Executor::ConstantVus { vus: load, .. } => vus(*load),
        Executor::RampingVus {
            start_vus, stages, ..
        } => vus(stages
            .iter()
            .map(|stage| stage.target)
            .fold(*start_vus, u64::max)),
        Executor::SharedIterations { .. } | Executor::PerVuIterations { .. } => None,
    }
}

fn scaled(executor: &Executor, factor: f64, vus: u64, duration: Duration) -> Executor {
    match (executor, of_executor(executor)) {
        (
            Executor::ConstantArrivalRate {
                pre_allocated_vus,
                max_vus,
                max_lateness,
                ..
            }
            | Executor::RampingArrivalRate {
                pre_allocated_vus,
                max_vus,
                max_lateness,
                ..
            },
            Some((_, rate)),
        ) => Executor::ConstantArrivalRate {
            rate: (rate * factor * RATE_UNIT.as_secs_f64()).round() as u64,
            time_unit: RATE_UNIT,
            duration,
            pre_allocated_vus: *pre_allocated_vus,
            max_vus: (*max_vus).max((*max_vus as f64 * factor).ceil() as u64),
            max_lateness: *max_lateness,
        },
        _ => Executor::ConstantVus { vus, duration },
    }
}
