//! Tasks below a limit that their containers cannot see, as on Fargate: one that has no CPU left is never taken for a good one.

use super::cli::{floodgate, output};
use super::shop;
use crate::execution::PROJECT;
use crate::stack::{Stack, has_engine};
use floodgate_records::manifest::LimitSource;
use floodgate_records::status::Status;
use floodgate_records::summary::Summary;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A task's size, in CPU units and MiB.
type Size = (u32, u32);
/// Users of a closed loop, how long they go on in seconds, and their pause after each request in ms.
type Load = (u32, u32, u32);

/// More than any task here can send.
const OVERLOAD: Load = (20, 25, 0);
/// Long enough that a JVM's first seconds, in which it compiles, are less than a tenth.
const ROOM: Load = (1, 70, 1_000);

fn fixture(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cloud/runs/limits");
    folder.join(name)
}

/// Runs one task of this size with that load.
async fn run(engine: &str, what: &str, folder: &Path, size: Size, load: Load) -> Summary {
    let (stack, shop) = (Stack::shared().await, shop());
    let (url, port) = (shop.url(), shop.addr().port());
    let ((cpu, memory), (users, seconds, pause_ms)) = (size, load);
    let kind = if pause_ms == 0 { "full" } else { "room" };
    let definition = format!(
        "version: 1\nproject: {PROJECT}\ntest: limits-{engine}-{cpu}-{kind}\ntarget: {url}\nrun: {{tasks: 1, cpu: {cpu}, memory: \
         {memory}}}\n{}",
        what.replace("USERS", &users.to_string())
            .replace("SECONDS", &seconds.to_string())
            .replace("PAUSE_MS", &pause_ms.to_string())
            .replace("PORT", &port.to_string())
    );
    std::fs::write(folder.join("test.yaml"), definition).unwrap();
    let command = floodgate(&stack, folder, &["run", "test.yaml", "--json"]);
    let output = output(command).await;
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// Holds the task's own account of its limits against what it was asked for with, and its end against the load.
fn expect(summary: &Summary, size: Size, status: Status) {
    let said = format!(
        "{:?} {:?} {:?}",
        summary.reasons, summary.warnings, summary.generators
    );
    assert_eq!(summary.status, status, "{said}");
    let task = &summary.generators[0];
    assert_eq!(task.limits.cpus, f64::from(size.0) / 1_024.0, "{said}");
    let told = |from| from == Some(LimitSource::TaskMetadata);
    assert!(told(task.limits.cpus_from), "{said}");
    assert_eq!(
        task.limits.memory_bytes,
        Some(u64::from(size.1) << 20),
        "{said}"
    );
    let reason = "had no CPU left";
    let is_saturated = summary.reasons.iter().any(|r| r.contains(reason));
    assert_eq!(is_saturated, status == Status::Inconclusive, "{said}");
}

/// One overloaded task at a time: a machine that cannot give each what it was promised would hold them back below their limits.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

async fn overloaded(engine: &str, what: &str, folder: &Path, size: Size) -> Summary {
    let _alone = ALONE.lock().await;
    let mut summary = run(engine, what, folder, size, OVERLOAD).await;
    for _ in 0..4 {
        if !got_less(&summary) {
            break;
        }
        summary = run(engine, what, folder, size, OVERLOAD).await;
    }
    summary
}

/// Whether the machine gave the task less than its limit, as the record says: nothing can be told of the limit then.
fn got_less(summary: &Summary) -> bool {
    let said = "although CPU use left room";
    summary.warnings.iter().any(|text| text.contains(said))
}

async fn both(engine: &str, what: &str, folder: &Path, small: Size, large: Size) {
    if engine != "http" && !has_engine(engine) {
        eprintln!("skipped: the emulated stack has no image of {engine}");
        return;
    }
    let full = overloaded(engine, what, folder, small).await;
    expect(&full, small, Status::Inconclusive);
    let room = run(engine, what, folder, large, ROOM).await;
    expect(&room, large, Status::Passed);
}

const SCRIPT: &str =
    "parameters: {users: USERS, seconds: SECONDS, pause_ms: PAUSE_MS, port: PORT}\n";

#[tokio::test]
#[ignore = "needs the emulator: cargo xtask test"]
async fn a_native_task_knows_a_quarter_and_half_of_a_cpu() {
    let what = "scenarios:\n  one:\n    executor: constant-vus\n    vus: USERS\n    duration: SECONDSs\n    flow:\n      - get: /\n      \
                - think: PAUSE_MSms\n";
    let folder = tempfile::tempdir().unwrap();
    both("http", what, folder.path(), (256, 512), (256, 512)).await;
    let half = overloaded("http", what, folder.path(), (512, 1_024)).await;
    expect(&half, (512, 1_024), Status::Inconclusive);
}

#[tokio::test]
#[ignore = "needs the emulator: cargo xtask test"]
async fn a_task_of_k6_knows_its_limit() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(fixture("closed.js"), folder.path().join("closed.js")).unwrap();
    let what = format!("engine: k6\nscript: closed.js\n{SCRIPT}");
    both("k6", &what, folder.path(), (256, 512), (256, 512)).await;
}

#[tokio::test]
#[ignore = "needs the emulator: cargo xtask test"]
async fn a_task_of_jmeter_knows_its_limit() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(fixture("closed.jmx"), folder.path().join("closed.jmx")).unwrap();
    let what = format!("engine: jmeter\nscript: closed.jmx\n{SCRIPT}");
    both("jmeter", &what, folder.path(), (512, 2_048), (1_024, 2_048)).await;
}

#[tokio::test]
#[ignore = "needs the emulator: cargo xtask test"]
async fn a_task_of_gatling_knows_its_limit() {
    let Some(home) = std::env::var_os("FLOODGATE_GATLING").map(PathBuf::from) else {
        eprintln!("skipped: FLOODGATE_GATLING is not set");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let classes = folder.path().join("load-tests/target/test-classes");
    std::fs::create_dir_all(&classes).unwrap();
    std::fs::write(folder.path().join("load-tests/pom.xml"), "<project/>").unwrap();
    let compiled = Command::new("javac")
        .arg("-cp")
        .arg(home.join("lib/*"))
        .arg("-d")
        .args([&classes, &fixture("Closed.java")])
        .status();
    assert!(compiled.unwrap().success());
    let what = format!("engine: gatling\nscript: load-tests/\n{SCRIPT}");
    both(
        "gatling",
        &what,
        folder.path(),
        (512, 2_048),
        (1_024, 2_048),
    )
    .await;
}
