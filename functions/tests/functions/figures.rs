//! The figures of runs in the log, as CloudWatch reads them.

use crate::exporting::{merged, stack};
use crate::support::*;
use floodgate_functions::Function;
use serde_json::{Value, json};

/// What the specification says of a line, and the service of a value: at most 100 of them, each a number.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
fn specification() -> Value {
    let units = json!([
        "Seconds",
        "Microseconds",
        "Milliseconds",
        "Bytes",
        "Kilobytes",
        "Megabytes",
        "Gigabytes",
        "Terabytes",
        "Bits",
        "Kilobits",
        "Megabits",
        "Gigabits",
        "Terabits",
        "Percent",
        "Count",
        "Bytes/Second",
        "Kilobytes/Second",
        "Megabytes/Second",
        "Gigabytes/Second",
        "Terabytes/Second",
        "Bits/Second",
        "Kilobits/Second",
        "Megabits/Second",
        "Gigabits/Second",
        "Terabits/Second",
        "Count/Second",
        "None",
    ]);
    let definition = json!({
        "type": "object",
        "required": ["Name"],
        "additionalProperties": false,
        "properties": {
            "Name": { "type": "string", "minLength": 1, "maxLength": 1024 },
            "Unit": { "enum": units },
            "StorageResolution": { "enum": [1, 60] },
        },
    });
    let name = json!({ "type": "string", "minLength": 1, "maxLength": 250 });
    let directive = json!({
        "type": "object",
        "required": ["Namespace", "Dimensions", "Metrics"],
        "additionalProperties": false,
        "properties": {
            "Namespace": { "type": "string", "minLength": 1, "maxLength": 1024 },
            "Dimensions": { "type": "array", "minItems": 1, "items": { "type": "array", "maxItems": 30, "items": name } },
            "Metrics": { "type": "array", "minItems": 1, "maxItems": 100, "items": definition },
        },
    });
    json!({
        "type": "object",
        "required": ["_aws"],
        "properties": { "_aws": {
            "type": "object",
            "required": ["Timestamp", "CloudWatchMetrics"],
            "properties": {
                "Timestamp": { "type": "integer" },
                "CloudWatchMetrics": { "type": "array", "items": directive },
            },
        } },
        "additionalProperties": { "anyOf": [
            { "type": "string", "minLength": 1, "maxLength": 1024 },
            { "type": "number" },
            { "type": "array", "maxItems": 100, "items": { "type": "number" } },
        ] },
    })
}

/// Lines of metrics, held against the specification; and each metric and dimension that one names has a value in it.
fn lines(stack: &Stack) -> Vec<Value> {
    let specification = jsonschema::validator_for(&specification()).unwrap();
    let log = stack.log();
    let lines: Vec<_> = log
        .into_iter()
        .filter(|l| l.get("_aws").is_some())
        .collect();
    for line in &lines {
        let faults: Vec<_> = specification
            .iter_errors(line)
            .map(|e| e.to_string())
            .collect();
        assert!(faults.is_empty(), "{faults:?}: {line}");
        for directive in line["_aws"]["CloudWatchMetrics"].as_array().unwrap() {
            for set in directive["Dimensions"].as_array().unwrap() {
                for name in set.as_array().unwrap() {
                    assert!(line[name.as_str().unwrap()].is_string(), "{name}: {line}");
                }
            }
            for metric in directive["Metrics"].as_array().unwrap() {
                let value = &line[metric["Name"].as_str().unwrap()];
                assert!(value.is_number(), "{metric}: {line}");
            }
        }
    }
    lines
}

/// Those of a namespace.
fn of(stack: &Stack, namespace: &str) -> Vec<Value> {
    let is_in = |line: &Value| line["_aws"]["CloudWatchMetrics"][0]["Namespace"] == namespace;
    lines(stack).into_iter().filter(is_in).collect()
}

fn with_namespace() -> Stack {
    let stack = stack();
    let mut place = stack.objects.json("config/placement.json");
    place["run_metrics_namespace"] = json!("Load");
    stack.place(&place);
    stack
}

#[tokio::test]
async fn the_figures_of_a_run_stand_in_the_log_as_in_its_summary() {
    let stack = with_namespace();
    let run = merged(&stack, json!([])).await;
    let run = stack.call(Function::Finish, run).await.unwrap();
    assert_eq!(run["status"], "passed", "{run}");
    let lines = of(&stack, "Load");
    assert_eq!(lines.len(), 1, "{lines:?}");
    let line = &lines[0];
    let summary = stack.objects.json(&stack.key("summary.json"));
    let ended_ms = stack.record().await.ended_ms.unwrap();
    assert_eq!(line["_aws"]["Timestamp"], ended_ms);
    assert_eq!(line["Project"], "shop");
    assert_eq!(line["Test"], summary["test"]);
    for (metric, figure) in [
        ("http_reqs", "count"),
        ("http_reqs", "rate"),
        ("http_req_failed", "rate"),
        ("http_req_response_time", "p(95)"),
        ("http_req_response_time", "max"),
    ] {
        let own = &summary["metrics"][metric]["values"][figure];
        assert!(own.is_number(), "{metric}.{figure}");
        assert_eq!(&line[format!("{metric}.{figure}")], own, "{line}");
    }
    // Metrics cost money: those that nothing judges are left out.
    assert!(line.get("data_sent.count").is_none(), "{line}");
}

#[tokio::test]
async fn without_a_namespace_and_without_a_verdict_no_figures_are_written() {
    let unasked = stack();
    let run = merged(&unasked, json!([])).await;
    unasked.call(Function::Finish, run).await.unwrap();
    // What it writes of itself is as the specification wants it, too.
    assert!(of(&unasked, "Floodgate").len() > 3);
    assert_eq!(of(&unasked, "Load"), Vec::<Value>::new());

    let undecided = with_namespace();
    let mut run = merged(&undecided, json!([])).await;
    run["error"] = json!("the merge broke off");
    let run = undecided.call(Function::Finish, run).await.unwrap();
    assert_eq!(run["status"], "errored", "{run}");
    assert_eq!(of(&undecided, "Load"), Vec::<Value>::new());
}
