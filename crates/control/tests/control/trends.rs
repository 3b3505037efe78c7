//! Trends of numbers that no summary has, and what is read for them.

use crate::support::*;
use async_trait::async_trait;
use bytes::Bytes;
use floodgate_control::{Stores, buckets_key, trend};
use floodgate_core::baseline::BaselineMetric;
use floodgate_core::drift::Sensitivity;
use floodgate_records::keys::ExecutionKeys;
use floodgate_records::trend::Trend;
use floodgate_store::local::LocalStore;
use floodgate_store::{ObjectInfo, ObjectStore};
use std::sync::{Arc, Mutex};

/// Notes which objects are read.
struct Watched {
    inner: Arc<LocalStore>,
    read: Mutex<Vec<String>>,
}

#[async_trait]
impl ObjectStore for Watched {
    async fn put(&self, key: &str, data: Bytes) -> floodgate_store::Result<()> {
        self.inner.put(key, data).await
    }

    async fn put_new(&self, key: &str, data: Bytes) -> floodgate_store::Result<()> {
        self.inner.put_new(key, data).await
    }

    async fn get(&self, key: &str) -> floodgate_store::Result<Option<Bytes>> {
        self.read.lock().unwrap().push(key.to_owned());
        self.inner.get(key).await
    }

    async fn list(&self, prefix: &str) -> floodgate_store::Result<Vec<ObjectInfo>> {
        self.inner.list(prefix).await
    }

    async fn delete(&self, key: &str) -> floodgate_store::Result<()> {
        self.inner.delete(key).await
    }
}

async fn asked(folder: &Folder, metrics: &[&str]) -> (Trend, Vec<String>) {
    let watched = Arc::new(Watched {
        inner: folder.store.clone(),
        read: Mutex::default(),
    });
    let stores = Stores {
        objects: watched.clone(),
        records: folder.store.clone(),
    };
    let metrics: Vec<_> = metrics
        .iter()
        .map(|text| BaselineMetric::parse(text).unwrap())
        .collect();
    let sensitivity = Sensitivity::default();
    let found = trend(&stores, "shop", "checkout", 10, |_| metrics, &sensitivity).await;
    let read = watched.read.lock().unwrap().clone();
    (found.unwrap(), read)
}

#[tokio::test]
async fn a_number_of_any_series_is_read_from_one_object_a_run() {
    let folder = Folder::new();
    let mut tables = Vec::new();
    for (id, load) in [(ID, Load::GOOD), (OTHER_ID, Load::SLOW)] {
        let mut run = folder.run(id, definition(&[]), 1).await;
        run.start().await;
        run.complete(0, Load { per_s: 10, ..load }).await;
        run.step(START + 10_000).await;
        tables.push(buckets_key(&run.finish(START + 11_000).await.execution));
    }
    let of_summary = "http_req_duration p(95)";
    let of_table = "http_req_duration{name:/} p(97.5)";
    let (found, read) = asked(&folder, &[of_summary]).await;
    assert_eq!(found.metrics[0].values.len(), 2, "{found:#?}");
    assert!(
        read.iter().all(|key| key.ends_with("summary.json")),
        "{read:?}"
    );

    let (found, mut read) = asked(&folder, &[of_summary, of_table]).await;
    read.retain(|key| !key.ends_with("summary.json"));
    assert_eq!(read, tables, "one object a run, and no merged series");
    let values: Vec<_> = found.metrics[1].values.iter().flatten().collect();
    assert_eq!(values.len(), 2, "{found:#?}");
    assert!((values[0] - 20.0).abs() < 0.1 && (values[1] - 900.0).abs() < 1.0);
    assert_eq!(found.notes, Vec::<String>::new());

    // A counter that nothing was added to is known to be zero, where anything was measured; a tag that no series has is named.
    let (found, _) = asked(
        &folder,
        &["dropped_iterations count", "http_reqs{name:x} count"],
    )
    .await;
    assert_eq!(found.metrics[0].values, [Some(0.0); 2]);
    let [note] = &found.notes[..] else {
        panic!("{:?}", found.notes)
    };
    assert!(
        note.starts_with(&format!("2 runs from {ID} on: http_reqs{{name:x}} count: ")),
        "{note}"
    );

    // A run without either is told, and the others are there.
    let objects = &folder.store;
    objects.delete(&tables[0]).await.unwrap();
    let merged = ExecutionKeys::new("shop", ID).merged();
    objects.delete(&merged).await.unwrap();
    let (found, read) = asked(&folder, &[of_table]).await;
    assert!(read.contains(&merged), "{read:?}");
    assert!(found.metrics[0].values[0].is_none() && found.metrics[0].values[1].is_some());
    assert!(found.notes[0].contains("is not here"), "{:?}", found.notes);
}
