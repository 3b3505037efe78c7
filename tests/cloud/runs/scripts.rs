//! Scripts of k6, JMeter and Gatling through the state machine, in their own images: two tasks send together what one would.

use super::cli::{expect, floodgate, output};
use super::shop;
use crate::execution::PROJECT;
use crate::stack::{Stack, has_engine};
use floodgate_records::status::Status;
use floodgate_records::summary::Summary;
use floodgate_store::RecordStore as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The scripts that the tests on one machine run, too: 100 requests each.
fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/e2e/scripts")
        .join(name)
}

/// Runs a script that lies in the folder, over two tasks.
async fn run(engine: &str, script: &str, folder: &Path) {
    if !has_engine(engine) {
        eprintln!("skipped: the emulated stack has no image of {engine}");
        return;
    }
    let (stack, shop) = (Stack::shared().await, shop());
    let (url, port) = (shop.url(), shop.addr().port());
    let definition = format!(
        "version: 1\nproject: {PROJECT}\ntest: script-{engine}\nengine: {engine}\nscript: {script}\ntarget: {url}\n\
         parameters: {{port: {port}}}\nrun: {{tasks: 2, cpu: 2048, memory: 4096}}\nthresholds:\n  http_reqs: [count==100]\n  \
         \"http_req_failed{{name:home}}\": [rate==0]\n"
    );
    std::fs::write(folder.join("test.yaml"), definition).unwrap();
    let command = floodgate(&stack, folder, &["run", "test.yaml", "--json"]);
    let said = expect(&output(command).await, 0);
    let summary: Summary = serde_json::from_str(&said).unwrap();
    assert_eq!(summary.status, Status::Passed);
    assert_eq!(summary.completeness.tasks_reported, 2);
    assert_eq!(summary.metrics["http_reqs"].values["count"], 100.0);
    assert_eq!(shop.counters().requests(), 100);
    let record = stack.records.get(Some(PROJECT), &summary.execution).await;
    let record = record.unwrap().unwrap();
    assert_eq!(record.engine.as_str(), engine);
    let run = stack.found(record.run_arn.as_deref().unwrap(), &summary.execution);
    run.end().await.expect(Status::Passed, "");
}

#[tokio::test]
#[ignore = "needs the emulator: cargo xtask test"]
async fn a_script_of_k6_runs_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(fixture("browse.js"), folder.path().join("browse.js")).unwrap();
    run("k6", "browse.js", folder.path()).await;
}

#[tokio::test]
#[ignore = "needs the emulator: cargo xtask test"]
async fn a_plan_of_jmeter_runs_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(fixture("browse.jmx"), folder.path().join("browse.jmx")).unwrap();
    run("jmeter", "browse.jmx", folder.path()).await;
}

#[tokio::test]
#[ignore = "needs the emulator: cargo xtask test"]
async fn a_project_with_a_simulation_of_gatling_runs_as_it_is() {
    let Some(home) = std::env::var_os("FLOODGATE_GATLING").map(PathBuf::from) else {
        eprintln!("skipped: FLOODGATE_GATLING is not set");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let project = folder.path().join("load-tests");
    let classes = project.join("target/test-classes");
    std::fs::create_dir_all(&classes).unwrap();
    std::fs::write(project.join("pom.xml"), "<project/>").unwrap();
    let compiled = Command::new("javac")
        .arg("-cp")
        .arg(home.join("lib/*"))
        .arg("-d")
        .args([&classes, &fixture("Browse.java")])
        .status();
    assert!(compiled.unwrap().success());
    run("gatling", "load-tests/", folder.path()).await;
}
