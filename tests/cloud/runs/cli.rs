//! `floodgate --cloud`, as a pipeline calls it.

use super::shop;
use crate::execution::{PROJECT, arrivals, eventually};
use crate::stack::Stack;
use floodgate_records::audit::Action;
use floodgate_records::control::StopReason;
use floodgate_records::status::Status;
use floodgate_records::summary::Summary;
use floodgate_store::RecordStore as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Runs the program in a folder, for a stack.
pub(super) fn floodgate(stack: &Stack, folder: &Path, arguments: &[&str]) -> Command {
    floodgate_as(&format!("runner-{PROJECT}"), stack, folder, arguments)
}

/// The same in the name of another role or policy of the stack.
pub(super) fn floodgate_as(
    role: &str,
    stack: &Stack,
    folder: &Path,
    arguments: &[&str],
) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_floodgate"));
    command
        .args(arguments)
        .arg("--cloud")
        .current_dir(folder)
        .env_remove("FLOODGATE_OUT")
        .envs(stack.environment(role))
        .env("USER", "ann");
    command
}

/// Waits for it without holding up what else this test does.
pub(super) async fn output(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap()
}

#[track_caller]
pub(super) fn expect(output: &Output, code: i32) -> String {
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
        &["show", &summary.execution, "--json", "--project", PROJECT],
    ))
    .await;
    assert_eq!(
        serde_json::from_str::<Summary>(&expect(&shown, 0)).unwrap(),
        summary
    );
    let arguments = ["runs", "--project", PROJECT, "--limit", "100"];
    let listed = output(floodgate(&stack, folder.path(), &arguments)).await;
    assert!(expect(&listed, 0).contains(&summary.execution[..6]));
    // Whoever runs those that have no name of their own finds nothing of it there.
    let others =
        |arguments: &[&str]| output(floodgate_as("runner-all", &stack, folder.path(), arguments));
    let listed = others(&["runs", "--project", "nobodys"]).await;
    assert_eq!(expect(&listed, 0), "");
    let shown = others(&["show", &summary.execution[..20], "--project", "nobodys"]).await;
    expect(&shown, 104);
    // Whoever looks after the stack finds it among the runs of all projects.
    let operator =
        |arguments: &[&str]| output(floodgate_as("operator", &stack, folder.path(), arguments));
    let of_test = ["--project", PROJECT, "--test", "piped"];
    for bounds in [&["--limit", "100"][..], &of_test[..2], &of_test[..]] {
        let listed = operator(&[&["runs"], bounds].concat()).await;
        assert!(
            expect(&listed, 0).contains(&summary.execution[..6]),
            "{bounds:?}"
        );
    }
    let listed = output(floodgate(
        &stack,
        folder.path(),
        &[&["runs"], &of_test[..]].concat(),
    ))
    .await;
    assert!(expect(&listed, 0).contains(&summary.execution[..6]));
    let shown = operator(&["show", &summary.execution[..20], "--json"]).await;
    assert_eq!(
        serde_json::from_str::<Summary>(&expect(&shown, 0)).unwrap(),
        summary
    );
}

/// Runs of a project that has no name of its own, by whoever may start those.
#[tokio::test]
#[ignore = "needs the emulator: cargo xtask test"]
async fn a_project_without_a_name_of_its_own_runs_too() {
    let (stack, shop, folder) = (Stack::shared().await, shop(), tempfile::tempdir().unwrap());
    let definition = arrivals("small", &shop.url(), (50, "2s"), 1, "");
    let definition = definition.replace(&format!("project: {PROJECT}"), "project: small");
    std::fs::write(folder.path().join("test.yaml"), definition).unwrap();
    // As `terraform output -json` has it. Without it the machine of such a project is found by asking for one of its own first.
    let connection = folder.path().join(".floodgate");
    std::fs::create_dir(&connection).unwrap();
    std::fs::write(connection.join("cloud.json"), stack.outputs().to_string()).unwrap();
    let arguments = ["run", "test.yaml", "--json"];
    let mut command = floodgate_as("runner-all", &stack, folder.path(), &arguments);
    command.env_remove("FLOODGATE_STACK");
    let run = output(command).await;
    let summary: Summary = serde_json::from_str(&expect(&run, 0)).unwrap();
    assert_eq!(
        (summary.project.as_str(), summary.status),
        ("small", Status::Passed)
    );
    assert_eq!(shop.counters().requests(), 100);
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
    // It is whoever looks after the stack, who may for all projects.
    let operator =
        |arguments: &[&str]| output(floodgate_as("operator", &stack, folder.path(), arguments));
    expect(&operator(&["abort", &id]).await, 0);
    expect(&operator(&["attach", &id]).await, 105);
    let records = &stack.records;
    let record = records.get(Some(PROJECT), &id).await.unwrap().unwrap();
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

/// Ctrl-C stops the run in order; the record and the audit trail say who it was.
#[tokio::test]
#[ignore = "needs the emulator: cargo xtask test"]
async fn ctrl_c_aborts_the_run_in_the_callers_name() {
    let (stack, shop, folder) = (Stack::shared().await, shop(), tempfile::tempdir().unwrap());
    let definition = arrivals("interrupted", &shop.url(), (50, "60s"), 1, "");
    std::fs::write(folder.path().join("test.yaml"), definition).unwrap();
    let id = ulid::Ulid::generate().to_string();
    let mut command = floodgate(&stack, folder.path(), &["run", "test.yaml", "--id", &id]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let running = command.spawn().unwrap();
    eventually("the load", || shop.counters().requests() > 100).await;
    let killed = Command::new("kill")
        .args(["-INT", &running.id().to_string()])
        .status();
    assert!(killed.unwrap().success());
    let ended = tokio::task::spawn_blocking(move || running.wait_with_output().unwrap());
    expect(&ended.await.unwrap(), 105);
    let records = &stack.records;
    let record = records.get(Some(PROJECT), &id).await.unwrap().unwrap();
    let stop = record.stopped_by.unwrap();
    assert_eq!(
        (record.status, stop.reason),
        (Status::Aborted, StopReason::Person)
    );
    let trail = records.audit_trail(PROJECT).await.unwrap();
    let orders: Vec<_> = trail
        .iter()
        .filter(|e| e.execution == id && e.action == Action::Abort)
        .collect();
    assert_eq!(orders.len(), 1, "{orders:?}");
    assert_eq!(orders[0].principal, stop.by);
    let caller =
        "arn:aws:sts::000000000000:assumed-role/floodgate-eu-west-1-runner-cloud/floodgate";
    assert_eq!(stop.by, caller);
}
