//! Scenarios and their executors.

use super::Build;
use super::flow::Scope;
use crate::definition::fault::Issue;
use crate::definition::keys::variant;
use crate::definition::model::{Engine, Executor, HttpOptions, RunOptions, Scenario, Stage};
use crate::definition::tree::{Entry, Node};
use crate::rate::{Rate, in_common_unit};
use crate::units::format_duration;
use std::time::Duration;

/// k6's defaults.
const GRACEFUL: Duration = Duration::from_secs(30);
const MAX_DURATION: Duration = Duration::from_secs(600);
const SECOND: Duration = Duration::from_secs(1);
/// Ours: past it a start is dropped.
const MAX_LATENESS: Duration = Duration::from_secs(10);

impl Build<'_> {
    /// All scenarios in the order of the file.
    pub(super) fn scenarios(&mut self, root: &Node, http: &HttpOptions) -> Vec<Scenario> {
        let Some(node) = root.get("scenarios") else {
            if self.engine == Engine::Http {
                self.sink.push(
                    root.issue("the key \"scenarios\" is missing")
                        .allowed("a map of at least one scenario"),
                );
            }
            return Vec::new();
        };
        node.entries()
            .iter()
            .filter_map(|entry| self.scenario(entry, http))
            .collect()
    }

    fn scenario(&mut self, entry: &Entry, http: &HttpOptions) -> Option<Scenario> {
        let node = &entry.value;
        let http = node
            .get("http")
            .map_or_else(|| http.clone(), |own| self.http(own, http));
        let flow = self.flow(entry);
        let executor = self.executor(node);
        Some(Scenario {
            name: entry.key.clone(),
            start_time: node
                .get("startTime")
                .and_then(Node::duration)
                .unwrap_or_default(),
            graceful_stop: node
                .get("gracefulStop")
                .and_then(Node::duration)
                .unwrap_or(GRACEFUL),
            executor: executor?,
            tags: self.tags(node),
            flow,
            http,
        })
    }

    fn flow(&mut self, entry: &Entry) -> Vec<crate::definition::model::Step> {
        let is_map = !entry.value.entries().is_empty();
        match (entry.value.get("flow"), self.engine) {
            (Some(flow), Engine::Http) => {
                let mut scope = Scope::new(&self.sources);
                self.steps(flow, &mut scope)
            }
            (Some(flow), _) => {
                self.sink.push(
                    flow.issue("this engine runs its script, not a flow")
                        .hint("remove flow, or write engine: http"),
                );
                Vec::new()
            }
            (None, Engine::Http) if is_map => {
                let misspelt = entry
                    .value
                    .entries()
                    .iter()
                    .any(|entry| crate::syntax::nearest(&entry.key, ["flow"]).is_some());
                if !misspelt {
                    let issue = Issue::new(
                        entry.key_mark,
                        &entry.value.path,
                        "the key \"flow\" is missing",
                    );
                    self.sink
                        .push(issue.allowed("a list of at least one step, such as get: /path"));
                }
                Vec::new()
            }
            (None, _) => Vec::new(),
        }
    }

    fn executor(&mut self, node: &Node) -> Option<Executor> {
        let name = node.get("executor").and_then(Node::string)?;
        variant(&name)?;
        let count = |key: &str| node.get(key).and_then(Node::count);
        let duration = |key: &str| node.get(key).and_then(Node::duration);
        let needed = |key: &str| node.get(key)?.needed(Node::duration);
        let vus = count("vus").unwrap_or(1);
        let iterations = count("iterations").unwrap_or(1);
        let max_duration = duration("maxDuration").unwrap_or(MAX_DURATION);
        match name.as_str() {
            "shared-iterations" => {
                let is_open = |key| node.get(key).is_some_and(Node::is_open);
                if iterations < vus && !is_open("iterations") && !is_open("vus") {
                    let place = node
                        .get("iterations")
                        .or_else(|| node.get("vus"))
                        .unwrap_or(node);
                    let issue = place.issue(format!(
                        "{iterations} iterations cannot be shared by {vus} VUs"
                    ));
                    self.sink
                        .push(issue.allowed(format!("iterations of at least vus, {vus}")));
                }
                Some(Executor::SharedIterations {
                    vus,
                    iterations,
                    max_duration,
                })
            }
            "per-vu-iterations" => Some(Executor::PerVuIterations {
                vus,
                iterations,
                max_duration,
            }),
            "constant-vus" => Some(Executor::ConstantVus {
                vus,
                duration: needed("duration")?,
            }),
            "ramping-vus" => {
                let start_vus = count("startVUs").unwrap_or(1);
                let stages = self.stages(node, "startVUs", start_vus)?;
                let graceful_ramp_down = duration("gracefulRampDown").unwrap_or(GRACEFUL);
                Some(Executor::RampingVus {
                    start_vus,
                    stages,
                    graceful_ramp_down,
                })
            }
            "constant-arrival-rate" => {
                let (pre_allocated_vus, max_vus) = self.open_vus(node);
                let place = node.get("rate")?;
                let (rates, time_unit) = self.rates(node, place, &[place.needed(Node::rate)?])?;
                Some(Executor::ConstantArrivalRate {
                    rate: rates[0],
                    time_unit,
                    duration: needed("duration")?,
                    pre_allocated_vus,
                    max_vus,
                    max_lateness: duration("maxLateness").unwrap_or(MAX_LATENESS),
                })
            }
            _ => {
                let (pre_allocated_vus, max_vus) = self.open_vus(node);
                let (start_rate, stages, time_unit) = self.rate_stages(node)?;
                Some(Executor::RampingArrivalRate {
                    start_rate,
                    time_unit,
                    stages,
                    pre_allocated_vus,
                    max_vus,
                    max_lateness: duration("maxLateness").unwrap_or(MAX_LATENESS),
                })
            }
        }
    }

    fn open_vus(&mut self, node: &Node) -> (u64, u64) {
        let Some(pre_allocated) = node
            .get("preAllocatedVUs")
            .and_then(|vus| vus.needed(Node::count))
        else {
            return (0, 0);
        };
        let max = node.get("maxVUs").map(|max| (max, max.count()));
        match max {
            Some((place, Some(max))) if max < pre_allocated => {
                let issue = place.issue(format!(
                    "maxVUs {max} is less than preAllocatedVUs {pre_allocated}"
                ));
                self.sink
                    .push(issue.allowed(format!("at least {pre_allocated}")));
            }
            None if pre_allocated == 0 => {
                let place = node.get("preAllocatedVUs").unwrap_or(node);
                self.sink.push(
                    place
                        .issue("no VU would ever run an iteration")
                        .allowed("preAllocatedVUs or maxVUs of at least 1"),
                );
            }
            _ => {}
        }
        (
            pre_allocated,
            max.and_then(|(_, max)| max).unwrap_or(pre_allocated),
        )
    }

    /// Rates as whole numbers each one unit: a fraction makes the unit longer.
    fn rates(&mut self, node: &Node, place: &Node, rates: &[Rate]) -> Option<(Vec<u64>, Duration)> {
        let own = node.get("timeUnit");
        if let Some(unit) = own.filter(|_| rates.iter().all(|rate| rate.per().is_some())) {
            let issue = unit.issue("timeUnit has no effect, since the rate names its own unit");
            self.sink.push(issue.hint("remove one of them").warning());
        }
        let time_unit = own.map_or(Some(SECOND), |unit| unit.needed(Node::duration))?;
        let common = in_common_unit(rates, time_unit);
        if common.is_none() {
            let issue = place.issue("the rates have no common unit below a century");
            self.sink
                .push(issue.allowed("fewer decimal places, or rates of one unit"));
        }
        common
    }

    fn rate_stages(&mut self, node: &Node) -> Option<(u64, Vec<Stage>, Duration)> {
        let list = node.get("stages")?;
        let start = node
            .get("startRate")
            .map_or(Some(0.into()), |rate| rate.needed(Node::rate))?;
        let targets = list
            .items()
            .iter()
            .map(|item| item.get("target")?.needed(Node::rate));
        let rates = std::iter::once(Some(start)).chain(targets);
        let rates = rates.collect::<Option<Vec<Rate>>>()?;
        let (rates, time_unit) = self.rates(node, list, &rates)?;
        let durations = list
            .items()
            .iter()
            .map(|item| item.get("duration")?.needed(Node::duration));
        let stages = durations.zip(&rates[1..]).map(|(duration, target)| {
            Some(Stage {
                duration: duration?,
                target: *target,
            })
        });
        let stages = stages.collect::<Option<Vec<_>>>()?;
        let stages = self.with_load(list, stages, "startRate", rates[0])?;
        Some((rates[0], stages, time_unit))
    }

    fn stages(&mut self, node: &Node, start_key: &str, start: u64) -> Option<Vec<Stage>> {
        let list = node.get("stages")?;
        let stage = |item: &Node| {
            Some(Stage {
                duration: item.get("duration")?.needed(Node::duration)?,
                target: item.get("target")?.needed(Node::count)?,
            })
        };
        let stages: Option<Vec<_>> = list.items().iter().map(stage).collect();
        self.with_load(list, stages?, start_key, start)
    }

    /// Stages that take time and ask for something.
    fn with_load(
        &mut self,
        list: &Node,
        stages: Vec<Stage>,
        start_key: &str,
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
                    .allowed(format!("a target above 0, or {start_key} above 0")),
            );
        }
        Some(stages)
    }

    /// Whether the schedule ends before the longest time of the run does.
    pub(super) fn fits_into(&mut self, root: &Node, scenarios: &[Scenario], run: &RunOptions) {
        let Some(limit) = run.max_duration else {
            return;
        };
        let needed = scenarios
            .iter()
            .map(|scenario| scenario.start_time + scheduled(&scenario.executor))
            .max();
        let place = root.get("run").and_then(|run| run.get("max_duration"));
        if let (Some(needed), Some(place)) = (needed.filter(|needed| *needed > limit), place) {
            let issue = place.issue(format!(
                "the schedule takes {}, longer than {}",
                format_duration(needed),
                format_duration(limit)
            ));
            self.sink
                .push(issue.allowed(format!("at least {}", format_duration(needed))));
        }
    }
}

/// How long an executor starts iterations for certain; those with a number of iterations may end at once.
fn scheduled(executor: &Executor) -> Duration {
    match executor {
        Executor::SharedIterations { .. } | Executor::PerVuIterations { .. } => Duration::ZERO,
        Executor::ConstantVus { duration, .. } | Executor::ConstantArrivalRate { duration, .. } => {
            *duration
        }
        Executor::RampingVus { stages, .. } | Executor::RampingArrivalRate { stages, .. } => {
            stages.iter().fold(Duration::ZERO, |sum, stage| {
                sum.saturating_add(stage.duration)
            })
        }
    }
}
