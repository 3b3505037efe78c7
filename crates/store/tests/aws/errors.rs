//! What errors of the services become. No emulator is needed: the answers are canned, as AWS documents them.

use crate::proxy::{Fault, Proxy, dynamodb_error, s3_error};
use crate::support::config;
use bytes::Bytes;
use floodgate_store::dynamodb::DynamoStore;
use floodgate_store::s3::S3Store;
use floodgate_store::{ObjectStore, RecordStore, StoreError};

async fn always(fault: Fault) -> (Proxy, S3Store, DynamoStore) {
    // Nobody listens there, and nothing is passed on.
    let proxy = Proxy::start("http://127.0.0.1:1").await;
    proxy.fail(fault, usize::MAX);
    let config = config(proxy.address()).await;
    let stores = (S3Store::new(&config, "b"), DynamoStore::new(&config, "t"));
    (proxy, stores.0, stores.1)
}

#[tokio::test]
async fn s3_errors_say_what_to_do() {
    for (status, code, text) in [
        (
            403,
            "AccessDenied",
            "denied: because (AccessDenied); allow the action",
        ),
        (
            403,
            "ExpiredToken",
            "denied: because (ExpiredToken); renew the credentials",
        ),
        (
            404,
            "NoSuchBucket",
            "refused: because (NoSuchBucket); the bucket does not exist: create it",
        ),
        (301, "PermanentRedirect", "correct FLOODGATE_BUCKET_REGION"),
        (403, "RequestTimeTooSkewed", "set this machine's clock"),
        (400, "InvalidRequest", "refused: because (InvalidRequest)"),
    ] {
        let (_proxy, store, _) = always(s3_error(status, code)).await;
        let error = store.put("a", Bytes::new()).await.unwrap_err();
        assert!(error.to_string().starts_with("write s3://b/a: "), "{error}");
        assert!(error.to_string().contains(text), "{error}");
        assert!(!error.is_temporary(), "{error}");
    }
}

#[tokio::test]
async fn what_time_may_cure_is_temporary() {
    let (proxy, store, _) = always(s3_error(503, "SlowDown")).await;
    let error = store.put("a", Bytes::new()).await.unwrap_err();
    assert!(matches!(error, StoreError::Throttled { .. }), "{error:?}");
    assert!(error.is_temporary());
    assert_eq!(proxy.met(), 5, "tries");
    let (_proxy, store, records) = always(Fault::Cut).await;
    let error = store.get("a").await.unwrap_err();
    assert!(
        matches!(error, StoreError::Unavailable { .. }) && error.is_temporary(),
        "{error:?}"
    );
    let error = records.list(None, None, 1).await.unwrap_err();
    assert!(error.is_temporary(), "{error:?}");
    let (_proxy, _, records) = always(dynamodb_error(400, "ThrottlingException")).await;
    let error = records.list(None, None, 1).await.unwrap_err();
    assert!(matches!(error, StoreError::Throttled { .. }), "{error:?}");
}

#[tokio::test]
async fn a_service_that_is_not_there_is_unavailable() {
    let config = config("http://127.0.0.1:1").await;
    let error = S3Store::new(&config, "b").list("a").await.unwrap_err();
    let StoreError::Unavailable { source, .. } = &error else {
        panic!("{error:?}")
    };
    assert!(source.to_string().contains("onnection refused"), "{error}");
    assert!(source.source().is_some(), "{error:?}");
}

#[tokio::test]
async fn dynamodb_errors_say_what_to_do() {
    for (code, text) in [
        (
            "AccessDeniedException",
            "list t/records: denied: because (AccessDeniedException); allow",
        ),
        ("UnrecognizedClientException", "renew the credentials"),
        (
            "ResourceNotFoundException",
            "correct its name (FLOODGATE_TABLE)",
        ),
        (
            "ValidationException",
            "refused: because (ValidationException)",
        ),
    ] {
        let (_proxy, _, store) = always(dynamodb_error(400, code)).await;
        let error = store.list(None, None, 1).await.unwrap_err();
        assert!(error.to_string().contains(text), "{error}");
        assert!(!error.is_temporary(), "{error}");
    }
}
