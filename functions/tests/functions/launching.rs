use crate::support::*;
use floodgate_functions::{Function, RunError};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::Duration;

async fn prepared(tasks: u32, place: impl Fn(&mut Value)) -> (Stack, Value) {
    let stack = Stack::new();
    let mut placement = placement();
    place(&mut placement);
    stack.place(&placement);
    let run = stack
        .prepare(json!({"definition": definition(tasks, 60)}))
        .await
        .unwrap();
    (stack, run)
}

/// Calls launch as the state machine does, until it has done its part.
async fn launched(stack: &Stack, mut run: Value) -> Value {
    for _ in 0..100 {
        run = stack.call(Function::Launch, run).await.unwrap();
        if run["phase"] != "launching" {
            return run;
        }
        stack.pass(Duration::from_secs(run["wait_s"].as_u64().unwrap()));
    }
    panic!("launching does not end");
}

fn numbers(stack: &Stack) -> BTreeSet<u64> {
    let placed = stack.objects.json(&stack.key("control/placed.json"));
    let tasks = placed["tasks"].as_array().unwrap();
    let numbers: BTreeSet<u64> = tasks.iter().map(|t| t["task"].as_u64().unwrap()).collect();
    assert_eq!(numbers.len(), tasks.len(), "a task stands there twice");
    numbers
}

#[tokio::test]
async fn every_task_is_started_once_with_its_number() {
    let (stack, run) = prepared(5, |_| {}).await;
    let run = launched(&stack, run).await;
    assert_eq!(
        (&run["phase"], &run["placed"]),
        (&json!("waiting"), &json!(5))
    );
    assert_eq!(numbers(&stack).len(), 5);
    let requests = stack.tasks.requests.lock().unwrap();
    let tokens: BTreeSet<&String> = requests.iter().map(|r| &r.client_token).collect();
    assert_eq!(tokens.len(), 5);
    let request = &requests[0];
    assert_eq!(request.started_by, ID);
    assert_eq!(request.client_token.len(), 64);
    assert_eq!((request.cpu, request.memory), (1_024, 2_048));
    let names: Vec<&str> = request
        .environment
        .iter()
        .map(|(k, _)| k.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "FLOODGATE_BUCKET",
            "FLOODGATE_BUCKET_REGION",
            "FLOODGATE_PROJECT",
            "FLOODGATE_EXECUTION",
            "FLOODGATE_TASK",
            "FLOODGATE_DEADLINE_MS",
            "FLOODGATE_TASK_CPU",
            "FLOODGATE_TASK_MEMORY"
        ]
    );
    assert_eq!(request.network.as_ref().unwrap().subnets, ["subnet-1"]);
}

#[tokio::test]
async fn a_thousand_tasks_are_asked_for_at_twenty_a_second() {
    let (stack, run) = prepared(1_000, |_| {}).await;
    let run = launched(&stack, run).await;
    assert_eq!(run["placed"], 1_000);
    let took = (stack.now() - NOW) / 1_000;
    assert!((50..80).contains(&took), "{took} s");
    assert_eq!(stack.tasks.calls.load(Ordering::Relaxed), 1_000);
}

#[tokio::test]
async fn throttled_tasks_are_asked_for_again() {
    let (stack, run) = prepared(4, |_| {}).await;
    stack.tasks.script(|call, _| match call % 2 {
        0 => Err(RunError::Throttled("Rate exceeded".into())),
        _ => Ok(()),
    });
    let run = launched(&stack, run).await;
    assert_eq!(run["placed"], 4);
    assert_eq!(numbers(&stack).len(), 4);
}

#[tokio::test]
async fn a_task_whose_answer_was_lost_is_asked_for_under_the_same_token() {
    let (stack, run) = prepared(1, |_| {}).await;
    stack.tasks.script(|call, _| match call {
        0 => Err(RunError::Service("connection reset".into())),
        _ => Ok(()),
    });
    let run = launched(&stack, run).await;
    assert_eq!(run["placed"], 1);
    let requests = stack.tasks.requests.lock().unwrap();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0], requests[1]);
}

#[tokio::test]
async fn after_no_room_a_task_is_asked_for_under_another_token() {
    let (stack, run) = prepared(2, |_| {}).await;
    stack.tasks.script(|call, _| match call {
        0..4 => Err(RunError::Capacity(
            "Capacity is unavailable at this time.".into(),
        )),
        _ => Ok(()),
    });
    let run = launched(&stack, run).await;
    assert_eq!(run["placed"], 2);
    let placed = stack.objects.json(&stack.key("control/placed.json"));
    let tasks = placed["tasks"].as_array().unwrap().iter();
    assert!(tasks.map(|t| &t["attempt"]).all(|attempt| *attempt == 2));
}

#[tokio::test]
async fn tasks_that_find_no_spot_capacity_run_on_demand() {
    let (stack, run) = prepared(6, |p| {
        p["capacity"] = json!({"provider": "FARGATE_SPOT", "fallback": true});
    })
    .await;
    stack
        .tasks
        .script(|call, request| match (call, request.capacity.name()) {
            (2.., "FARGATE_SPOT") => Err(RunError::Capacity(
                "Capacity is unavailable at this time.".into(),
            )),
            _ => Ok(()),
        });
    let run = launched(&stack, run).await;
    assert_eq!(run["placed"], 6);
    let placed = stack.objects.json(&stack.key("control/placed.json"));
    let spot = placed["tasks"].as_array().unwrap().iter();
    assert_eq!(spot.filter(|t| t["capacity"] == "FARGATE_SPOT").count(), 2);
    assert_eq!(placed["fallback"], true);
}

#[tokio::test]
async fn what_cannot_be_placed_is_written_down_with_the_reason() {
    let (stack, run) = prepared(3, |_| {}).await;
    stack.tasks.script(|_, request| {
        let task = &request
            .environment
            .iter()
            .find(|(k, _)| k == "FLOODGATE_TASK")
            .unwrap()
            .1;
        match task.as_str() {
            "1" => Err(RunError::Refused("AccessDeniedException: no".into())),
            "2" => Err(RunError::Capacity(
                "Capacity is unavailable at this time.".into(),
            )),
            _ => Ok(()),
        }
    });
    let run = launched(&stack, run).await;
    assert_eq!(
        (&run["phase"], &run["placed"]),
        (&json!("waiting"), &json!(1))
    );
    let placed = stack.objects.json(&stack.key("control/placed.json"));
    let failed = placed["failed"].as_array().unwrap();
    assert_eq!(
        failed[0],
        json!({"task": 1, "reason": "could not be placed: AccessDeniedException: no"})
    );
    assert!(
        failed[1]["reason"]
            .as_str()
            .unwrap()
            .contains("Capacity is unavailable"),
        "{failed:?}"
    );
    // There is time left in which a task could have become ready, but not much.
    let took = (stack.now() - NOW) / 1_000;
    assert!((240..300).contains(&took), "{took} s");
}

#[tokio::test]
async fn an_invocation_that_was_cut_off_leaves_no_task_twice() {
    let (stack, run) = prepared(4, |_| {}).await;
    launched(&stack, run.clone()).await;
    // What it had placed was never written down; its tokens have expired.
    stack
        .objects
        .set(&stack.key("control/placed.json"), "{\"tasks\":[]}");
    let run = launched(&stack, run).await;
    assert_eq!(run["placed"], 4);
    assert_eq!(stack.tasks.calls.load(Ordering::Relaxed), 4);
    assert_eq!(numbers(&stack).len(), 4);
}

#[tokio::test]
async fn a_run_that_was_stopped_starts_nothing_more() {
    let (stack, run) = prepared(2, |_| {}).await;
    let stop = json!({"reason": "person", "by": "ann", "at_ms": NOW});
    stack
        .objects
        .set(&stack.key("control/stop.json"), stop.to_string());
    let run = launched(&stack, run).await;
    assert_eq!(
        (&run["phase"], &run["placed"]),
        (&json!("waiting"), &json!(0))
    );
    assert_eq!(stack.tasks.count(), 0);
}
