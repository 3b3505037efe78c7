//! What it costs a task to deliver to S3 instead of a folder: the same closed loop, the same process, another store.
//!
//! ```text
//! shards sink                               a stand-in for S3; prints its address
//! shards folder URL SECONDS FOLDER          64 connections as fast as they go, objects in a folder
//! shards s3 URL SECONDS http://ADDRESS      objects in S3 at that address
//! ```
//! A run prints its requests, the CPU time of the process and that of its control thread, which does all the reading and
//! writing of objects, in seconds. Intervals are those of the smallest run on AWS: a shard each 10 s, a live object each 2 s, two
//! looks a second for the order to stop; no larger run asks for more. `cargo xtask bench cloud-shards` compares.
#![allow(clippy::unwrap_used)]

#[path = "../tests/tasks/plan.rs"]
#[expect(dead_code, reason = "the definition here is another")]
mod plan;
#[path = "../tests/tasks/s3.rs"]
#[expect(dead_code, reason = "nobody looks into the stand-in here")]
mod s3;

use floodgate_core::definition::Resolver;
use floodgate_generator::clock::unix_ms;
use floodgate_generator::{Config, TaskEnvironment, run};
use floodgate_records::control::Start;
use floodgate_records::keys::{DEFINITION_FILE, ExecutionKeys, definition_file};
use floodgate_records::manifest::Manifest;
use floodgate_records::plan::Plan;
use floodgate_store::ObjectStore;
use floodgate_store::aws::sdk_config;
use floodgate_store::local::LocalStore;
use floodgate_store::s3::S3Store;
use rustix::time::{ClockId, clock_gettime};
use std::sync::Arc;
use std::time::Duration;

const CONNECTIONS: u32 = 64;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["sink"] => {
            let (_sink, addr) = s3::S3::start();
            println!("http://{addr}");
            loop {
                std::thread::park();
            }
        }
        [kind @ ("folder" | "s3"), url, seconds, place] => {
            // The control thread is this one.
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            let seconds = seconds.parse().unwrap();
            let manifest = runtime.block_on(async {
                let store: Arc<dyn ObjectStore> = if kind == "s3" {
                    Arc::new(S3Store::new(&sdk_config().await, "bucket"))
                } else {
                    Arc::new(LocalStore::open(place).unwrap())
                };
                load(store, url, seconds).await
            });
            assert!(manifest.warnings.is_empty(), "{:?}", manifest.warnings);
            println!(
                "{} {:.6} {:.6}",
                manifest.totals.http_reqs,
                cpu_s(ClockId::ProcessCPUTime),
                cpu_s(ClockId::ThreadCPUTime)
            );
        }
        _ => panic!("usage: shards sink | shards folder|s3 URL SECONDS FOLDER|ADDRESS"),
    }
}

fn cpu_s(clock: ClockId) -> f64 {
    let time = clock_gettime(clock);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// Runs one task to its end.
async fn load(store: Arc<dyn ObjectStore>, url: &str, seconds: u64) -> Manifest {
    let plan = Plan {
        deadline_ms: unix_ms() + 600_000,
        flush_interval_ms: 10_000,
        live_interval_ms: 2_000,
        control_interval_ms: 500,
        ..plan::plan()
    };
    let definition = format!(
        r#"{{"version":1,"project":"p","test":"t","target":"{url}","scenarios":{{"s":{{"executor":"constant-vus",
            "vus":{CONNECTIONS},"duration":"{seconds}s","flow":[{{"get":"/","name":"home","checks":["status == 200"]}}]}}}}}}"#
    );
    let keys = ExecutionKeys::new(&plan.project, &plan.execution);
    let key = definition_file(&plan.project, &plan.test, &plan.version, DEFINITION_FILE);
    store.put(&key, definition.into()).await.unwrap();
    let bytes = serde_json::to_vec(&plan).unwrap();
    store.put(&keys.plan(), bytes.into()).await.unwrap();
    let start = Start {
        start_ms: unix_ms() + 1_000,
    };
    let bytes = serde_json::to_vec(&start).unwrap();
    store.put(&keys.start(), bytes.into()).await.unwrap();
    let config = Config {
        project: plan.project,
        execution: plan.execution,
        task: 0,
        workers: Some(1),
        resolver: Arc::new(Nothing),
        environment: TaskEnvironment {
            patience: Duration::from_secs(30),
            ..TaskEnvironment::default()
        },
    };
    let (_stop, stopped) = tokio::sync::watch::channel(None);
    run(config, store, stopped).await.unwrap()
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
