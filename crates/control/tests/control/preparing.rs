use crate::support::*;
use floodgate_control::{ControlError, PlanOptions, Trail, abort, find};
use floodgate_records::status::Status;

#[tokio::test]
async fn a_prepared_run_has_a_record_a_plan_and_its_files() {
    let folder = Folder::new();
    let prepared = folder.prepare(ID, &definition(&[]), 2).await.unwrap();
    assert_eq!(prepared.execution.status, Status::Preparing);
    assert_eq!(
        folder.stores.records.get(None, ID).await.unwrap().as_ref(),
        Some(&prepared.execution)
    );
    let plan = floodgate_control::load_plan(&folder.stores, &prepared.execution)
        .await
        .unwrap();
    assert_eq!(plan, prepared.plan);
    assert_eq!(plan.load.iterations, Some(100));
    assert_eq!(plan.files, ["definition.json", "users.csv"]);
    let objects = folder.stores.objects.as_ref();
    for file in &plan.files {
        let key = floodgate_records::keys::definition_file("shop", "checkout", &plan.version, file);
        assert!(objects.get(&key).await.unwrap().is_some(), "{key}");
    }
    // 10 s of schedule, 30 s of graceful stop, a minute of reserve, 30 s to become ready.
    assert_eq!(plan.deadline_ms, NOW + 130_000);
    let trail = folder.stores.records.audit_trail("shop").await.unwrap();
    assert_eq!(
        (
            trail.len(),
            trail[0].action.as_str(),
            trail[0].principal.as_str()
        ),
        (1, "start", "ann")
    );
}

#[tokio::test]
async fn an_id_starts_one_run_only() {
    let folder = Folder::new();
    folder.prepare(ID, &definition(&[]), 1).await.unwrap();
    let second = folder.prepare(ID, &definition(&[]), 1).await;
    assert!(matches!(second, Err(ControlError::IdTaken { id }) if id == ID));
    assert_eq!(
        folder
            .stores
            .records
            .get(None, ID)
            .await
            .unwrap()
            .unwrap()
            .status,
        Status::Preparing
    );
    assert_eq!(
        folder
            .stores
            .records
            .audit_trail("shop")
            .await
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn a_run_that_cannot_be_prepared_is_errored() {
    let folder = Folder::new();
    let key = floodgate_records::keys::ExecutionKeys::new("shop", ID).plan();
    folder
        .stores
        .objects
        .put(&key, "left over".into())
        .await
        .unwrap();
    assert!(folder.prepare(ID, &definition(&[]), 1).await.is_err());
    let record = folder.stores.records.get(None, ID).await.unwrap().unwrap();
    assert_eq!(record.status, Status::Errored);
    assert!(
        record.reasons[0].contains("exists already"),
        "{:?}",
        record.reasons
    );
}

#[tokio::test]
async fn no_tasks_and_too_many_are_refused() {
    let folder = Folder::new();
    for tasks in [0, 10_000] {
        let prepared = folder.prepare(ID, &definition(&[]), tasks).await;
        assert!(matches!(prepared, Err(ControlError::Tasks { tasks: t }) if t == tasks));
    }
    assert!(folder.stores.records.get(None, ID).await.unwrap().is_none());
    assert_eq!(PlanOptions::local(3, None).regions.len(), 3);
}

#[tokio::test]
async fn a_run_is_found_by_its_beginning_and_a_misspelt_one_is_suggested() {
    let folder = Folder::new();
    folder.prepare(ID, &definition(&[]), 1).await.unwrap();
    assert_eq!(
        find(&folder.stores, &ID[..8].to_lowercase())
            .await
            .unwrap()
            .id,
        ID
    );
    let misspelt = format!("{}X", &ID[..25]);
    let error = find(&folder.stores, &misspelt)
        .await
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        format!("there is no execution {misspelt:?}; did you mean {ID}?")
    );
    let error = find(&folder.stores, "QQQQQQQQ")
        .await
        .unwrap_err()
        .to_string();
    assert!(error.ends_with("`floodgate runs` lists them"), "{error}");
}

#[tokio::test]
async fn an_abort_is_an_order_in_the_name_of_who_gave_it() {
    let folder = Folder::new();
    let mut run = folder.run(ID, definition(&[]), 1).await;
    run.start().await;
    abort(
        &folder.stores,
        None,
        &ID[..10],
        "bob",
        Trail::Here,
        START + 10,
    )
    .await
    .unwrap();
    let trail = folder.stores.records.audit_trail("shop").await.unwrap();
    assert_eq!(
        (trail[1].action.as_str(), trail[1].principal.as_str()),
        ("abort", "bob")
    );
    run.step(START + 20).await;
    run.complete(0, Load::GOOD).await;
    let finished = run.finish(START + 1_000).await;
    assert_eq!(finished.execution.status, Status::Aborted);
    assert_eq!(finished.execution.reasons, ["stopped by bob"]);
    assert!(matches!(
        abort(&folder.stores, Some("shop"), ID, "bob", Trail::Here, START).await,
        Err(ControlError::Ended { .. })
    ));
}
