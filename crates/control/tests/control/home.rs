//! What tasks could only leave beside the store.

use crate::support::*;
use floodgate_control::{
    Closing, Finished, GivenUp, Home, bring_home, finish_late, finish_with, give_up,
};
use floodgate_records::manifest::TaskOutcome;
use floodgate_records::status::Status;
use floodgate_store::ObjectStore;
use floodgate_store::local::LocalStore;

/// Moves an object of the run from its store to another one.
async fn take_away(run: &Run<'_>, beside: &LocalStore, key: &str) {
    let store = &run.folder.stores.objects;
    let bytes = store.get(key).await.unwrap().unwrap();
    beside.put(key, bytes).await.unwrap();
    store.delete(key).await.unwrap();
}

async fn bring(run: &Run<'_>, beside: &LocalStore) -> Home {
    let objects = run.folder.stores.objects.as_ref();
    let plan = &run.prepared.plan;
    bring_home(beside, objects, plan, "/tmp/beside")
        .await
        .unwrap()
}

/// A run of two tasks, of which the second could write neither its second shard nor its manifest.
async fn cut_short<'a>(folder: &'a Folder, beside: &LocalStore) -> Run<'a> {
    let thresholds = definition(&[("http_reqs", "count==100")]);
    let mut run = folder.run(ID, thresholds, 2).await;
    run.start().await;
    run.complete(0, Load::GOOD).await;
    run.complete(1, Load::GOOD).await;
    for key in [run.keys.shard(1, 1), run.keys.manifest(1)] {
        take_away(&run, beside, &key).await;
    }
    run
}

fn beside() -> (tempfile::TempDir, LocalStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = LocalStore::open(folder.path()).unwrap();
    (folder, store)
}

#[tokio::test]
async fn what_comes_home_before_the_end_is_as_if_it_had_never_been_away() {
    let ((_spool, beside), folder) = (beside(), Folder::new());
    let run = cut_short(&folder, &beside).await;
    let home = bring(&run, &beside).await;
    assert_eq!((home.brought, home.left.len()), (2, 0));
    assert_eq!(beside.list("").await.unwrap(), []);
    let Finished { execution, .. } = run.finish(START + 11_000).await;
    assert_eq!(execution.status, Status::Passed, "{:?}", execution.reasons);
    assert!(execution.unwritten.is_empty());
    assert_eq!(bring(&run, &beside).await, Home::default());
}

#[tokio::test]
async fn nothing_in_the_store_is_replaced_by_what_lies_beside_it() {
    let ((_spool, beside), folder) = (beside(), Folder::new());
    let run = cut_short(&folder, &beside).await;
    let store = &folder.stores.objects;
    let (taken, same) = (run.keys.shard(1, 1), run.keys.shard(0, 0));
    store.put(&taken, "other".into()).await.unwrap();
    let bytes = store.get(&same).await.unwrap().unwrap();
    beside.put(&same, bytes).await.unwrap();
    // What no task leaves there is not looked at.
    beside.put(&run.keys.summary(), "{}".into()).await.unwrap();
    let home = bring(&run, &beside).await;
    assert_eq!(
        home.brought, 2,
        "the manifest, and the shard that is the same"
    );
    let problem = home.problem.unwrap();
    assert!(problem.contains(&taken), "{problem}");
    assert_eq!(store.get(&taken).await.unwrap().unwrap(), "other");
    assert!(beside.get(&taken).await.unwrap().is_some());
    assert!(store.get(&run.keys.summary()).await.unwrap().is_none());
}

#[tokio::test]
async fn what_stays_away_is_named_in_the_record_and_merged_later_and_the_verdict_stands() {
    let ((_spool, beside), folder) = (beside(), Folder::new());
    let run = cut_short(&folder, &beside).await;
    let store = &folder.stores.objects;
    // In the way of the shard, and not of the manifest.
    let blocked = run.keys.shard(1, 1);
    store.put(&blocked, "other".into()).await.unwrap();
    let left = bring(&run, &beside).await.left;
    assert_eq!((left[0].task, left[0].shards), (1, 1));
    store.delete(&blocked).await.unwrap();
    let closing = Closing {
        unwritten: &left,
        ..Closing::default()
    };
    let plan = &run.prepared.plan;
    let (stores, now) = (&folder.stores, START + 11_000);
    let finished = finish_with(stores, plan, &run.definition, &closing, now);
    let Finished { execution, .. } = finished.await.unwrap();
    assert_eq!(execution.status, Status::Inconclusive);
    assert_eq!(execution.unwritten, left);
    let sentence = left[0].sentence(ID);
    assert!(execution.warnings.contains(&sentence), "{execution:?}");
    assert!(execution.is_due());

    // Nobody else merges a run again.
    assert_eq!(run.finish(now).await.execution, execution);

    assert_eq!(bring(&run, &beside).await.brought, 1);
    let merged = finish_late(stores, plan, &run.definition, &[], now + 5_000);
    let Finished {
        execution: later,
        summary,
        ..
    } = merged.await.unwrap();
    assert_eq!(summary.metrics["http_reqs"].values["count"], 100.0);
    assert_eq!(summary.completeness.shards_merged, 4);
    assert_eq!(
        (later.status, summary.status),
        (execution.status, later.status)
    );
    assert_eq!(
        (&later.reasons, &summary.reasons),
        (&execution.reasons, &later.reasons)
    );
    assert_eq!(later.ended_ms, execution.ended_ms);
    assert!(!later.is_due() && !later.warnings.contains(&sentence));
    assert_eq!(summary.warnings, later.warnings);
    let stored = stores.records.get(None, ID).await.unwrap();
    assert_eq!(stored, Some(later));
}

#[tokio::test]
async fn a_run_that_was_given_up_is_merged_later_and_stays_errored() {
    let folder = Folder::new();
    let mut run = folder.run(ID, definition(&[]), 1).await;
    run.start().await;
    let by = "the coordinator gave up".to_owned();
    let shards = run.shards(0, Load::GOOD).await;
    let manifest = run.manifest(0, Load::GOOD, shards, TaskOutcome::Stopped { by });
    run.write_manifest(&manifest).await;
    let (stores, plan) = (&folder.stores, &run.prepared.plan);
    let given_up = GivenUp {
        why: "no room",
        unmerged: true,
        unwritten: &[],
    };
    let given_up = give_up(stores, &plan.project, ID, given_up, START + 20_000);
    assert!(given_up.await.unwrap().is_due());
    let merged = finish_late(stores, plan, &run.definition, &[], START + 30_000);
    let Finished {
        execution, summary, ..
    } = merged.await.unwrap();
    assert_eq!(summary.metrics["http_reqs"].values["count"], 50.0);
    assert_eq!(execution.status, Status::Errored);
    assert_eq!(execution.reasons, ["no room"]);
    assert_eq!(execution.ended_ms, Some(START + 20_000));
    assert!(!execution.is_due());
}
