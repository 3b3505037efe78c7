//! A second protocol beside HTTP: a folder, and the line below. It goes through executor, recorder, flusher and merge to a summary.
#![allow(clippy::unwrap_used)]

mod line;

use floodgate_core::definition::model::{Executor, ThresholdSpec};
use floodgate_core::execution::redact::Redactor;
use floodgate_core::execution::summarise::{Conclusion, Finished, conclude};
use floodgate_core::fold::Folding;
use floodgate_core::merge::Merger;
use floodgate_core::schedule::{Segment, schedule};
use floodgate_core::shard::decode;
use floodgate_core::threshold::Thresholds;
use floodgate_generator::TaskEnvironment;
use floodgate_generator::clock::Clock;
use floodgate_generator::executor::{self, ScenarioRunner};
use floodgate_generator::flush::{self, Delivered, FlushConfig, Flushed};
use floodgate_generator::limits::TaskLimits;
use floodgate_generator::recorder::{Closed, SeriesBudget, Window, WorkerRecorder};
use floodgate_generator::timer::Timer;
use floodgate_records::connections::Connections;
use floodgate_records::engine::Engine;
use floodgate_records::execution::{AppliedLoad, Completeness, Execution};
use floodgate_records::keys::ExecutionKeys;
use floodgate_records::manifest::{Health, Manifest, ScriptSays, TaskOutcome};
use floodgate_records::metric::{Contains, Tags};
use floodgate_records::status::Status;
use floodgate_store::ObjectStore;
use floodgate_store::local::LocalStore;
use line::LineVus;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;
use tokio::runtime::{Builder, LocalOptions};

const START_MS: i64 = 1_700_000_000_000;
const ITERATIONS: u64 = 20;
/// Each fourth.
const FAILED: u64 = 5;

/// Answers each line but `bye`, which ends the connection. Its threads end with their connections, the last with the process.
fn server() -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            std::thread::spawn(move || {
                for line in BufReader::new(stream.try_clone().unwrap()).lines() {
                    match line.as_deref() {
                        Ok("hello") => stream.write_all(b"hello to you\n").unwrap(),
                        _ => return,
                    }
                }
            });
        }
    });
    address
}

fn config() -> FlushConfig {
    FlushConfig {
        execution: "x".into(),
        task: 0,
        segment: "1/1".into(),
        start_ms: START_MS,
        flush_s: 10,
        phase_s: 10,
        marks: Vec::new(),
        live: Duration::from_secs(1),
        workers: 1,
        usable_cpus: 1.0,
        limits: TaskLimits::of_process(),
        redactor: Arc::new(Redactor::new(&[], [])),
    }
}

/// One worker's part: two VUs that share the iterations.
fn work(server: SocketAddr, to_flusher: Sender<Closed>, recycled: Receiver<Window>) {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build_local(LocalOptions::default())
        .unwrap();
    runtime.block_on(async {
        let clock = Clock::start();
        let timer = Timer::new(clock).unwrap();
        let driving = tokio::task::spawn_local(Rc::clone(&timer).drive());
        let start = clock.now();
        let budget = Arc::new(SeriesBudget::new(100, Folding::default()));
        let mut recorder = WorkerRecorder::new(0, start, budget, to_flusher, recycled);
        let series = recorder.scenario_series(&Tags::new().with("scenario", "lines"));
        let recorder = Rc::new(RefCell::new(recorder));
        let runner = ScenarioRunner {
            timer,
            stop: Rc::default(),
            recorder: Rc::clone(&recorder),
            series,
            first_iteration: 0,
            begin: start,
            graceful_stop: Duration::from_secs(30),
            pace: None,
            counters: Rc::default(),
            vus: LineVus {
                server,
                clock,
                recorder: Rc::clone(&recorder),
            },
        };
        let load = Executor::SharedIterations {
            vus: 2,
            iterations: ITERATIONS,
            max_duration: Duration::from_secs(60),
        };
        executor::run(
            Rc::new(runner),
            schedule(&load, &Segment::of_weights(&[1], 0).unwrap()),
        )
        .await;
        driving.abort();
        drop(driving.await);
        let recorder = Rc::into_inner(recorder).unwrap().into_inner();
        recorder.finish(clock.now());
    });
}

fn record() -> Execution {
    Execution {
        version: "1".into(),
        engine: Engine::Http.into(),
        started_ms: Some(START_MS),
        ended_ms: Some(START_MS + 1_000),
        status: Status::Merging,
        ..Execution::created("x", "p", "lines", START_MS)
    }
}

fn manifest(flushed: Flushed, delivered: Delivered) -> Manifest {
    Manifest {
        schema: Manifest::SCHEMA,
        execution: "x".into(),
        task: 0,
        outcome: TaskOutcome::Completed,
        planned_start_ms: START_MS,
        start_skew_us: 0,
        ended_ms: START_MS + 1_000,
        connections: Connections::default(),
        shards: delivered.shards,
        unwritten: delivered.unwritten,
        totals: flushed.totals,
        durations: flushed.durations,
        script: ScriptSays::default(),
        kept_tags: Vec::new(),
        health: Health::default(),
        warnings: Vec::new(),
    }
}

/// What a run of these shards amounts to.
fn concluded(manifest: Manifest, shards: &[Vec<u8>]) -> Conclusion {
    let mut merger = Merger::new("x", Vec::new()).unwrap();
    for shard in shards {
        assert!(merger.push(&decode(shard).unwrap()).unwrap());
    }
    let merged = merger.finish().unwrap();
    let threshold = ThresholdSpec::new::<&str, &str>;
    let thresholds = Thresholds::compile(&[
        threshold("line_req_failed", "rate==0.25"),
        threshold("line_reqs{error_code:connection_closed}", "count==5"),
        threshold("line_req_duration", "p(95)<60000"),
    ]);
    let count = shards.len() as u64;
    conclude(&Finished {
        execution: &record(),
        source: &merged.totals,
        duration: Duration::from_secs(1),
        warmup: Duration::ZERO,
        course: None,
        completeness: Completeness {
            tasks_expected: 1,
            tasks_reported: 1,
            tasks_lost: Vec::new(),
            shards_expected: count,
            shards_merged: count,
            shards_excluded: Vec::new(),
            disagreements: Vec::new(),
        },
        applied: AppliedLoad {
            iterations: ITERATIONS,
            ..AppliedLoad::default()
        },
        manifests: &[manifest],
        thresholds: &thresholds.unwrap(),
        baseline: None,
        comparison: None,
        compared_metrics: &[],
        capacity: None,
        baseline_missing: &[],
        tolerance: 0.0,
        min_applied_load: 0.0,
        min_completed_load: 0.0,
        expects_requests: false,
        silent_scenarios: Vec::new(),
        unobserved: &BTreeMap::new(),
        stop: None,
        errors: &[],
    })
}

#[test]
fn a_second_protocol_goes_through_to_the_summary() {
    let folder = tempfile::tempdir().unwrap();
    let store: Arc<dyn ObjectStore> = Arc::new(LocalStore::open(folder.path()).unwrap());
    let keys = ExecutionKeys::new("p", "x");
    let (to_flusher, windows) = channel();
    let (back, recycled) = channel();
    let (outbox, delivery) = flush::outbox(
        Arc::clone(&store),
        keys.clone(),
        0,
        TaskEnvironment::default(),
    );
    let flusher = std::thread::spawn(move || flush::run(config(), outbox, &windows, vec![back]));
    let address = server();
    let worker = std::thread::spawn(move || work(address, to_flusher, recycled));
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let delivered = runtime.block_on(delivery.run());
    worker.join().unwrap();
    let flushed = flusher.join().unwrap();
    assert_eq!(flushed.warnings, [""; 0]);
    assert_eq!(flushed.totals.iterations, ITERATIONS);
    assert_eq!(flushed.totals.http_reqs, 0, "none of them is HTTP's");

    let shards: Vec<_> = delivered
        .shards
        .iter()
        .map(|entry| {
            let object = runtime.block_on(store.get(&keys.shard(0, entry.seq)));
            object.unwrap().unwrap().to_vec()
        })
        .collect();
    let conclusion = concluded(manifest(flushed, delivered), &shards);
    for outcome in &conclusion.thresholds {
        assert!(outcome.observed.is_some(), "{outcome:?}");
    }
    let metrics = &conclusion.summary.metrics;
    let value = |metric: &str, name: &str| metrics[metric].values[name];
    assert_eq!(value("line_reqs", "count"), ITERATIONS as f64);
    assert_eq!(value("line_req_failed", "passes"), FAILED as f64);
    assert_eq!(
        value("line_reqs{error_code:connection_closed}", "count"),
        FAILED as f64
    );
    for trend in line::LINE.trends {
        let metric = &metrics[trend.metric];
        assert_eq!(metric.contains, Contains::Time, "{}", trend.metric);
        assert_eq!(
            metric.values["count"], ITERATIONS as f64,
            "{}",
            trend.metric
        );
    }
    // Two connections to begin with, and one for each that the server closed before somebody had more to send.
    let connecting = &metrics["line_req_connecting"].values;
    assert_eq!(connecting["min"], 0.0, "a connection is used again");
    assert!(value("data_received", "count") > 0.0);
}
