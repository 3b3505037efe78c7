//! How long the export of an hour takes: `FLOODGATE_EXPORT_TO=influxdb://… cargo test --release -p floodgate-cli an_hour -- --ignored --nocapture`.

use super::targets::of_arguments;
use crate::args::EnvArgs;
use crate::env::Environment;
use crate::local::open;
use floodgate_control::Stores;
use floodgate_core::histogram::Histogram;
use floodgate_core::shard::{Content, Effort, Row, ShardMeta, ShardWriter, Sources, window_s};
use floodgate_export::Patience;
use floodgate_exporter::export_stored;
use floodgate_records::execution::Execution;
use floodgate_records::keys::ExecutionKeys;
use floodgate_records::metric::{Builtin, MetricKind, SeriesKey, Tags};
use floodgate_records::status::Status;
use std::sync::Arc;
use std::time::Instant;

const SECONDS: i64 = 3_600;
const SERIES: usize = 20;
/// Requests a second and series: 10,000 in all.
const SAMPLES: u64 = 500;
const START_MS: i64 = 1_795_304_734_000;

fn key(metric: Builtin, tags: Tags) -> Arc<SeriesKey> {
    Arc::new(SeriesKey {
        metric: metric.name().to_owned(),
        kind: metric.kind(),
        tags,
    })
}

/// The merged windows of an hour, by time.
fn rows() -> impl Iterator<Item = Vec<Row>> {
    let request = |n: usize| {
        let tags = Tags::new().with("scenario", "browse").with("method", "GET");
        let tags = tags.with("name", format!("GET /api/items/{n}"));
        tags.with("status", "200").with("expected_response", "true")
    };
    let of_requests = Builtin::ALL
        .iter()
        .copied()
        .filter(|m| m.is_of_request() || [Builtin::HttpReqs, Builtin::HttpReqFailed].contains(m));
    let mut series: Vec<Arc<SeriesKey>> = of_requests
        .flat_map(|metric| (0..SERIES).map(move |n| key(metric, request(n))))
        .collect();
    let others = [
        Builtin::Vus,
        Builtin::VusMax,
        Builtin::DataSent,
        Builtin::DataReceived,
    ];
    series.extend(others.map(|metric| key(metric, Tags::new())));
    let mut random = 42u64;
    (0..SECONDS).map(move |second| {
        let mut rows = Vec::new();
        for key in &series {
            let window = window_s(&key.metric);
            if second % i64::from(window) != 0 {
                continue;
            }
            let count = SAMPLES * u64::from(window);
            let mut row = Row {
                time_ms: START_MS + second * 1_000,
                window_s: window,
                key: key.clone(),
                count,
                sum: count as f64,
                min: 0.0,
                max: 1.0,
                histogram: None,
            };
            if key.kind == MetricKind::Rate {
                row.sum = 1.0;
            }
            if key.kind == MetricKind::Trend {
                let mut histogram = Histogram::new();
                for _ in 0..count {
                    // xorshift64*: Vigna, ACM Transactions on Mathematical Software 42 (2016).
                    random ^= random >> 12;
                    random ^= random << 25;
                    random ^= random >> 27;
                    let unit = (random.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as f64
                        / (1u64 << 53) as f64;
                    histogram.record((2_000.0 - 8_000.0 * unit.max(1e-9).ln()) as u64);
                }
                let exact = histogram.exact();
                (row.sum, row.min, row.max) =
                    (exact.sum as f64, exact.min as f64, exact.max as f64);
                let mut bytes = Vec::new();
                histogram.encode_v2(&mut bytes);
                row.histogram = Some(bytes.into());
            }
            rows.push(row);
        }
        rows
    })
}

async fn stored(stores: &Stores) -> Execution {
    let mut execution = Execution::created("01M8080EYWF7AW9DV1PG8JMESS", "p", "hour", START_MS);
    execution.started_ms = Some(START_MS);
    execution.status = Status::Passed;
    let mut writer = ShardWriter::new(Vec::new(), Effort::Small).unwrap();
    let mut group = Vec::new();
    for rows in rows() {
        group.extend(rows);
        if group.len() >= 60_000 {
            writer.write(&group).unwrap();
            group.clear();
        }
    }
    writer.write(&group).unwrap();
    let meta = ShardMeta {
        content: Content::Merged,
        execution: execution.id.clone(),
        segment: String::new(),
        sources: Sources::one(0, 0),
        start_ms: START_MS,
        end_ms: START_MS + SECONDS * 1_000,
    };
    let bytes = writer.finish(&meta).unwrap();
    eprintln!("merged file: {} bytes", bytes.len());
    let key = ExecutionKeys::new("p", &execution.id).merged();
    stores.objects.put(&key, bytes.into()).await.unwrap();
    execution
}

#[test]
#[ignore = "measures: give it FLOODGATE_EXPORT_TO"]
fn an_hour_is_exported() {
    let urls = std::env::var("FLOODGATE_EXPORT_TO").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let env = Environment::new(&EnvArgs::default(), folder.path()).unwrap();
    let urls: Vec<_> = urls.split_whitespace().map(str::to_owned).collect();
    let targets = of_arguments(&urls, &env).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (stores, _) = open(folder.path()).unwrap();
        let execution = stored(&stores).await;
        for target in &targets {
            let (begun, cpu) = (Instant::now(), cpu_s());
            let told = export_stored(&stores, &execution, target, Patience::default(), None)
                .await
                .unwrap();
            eprintln!(
                "{target}: {} rows in {:.2?}, {:.2} s of CPU; {:?}",
                told.report.taken,
                begun.elapsed(),
                cpu_s() - cpu,
                told.problem()
            );
        }
    });
}

/// CPU time of this process in seconds.
fn cpu_s() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
