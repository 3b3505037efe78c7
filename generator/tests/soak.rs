//! A run of an hour needs no more memory than one of minutes: recorder and flusher, driven through an hour of windows as fast
//! as they take them. It stands alone in its process, since it measures the memory of that.
#![allow(clippy::unwrap_used)]

use async_trait::async_trait;
use bytes::Bytes;
use floodgate_core::fold::Folding;
use floodgate_generator::clock::Nanos;
use floodgate_generator::environment::TaskEnvironment;
use floodgate_generator::exchange::Exchange;
use floodgate_generator::flush::{self, FlushConfig};
use floodgate_generator::http::exchange::{HttpExchange, Timings};
use floodgate_generator::recorder::{Record, SeriesBudget, WorkerRecorder};
use floodgate_records::keys::ExecutionKeys;
use floodgate_records::metric::Tags;
use floodgate_store::{ObjectInfo, ObjectStore, StoreError};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

const S: Nanos = 1_000_000_000;
const SERIES: u64 = 20;
const FLUSH_S: u64 = 10;
const HOUR_S: u64 = 3_600;
/// After that every buffer has had its size for long.
const WARM_S: u64 = 300;
/// What the allocator may make of the same load over and over. An hour of rows, if they were kept, would be ten times
/// as much.
const SLACK_BYTES: u64 = 8 << 20;

/// Takes everything and keeps nothing.
#[derive(Default)]
struct Counting {
    shards: AtomicU64,
    bytes: AtomicU64,
}

#[async_trait]
impl ObjectStore for Counting {
    async fn put(&self, key: &str, data: Bytes) -> Result<(), StoreError> {
        if key.contains("/shards/") {
            self.bytes.fetch_add(data.len() as u64, Ordering::Relaxed);
            self.shards.fetch_add(1, Ordering::Release);
        }
        Ok(())
    }
    async fn put_new(&self, key: &str, data: Bytes) -> Result<(), StoreError> {
        self.put(key, data).await
    }
    async fn get(&self, _key: &str) -> Result<Option<Bytes>, StoreError> {
        Ok(None)
    }
    async fn list(&self, _prefix: &str) -> Result<Vec<ObjectInfo>, StoreError> {
        Ok(Vec::new())
    }
    async fn delete(&self, _key: &str) -> Result<(), StoreError> {
        Ok(())
    }
}

/// The resident set of this process, in bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap();
    let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib << 10
}

fn request(end: Nanos, took: Nanos) -> HttpExchange {
    HttpExchange {
        timings: Timings {
            begin: end - took,
            end,
            waiting: took,
            ..Timings::default()
        },
        status: 200,
        sent: 100,
        received: 1_000,
        ..HttpExchange::default()
    }
}

#[test]
fn an_hour_needs_no_more_memory_than_minutes() {
    let store = Arc::<Counting>::default();
    let config = FlushConfig {
        execution: "x".into(),
        task: 0,
        segment: "1/1".into(),
        start_ms: 1_700_000_000_000,
        flush_s: FLUSH_S,
        phase_s: 10,
        marks: Vec::new(),
        live: Duration::from_millis(250),
        workers: 1,
        limits: floodgate_generator::limits::TaskLimits::of_process(),
        usable_cpus: 1.0,
        redactor: std::sync::Arc::new(floodgate_core::execution::redact::Redactor::new(&[], [])),
    };
    let (to_flusher, windows) = channel();
    let (back, recycled) = channel();
    let start = 5 * S;
    let budget = Arc::new(SeriesBudget::new(1_000, Folding::default()));
    let mut recorder = WorkerRecorder::new(0, start, budget, to_flusher, recycled);
    let to: Arc<dyn ObjectStore> = store.clone();
    let keys = ExecutionKeys::new("p", "x");
    let (outbox, delivery) = flush::outbox(to, keys, 0, TaskEnvironment::default());
    let flusher = std::thread::spawn(move || flush::run(config, outbox, &windows, vec![back]));
    let postman = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        runtime.block_on(delivery.run())
    });

    let series: Vec<_> = (0..SERIES)
        .map(|n| {
            recorder.request_series(
                HttpExchange::PROTOCOL,
                &Tags::new().with("name", format!("/{n}")),
            )
        })
        .collect();
    let mut random = 1_u64;
    let mut warm = 0;
    for second in 0..HOUR_S {
        for sample in 0..4 {
            let end = start + second * S + (sample + 1) * S / 5;
            for &series in &series {
                random = random
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                let took = 1_000_000 + (random >> 40);
                recorder.request(series, &request(end, took), end - took, true);
            }
        }
        // Simulated time must not run ahead of the flusher, or its queue is what is measured.
        if second % FLUSH_S == 0 {
            while store.shards.load(Ordering::Acquire) < second / FLUSH_S {
                std::thread::yield_now();
            }
        }
        if second == WARM_S {
            warm = resident();
        }
    }
    let end = resident();
    recorder.finish(start + HOUR_S * S - 1);
    let flushed = flusher.join().unwrap();
    let delivered = postman.join().unwrap();

    assert_eq!(flushed.totals.http_reqs, HOUR_S * SERIES * 4);
    assert_eq!(store.shards.load(Ordering::Acquire), HOUR_S / FLUSH_S);
    assert!(
        end <= warm + SLACK_BYTES,
        "{warm} bytes after {WARM_S} s, {end} after an hour"
    );
    // What does grow is the manifest: an entry a shard, some 130 bytes, so about 46 kB an hour and task.
    let manifest = serde_json::to_vec(&delivered.shards).unwrap().len();
    assert!((20_000..60_000).contains(&manifest), "{manifest} bytes");
}
