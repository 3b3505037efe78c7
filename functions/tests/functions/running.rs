use crate::support::*;
use floodgate_core::cost::{END, READY, WATCH_MB};
use floodgate_functions::{App, Course, Function, Phases, Steps, expected};
use floodgate_log::Level;
use floodgate_records::budget::Amount;
use floodgate_records::cost::ChargeUnit;
use floodgate_records::status::Status;
use floodgate_store::{ObjectStore, RecordStore};
use serde_json::{Value, json};
use std::time::Duration;

/// Tasks that run and are ready.
async fn started(tasks: u32, seconds: u64, change: impl Fn(&mut Value)) -> (Stack, Value) {
    let stack = Stack::new();
    let mut test = definition(tasks, seconds);
    change(&mut test);
    let run = stack.prepare(json!({"definition": test})).await.unwrap();
    let run = stack.call(Function::Launch, run).await.unwrap();
    stack.ready(0..tasks);
    let run = stack.call(Function::Watch, run).await.unwrap();
    assert_eq!(run["phase"], "running");
    (stack, run)
}

/// Watches until a phase is over, as the state machine does.
async fn watched(stack: &Stack, mut run: Value, phase: &str) -> Value {
    for _ in 0..1_000 {
        stack.pass(Duration::from_secs(run["wait_s"].as_u64().unwrap()));
        run = stack.call(Function::Watch, run).await.unwrap();
        if run["phase"] != phase {
            return run;
        }
    }
    panic!("{phase} does not end");
}

async fn finished(stack: &Stack, run: Value) -> Value {
    let payload = json!({"op": "plan", "run": run});
    let run = stack.call(Function::Merge, payload).await.unwrap();
    stack.call(Function::Finish, run).await.unwrap()
}

#[tokio::test]
async fn a_run_goes_from_ready_to_its_end() {
    let (stack, run) = started(2, 60, |_| {}).await;
    let start = stack.objects.json(&stack.key("control/start.json"));
    let start_ms = start["start_ms"].as_i64().unwrap();
    assert!(
        (500..5_000).contains(&(start_ms - stack.now())),
        "{start_ms}"
    );
    // The tasks end as planned.
    let end = start_ms + 60_000;
    let (objects, tasks) = (stack.key("tasks"), stack.tasks.clone());
    let _ = objects;
    let run = loop_until(&stack, run, end).await;
    for task in 0..2 {
        stack.manifest(task, json!([]));
    }
    tasks.end_all();
    let ended_ms = stack.now();
    let run = stack.call(Function::Watch, run).await.unwrap();
    assert_eq!(run["phase"], "ended");
    assert!(stack.now() - ended_ms < 1_000);
    let run = finished(&stack, run).await;
    // No shard was written, so nothing was measured: that never passes.
    assert_eq!(run["status"], "inconclusive");
    assert!(run["error"].as_str().unwrap().len() > 5, "{run}");
    let page = stack.objects.get(&stack.key("report.html")).await.unwrap();
    assert!(page.unwrap().starts_with(b"<!doctype html>"));
    let record = stack.record().await;
    assert_eq!(record.status, Status::Inconclusive);
    let cost = record.cost.unwrap();
    assert!(cost.actual_usd.unwrap() > 0.0 && cost.estimate_usd.is_some());
    let account = stack.records.account("shop", "202311").await.unwrap();
    assert_eq!(account.open.len(), 0, "{account:?}");
    assert_eq!(
        account.total.micro_usd,
        Amount::new(cost.actual_usd.unwrap(), 0).micro_usd
    );
    // Again gives the same.
    let again = stack.call(Function::Finish, run.clone()).await.unwrap();
    assert_eq!(again, run);
    let log = stack.log();
    assert!(
        log.iter()
            .any(|l| l["Executions"] == 1.0 && l["Status"] == "inconclusive")
    );
    assert!(
        log.iter()
            .filter(|l| l.get("message").is_some())
            .all(|l| l["function"].is_string())
    );
}

/// Watches up to a moment; the clock stands there then.
async fn loop_until(stack: &Stack, mut run: Value, until_ms: i64) -> Value {
    while stack.now() < until_ms - 25_000 {
        stack.pass(Duration::from_secs(run["wait_s"].as_u64().unwrap().max(1)));
        run = stack.call(Function::Watch, run).await.unwrap();
        assert_eq!(run["phase"], "running");
    }
    stack.pass(Duration::from_millis((until_ms - stack.now()).max(0) as u64));
    run
}

#[tokio::test]
async fn a_task_that_is_killed_ends_the_run_and_the_reason_is_told() {
    let (stack, run) = started(2, 600, |_| {}).await;
    stack.pass(Duration::from_secs(10));
    stack.tasks.end(
        1,
        "was killed (exit code 137: out of memory, or a stop that took too long)",
    );
    let run = watched(&stack, run, "running").await;
    assert_eq!(run["phase"], "stopping");
    assert_eq!(
        stack.objects.json(&stack.key("control/stop.json"))["reason"],
        "tasks-lost"
    );
    stack.manifest(0, json!([]));
    let run = watched(&stack, run, "stopping").await;
    assert_eq!(run["phase"], "ended");
    let run = finished(&stack, run).await;
    assert_eq!(run["status"], "inconclusive");
    let record = stack.record().await;
    assert!(
        record
            .warnings
            .iter()
            .any(|w| w.contains("task 1 is lost: it was killed")),
        "{:?}",
        record.warnings
    );
}

#[tokio::test]
async fn a_container_that_never_becomes_ready_is_stopped() {
    let stack = Stack::new();
    let run = stack
        .prepare(json!({"definition": definition(2, 60)}))
        .await
        .unwrap();
    let run = stack.call(Function::Launch, run).await.unwrap();
    stack.ready(0..1);
    let run = watched(&stack, run, "waiting").await;
    assert!((300..330).contains(&((stack.now() - NOW) / 1_000)));
    stack.manifest(0, json!([]));
    let run = match run["phase"].as_str().unwrap() {
        "ended" => run,
        phase => watched(&stack, run.clone(), phase).await,
    };
    assert_eq!(run["phase"], "ended");
    assert_eq!(stack.tasks.stopped.lock().unwrap().len(), 1);
    assert_eq!(finished(&stack, run).await["status"], "inconclusive");
}

#[tokio::test]
async fn a_run_of_which_nothing_was_placed_is_errored_with_what_ecs_said() {
    let stack = Stack::new();
    let run = stack
        .prepare(json!({"definition": definition(2, 60)}))
        .await
        .unwrap();
    stack.tasks.script(|_, _| {
        Err(floodgate_functions::RunError::Refused(
            "AccessDenied: RunTask".into(),
        ))
    });
    let run = stack.call(Function::Launch, run).await.unwrap();
    let run = stack.call(Function::Watch, run).await.unwrap();
    assert_eq!(run["phase"], "ended");
    let run = finished(&stack, run).await;
    assert_eq!(run["status"], "errored");
    assert!(
        run["error"]
            .as_str()
            .unwrap()
            .contains("AccessDenied: RunTask"),
        "{run}"
    );
}

#[tokio::test]
async fn a_budget_that_is_used_up_stops_the_run() {
    let (stack, run) = started(1, 3_600, |test| test["run"]["max_cost_usd"] = json!(1)).await;
    // What stood still for days costs more than was thought.
    let stop = stack.key("control/stop.json");
    stack.pass(Duration::from_secs(30 * 3_600));
    let run = stack.call(Function::Watch, run).await.unwrap();
    assert_eq!(run["phase"], "stopping");
    assert_eq!(stack.objects.json(&stop)["reason"], "budget");
    stack.manifest(0, json!([]));
    let run = watched(&stack, run, "stopping").await;
    assert_eq!(finished(&stack, run).await["status"], "aborted");
}

#[tokio::test]
async fn a_turn_that_is_repeated_changes_nothing() {
    let (stack, run) = started(1, 600, |_| {}).await;
    let before = stack.objects.json(&stack.key("control/watch.json"));
    let again = stack.call(Function::Watch, run.clone()).await.unwrap();
    assert_eq!(stack.call(Function::Watch, run).await.unwrap(), again);
    assert_eq!(stack.objects.json(&stack.key("control/watch.json")), before);
}

#[tokio::test]
async fn a_run_over_two_regions_is_one_run() {
    let (stack, run) = started(4, 60, |test| {
        test["run"]["regions"] = json!([{"region": "eu-west-1", "weight": 3},
            {"region": "us-east-1", "weight": 1}]);
    })
    .await;
    let regions: Vec<String> = {
        let requests = stack.tasks.requests.lock().unwrap();
        requests.iter().map(|r| r.region.clone()).collect()
    };
    let of = |region: &str| regions.iter().filter(|r| *r == region).count();
    assert_eq!((of("eu-west-1"), of("us-east-1")), (3, 1));
    // One start for all of them; each region's containers are looked at where they are.
    let start = stack.objects.json(&stack.key("control/start.json"));
    let run = loop_until(&stack, run, start["start_ms"].as_i64().unwrap() + 60_000).await;
    for task in 0..4 {
        stack.manifest(task, json!([]));
    }
    stack.tasks.end_all();
    let run = stack.call(Function::Watch, run).await.unwrap();
    assert_eq!(run["phase"], "ended");
    finished(&stack, run).await;
    let record = stack.record().await;
    assert_eq!(record.infrastructure.regions, ["eu-west-1", "us-east-1"]);
    let completeness = record.completeness.unwrap();
    assert_eq!(
        (completeness.tasks_reported, completeness.tasks_lost.len()),
        (4, 0)
    );
    let items = record.cost.unwrap().items;
    let vcpu = |region: &str| {
        let of = items
            .iter()
            .filter(|i| i.region == region && i.what.as_str().contains("vCPU"));
        of.map(|i| i.quantity).sum::<f64>()
    };
    assert!(
        (vcpu("eu-west-1") / vcpu("us-east-1") - 3.0).abs() < 0.01,
        "{items:?}"
    );
}

#[tokio::test]
async fn a_region_that_is_lost_ends_the_run_in_the_other_one_too() {
    let (stack, run) = started(4, 600, |test| {
        test["run"]["regions"] = json!([{"region": "eu-west-1", "weight": 3},
            {"region": "us-east-1", "weight": 1}]);
    })
    .await;
    stack.pass(Duration::from_secs(10));
    stack
        .tasks
        .end(3, "was interrupted: Fargate Spot reclaimed the capacity");
    let run = watched(&stack, run, "running").await;
    assert_eq!(run["phase"], "stopping");
    for task in 0..3 {
        stack.manifest(task, json!([]));
    }
    let run = watched(&stack, run, "stopping").await;
    let run = finished(&stack, run).await;
    assert_eq!(run["status"], "inconclusive");
    let record = stack.record().await;
    assert_eq!(record.completeness.unwrap().tasks_lost, [3]);
    assert!(
        record
            .warnings
            .iter()
            .any(|w| w.contains("Spot reclaimed the capacity"))
    );
}

#[tokio::test]
async fn lines_of_the_log_have_one_shape() {
    let (stack, _) = started(1, 60, |_| {}).await;
    let log = stack.log();
    let lines: Vec<_> = log.iter().filter(|l| l.get("_aws").is_none()).collect();
    assert!(lines.len() >= 3, "{log:?}");
    for line in lines {
        let text = |key: &str| line[key].as_str().unwrap_or_default();
        let time = chrono::DateTime::parse_from_rfc3339(text("time"));
        assert!(time.is_ok() && text("time").len() == 24, "{line}");
        assert!(Level::parse(text("level")).is_some(), "{line}");
        assert!(!text("message").is_empty(), "{line}");
        assert_eq!(text("execution"), ID, "{line}");
        assert!(
            ["prepare", "launch", "watch"].contains(&text("function")),
            "{line}"
        );
    }
}

/// The estimate of a run whose end nobody knows stands on what its watch does: an invocation that stays, all the time.
#[tokio::test]
async fn what_the_watch_did_is_what_was_expected_of_it() {
    const RUNNING: Duration = Duration::from_secs(600);
    let counted = json!({
        "executor": "per-vu-iterations", "vus": 2, "iterations": 1_000_000, "maxDuration": "2h",
        "flow": [{"get": "/"}],
    });
    let (stack, mut run) =
        started(2, 60, |test| test["scenarios"]["browse"] = counted.clone()).await;
    let before = run["watched_ms"].as_u64().unwrap();
    let start = stack.objects.json(&stack.key("control/start.json"));
    let end = start["start_ms"].as_i64().unwrap() + RUNNING.as_millis() as i64;
    let mut flushes = 0;
    while stack.now() < end {
        flushes += 1;
        for task in 0..2 {
            let live = stack.key(&format!("live/{task:04}.parquet"));
            stack.objects.flush(&live, flushes);
        }
        stack.pass(Duration::from_secs(run["wait_s"].as_u64().unwrap()));
        run = stack.call(Function::Watch, run).await.unwrap();
        assert_eq!(run["phase"], "running");
    }
    let watched = |key: &str| run[key].as_u64().unwrap() as f64;
    let course = Course {
        duration_ms: 7_200_000,
        longest_ms: 7_230_000,
        any_time: true,
        judged: false,
    };
    let expected = expected(
        course,
        Phases::assumed(RUNNING),
        Steps::assumed(2),
        App::STAY,
    );
    let around = READY + END;
    let time = (expected.time - around).as_secs_f64();
    let share = (watched("watched_ms") - before as f64) / 1_000.0 / time;
    assert!((0.9..=1.1).contains(&share), "{share}");
    // Here a look takes no time, and so there are more of them.
    assert!(watched("looks") > expected.looks as f64 * 0.9, "{run}");
    // What a run has cost has this in it.
    stack.manifest(0, json!([]));
    stack.manifest(1, json!([]));
    stack.tasks.end_all();
    let run = stack.call(Function::Watch, run).await.unwrap();
    assert_eq!(run["phase"], "ended");
    finished(&stack, run).await;
    let cost = stack.record().await.cost.unwrap();
    let lambda: f64 = cost
        .items
        .iter()
        .filter(|item| item.unit == ChargeUnit::GbSeconds)
        .map(|item| item.quantity)
        .sum();
    let least = f64::from(WATCH_MB) / 1_024.0 * RUNNING.as_secs_f64();
    assert!(lambda > least * 0.95, "{lambda} {least}");
}
