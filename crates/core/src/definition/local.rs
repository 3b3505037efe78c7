//! What a run on one machine does not do: it leaves placement, cost and notifications to the cloud; and what an external engine
//! does not heed.

use super::fault::{Issue, Sink};
use super::model::Engine;
use super::tree::{Entry, Node};

/// Keys of the definition that no run heeds yet.
const WITHOUT_EFFECT: [&str; 2] = ["notify", "contract"];
/// Keys below `run` that a local run does not heed.
const RUN_WITHOUT_EFFECT: [&str; 5] = ["tasks", "cpu", "memory", "regions", "max_cost_usd"];
/// Keys that only the native engine heeds.
const NATIVE_ONLY: [&str; 2] = ["http", "data"];
/// What is said of keys below `run`, and of nothing else.
pub const LOCAL_ONLY: &str = "has no effect in a local run";

/// Collects what a local run does not heed (warnings).
pub(super) fn check(root: &Node, engine: Engine, sink: &mut Sink) {
    let unheeded = |node: &Node, keys: &[&str], problem: &str, sink: &mut Sink| {
        for Entry {
            key,
            key_mark,
            value,
        } in node.entries()
        {
            if keys.contains(&key.as_str()) {
                let issue = Issue::new(*key_mark, &value.path, problem);
                sink.push(issue.warning());
            }
        }
    };
    unheeded(root, &WITHOUT_EFFECT, "has no effect yet", sink);
    if engine != Engine::Http {
        let problem = "has no effect with an engine that runs a script";
        unheeded(root, &NATIVE_ONLY, problem, sink);
    }
    if let Some(run) = root.get("run") {
        unheeded(run, &RUN_WITHOUT_EFFECT, LOCAL_ONLY, sink);
    }
}
