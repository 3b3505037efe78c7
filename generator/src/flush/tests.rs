//! From samples to shards: whatever a worker records stands in the shards, once.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::clock::Nanos;
use crate::environment::TaskEnvironment;
use crate::exchange::{ErrorCode, Exchange};
use crate::http::exchange::{HttpExchange, Timings};
use crate::recorder::{Record, SeriesBudget, WorkerRecorder};
use bytes::Bytes;
use floodgate_core::fold::Folding;
use floodgate_core::shard::{Row, decode};
use floodgate_records::keys::ExecutionKeys;
use floodgate_records::metric::{MetricKind, Tags};
use floodgate_store::{ObjectInfo, ObjectStore, StoreError};
use std::collections::BTreeMap;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

const S: Nanos = 1_000_000_000;
const MS: Nanos = 1_000_000;
const START: Nanos = 5 * S;
const START_MS: i64 = 1_700_000_000_000;

/// Objects in memory, with a number of writes of shards that fail first.
#[derive(Default)]
struct Memory {
    objects: Mutex<BTreeMap<String, Bytes>>,
    refuse: Mutex<u32>,
}

#[async_trait::async_trait]
impl ObjectStore for Memory {
    async fn put(&self, key: &str, data: Bytes) -> Result<(), StoreError> {
        let mut refuse = self.refuse.lock().unwrap();
        if key.contains("/shards/") && *refuse > 0 {
            *refuse -= 1;
            let source = std::io::Error::from(std::io::ErrorKind::StorageFull);
            return Err(StoreError::Io {
                operation: "write",
                key: key.to_owned(),
                source,
            });
        }
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

fn config(workers: usize) -> FlushConfig {
    FlushConfig {
        execution: "x".to_owned(),
        task: 3,
        segment: "1/1".to_owned(),
        start_ms: START_MS,
        flush_s: 10,
        phase_s: 10,
        marks: vec![10, 12],
        live: Duration::from_millis(100),
        workers,
        usable_cpus: 1.0,
        limits: crate::limits::TaskLimits::of_process(),
        redactor: std::sync::Arc::new(floodgate_core::execution::redact::Redactor::new(&[], [])),
    }
}

fn exchange(end: Nanos, took: Nanos) -> HttpExchange {
    let timings = Timings {
        begin: end - took,
        end,
        sending: MS,
        waiting: took - MS,
        ..Timings::default()
    };
    HttpExchange {
        timings,
        status: 200,
        sent: 100,
        received: 1_000,
        ..HttpExchange::default()
    }
}

fn tags(name: &str) -> Tags {
    Tags::new()
        .with("scenario", "s")
        .with("name", name)
        .with("status", "200")
}

/// Runs a flusher over what `record` does with the recorders of so many workers.
fn flushed(
    workers: usize,
    max_series: u32,
    store: &Arc<Memory>,
    record: impl FnOnce(&mut [WorkerRecorder]),
    end: Nanos,
) -> Done {
    let (to_flusher, windows) = channel();
    let budget = Arc::new(SeriesBudget::new(max_series, Folding::default()));
    let mut recycle = Vec::new();
    let mut recorders: Vec<_> = (0..workers)
        .map(|worker| {
            let (back, recycled) = channel();
            recycle.push(back);
            WorkerRecorder::new(
                worker,
                START,
                Arc::clone(&budget),
                to_flusher.clone(),
                recycled,
            )
        })
        .collect();
    let dyn_store: Arc<dyn ObjectStore> = store.clone();
    let keys = ExecutionKeys::new("p", "x");
    let (outbox, delivery) = outbox(dyn_store, keys, 3, TaskEnvironment::default());
    let flusher = std::thread::spawn(move || run(config(workers), outbox, &windows, recycle));
    record(&mut recorders);
    for recorder in recorders {
        recorder.finish(end);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let written = runtime.block_on(delivery.run());
    let Flushed { totals, .. } = flusher.join().unwrap();
    Done { written, totals }
}

struct Done {
    written: Delivered,
    totals: Totals,
}

fn rows(store: &Memory, written: &Delivered) -> Vec<Row> {
    let objects = store.objects.lock().unwrap();
    let mut rows = Vec::new();
    for (expected, entry) in written.shards.iter().enumerate() {
        assert_eq!(entry.seq as usize, expected, "numbers have no gap");
        let bytes = &objects[&ExecutionKeys::new("p", "x").shard(3, entry.seq)];
        assert_eq!(floodgate_core::shard::sha256_hex(bytes), entry.sha256);
        let shard = decode(bytes).unwrap();
        assert_eq!(shard.rows.len() as u64, entry.rows);
        assert_eq!(
            shard.meta.start_ms,
            START_MS + i64::from(entry.seq) * 10_000
        );
        for row in &shard.rows {
            assert!(
                row.time_ms >= shard.meta.start_ms && row.time_ms < shard.meta.start_ms + 10_000
            );
        }
        rows.extend(shard.rows);
    }
    rows
}

fn total(rows: &[Row], metric: &str) -> (u64, f64) {
    rows.iter()
        .filter(|r| r.key.metric == metric)
        .fold((0, 0.0), |(n, sum), r| (n + r.count, sum + r.sum))
}

#[test]
fn every_sample_of_every_worker_stands_in_the_shards_once() {
    let store = Arc::<Memory>::default();
    let flushed = flushed(
        2,
        100,
        &store,
        |recorders| {
            for (worker, recorder) in recorders.iter_mut().enumerate() {
                let series = [
                    recorder.request_series(HttpExchange::PROTOCOL, &tags("a")),
                    recorder.request_series(HttpExchange::PROTOCOL, &tags("b")),
                ];
                let check = recorder.check_series(&Tags::new().with("check", "status == 200"));
                let scenario = recorder.scenario_series(&Tags::new().with("scenario", "s"));
                for n in 0..2_500_u64 {
                    let end = START + n * 10 * MS + 4 * MS;
                    recorder.iteration_started(scenario, end - 4 * MS, Some(end - 5 * MS));
                    recorder.request(
                        series[(n % 2) as usize],
                        &exchange(end, 4 * MS),
                        end - 6 * MS,
                        n % 5 != 0,
                    );
                    recorder.check(check, n % 5 != 0, end);
                    recorder.iteration_completed(scenario, end - 4 * MS, end);
                }
                recorder.dropped(scenario, 7, START + 25 * S - MS);
                recorder.set_vus(worker as u64 + 1, 4, 5);
            }
        },
        START + 25 * S,
    );
    assert_eq!(flushed.written.lost, None);
    let rows = rows(&store, &flushed.written);
    assert_eq!(flushed.written.shards.len(), 3, "0–10 s, 10–20 s, 20–25 s");
    assert_eq!(total(&rows, "http_reqs"), (5_000, 5_000.0));
    assert_eq!(total(&rows, "http_req_failed"), (5_000, 1_000.0));
    assert_eq!(
        total(&rows, "http_req_duration"),
        (5_000, 5_000.0 * 4_000.0)
    );
    assert_eq!(
        total(&rows, "http_req_response_time"),
        (5_000, 5_000.0 * 6_000.0)
    );
    assert_eq!(total(&rows, "http_req_sending"), (5_000, 5_000.0 * 1_000.0));
    assert_eq!(
        total(&rows, "http_req_connecting"),
        (5_000, 0.0),
        "reused connections count as zeros"
    );
    assert_eq!(total(&rows, "http_req_receiving"), (5_000, 0.0));
    assert_eq!(total(&rows, "checks"), (5_000, 4_000.0));
    assert_eq!(total(&rows, "data_sent"), (5_000, 500_000.0));
    assert_eq!(total(&rows, "data_received"), (5_000, 5_000_000.0));
    assert_eq!(total(&rows, "iterations"), (5_000, 5_000.0));
    assert_eq!(
        total(&rows, "iteration_duration"),
        (5_000, 5_000.0 * 4_000.0)
    );
    assert_eq!(total(&rows, "generator_lag"), (5_000, 5_000.0 * 1_000.0));
    assert_eq!(total(&rows, "dropped_iterations").1, 14.0);
    let waiting: Vec<_> = rows
        .iter()
        .filter(|r| r.key.metric == "http_req_waiting")
        .collect();
    assert_eq!(
        waiting.len(),
        6,
        "two names in three windows of ten seconds"
    );
    assert!(waiting.iter().all(|r| r.window_s == 10));
    for metric in ["iteration_duration", "generator_lag"] {
        let windows: Vec<_> = rows
            .iter()
            .filter(|r| r.key.metric == metric)
            .map(|r| (r.time_ms - START_MS, r.window_s))
            .collect();
        assert_eq!(windows, [(0, 10), (10_000, 10), (20_000, 10)], "{metric}");
    }
    let by_second = rows.iter().filter(|r| {
        r.key.metric == "http_req_response_time" && r.key.tags.get("name") == Some("a")
    });
    assert_eq!(by_second.count(), 25);
    let vus: Vec<_> = rows
        .iter()
        .filter(|r| r.key.metric == "vus")
        .map(|r| r.sum)
        .collect();
    assert_eq!(vus.last(), Some(&3.0), "gauges add up over workers");
    let most = rows.iter().filter(|r| r.key.metric == "vus").map(|r| r.max);
    assert_eq!(
        most.fold(0.0, f64::max),
        8.0,
        "also what was within a second"
    );
    assert_eq!(flushed.totals.http_reqs, 5_000);
    assert_eq!(flushed.totals.dropped_iterations, 14);

    let live = store.objects.lock().unwrap()[&ExecutionKeys::new("p", "x").live(3)].clone();
    let live = decode(&live).unwrap();
    assert_eq!(live.meta.content, Content::Live);
    assert_eq!(total(&live.rows, "http_reqs"), (5_000, 5_000.0));
    assert_eq!(total(&live.rows, "http_req_waiting").0, 5_000);
    // Its sums begin anew at the marks of the configuration; its gauges do not.
    for (from, to, requests) in [(0, 10, 2_000), (10, 12, 400), (12, 25, 2_600)] {
        let sums: Vec<_> = live
            .rows
            .iter()
            .filter(|r| r.time_ms == START_MS + from * 1_000 && r.key.kind != MetricKind::Gauge)
            .cloned()
            .collect();
        assert_eq!(total(&sums, "http_reqs").0, requests);
        let length = |r: &Row| i64::from(r.window_s);
        assert!(
            sums.iter()
                .all(|r| length(r) == to - from || from == 12 && length(r) > to - from)
        );
    }
    let gauges = live.rows.iter().filter(|r| r.key.metric == "vus");
    assert_eq!(gauges.count(), 1);
}

#[test]
fn seconds_without_a_sample_leave_no_gap_between_shards() {
    let store = Arc::<Memory>::default();
    let flushed = flushed(
        1,
        100,
        &store,
        |recorders| {
            let series = recorders[0].request_series(HttpExchange::PROTOCOL, &tags("a"));
            recorders[0].request(series, &exchange(START + S / 2, 4 * MS), START, true);
            recorders[0].request(series, &exchange(START + 41 * S, 4 * MS), START, true);
        },
        START + 42 * S,
    );
    let rows = rows(&store, &flushed.written);
    assert_eq!(flushed.written.shards.len(), 5);
    let times: Vec<_> = rows
        .iter()
        .filter(|r| r.key.metric == "http_reqs")
        .map(|r| r.time_ms - START_MS)
        .collect();
    assert_eq!(times, [0, 41_000]);
}

#[test]
fn a_store_that_refuses_for_a_while_loses_nothing() {
    let store = Arc::<Memory>::default();
    *store.refuse.lock().unwrap() = 3;
    let flushed = flushed(
        1,
        100,
        &store,
        |recorders| {
            let series = recorders[0].request_series(HttpExchange::PROTOCOL, &tags("a"));
            for n in 0..30 {
                recorders[0].request(
                    series,
                    &exchange(START + n * S + MS * 10, 4 * MS),
                    START + n * S,
                    true,
                );
            }
        },
        START + 30 * S,
    );
    assert_eq!(flushed.written.lost, None);
    assert_eq!(total(&rows(&store, &flushed.written), "http_reqs").0, 30);
    assert!(
        flushed.written.warnings[0].contains("kept and tried again"),
        "{:?}",
        flushed.written.warnings
    );
}

#[test]
fn series_past_the_bound_fold_and_no_sample_is_lost() {
    let store = Arc::<Memory>::default();
    let flushed = flushed(
        1,
        10,
        &store,
        |recorders| {
            for n in 0..1_000 {
                let series = recorders[0]
                    .request_series(HttpExchange::PROTOCOL, &tags(&format!("/item/{n}")));
                recorders[0].request(
                    series,
                    &exchange(START + n * MS + 5 * MS, 4 * MS),
                    START,
                    true,
                );
            }
        },
        START + 2 * S,
    );
    let rows = rows(&store, &flushed.written);
    assert_eq!(total(&rows, "http_reqs").0, 1_000);
    let names: std::collections::BTreeSet<_> = rows
        .iter()
        .filter(|r| r.key.metric == "http_reqs")
        .filter_map(|r| r.key.tags.get("name"))
        .collect();
    assert_eq!(names.len(), 11, "{names:?}");
    let other = rows
        .iter()
        .filter(|r| r.key.metric == "http_reqs" && r.key.tags.get("name") == Some("__other__"));
    assert_eq!(other.map(|r| r.count).sum::<u64>(), 990);
    assert_eq!(flushed.totals.folded_samples, 990);
}

#[test]
fn requests_cut_off_by_a_stop_are_counted_and_not_judged() {
    let store = Arc::<Memory>::default();
    let flushed = flushed(
        1,
        100,
        &store,
        |recorders| {
            let series = recorders[0].request_series(HttpExchange::PROTOCOL, &tags("a"));
            let mut cut = exchange(START + 20 * MS, 4 * MS);
            cut.error = Some(ErrorCode::Interrupted);
            recorders[0].request(series, &cut, START, false);
            recorders[0].stop_judging_interruptions();
            recorders[0].request(series, &cut, START, false);
        },
        START + S / 2,
    );
    let rows = rows(&store, &flushed.written);
    assert_eq!(total(&rows, "http_reqs").0, 2, "both were sent");
    assert_eq!(
        total(&rows, "http_req_failed"),
        (1, 1.0),
        "the one at the end of a graceful stop failed"
    );
    assert_eq!(total(&rows, "http_req_duration").0, 1);
    assert_eq!(flushed.totals.http_reqs, 2);
}

#[test]
fn values_past_an_hour_are_clamped_and_counted() {
    let store = Arc::<Memory>::default();
    let flushed = flushed(
        1,
        100,
        &store,
        |recorders| {
            let series = recorders[0].request_series(HttpExchange::PROTOCOL, &tags("a"));
            let end = START + 2 * 3_600 * S;
            let mut long = exchange(end, 4 * MS);
            long.timings.waiting = 4_000 * S;
            recorders[0].request(series, &long, end - 4_000 * S, true);
        },
        START + 2 * 3_600 * S + S,
    );
    assert_eq!(
        flushed.totals.clamped_values, 3,
        "duration, response time, waiting"
    );
}
