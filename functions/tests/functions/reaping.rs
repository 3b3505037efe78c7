use crate::support::*;
use floodgate_functions::Function;
use floodgate_records::status::Status;
use floodgate_store::ObjectStore;
use serde_json::{Value, json};
use std::time::Duration;

async fn running(tasks: u32) -> (Stack, Value) {
    let stack = Stack::new();
    let run = stack
        .prepare(json!({"definition": definition(tasks, 600)}))
        .await
        .unwrap();
    let run = stack.call(Function::Launch, run).await.unwrap();
    stack.ready(0..tasks);
    let run = stack.call(Function::Watch, run).await.unwrap();
    stack.pass(Duration::from_secs(20));
    (stack, run)
}

/// An event as EventBridge sends it.
fn event(status: &str, arn: &str) -> Value {
    json!({"version": "0", "source": "aws.states",
        "detail-type": "Step Functions Execution Status Change",
        "detail": {"executionArn": arn, "name": arn.rsplit(':').next().unwrap(),
            "stateMachineArn": "arn:aws:states:eu-west-1:1:stateMachine:floodgate",
            "status": status, "startDate": NOW, "stopDate": NOW + 5, "input": "{}"}})
}

/// Reaps as the state machine does, until the end.
async fn reaped(stack: &Stack, payload: Value) -> Value {
    let mut run = stack.call(Function::Reap, payload).await.unwrap();
    for _ in 0..20 {
        if run["phase"] == "ended" {
            return run;
        }
        stack.pass(Duration::from_secs(run["wait_s"].as_u64().unwrap()));
        run = stack
            .call(Function::Reap, json!({"run": run}))
            .await
            .unwrap();
    }
    panic!("reaping does not end");
}

async fn finished(stack: &Stack, run: Value) -> Value {
    let run = stack
        .call(Function::Merge, json!({"op": "plan", "run": run}))
        .await
        .unwrap();
    stack.call(Function::Finish, run).await.unwrap()
}

#[tokio::test]
async fn stop_execution_is_recovered_as_aborted_and_nothing_is_left() {
    let (stack, _) = running(2).await;
    stack
        .call(Function::Reap, event("ABORTED", ARN))
        .await
        .unwrap();
    let stop = stack.objects.json(&stack.key("control/stop.json"));
    assert_eq!(
        (&stop["reason"], &stop["by"]),
        (&json!("person"), &json!("StopExecution"))
    );
    let started = stack.books.started.lock().unwrap().clone();
    assert_eq!(started.len(), 1);
    assert_eq!(started[0].0, format!("reap-{ID}"));
    // The event comes twice.
    stack
        .call(Function::Reap, event("ABORTED", ARN))
        .await
        .unwrap();
    assert_eq!(stack.books.started.lock().unwrap().len(), 1);

    let input: Value = serde_json::from_str(&started[0].1).unwrap();
    stack.manifest(0, json!([]));
    let run = reaped(&stack, input).await;
    // One task has not obeyed.
    assert_eq!(stack.tasks.count(), 0);
    let run = finished(&stack, run).await;
    assert_eq!(run["status"], "aborted");
    let record = stack.record().await;
    assert_eq!(record.stopped_by.unwrap().by, "StopExecution");
}

#[tokio::test]
async fn an_error_of_a_state_makes_the_run_errored_with_its_cause() {
    let (stack, run) = running(1).await;
    let cause = json!({"errorType": "Floodgate.Placement", "errorMessage": "ECS is gone"});
    let error = json!({"Error": "Floodgate.Placement", "Cause": cause.to_string()});
    stack.manifest(0, json!([]));
    let run = reaped(&stack, json!({"run": run, "error": error})).await;
    let run = finished(&stack, run).await;
    assert_eq!(run["status"], "errored");
    let why = "Floodgate.Placement: ECS is gone";
    assert!(stack.record().await.reasons.iter().any(|r| r == why));
    assert_eq!(run["error"], why);
}

#[tokio::test]
async fn a_time_out_is_a_deadline() {
    let (stack, _) = running(1).await;
    let recover = json!({"recover": {"run_arn": ARN, "status": "TIMED_OUT", "id": ID}});
    stack.manifest(0, json!([]));
    reaped(&stack, recover).await;
    let stop = stack.objects.json(&stack.key("control/stop.json"));
    assert_eq!(stop["reason"], "deadline");
}

#[tokio::test]
async fn the_end_of_a_run_that_is_closed_only_sweeps() {
    let (stack, run) = running(2).await;
    stack.manifest(0, json!([]));
    stack.manifest(1, json!([]));
    finished(&stack, run).await;
    assert!(stack.record().await.status.is_final());
    assert_eq!(stack.tasks.count(), 2);
    stack
        .call(Function::Reap, event("FAILED", ARN))
        .await
        .unwrap();
    assert_eq!(stack.tasks.count(), 0);
    assert!(stack.books.started.lock().unwrap().is_empty());
    let orphans = stack.log().iter().any(|l| l["OrphanedTasksStopped"] == 2.0);
    assert!(orphans);
}

#[tokio::test]
async fn recoveries_and_strangers_are_left_alone() {
    let (stack, _) = running(1).await;
    let own = format!("arn:aws:states:eu-west-1:1:execution:floodgate:reap-{ID}");
    stack
        .call(Function::Reap, event("FAILED", &own))
        .await
        .unwrap();
    // The same id under another execution: it never got the record.
    let mut stranger = event("FAILED", "arn:aws:states:eu-west-1:1:execution:floodgate:x");
    stranger["detail"]["input"] = json!(json!({"id": ID}).to_string());
    stack.call(Function::Reap, stranger).await.unwrap();
    assert!(stack.books.started.lock().unwrap().is_empty());
    assert!(!stack.objects.has(&stack.key("control/stop.json")));
}

#[tokio::test]
async fn a_run_without_a_plan_is_closed() {
    let (stack, _) = running(1).await;
    stack.objects.delete(&stack.key("plan.json")).await.unwrap();
    let recover = json!({"recover": {"run_arn": ARN, "status": "FAILED", "id": ID,
        "error": "Floodgate.Storage: no answer"}});
    let error = stack.call(Function::Reap, recover).await.unwrap_err();
    assert_eq!(error.name(), "Floodgate.Errored");
    let record = stack.record().await;
    assert_eq!(record.status, Status::Errored);
    assert!(
        record.reasons[0].contains("no answer"),
        "{:?}",
        record.reasons
    );
    assert_eq!(stack.tasks.count(), 0);
}
