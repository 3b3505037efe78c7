//! The program of the container as a process of its own, against a stand-in for S3.

use crate::plan::{EXECUTION, definition, plan};
use crate::s3::S3;
use floodgate_core::shard::decode;
use floodgate_generator::clock::unix_ms;
use floodgate_records::control::{Ready, Start};
use floodgate_records::keys::{DEFINITION_FILE, ExecutionKeys, definition_file};
use floodgate_records::manifest::{Manifest, TaskOutcome};
use floodgate_records::plan::Plan;
use floodgate_testserver::TestServer;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

const PROGRAM: &str = env!("CARGO_BIN_EXE_floodgate-generator");
fn keys() -> ExecutionKeys {
    ExecutionKeys::new("p", EXECUTION)
}

/// Where an object lies in the stand-in.
fn path(key: &str) -> String {
    format!("bucket/{key}")
}

fn program(s3: SocketAddr, deadline_ms: i64) -> Command {
    let mut program = Command::new(PROGRAM);
    program
        .env_clear()
        .env("AWS_ENDPOINT_URL", format!("http://{s3}"))
        .env("AWS_REGION", "eu-west-1")
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("FLOODGATE_BUCKET", "bucket")
        .env("FLOODGATE_BUCKET_REGION", "eu-west-1")
        .env("FLOODGATE_PROJECT", "p")
        .env("FLOODGATE_EXECUTION", EXECUTION)
        .env("FLOODGATE_TASK", "0")
        .env("FLOODGATE_DEADLINE_MS", deadline_ms.to_string())
        .stderr(Stdio::piped());
    program
}

fn prepare(s3: &S3, target: &str, duration: &str) {
    let definition = definition("${env:TARGET}", duration);
    let plan = Plan {
        live_interval_ms: 1_000,
        control_interval_ms: 400,
        env: BTreeMap::from([("TARGET".to_owned(), target.to_owned())]),
        ..plan()
    };
    s3.put(
        &path(&definition_file("p", "t", "v", DEFINITION_FILE)),
        definition,
    );
    s3.put(&path(&keys().plan()), serde_json::to_vec(&plan).unwrap());
}

fn wait_for(s3: &S3, child: &mut Child, key: &str) -> Vec<u8> {
    loop {
        if let Some(object) = s3.get(&path(key)) {
            return object;
        }
        assert!(
            child.try_wait().unwrap().is_none(),
            "it ended before it wrote {key}"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn begin(s3: &S3, child: &mut Child) {
    let ready: Ready = serde_json::from_slice(&wait_for(s3, child, &keys().ready(0))).unwrap();
    assert!(ready.host.starts_with("pid "), "{ready:?}");
    let start = Start {
        start_ms: unix_ms() + 500,
    };
    s3.put(&path(&keys().start()), serde_json::to_vec(&start).unwrap());
}

fn lines(output: &Output) -> Vec<serde_json::Value> {
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .collect()
}

fn manifest(s3: &S3) -> Manifest {
    serde_json::from_slice(&s3.get(&path(&keys().manifest(0))).unwrap()).unwrap()
}

fn http_reqs(s3: &S3, manifest: &Manifest) -> u64 {
    let of = |seq: u32| -> u64 {
        let shard = decode(&s3.get(&path(&keys().shard(0, seq))).unwrap()).unwrap();
        shard
            .rows
            .iter()
            .filter(|row| row.key.metric == "http_reqs")
            .map(|row| row.count)
            .sum()
    };
    manifest.shards.iter().map(|entry| of(entry.seq)).sum()
}

#[test]
fn a_task_runs_from_ready_to_manifest() {
    let target = TestServer::start(floodgate_testserver::Config::fast()).unwrap();
    let (s3, addr) = S3::start();
    prepare(&s3, &target.url(), "3s");
    let mut child = program(addr, unix_ms() + 60_000).spawn().unwrap();
    begin(&s3, &mut child);
    let output = child.wait_with_output().unwrap();
    let lines = lines(&output);
    assert_eq!(output.status.code(), Some(0), "{lines:#?}");
    let manifest = manifest(&s3);
    assert_eq!(manifest.outcome, TaskOutcome::Completed);
    assert_eq!(
        (manifest.totals.http_reqs, http_reqs(&s3, &manifest)),
        (300, 300)
    );
    assert_eq!(target.counters().requests(), 300);
    let messages: Vec<_> = lines
        .iter()
        .map(|line| line["message"].as_str().unwrap())
        .collect();
    for step in ["prepared", "ready", "completed"] {
        assert!(messages.contains(&step), "{messages:?}");
    }
    assert!(
        lines
            .iter()
            .all(|line| line["execution"] == EXECUTION && line["task"] == 0)
    );
    // 400 ms between two looks: what a run of a few seconds may cost in requests is bounded, however slow the machine.
    let looks = s3.count(&format!("GET {}", path(&keys().stop())));
    let ended = u64::try_from(manifest.ended_ms - manifest.planned_start_ms).unwrap();
    assert!(looks <= 5 + (ended + 60_000) / 400, "{looks} looks");
}

#[test]
fn sigterm_stops_the_load_and_leaves_a_manifest() {
    let target = TestServer::start(floodgate_testserver::Config::fast()).unwrap();
    let (s3, addr) = S3::start();
    prepare(&s3, &target.url(), "1h");
    let mut child = program(addr, unix_ms() + 120_000).spawn().unwrap();
    begin(&s3, &mut child);
    wait_for(&s3, &mut child, &keys().shard(0, 1));
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{:#?}", lines(&output));
    let manifest = manifest(&s3);
    assert_eq!(
        manifest.outcome,
        TaskOutcome::Stopped {
            by: "SIGTERM".to_owned()
        }
    );
    assert_eq!(http_reqs(&s3, &manifest), manifest.totals.http_reqs);
    assert_eq!(target.counters().requests(), manifest.totals.http_reqs);
}

#[test]
fn the_deadline_holds_when_s3_never_answers() {
    let (s3, addr) = S3::start();
    s3.fall_silent(true);
    let output = program(addr, unix_ms() + 1_000).output().unwrap();
    assert_eq!(output.status.code(), Some(97));
    let lines = lines(&output);
    let last = lines.last().unwrap()["message"].as_str().unwrap();
    assert!(last.contains("stopped by deadline before"), "{last}");
}

#[test]
fn a_task_without_a_plan_says_so() {
    let (_s3, addr) = S3::start();
    let output = program(addr, unix_ms() + 60_000).output().unwrap();
    assert_eq!(output.status.code(), Some(97));
    let lines = lines(&output);
    let last = lines.last().unwrap()["message"].as_str().unwrap();
    assert!(
        last.contains(&keys().plan()) && last.contains("not found"),
        "{last}"
    );
}

#[test]
fn an_environment_that_will_not_do_is_named_and_nothing_is_tried() {
    let output = Command::new(PROGRAM)
        .env_clear()
        .env("FLOODGATE_TASK", "x")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(97));
    let messages: Vec<_> = lines(&output)
        .iter()
        .map(|line| line["message"].to_string())
        .collect();
    assert_eq!(messages.len(), 6, "{messages:#?}");
    assert!(
        messages[0].contains("FLOODGATE_BUCKET is not set"),
        "{messages:#?}"
    );
}

#[test]
fn arguments_are_few() {
    let call = |argument: &str| {
        Command::new(PROGRAM)
            .env_clear()
            .arg(argument)
            .output()
            .unwrap()
    };
    let help = call("--help");
    assert!(
        help.status.success()
            && String::from_utf8(help.stdout)
                .unwrap()
                .contains("FLOODGATE_DEADLINE_MS")
    );
    let version = call("--version");
    assert!(
        String::from_utf8(version.stdout)
            .unwrap()
            .contains(env!("CARGO_PKG_VERSION"))
    );
    let unknown = call("--frobnicate");
    assert_eq!(unknown.status.code(), Some(97));
    assert!(
        String::from_utf8(unknown.stderr)
            .unwrap()
            .contains("--frobnicate")
    );
}
