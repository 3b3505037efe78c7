//! Permissions as Terraform gives them: enough for every run, and no more. That they are enough is what all the other tests show, since
//! every call goes through the gateway.

use super::cli::{expect, floodgate, output};
use super::shop;
use crate::execution::{PROJECT, arrivals, input};
use crate::stack::{Clients, Stack, has_engine};
use floodgate_records::estimate::Estimate;
use floodgate_records::keys::{ExecutionKeys, baseline, definition_file};
use floodgate_records::status::Status;
use floodgate_records::summary::Summary;
use floodgate_records::test::{Pin, TestRecord};
use floodgate_store::{ObjectStore as _, RecordStore as _};
use std::fmt::Debug;
use std::path::Path;

/// A script whose setup has to reach the other task.
const WITH_SETUP: &str = "import http from 'k6/http';\n\
    export const options = { scenarios: { all: { executor: 'per-vu-iterations', vus: 2, iterations: 5 } } };\n\
    export function setup() { return { path: 'echo' }; }\n\
    export default function (data) { http.get(`${__ENV.TARGET}/${data.path}`); }\n";

async fn run_with_setup(stack: &Stack, folder: &Path, url: &str) -> std::process::Output {
    std::fs::write(folder.join("setup.js"), WITH_SETUP).unwrap();
    let definition = format!(
        "version: 1\nproject: {PROJECT}\ntest: with-setup\nengine: k6\nscript: setup.js\ntarget: {url}\nrun: {{tasks: 2, cpu: 2048, \
         memory: 4096}}\n"
    );
    std::fs::write(folder.join("test.yaml"), definition).unwrap();
    output(floodgate(stack, folder, &["run", "test.yaml", "--json"])).await
}

/// The image of k6 as an argument for a stack of one's own.
const K6: [&str; 2] = ["--engine", "k6=floodgate-generator-k6:dev"];

#[tokio::test]
#[ignore = "needs the emulator: cargo xtask test"]
async fn what_a_setup_returns_reaches_the_other_task() {
    if !has_engine("k6") {
        eprintln!("skipped: the emulated stack has no image of k6");
        return;
    }
    let (stack, shop, folder) = (Stack::shared().await, shop(), tempfile::tempdir().unwrap());
    let output = run_with_setup(&stack, folder.path(), &shop.url()).await;
    let errors = String::from_utf8_lossy(&output.stderr);
    let summary: Summary =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {errors}"));
    assert_eq!(
        summary.status,
        Status::Passed,
        "{:?} {errors}",
        summary.reasons
    );
    assert_eq!(shop.counters().requests(), 10);
}

/// The same, by a role that may not write the one object that it takes.
#[tokio::test]
#[ignore = "needs the emulator: cargo xtask test"]
async fn without_the_permission_to_write_it_a_setup_fails_the_run() {
    if !has_engine("k6") {
        eprintln!("skipped: the emulated stack has no image of k6");
        return;
    }
    let without = ["--without", "generator_cloud control/setup.json"];
    let stack = Stack::own("refused-setup", &[&K6[..], &without[..]].concat()).await;
    let (shop, folder) = (shop(), tempfile::tempdir().unwrap());
    let output = run_with_setup(&stack, folder.path(), &shop.url()).await;
    assert_ne!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(said.contains("setup"), "{said}");
}

#[tokio::test]
#[ignore = "needs the emulator: cargo xtask test"]
async fn without_the_permission_to_run_tasks_a_run_ends_with_its_name() {
    let stack = Stack::own("refused-tasks", &["--without", "launch RunTasks"]).await;
    let shop = shop();
    let definition = arrivals("refused", &shop.url(), (50, "2s"), 1, "");
    let ended = stack
        .start(&input("refused", &definition))
        .await
        .end()
        .await;
    ended.expect(Status::Errored, "Floodgate.Errored");
    let why = "assumed-role/refused-tasks-eu-west-1-launch/floodgate is not authorized to perform: ecs:RunTask";
    assert!(ended.cause.contains(why), "{}", ended.cause);
    assert_eq!(shop.counters().requests(), 0);
}

/// Each service takes its own roles, for this account alone, and EventBridge calls reap for the stack's rule.
#[tokio::test]
#[ignore = "needs the emulator: cargo xtask test"]
async fn a_role_is_taken_and_a_function_is_called_by_whom_it_lets() {
    const SERVICES: [&str; 6] = ["lambda", "ecs-tasks", "states", "scheduler", "events", "s3"];
    let stack = Stack::shared().await;
    let account =
        |account: &str| format!("arn:aws:scheduler:eu-west-1:{account}:schedule-group/floodgate");
    let (own, other) = (account("000000000000"), account("111111111111"));
    let of = [
        (
            "lambda",
            &[
                "prepare", "launch", "watch", "merge", "finish", "reap", "notify", "export",
            ][..],
        ),
        ("ecs-tasks", &["generator-execution"][..]),
        ("states", &["state-machine"][..]),
        ("scheduler", &["schedules"][..]),
    ];
    for (owner, roles) in of {
        for role in roles {
            let arn = format!(
                "arn:aws:iam::000000000000:role/{}-{role}",
                stack.iam_prefix()
            );
            for service in SERVICES {
                let service_name = format!("{service}.amazonaws.com~refused");
                let lets = |source: &str| stack.lets(&service_name, "sts:AssumeRole", &arn, source);
                // Tasks are known by ARNs of ECS.
                let source = match service {
                    "ecs-tasks" => own.replace(":scheduler:", ":ecs:"),
                    _ => own.clone(),
                };
                assert_eq!(lets(&source), service == owner, "{service} takes {role}");
                assert!(
                    !lets(&other.replace(":scheduler:", ":ecs:")),
                    "{service}, {role}"
                );
                assert!(!lets(&other), "{service} of another account takes {role}");
            }
        }
    }
    let rule = |name: &str| format!("arn:aws:events:eu-west-1:000000000000:rule/{name}");
    for name in [
        "prepare", "launch", "watch", "merge", "finish", "reap", "notify", "export",
    ] {
        let function = stack.function(name);
        let calls = |service: &str, source: &str| {
            let service = format!("{service}.amazonaws.com~refused");
            stack.lets(&service, "lambda:InvokeFunction", function, source)
        };
        assert_eq!(
            calls("events", &rule("floodgate-ended")),
            name == "reap",
            "{name}"
        );
        let swept = calls("events", &rule("floodgate-notify"));
        assert_eq!(swept, name == "notify", "{name}");
        assert!(!calls("events", &rule("other")), "{name}");
        assert!(!calls("s3", &rule("floodgate-ended")), "{name}");
    }
}

/// A role in `principals`, with its path, stands for its sessions, as AWS tells them to the command line; nobody else starts a run.
/// What would be started is told before, and a test that is registered is not run.
#[tokio::test]
#[ignore = "needs the emulator: cargo xtask test"]
async fn a_role_in_principals_admits_its_sessions_and_nobody_else() {
    let role = "arn:aws:iam::000000000000:role/teams/named-eu-west-1-runner-cloud";
    let projects =
        serde_json::json!({"projects": {PROJECT: {"principals": [role], "secret_arns": []}}});
    let stack = Stack::own("named", &["--placement", &projects.to_string()]).await;
    let (shop, folder) = (shop(), tempfile::tempdir().unwrap());
    let definition = arrivals("named", &shop.url(), (50, "2s"), 2, "");
    std::fs::write(folder.path().join("test.yaml"), &definition).unwrap();
    let dry = floodgate(
        &stack,
        folder.path(),
        &["run", "test.yaml", "--dry-run", "--json"],
    );
    let estimate: Estimate = serde_json::from_str(&expect(&output(dry).await, 0)).unwrap();
    assert_eq!(
        (estimate.tasks, estimate.registered),
        (2, false),
        "{estimate:?}"
    );
    assert!(estimate.cost.estimate_usd.unwrap() > 0.0, "{estimate:?}");
    let records = &stack.administrator.records;
    let known = async || records.latest_test(PROJECT, "named").await.unwrap();
    assert_eq!(known().await, None);
    let registering = floodgate(&stack, folder.path(), &["register", "test.yaml"]);
    assert!(expect(&output(registering).await, 0).contains("registered"));
    assert_eq!(known().await.unwrap().version, estimate.version);
    let listed = records.list(Some(PROJECT), Some("named"), 9).await.unwrap();
    assert!(listed.runs.is_empty(), "{listed:?}");
    // Whoever only claims to be somebody else.
    let ended = stack.start(&input("named", &definition)).await.end().await;
    ended.expect(Status::Errored, "Floodgate.Errored");
    assert!(
        ended.cause.contains("ann may not start runs"),
        "{}",
        ended.cause
    );
    assert_eq!(shop.counters().requests(), 0);
}

/// A state machine whose role may not call a function cannot so much as refuse a run.
#[tokio::test]
#[ignore = "needs the emulator: cargo xtask test"]
async fn without_the_permission_to_call_functions_nothing_begins() {
    let stack = Stack::own(
        "refused-calls",
        &["--without", "state-machine function:refused-calls-prepare"],
    )
    .await;
    let definition = arrivals("refused", "http://127.0.0.1:9", (50, "2s"), 1, "");
    let run = stack.start(&input("refused", &definition)).await;
    let states = &stack.administrator.states;
    // The first of the retries shows it; all of them would take a minute.
    let begun = std::time::Instant::now();
    loop {
        let history = states
            .get_execution_history()
            .execution_arn(&run.arn)
            .send()
            .await
            .unwrap();
        let causes = history
            .events()
            .iter()
            .filter_map(|event| event.task_failed_event_details()?.cause());
        if let Some(cause) = causes.map(str::to_owned).next() {
            assert!(
                cause.contains("is not authorized to perform: lambda:InvokeFunction"),
                "{cause}"
            );
            break;
        }
        assert!(begun.elapsed().as_secs() < 60, "{history:?}");
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    states
        .stop_execution()
        .execution_arn(&run.arn)
        .send()
        .await
        .unwrap();
}

/// A secret is fetched by prepare, which looks whether it is there, and by the task, which uses it.
#[tokio::test]
#[ignore = "needs the emulator: cargo xtask test"]
async fn a_secret_of_the_project_is_used() {
    let (stack, shop) = (Stack::shared().await, shop());
    let definition = format!(
        "version: 1\nproject: {PROJECT}\ntest: secret\ntarget: {}\nrun: {{tasks: 1, cpu: 256, memory: 512}}\nthresholds:\n  checks: \
         [rate==1]\nscenarios:\n  one:\n    executor: shared-iterations\n    vus: 1\n    iterations: 3\n    flow:\n      - get: /echo\n        \
         headers: {{x-token: \"${{secret:floodgate/cloud/token}}\"}}\n        checks: ['body contains \"open sesame\"']\n",
        shop.url()
    );
    let ended = stack.start(&input("secret", &definition)).await.end().await;
    ended.expect(Status::Passed, "");
    assert_eq!(ended.requests(), 3);
}

/// Samples of failures are written by the task, and gathered by finish.
#[tokio::test]
#[ignore = "needs the emulator: cargo xtask test"]
async fn what_explains_a_failure_is_kept() {
    let (stack, shop) = (Stack::shared().await, shop());
    let definition = arrivals("failing", &shop.url(), (20, "2s"), 1, "");
    let definition = definition.replace("get: /", "get: /status/500");
    let run = stack.start(&input("failing", &definition)).await;
    run.end()
        .await
        .expect(Status::Failed, "Floodgate.ThresholdsFailed");
    let key = ExecutionKeys::new(PROJECT, &run.id).failures();
    assert!(stack.objects.get(&key).await.unwrap().is_some(), "{key}");
}

/// With a baseline finish looks for the last run that passed.
#[tokio::test]
#[ignore = "needs the emulator: cargo xtask test"]
async fn the_last_run_that_passed_is_the_baseline() {
    let (stack, shop) = (Stack::shared().await, shop());
    let baseline =
        "baseline: {compare: last-passed, tolerance: 50%, metrics: [\"http_reqs count\"]}";
    let definition = arrivals("compared", &shop.url(), (20, "2s"), 1, baseline);
    for _ in 0..2 {
        let run = stack.start(&input("compared", &definition)).await;
        run.end().await.expect(Status::Passed, "");
    }
}

/// By intervals, finish reads what the earlier run measured, and a runner may pin the run.
#[tokio::test]
#[ignore = "needs the emulator: cargo xtask test"]
async fn what_an_earlier_run_measured_is_compared() {
    let (stack, shop) = (Stack::shared().await, shop());
    let of = |test: &str, keys: &str| {
        let baseline =
            format!("baseline: {{{keys}, undecided: pass, metrics: [\"http_reqs rate\"]}}");
        arrivals(test, &shop.url(), (20, "2s"), 1, &baseline)
    };
    let definition = of("measured", "compare: last-passed");
    let mut ids = Vec::new();
    for _ in 0..2 {
        let run = stack.start(&input("measured", &definition)).await;
        run.end().await.expect(Status::Passed, "");
        ids.push(run.id.clone());
    }
    let record = stack.records.get(Some(PROJECT), &ids[1]).await.unwrap();
    let found = record.unwrap().comparison.unwrap();
    assert_eq!(found.base.execution, ids[0]);
    // Two seconds have no whole window.
    let note = found.gates[0].note.as_deref();
    let short = note.is_some_and(|note| note.starts_with("a run of less than 10 s has too few"));
    assert!(short, "{note:?}");

    let pin = Pin {
        schema: Pin::SCHEMA,
        execution: Some(ids[0].clone()),
        version: None,
        by: "ann".into(),
        at_ms: 1,
    };
    let key = baseline(PROJECT, "measured");
    let bytes = serde_json::to_vec(&pin).unwrap();
    stack.objects.put(&key, bytes.into()).await.unwrap();
    let definition = of("measured", "compare: pinned");
    let run = stack.start(&input("measured", &definition)).await;
    // Another version of the test: named, and no pass.
    run.end()
        .await
        .expect(Status::Inconclusive, "Floodgate.Inconclusive");
    let record = stack.records.get(Some(PROJECT), &run.id).await.unwrap();
    let found = record.unwrap().comparison.unwrap();
    assert_eq!(found.base.execution, ids[0]);
    assert!(found.obstacles[0].contains("the test has changed"));
}

#[track_caller]
pub(super) fn refused<T: Debug, E: Debug>(what: &str, answer: Result<T, E>) {
    let said = format!("{answer:?}");
    assert!(said.contains("AccessDenied"), "{what}: {said}");
}

/// The runner of one project, and all that it could try at another's.
#[tokio::test]
#[ignore = "needs the emulator: cargo xtask test"]
async fn a_runner_reaches_nothing_of_another_project() {
    const OTHER: &str = "search";
    let stack = Stack::shared().await;
    let id = ulid::Ulid::generate().to_string();
    let keys = ExecutionKeys::new(OTHER, &id);
    let definition = definition_file(OTHER, "checkout", "v1", "definition.json");
    let (summary, stop) = (keys.summary(), keys.stop());
    let test = TestRecord {
        project: OTHER.into(),
        test: "checkout".into(),
        version: "v1".into(),
        created_ms: 1,
        files: vec![],
        git_revision: None,
    };
    let Clients {
        objects, records, ..
    } = &stack.administrator;
    for key in [&summary, &definition] {
        objects.put(key, "{}".into()).await.unwrap();
    }
    records.put_test(&test).await.unwrap();
    // A run of the others, which are not the runner's.
    let unnamed = serde_json::json!({"project": OTHER, "definition": "none"});
    let theirs = stack.start_unnamed(&unnamed).await.arn;

    let Clients {
        states,
        objects,
        records,
        secrets,
    } = stack.as_caller(&format!("runner-{PROJECT}~refused")).await;
    for key in [&summary, &definition] {
        refused("read", objects.get(key).await);
        refused("write", objects.put(key, "x".into()).await);
    }
    refused("a stop", objects.put(&stop, "{}".into()).await);
    let pin = baseline(OTHER, "checkout");
    refused("a pin", objects.put(&pin, "{}".into()).await);
    refused("delete", objects.delete(&definition).await);
    for prefix in ["projects/search/", "projects/", ""] {
        refused("list", objects.list(prefix).await);
    }
    refused("placement", objects.get("config/placement.json").await);
    refused("a record", records.get(Some(OTHER), &id).await);
    refused(
        "records",
        records.list(Some(OTHER), Some("checkout"), 5).await,
    );
    refused("all records", records.list(None, None, 5).await);
    refused("the trail", records.audit_trail(OTHER).await);
    refused("a version", records.put_test(&test).await);
    let machine = stack.machine_of("*");
    refused(
        "start",
        states
            .start_execution()
            .state_machine_arn(machine)
            .input("{}")
            .send()
            .await,
    );
    refused(
        "describe",
        states
            .describe_execution()
            .execution_arn(&theirs)
            .send()
            .await,
    );
    refused(
        "stop",
        states.stop_execution().execution_arn(&theirs).send().await,
    );
    refused(
        "history",
        states
            .get_execution_history()
            .execution_arn(&theirs)
            .send()
            .await,
    );
    // Not even its own project's secrets are for whoever starts its runs.
    refused(
        "secret",
        secrets
            .get_secret_value()
            .secret_id("floodgate/cloud/token")
            .send()
            .await,
    );
    // Nor may it write its own records, or what tasks and functions write.
    let own = TestRecord {
        project: PROJECT.into(),
        ..test
    };
    refused("its own version", records.put_test(&own).await);
    let own = ExecutionKeys::new(PROJECT, &id);
    refused(
        "its own summary",
        objects.put(&own.summary(), "{}".into()).await,
    );

    // Whoever may start those runs reads them, so that there was something to be refused; and is refused what has a name.
    let others = stack.as_caller("runner-all").await;
    assert_eq!(others.objects.get(&summary).await.unwrap().unwrap(), "{}");
    others
        .states
        .describe_execution()
        .execution_arn(&theirs)
        .send()
        .await
        .unwrap();
    let others = stack.as_caller("runner-all~refused").await;
    let named = definition_file(PROJECT, "any", "v1", "definition.json");
    refused("read", others.objects.get(&named).await);
    refused("write", others.objects.put(&named, "x".into()).await);
    refused("list", others.objects.list("projects/cloud/").await);
    refused("records", others.records.list(Some(PROJECT), None, 5).await);
    let machine = stack.machine_of(PROJECT);
    refused(
        "start",
        others
            .states
            .start_execution()
            .state_machine_arn(machine)
            .input("{}")
            .send()
            .await,
    );
}
