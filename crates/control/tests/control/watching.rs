use crate::support::*;
use floodgate_control::watch::{Phase, TaskState, Watch, WatchOptions};
use floodgate_records::control::{Start, StopReason};
use floodgate_records::status::Status;
use std::time::Duration;

#[tokio::test]
async fn the_start_is_set_once_all_tasks_are_ready() {
    let folder = Folder::new();
    let mut run = folder.run(ID, definition(&[]), 2).await;
    run.ready([0]).await;
    assert_eq!(run.step(NOW).await.phase, Phase::Waiting);
    assert_eq!(
        run.watch.state().tasks,
        [TaskState::Ready, TaskState::Pending]
    );
    assert!(!run.exists(&run.keys.start()).await);
    run.ready([1]).await;
    assert_eq!(run.step(NOW).await.phase, Phase::Running);
    let bytes = folder
        .stores
        .objects
        .get(&run.keys.start())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        serde_json::from_slice::<Start>(&bytes).unwrap(),
        Start { start_ms: START }
    );
    let record = folder.stores.records.get(None, ID).await.unwrap().unwrap();
    assert_eq!(
        (record.status, record.started_ms),
        (Status::Running, Some(START))
    );
}

#[tokio::test]
async fn a_watch_that_was_cut_off_goes_on_with_the_same_start() {
    let folder = Folder::new();
    let mut run = folder.run(ID, definition(&[]), 1).await;
    let before = run.watch.state().clone();
    run.start().await;
    // As if the step had not returned: the next watch knows nothing of the start, and meets it.
    let text = serde_json::to_string(&before).unwrap();
    let state = serde_json::from_str(&text).unwrap();
    let prepared = run.prepared.clone();
    let mut again = Watch::resume(
        folder.stores.clone(),
        prepared,
        run.definition.clone(),
        WatchOptions::local(),
        state,
    );
    assert_eq!(again.step(NOW + 700).await.unwrap().phase, Phase::Running);
    assert_eq!(again.state().start_ms, Some(START));
}

#[tokio::test]
async fn a_task_that_never_becomes_ready_stops_the_run_before_its_start() {
    let folder = Folder::new();
    let mut run = folder.run(ID, definition(&[]), 2).await;
    run.ready([0]).await;
    assert_eq!(run.step(NOW + 29_999).await.phase, Phase::Waiting);
    assert_eq!(run.step(NOW + 30_000).await.phase, Phase::Stopping);
    let (stop, _) = run.watch.state().stop.clone().unwrap();
    assert_eq!(stop.reason, StopReason::TasksLost);
    assert_eq!(stop.by, "task 1 was not ready within 30 s");
    assert!(!run.exists(&run.keys.start()).await);
    let stopped = floodgate_records::manifest::TaskOutcome::Stopped { by: "order".into() };
    run.write_manifest(&run.manifest(0, Load::GOOD, Vec::new(), stopped))
        .await;
    assert_eq!(run.step(NOW + 31_000).await.phase, Phase::Ended);
    let finished = run.finish(NOW + 32_000).await;
    assert_eq!(finished.execution.status, Status::Inconclusive);
    assert!(
        finished
            .execution
            .warnings
            .iter()
            .any(|w| w.contains("not ready within 30 s"))
    );
}

#[tokio::test]
async fn within_the_tolerance_the_others_start() {
    let folder = Folder::new();
    let mut definition = definition(&[]);
    definition.run.tolerance = 0.5;
    let mut run = folder.run(ID, definition, 2).await;
    run.ready([0]).await;
    assert_eq!(run.step(NOW + 30_000).await.phase, Phase::Running);
}

#[tokio::test]
async fn progress_adds_the_tasks_up() {
    let folder = Folder::new();
    let mut run = folder.run(ID, definition(&[]), 2).await;
    run.start().await;
    run.live(0, Load::GOOD, 4).await;
    run.live(
        1,
        Load {
            response_us: 40_000,
            failed_per_s: 1,
            ..Load::GOOD
        },
        4,
    )
    .await;
    let next = run.step(START + 4_000).await;
    assert_eq!(
        (next.phase, next.wait),
        (Phase::Running, Duration::from_millis(200))
    );
    let progress = run.watch.progress();
    assert_eq!((progress.requests, progress.iterations), (40, 40));
    assert_eq!(
        (progress.elapsed, progress.total),
        (Duration::from_secs(4), Duration::from_secs(10))
    );
    assert_eq!(progress.offered_per_s, Some(10.0));
    assert!(progress.achieved_per_s > 0.0 && progress.achieved_per_s == progress.iterations_per_s);
    assert!((progress.error_ratio - 0.1).abs() < 1e-9);
    let response = progress.response.unwrap();
    assert!(
        (response.p50_ms - 20.0).abs() < 0.1 && (response.p99_ms - 40.0).abs() < 0.1,
        "{response:?}"
    );
    assert_eq!(progress.max_vus, 10);
}

#[tokio::test]
async fn long_runs_are_looked_at_less_often() {
    let folder = Folder::new();
    let mut definition = definition(&[]);
    if let floodgate_core::definition::model::Executor::ConstantArrivalRate { duration, .. } =
        &mut definition.scenarios[0].executor
    {
        *duration = Duration::from_secs(36_000 - 30);
    }
    let prepared = folder.prepare(ID, &definition, 1).await.unwrap();
    let options = WatchOptions {
        max_steps: 2_000,
        ..WatchOptions::local()
    };
    let mut watch = Watch::new(folder.stores.clone(), prepared, definition, options, NOW);
    assert_eq!(watch.step(NOW).await.unwrap().wait, Duration::from_secs(18));
}

#[tokio::test]
async fn a_breach_on_the_data_of_all_tasks_stops_the_run() {
    let folder = Folder::new();
    let mut definition = definition(&[
        ("http_req_duration", "p(95)<500"),
        ("http_req_failed", "rate<0.5"),
    ]);
    definition.thresholds[0].abort_on_fail = true;
    definition.thresholds[0].delay_abort_eval = Duration::from_secs(3);
    let mut run = folder.run(ID, definition, 2).await;
    run.start().await;
    run.live(0, Load::GOOD, 2).await;
    run.live(1, Load::SLOW, 2).await;
    assert_eq!(
        run.step(START + 2_000).await.phase,
        Phase::Running,
        "before delayAbortEval"
    );
    assert_eq!(run.step(START + 3_100).await.phase, Phase::Stopping);
    let (stop, _) = run.watch.state().stop.clone().unwrap();
    assert_eq!(
        (stop.reason, stop.by.as_str()),
        (StopReason::Threshold, "http_req_duration: p(95)<500")
    );
    assert!(run.exists(&run.keys.stop()).await);
    run.complete(0, Load::GOOD).await;
    run.complete(1, Load::SLOW).await;
    assert_eq!(run.step(START + 4_000).await.phase, Phase::Ended);
    let finished = run.finish(START + 5_000).await;
    assert_eq!(finished.execution.status, Status::Failed);
    let aborted: Vec<_> = finished
        .execution
        .thresholds
        .iter()
        .map(|t| t.aborted)
        .collect();
    assert_eq!(aborted, [true, false, false], "the last one is implicit");
    assert_eq!(finished.execution.stopped_by, Some(stop));
}

#[tokio::test]
async fn a_breach_of_one_task_that_the_others_outweigh_does_not() {
    let folder = Folder::new();
    let mut definition = definition(&[("http_req_duration", "p(50)<500")]);
    definition.thresholds[0].abort_on_fail = true;
    let mut run = folder.run(ID, definition, 2).await;
    run.start().await;
    run.live(
        0,
        Load {
            per_s: 50,
            ..Load::GOOD
        },
        2,
    )
    .await;
    run.live(1, Load::SLOW, 2).await;
    assert_eq!(run.step(START + 2_000).await.phase, Phase::Running);
}

#[tokio::test]
async fn a_task_without_a_sign_of_life_is_lost_and_past_the_tolerance_ends_the_run() {
    let folder = Folder::new();
    let mut run = folder.run(ID, definition(&[]), 2).await;
    run.start().await;
    for seconds in [1, 2] {
        run.live(0, Load::GOOD, seconds).await;
        run.live(1, Load::GOOD, seconds).await;
        run.step(START + 1_000 * seconds as i64).await;
    }
    // Past twenty intervals only one of them is heard of.
    filetime(&folder, &run.keys.live(0));
    assert_eq!(run.step(START + 22_001).await.phase, Phase::Stopping);
    assert_eq!(
        run.watch.state().tasks,
        [
            TaskState::Running,
            TaskState::Lost {
                reason: "gave no sign of life for 20 s".into()
            }
        ]
    );
}

/// Gives an object another time of change, whatever the clock's resolution.
fn filetime(folder: &Folder, key: &str) {
    let file = std::fs::File::options()
        .append(true)
        .open(folder.store.path(key).unwrap())
        .unwrap();
    file.set_modified(std::time::SystemTime::now() + Duration::from_secs(60))
        .unwrap();
}

#[tokio::test]
async fn an_exit_that_the_caller_saw_is_a_loss_unless_there_is_a_manifest() {
    let folder = Folder::new();
    let mut run = folder.run(ID, definition(&[]), 2).await;
    run.start().await;
    run.complete(0, Load::GOOD).await;
    run.watch.task_exited(0, "exited with code 0");
    run.watch.task_exited(1, "was killed (signal 9)");
    run.watch.task_exited(7, "is not of this run");
    assert_eq!(run.step(START + 1_000).await.phase, Phase::Ended);
    let lost = run.watch.lost();
    assert_eq!(
        (lost.len(), lost[0].task, lost[0].reason.as_str()),
        (1, 1, "was killed (signal 9)")
    );
}

#[tokio::test]
async fn past_its_longest_duration_a_run_is_stopped_and_then_given_up() {
    let folder = Folder::new();
    let mut definition = definition(&[]);
    definition.run.max_duration = Some(Duration::from_secs(5));
    let mut run = folder.run(ID, definition, 1).await;
    run.start().await;
    assert_eq!(run.step(START + 4_999).await.phase, Phase::Running);
    assert_eq!(run.step(START + 5_000).await.phase, Phase::Stopping);
    assert_eq!(
        run.watch.state().stop.as_ref().unwrap().0.reason,
        StopReason::Deadline
    );
    assert_eq!(run.step(START + 64_999).await.phase, Phase::Stopping);
    assert_eq!(run.step(START + 65_000).await.phase, Phase::Ended);
    assert!(
        run.watch.lost()[0]
            .reason
            .contains("no manifest within 60 s")
    );
}
