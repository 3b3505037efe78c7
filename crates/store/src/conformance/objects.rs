//! What every store of objects must do.

use crate::{ObjectStore, StoreError};
use bytes::Bytes;
use std::sync::Arc;

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
        .expect("delete of nothing is not an error");
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
