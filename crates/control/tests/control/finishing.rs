use crate::support::*;
use floodgate_control::watch::Phase;
use floodgate_control::{
    Finished, GivenUp, buckets_key, finish, give_up, load_series, load_summary,
};
use floodgate_core::definition::model::{
    BaselineMethod, BaselineRef, BaselineSpec, ByIntervals, Definition,
};
use floodgate_records::execution::Execution;
use floodgate_records::keys::ExecutionKeys;
use floodgate_records::manifest::TaskOutcome;
use floodgate_records::metric::Tags;
use floodgate_records::outcome::Outcome;
use floodgate_records::status::Status;

/// A run of two tasks that ran to their end.
async fn complete_run(folder: &Folder, id: &str, definition: Definition, load: Load) -> Finished {
    let mut run = folder.run(id, definition, 2).await;
    run.start().await;
    run.complete(0, load).await;
    run.complete(1, load).await;
    assert_eq!(run.step(START + 10_000).await.phase, Phase::Ended);
    run.finish(START + 11_000).await
}

const THRESHOLDS: [(&str, &str); 2] = [
    ("http_req_duration", "p(95)<500"),
    ("http_reqs", "count==100"),
];

#[tokio::test]
async fn complete_data_within_the_thresholds_passes() {
    let folder = Folder::new();
    let Finished {
        execution, summary, ..
    } = complete_run(&folder, ID, definition(&THRESHOLDS), Load::GOOD).await;
    assert_eq!(execution.status, Status::Passed, "{:?}", execution.reasons);
    assert!(
        execution
            .thresholds
            .iter()
            .all(|t| t.outcome == Outcome::Passed)
    );
    let applied = execution.applied.clone().unwrap();
    assert_eq!(
        (applied.iterations, applied.http_reqs, applied.ratio),
        (100, 100, Some(1.0))
    );
    let completeness = execution.completeness.clone().unwrap();
    assert_eq!(
        (
            completeness.tasks_reported,
            completeness.shards_merged,
            completeness.missing_ratio()
        ),
        (2, 4, 0.0)
    );
    assert_eq!(execution.start_skew_us, Some(100));
    assert_eq!(execution.ended_ms, Some(START + 10_000));
    assert_eq!(summary.duration_s, 10.0);
    assert_eq!(summary.metrics["http_reqs"].values["rate"], 10.0);
    assert_eq!(
        folder.stores.records.get(None, ID).await.unwrap(),
        Some(execution)
    );
    assert_eq!(
        load_summary(&folder.stores, "shop", ID).await.unwrap(),
        Some(summary)
    );
    let trail = folder.stores.records.audit_trail("shop").await.unwrap();
    let actions: Vec<_> = trail
        .iter()
        .map(|e| (e.action.as_str(), e.outcome.as_str()))
        .collect();
    assert_eq!(actions, [("start", "started"), ("finish", "passed")]);
}

#[tokio::test]
async fn a_breach_fails() {
    let folder = Folder::new();
    let Finished { execution, .. } =
        complete_run(&folder, ID, definition(&THRESHOLDS), Load::SLOW).await;
    assert_eq!(execution.status, Status::Failed);
    assert_eq!(execution.thresholds[0].outcome, Outcome::Failed);
    let observed = execution.thresholds[0].observed.unwrap();
    assert!((observed - 900.0).abs() < 1.0, "{observed}");
}

#[tokio::test]
async fn a_threshold_without_data_is_inconclusive() {
    let folder = Folder::new();
    let definition = definition(&[("http_req_duration{name:nowhere}", "p(95)<500")]);
    let Finished { execution, .. } = complete_run(&folder, ID, definition, Load::GOOD).await;
    assert_eq!(execution.status, Status::Inconclusive);
    assert_eq!(execution.thresholds[0].outcome, Outcome::NoData);
}

#[tokio::test]
async fn less_load_than_planned_is_inconclusive() {
    let folder = Folder::new();
    let load = Load {
        per_s: 4,
        ..Load::GOOD
    };
    let Finished { execution, .. } = complete_run(&folder, ID, definition(&[]), load).await;
    assert_eq!(execution.status, Status::Inconclusive);
    assert_eq!(execution.applied.unwrap().ratio, Some(0.8));
}

#[tokio::test]
async fn a_lost_task_is_inconclusive_and_what_it_measured_counts() {
    let folder = Folder::new();
    let mut run = folder.run(ID, definition(&THRESHOLDS[..1]), 2).await;
    run.start().await;
    run.complete(0, Load::GOOD).await;
    run.shards(1, Load::GOOD).await;
    run.watch.task_exited(1, "was killed (signal 9)");
    run.step(START + 9_000).await;
    let Finished {
        execution, summary, ..
    } = run.finish(START + 10_000).await;
    assert_eq!(execution.status, Status::Inconclusive);
    assert_eq!(execution.completeness.unwrap().tasks_lost, [1]);
    assert!(
        execution
            .warnings
            .iter()
            .any(|w| w == "task 1 is lost: it was killed (signal 9)"),
        "{:?}",
        execution.warnings
    );
    assert_eq!(summary.metrics["http_reqs"].values["count"], 100.0);
}

#[tokio::test]
async fn a_damaged_shard_is_left_out_and_named() {
    let folder = Folder::new();
    let mut run = folder.run(ID, definition(&THRESHOLDS[..1]), 2).await;
    run.start().await;
    run.complete(0, Load::GOOD).await;
    run.complete(1, Load::GOOD).await;
    let key = run.keys.shard(1, 1);
    let mut bytes = folder
        .stores
        .objects
        .get(&key)
        .await
        .unwrap()
        .unwrap()
        .to_vec();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    run.put(&key, bytes).await;
    run.step(START + 10_000).await;
    let Finished {
        execution, summary, ..
    } = run.finish(START + 11_000).await;
    assert_eq!(execution.status, Status::Inconclusive);
    let excluded = execution.completeness.unwrap().shards_excluded;
    assert_eq!(
        (excluded.len(), excluded[0].task, excluded[0].seq),
        (1, 1, 1)
    );
    assert!(
        excluded[0].reason.contains("SHA-256"),
        "{}",
        excluded[0].reason
    );
    assert_eq!(summary.metrics["http_reqs"].values["count"], 75.0);
}

#[tokio::test]
async fn a_manifest_that_cannot_be_read_loses_its_task_but_not_its_shards() {
    let folder = Folder::new();
    let mut run = folder.run(ID, definition(&[]), 2).await;
    run.start().await;
    run.complete(0, Load::GOOD).await;
    run.shards(1, Load::GOOD).await;
    run.put(&run.keys.manifest(1), "{\"schema\": 1, ").await;
    assert_eq!(run.step(START + 10_000).await.phase, Phase::Ended);
    let Finished {
        execution, summary, ..
    } = run.finish(START + 11_000).await;
    assert_eq!(execution.status, Status::Inconclusive);
    assert!(
        execution
            .warnings
            .iter()
            .any(|w| w.starts_with("manifest of task 1:")),
        "{:?}",
        execution.warnings
    );
    assert_eq!(summary.metrics["http_reqs"].values["count"], 100.0);
}

#[tokio::test]
async fn a_shard_that_its_manifest_came_before_counts_when_it_is_there() {
    let folder = Folder::new();
    let mut run = folder.run(ID, definition(&[]), 1).await;
    run.start().await;
    // The manifest names two shards; at first the store shows one.
    let load = Load {
        per_s: 10,
        ..Load::GOOD
    };
    let shards = run.shards(0, load).await;
    let late = folder
        .stores
        .objects
        .get(&run.keys.shard(0, 1))
        .await
        .unwrap()
        .unwrap();
    folder
        .stores
        .objects
        .delete(&run.keys.shard(0, 1))
        .await
        .unwrap();
    run.write_manifest(&run.manifest(0, load, shards, TaskOutcome::Completed))
        .await;
    run.step(START + 10_000).await;
    run.put(&run.keys.shard(0, 1), late).await;
    let Finished {
        execution, summary, ..
    } = run.finish(START + 11_000).await;
    assert_eq!(execution.status, Status::Passed, "{:?}", execution.reasons);
    assert_eq!(summary.metrics["http_reqs"].values["count"], 100.0);
}

#[tokio::test]
async fn a_run_that_nothing_came_of_is_errored() {
    let folder = Folder::new();
    let mut run = folder.run(ID, definition(&THRESHOLDS), 1).await;
    run.watch
        .task_exited(0, "exited with code 97: no such file");
    run.step(NOW).await;
    assert_eq!(run.step(NOW + 100).await.phase, Phase::Ended);
    let Finished { execution, .. } = run.finish(NOW + 200).await;
    assert_eq!(execution.status, Status::Errored);
    assert!(
        execution
            .warnings
            .iter()
            .any(|w| w.contains("exited with code 97: no such file"))
    );
}

#[tokio::test]
async fn finishing_twice_gives_the_same_record() {
    let folder = Folder::new();
    let mut run = folder.run(ID, definition(&THRESHOLDS), 2).await;
    run.start().await;
    run.complete(0, Load::GOOD).await;
    run.complete(1, Load::GOOD).await;
    let first = run.finish(START + 11_000).await;
    // What comes after the verdict does not change it.
    run.complete(1, Load::SLOW).await;
    let second = run.finish(START + 99_000).await;
    assert_eq!(first, second);
    assert_eq!(
        folder
            .stores
            .records
            .audit_trail("shop")
            .await
            .unwrap()
            .len(),
        2
    );
}

#[tokio::test]
async fn a_finish_that_was_cut_off_can_be_repeated() {
    let folder = Folder::new();
    let mut run = folder.run(ID, definition(&THRESHOLDS), 2).await;
    run.start().await;
    run.complete(0, Load::GOOD).await;
    run.complete(1, Load::GOOD).await;
    let mut record = folder.stores.records.get(None, ID).await.unwrap().unwrap();
    record.status = Status::Merging;
    folder
        .stores
        .records
        .update(&record, &[Status::Running])
        .await
        .unwrap();
    run.put(&run.keys.merged(), "half of it").await;
    assert_eq!(
        run.finish(START + 11_000).await.execution.status,
        Status::Passed
    );
}

#[tokio::test]
async fn the_baseline_is_the_last_run_that_passed() {
    let folder = Folder::new();
    let mut compared = definition(&[]);
    compared.baseline = Some(BaselineSpec {
        compare: BaselineRef::LastPassed,
        method: BaselineMethod::Tolerance(0.1),
        metrics: vec!["http_req_duration p(95)".into()],
    });
    let first = complete_run(&folder, ID, compared.clone(), Load::GOOD).await;
    assert_eq!(
        first.execution.status,
        Status::Passed,
        "{:?}",
        first.execution.reasons
    );
    let second = complete_run(&folder, OTHER_ID, compared, Load::SLOW).await;
    assert_eq!(second.execution.status, Status::Failed);
    assert_eq!(
        second.summary.baseline.unwrap().execution.as_deref(),
        Some(ID)
    );
}

#[tokio::test]
async fn what_kept_a_run_from_being_carried_out_is_its_reason() {
    let folder = Folder::new();
    let mut run = folder.run(ID, definition(&[]), 1).await;
    run.start().await;
    let errors = ["the disk is full".to_owned()];
    let finished = finish(
        &folder.stores,
        &run.prepared.plan,
        &run.definition,
        &[],
        &errors,
        START,
    )
    .await
    .unwrap();
    assert_eq!(finished.execution.status, Status::Errored);
    assert_eq!(finished.execution.reasons, errors);
}

#[tokio::test]
async fn giving_up_ends_an_open_record_and_no_other() {
    let folder = Folder::new();
    let mut run = folder.run(ID, definition(&[]), 1).await;
    run.start().await;
    let plan = run.prepared.plan.clone();
    let given_up = give_up(
        &folder.stores,
        &plan.project,
        &plan.execution,
        GivenUp::for_good("no room"),
        START + 5_000,
    )
    .await
    .unwrap();
    assert_eq!(given_up.status, Status::Errored);
    assert_eq!(given_up.reasons, ["no room"]);
    assert_eq!(given_up.ended_ms, Some(START + 5_000));
    let again = give_up(
        &folder.stores,
        &plan.project,
        &plan.execution,
        GivenUp::for_good("something else"),
        START + 6_000,
    )
    .await;
    assert_eq!(again.unwrap(), given_up);
    let stored = folder.stores.records.get(None, ID).await.unwrap();
    assert_eq!(stored, Some(given_up));
}

/// The load has been sent: nothing that another run left may take this one's account with it.
#[tokio::test]
async fn damaged_accounts_of_other_runs_are_passed_over_and_named() {
    let folder = Folder::new();
    let [older, damaged, own] = [1, 2, 3].map(|n| format!("01JD7Q3W5Z8X9Y0A1B2C3D4E5{n}"));
    for id in [&older, &damaged] {
        complete_run(&folder, id, definition(&[]), Load::GOOD).await;
    }
    let summary = format!("projects/shop/executions/{damaged}/summary.json");
    folder
        .stores
        .objects
        .put(&summary, "{".into())
        .await
        .unwrap();
    let records = folder.store.root().join(".records/shop");
    std::fs::write(records.join("01JD7Q3W5Z8X9Y0A1B2C3D4E59.json"), "").unwrap();
    let mut compared = definition(&[]);
    compared.baseline = Some(BaselineSpec {
        compare: BaselineRef::LastPassed,
        metrics: vec!["http_reqs count".into()],
        method: BaselineMethod::Tolerance(0.1),
    });
    let mut run = folder.run(&own, compared, 1).await;
    std::fs::remove_file(records.join("audit.jsonl")).unwrap();
    std::fs::create_dir(records.join("audit.jsonl")).unwrap();
    run.start().await;
    run.complete(0, Load::GOOD).await;
    run.step(START + 10_000).await;
    let finished = run.finish(START + 11_000).await;
    assert_eq!(
        finished.summary.baseline.unwrap().execution.as_deref(),
        Some(older.as_str())
    );
    let warnings = &finished.execution.warnings;
    let said = warnings.iter().any(|w| w.contains(&damaged));
    assert!(said, "{warnings:?}");
    assert!(finished.execution.status.is_final());
    let unaudited = finished.unaudited.unwrap();
    assert!(unaudited.contains("audit.jsonl"), "{unaudited}");
}

#[tokio::test]
async fn a_run_that_is_to_be_compared_with_what_cannot_be_read_does_not_pass() {
    let folder = Folder::new();
    let [damaged, own, last, gone] = [1, 2, 3, 4].map(|n| format!("01JD7Q3W5Z8X9Y0A1B2C3D4E5{n}"));
    complete_run(&folder, &damaged, definition(&[]), Load::GOOD).await;
    let summary = format!("projects/shop/executions/{damaged}/summary.json");
    let objects = &folder.stores.objects;
    objects.put(&summary, "{".into()).await.unwrap();
    for (id, compare, named) in [
        (&own, BaselineRef::Execution(damaged.clone()), &damaged),
        (&last, BaselineRef::Execution(gone.clone()), &gone),
    ] {
        let mut compared = definition(&[]);
        compared.baseline = Some(BaselineSpec {
            compare,
            metrics: vec!["http_reqs count".into()],
            method: BaselineMethod::Tolerance(0.1),
        });
        let Finished { execution, .. } = complete_run(&folder, id, compared, Load::GOOD).await;
        assert_eq!(execution.status, Status::Inconclusive);
        assert!(
            execution.reasons[0].contains(named),
            "{:?}",
            execution.reasons
        );
    }
}

/// Ten seconds have no interval: what becomes of the run is what the definition says, and nothing else.
#[tokio::test]
async fn a_comparison_that_decides_nothing_is_judged_as_the_definition_has_it() {
    use floodgate_records::comparison::{Change, IfUndecided};
    let folder = Folder::new();
    let compared = |compare, undecided| {
        let mut definition = definition(&[]);
        definition.baseline = Some(BaselineSpec {
            compare,
            metrics: vec!["http_req_duration p(95)".into()],
            method: BaselineMethod::Compare(ByIntervals {
                undecided,
                ..ByIntervals::default()
            }),
        });
        definition
    };
    let ids = (1..=8).map(|n| format!("01JD7Q3W5Z8X9Y0A1B2C3D4E5{n}"));
    let mut ids = ids.collect::<Vec<_>>().into_iter();
    let mut run = async |compare, undecided| {
        let (id, definition) = (ids.next().unwrap(), compared(compare, undecided));
        complete_run(&folder, &id, definition, Load::GOOD).await
    };
    let first = run(BaselineRef::LastPassed, IfUndecided::Fail).await;
    assert_eq!(
        first.execution.status,
        Status::Passed,
        "{:?}",
        first.execution.reasons
    );
    assert_eq!(first.summary.comparison, None);
    let said = &first.execution.warnings;
    assert!(
        said.iter().any(|w| w.contains("no earlier run")),
        "{said:?}"
    );

    for (undecided, status) in [
        (IfUndecided::Fail, Status::Failed),
        (IfUndecided::Inconclusive, Status::Inconclusive),
        (IfUndecided::Pass, Status::Passed),
    ] {
        let ended = run(BaselineRef::LastPassed, undecided).await;
        assert_eq!(
            ended.execution.status, status,
            "{:?}",
            ended.execution.reasons
        );
        let found = ended.summary.comparison.unwrap();
        assert_eq!(found.outcome, Change::Undecided);
        assert_eq!(found.base.execution, first.execution.id);
        assert_eq!(found.head.status, status);
        assert_eq!(ended.execution.comparison, Some(found));
        let told = [ended.execution.reasons, ended.execution.warnings].concat();
        assert!(
            told.iter().any(|w| w.contains("too few windows")),
            "{told:?}"
        );
    }

    // One that is named has to be there, and to be of the same kind.
    let gone = BaselineRef::Execution("01JD7Q3W5Z8X9Y0A1B2C3D4E5Z".into());
    for (compare, word) in [
        (gone, "has it been deleted"),
        (BaselineRef::Pinned, "no run of shop/checkout is pinned"),
    ] {
        let ended = run(compare, IfUndecided::Pass).await.execution;
        assert_eq!(ended.status, Status::Inconclusive);
        assert!(ended.reasons[0].contains(word), "{:?}", ended.reasons);
    }
}

/// Where the table of a run lies, and its record.
async fn table_of(folder: &Folder, id: &str) -> (String, Execution) {
    let run = folder.stores.records.get(None, id).await.unwrap().unwrap();
    (buckets_key(&run), run)
}

#[tokio::test]
async fn what_a_run_measured_lies_as_a_table_beside_its_series() {
    let folder = Folder::new();
    let finished = complete_run(&folder, ID, definition(&THRESHOLDS), Load::GOOD).await;
    let (key, run) = table_of(&folder, ID).await;
    assert_eq!(
        key,
        format!("projects/shop/buckets/checkout/2023-11-14/{ID}.parquet")
    );
    let all = load_series(&folder.stores, &run, &[])
        .await
        .unwrap()
        .unwrap();
    let duration = all.sum_of("http_req_duration", &Tags::new()).unwrap();
    assert_eq!(duration.count, 100);
    let p95 = duration.histogram.unwrap().quantile(0.95) as f64 / 1e3;
    let summary = &finished.summary.metrics["http_req_duration"].values;
    assert_eq!(p95, summary["p(95)"]);
    // Of some metrics only those.
    let some = load_series(&folder.stores, &run, &["http_reqs"]).await;
    assert_eq!(some.unwrap().unwrap().0.len(), 1);

    // Without a table that can be read, as for runs of earlier versions, the merged series has the same.
    let objects = &folder.stores.objects;
    objects.put(&key, "damaged".into()).await.unwrap();
    let merged = load_series(&folder.stores, &run, &[])
        .await
        .unwrap()
        .unwrap();
    objects.delete(&key).await.unwrap();
    let without = load_series(&folder.stores, &run, &[])
        .await
        .unwrap()
        .unwrap();
    assert_eq!(merged, without);
    for (key, all) in &all.0 {
        let other = &merged.0[key];
        assert_eq!((all.count, all.sum), (other.count, other.sum), "{key}");
        assert_eq!(all.histogram, other.histogram, "{key}");
    }
    objects
        .delete(&ExecutionKeys::new("shop", ID).merged())
        .await
        .unwrap();
    let nothing = load_series(&folder.stores, &run, &[]).await.unwrap();
    assert_eq!(nothing, None);
}

#[tokio::test]
async fn a_table_that_cannot_be_written_is_a_warning() {
    let folder = Folder::new();
    let mut run = folder.run(ID, definition(&THRESHOLDS), 2).await;
    // Nothing can lie below a file.
    let (key, _) = table_of(&folder, ID).await;
    let (day, _) = key.rsplit_once('/').unwrap();
    run.put(day, "in the way").await;
    run.start().await;
    run.complete(0, Load::GOOD).await;
    run.complete(1, Load::GOOD).await;
    run.step(START + 10_000).await;
    let Finished {
        execution, summary, ..
    } = run.finish(START + 11_000).await;
    assert_eq!(execution.status, Status::Passed, "{:?}", execution.reasons);
    let [warning] = &execution.warnings[..] else {
        panic!("{:?}", execution.warnings)
    };
    assert!(
        warning.contains("SQL over runs lacks this one"),
        "{warning}"
    );
    assert_eq!(summary.warnings, execution.warnings);
    let series = load_series(&folder.stores, &execution, &["http_reqs"]).await;
    assert_eq!(series.unwrap().unwrap().0.len(), 1);
}
