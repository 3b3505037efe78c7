//! `floodgate --cloud`, as a pipeline calls it.

use super::shop;
use crate::execution::{PROJECT, arrivals, eventually};
use crate::stack::Stack;
use floodgate_core::execution::control::StopReason;
use floodgate_core::execution::record::Status;
use floodgate_core::execution::summary::Summary;
use std::path::Path;
use std::process::{Command, Output};

/// Runs the program in a folder, for a stack.
fn floodgate(stack: &Stack, folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_floodgate"));
    command
        .args(arguments)
        .arg("--cloud")
        .current_dir(folder)
        .env_remove("FLOODGATE_OUT")
        .envs(stack.environment())
        .env("USER", "ann");
    command
}

/// Waits for it without holding up what else this test does.
async fn output(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap()
}

#[track_caller]
fn expect(output: &Output, code: i32) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(
        output.status.code(),
        Some(code),
        "stdout: {out}\nstderr: {errors}"
    );
    out
}

#[tokio::test]
#[ignore = "needs the emulator: cargo xtask test"]
async fn a_pipeline_runs_a_file_and_gets_its_verdict() {
    let (stack, shop, folder) = (Stack::shared().await, shop(), tempfile::tempdir().unwrap());
    let definition = arrivals(
        "piped",
        "${env:SHOP}",
        (50, "3s"),
        2,
        "thresholds:\n  http_reqs: [count==150]",
    );
    std::fs::write(folder.path().join("test.yaml"), definition).unwrap();
    let mut command = floodgate(&stack, folder.path(), &["run", "test.yaml", "--json"]);
    command.env("SHOP", shop.url());
    let said = expect(&output(command).await, 0);
    let summary: Summary = serde_json::from_str(&said).unwrap();
    assert_eq!(
        (summary.status, summary.project.as_str()),
        (Status::Passed, PROJECT)
    );
    assert_eq!(summary.metrics["http_reqs"].values["count"], 150.0);
    assert_eq!(shop.counters().requests(), 150);
    // Records are read from the stack, as those of this machine are from their folder.
    let shown = output(floodgate(
        &stack,
        folder.path(),
        &["show", &summary.execution, "--json"],
    ))
    .await;
    assert_eq!(
        serde_json::from_str::<Summary>(&expect(&shown, 0)).unwrap(),
        summary
    );
    let listed = output(floodgate(&stack, folder.path(), &["runs"])).await;
    assert!(expect(&listed, 0).contains(&summary.execution[..6]));
}

#[tokio::test]
#[ignore = "needs the emulator: cargo xtask test"]
async fn a_person_aborts_a_run_from_another_terminal() {
    let (stack, shop, folder) = (Stack::shared().await, shop(), tempfile::tempdir().unwrap());
    let definition = arrivals("aborted", &shop.url(), (50, "60s"), 2, "");
    std::fs::write(folder.path().join("test.yaml"), definition).unwrap();
    let started = output(floodgate(
        &stack,
        folder.path(),
        &["run", "test.yaml", "--detach"],
    ))
    .await;
    let id = expect(&started, 0).trim().to_owned();
    eventually("the load", || shop.counters().requests() > 100).await;
    expect(
        &output(floodgate(&stack, folder.path(), &["abort", &id])).await,
        0,
    );
    let followed = output(floodgate(&stack, folder.path(), &["attach", &id])).await;
    expect(&followed, 105);
    let records = &stack.records;
    let record = floodgate_store::RecordStore::get(records, Some(PROJECT), &id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(record.status, Status::Aborted);
    assert_eq!(
        record.stopped_by.clone().unwrap().reason,
        StopReason::Person
    );
    let run = stack.found(record.run_arn.as_deref().unwrap(), &id);
    let ended = run.end().await;
    ended.expect(Status::Aborted, "Floodgate.Aborted");
    ended.expect_requests_of(shop.counters());
}
