//! What every store must do, and what is particular to these.

use crate::support::{bucket, config, endpoint, table};
use bytes::Bytes;
use floodgate_records::status::Status;
use floodgate_store::conformance::{self, execution};
use floodgate_store::dynamodb::DynamoStore;
use floodgate_store::s3::S3Store;
use floodgate_store::{ObjectStore, RecordStore, StoreError};
use std::sync::Arc;

#[tokio::test]
async fn s3_conforms() {
    let Some(endpoint) = endpoint("s3_conforms") else {
        return;
    };
    conformance::objects(Arc::new(bucket(&endpoint).await)).await;
}

#[tokio::test]
async fn dynamodb_conforms() {
    let Some(endpoint) = endpoint("dynamodb_conforms") else {
        return;
    };
    conformance::records(Arc::new(table(&endpoint).await)).await;
}

#[tokio::test]
async fn lists_of_objects_have_no_end_at_a_page() {
    let Some(endpoint) = endpoint("lists_of_objects_have_no_end_at_a_page") else {
        return;
    };
    let store = bucket(&endpoint).await;
    let keys: Vec<_> = (0..1_100).map(|i| format!("many/{i:04}")).collect();
    for chunk in keys.chunks(50) {
        let writes: Vec<_> = chunk
            .iter()
            .map(|key| {
                let (store, key) = (store.clone(), key.clone());
                tokio::spawn(async move { store.put(&key, Bytes::from_static(b"x")).await })
            })
            .collect();
        for write in writes {
            write.await.unwrap().unwrap();
        }
    }
    let listed = store.list("many/").await.unwrap();
    assert!(listed.iter().map(|info| &info.key).eq(&keys));
}

#[tokio::test]
async fn what_does_not_exist_is_named_with_a_remedy() {
    let Some(endpoint) = endpoint("what_does_not_exist_is_named_with_a_remedy") else {
        return;
    };
    let config = config(&endpoint).await;
    let objects = S3Store::new(&config, "floodgate-no-such-bucket");
    for error in [
        objects.get("a").await.unwrap_err(),
        objects.put("a", Bytes::new()).await.unwrap_err(),
        objects.list("a").await.unwrap_err(),
    ] {
        let StoreError::Refused {
            key, code, remedy, ..
        } = &error
        else {
            panic!("{error:?}")
        };
        assert_eq!(
            (key.as_str(), code.as_str()),
            ("s3://floodgate-no-such-bucket/a", "NoSuchBucket")
        );
        assert!(remedy.contains("FLOODGATE_BUCKET"), "{error}");
        assert!(!error.is_temporary());
    }
    let records = DynamoStore::new(&config, "floodgate-no-such-table");
    let error = records.list(None, None, 1).await.unwrap_err();
    assert!(
        error.to_string().contains("ResourceNotFoundException"),
        "{error}"
    );
    assert!(error.to_string().contains("FLOODGATE_TABLE"), "{error}");
}

#[tokio::test]
async fn large_records_are_compressed_and_larger_ones_refused() {
    let Some(endpoint) = endpoint("large_records_are_compressed_and_larger_ones_refused") else {
        return;
    };
    let store = table(&endpoint).await;
    let mut record = execution("p", "t", "01JD0000000000000000000001");
    store.create(&record).await.unwrap();
    record.status = Status::Running;
    // 600 KB of text of which no two warnings are alike.
    record.warnings = (0..10_000)
        .map(|i| {
            format!(
                "task {i} used {:016x} of its CPUs: give it more of them",
                i * 7919
            )
        })
        .collect();
    store.update(&record, &[Status::Preparing]).await.unwrap();
    assert_eq!(
        store.get(Some("p"), &record.id).await.unwrap(),
        Some(record.clone())
    );
    assert_eq!(
        store.list(None, None, 1).await.unwrap().runs,
        [record.clone()]
    );
    let conflict = store.update(&record, &[Status::Merging]).await;
    assert!(
        matches!(
            conflict,
            Err(StoreError::Conflict {
                found: Status::Running,
                ..
            })
        ),
        "the state of a compressed record is read"
    );
    let before = record.clone();
    record.warnings = (0..60_000)
        .map(|_| format!("{:032x}", fastrand::u128(..)))
        .collect();
    let error = store.update(&record, &[Status::Running]).await.unwrap_err();
    assert!(
        matches!(error, StoreError::TooLarge { limit: 380_000, .. }),
        "{error}"
    );
    assert_eq!(
        store.get(Some("p"), &record.id).await.unwrap(),
        Some(before)
    );
}

#[tokio::test]
async fn records_are_listed_over_pages_and_found_in_all_projects() {
    let Some(endpoint) = endpoint("records_are_listed_over_pages_and_found_in_all_projects") else {
        return;
    };
    let store = table(&endpoint).await;
    for i in 0..230 {
        let project = ["shop", "bank"][i % 2];
        let test = ["login", "pay", "search"][i % 3];
        let id = format!("01JD{i:03}0000000000000000000");
        store.create(&execution(project, test, &id)).await.unwrap();
    }
    let ids = async |project: Option<&str>, test: Option<&str>, limit: usize| {
        let found = store.list(project, test, limit).await.unwrap().runs;
        found
            .iter()
            .map(|e| e.id[4..7].parse::<usize>().unwrap())
            .collect::<Vec<_>>()
    };
    let newest = |keep: fn(usize) -> bool, limit: usize| {
        (0..230)
            .rev()
            .filter(|&i| keep(i))
            .take(limit)
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(None, None, 230).await, newest(|_| true, 230));
    assert_eq!(ids(None, None, 215).await, newest(|_| true, 215));
    assert_eq!(
        ids(Some("shop"), None, 1_000).await,
        newest(|i| i % 2 == 0, 1_000)
    );
    assert_eq!(
        ids(Some("bank"), Some("pay"), 20).await,
        newest(|i| i % 6 == 1, 20)
    );
    assert_eq!(ids(None, Some("pay"), 70).await, newest(|i| i % 3 == 1, 70));
    assert_eq!(ids(None, None, 0).await, Vec::<usize>::new());
    let found = store.get(None, "01jd017").await.unwrap().unwrap();
    assert_eq!(found.project, "bank");
    let error = store
        .get(Some("shop"), "01JD00")
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("5 executions start with"), "{error}");
}

#[tokio::test]
async fn names_that_would_reach_other_items_are_refused() {
    let Some(endpoint) = endpoint("names_that_would_reach_other_items_are_refused") else {
        return;
    };
    let store = table(&endpoint).await;
    for (project, test) in [
        ("shop#x", "t"),
        ("shop", "t#V#x"),
        ("", "t"),
        ("shop", "a/b"),
    ] {
        let record = execution(project, test, "01JD0000000000000000000001");
        for result in [
            store.create(&record).await,
            store.update(&record, &[Status::Preparing]).await,
            store.list(Some(project), Some(test), 1).await.map(drop),
        ] {
            assert!(
                matches!(result, Err(StoreError::BadKey { .. })),
                "{result:?}"
            );
        }
    }
}
