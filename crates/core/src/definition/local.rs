//! What a run on one machine does not do: it leaves placement and cost to the cloud; and what an external engine
//! does not heed.

use super::fault::Sink;
use super::keys::{root, run};
use super::tree::Node;
use floodgate_records::engine::Engine;

/// Keys below `run` that a local run does not heed.
const RUN_WITHOUT_EFFECT: [&str; 5] = [
    run::TASKS.key.name,
    run::CPU.key.name,
    run::MEMORY.key.name,
    run::REGIONS.key.name,
    run::MAX_COST_USD.key.name,
];
/// Keys that only the native engine heeds.
const NATIVE_ONLY: [&str; 3] = [
    root::HTTP.key.name,
    root::DATA_FILES.key.name,
    root::CONTRACT.key.name,
];
/// What is said of keys below `run`, and of nothing else.
pub const LOCAL_ONLY: &str = "has no effect in a local run";

/// Collects what a local run does not heed (warnings).
pub(super) fn check(definition: &Node, engine: Engine, sink: &mut Sink) {
    let unheeded = |node: &Node, keys: &[&str], problem: &str, sink: &mut Sink| {
        for entry in node.entries() {
            if keys.contains(&entry.key.as_str()) {
                sink.push(entry.key_issue(problem).warning());
            }
        }
    };
    if engine != Engine::Http {
        let problem = "has no effect with an engine that runs a script";
        unheeded(definition, &NATIVE_ONLY, problem, sink);
    }
    if let Some(run) = root::RUN.place(definition) {
        unheeded(run, &RUN_WITHOUT_EFFECT, LOCAL_ONLY, sink);
    }
}
