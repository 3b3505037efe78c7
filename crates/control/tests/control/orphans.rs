//! Runs whose coordinator ended before them.

use crate::support::*;
use floodgate_control::watch::Phase;
use floodgate_control::{COORDINATOR_GONE, Finished, finish_orphan, order_stop};
use floodgate_records::control::{Stop, StopReason};
use floodgate_records::manifest::TaskOutcome;
use floodgate_records::status::Status;

async fn orphan(run: &Run<'_>, problem: Option<&str>) -> Finished {
    let problems: Vec<_> = problem.map(str::to_owned).into_iter().collect();
    let plan = &run.prepared.plan;
    finish_orphan(
        &run.folder.stores,
        plan,
        &run.definition,
        &problems,
        &[],
        START + 11_000,
    )
    .await
    .unwrap()
}

#[tokio::test]
async fn tasks_that_had_all_completed_get_their_verdict() {
    let folder = Folder::new();
    let mut run = folder
        .run(ID, definition(&[("http_reqs", "count==100")]), 2)
        .await;
    run.start().await;
    run.complete(0, Load::GOOD).await;
    run.complete(1, Load::GOOD).await;
    let Finished { execution, .. } = orphan(&run, None).await;
    assert_eq!(execution.status, Status::Passed, "{:?}", execution.reasons);
    assert!(execution.orphaned);
    let again = orphan(&run, None).await;
    assert_eq!(again.execution, execution, "a final record is not changed");
}

#[tokio::test]
async fn what_the_tasks_left_is_merged_and_never_passes() {
    let folder = Folder::new();
    let mut cut = definition(&[]);
    // Not even where all may be lost.
    cut.run.tolerance = 1.0;
    let mut run = folder.run(ID, cut, 2).await;
    run.start().await;
    let by = "the end of the coordinator".to_owned();
    let shards = run.shards(0, Load::GOOD).await;
    let manifest = run.manifest(0, Load::GOOD, shards, TaskOutcome::Stopped { by });
    run.write_manifest(&manifest).await;
    let Finished {
        execution, summary, ..
    } = orphan(&run, None).await;
    assert_eq!(execution.status, Status::Errored);
    assert_eq!(execution.reasons, [COORDINATOR_GONE]);
    assert_eq!(summary.metrics["http_reqs"].values["count"], 50.0);
}

#[tokio::test]
async fn an_order_to_stop_makes_it_aborted_and_a_problem_errored() {
    for (problem, status) in [(None, Status::Aborted), (Some("no X"), Status::Errored)] {
        let folder = Folder::new();
        let mut run = folder.run(ID, definition(&[]), 1).await;
        run.start().await;
        let by = "ann".to_owned();
        let shards = run.shards(0, Load::GOOD).await;
        let manifest = run.manifest(0, Load::GOOD, shards, TaskOutcome::Stopped { by });
        run.write_manifest(&manifest).await;
        let stop = Stop {
            reason: StopReason::Person,
            by: "ann".into(),
            at_ms: START,
        };
        order_stop(folder.stores.objects.as_ref(), &run.keys, &stop)
            .await
            .unwrap();
        let Finished { execution, .. } = orphan(&run, problem).await;
        assert_eq!(execution.status, status, "{:?}", execution.reasons);
    }
}

#[tokio::test]
async fn the_start_is_known_though_the_record_does_not_say_it() {
    let folder = Folder::new();
    let mut run = folder.run(ID, definition(&[]), 1).await;
    run.start().await;
    run.complete(0, Load::GOOD).await;
    let mut record = run.prepared.execution.clone();
    record.started_ms = None;
    let open = [Status::Running];
    folder.stores.records.update(&record, &open).await.unwrap();
    let Finished { summary, .. } = orphan(&run, None).await;
    assert_eq!(summary.duration_s, 10.0);
}

/// Such as after it was stopped for a minute, or the machine was asleep.
#[tokio::test]
async fn a_coordinator_that_looks_late_finds_its_tasks_ended_and_orders_nothing() {
    let folder = Folder::new();
    let mut run = folder.run(ID, definition(&[]), 2).await;
    run.start().await;
    run.complete(0, Load::GOOD).await;
    run.complete(1, Load::GOOD).await;
    assert_eq!(run.step(START + 86_400_000).await.phase, Phase::Ended);
    assert!(!run.exists(&run.keys.stop()).await);
    let Finished { execution, .. } = run.finish(START + 86_400_000).await;
    assert_eq!(execution.status, Status::Passed, "{:?}", execution.reasons);
}

#[tokio::test]
async fn a_damaged_order_to_stop_is_an_error_and_what_was_measured_is_merged() {
    let folder = Folder::new();
    let mut run = folder.run(ID, definition(&[]), 1).await;
    run.start().await;
    run.complete(0, Load::GOOD).await;
    run.put(&run.keys.stop(), &b"{"[..]).await;
    let Finished {
        execution, summary, ..
    } = run.finish(START + 11_000).await;
    assert_eq!(execution.status, Status::Errored);
    assert!(execution.reasons[0].contains("stop.json"), "{execution:?}");
    assert_eq!(summary.applied.http_reqs, 50);
}

#[tokio::test]
async fn a_trail_that_cannot_be_written_keeps_a_run_from_starting_and_its_record_says_so() {
    let folder = Folder::new();
    let trail = folder.store.root().join(".records/shop/audit.jsonl");
    std::fs::create_dir_all(&trail).unwrap();
    let refused = folder.prepare(ID, &definition(&[]), 1).await.unwrap_err();
    assert!(refused.to_string().contains("audit.jsonl"), "{refused}");
    let record = folder.stores.records.get(None, ID).await.unwrap().unwrap();
    assert_eq!(record.status, Status::Errored);
}
