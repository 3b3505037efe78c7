//! The merge of a large run, one function after the other, each a process of its own.
//!
//! `cargo xtask bench cloud-merge` runs all of it and measures each process. By hand:
//! ```text
//! cargo run --profile lambda -p floodgate-control --example merge_at_scale -- write FOLDER [MIX] [TASKS] [SECONDS]
//! … plan FOLDER      splits the merge, prints how many parts there are
//! … part FOLDER N    merges one of them
//! … finish FOLDER    puts them together and judges
//! ```
//! `plan`, `part` and `finish` call what the functions call, on a folder in place of S3. `write` makes what the tasks of such
//! a run leave behind: a shard of each task and minute, encoded as a task encodes it, and a manifest a task.
//!
//! Each task carries 1,000 requests a second, every one an iteration, without errors, connections kept alive. Response times are
//! lognormal with a median of 5 ms; one request in 100 takes five times as long. A mix has 20 series:
//! * `request`: those that the generator has for one request with one check;
//! * `trends`: the response times of 20 requests, all of them trends with a row a second. No mix costs more.
//!
//! The samples of a minute are drawn [`VARIANTS`] times, and a shard takes one of those: tasks and minutes differ, drawing
//! 3.6 billion requests would not make the merge any harder.
#![allow(clippy::unwrap_used)]

#[path = "../../core/examples/load/mod.rs"]
mod load;

use floodgate_control::collect::{MergeLimits, collect_part, load_parts, plan_parts};
use floodgate_control::load::{check, load_stored};
use floodgate_control::{Closing, PlanOptions, Stores, finish_with, load_plan, prepare};
use floodgate_core::definition::{Resolver, Source};
use floodgate_core::histogram::Histogram;
use floodgate_core::shard::{Content, Row, ShardMeta, Sources, encode, sha256_hex, window_s};
use floodgate_records::execution::{Execution, Trigger};
use floodgate_records::keys::ExecutionKeys;
use floodgate_records::manifest::{
    GeneratorLimits, Health, Manifest, ShardEntry, TaskOutcome, Totals,
};
use floodgate_records::metric::{Builtin, MetricKind, SeriesKey, Tags};
use floodgate_records::status::Status;
use floodgate_store::local::LocalStore;
use load::Random;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

const PROJECT: &str = "bench";
const ID: &str = "01JD7Q3W5Z8X9Y0A1B2C3D4E5F";
/// When the run starts, Unix ms: on a full ten seconds, as windows are.
const START: i64 = 1_700_000_000_000;
/// The interval of a run of 1,000 tasks; see `floodgate_control::sizing::Intervals`.
const SHARD_S: i64 = 60;
const REQUESTS_PER_S: u64 = 1_000;
const VARIANTS: u64 = 24;
const SERIES: u64 = 20;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let argument = |n: usize| arguments.get(n).map_or("", String::as_str);
    let number = |n: usize, default| argument(n).parse().unwrap_or(default);
    let folder = Path::new(argument(1));
    let store = Arc::new(LocalStore::open(folder).unwrap());
    let stores = Stores {
        objects: store.clone(),
        records: store.clone(),
    };
    match argument(0) {
        "write" => {
            let run = Run {
                mix: Mix::parse(argument(2)),
                tasks: number(3, 1_000),
                seconds: i64::from(number(4, 3_600)),
            };
            run.prepare(&stores).await;
            run.write(&store);
        }
        "plan" => {
            let plan = load_plan(&stores, &record(&stores).await).await.unwrap();
            let parts = plan_parts(stores.objects.as_ref(), &plan, MergeLimits::default());
            println!("{}", parts.await.unwrap().map_or(0, |parts| parts.len()));
        }
        "part" => {
            let account = collect_part(stores.objects.as_ref(), PROJECT, ID, number(2, 0));
            let account = account.await.unwrap();
            let shards = account.completeness.shards_merged;
            println!("{shards} shards, {} rows", account.rows);
        }
        "finish" => finish(&stores).await,
        other => panic!("{other:?}: write, plan, part or finish"),
    }
}

async fn record(stores: &Stores) -> Execution {
    let record = stores.records.get(Some(PROJECT), ID).await.unwrap();
    record.unwrap()
}

async fn finish(stores: &Stores) {
    let plan = load_plan(stores, &record(stores).await).await.unwrap();
    let objects = stores.objects.as_ref();
    let definition = load_stored(objects, &plan, &Nothing).await.unwrap();
    let keys = ExecutionKeys::new(PROJECT, ID);
    let closing = Closing {
        in_parts: !load_parts(objects, &keys).await.unwrap().is_empty(),
        ..Closing::default()
    };
    let finished = finish_with(stores, &plan, &definition, &closing, START);
    let execution = finished.await.unwrap().execution;
    let completeness = execution.completeness.unwrap();
    println!(
        "{}, {} of {} shards, {} requests",
        execution.status.as_str(),
        completeness.shards_merged,
        completeness.shards_expected,
        execution.applied.unwrap().http_reqs,
    );
}

/// The definition refers to nothing.
struct Nothing;

impl Resolver for Nothing {
    fn env(&self, _: &str) -> Option<String> {
        None
    }

    fn secret(&self, _: &str) -> Result<String, String> {
        Err("there are no secrets here".into())
    }

    fn file_exists(&self, _: &str) -> bool {
        false
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Mix {
    Request,
    Trends,
}

impl Mix {
    fn parse(name: &str) -> Self {
        match name {
            "request" | "" => Self::Request,
            "trends" => Self::Trends,
            other => panic!("{other:?}: request or trends"),
        }
    }
}

struct Run {
    mix: Mix,
    tasks: u32,
    seconds: i64,
}

impl Run {
    async fn prepare(&self, stores: &Stores) {
        let text = format!(
            "version: 1\nproject: {PROJECT}\ntest: merge\ntarget: http://127.0.0.1:1\n\
             scenarios:\n  browse:\n    executor: constant-arrival-rate\n    rate: {}\n    duration: {}s\n    \
             preAllocatedVUs: 100000\n    maxVUs: 100000\n    flow: [{{get: /}}]\n\
             thresholds:\n  http_req_response_time: [p(95)<500]\n",
            u64::from(self.tasks) * REQUESTS_PER_S,
            self.seconds
        );
        let source = Source {
            name: "merge.yaml",
            text: text.as_bytes(),
        };
        let loaded = check(&source, &[], &Nothing)
            .unwrap()
            .with_files(Vec::new());
        let options = PlanOptions {
            flush_interval: Duration::from_secs(SHARD_S as u64),
            ..PlanOptions::local(self.tasks, None)
        };
        let test = loaded.package(Vec::new());
        let prepared = prepare(stores, ID, &test, Trigger::default(), &options, START);
        let mut execution = prepared.await.unwrap().execution;
        execution.started_ms = Some(START);
        execution.status = Status::Running;
        let update = stores.records.update(&execution, &[Status::Preparing]);
        update.await.unwrap();
    }

    /// Writes shards and manifests, on all CPUs.
    fn write(&self, store: &LocalStore) {
        let variants: Vec<Vec<Row>> = (0..VARIANTS).map(|seed| self.minute(seed)).collect();
        let next = AtomicU32::new(0);
        let cpus = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        std::thread::scope(|scope| {
            for _ in 0..cpus {
                scope.spawn(|| {
                    loop {
                        let task = next.fetch_add(1, Ordering::Relaxed);
                        if task >= self.tasks {
                            break;
                        }
                        self.write_task(store, task, &variants);
                    }
                });
            }
        });
    }

    fn write_task(&self, store: &LocalStore, task: u32, variants: &[Vec<Row>]) {
        let keys = ExecutionKeys::new(PROJECT, ID);
        let put = |key: &str, bytes: &[u8]| {
            let path = store.path(key).unwrap();
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        };
        let mut shards = Vec::new();
        let mut http_reqs = 0;
        for seq in 0..(self.seconds / SHARD_S) as u32 {
            let start_ms = START + i64::from(seq) * SHARD_S * 1_000;
            let mut rows = variants[(task as usize * 7 + seq as usize) % variants.len()].clone();
            for row in &mut rows {
                row.time_ms += start_ms;
            }
            let requests = rows
                .iter()
                .filter(|r| r.key.metric == Builtin::HttpReqs.name());
            http_reqs += requests.map(|r| r.count).sum::<u64>();
            let meta = ShardMeta {
                content: Content::Shard,
                execution: ID.into(),
                segment: format!("{task}/{}", self.tasks),
                sources: Sources::one(task, seq),
                start_ms,
                end_ms: start_ms + SHARD_S * 1_000,
            };
            let bytes = encode(&meta, &rows).unwrap();
            put(&keys.shard(task, seq), &bytes);
            shards.push(ShardEntry {
                seq,
                rows: rows.len() as u64,
                bytes: bytes.len() as u64,
                sha256: sha256_hex(&bytes),
            });
        }
        let iterations = self.seconds as u64 * REQUESTS_PER_S;
        let manifest = Manifest {
            schema: Manifest::SCHEMA,
            execution: ID.into(),
            task,
            outcome: TaskOutcome::Completed,
            planned_start_ms: START,
            start_skew_us: i64::from(task),
            ended_ms: START + self.seconds * 1_000,
            connections: Default::default(),
            shards,
            unwritten: None,
            totals: Totals {
                http_reqs,
                iterations,
                scheduled_iterations: Some(iterations),
                ..Totals::default()
            },
            durations: Vec::new(),
            script: Default::default(),
            kept_tags: Vec::new(),
            health: Health {
                limits: GeneratorLimits {
                    cpus: 1.0,
                    ..GeneratorLimits::default()
                },
                measured_seconds: self.seconds as u64,
                ..Health::default()
            },
            warnings: Vec::new(),
        };
        put(
            &keys.manifest(task),
            &serde_json::to_vec(&manifest).unwrap(),
        );
    }

    /// The rows of a minute that begins at 0.
    fn minute(&self, seed: u64) -> Vec<Row> {
        let mut model = Model {
            random: Random::with_seed(seed),
            cells: BTreeMap::new(),
        };
        for second in 0..SHARD_S {
            for request in 0..REQUESTS_PER_S {
                match self.mix {
                    Mix::Request => model.request(second),
                    Mix::Trends => {
                        let response = model.random.waiting(MEDIAN_US, SIGMA);
                        let name = (request % SERIES) as u32;
                        model.add(Builtin::HttpReqResponseTime, name, second, response);
                    }
                }
            }
            if self.mix == Mix::Request {
                for gauge in [Builtin::Vus, Builtin::VusMax, Builtin::GeneratorCpu] {
                    model.add(gauge, 0, second, 1);
                }
            }
        }
        let rows = model.rows();
        let series: std::collections::BTreeSet<_> = rows.iter().map(|row| &row.key).collect();
        assert_eq!(series.len() as u64, SERIES);
        rows
    }
}

#[derive(Default)]
struct Cell {
    count: u64,
    sum: f64,
    min: f64,
    max: f64,
    histogram: Histogram,
}

/// Of the time to the first byte, µs.
const MEDIAN_US: f64 = 5_000.0;
const SIGMA: f64 = 0.4;

struct Model {
    random: Random,
    /// By metric, name and start of the window in s.
    cells: BTreeMap<(Builtin, u32, i64), Cell>,
}

impl Model {
    fn request(&mut self, second: i64) {
        let times = self.random.request(MEDIAN_US, SIGMA);
        let received = self.random.received();
        for (metric, value) in [
            (Builtin::HttpReqs, 1),
            (Builtin::HttpReqFailed, 0),
            (Builtin::HttpReqDuration, times.duration()),
            (Builtin::HttpReqResponseTime, times.response()),
            (Builtin::HttpReqBlocked, times.blocked),
            (Builtin::HttpReqLookingUp, 0),
            (Builtin::HttpReqConnecting, 0),
            (Builtin::HttpReqTlsHandshaking, 0),
            (Builtin::HttpReqSending, times.sending),
            (Builtin::HttpReqWaiting, times.waiting),
            (Builtin::HttpReqReceiving, times.receiving),
            (Builtin::Checks, 1),
            (Builtin::Iterations, 1),
            (Builtin::IterationDuration, times.duration() + times.blocked),
            (Builtin::GeneratorLag, times.lag),
            (Builtin::DataSent, 180),
            (Builtin::DataReceived, received),
        ] {
            self.add(metric, 0, second, value);
        }
    }

    fn add(&mut self, metric: Builtin, name: u32, second: i64, value: u64) {
        let window = i64::from(window_s(metric.name()));
        let at = (metric, name, second - second % window);
        let cell = self.cells.entry(at).or_default();
        let number = value as f64;
        cell.min = if cell.count == 0 {
            number
        } else {
            cell.min.min(number)
        };
        cell.max = cell.max.max(number);
        cell.count += 1;
        cell.sum = match metric.kind() {
            MetricKind::Gauge => number,
            _ => cell.sum + number,
        };
        if metric.kind() == MetricKind::Trend {
            cell.histogram.record(value);
        }
    }

    fn rows(self) -> Vec<Row> {
        let mut keys: BTreeMap<(Builtin, u32), Arc<SeriesKey>> = BTreeMap::new();
        let rows = self
            .cells
            .into_iter()
            .map(|((metric, name, second), cell)| {
                let key = keys
                    .entry((metric, name))
                    .or_insert_with(|| Arc::new(series(metric, name)));
                let histogram = (metric.kind() == MetricKind::Trend).then(|| {
                    let mut bytes = Vec::new();
                    cell.histogram.encode_v2(&mut bytes);
                    bytes.into()
                });
                Row {
                    time_ms: second * 1_000,
                    window_s: window_s(metric.name()),
                    key: key.clone(),
                    count: cell.count,
                    sum: cell.sum,
                    min: cell.min,
                    max: cell.max,
                    histogram,
                }
            });
        rows.collect()
    }
}

fn series(metric: Builtin, name: u32) -> SeriesKey {
    let mut tags = Tags::new().with("scenario", "browse");
    if metric.name().starts_with("http_req") || metric == Builtin::Checks {
        tags = tags
            .with("name", format!("/api/resource/{name}"))
            .with("method", "GET");
        tags = tags.with("status", "200").with("expected_response", "true");
    }
    if metric == Builtin::Checks {
        tags = tags.with("check", "status == 200");
    }
    SeriesKey {
        metric: metric.name().to_owned(),
        kind: metric.kind(),
        tags,
    }
}
