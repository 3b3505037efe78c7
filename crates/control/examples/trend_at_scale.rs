//! How long a trend takes over ten runs of 1.8 million requests each.
//!
//! `cargo run --release -p floodgate-control --example trend_at_scale -- [RUNS] [REQUESTS] [NAMES]`
//!
//! Writes the records, summaries and tables of such runs into a folder of its own, and asks for the p95 of one name, which no summary
//! has: ten times, each time from the files. The requests are an iteration each, of so many names (default: 6) with equal shares,
//! lognormal with a median of 5 ms and a sigma of 0.4; one request in 100 takes five times as long.
#![allow(clippy::unwrap_used)]

#[path = "../../core/examples/load/mod.rs"]
mod load;

use floodgate_control::{Stores, buckets_key, trend};
use floodgate_core::baseline::BaselineMetric;
use floodgate_core::buckets::encode;
use floodgate_core::drift::Sensitivity;
use floodgate_core::histogram::Histogram;
use floodgate_core::merge::{Aggregate, Totals};
use floodgate_records::execution::{AppliedLoad, Completeness, Execution, Infrastructure};
use floodgate_records::keys::ExecutionKeys;
use floodgate_records::metric::{Builtin, MetricKind, SeriesKey, Tags};
use floodgate_records::plan::PlannedLoad;
use floodgate_records::status::Status;
use floodgate_records::summary::Summary;
use floodgate_store::local::LocalStore;
use load::Random;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

const PROJECT: &str = "bench";
const TEST: &str = "trend";
/// When the first run starts, Unix ms; the others follow by a day each.
const START: i64 = 1_700_000_000_000;
const DAY_MS: i64 = 86_400_000;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<u64> = std::env::args()
        .skip(1)
        .filter_map(|a| a.parse().ok())
        .collect();
    let get = |i: usize, default| arguments.get(i).copied().unwrap_or(default);
    let (runs, requests, names) = (get(0, 10), get(1, 1_800_000), get(2, 6));
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(LocalStore::open(folder.path()).unwrap());
    let stores = Stores {
        objects: store.clone(),
        records: store,
    };
    let (mut bytes, mut writing) = (0, Duration::ZERO);
    for n in 0..runs {
        let run = record(n);
        let totals = measured(n, requests, names);
        let start = Instant::now();
        let table = encode(&run, Duration::from_secs(600), &totals).unwrap();
        writing += start.elapsed();
        bytes += table.len();
        let objects = &stores.objects;
        objects.put(&buckets_key(&run), table.into()).await.unwrap();
        let summary = serde_json::to_vec(&summary(&run)).unwrap();
        let key = ExecutionKeys::new(PROJECT, &run.id).summary();
        objects.put(&key, summary.into()).await.unwrap();
        stores.records.create(&run).await.unwrap();
    }
    println!(
        "{runs} runs of {requests} requests of {names} names: tables of {} kB, written in {:.0} ms each",
        bytes / 1_000 / runs.max(1) as usize,
        writing.as_secs_f64() * 1e3 / runs as f64
    );
    let metric = BaselineMetric::parse("http_req_duration{name:\"POST /api/2\"} p(95)").unwrap();
    let mut times = Vec::new();
    for _ in 0..10 {
        let start = Instant::now();
        let metrics = vec![metric.clone()];
        let sensitivity = Sensitivity::default();
        let found = trend(
            &stores,
            PROJECT,
            TEST,
            runs as usize,
            |_| metrics,
            &sensitivity,
        );
        let found = found.await.unwrap();
        times.push(start.elapsed());
        assert!(found.metrics[0].values.iter().all(Option::is_some));
    }
    times.sort();
    println!(
        "p95 of one name over all of them: {:.1} ms (median of ten, slowest {:.1} ms)",
        times[5].as_secs_f64() * 1e3,
        times[9].as_secs_f64() * 1e3
    );
}

fn record(n: u64) -> Execution {
    let at = START + n as i64 * DAY_MS;
    Execution {
        status: Status::Passed,
        started_ms: Some(at),
        ended_ms: Some(at + 600_000),
        ..Execution::created(format!("01JD7Q3W5Z8X9Y0A1B2C3D{n:04}"), PROJECT, TEST, at)
    }
}

/// The requests of a run, with all that the generator measures of each.
fn measured(seed: u64, requests: u64, names: u64) -> Totals {
    let mut random = Random::with_seed(seed);
    let mut totals = Totals::new();
    for name in 0..names {
        let mut trends: BTreeMap<Builtin, Histogram> = BTreeMap::new();
        let of_name = requests / names;
        for _ in 0..of_name {
            let times = random.request(5_000.0, 0.4);
            let mut record = |metric, us| trends.entry(metric).or_default().record(us);
            record(Builtin::HttpReqDuration, times.duration());
            record(Builtin::HttpReqResponseTime, times.response());
            record(Builtin::HttpReqBlocked, times.blocked);
            record(Builtin::HttpReqLookingUp, 0);
            record(Builtin::HttpReqConnecting, 0);
            record(Builtin::HttpReqTlsHandshaking, 0);
            record(Builtin::HttpReqSending, times.sending);
            record(Builtin::HttpReqWaiting, times.waiting);
            record(Builtin::HttpReqReceiving, times.receiving);
            record(Builtin::IterationDuration, times.response());
            record(Builtin::GeneratorLag, times.lag);
        }
        let key = |metric: Builtin| {
            let tags = Tags::new()
                .with("scenario", "shop")
                .with("name", format!("POST /api/{name}"))
                .with("method", "POST")
                .with("status", "200")
                .with("expected_response", "true");
            Arc::new(SeriesKey {
                metric: metric.name().into(),
                kind: metric.kind(),
                tags,
            })
        };
        for (metric, histogram) in trends {
            let all = Aggregate {
                count: histogram.count(),
                sum: histogram.sum() as f64,
                min: histogram.min() as f64,
                max: histogram.max() as f64,
                histogram: Some(histogram),
                ..Aggregate::new(MetricKind::Trend)
            };
            totals.0.insert(key(metric), all);
        }
        for metric in [
            Builtin::HttpReqs,
            Builtin::HttpReqFailed,
            Builtin::Iterations,
        ] {
            let all = Aggregate {
                count: of_name,
                sum: if metric.kind() == MetricKind::Rate {
                    0.0
                } else {
                    of_name as f64
                },
                ..Aggregate::new(metric.kind())
            };
            totals.0.insert(key(metric), all);
        }
    }
    totals
}

fn summary(run: &Execution) -> Summary {
    let of = |value: serde_json::Result<serde_json::Value>| value.unwrap();
    serde_json::from_value(serde_json::json!({
        "schema": Summary::SCHEMA,
        "execution": run.id, "project": run.project, "test": run.test, "version": "",
        "status": run.status, "reasons": [], "started_ms": run.started_ms, "duration_s": 600.0,
        "completeness": of(serde_json::to_value(Completeness::default())),
        "planned": of(serde_json::to_value(PlannedLoad::default())),
        "applied": of(serde_json::to_value(AppliedLoad::default())),
        "infrastructure": of(serde_json::to_value(Infrastructure::default())),
        "metrics": {"http_req_duration": {"type": "trend", "contains": "time", "values": {}, "thresholds": {}}},
        "checks": [], "errors": {}, "warnings": [], "cost": null,
    }))
    .unwrap()
}
