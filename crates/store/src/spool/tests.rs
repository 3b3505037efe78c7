#![allow(clippy::unwrap_used)]

use super::*;
use crate::conformance;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Mutex as Lock;

/// How the store behind behaves.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mood {
    Up,
    Down,
    /// Never answers.
    Silent,
    /// Refuses keys with this in them for good.
    Refuses(&'static str),
}

/// A store in memory with moods.
struct Moody {
    mood: Lock<Mood>,
    objects: Lock<BTreeMap<String, Bytes>>,
    /// Keys and contents in the order of arrival.
    arrived: Lock<Vec<(String, Bytes)>>,
    requests: Lock<u32>,
}

impl Moody {
    fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    fn arrived(&self) -> Vec<String> {
        let arrived = self.arrived.lock().unwrap();
        arrived.iter().map(|(key, _)| key.clone()).collect()
    }

    async fn meet(&self, key: &str) -> Result<()> {
        *self.requests.lock().unwrap() += 1;
        let mood = *self.mood.lock().unwrap();
        match mood {
            Mood::Up => Ok(()),
            Mood::Silent => std::future::pending().await,
            Mood::Refuses(part) if !key.contains(part) => Ok(()),
            Mood::Refuses(_) => Err(StoreError::Denied {
                operation: "write",
                key: key.to_owned(),
                code: "AccessDenied".into(),
                message: "no".into(),
                remedy: "ask",
            }),
            Mood::Down => Err(StoreError::Throttled {
                operation: "write",
                key: key.to_owned(),
                code: "SlowDown".into(),
                message: "reduce your request rate".into(),
            }),
        }
    }
}

#[async_trait]
impl ObjectStore for Moody {
    async fn put(&self, key: &str, data: Bytes) -> Result<()> {
        self.meet(key).await?;
        self.arrived
            .lock()
            .unwrap()
            .push((key.to_owned(), data.clone()));
        self.objects.lock().unwrap().insert(key.to_owned(), data);
        Ok(())
    }

    async fn put_new(&self, key: &str, data: Bytes) -> Result<()> {
        self.meet(key).await?;
        if self.objects.lock().unwrap().contains_key(key) {
            return Err(StoreError::Exists {
                key: key.to_owned(),
            });
        }
        self.put(key, data).await
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        self.meet(key).await?;
        Ok(self.objects.lock().unwrap().get(key).cloned())
    }

    async fn list(&self, prefix: &str) -> Result<Vec<ObjectInfo>> {
        self.meet(prefix).await?;
        let objects = self.objects.lock().unwrap();
        let starts = objects.keys().filter(|key| key.starts_with(prefix));
        let info = |key: &String| ObjectInfo {
            key: key.clone(),
            ..ObjectInfo::default()
        };
        Ok(starts.map(info).collect())
    }

    async fn delete(&self, key: &str) -> Result<()> {
        self.meet(key).await?;
        self.objects.lock().unwrap().remove(key);
        Ok(())
    }
}

struct Setup {
    folder: tempfile::TempDir,
    behind: Arc<Moody>,
    spool: SpoolStore,
}

fn setup(limit_bytes: Option<u64>) -> Setup {
    let folder = tempfile::tempdir().unwrap();
    let behind = Arc::new(Moody {
        mood: Lock::new(Mood::Up),
        objects: Lock::default(),
        arrived: Lock::default(),
        requests: Lock::default(),
    });
    let options = SpoolOptions {
        limit_bytes,
        ..SpoolOptions::new(folder.path().join("spool"))
    };
    let spool = SpoolStore::open(behind.clone(), options, Handle::current()).unwrap();
    Setup {
        folder,
        behind,
        spool,
    }
}

impl Setup {
    /// Keys that lie in the folder.
    async fn files(&self) -> Vec<String> {
        let files = LocalStore::open(self.folder.path().join("spool")).unwrap();
        let listed = ObjectStore::list(&files, "").await.unwrap();
        listed.into_iter().map(|info| info.key).collect()
    }
}

fn shard(i: usize) -> String {
    format!("e/shards/0000/{i:06}.parquet")
}

const HOUR: Duration = Duration::from_secs(3_600);

#[tokio::test(start_paused = true)]
async fn it_is_a_store() {
    let setup = setup(None);
    let behind = LocalStore::open(setup.folder.path().join("behind")).unwrap();
    let options = SpoolOptions::new(setup.folder.path().join("other"));
    let spool = SpoolStore::open(Arc::new(behind), options, Handle::current()).unwrap();
    conformance::objects(Arc::new(spool.clone())).await;
    assert_eq!(spool.report().await, Delivery::default());
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_minutes_loses_nothing_and_keeps_the_order() {
    let setup = setup(None);
    let mut expected = Vec::new();
    for i in 0..60 {
        setup.behind.set(if (10..40).contains(&i) {
            Mood::Down
        } else {
            Mood::Up
        });
        setup
            .spool
            .put(&shard(i), Bytes::from(vec![i as u8; 10]))
            .await
            .unwrap();
        expected.push(shard(i));
        tokio::time::sleep(Duration::from_secs(10)).await;
        if i == 39 {
            assert_eq!(setup.files().await.len(), 30);
            let report = setup.spool.report().await;
            assert_eq!(
                (report.kept, report.delivered, report.undelivered.len()),
                (30, 0, 30)
            );
            assert_eq!(report.undelivered[0].bytes, 10);
            assert!(
                report.undelivered[0].reason.contains("SlowDown"),
                "{report:?}"
            );
            let kept = setup.spool.get(&shard(20)).await.unwrap();
            assert_eq!(kept, Some(Bytes::from(vec![20; 10])), "reads what waits");
        }
    }
    let report = setup.spool.flush(HOUR).await;
    assert_eq!((report.kept, report.delivered), (30, 30));
    assert_eq!(report.undelivered, []);
    assert_eq!(setup.behind.arrived(), expected);
    assert_eq!(setup.files().await, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn pauses_grow_so_that_a_store_in_trouble_is_left_alone() {
    let setup = setup(None);
    setup.behind.set(Mood::Down);
    setup.spool.put("a", Bytes::new()).await.unwrap();
    tokio::time::sleep(HOUR).await;
    let requests = *setup.behind.requests.lock().unwrap();
    // Pauses of 5 to 10 s, after the first few.
    assert!((360..740).contains(&requests), "{requests}");
}

#[tokio::test(start_paused = true)]
async fn only_the_newest_of_a_key_waits() {
    let setup = setup(None);
    setup.behind.set(Mood::Down);
    for i in 0..50u8 {
        setup
            .spool
            .put("e/live/0000.parquet", Bytes::from(vec![i; 100]))
            .await
            .unwrap();
        if i % 10 == 0 {
            setup
                .spool
                .put(&shard(i.into()), Bytes::new())
                .await
                .unwrap();
        }
    }
    assert_eq!(setup.files().await.len(), 6);
    setup.behind.set(Mood::Up);
    let report = setup.spool.flush(HOUR).await;
    assert_eq!((report.kept, report.delivered), (6, 6));
    let arrived = setup.behind.arrived.lock().unwrap().clone();
    assert_eq!(arrived.len(), 6);
    assert_eq!(
        arrived[5],
        ("e/live/0000.parquet".to_owned(), Bytes::from(vec![49; 100]))
    );
}

#[tokio::test(start_paused = true)]
async fn a_full_spool_refuses_and_forgets_nothing() {
    let setup = setup(Some(1_000));
    setup.behind.set(Mood::Down);
    for i in 0..2 {
        setup
            .spool
            .put(&shard(i), Bytes::from(vec![0; 400]))
            .await
            .unwrap();
    }
    let full = setup
        .spool
        .put(&shard(2), Bytes::from(vec![0; 400]))
        .await
        .unwrap_err();
    assert!(full.is_temporary(), "{full}");
    assert!(
        full.to_string().contains("1200 bytes would wait in "),
        "{full}"
    );
    assert!(full.to_string().ends_with("of 1000 at most"), "{full}");
    // In place of an older one of its key it fits.
    setup
        .spool
        .put(&shard(1), Bytes::from(vec![1; 600]))
        .await
        .unwrap();
    setup.behind.set(Mood::Up);
    assert_eq!(setup.spool.flush(HOUR).await.undelivered, []);
    assert_eq!(setup.behind.arrived(), [shard(0), shard(1)]);
    setup.behind.set(Mood::Down);
    setup
        .spool
        .put(&shard(2), Bytes::from(vec![0; 1_000]))
        .await
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_is_left_at_the_end_is_named_and_lies_in_the_folder() {
    let setup = setup(None);
    setup.behind.set(Mood::Down);
    for i in 0..3 {
        setup
            .spool
            .put(&shard(i), Bytes::from(vec![0; i]))
            .await
            .unwrap();
    }
    let start = Instant::now();
    let report = setup.spool.flush(Duration::from_secs(90)).await;
    assert_eq!(start.elapsed().as_secs(), 90);
    let left: Vec<_> = report
        .undelivered
        .iter()
        .map(|u| (u.key.clone(), u.bytes))
        .collect();
    assert_eq!(left, [(shard(0), 0), (shard(1), 1), (shard(2), 2)]);
    assert_eq!(setup.files().await, [shard(0), shard(1), shard(2)]);
}

#[tokio::test(start_paused = true)]
async fn flushing_does_not_wait_for_a_long_pause() {
    let setup = setup(None);
    setup.behind.set(Mood::Down);
    setup.spool.put("a", Bytes::new()).await.unwrap();
    tokio::time::sleep(HOUR).await;
    setup.behind.set(Mood::Up);
    let start = Instant::now();
    assert_eq!(setup.spool.flush(HOUR).await.delivered, 1);
    assert!(start.elapsed() < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_never_answers_is_down() {
    let setup = setup(None);
    setup.behind.set(Mood::Silent);
    let start = Instant::now();
    setup.spool.put("a", Bytes::new()).await.unwrap();
    setup.spool.put("b", Bytes::new()).await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 5, "only the first one waits");
    assert_eq!(setup.files().await, ["a", "b"]);
    let report = setup.spool.report().await;
    assert_eq!(report.undelivered[0].reason, "no answer within 5 s");
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_for_good_is_an_error_or_in_the_report_and_holds_nothing_up() {
    let setup = setup(None);
    setup.behind.set(Mood::Refuses("b"));
    let denied = setup.spool.put("b0", Bytes::new()).await;
    assert!(
        matches!(denied, Err(StoreError::Denied { .. })),
        "{denied:?}"
    );
    setup.behind.set(Mood::Down);
    for key in ["a1", "b1", "c1"] {
        setup.spool.put(key, Bytes::new()).await.unwrap();
    }
    setup.behind.set(Mood::Refuses("b"));
    let report = setup.spool.flush(HOUR).await;
    assert_eq!((report.kept, report.delivered), (3, 2));
    assert_eq!(report.undelivered[0].key, "b1");
    assert!(
        report.undelivered[0].reason.contains("denied"),
        "{report:?}"
    );
    assert_eq!(setup.files().await, ["b1"]);
    // Written again, it has a new chance.
    setup.behind.set(Mood::Down);
    setup.spool.put("b1", Bytes::new()).await.unwrap();
    setup.behind.set(Mood::Up);
    let report = setup.spool.flush(HOUR).await;
    assert_eq!((report.kept, report.delivered), (3, 3));
    assert_eq!(report.undelivered, []);
}

#[tokio::test(start_paused = true)]
async fn a_new_object_is_only_written_where_nothing_is() {
    let setup = setup(None);
    setup
        .spool
        .put_new("taken", Bytes::from_static(b"other"))
        .await
        .unwrap();
    setup
        .spool
        .put_new("mine", Bytes::from_static(b"arrived"))
        .await
        .unwrap();
    setup.behind.set(Mood::Down);
    for key in ["taken", "mine", "free"] {
        setup
            .spool
            .put_new(key, Bytes::from_static(b"arrived"))
            .await
            .unwrap();
        let again = setup.spool.put_new(key, Bytes::new()).await;
        assert!(matches!(again, Err(StoreError::Exists { .. })), "{again:?}");
    }
    setup.behind.set(Mood::Up);
    let report = setup.spool.flush(HOUR).await;
    assert_eq!((report.kept, report.delivered), (3, 2));
    assert_eq!(report.undelivered[0].key, "taken");
    assert_eq!(report.undelivered[0].reason, "taken: exists already");
    assert_eq!(setup.behind.get("taken").await.unwrap().unwrap(), "other");
}

#[tokio::test(start_paused = true)]
async fn reading_and_deleting_are_patient_to_a_point() {
    let setup = setup(None);
    setup
        .spool
        .put("a", Bytes::from_static(b"1"))
        .await
        .unwrap();
    setup.behind.set(Mood::Down);
    let back = setup.behind.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(4)).await;
        back.set(Mood::Up);
    });
    assert_eq!(setup.spool.get("a").await.unwrap().unwrap(), "1");
    setup.behind.set(Mood::Down);
    let start = Instant::now();
    assert!(setup.spool.list("").await.unwrap_err().is_temporary());
    assert!(start.elapsed() <= Duration::from_secs(10));
    setup.spool.put("b", Bytes::new()).await.unwrap();
    setup.spool.delete("b").await.unwrap_err();
    setup.behind.set(Mood::Up);
    assert_eq!(
        setup.spool.flush(HOUR).await,
        Delivery::default(),
        "b was forgotten"
    );
    setup.spool.delete("a").await.unwrap();
    assert_eq!(setup.spool.list("").await.unwrap(), []);
}

/// One thing that happens to a spool.
#[derive(Clone, Debug)]
enum Event {
    Put(u8),
    Mood(Mood),
    Wait(u16),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let moods = prop_oneof![Just(Mood::Up), Just(Mood::Down), Just(Mood::Silent)];
    let event = prop_oneof![
        4 => (0..6u8).prop_map(Event::Put),
        1 => moods.prop_map(Event::Mood),
        1 => (0..20_000u16).prop_map(Event::Wait),
    ];
    prop::collection::vec(event, 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    /// Whatever happens on the way, in the end the store has the newest of every key, and no write arrives after a later one of
    /// the same key.
    #[test]
    fn in_the_end_the_store_has_what_was_written(events in events()) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let setup = setup(None);
            let mut newest = BTreeMap::new();
            for (number, event) in events.into_iter().enumerate() {
                match event {
                    Event::Put(i) => {
                        let content = Bytes::from(format!("{number:04}"));
                        setup.spool.put(&shard(i.into()), content.clone()).await.unwrap();
                        newest.insert(shard(i.into()), content);
                    }
                    Event::Mood(mood) => setup.behind.set(mood),
                    Event::Wait(ms) => tokio::time::sleep(Duration::from_millis(ms.into())).await,
                }
            }
            setup.behind.set(Mood::Up);
            let report = setup.spool.flush(HOUR).await;
            prop_assert_eq!(&report.undelivered, &[]);
            prop_assert_eq!(report.kept, report.delivered);
            prop_assert_eq!(&*setup.behind.objects.lock().unwrap(), &newest);
            prop_assert_eq!(setup.files().await, Vec::<String>::new());
            let arrived = setup.behind.arrived.lock().unwrap().clone();
            for key in newest.keys() {
                let contents: Vec<_> = arrived.iter().filter(|(k, _)| k == key).collect();
                prop_assert!(contents.is_sorted_by_key(|(_, content)| content.clone()));
            }
            Ok(())
        })?;
    }
}
