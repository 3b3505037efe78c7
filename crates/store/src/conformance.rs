//! What every store must do, as tests that run on any of them: call the functions from a test with an empty store. They panic where
//! it falls short.

use crate::{ObjectStore, RecordStore, StoreError};
use bytes::Bytes;
use floodgate_core::execution::plan::PlannedLoad;
use floodgate_core::execution::record::{
    AuditEntry, Execution, Infrastructure, Status, TestRecord, Trigger,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A record to test with.
pub fn execution(project: &str, test: &str, id: &str) -> Execution {
    Execution {
        schema: Execution::SCHEMA,
        id: id.to_owned(),
        project: project.to_owned(),
        test: test.to_owned(),
        version: "0".repeat(64),
        engine: "http".to_owned(),
        target: None,
        trigger: Trigger::default(),
        created_ms: 1_700_000_000_000,
        started_ms: None,
        ended_ms: None,
        status: Status::Preparing,
        reasons: vec!["because of \"quotes\" and\nlines".to_owned()],
        infrastructure: Infrastructure::default(),
        planned: PlannedLoad::default(),
        applied: None,
        completeness: None,
        start_skew_us: None,
        thresholds: Vec::new(),
        stopped_by: None,
        warnings: Vec::new(),
        cost: None,
        parameters: BTreeMap::new(),
        run_arn: None,
    }
}

/// Everything that [`ObjectStore`] promises.
///
/// # Panics
/// Where the store breaks a promise.
pub async fn objects(store: Arc<dyn ObjectStore>) {
    reads_and_writes(store.as_ref()).await;
    lists(store.as_ref()).await;
    shows_changes(store.as_ref()).await;
    refuses_bad_keys(store.as_ref()).await;
    one_of_many_creates(store.clone()).await;
    never_shows_a_part(store).await;
}

async fn reads_and_writes(store: &dyn ObjectStore) {
    let key = "projects/shop/executions/A/plan.json";
    assert_eq!(store.get(key).await.expect("get of nothing"), None);
    store
        .delete(key)
        .await
        .expect("delete of nothing is no error");
    store
        .put(key, Bytes::from_static(b"one"))
        .await
        .expect("put");
    store
        .put(key, Bytes::from_static(b"two"))
        .await
        .expect("put replaces");
    assert_eq!(
        store.get(key).await.expect("get"),
        Some(Bytes::from_static(b"two"))
    );
    let again = store.put_new(key, Bytes::from_static(b"three")).await;
    assert!(
        matches!(again, Err(StoreError::Exists { key: ref k }) if k == key),
        "{again:?}"
    );
    assert_eq!(
        store.get(key).await.expect("get"),
        Some(Bytes::from_static(b"two")),
        "put_new changes nothing"
    );
    store.delete(key).await.expect("delete");
    assert_eq!(store.get(key).await.expect("get"), None);
    store
        .put_new(key, Bytes::new())
        .await
        .expect("put_new where nothing is, and an empty object");
    assert_eq!(store.get(key).await.expect("get"), Some(Bytes::new()));
    store.delete(key).await.expect("delete");
    let large: Bytes = (0..3u32 << 20)
        .map(|i| (i % 251) as u8)
        .collect::<Vec<_>>()
        .into();
    store.put(key, large.clone()).await.expect("put of 3 MiB");
    assert_eq!(store.get(key).await.expect("get of 3 MiB"), Some(large));
    store.delete(key).await.expect("delete");
}

async fn lists(store: &dyn ObjectStore) {
    let keys = ["l/a/10", "l/a/2", "l/a-b", "l/a/b/c", "l/ab", "l/z", "lx"];
    for key in keys {
        store
            .put(key, Bytes::copy_from_slice(key.as_bytes()))
            .await
            .expect("put");
    }
    for (prefix, expected) in [
        (
            "l/",
            &["l/a-b", "l/a/10", "l/a/2", "l/a/b/c", "l/ab", "l/z"][..],
        ),
        ("l/a", &["l/a-b", "l/a/10", "l/a/2", "l/a/b/c", "l/ab"]),
        ("l/a/", &["l/a/10", "l/a/2", "l/a/b/c"]),
        ("l/a/1", &["l/a/10"]),
        ("l/a/b/c", &["l/a/b/c"]),
        ("lx", &["lx"]),
        ("l/none/", &[]),
        ("l/z/below-an-object", &[]),
    ] {
        let found = store.list(prefix).await.expect("list");
        assert_eq!(
            found.iter().map(|o| o.key.as_str()).collect::<Vec<_>>(),
            expected,
            "prefix {prefix:?}"
        );
        assert!(
            found
                .iter()
                .all(|o| o.size == o.key.len() as u64 && o.modified_ms > 1_600_000_000_000)
        );
    }
    for key in keys {
        store.delete(key).await.expect("delete");
    }
    assert_eq!(store.list("l").await.expect("list"), []);
}

/// Two writes within the resolution of any clock are still told apart, and reading changes nothing.
async fn shows_changes(store: &dyn ObjectStore) {
    let key = "live/0000.parquet";
    let version = async || {
        let listed = store.list(key).await.expect("list");
        assert_eq!(listed.len(), 1, "{listed:?}");
        listed[0].version.clone()
    };
    let mut seen = Vec::new();
    for content in [&b"1"[..], b"2", b"3"] {
        store
            .put(key, Bytes::from_static(content))
            .await
            .expect("put");
        let now = version().await;
        assert!(!now.is_empty() && !seen.contains(&now), "{now} {seen:?}");
        store.get(key).await.expect("get");
        assert_eq!(version().await, now);
        seen.push(now);
    }
    store.delete(key).await.expect("delete");
}

async fn refuses_bad_keys(store: &dyn ObjectStore) {
    let long = "x".repeat(2_000);
    for key in [
        "",
        "/",
        "/etc/passwd",
        "a/../../b",
        "..",
        "a/./b",
        "a//b",
        "a/",
        ".hidden",
        "a\0b",
        "a\nb",
        "a\\b",
        &long,
    ] {
        for result in [
            store.put(key, Bytes::new()).await,
            store.put_new(key, Bytes::new()).await,
            store.get(key).await.map(drop),
            store.delete(key).await,
        ] {
            assert!(
                matches!(result, Err(StoreError::BadKey { .. })),
                "{key:?}: {result:?}"
            );
        }
    }
    for prefix in ["../", "/", "a/../", "a//"] {
        let result = store.list(prefix).await;
        assert!(
            matches!(result, Err(StoreError::BadKey { .. })),
            "{prefix:?}: {result:?}"
        );
    }
}

async fn one_of_many_creates(store: Arc<dyn ObjectStore>) {
    let key = "race/one";
    let tries: Vec<_> = (0..16u8)
        .map(|i| {
            let store = store.clone();
            tokio::spawn(async move { store.put_new(key, Bytes::from(vec![i])).await.map(|()| i) })
        })
        .collect();
    let mut winners = Vec::new();
    for task in tries {
        match task.await.expect("no panic") {
            Ok(i) => winners.push(i),
            Err(error) => assert!(matches!(error, StoreError::Exists { .. }), "{error}"),
        }
    }
    assert_eq!(winners.len(), 1, "exactly one of 16 creates the object");
    assert_eq!(
        store.get(key).await.expect("get"),
        Some(Bytes::from(winners))
    );
    store.delete(key).await.expect("delete");
}

async fn never_shows_a_part(store: Arc<dyn ObjectStore>) {
    let key = "race/whole";
    let writer = {
        let store = store.clone();
        tokio::spawn(async move {
            for i in 0..40u8 {
                store
                    .put(key, Bytes::from(vec![i; 200_000]))
                    .await
                    .expect("put");
            }
        })
    };
    while !writer.is_finished() {
        if let Some(bytes) = store.get(key).await.expect("get") {
            assert!(
                bytes.len() == 200_000 && bytes.iter().all(|b| *b == bytes[0]),
                "a reader sees one whole write"
            );
        }
        let listed = store.list("race/").await.expect("list");
        assert!(
            listed.iter().all(|o| o.key == key && o.size == 200_000),
            "{listed:?}"
        );
    }
    writer.await.expect("no panic");
    store.delete(key).await.expect("delete");
}

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
        found
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
        at_ms: i,
        principal: "ann\n\"x\"".to_owned(),
        action: "start".to_owned(),
        execution: "01JD0000000000000000000001".to_owned(),
        version: "v".to_owned(),
        outcome: "ok".to_owned(),
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
