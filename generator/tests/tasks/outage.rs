//! A task whose store goes away in the middle of its run, for as long as a region's S3 has been known to.

use crate::plan::{definition, plan};
use bytes::Bytes;
use floodgate_core::definition::Resolver;
use floodgate_core::shard::decode;
use floodgate_generator::clock::unix_ms;
use floodgate_generator::{Config, TaskEnvironment, run};
use floodgate_records::control::Start;
use floodgate_records::keys::{DEFINITION_FILE, ExecutionKeys, definition_file};
use floodgate_records::manifest::{Manifest, TaskOutcome};
use floodgate_records::plan::Plan;
use floodgate_store::{ObjectInfo, ObjectStore, StoreError};
use floodgate_testserver::TestServer;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const AWAY: Duration = Duration::from_secs(10);

/// Objects in memory. From the first attempt at this shard on, the store is away for [`AWAY`]; every other request then
/// fails at once, and the rest is never answered.
struct Flaky {
    objects: Mutex<BTreeMap<String, Bytes>>,
    away_from_shard: String,
    gone: Mutex<Option<Instant>>,
    refusals: Mutex<u32>,
}

impl Flaky {
    fn new(keys: &ExecutionKeys) -> Self {
        Self {
            objects: Mutex::default(),
            away_from_shard: keys.shard(0, 1),
            gone: Mutex::default(),
            refusals: Mutex::default(),
        }
    }

    async fn pass(&self, operation: &'static str, key: &str) -> Result<(), StoreError> {
        let away = {
            let mut gone = self.gone.lock().unwrap();
            if key == self.away_from_shard {
                gone.get_or_insert_with(Instant::now);
            }
            gone.is_some_and(|since| since.elapsed() < AWAY)
        };
        if !away {
            return Ok(());
        }
        let silent = {
            let mut refusals = self.refusals.lock().unwrap();
            *refusals += 1;
            refusals.is_multiple_of(2)
        };
        if silent {
            // As a connection that hangs until it is given up.
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        let source = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        Err(StoreError::Io {
            operation,
            key: key.to_owned(),
            source,
        })
    }
}

#[async_trait::async_trait]
impl ObjectStore for Flaky {
    async fn put(&self, key: &str, data: Bytes) -> Result<(), StoreError> {
        self.pass("write", key).await?;
        self.objects.lock().unwrap().insert(key.to_owned(), data);
        Ok(())
    }
    async fn put_new(&self, key: &str, data: Bytes) -> Result<(), StoreError> {
        self.put(key, data).await
    }
    async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        self.pass("read", key).await?;
        Ok(self.objects.lock().unwrap().get(key).cloned())
    }
    async fn list(&self, _prefix: &str) -> Result<Vec<ObjectInfo>, StoreError> {
        Ok(Vec::new())
    }
    async fn delete(&self, _key: &str) -> Result<(), StoreError> {
        Ok(())
    }
}

struct Nothing;

impl Resolver for Nothing {
    fn env(&self, _name: &str) -> Option<String> {
        None
    }
    fn secret(&self, _reference: &str) -> Result<String, String> {
        Err("there are none".to_owned())
    }
    fn file_exists(&self, _relative: &str) -> bool {
        true
    }
}

async fn prepare(store: &Flaky, plan: &Plan, target: &str, duration: &str) {
    let definition = definition(target, duration);
    let keys = ExecutionKeys::new(&plan.project, &plan.execution);
    let definition_key = definition_file(&plan.project, &plan.test, &plan.version, DEFINITION_FILE);
    store.put(&definition_key, definition.into()).await.unwrap();
    store
        .put(&keys.plan(), serde_json::to_vec(plan).unwrap().into())
        .await
        .unwrap();
}

fn config(plan: &Plan) -> Config {
    Config {
        project: plan.project.clone(),
        execution: plan.execution.clone(),
        task: 0,
        workers: Some(2),
        resolver: Arc::new(Nothing),
        environment: TaskEnvironment {
            patience: Duration::from_secs(60),
            ..TaskEnvironment::default()
        },
    }
}

fn http_reqs(store: &Flaky, keys: &ExecutionKeys, manifest: &Manifest) -> u64 {
    let objects = store.objects.lock().unwrap();
    let shards = manifest.shards.iter().map(|entry| {
        let shard = decode(&objects[&keys.shard(0, entry.seq)]).unwrap();
        shard
            .rows
            .iter()
            .filter(|row| row.key.metric == "http_reqs")
            .map(|row| row.count)
            .sum::<u64>()
    });
    shards.sum()
}

#[tokio::test]
async fn ten_seconds_without_a_store_lose_nothing() {
    let target = TestServer::start(floodgate_testserver::Config::fast()).unwrap();
    let plan = plan();
    let keys = ExecutionKeys::new(&plan.project, &plan.execution);
    let store = Arc::new(Flaky::new(&keys));
    prepare(&store, &plan, &target.url(), "8s").await;
    let start = Start {
        start_ms: unix_ms() + 500,
    };
    store
        .put(&keys.start(), serde_json::to_vec(&start).unwrap().into())
        .await
        .unwrap();

    let (_stop, stopped) = tokio::sync::watch::channel(None);
    let manifest = run(config(&plan), store.clone(), stopped).await.unwrap();

    assert_eq!(manifest.outcome, TaskOutcome::Completed);
    assert!(*store.refusals.lock().unwrap() > 1, "the store was away");
    assert_eq!(manifest.totals.http_reqs, 800);
    assert_eq!(http_reqs(&store, &keys, &manifest), 800);
    assert_eq!(target.counters().requests(), 800);
    let kept = manifest
        .warnings
        .iter()
        .filter(|warning| warning.contains("kept and tried again"));
    assert_eq!(kept.count(), 1, "{:?}", manifest.warnings);
    assert!(
        store
            .objects
            .lock()
            .unwrap()
            .contains_key(&keys.manifest(0))
    );
}

#[tokio::test]
async fn an_order_to_stop_is_obeyed_at_once_while_the_store_is_away() {
    let target = TestServer::start(floodgate_testserver::Config::fast()).unwrap();
    let plan = plan();
    let keys = ExecutionKeys::new(&plan.project, &plan.execution);
    let store = Arc::new(Flaky::new(&keys));
    prepare(&store, &plan, &target.url(), "1h").await;
    let start = Start {
        start_ms: unix_ms(),
    };
    store
        .put(&keys.start(), serde_json::to_vec(&start).unwrap().into())
        .await
        .unwrap();

    let (stop, stopped) = tokio::sync::watch::channel(None);
    let (config, objects) = (config(&plan), store.clone());
    let running = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(run(config, objects, stopped))
    });
    while *store.refusals.lock().unwrap() < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    stop.send_replace(Some("SIGTERM".to_owned()));
    // The load ends although the store is away; what was measured arrives when it is back.
    let mut before = target.counters().requests();
    loop {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let now = target.counters().requests();
        if now == before {
            break;
        }
        before = now;
    }
    let manifest = running.join().unwrap().unwrap();
    assert_eq!(
        manifest.outcome,
        TaskOutcome::Stopped {
            by: "SIGTERM".to_owned()
        }
    );
    assert_eq!(
        http_reqs(&store, &keys, &manifest),
        target.counters().requests()
    );
    assert_eq!(manifest.totals.http_reqs, target.counters().requests());
}
