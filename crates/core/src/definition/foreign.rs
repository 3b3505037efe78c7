//! Files of other tools, given as a definition: one sentence on what to do instead of a hundred faults.

use super::fault::Issue;
use super::tree::{Kind, Node};

/// What a file of another tool is told by, what it is, and what to do.
struct Tool {
    is: fn(&Node) -> bool,
    what: &'static str,
    remedy: &'static str,
}

const TOOLS: [Tool; 7] = [
    Tool {
        is: |root| has(root, "config") && is_list(root, "scenarios"),
        what: "this is an Artillery script",
        remedy: "config.target becomes target; config.phases a scenario's executor: constant-arrival-rate with rate and \
                 duration, or ramping-arrival-rate with stages for rampTo, and preAllocatedVUs; the flow's get: {url: /x} becomes \
                 get: /x; capture extract, expect checks, think: 1 think: 1s, {{ name }} ${name}; config.payload data; \
                 config.ensure thresholds; floodgate init writes a definition to start from",
    },
    Tool {
        is: |root| is_list(root, "execution"),
        what: "this is a Taurus file",
        remedy: "execution's concurrency and hold-for become vus and duration of a scenario with executor: constant-vus; \
                 throughput the rate of constant-arrival-rate; the scenario's requests its flow; floodgate init writes a \
                 definition to start from",
    },
    Tool {
        is: |root| !has(root, "version") && !has(root, "test") && is_k6(root),
        what: "these are options of k6",
        remedy: "run the script itself: floodgate run SCRIPT.js; or write a definition, whose scenarios, thresholds and tags \
                 have k6's names, with version: 1, a test's name and a flow for each scenario",
    },
    Tool {
        is: |root| has(root, "item") && root.get("info").is_some_and(|info| has(info, "schema")),
        what: "this is a Postman collection",
        remedy: "write each request as a step of a flow; floodgate init writes a definition to start from",
    },
    Tool {
        is: |root| has(root, "openapi") || has(root, "swagger"),
        what: "this is an OpenAPI document",
        remedy: "it says what there is, not what load to put on it; floodgate init writes a definition to start from",
    },
    Tool {
        is: |root| root.get("log").is_some_and(|log| is_list(log, "entries")),
        what: "this is an HTTP archive (HAR)",
        remedy: "write each request as a step of a flow; floodgate init writes a definition to start from",
    },
    Tool {
        is: |root| is_list(root, "plan") && has(root, "base"),
        what: "this is a benchmark of drill",
        remedy: "base becomes target, plan a scenario's flow; floodgate init writes a definition to start from",
    },
];

/// Keys that only k6's options have.
const K6: [&str; 12] = [
    "vus",
    "stages",
    "iterations",
    "rps",
    "duration",
    "insecureSkipTLSVerify",
    "userAgent",
    "summaryTrendStats",
    "noConnectionReuse",
    "httpDebug",
    "setupTimeout",
    "ext",
];

fn has(node: &Node, key: &str) -> bool {
    node.get(key).is_some()
}

fn is_list(node: &Node, key: &str) -> bool {
    node.get(key)
        .is_some_and(|value| matches!(value.kind, Kind::List(_)))
}

fn is_k6(root: &Node) -> bool {
    let ours = ["thresholds", "tags", "scenarios"];
    let keys = || root.entries().iter().map(|entry| entry.key.as_str());
    let executors = root.get("scenarios").map_or(&[][..], Node::entries);
    let calls = executors.iter().any(|entry| has(&entry.value, "exec"));
    (calls || keys().any(|key| K6.contains(&key)))
        && keys().all(|key| K6.contains(&key) || ours.contains(&key))
}

/// The fault of a file that is another tool's.
pub(super) fn recognise(root: &Node) -> Option<Issue> {
    let tool = TOOLS.iter().find(|tool| (tool.is)(root))?;
    let issue = root.issue(format!("{}, not a definition of a test here", tool.what));
    Some(issue.hint(tool.remedy))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{faults, good, with_top};

    #[test]
    fn files_of_other_tools_are_told_apart_and_answered_once() {
        for (text, what) in [
            (
                "config:\n  target: http://h\n  phases: [{duration: 60, arrivalRate: 5}]\nscenarios:\n  - flow: [{get: {url: /}}]\n",
                "1:1: this is an Artillery script, not a definition of a test here; config.target becomes target",
            ),
            (
                "execution:\n- concurrency: 10\n  hold-for: 1m\n  scenario: s\n",
                "this is a Taurus file",
            ),
            (
                "{\"vus\": 10, \"duration\": \"30s\", \"thresholds\": {}}",
                "these are options of k6",
            ),
            (
                "{\"scenarios\": {\"a\": {\"executor\": \"constant-vus\", \"exec\": \"f\"}}}",
                "options of k6",
            ),
            ("{\"info\": {\"schema\": \"x\"}, \"item\": []}", "Postman"),
            ("openapi: 3.1.0\npaths: {}\n", "OpenAPI"),
            ("{\"log\": {\"entries\": []}}", "HAR"),
            ("base: http://h\nplan: [{request: {url: /}}]\n", "drill"),
        ] {
            let message = faults(text);
            assert!(message.contains(what), "{message}");
            assert_eq!(message.lines().count(), 1, "{message}");
        }
        // A definition with a key of k6 has the faults of that key.
        assert!(
            faults(&with_top("vus: 5")).contains("write a scenario with the executor constant-vus")
        );
        good(&with_top("thresholds: {}"));
    }
}
