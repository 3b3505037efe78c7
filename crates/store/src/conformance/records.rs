//! What every store of records must do.

use super::execution;
use crate::{RecordStore, StoreError};
use floodgate_records::audit::{Action, AuditEntry};
use floodgate_records::status::Status;
use floodgate_records::test::TestRecord;
use std::sync::Arc;

/// Everything that [`RecordStore`] promises.
///
/// # Panics
/// Where the store breaks a promise.
pub async fn records(store: Arc<dyn RecordStore>) {
    creates_and_updates(store.as_ref()).await;
    finds_and_lists(store.as_ref()).await;
    one_of_many_updates(store.clone()).await;
    keeps_an_audit_trail(store.as_ref()).await;
    knows_the_newest_test(store.as_ref()).await;
    adds_up_what_was_spent(store).await;
}

async fn creates_and_updates(store: &dyn RecordStore) {
    let mut record = execution("shop", "checkout", "01JD0000000000000000000001");
    let unknown = store.update(&record, &[Status::Preparing]).await;
    assert!(
        matches!(unknown, Err(StoreError::NotFound { .. })),
        "{unknown:?}"
    );
    store.create(&record).await.expect("create");
    let again = store.create(&record).await;
    assert!(matches!(again, Err(StoreError::Exists { .. })), "{again:?}");
    assert_eq!(
        store.get(Some("shop"), &record.id).await.expect("get"),
        Some(record.clone())
    );
    record.status = Status::Running;
    store
        .update(&record, &[Status::Preparing])
        .await
        .expect("update");
    let late = store
        .update(
            &execution("shop", "checkout", &record.id),
            &[Status::Preparing, Status::Merging],
        )
        .await;
    let expected = vec![Status::Preparing, Status::Merging];
    let conflict = |id: &str, found: &Status, e: &Vec<Status>| {
        id == record.id && *found == Status::Running && *e == expected
    };
    assert!(
        matches!(&late, Err(StoreError::Conflict { id, found, expected }) if conflict(id, found, expected)),
        "{late:?}"
    );
    assert_eq!(
        store.get(None, &record.id).await.expect("get"),
        Some(record),
        "a conflict changes nothing"
    );
}

async fn finds_and_lists(store: &dyn RecordStore) {
    for (project, test, id) in [
        ("bank", "login", "01JE00000000000000000000AA"),
        ("bank", "pay", "01JE00000000000000000000AB"),
        ("bank", "login", "01JF00000000000000000000AC"),
    ] {
        store
            .create(&execution(project, test, id))
            .await
            .expect("create");
    }
    let get = async |project: Option<&str>, id: &str| {
        store
            .get(project, id)
            .await
            .map(|found| found.map(|e| e.id))
    };
    let last = Some("01JF00000000000000000000AC".to_owned());
    assert_eq!(get(None, "01JF00").await.expect("prefix"), last);
    assert_eq!(
        get(Some("bank"), "01jf000")
            .await
            .expect("prefix in small letters"),
        last
    );
    assert_eq!(
        get(Some("shop"), "01JF00")
            .await
            .expect("of another project"),
        None
    );
    assert_eq!(
        get(None, "01JF0").await.expect("too short to be sure"),
        None
    );
    assert_eq!(get(None, "01JZ0000").await.expect("unknown"), None);
    let ambiguous = get(None, "01JE0000").await;
    assert!(
        matches!(ambiguous, Err(StoreError::NotFound { ref what }) if what.contains("2 executions")),
        "{ambiguous:?}"
    );
    let bad = get(None, "../../x").await;
    assert!(matches!(bad, Err(StoreError::BadKey { .. })), "{bad:?}");

    let list = async |project: Option<&str>, test: Option<&str>, limit: usize| {
        let found = store.list(project, test, limit).await.expect("list");
        assert_eq!(found.damaged, Vec::<String>::new());
        found
            .runs
            .into_iter()
            .map(|e| e.id[24..].to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        list(Some("bank"), None, 10).await,
        ["AC", "AB", "AA"],
        "newest first"
    );
    assert_eq!(list(Some("bank"), None, 2).await, ["AC", "AB"]);
    assert_eq!(list(Some("bank"), Some("login"), 10).await, ["AC", "AA"]);
    assert_eq!(list(None, None, 10).await, ["AC", "AB", "AA", "01"]);
    assert_eq!(list(Some("none"), None, 10).await, Vec::<String>::new());
    let older = async |before: &str, limit: usize| {
        let found = store.list_before(Some("bank"), None, Some(before), limit);
        let runs = found.await.expect("list_before").runs;
        let ids = runs.into_iter().map(|e| e.id[24..].to_owned());
        ids.collect::<Vec<_>>()
    };
    assert_eq!(older("01JF00000000000000000000AC", 1).await, ["AB"]);
    assert_eq!(older("01JE00000000000000000000AB", 9).await, ["AA"]);
    assert_eq!(older("0", 9).await, Vec::<String>::new());
}

async fn one_of_many_updates(store: Arc<dyn RecordStore>) {
    let record = execution("race", "t", "01JG0000000000000000000000");
    store.create(&record).await.expect("create");
    let tries: Vec<_> = (0..16)
        .map(|i| {
            let (store, mut record) = (store.clone(), record.clone());
            record.status = Status::Running;
            record.warnings = vec![i.to_string()];
            tokio::spawn(async move {
                store
                    .update(&record, &[Status::Preparing])
                    .await
                    .map(|()| record)
            })
        })
        .collect();
    let mut winners = Vec::new();
    for task in tries {
        match task.await.expect("no panic") {
            Ok(record) => winners.push(record),
            Err(error) => assert!(matches!(error, StoreError::Conflict { .. }), "{error}"),
        }
    }
    assert_eq!(winners.len(), 1, "exactly one of 16 makes the change");
    assert_eq!(
        store.get(None, &record.id).await.expect("get"),
        winners.pop()
    );
}

async fn keeps_an_audit_trail(store: &dyn RecordStore) {
    assert_eq!(store.audit_trail("shop").await.expect("empty trail"), []);
    let entry = |i: i64| AuditEntry {
        principal_is: Default::default(),
        at_ms: i,
        principal: "ann\n\"x\"".to_owned(),
        action: Action::Start.into(),
        execution: "01JD0000000000000000000001".to_owned(),
        version: "v".to_owned(),
        outcome: "ok".to_owned(),
        ..AuditEntry::default()
    };
    for i in 0..3 {
        store.audit("shop", &entry(i)).await.expect("audit");
    }
    store.audit("bank", &entry(9)).await.expect("audit");
    assert_eq!(
        store.audit_trail("shop").await.expect("trail"),
        [entry(0), entry(1), entry(2)]
    );
    // Within one ms, in the order of writing.
    for execution in ["C", "A", "B"] {
        let entry = AuditEntry {
            principal_is: Default::default(),
            execution: execution.to_owned(),
            ..entry(7)
        };
        store.audit("many", &entry).await.expect("audit");
    }
    let trail = store.audit_trail("many").await.expect("trail");
    let order: Vec<_> = trail.iter().map(|e| e.execution.as_str()).collect();
    assert_eq!(order, ["C", "A", "B"]);
}

async fn knows_the_newest_test(store: &dyn RecordStore) {
    let record = |project: &str, test: &str, version: &str, created_ms: i64| TestRecord {
        project: project.to_owned(),
        test: test.to_owned(),
        version: version.repeat(64),
        created_ms,
        files: vec!["definition.yaml".to_owned(), "data/users.csv".to_owned()],
        git_revision: Some("4994569".to_owned()),
    };
    let latest = async |project: &str, test: &str| {
        store
            .latest_test(project, test)
            .await
            .expect("latest version")
    };
    assert_eq!(latest("shop", "pay").await, None);
    let (old, new) = (
        record("shop", "pay", "a", 10),
        record("shop", "pay", "b", 20),
    );
    for record in [
        &new,
        &old,
        &record("shop", "pay-later", "c", 30),
        &record("bank", "pay", "d", 40),
        // A retry.
        &new,
    ] {
        store.put_test(record).await.expect("put_test");
    }
    assert_eq!(
        latest("shop", "pay").await,
        Some(new),
        "of this test only, in whichever order they came"
    );
    let again = TestRecord {
        created_ms: 50,
        ..old
    };
    store.put_test(&again).await.expect("put_test");
    assert_eq!(
        latest("shop", "pay").await,
        Some(again),
        "what was recorded again is the newest again"
    );
    let bad = store.latest_test("shop", "pay#V").await;
    assert!(matches!(bad, Err(StoreError::BadKey { .. })), "{bad:?}");
}

async fn adds_up_what_was_spent(store: Arc<dyn RecordStore>) {
    let spent = async |project: &str, month: &str| {
        store.spend(project, month).await.expect("sum of the month")
    };
    assert_eq!(spent("shop", "202611").await.to_bits(), 0f64.to_bits());
    let tries: Vec<_> = (0..32)
        .map(|i| {
            let store = store.clone();
            // Every execution twice: a retry.
            let execution = format!("01JH00000000000000000000{:02}", i / 2);
            tokio::spawn(async move { store.add_spend("shop", "202611", &execution, 0.25).await })
        })
        .collect();
    for task in tries {
        task.await.expect("no panic").expect("add_spend");
    }
    // Sums of quarters are exact.
    assert_eq!(spent("shop", "202611").await.to_bits(), 4f64.to_bits());
    let id = "01JH0000000000000000000000";
    for (project, month, usd) in [
        ("shop", "202612", 8.0),
        ("bank", "202611", 16.0),
        ("shop", "202611", 0.75),
    ] {
        store
            .add_spend(project, month, id, usd)
            .await
            .expect("add_spend");
    }
    assert_eq!(
        spent("shop", "202611").await.to_bits(),
        4.5f64.to_bits(),
        "the actual cost replaces the estimate"
    );
    for (month, usd) in [
        ("202611", f64::NAN),
        ("202611", -1.0),
        ("202613", 1.0),
        ("../..", 1.0),
    ] {
        let bad = store.add_spend("shop", month, id, usd).await;
        assert!(bad.is_err(), "{month} {usd}");
    }
    assert_eq!(spent("shop", "202611").await.to_bits(), 4.5f64.to_bits());
}
