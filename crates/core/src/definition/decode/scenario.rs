//! Scenarios.

use super::context::Decoder;
use crate::definition::keys::{DEFINITION, root, run, scenario};
use crate::definition::model::{Executor, HttpOptions, RunOptions, Scenario, Share, Step};
use crate::definition::tree::{Entry, Node};
use crate::schedule::{MAX_CYCLE, Segment};
use crate::syntax::nearest;
use crate::units::format_duration;
use floodgate_records::engine::Engine;
use floodgate_records::printable::quoted;
use std::collections::BTreeSet;
use std::time::Duration;

impl Decoder<'_> {
    /// All scenarios in the order of the file.
    pub(super) fn scenarios(&mut self, root: &Node, http: &HttpOptions) -> Vec<Scenario> {
        let Some(node) = root::SCENARIOS.place(root) else {
            let is_meant = DEFINITION.means(root, root::SCENARIOS.key.name);
            if self.engine == Some(Engine::Http) && !is_meant {
                self.sink.push(
                    root.issue("the key \"scenarios\" is missing")
                        .allowed("a map of at least one scenario"),
                );
            }
            return Vec::new();
        };
        let mut scenarios = Vec::new();
        for entry in node.entries() {
            match scenario::MIX.place(&entry.value) {
                Some(mix) => self.mix(entry, mix, http, &mut scenarios),
                None => scenarios.extend(self.scenario(entry, http)),
            }
        }
        scenarios
    }

    fn scenario(&mut self, entry: &Entry, http: &HttpOptions) -> Option<Scenario> {
        let node = &entry.value;
        let http = scenario::HTTP
            .place(node)
            .map_or_else(|| http.clone(), |own| self.http(own, http));
        let flow = self.flow(entry);
        if !scenario::MIX.is_given(node) {
            self.tags_of_samples.add(&entry.key, &flow);
        }
        let executor = self.executor(node);
        Some(Scenario {
            name: entry.key.clone(),
            start_time: scenario::START_TIME.or_default(node),
            graceful_stop: scenario::GRACEFUL_STOP.or_default(node),
            executor: executor?,
            share: None,
            side: None,
            pace: scenario::PACE.of(node),
            tags: self.tags(node, scenario::TAGS),
            flow,
            http,
        })
    }

    /// The scenarios that share one arrival rate.
    fn mix(
        &mut self,
        entry: &Entry,
        mix: &Node,
        http: &HttpOptions,
        scenarios: &mut Vec<Scenario>,
    ) {
        if self.engine.is_some_and(Engine::runs_scripts) {
            let issue = mix.issue("this engine runs its script, not a flow");
            self.sink
                .push(issue.hint("remove mix, or write engine: http"));
            return;
        }
        let base = self.scenario(entry, http);
        let parts = mix.entries();
        let weights = parts
            .iter()
            .map(|part| scenario::WEIGHT.or_default(&part.value));
        let weights: Vec<_> = weights.collect();
        if !parts.is_empty() && Segment::of_weights(&weights, 0).is_err() {
            let issue = mix.issue("the weights are too uneven to be shared out");
            self.sink.push(issue.allowed(format!(
                "weights that add up to at most {MAX_CYCLE} once divided by their greatest common divisor"
            )));
        }
        for (place, part) in parts.iter().enumerate() {
            let node = &part.value;
            let options = base.as_ref().map_or(http, |base| &base.http).clone();
            let options = scenario::PART_HTTP
                .place(node)
                .map_or_else(|| options.clone(), |own| self.http(own, &options));
            let mut scope = self.scope();
            let flow = scenario::PART_FLOW.place(node);
            let flow = flow
                .map(|flow| self.steps(flow, &mut scope))
                .unwrap_or_default();
            self.tags_of_samples.add(&part.key, &flow);
            let tags = self.tags(node, scenario::PART_TAGS);
            let Some(base) = &base else { continue };
            let share = Share {
                weights: weights.clone(),
                place,
            };
            let mut own = base.clone();
            own.name.clone_from(&part.key);
            own.executor = own.executor.with_vus(share.ratio());
            own.share = Some(share);
            own.tags.extend(tags);
            own.flow = flow;
            own.http = options;
            scenarios.push(own);
        }
    }

    /// Reports scenarios of one name: those of a mix stand among all others.
    pub(super) fn unique_names(&mut self, root: &Node) {
        let mut known = BTreeSet::new();
        for entry in root::SCENARIOS.entries(root) {
            let parts = scenario::MIX.entries(&entry.value);
            let own = if parts.is_empty() {
                std::slice::from_ref(entry)
            } else {
                parts
            };
            for entry in own {
                if !known.insert(&entry.key) {
                    let issue = entry.key_issue(format!(
                        "there are two scenarios called {}",
                        quoted(&entry.key)
                    ));
                    self.sink.push(issue.hint("give each a name of its own"));
                }
            }
        }
    }

    fn flow(&mut self, entry: &Entry) -> Vec<Step> {
        let is_map = !entry.value.entries().is_empty();
        match (scenario::FLOW.place(&entry.value), self.engine) {
            (Some(flow), Some(Engine::Http) | None) => {
                let mut scope = self.scope();
                self.steps(flow, &mut scope)
            }
            (Some(flow), _) => {
                self.sink.push(
                    flow.issue("this engine runs its script, not a flow")
                        .hint("remove flow, or write engine: http"),
                );
                Vec::new()
            }
            (None, Some(Engine::Http)) if is_map && !scenario::MIX.is_given(&entry.value) => {
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

impl Executor {
    /// The same with that share of the VUs, at least one each.
    fn with_vus(mut self, ratio: f64) -> Self {
        let part = |vus: u64| ((vus as f64 * ratio).ceil() as u64).clamp(1, vus.max(1));
        if let Self::ConstantArrivalRate {
            pre_allocated_vus,
            max_vus,
            ..
        }
        | Self::RampingArrivalRate {
            pre_allocated_vus,
            max_vus,
            ..
        } = &mut self
        {
            *max_vus = part(*max_vus);
            *pre_allocated_vus = part(*pre_allocated_vus).min(*max_vus);
        }
        self
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
