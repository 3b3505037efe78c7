//! The state machine against the code: names of errors, functions and placeholders, and that nothing is left out.

use floodgate_functions::{Function, FunctionError};
use floodgate_records::status::Status;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

const TEXT: &str = include_str!("../../../infra/state-machine.asl.json");

/// What Lambda and Step Functions themselves call errors
/// (<https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html>).
const FOREIGN: [&str; 8] = [
    "States.ALL",
    "States.Timeout",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
    "Lambda.Unknown",
];

/// Whether a retrier is for a schedule's start that waits.
fn waits(retrier: &Value) -> bool {
    retrier["ErrorEquals"] == serde_json::json!(["Floodgate.Waiting"])
}

fn machine() -> Value {
    serde_json::from_str(TEXT).unwrap()
}

/// The states of the machine and of its map, each by name, with the name of where it begins.
fn levels(machine: &Value) -> Vec<(&str, &Map<String, Value>)> {
    let mut levels = Vec::new();
    let mut todo = vec![machine];
    while let Some(level) = todo.pop() {
        let states = level["States"].as_object().unwrap();
        todo.extend(states.values().filter_map(|s| s.get("ItemProcessor")));
        levels.push((level["StartAt"].as_str().unwrap(), states));
    }
    levels
}

fn every_state(machine: &Value) -> impl Iterator<Item = (&String, &Value)> {
    levels(machine).into_iter().flat_map(|(_, states)| states)
}

fn texts<'a>(list: &'a Value, field: &str) -> Vec<&'a str> {
    let each = list.as_array().into_iter().flatten();
    let names = each.flat_map(|entry| entry[field].as_array().unwrap());
    names.map(|name| name.as_str().unwrap()).collect()
}

/// Names that end a run, and those that functions fail with.
fn own_errors() -> BTreeSet<&'static str> {
    let verdicts = [
        Status::Failed,
        Status::Inconclusive,
        Status::Errored,
        Status::Aborted,
    ];
    let verdicts = verdicts.into_iter().filter_map(Status::error_name);
    verdicts.chain(FunctionError::NAMES).collect()
}

#[test]
fn every_error_is_known_and_every_own_error_is_in_use() {
    let machine = machine();
    let mut used = BTreeSet::new();
    for (name, state) in every_state(&machine) {
        for field in ["Retry", "Catch"] {
            for error in texts(&state[field], "ErrorEquals") {
                let known = FOREIGN.contains(&error) || FunctionError::NAMES.contains(&error);
                assert!(known, "{name}: {error}");
                used.insert(error);
            }
        }
        if let Some(error) = state["Error"].as_str() {
            assert!(own_errors().contains(error), "{name}: {error}");
            used.insert(error);
        }
    }
    for error in own_errors() {
        assert!(
            used.contains(error),
            "{error} is nowhere in the state machine"
        );
    }
}

#[test]
fn every_verdict_has_its_end() {
    let machine = machine();
    let choices = &machine["States"]["Verdict"];
    for status in [
        Status::Passed,
        Status::Failed,
        Status::Inconclusive,
        Status::Aborted,
    ] {
        let condition = format!("{{% $run.status = '{}' %}}", status.as_str());
        let all = choices["Choices"].as_array().unwrap();
        let choice = all.iter().find(|c| c["Condition"] == *condition).unwrap();
        let end = &machine["States"][choice["Next"].as_str().unwrap()];
        assert_eq!(end["Error"].as_str(), status.error_name());
    }
    let other = &machine["States"][choices["Default"].as_str().unwrap()];
    assert_eq!(other["Error"].as_str(), Status::Errored.error_name());
}

#[test]
fn every_state_is_reached_and_every_next_is_there() {
    let machine = machine();
    for (start, states) in levels(&machine) {
        let mut reached = BTreeSet::new();
        let mut todo = vec![start];
        while let Some(name) = todo.pop() {
            if !reached.insert(name) {
                continue;
            }
            let state = states
                .get(name)
                .unwrap_or_else(|| panic!("{name} is not a state"));
            let lists = ["Choices", "Catch"];
            let nested = lists.iter().filter_map(|l| state[*l].as_array()).flatten();
            let next = nested.filter_map(|e| e["Next"].as_str());
            todo.extend(
                next.chain(
                    [&state["Next"], &state["Default"]]
                        .into_iter()
                        .filter_map(Value::as_str),
                ),
            );
            let ends = ["Succeed", "Fail"].iter().any(|t| state["Type"] == *t);
            let goes_on = state["Next"].is_string() || state["Default"].is_string();
            assert!(
                ends || goes_on || state["End"] == true,
                "{name} leads nowhere"
            );
        }
        let all: BTreeSet<&str> = states.keys().map(String::as_str).collect();
        assert_eq!(reached, all);
    }
}

/// A limit of the account, which others use up as well: it passes in minutes.
const THROTTLED: [&str; 2] = ["Floodgate.Throttled", "Lambda.TooManyRequestsException"];
/// Faults of a service: they pass in seconds, or not at all.
const FAULTS: [&str; 8] = [
    "Floodgate.Storage",
    "Floodgate.Placement",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.Unknown",
    "States.Timeout",
];

/// All waits between the tries of an error without jitter, in seconds; none if it is not retried.
fn longest_wait_s(retriers: &[Value], error: &str) -> Option<u64> {
    let names = |retrier: &&Value| {
        let errors = retrier["ErrorEquals"].as_array().unwrap();
        errors.iter().any(|name| name == error)
    };
    let retrier = retriers.iter().find(names)?;
    let number = |field: &str| retrier[field].as_u64().unwrap();
    let (mut wait_s, mut sum_s) = (number("IntervalSeconds"), 0);
    for _ in 0..number("MaxAttempts") {
        sum_s += wait_s.min(number("MaxDelaySeconds"));
        wait_s *= number("BackoffRate");
    }
    Some(sum_s)
}

/// A start that waits asks for longer than a day, after which it is left out, and leaves room for the run in history and time-out.
#[test]
fn a_start_that_waits_asks_often_enough_and_not_too_often() {
    const EVENTS_A_TRY: u64 = 3;
    // docs/aws-bounds.md has those of the longest run, and the bound.
    const LEFT_OF_EVENTS: u64 = 20_000 - 18_069;
    let machine = machine();
    let retriers = machine["States"]["Prepare"]["Retry"].as_array().unwrap();
    let waiting = retriers.iter().find(|r| waits(r));
    let number = |field: &str| waiting.unwrap()[field].as_f64().unwrap();
    let (mut wait_s, mut sum_s) = (number("IntervalSeconds"), 0.0);
    let tries = number("MaxAttempts") as u64;
    for _ in 0..tries {
        sum_s += wait_s.min(number("MaxDelaySeconds"));
        wait_s *= number("BackoffRate");
    }
    let day_s = 24.0 * 3_600.0;
    assert!(sum_s > day_s, "{sum_s} s");
    assert!(tries * EVENTS_A_TRY < LEFT_OF_EVENTS, "{tries} tries");
    // Whoever waits is believed to for 15 minutes.
    assert!(number("MaxDelaySeconds") < 15.0 * 60.0 / 2.0);
    // A day until it starts, and a day of load.
    assert!(machine["TimeoutSeconds"].as_f64().unwrap() > 2.0 * day_s);
}

#[test]
fn every_task_is_bounded_retried_with_jitter_and_caught() {
    let machine = machine();
    assert!(machine["TimeoutSeconds"].as_u64().unwrap() > 24 * 3_600);
    for (name, state) in every_state(&machine) {
        if state["Type"] == "Task" {
            assert!(state["TimeoutSeconds"].as_u64().unwrap() > 0, "{name}");
            let retriers = state["Retry"].as_array().unwrap();
            // Of those that wait for their schedule's last run there is one.
            let faults = retriers.iter().filter(|r| !waits(r));
            assert!(
                faults.clone().all(|r| r["JitterStrategy"] == "FULL"),
                "{name}"
            );
            let longest = |error| longest_wait_s(retriers, error);
            for throttled in THROTTLED {
                let wait_s = longest(throttled).unwrap_or_else(|| panic!("{name}: {throttled}"));
                assert!(
                    (300..900).contains(&wait_s),
                    "{name}: {throttled}: {wait_s} s"
                );
            }
            for fault in FAULTS {
                let wait_s = longest(fault).unwrap_or_else(|| panic!("{name}: {fault}"));
                assert!((30..90).contains(&wait_s), "{name}: {fault}: {wait_s} s");
            }
            for lasting in [
                "Floodgate.InvalidDefinition",
                "Floodgate.Errored",
                "States.ALL",
            ] {
                assert_eq!(longest(lasting), None, "{name}: {lasting}");
            }
            assert!(
                texts(&state["Catch"], "ErrorEquals").contains(&"States.ALL"),
                "{name}"
            );
        }
        if state["Type"] == "Map" {
            assert!(
                texts(&state["Catch"], "ErrorEquals").contains(&"States.ALL"),
                "{name}"
            );
        }
    }
}

#[test]
fn the_placeholders_are_known() {
    let mut found = BTreeSet::new();
    for piece in TEXT.split("${").skip(1) {
        found.insert(piece.split('}').next().unwrap().to_owned());
    }
    // Notify and export are called by others, which don't wait for them.
    let later = [Function::Notify, Function::Export];
    let steps = Function::ALL.iter().filter(|f| !later.contains(f));
    let functions = steps.map(|f| format!("{}_arn", f.name()));
    let others = ["bucket", "merge_concurrency", "project", "scheduled"].map(str::to_owned);
    let expected: BTreeSet<String> = functions.chain(others).collect();
    assert_eq!(found, expected);
}

#[test]
fn after_prepare_whatever_fails_is_reaped_or_judged() {
    let machine = machine();
    for (name, state) in machine["States"].as_object().unwrap() {
        let catch = state["Catch"].as_array().into_iter().flatten();
        let all = catch.filter(|c| c["ErrorEquals"][0] == "States.ALL");
        for catch in all {
            let next = catch["Next"].as_str().unwrap();
            let expected = match name.as_str() {
                "Launch" | "Watch" => "Reap",
                "PlanMerge" | "MergeParts" => "Finish",
                _ => "Errored",
            };
            assert_eq!(next, expected, "{name}");
        }
    }
}
