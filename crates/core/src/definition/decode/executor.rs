//! Executors.

use super::context::Decoder;
use crate::definition::field::Field;
use crate::definition::keys::scenario as keys;
use crate::definition::keys::scenario::Named;
use crate::definition::model::{Executor, Stage};
use crate::definition::tree::Node;
use crate::rate::{Rate, in_common_unit};
use std::time::Duration;

impl Decoder<'_> {
    pub(super) fn executor(&mut self, node: &Node) -> Option<Executor> {
        match keys::EXECUTOR.of(node)? {
            Named::SharedIterations => Some(self.shared_iterations(node)),
            Named::PerVuIterations => Some(Executor::PerVuIterations {
                vus: keys::VUS.or_default(node),
                iterations: keys::ITERATIONS.or_default(node),
                max_duration: keys::MAX_DURATION.or_default(node),
            }),
            Named::ConstantVus => Some(Executor::ConstantVus {
                vus: keys::VUS.or_default(node),
                duration: keys::DURATION.needed(node)?,
            }),
            Named::RampingVus => {
                let start_vus = keys::START_VUS.or_default(node);
                Some(Executor::RampingVus {
                    start_vus,
                    stages: self.stages(node, start_vus)?,
                    graceful_ramp_down: keys::GRACEFUL_RAMP_DOWN.or_default(node),
                })
            }
            Named::ConstantArrivalRate => {
                let (pre_allocated_vus, max_vus) = self.open_vus(node);
                let place = keys::RATE.place(node)?;
                let (rates, time_unit) = self.rates(node, place, &[keys::RATE.needed(node)?])?;
                Some(Executor::ConstantArrivalRate {
                    rate: rates[0],
                    time_unit,
                    duration: keys::DURATION.needed(node)?,
                    pre_allocated_vus,
                    max_vus,
                    max_lateness: keys::MAX_LATENESS.or_default(node),
                })
            }
            Named::RampingArrivalRate => {
                let (pre_allocated_vus, max_vus) = self.open_vus(node);
                let (start_rate, stages, time_unit) = self.rate_stages(node)?;
                Some(Executor::RampingArrivalRate {
                    start_rate,
                    time_unit,
                    stages,
                    pre_allocated_vus,
                    max_vus,
                    max_lateness: keys::MAX_LATENESS.or_default(node),
                })
            }
        }
    }

    fn shared_iterations(&mut self, node: &Node) -> Executor {
        let vus = keys::VUS.or_default(node);
        let iterations = keys::SHARED_ITERATIONS.or_default(node);
        // What is open, or none that can be read, is not compared.
        let is_known = |key: Field<u64>| !key.is_given(node) || key.of(node).is_some();
        let are_known = is_known(keys::VUS) && is_known(keys::SHARED_ITERATIONS);
        if iterations < vus && are_known {
            let place = keys::SHARED_ITERATIONS.place(node);
            let place = place.or_else(|| keys::VUS.place(node)).unwrap_or(node);
            let issue = place.issue(format!(
                "{iterations} iterations cannot be shared by {vus} VUs"
            ));
            self.sink
                .push(issue.allowed(format!("iterations of at least vus, {vus}")));
        }
        Executor::SharedIterations {
            vus,
            iterations,
            max_duration: keys::MAX_DURATION.or_default(node),
        }
    }

    fn open_vus(&mut self, node: &Node) -> (u64, u64) {
        let Some(pre_allocated) = keys::PRE_ALLOCATED_VUS.needed(node) else {
            return (0, 0);
        };
        let max = keys::MAX_VUS.of(node);
        match max {
            Some(max) if max < pre_allocated => {
                let place = keys::MAX_VUS.place(node).unwrap_or(node);
                let issue = place.issue(format!(
                    "maxVUs {max} is less than preAllocatedVUs {pre_allocated}"
                ));
                self.sink
                    .push(issue.allowed(format!("at least {pre_allocated}")));
            }
            None if pre_allocated == 0 && !keys::MAX_VUS.is_given(node) => {
                let place = keys::PRE_ALLOCATED_VUS.place(node).unwrap_or(node);
                self.sink.push(
                    place
                        .issue("no VU would ever run an iteration")
                        .allowed("preAllocatedVUs or maxVUs of at least 1"),
                );
            }
            _ => {}
        }
        (pre_allocated, max.unwrap_or(pre_allocated))
    }

    /// Rates as whole numbers each one unit: a fraction makes the unit longer.
    fn rates(&mut self, node: &Node, place: &Node, rates: &[Rate]) -> Option<(Vec<u64>, Duration)> {
        let own = keys::TIME_UNIT.place(node);
        if let Some(unit) = own.filter(|_| rates.iter().all(|rate| rate.per().is_some())) {
            let issue = unit.issue("timeUnit has no effect, since the rate names its own unit");
            self.sink.push(issue.hint("remove one of them").warning());
        }
        let common = in_common_unit(rates, keys::TIME_UNIT.or_default(node));
        if common.is_none() {
            let issue = place.issue("the rates have no common unit below a century");
            self.sink
                .push(issue.allowed("fewer decimal places, or rates of one unit"));
        }
        common
    }

    fn rate_stages(&mut self, node: &Node) -> Option<(u64, Vec<Stage>, Duration)> {
        let list = keys::RATE_STAGES.place(node)?;
        let targets = list
            .items()
            .iter()
            .map(|item| keys::STAGE_RATE.needed(item));
        let rates = std::iter::once(Some(keys::START_RATE.or_default(node))).chain(targets);
        let rates = rates.collect::<Option<Vec<Rate>>>()?;
        let (rates, time_unit) = self.rates(node, list, &rates)?;
        let stages = list.items().iter().zip(&rates[1..]).map(|(item, target)| {
            Some(Stage {
                duration: keys::STAGE_DURATION.needed(item)?,
                target: *target,
            })
        });
        let stages = stages.collect::<Option<Vec<_>>>()?;
        let stages = self.with_load(list, stages, keys::START_RATE, rates[0])?;
        Some((rates[0], stages, time_unit))
    }

    fn stages(&mut self, node: &Node, start: u64) -> Option<Vec<Stage>> {
        let list = keys::STAGES.place(node)?;
        let stage = |item: &Node| {
            Some(Stage {
                duration: keys::STAGE_DURATION.needed(item)?,
                target: keys::STAGE_VUS.needed(item)?,
            })
        };
        let stages: Option<Vec<_>> = list.items().iter().map(stage).collect();
        self.with_load(list, stages?, keys::START_VUS, start)
    }

    /// Stages that take time and ask for something.
    fn with_load<T>(
        &mut self,
        list: &Node,
        stages: Vec<Stage>,
        start_key: Field<T>,
        start: u64,
    ) -> Option<Vec<Stage>> {
        let stages = Some(stages).filter(|stages| !stages.is_empty())?;
        if stages.iter().all(|stage| stage.duration.is_zero()) {
            self.sink.push(
                list.issue("the stages take no time in all")
                    .allowed("a duration above 0 in one of them"),
            );
        } else if start == 0 && stages.iter().all(|stage| stage.target == 0) {
            self.sink.push(
                list.issue("the stages never ask for any load")
                    .allowed(format!(
                        "a target above 0, or {} above 0",
                        start_key.key.name
                    )),
            );
        }
        Some(stages)
    }
}
