//! Every branch of the state machine on LocalStack, whose Step Functions answers for the functions as
//! `infra/emulator/sfn-mock.json` says: what a function does is not tested here, what becomes of its answers is.

use crate::stack::{ADMINISTRATOR, sdk_config};
use aws_sdk_sfn::Client;
use aws_sdk_sfn::types::{ExecutionStatus, HistoryEventType};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

/// The variable that says where LocalStack listens.
const LOCALSTACK: &str = "FLOODGATE_LOCALSTACK";
const REGION: &str = "eu-west-1";
/// All cases together, retries and waits included.
const PATIENCE: Duration = Duration::from_secs(150);

/// One case of `sfn-mock.json`: which states it enters, and how it ends.
struct Case {
    name: &'static str,
    /// The error's name; empty if it succeeds.
    error: &'static str,
    /// The states in the order in which they are entered, after `Start` and `Route`.
    states: &'static str,
}

const fn case(name: &'static str, error: &'static str, states: &'static str) -> Case {
    Case {
        name,
        error,
        states,
    }
}

#[rustfmt::skip]
const CASES: &[Case] = &[
    case("passed", "",
        "Prepare Launch Launched WatchWait Watch Watched WatchWait Watch Watched PlanMerge Merge Finish Verdict Passed"),
    case("failed", "Floodgate.ThresholdsFailed",
        "Prepare Launch Launched LaunchWait Launch Launched WatchWait Watch Watched PlanMerge Merge Finish Verdict ThresholdsFailed"),
    case("inconclusive", "Floodgate.Inconclusive",
        "Prepare Launch Launched WatchWait Watch Watched PlanMerge Merge MergeParts Finish Verdict Inconclusive"),
    // A part that cannot be merged is left to Finish, which names what it lacks.
    case("parts-lost", "Floodgate.Inconclusive",
        "Prepare Launch Launched WatchWait Watch Watched PlanMerge Merge MergeParts Finish Verdict Inconclusive"),
    case("merge-errored", "Floodgate.Errored",
        "Prepare Launch Launched WatchWait Watch Watched PlanMerge Finish Verdict Errored"),
    case("aborted", "Floodgate.Aborted",
        "Prepare Launch Launched WatchWait Watch Watched PlanMerge Merge Finish Verdict Aborted"),
    case("invalid", "Floodgate.InvalidDefinition", "Prepare InvalidDefinition"),
    // A schedule's start that is left out, at once or after it has waited.
    case("skipped", "", "Prepare Skipped"),
    case("waited", "", "Prepare Skipped"),
    case("prepare-errored", "Floodgate.Errored", "Prepare Errored"),
    // What a run would cost, with nothing to recover if that cannot be told.
    case("estimated", "", "Estimate"),
    case("estimate-errored", "Floodgate.Errored", "Estimate Errored"),
    case("estimate-exhausted", "Floodgate.Errored", "Estimate Errored"),
    case("launch-errored", "Floodgate.Errored",
        "Prepare Launch Reap Reaped ReapWait Reap Reaped PlanMerge Merge Finish Verdict Errored"),
    case("watch-errored", "Floodgate.Errored",
        "Prepare Launch Launched WatchWait Watch Reap Reaped PlanMerge Merge Finish Verdict Errored"),
    case("reap-errored", "Floodgate.Errored", "Prepare Launch Launched WatchWait Watch Reap Errored"),
    case("finish-errored", "Floodgate.Errored",
        "Prepare Launch Launched WatchWait Watch Watched PlanMerge Merge Finish Errored"),
    // A run whose own execution was stopped, timed out or failed.
    case("recovered", "Floodgate.Aborted", "Recover Reaped PlanMerge Merge Finish Verdict Aborted"),
    case("recovered-in-turns", "Floodgate.Aborted",
        "Recover Reaped ReapWait Reap Reaped PlanMerge Merge Finish Verdict Aborted"),
    case("recovery-errored", "Floodgate.Errored", "Recover Errored"),
    // What passes in general lasts this time: after all retries, the same ways as an error that is not retried at all.
    case("prepare-exhausted", "Floodgate.Errored", "Prepare Errored"),
    case("launch-exhausted", "Floodgate.Errored",
        "Prepare Launch Reap Reaped PlanMerge Merge Finish Verdict Errored"),
    case("watch-exhausted", "Floodgate.Errored",
        "Prepare Launch Launched WatchWait Watch Reap Reaped PlanMerge Merge Finish Verdict Errored"),
    case("reap-exhausted", "Floodgate.Errored", "Prepare Launch Launched WatchWait Watch Reap Errored"),
    case("merge-exhausted", "Floodgate.Errored",
        "Prepare Launch Launched WatchWait Watch Watched PlanMerge Finish Verdict Errored"),
    case("parts-exhausted", "Floodgate.Inconclusive",
        "Prepare Launch Launched WatchWait Watch Watched PlanMerge Merge MergeParts Finish Verdict Inconclusive"),
    // The record is open still: EventBridge calls reap, which starts a recovery.
    case("finish-exhausted", "Floodgate.Errored",
        "Prepare Launch Launched WatchWait Watch Watched PlanMerge Merge Finish Errored"),
    case("recovery-exhausted", "Floodgate.Errored", "Recover Errored"),
    // Every function fails once or twice with something that passes.
    case("retried", "",
        "Prepare Launch Launched WatchWait Watch Watched PlanMerge Merge Finish Verdict Passed"),
];

impl Case {
    fn input(&self) -> Value {
        if self.name.starts_with("recover") {
            json!({"recover": {"run_arn": "arn:aws:states:::execution:floodgate:gone", "status": "ABORTED"}})
        } else {
            json!({"project": "shop", "test": "checkout", "dry_run": self.name.starts_with("estimate")})
        }
    }

    fn states(&self) -> Vec<String> {
        let states = ["Start", "Route"].into_iter().chain(self.states.split(' '));
        states.map(str::to_owned).collect()
    }
}

#[tokio::test]
#[ignore = "needs LocalStack: cargo xtask test"]
async fn every_branch_ends_as_it_should() {
    let endpoint = std::env::var(LOCALSTACK)
        .unwrap_or_else(|_| panic!("{LOCALSTACK} is not set: run `cargo xtask test --cloud`"));
    let config = sdk_config(&endpoint, REGION, ADMINISTRATOR).await;
    let machine = machine();
    let states = Client::new(&config);
    let created = states
        .create_state_machine()
        .name("floodgate")
        .definition(machine.to_string())
        .role_arn("arn:aws:iam::000000000000:role/floodgate-states");
    let arn = created.send().await.unwrap().state_machine_arn().to_owned();

    let mut started = Vec::new();
    for case in CASES {
        let call = states
            .start_execution()
            .state_machine_arn(format!("{arn}#{}", case.name))
            .name(case.name)
            .input(case.input().to_string());
        started.push(call.send().await.unwrap().execution_arn().to_owned());
    }
    let begun = Instant::now();
    let mut wrong = Vec::new();
    let mut taken = BTreeSet::new();
    for (case, execution) in CASES.iter().zip(&started) {
        let (status, error, cause) = end(&states, execution, begun).await;
        let (entered, failures) = history(&states, execution).await;
        let tries = retried_in_vain(case, &machine);
        if tries.is_some_and(|tries| tries != failures) {
            wrong.push(format!(
                "{}: {failures} tries failed, {tries:?} were to",
                case.name
            ));
        }
        taken.extend(
            entered
                .windows(2)
                .map(|pair| (pair[0].clone(), pair[1].clone())),
        );
        let expected = if case.error.is_empty() {
            ExecutionStatus::Succeeded
        } else {
            ExecutionStatus::Failed
        };
        if (&status, error.as_str(), &entered) != (&expected, case.error, &case.states()) {
            wrong.push(format!(
                "{}: {status} {error:?} by {entered:?}: {cause}",
                case.name
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let untaken: Vec<_> = branches(&machine)
        .into_iter()
        .filter(|branch| !taken.contains(branch))
        .collect();
    assert!(untaken.is_empty(), "no case takes {untaken:?}");
}

/// Every case of the table has answers in `sfn-mock.json`, and the other way round. Needs no emulator.
#[test]
fn the_table_and_the_mocked_answers_agree() {
    let text = std::fs::read_to_string(infra("emulator/sfn-mock.json")).unwrap();
    let mock: Value = serde_json::from_str(&text).unwrap();
    let mocked: BTreeSet<String> = mock["StateMachines"]["floodgate"]["TestCases"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    let listed: BTreeSet<String> = CASES.iter().map(|case| case.name.to_owned()).collect();
    assert_eq!(listed, mocked);
}

fn infra(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("infra")
        .join(path)
}

/// The state machine, its placeholders filled in, and its retries after throttling made in seconds: how long they wait is
/// for a real account to bear, how often they try is what is tested.
fn machine() -> Value {
    let mut text = std::fs::read_to_string(infra("state-machine.asl.json")).unwrap();
    for function in ["prepare", "launch", "watch", "merge", "finish", "reap"] {
        let arn = format!("arn:aws:lambda:{REGION}:000000000000:function:floodgate-{function}");
        text = text.replace(&format!("${{{function}_arn}}"), &arn);
    }
    for (name, value) in [
        ("bucket", "floodgate"),
        ("merge_concurrency", "2"),
        ("project", "shop"),
        ("scheduled", "no"),
    ] {
        text = text.replace(&format!("${{{name}}}"), value);
    }
    let mut machine = serde_json::from_str(&text).unwrap();
    hasten(&mut machine);
    machine
}

fn hasten(value: &mut Value) {
    if let Some(delay) = value.get_mut("MaxDelaySeconds") {
        *delay = json!(2);
    }
    if let Some(interval) = value.get_mut("IntervalSeconds") {
        *interval = json!(1);
    }
    match value {
        Value::Object(fields) => fields.values_mut().for_each(hasten),
        Value::Array(items) => items.iter_mut().for_each(hasten),
        _ => {}
    }
}

/// Every way from one state to another: `Next`, `Default`, of choices and of catchers.
fn branches(machine: &Value) -> Vec<(String, String)> {
    let mut found = BTreeSet::new();
    for (name, state) in machine["States"].as_object().unwrap() {
        let lists = ["Choices", "Catch"]
            .into_iter()
            .filter_map(|key| state[key].as_array())
            .flatten();
        let following = lists
            .map(|rule| &rule["Next"])
            .chain([&state["Next"], &state["Default"]]);
        found.extend(
            following
                .filter_map(Value::as_str)
                .map(|next| (name.clone(), next.to_owned())),
        );
    }
    found.into_iter().collect()
}

async fn end(
    states: &Client,
    execution: &str,
    begun: Instant,
) -> (ExecutionStatus, String, String) {
    loop {
        let described = states
            .describe_execution()
            .execution_arn(execution)
            .send()
            .await
            .unwrap();
        if *described.status() != ExecutionStatus::Running {
            let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
            return (
                described.status().clone(),
                text(described.error()),
                text(described.cause()),
            );
        }
        assert!(
            begun.elapsed() < PATIENCE,
            "{execution} does not end; it entered {:?}",
            history(states, execution).await
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// How often a state of the parent execution is tried whose retries are used up: once, and as often as it is retried.
fn retried_in_vain(case: &Case, machine: &Value) -> Option<usize> {
    let (throttled, storage) = ("Floodgate.Throttled", "Floodgate.Storage");
    let (state, error) = match case.name.strip_suffix("-exhausted")? {
        "prepare" => ("Prepare", throttled),
        "estimate" => ("Estimate", throttled),
        "launch" => ("Launch", "Floodgate.Placement"),
        "watch" => ("Watch", storage),
        "merge" => ("PlanMerge", storage),
        "finish" => ("Finish", storage),
        "recovery" => ("Recover", "Lambda.ServiceException"),
        // The watch that fails before it is one more; parts have histories of their own.
        "reap" => return Some(1 + tries(machine, "Reap", throttled)),
        "parts" => return Some(0),
        other => panic!("which state does {other} stand for?"),
    };
    Some(tries(machine, state, error))
}

/// By the retrier of that error.
fn tries(machine: &Value, state: &str, error: &str) -> usize {
    let retriers = machine["States"][state]["Retry"].as_array().unwrap();
    let names = |retrier: &&Value| {
        let errors = retrier["ErrorEquals"].as_array().unwrap();
        errors.iter().any(|name| name == error)
    };
    let most = &retriers.iter().find(names).unwrap()["MaxAttempts"];
    1 + usize::try_from(most.as_u64().unwrap()).unwrap()
}

/// The states that an execution entered, in order, and how many tries of tasks failed.
async fn history(states: &Client, execution: &str) -> (Vec<String>, usize) {
    let (mut names, mut failures) = (Vec::new(), 0);
    let mut token = None;
    loop {
        let page = states
            .get_execution_history()
            .execution_arn(execution)
            .max_results(1000)
            .set_next_token(token);
        let page = page.send().await.unwrap();
        let details = page
            .events()
            .iter()
            .filter_map(|event| event.state_entered_event_details());
        names.extend(details.map(|details| details.name().to_owned()));
        let failed = page.events().iter();
        failures += failed
            .filter(|e| *e.r#type() == HistoryEventType::TaskFailed)
            .count();
        token = page.next_token().map(str::to_owned);
        if token.is_none() {
            return (names, failures);
        }
    }
}
