//! The search for the capacity.

use super::context::Decoder;
use crate::capacity::Load;
use crate::definition::keys::{capacity, root};
use crate::definition::model::{CapacitySpec, Scenario};
use crate::definition::tree::Node;
use floodgate_records::engine::Engine;

impl Decoder<'_> {
    /// `capacity`.
    pub(super) fn capacity(&mut self, root: &Node, scenarios: &[Scenario]) -> Option<CapacitySpec> {
        let node = root::CAPACITY.place(root)?;
        if self.engine.is_some_and(Engine::runs_scripts) {
            let issue =
                node.issue("a search for the capacity steers the load, which a script does itself");
            self.sink
                .push(issue.hint("write the scenarios as flows of engine: http"));
            return None;
        }
        if let Some(against) = root::AGAINST.place(root) {
            let issue = against.issue("a search for the capacity has one target");
            self.sink.push(issue.hint("remove against, or capacity"));
        }
        if !scenarios.is_empty() && Load::of(scenarios).is_none() {
            let issue =
                node.issue("its load must be one number: of iterations a second, or of VUs");
            self.sink.push(issue.allowed(
                "scenarios that all have an arrival rate (constant-arrival-rate, ramping-arrival-rate), or all VUs (constant-vus, ramping-vus)",
            ));
        }
        let spec = CapacitySpec {
            start: capacity::START.of(node),
            max: capacity::MAX.of(node),
            precision: capacity::PRECISION.or_default(node).0,
            settle: capacity::SETTLE.or_default(node),
            step: capacity::STEP.or_default(node),
            max_duration: capacity::MAX_DURATION.or_default(node),
        };
        if let (Some(start), Some(max)) = (spec.start, spec.max)
            && start > max
            && let Some(place) = capacity::START.place(node)
        {
            let issue = place.issue(format!(
                "the first load {start} is above the largest, {max}"
            ));
            self.sink.push(issue.allowed(format!("at most {max}")));
        }
        if let Some(place) = capacity::PRECISION
            .place(node)
            .filter(|node| !node.is_open())
            && !(0.005..=0.5).contains(&spec.precision)
        {
            let issue = place.issue(format!("the precision {} is out of range", place.shown()));
            self.sink.push(issue.allowed("0.5% to 50%"));
        }
        Some(spec)
    }
}
