//! A service that fails for a while, and answers that get lost.

use crate::proxy::{Fault, Proxy, dynamodb_error, s3_error};
use crate::support::{bucket, config, endpoint, table};
use bytes::Bytes;
use floodgate_records::status::Status;
use floodgate_store::conformance::execution;
use floodgate_store::dynamodb::DynamoStore;
use floodgate_store::s3::S3Store;
use floodgate_store::{ObjectStore, RecordStore, StoreError};

/// A bucket, seen through a proxy.
async fn bucket_behind_proxy(endpoint: &str) -> (Proxy, S3Store) {
    let direct = bucket(endpoint).await;
    let proxy = Proxy::start(endpoint).await;
    let store = S3Store::new(&config(proxy.address()).await, direct.bucket());
    (proxy, store)
}

#[tokio::test]
async fn s3_is_asked_again_after_a_fault() {
    let Some(endpoint) = endpoint("s3_is_asked_again_after_a_fault") else {
        return;
    };
    let (proxy, store) = bucket_behind_proxy(&endpoint).await;
    for fault in [
        s3_error(503, "SlowDown"),
        s3_error(500, "InternalError"),
        Fault::Cut,
    ] {
        proxy.fail(fault.clone(), 2);
        store.put("a/b", Bytes::from_static(b"1")).await.unwrap();
        assert_eq!(proxy.met(), 2, "{fault:?}");
        proxy.fail(fault, 2);
        assert_eq!(store.get("a/b").await.unwrap().unwrap(), "1");
        assert_eq!(store.list("a").await.unwrap().len(), 1);
        assert_eq!(proxy.met(), 2);
        proxy.fail(Fault::None, 0);
        store.delete("a/b").await.unwrap();
    }
}

#[tokio::test]
async fn a_writer_whose_answer_is_lost_knows_its_own_object() {
    let Some(endpoint) = endpoint("a_writer_whose_answer_is_lost_knows_its_own_object") else {
        return;
    };
    let (proxy, store) = bucket_behind_proxy(&endpoint).await;
    proxy.fail(Fault::LostAnswer, 1);
    store
        .put_new("a", Bytes::from_static(b"same"))
        .await
        .unwrap();
    assert_eq!(proxy.met(), 1);
    let again = store.put_new("a", Bytes::from_static(b"same")).await;
    assert!(matches!(again, Err(StoreError::Exists { .. })), "{again:?}");
    // Two conditional writes that meet: S3 asks one of them to try again.
    proxy.fail(s3_error(409, "ConditionalRequestConflict"), 2);
    store.put_new("b", Bytes::new()).await.unwrap();
    assert_eq!(proxy.met(), 2);
}

#[tokio::test]
async fn a_writer_whose_answer_is_lost_knows_its_own_record() {
    let Some(endpoint) = endpoint("a_writer_whose_answer_is_lost_knows_its_own_record") else {
        return;
    };
    let direct = table(&endpoint).await;
    let proxy = Proxy::start(&endpoint).await;
    let store = DynamoStore::new(&config(proxy.address()).await, direct.table());
    let mut record = execution("p", "t", "01JD0000000000000000000001");
    proxy.fail(Fault::LostAnswer, 1);
    store.create(&record).await.unwrap();
    assert_eq!(proxy.met(), 1);
    let again = store.create(&record).await;
    assert!(matches!(again, Err(StoreError::Exists { .. })), "{again:?}");
    record.status = Status::Running;
    proxy.fail(Fault::LostAnswer, 1);
    store.update(&record, &[Status::Preparing]).await.unwrap();
    assert_eq!(proxy.met(), 1);
    let again = store.update(&record, &[Status::Preparing]).await;
    assert!(
        matches!(again, Err(StoreError::Conflict { .. })),
        "{again:?}"
    );
    proxy.fail(
        dynamodb_error(400, "ProvisionedThroughputExceededException"),
        2,
    );
    assert_eq!(
        store.get(Some("p"), &record.id).await.unwrap(),
        Some(record)
    );
    assert_eq!(proxy.met(), 2);
}
