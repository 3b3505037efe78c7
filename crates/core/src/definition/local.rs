//! What a run on one machine does not do: it has one engine, and leaves placement, cost and notifications to the cloud.

use super::fault::{Issue, Sink};
use super::model::Engine;
use super::tree::{Entry, Node};

/// Keys of the definition that no run heeds yet.
const WITHOUT_EFFECT: [&str; 2] = ["notify", "contract"];
/// Keys below `run` that a local run does not heed.
const RUN_WITHOUT_EFFECT: [&str; 5] = ["tasks", "cpu", "memory", "regions", "max_cost_usd"];
/// What is said of those, and of nothing else.
pub const LOCAL_ONLY: &str = "has no effect in a local run";

/// Collects what a local run refuses (errors) and what it does not heed (warnings).
pub(super) fn check(root: &Node, engine: Engine, sink: &mut Sink) {
    if let (Engine::K6 | Engine::Jmeter | Engine::Gatling, Some(node)) =
        (engine, root.get("engine"))
    {
        let problem = format!("this build runs the engine http only, not {}", node.shown());
        let issue = node.issue(problem).allowed("http");
        sink.push(issue.hint(
            "describe the load as scenarios with a flow, or run the script with its own tool",
        ));
    }
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
    if let Some(run) = root.get("run") {
        unheeded(run, &RUN_WITHOUT_EFFECT, LOCAL_ONLY, sink);
    }
}
