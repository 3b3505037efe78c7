//! Scenarios.

use super::context::Decoder;
use super::template::Scope;
use crate::definition::keys::{root, run, scenario};
use crate::definition::model::{Executor, HttpOptions, RunOptions, Scenario, Step};
use crate::definition::tree::{Entry, Node};
use crate::syntax::nearest;
use crate::units::format_duration;
use floodgate_records::engine::Engine;
use std::time::Duration;

impl Decoder<'_> {
    /// All scenarios in the order of the file.
    pub(super) fn scenarios(&mut self, root: &Node, http: &HttpOptions) -> Vec<Scenario> {
        let Some(node) = root::SCENARIOS.place(root) else {
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
        let http = scenario::HTTP
            .place(node)
            .map_or_else(|| http.clone(), |own| self.http(own, http));
        let flow = self.flow(entry);
        let executor = self.executor(node);
        Some(Scenario {
            name: entry.key.clone(),
            start_time: scenario::START_TIME.or_default(node),
            graceful_stop: scenario::GRACEFUL_STOP.or_default(node),
            executor: executor?,
            tags: self.tags(node, scenario::TAGS),
            flow,
            http,
        })
    }

    fn flow(&mut self, entry: &Entry) -> Vec<Step> {
        let is_map = !entry.value.entries().is_empty();
        match (scenario::FLOW.place(&entry.value), self.engine) {
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
                    .any(|entry| nearest(&entry.key, [scenario::FLOW.key.name]).is_some());
                if !misspelt {
                    let issue = entry.key_issue("the key \"flow\" is missing");
                    self.sink
                        .push(issue.allowed("a list of at least one step, such as get: /path"));
                }
                Vec::new()
            }
            (None, _) => Vec::new(),
        }
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
        let place = root::RUN.place(root);
        let place = place.and_then(|node| run::MAX_DURATION.place(node));
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
