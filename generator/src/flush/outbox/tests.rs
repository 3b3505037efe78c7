use super::*;
use floodgate_store::ObjectInfo;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// Objects in memory, behind a door.
#[derive(Default)]
struct Door {
    closed: AtomicBool,
    writes: AtomicU32,
    objects: Mutex<BTreeMap<String, Bytes>>,
}

#[async_trait::async_trait]
impl ObjectStore for Door {
    async fn put(&self, key: &str, data: Bytes) -> Result<(), StoreError> {
        if self.closed.load(Ordering::SeqCst) {
            let source = std::io::Error::other("the door is closed");
            return Err(StoreError::Io {
                operation: "write",
                key: key.to_owned(),
                source,
            });
        }
        self.writes.fetch_add(1, Ordering::SeqCst);
        self.objects.lock().unwrap().insert(key.to_owned(), data);
        Ok(())
    }
    async fn put_new(&self, key: &str, data: Bytes) -> Result<(), StoreError> {
        self.put(key, data).await
    }
    async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        Ok(self.objects.lock().unwrap().get(key).cloned())
    }
    async fn list(&self, _prefix: &str) -> Result<Vec<ObjectInfo>, StoreError> {
        Ok(Vec::new())
    }
    async fn delete(&self, _key: &str) -> Result<(), StoreError> {
        Ok(())
    }
}

fn keys() -> ExecutionKeys {
    ExecutionKeys::new("p", "x")
}

fn shard(seq: u32) -> (ShardEntry, Bytes) {
    let bytes = Bytes::from(vec![b'a' + u8::try_from(seq).unwrap(); 100]);
    let entry = ShardEntry {
        seq,
        rows: 1,
        bytes: 100,
        sha256: String::new(),
    };
    (entry, bytes)
}

fn environment(spool: &Path, patience: Duration) -> TaskEnvironment {
    TaskEnvironment {
        patience,
        spool_bytes: 250,
        spool: spool.to_owned(),
        ..TaskEnvironment::default()
    }
}

fn files(folder: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    let paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths
        .iter()
        .map(|path| if path.is_dir() { files(path) } else { 1 })
        .sum()
}

fn block_on<F: Future>(body: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(body)
}

#[test]
fn what_is_too_much_for_memory_waits_in_files_and_arrives_in_order() {
    let spool = tempfile::tempdir().unwrap();
    let store = Arc::new(Door::default());
    store.closed.store(true, Ordering::SeqCst);
    let delivered = block_on(async {
        let environment = environment(spool.path(), Duration::from_secs(60));
        let (outbox, delivery) = outbox(store.clone(), keys(), 0, environment);
        let delivering = tokio::spawn(delivery.run());
        for (entry, bytes) in (0..6).map(shard) {
            outbox.shard(entry, bytes);
        }
        while files(spool.path()) < 4 {
            sleep(Duration::from_millis(1)).await;
        }
        store.closed.store(false, Ordering::SeqCst);
        drop(outbox);
        delivering.await.unwrap()
    });
    assert_eq!(delivered.lost, None);
    let seqs: Vec<_> = delivered.shards.iter().map(|shard| shard.seq).collect();
    assert_eq!(seqs, [0, 1, 2, 3, 4, 5]);
    let objects = store.objects.lock().unwrap();
    for (entry, bytes) in (0..6).map(shard) {
        assert_eq!(objects[&keys().shard(0, entry.seq)], bytes);
    }
    assert_eq!(files(spool.path()), 0);
    assert_eq!(delivered.warnings.len(), 1, "{:?}", delivered.warnings);
}

#[test]
fn patience_ends_and_what_is_left_is_named_and_kept() {
    let spool = tempfile::tempdir().unwrap();
    let store = Arc::new(Door::default());
    store.closed.store(true, Ordering::SeqCst);
    let delivered = block_on(async {
        let environment = environment(spool.path(), Duration::from_millis(30));
        let (outbox, delivery) = outbox(store.clone(), keys(), 0, environment);
        for (entry, bytes) in (0..4).map(shard) {
            outbox.shard(entry, bytes);
        }
        drop(outbox);
        delivery.run().await
    });
    let lost = delivered.lost.unwrap();
    for part in [
        "4 shards of 400 bytes",
        "000000.parquet",
        "000003.parquet",
        "the door is closed",
    ] {
        assert!(lost.contains(part), "{lost}");
    }
    assert!(delivered.shards.is_empty());
    for (entry, bytes) in (0..4).map(shard) {
        let path = spool.path().join(keys().shard(0, entry.seq));
        assert_eq!(std::fs::read(path).unwrap(), bytes);
    }
    assert_eq!(delivered.unwritten, None, "nobody will look for them there");
}

#[test]
fn what_is_left_where_somebody_will_look_for_it_is_in_the_account() {
    let spool = tempfile::tempdir().unwrap();
    let store = Arc::new(Door::default());
    let delivered = block_on(async {
        let environment = TaskEnvironment {
            spool_stays: true,
            ..environment(spool.path(), Duration::from_millis(30))
        };
        let (outbox, delivery) = outbox(store.clone(), keys(), 0, environment);
        let (entry, bytes) = shard(0);
        outbox.shard(entry, bytes);
        let delivery = tokio::spawn(delivery.run());
        while store.objects.lock().unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        store.closed.store(true, Ordering::SeqCst);
        for (entry, bytes) in (1..3).map(shard) {
            outbox.shard(entry, bytes);
        }
        outbox.failures(Bytes::from_static(b"{}"));
        drop(outbox);
        delivery.await.unwrap()
    });
    assert_eq!(delivered.lost, None);
    let named: Vec<u32> = delivered.shards.iter().map(|entry| entry.seq).collect();
    assert_eq!(named, [0, 1, 2]);
    let left = delivered.unwritten.unwrap();
    assert_eq!((left.task, left.shards, left.bytes), (0, 2, 200));
    assert_eq!(files(std::path::Path::new(&left.folder)), 2);
    let said = delivered.warnings.last().unwrap();
    assert!(said.contains(&left.folder), "{said}");
    assert_eq!(files(spool.path()), 3, "and the samples of failures");
}

#[test]
fn shards_that_can_be_left_nowhere_are_lost() {
    let place = tempfile::NamedTempFile::new().unwrap();
    let store = Arc::new(Door::default());
    store.closed.store(true, Ordering::SeqCst);
    let delivered = block_on(async {
        let environment = TaskEnvironment {
            spool_stays: true,
            ..environment(place.path(), Duration::from_millis(30))
        };
        let (outbox, delivery) = outbox(store.clone(), keys(), 0, environment);
        let (entry, bytes) = shard(0);
        outbox.shard(entry, bytes);
        drop(outbox);
        delivery.run().await
    });
    let lost = delivered.lost.unwrap();
    assert!(lost.contains("nor elsewhere"), "{lost}");
    assert!(delivered.shards.is_empty() && delivered.unwritten.is_none());
}

#[test]
fn of_live_objects_only_the_latest_is_written_and_shards_do_not_hold_it_back() {
    let spool = tempfile::tempdir().unwrap();
    let store = Arc::new(Door::default());
    block_on(async {
        let environment = environment(spool.path(), Duration::from_secs(60));
        let (outbox, delivery) = outbox(store.clone(), keys(), 0, environment);
        for (entry, bytes) in (0..3).map(shard) {
            outbox.live(Bytes::from(vec![0; entry.seq as usize]));
            outbox.shard(entry, bytes);
        }
        drop(outbox);
        let delivered = delivery.run().await;
        assert_eq!(delivered.shards.len(), 3);
    });
    let live = store.objects.lock().unwrap()[&keys().live(0)].clone();
    assert_eq!(live.len(), 2);
    assert!(store.writes.load(Ordering::SeqCst) >= 4);
}
