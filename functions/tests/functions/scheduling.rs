//! Starts by the clock: what becomes of them while the schedule's last run goes on, and in windows.

use crate::support::*;
use floodgate_functions::{Function, FunctionError};
use floodgate_records::audit::Action;
use floodgate_records::status::Status;
use floodgate_store::RecordStore;
use serde_json::{Value, json};
use std::time::Duration;

/// A stack with the schedule `soak`, for which these rules hold.
async fn stack(rules: Value) -> Stack {
    let stack = Stack::new();
    let mut soak = json!({"project": "shop", "test": "checkout"});
    let all = soak.as_object_mut().unwrap();
    all.extend(rules.as_object().unwrap().clone());
    let mut place = placement();
    place["schedules"] = json!({ "soak": soak });
    stack.place(&place);
    stack.register().await;
    stack
}

/// What the machine of schedules is answered for an execution; the run's id.
async fn start(stack: &Stack, name: &str, scheduled: &str) -> Result<String, FunctionError> {
    let run =
        json!({"arn": format!("{ARN}{name}"), "name": name, "started_at": "2023-11-14T22:13:20Z"});
    let payload =
        json!({"input": {"schedule": "soak"}, "run": run, "project": "*", "scheduled": scheduled});
    let prepared = stack.call(Function::Prepare, payload).await?;
    Ok(prepared["execution"].as_str().unwrap().to_owned())
}

async fn end(stack: &Stack, id: &str) {
    let mut run = stack.records.get(None, id).await.unwrap().unwrap();
    let from = run.status;
    run.status = Status::Passed;
    stack.records.update(&run, &[from]).await.unwrap();
}

async fn skips(stack: &Stack) -> Vec<String> {
    let trail = stack.records.audit_trail("shop").await.unwrap();
    let skips = trail.into_iter().filter(|e| e.action == Action::Skip);
    skips.map(|entry| entry.outcome).collect()
}

#[tokio::test]
async fn a_start_that_is_left_out_is_no_failure_and_costs_nothing() {
    let stack = stack(json!({})).await;
    let first = start(&stack, "first", "yes").await.unwrap();
    let puts = |stack: &Stack| {
        stack
            .objects
            .puts
            .load(std::sync::atomic::Ordering::Relaxed)
    };
    let before = puts(&stack);
    let error = start(&stack, "second", "yes").await.unwrap_err();
    assert_eq!(error.name(), "Floodgate.Skipped");
    let told = format!("schedule soak: its last run {first} goes on");
    assert_eq!(error.to_string(), told);
    assert_eq!(skips(&stack).await, [told]);
    assert_eq!(puts(&stack), before, "neither plan nor definition");
    let listed = stack.records.list(None, None, 9).await.unwrap().runs;
    assert_eq!(listed.len(), 1, "it has no record");
    let account = stack.records.account("shop", "202311").await.unwrap();
    assert_eq!(account.open.len(), 1, "nothing is held for it");
    let log = stack.log();
    assert!(log.iter().all(|line| line["level"] != "error"), "{log:?}");
    // The first one, asked again, is the first one.
    assert_eq!(start(&stack, "first", "yes").await.unwrap(), first);
    // Whoever starts the schedule's run by hand wants it now.
    start(&stack, "by-hand", "no").await.unwrap();
    end(&stack, &first).await;
    start(&stack, "third", "yes").await.unwrap();
}

#[tokio::test]
async fn a_start_waits_for_the_end_of_the_last_run() {
    let stack = stack(json!({"overlap": "queue"})).await;
    let first = start(&stack, "first", "yes").await.unwrap();
    for _ in 0..3 {
        let error = start(&stack, "second", "yes").await.unwrap_err();
        assert_eq!(error.name(), "Floodgate.Waiting");
        assert!(error.to_string().contains(&first), "{error}");
        stack.pass(Duration::from_secs(300));
    }
    let error = start(&stack, "third", "yes").await.unwrap_err();
    assert_eq!(error.name(), "Floodgate.Skipped");
    assert!(!stack.objects.has(&format!(
        "projects/shop/executions/{first}/control/stop.json"
    )));
    end(&stack, &first).await;
    start(&stack, "second", "yes").await.unwrap();
    assert_eq!(
        skips(&stack).await,
        ["schedule soak: another start of it waits already"]
    );
}

#[tokio::test]
async fn the_last_run_is_told_to_stop_and_the_order_is_vouched_for() {
    let stack = stack(json!({"overlap": "replace"})).await;
    let first = start(&stack, "first", "yes").await.unwrap();
    for _ in 0..2 {
        let error = start(&stack, "second", "yes").await.unwrap_err();
        assert_eq!(error.name(), "Floodgate.Waiting");
        stack.pass(Duration::from_secs(10));
    }
    let control = format!("projects/shop/executions/{first}/control");
    let stop = stack.objects.json(&format!("{control}/stop.json"));
    assert_eq!(stop["by"], "schedule/floodgate/soak");
    assert_eq!(stop["at_ms"], NOW, "of the first time");
    let vouched = stack.objects.json(&format!("{control}/stop-vouched.json"));
    assert_eq!(vouched, stop);
    end(&stack, &first).await;
    start(&stack, "second", "yes").await.unwrap();
}

#[tokio::test]
async fn nothing_starts_in_a_window_of_the_schedules_time_zone() {
    // It is 23:13 in Berlin.
    let rules = json!({"blackouts": ["tue 23:00-24:00"], "timezone": "Europe/Berlin"});
    let stack = stack(rules).await;
    let error = start(&stack, "first", "yes").await.unwrap_err();
    assert_eq!(error.name(), "Floodgate.Skipped");
    assert!(error.to_string().contains("tue 23:00-24:00"), "{error}");
    stack.pass(Duration::from_secs(3_600));
    start(&stack, "second", "yes").await.unwrap();
}
