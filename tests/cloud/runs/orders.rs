//! Who starts and stops runs, and how often.

use super::shop;
use crate::execution::{PROJECT, arrivals, eventually, input, settled};
use crate::stack::Stack;
use aws_sdk_sfn::types::ExecutionStatus;
use floodgate_records::audit::Action;
use floodgate_records::control::StopReason;
use floodgate_records::execution::{PrincipalIs, TriggerKind};
use floodgate_records::status::Status;
use floodgate_store::{ObjectStore as _, RecordStore as _};
use std::time::{Duration, Instant};

#[tokio::test]
#[ignore = "needs the emulator: cargo xtask test"]
async fn the_same_execution_never_starts_twice() {
    let (stack, shop) = (Stack::shared().await, shop());
    let definition = arrivals(
        "once",
        &shop.url(),
        (50, "4s"),
        1,
        "thresholds:\n  http_reqs: [count==200]",
    );
    let mut input = input("once", &definition);
    let run = stack.start(&input).await;
    eventually("the load", || shop.counters().requests() > 10).await;
    // The same name: Step Functions itself refuses, or answers with the execution that runs.
    match stack.start_as(&run.id, &input).await {
        Ok(arn) => assert_eq!(arn, run.arn),
        Err(why) => assert!(why.contains("ExecutionAlreadyExists"), "{why}"),
    }
    // The same id under another name: the record is taken.
    input["id"] = run.id.clone().into();
    let name = ulid::Ulid::generate().to_string();
    let arn = stack.start_as(&name, &input).await.unwrap();
    let (error, cause) = stack.found(&arn, &run.id).failure().await;
    assert_eq!(error, "Floodgate.Errored");
    assert!(cause.contains(&run.id), "{cause}");
    let ended = run.end().await;
    ended.expect(Status::Passed, "");
    assert_eq!(ended.record.run_arn.as_deref(), Some(run.arn.as_str()));
    assert_eq!((ended.requests(), shop.counters().requests()), (200, 200));
}

#[tokio::test]
#[ignore = "needs the emulator: cargo xtask test"]
async fn two_executions_of_one_test_do_not_mix() {
    let (stack, shop) = (Stack::shared().await, shop());
    let definition = |count: u32| {
        let rest = format!("thresholds:\n  http_reqs: [count=={count}]");
        arrivals("both", &shop.url(), (count / 4, "4s"), 1, &rest)
    };
    let first = stack.start(&input("both", &definition(200))).await;
    let second = stack.start(&input("both", &definition(120))).await;
    let (first, second) = (first.end().await, second.end().await);
    first.expect(Status::Passed, "");
    second.expect(Status::Passed, "");
    assert_eq!((first.requests(), second.requests()), (200, 120));
    assert_eq!(shop.counters().requests(), 320);
}

#[tokio::test]
#[ignore = "needs the emulator: cargo xtask test"]
async fn a_stopped_execution_is_recorded_with_what_was_measured() {
    let (stack, shop) = (Stack::shared().await, shop());
    let definition = arrivals("stopped", &shop.url(), (60, "60s"), 2, "");
    let run = stack.start(&input("stopped", &definition)).await;
    eventually("the load", || shop.counters().requests() > 120).await;
    let stop = stack
        .states
        .stop_execution()
        .execution_arn(&run.arn)
        .cause("ann has seen enough");
    stop.send().await.unwrap();
    // Whoever looks after the stack may, too; twice is once. It sees what becomes of it.
    let operator = stack.as_caller("operator").await;
    let again = operator.states.stop_execution().execution_arn(&run.arn);
    again.send().await.unwrap();
    let look = operator.states.describe_execution().execution_arn(&run.arn);
    assert_eq!(
        *look.send().await.unwrap().status(),
        ExecutionStatus::Aborted
    );
    let placed = format!("projects/{PROJECT}/executions/{}/", run.id);
    assert!(!operator.objects.list(&placed).await.unwrap().is_empty());
    let ended = run.end().await;
    assert_eq!(ended.status, ExecutionStatus::Aborted);
    assert_eq!(ended.record.status, Status::Aborted, "{:#?}", ended.record);
    let stop = ended.record.stopped_by.clone().unwrap();
    assert_eq!(stop.reason, StopReason::Person);
    ended.expect_requests_of(shop.counters());
    assert!(ended.requests() > 120);
}

#[tokio::test]
#[ignore = "needs the emulator: cargo xtask test"]
async fn a_schedule_starts_a_run() {
    let shop = shop();
    let definition = arrivals(
        "nightly",
        &shop.url(),
        (50, "3s"),
        1,
        "thresholds:\n  http_reqs: [count==150]",
    );
    let run = serde_json::json!({"project": PROJECT, "test": "nightly"});
    // First the test, then the schedule that runs it.
    let stack = Stack::own("nightly", &[]).await;
    stack.register("nightly", &definition).await;
    let schedule = [
        "--schedule",
        &run.to_string(),
        "--schedule-expression",
        "at(2026-01-01T00:00:00)",
    ];
    let stack = Stack::own("nightly", &schedule).await;
    let begun = Instant::now();
    let (arn, id) = loop {
        let listed = stack
            .administrator
            .states
            .list_executions()
            .state_machine_arn(stack.scheduled());
        let listed = listed.send().await.unwrap();
        let records = stack
            .records
            .list(Some(PROJECT), Some("nightly"), 2)
            .await
            .unwrap();
        if let ([execution], [record]) = (listed.executions(), records.runs.as_slice()) {
            break (execution.execution_arn().to_owned(), record.id.clone());
        }
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "{:?} {records:?}",
            listed.executions()
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    let ended = stack.found(&arn, &id).end().await;
    ended.expect(Status::Passed, "");
    let trigger = &ended.record.trigger;
    assert_eq!(trigger.kind, TriggerKind::Schedule);
    assert_eq!(
        trigger.principal.as_deref(),
        Some("schedule/nightly/nightly")
    );
    // No other than the schedule can have been it, and the trail says so.
    assert_eq!(trigger.principal_is, PrincipalIs::Verified);
    let trail = stack.records.audit_trail(PROJECT).await.unwrap();
    let own = trail.iter().filter(|entry| entry.execution == id);
    let known: Vec<_> = own
        .map(|entry| (entry.action.as_str(), entry.principal_is))
        .collect();
    assert_eq!(known[0], ("start", PrincipalIs::Verified), "{known:?}");
    assert_eq!((ended.requests(), shop.counters().requests()), (150, 150));
}

/// Two starts of a schedule at once make one run; the next replaces it.
#[tokio::test]
#[ignore = "needs the emulator: cargo xtask test"]
async fn a_start_of_a_schedule_is_left_out_or_replaces_the_last_run() {
    let shop = shop();
    let definition = arrivals("overlap", &shop.url(), (50, "60s"), 1, "");
    let deployed = async |overlap: &str| {
        let run = serde_json::json!({"project": PROJECT, "test": "overlap", "overlap": overlap});
        let schedule = [
            "--schedule",
            &run.to_string(),
            "--schedule-expression",
            "at(2099-01-01T00:00:00)",
        ];
        Stack::own("overlap", &schedule).await
    };
    let stack = deployed("skip").await;
    stack.register("overlap", &definition).await;
    // As Scheduler does.
    let start = async |stack: &Stack, id: &str| {
        let states = &stack.administrator.states;
        let call = states
            .start_execution()
            .state_machine_arn(stack.scheduled());
        let call = call.name(id).input(r#"{"schedule": "nightly"}"#);
        call.send().await.unwrap().execution_arn().to_owned()
    };
    let ids = [(); 3].map(|()| ulid::Ulid::generate().to_string());
    let (one, other) = tokio::join!(start(&stack, &ids[0]), start(&stack, &ids[1]));
    eventually("the load", || shop.counters().requests() > 50).await;
    let record = async |id: &str| stack.records.get(Some(PROJECT), id).await.unwrap();
    let first_runs = record(&ids[0]).await.is_some();
    let (running, left_out) = match first_runs {
        true => ((&one, &ids[0]), (&other, &ids[1])),
        false => ((&other, &ids[1]), (&one, &ids[0])),
    };
    // It has ended quietly.
    let described = settled(&stack.administrator.states, left_out.0).await;
    assert_eq!(*described.status(), ExecutionStatus::Succeeded);
    let output = described.output().unwrap();
    assert!(output.contains(running.1.as_str()), "{output}");
    assert_eq!(record(left_out.1).await, None);

    let stack = deployed("replace").await;
    let third = start(&stack, &ids[2]).await;
    let ended = stack.found(running.0, running.1).end().await;
    ended.expect(Status::Aborted, "Floodgate.Aborted");
    let stop = ended.record.stopped_by.clone().unwrap();
    assert_eq!(stop.by, "schedule/overlap/nightly");
    let before = shop.counters().requests();
    eventually("the load of the next", || {
        shop.counters().requests() > before + 50
    })
    .await;
    let operator = stack.as_caller("operator").await.states;
    let stop = operator.stop_execution().execution_arn(&third);
    stop.send().await.unwrap();
    let ended = stack.found(&third, &ids[2]).end().await;
    assert_eq!(ended.record.status, Status::Aborted);

    let trail = stack.records.audit_trail(PROJECT).await.unwrap();
    let noted = |action: Action| trail.iter().filter(move |entry| entry.action == action);
    let skips: Vec<_> = noted(Action::Skip)
        .map(|entry| entry.outcome.as_str())
        .collect();
    let told = format!("schedule nightly: its last run {} goes on", running.1);
    assert_eq!(skips, [told.as_str()]);
    let ordered = noted(Action::Abort).find(|entry| entry.execution == *running.1);
    assert_eq!(ordered.unwrap().principal_is, PrincipalIs::Verified);
}

/// A run is started by the machine of its project and by no other; what is refused leaves nothing with the project that was named.
#[tokio::test]
#[ignore = "needs the emulator: cargo xtask test"]
async fn a_state_machine_starts_no_other_projects_runs() {
    let (stack, shop) = (Stack::shared().await, shop());
    let definition = arrivals("theirs", &shop.url(), (50, "1s"), 1, "");
    // The machine of those that have none, asked for a project that has one.
    let run = stack.start_unnamed(&input("theirs", &definition)).await;
    let (error, cause) = run.failure().await;
    assert_eq!(error, "Floodgate.Errored");
    assert!(cause.contains("a state machine of its own"), "{cause}");
    assert!(run.record().await.is_none());
    // The project's own, asked for another one: with an input that names it, and by a definition alone.
    let other = definition.replace(PROJECT, "search");
    for input in [
        serde_json::json!({"project": "search", "definition": other}),
        serde_json::json!({"definition": other}),
    ] {
        let run = stack.start(&input).await;
        let (error, cause) = run.failure().await;
        assert_eq!(error, "Floodgate.Errored");
        assert!(
            cause.contains("and not of") && cause.contains("search"),
            "{cause}"
        );
        let records = &stack.administrator.records;
        let theirs = records.get(Some("search"), &run.id).await.unwrap();
        assert!(theirs.is_none(), "{theirs:?}");
    }
    let trail = stack.administrator.records.audit_trail("search").await;
    assert!(trail.unwrap().is_empty());
    assert_eq!(shop.counters().requests(), 0);
}
