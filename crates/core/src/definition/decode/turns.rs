//! `against`: each scenario once more, for the target that is compared with.

use super::context::Decoder;
use crate::definition::keys::root;
use crate::definition::model::{Executor, Scenario, Side};
use crate::definition::tree::Node;
use floodgate_records::engine::Engine;
use floodgate_records::printable::quoted;
use std::collections::BTreeSet;

/// What the name of a scenario ends with that loads the base.
const BASE: &str = "-base";

impl Decoder<'_> {
    /// The scenarios for both sides, if there are two, each with the starts of its turns.
    pub(super) fn in_turns(&mut self, root: &Node, scenarios: Vec<Scenario>) -> Vec<Scenario> {
        let Some(against) = root::AGAINST.place(root) else {
            return scenarios;
        };
        if self.engine.is_some_and(Engine::runs_scripts) {
            let issue = against.issue("this engine runs its script, not a flow");
            self.sink
                .push(issue.hint("remove against, or write engine: http"));
        }
        if !root::TARGET.is_given(root) {
            let issue = against.issue("there is no target to compare with it");
            self.sink.push(issue.hint("add target"));
        }
        if let Some(baseline) = root::BASELINE.place(root) {
            let issue = baseline.issue("the run compares its two targets with each other");
            self.sink.push(
                issue.hint("remove baseline or against: each comparison has a run of its own"),
            );
        }
        for scenario in scenarios.iter().filter(|s| !is_open(&s.executor)) {
            let issue = against.issue(format!(
                "the scenario {} has no arrival rate: in a closed loop, a slower target would be sent less",
                quoted(&scenario.name)
            ));
            self.sink
                .push(issue.allowed("constant-arrival-rate, ramping-arrival-rate"));
        }
        let names: BTreeSet<String> = scenarios.iter().map(|s| s.name.clone()).collect();
        let clash = |s: &&Scenario| names.contains(&format!("{}{BASE}", s.name));
        for scenario in scenarios.iter().filter(clash) {
            let issue = against.issue(format!(
                "the scenario {} is in the way of the base's {}",
                quoted(&format!("{}{BASE}", scenario.name)),
                quoted(&scenario.name)
            ));
            self.sink.push(issue.hint("rename it"));
        }
        let of_side = |scenario: &Scenario, side: Side| {
            let mut own = scenario.clone();
            own.side = Some(side);
            own.tags
                .insert(Side::TAG.to_owned(), side.as_str().to_owned());
            if side == Side::Base {
                own.name.push_str(BASE);
            }
            own
        };
        scenarios
            .iter()
            .flat_map(|scenario| [Side::Head, Side::Base].map(|side| of_side(scenario, side)))
            .collect()
    }
}

const fn is_open(executor: &Executor) -> bool {
    matches!(
        executor,
        Executor::ConstantArrivalRate { .. } | Executor::RampingArrivalRate { .. }
    )
}
