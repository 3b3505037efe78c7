//! Runs that end before they have a plan.

use crate::support::*;
use floodgate_functions::{Function, FunctionError, Vcpus};
use floodgate_records::budget::{Account, Halt};
use floodgate_records::execution::Execution;
use floodgate_records::status::Status;
use floodgate_store::{ObjectStore, RecordStore};
use serde_json::{Value, json};
use std::time::Duration;

async fn refused(stack: &Stack, input: &Value) -> FunctionError {
    let error = stack.prepare(input.clone()).await.unwrap_err();
    assert!(!stack.objects.has(&stack.key("plan.json")));
    error
}

async fn trail(stack: &Stack) -> Vec<(String, String, String)> {
    let trail = stack.records.audit_trail("shop").await.unwrap();
    let entries = trail.into_iter();
    let entries = entries.map(|e| (e.principal, e.action.to_string(), e.outcome));
    entries.collect()
}

fn entry(by: &str, error: &str) -> (String, String, String) {
    (by.into(), "refuse".into(), error.into())
}

fn sole(record: &Execution, error: &FunctionError) {
    assert_eq!(record.status, Status::Errored);
    assert_eq!(record.error.as_deref(), Some(error.name()));
    assert_eq!(record.reasons, [error.to_string()]);
    assert_eq!(record.run_arn.as_deref(), Some(ARN));
    assert!(record.ended_ms.is_some());
}

#[tokio::test]
async fn who_may_not_start_runs_is_on_record_and_a_retry_says_the_same() {
    let stack = Stack::new();
    let mut place = placement();
    place["projects"]["*"]["principals"] = json!(["ann"]);
    stack.place(&place);
    let input = json!({"definition": definition(2, 60),
        "trigger": {"kind": "pipeline", "principal": "eve", "commit": "abc"}});
    let error = refused(&stack, &input).await;
    let record = stack.record().await;
    sole(&record, &error);
    assert_eq!(record.test, "checkout");
    assert_eq!(record.trigger.commit.as_deref(), Some("abc"));
    assert_eq!(record.planned.iterations, Some(600));
    assert_eq!(trail(&stack).await, [entry("eve", "Floodgate.Errored")]);
    assert_eq!(
        stack.records.account("shop", "202311").await.unwrap(),
        Account::default()
    );

    // Lambda's retry, and a redrive after somebody has opened the project: the answer stands.
    stack.place(&placement());
    stack.pass(Duration::from_secs(60));
    let again = refused(&stack, &input).await;
    assert_eq!(
        (again.name(), again.to_string()),
        (error.name(), error.to_string())
    );
    assert_eq!(stack.record().await, record);
    assert_eq!(trail(&stack).await.len(), 1);

    // EventBridge tells of the end: there is nothing to add.
    stack
        .call(Function::Reap, event("FAILED", &input))
        .await
        .unwrap();
    assert_eq!(stack.record().await, record);
    assert_eq!(trail(&stack).await.len(), 1);
    assert!(stack.books.started.lock().unwrap().is_empty());
    let counted = stack
        .log()
        .iter()
        .any(|l| l["Executions"] == 1.0 && l["Status"] == "errored");
    assert!(counted);
}

/// What AWS says of a pipeline is the ARN of its role's session, what administrators write is that of the role.
#[tokio::test]
async fn the_name_of_a_schedule_cannot_be_borrowed() {
    let stack = Stack::new();
    let mut place = placement();
    place["projects"]["*"]["principals"] = json!(["schedule/floodgate/nightly"]);
    stack.place(&place);
    let input = json!({"definition": definition(1, 60),
        "trigger": {"kind": "schedule", "principal": "schedule/floodgate/nightly"}});
    let error = refused(&stack, &input).await;
    assert!(error.to_string().contains("may not start runs"), "{error}");
}

#[tokio::test]
async fn a_role_is_known_by_its_sessions() {
    let session = "arn:aws:sts::1:assumed-role/shop-pipeline/build-7";
    for (principal, starts) in [
        ("arn:aws:iam::1:role/shop-pipeline", true),
        ("arn:aws:iam::1:role/teams/shop/shop-pipeline", true),
        ("arn:aws:iam::1:role/shop", false),
        ("arn:aws:iam::2:role/shop-pipeline", false),
        ("arn:aws:iam::1:role/teams/*", false),
    ] {
        let stack = Stack::new();
        let mut place = placement();
        place["projects"]["*"]["principals"] = json!([principal]);
        stack.place(&place);
        let input = json!({"definition": definition(1, 60), "trigger": {"kind": "cli", "principal": session}});
        let started = stack.prepare(input).await;
        assert_eq!(started.is_ok(), starts, "{principal}: {started:?}");
    }
}

#[tokio::test]
async fn over_budget_the_record_has_the_estimate() {
    let stack = Stack::new();
    let mut place = placement();
    place["projects"]["*"]["max_cost_usd"] = json!(0.001);
    stack.place(&place);
    let error = refused(&stack, &json!({"definition": definition(1, 3_600)})).await;
    let record = stack.record().await;
    sole(&record, &error);
    assert!(record.cost.unwrap().estimate_usd.unwrap() > 0.001);
    assert_eq!(record.infrastructure.tasks, 1);
    assert_eq!(trail(&stack).await, [entry("unknown", "Floodgate.Errored")]);
}

/// The month's VU hours, and the switches of the project and of everything.
#[tokio::test]
async fn nothing_starts_beyond_the_budget_or_while_it_is_halted() {
    let stack = Stack::new();
    let mut place = placement();
    place["projects"]["*"]["max_monthly_vu_hours"] = json!(1999);
    stack.place(&place);
    let input = json!({"definition": definition(1, 3_600)});
    let error = refused(&stack, &input).await;
    let said = error.to_string();
    assert!(
        said.contains("may take 2000 VU hours, and of this month's 1999 VU hours"),
        "{said}"
    );
    assert!(
        said.contains("--month-vu-hours") && said.contains("max_monthly_vu_hours"),
        "{said}"
    );
    sole(&stack.record().await, &error);

    for key in ["projects/shop/halt.json", "config/halt.json"] {
        let stack = Stack::new();
        let mut halt = Halt {
            schema: Halt::SCHEMA,
            halted: true,
            why: Some("out of hand".into()),
            by: "ann".into(),
            at_ms: 1,
        };
        stack.objects.set(key, serde_json::to_vec(&halt).unwrap());
        let input = json!({"definition": definition(1, 60)});
        let error = refused(&stack, &input).await;
        assert!(
            error.to_string().contains("ann halted it (out of hand)"),
            "{error}"
        );
        sole(&stack.record().await, &error);
        assert_eq!(
            stack.records.account("shop", "202311").await.unwrap(),
            Account::default()
        );
        let stack = Stack::new();
        halt.halted = false;
        stack.objects.set(key, serde_json::to_vec(&halt).unwrap());
        stack.prepare(input).await.unwrap();
    }
}

/// What a generator would refuse is refused before there is any.
#[tokio::test]
async fn contents_of_files_and_urls_are_looked_into_first() {
    let folder = "projects/shop/definitions/checkout/v1/";
    let stored = |more: Value| {
        let mut test = definition(1, 60);
        let own = test.as_object_mut().unwrap();
        own.extend(more.as_object().unwrap().clone());
        own["scenarios"]["browse"]["flow"] = json!([{"get": "/${data.user}"}]);
        test.to_string()
    };
    for (data, fault) in [
        ("user;pw\na;b\n", "write delimiter"),
        ("user\n", "no row follows"),
        ("user,pw\na,b\nc\n", "line 3: 1 fields"),
    ] {
        let stack = Stack::new();
        let text = stored(json!({"data": [{"file": "users.csv"}]}));
        stack.objects.set(&format!("{folder}definition.json"), text);
        stack.objects.set(&format!("{folder}users.csv"), data);
        let input = json!({"project": "shop", "test": "checkout", "version": "v1"});
        let error = refused(&stack, &input).await;
        assert_eq!(error.name(), "Floodgate.InvalidDefinition");
        assert!(error.to_string().contains(fault), "{error}");
        sole(&stack.record().await, &error);
    }
    let stack = Stack::new();
    let mut test = definition(1, 60);
    test["target"] = json!("http://127.0.0.1:${env:PORT}");
    let input = json!({"definition": test, "env": {"PORT": "99999"}});
    let error = refused(&stack, &input).await;
    assert!(error.to_string().contains("99999"), "{error}");
}

#[tokio::test]
async fn files_that_are_too_large_to_be_looked_into_are_a_doubt() {
    let stack = Stack::new();
    let folder = "projects/shop/definitions/checkout/v1/";
    let mut test = definition(1, 60);
    test["scenarios"]["browse"]["flow"] = json!([{"post": "/", "file": "large"}]);
    stack
        .objects
        .set(&format!("{folder}definition.json"), test.to_string());
    stack
        .objects
        .set(&format!("{folder}large"), "x".repeat((64 << 20) + 1));
    let input = json!({"project": "shop", "test": "checkout", "version": "v1"});
    stack.prepare(input).await.unwrap();
    let warnings = stack.record().await.warnings;
    assert!(
        warnings.iter().any(|w| w.contains("were not looked into")),
        "{warnings:?}"
    );
}

#[tokio::test]
async fn a_definition_with_faults_is_on_record_under_what_it_says_of_itself() {
    let stack = Stack::new();
    let text = "version: 1\nproject: shop\ntest: checkout\nengine: k6\nscenarios: often\n";
    let error = refused(&stack, &json!({"definition": text})).await;
    assert_eq!(error.name(), "Floodgate.InvalidDefinition");
    let record = stack.record().await;
    sole(&record, &error);
    assert_eq!(
        (record.test.as_str(), record.engine.as_str()),
        ("checkout", "k6")
    );
    assert_eq!(record.exit_code(), 104);
    assert_eq!(
        trail(&stack).await,
        [entry("unknown", "Floodgate.InvalidDefinition")]
    );
    // The alarm on runs that could not be carried out stays quiet.
    let log = stack.log();
    let statuses: Vec<_> = log.iter().filter_map(|l| l.get("Status")).collect();
    assert_eq!(statuses, ["invalid"]);

    // What says nothing of itself lies under the test of the input, and without a project nowhere.
    let stack = Stack::new();
    let input = json!({"project": "shop", "test": "basket", "definition": "a: [b"});
    let error = refused(&stack, &input).await;
    sole(&stack.record().await, &error);
    assert_eq!(stack.record().await.test, "basket");
    let stack = Stack::new();
    refused(&stack, &json!({"definition": "a: [b"})).await;
    assert!(
        stack
            .records
            .list(None, None, 9)
            .await
            .unwrap()
            .runs
            .is_empty()
    );
}

#[tokio::test]
async fn another_runs_record_is_left_alone() {
    let stack = Stack::new();
    stack
        .prepare(json!({"definition": definition(1, 60)}))
        .await
        .unwrap();
    let record = stack.record().await;
    let other =
        json!({"arn": format!("{ARN}x"), "name": "x", "started_at": "2023-11-14T22:13:20Z"});
    let input = json!({"definition": "project: shop", "id": ID});
    let payload = json!({"input": input, "run": other});
    stack.call(Function::Prepare, payload).await.unwrap_err();
    let mut end = event("FAILED", &input);
    end["detail"]["executionArn"] = json!(format!("{ARN}x"));
    stack.call(Function::Reap, end).await.unwrap();
    assert_eq!(stack.record().await, record);
}

#[tokio::test]
async fn a_first_attempt_without_a_plan_does_not_stay_open() {
    let stack = Stack::new();
    let input = json!({"definition": definition(6, 60)});
    stack.prepare(input.clone()).await.unwrap();
    // It was cut off before its plan, and meanwhile others have used the quota up.
    stack.objects.delete(&stack.key("plan.json")).await.unwrap();
    *stack.books.quota.lock().unwrap() = Some(5.0);
    let error = refused(&stack, &input).await;
    sole(&stack.record().await, &error);
}

/// The end of an execution as EventBridge tells of it.
fn event(status: &str, input: &Value) -> Value {
    json!({"detail": {"executionArn": ARN, "name": ID, "status": status, "startDate": NOW,
        "input": input.to_string(), "error": "Floodgate.Storage",
        "cause": "{\"errorType\":\"Floodgate.Storage\",\"errorMessage\":\"the table is away\"}"}})
}

#[tokio::test]
async fn what_prepare_could_not_write_down_reap_does() {
    let stack = Stack::new();
    let input = json!({"definition": definition(1, 60), "trigger": {"principal": "ann"}});
    for _ in 0..2 {
        stack
            .call(Function::Reap, event("FAILED", &input))
            .await
            .unwrap();
    }
    let record = stack.record().await;
    assert_eq!((record.status, record.created_ms), (Status::Errored, NOW));
    assert_eq!(record.reasons, ["Floodgate.Storage: the table is away"]);
    assert_eq!(record.test, "checkout");
    assert_eq!(trail(&stack).await, [entry("ann", "Floodgate.Errored")]);
    assert!(stack.books.started.lock().unwrap().is_empty());

    // An input that is none: its project is all that is needed.
    let stack = Stack::new();
    let mut end = event("FAILED", &json!({"project": "shop", "tset": "checkout"}));
    end["detail"]["error"] = json!("Floodgate.InvalidDefinition");
    end["detail"]["cause"] = json!("input: unknown field `tset`");
    stack.call(Function::Reap, end).await.unwrap();
    let record = stack.record().await;
    assert_eq!(record.exit_code(), 104);
    assert_eq!((record.test.as_str(), record.reasons.len()), ("unknown", 1));
}

#[tokio::test]
async fn a_run_that_is_stopped_while_it_is_prepared_stays_stopped() {
    let stack = Stack::new();
    let input = json!({"definition": definition(1, 60)});
    stack
        .call(Function::Reap, event("ABORTED", &input))
        .await
        .unwrap();
    let record = stack.record().await;
    assert_eq!(record.status, Status::Aborted);
    assert_eq!(record.stopped_by.unwrap().by, "StopExecution");
    assert_eq!(
        trail(&stack).await,
        [entry("StopExecution", "Floodgate.Aborted")]
    );
    // Prepare was still at work.
    stack.prepare(input).await.unwrap_err();
    assert_eq!(stack.record().await.status, Status::Aborted);
    assert!(!stack.objects.has(&stack.key("plan.json")));
}

async fn with_running(
    provider: &str,
    fallback: bool,
    used: Vcpus,
    tasks: u32,
) -> Result<Value, String> {
    let stack = Stack::new();
    let mut place = placement();
    place["capacity"] = json!({"provider": provider, "fallback": fallback});
    stack.place(&place);
    *stack.books.quota.lock().unwrap() = Some(10.0);
    stack
        .tasks
        .in_use
        .lock()
        .unwrap()
        .insert("eu-west-1".into(), used);
    let prepared = stack
        .prepare(json!({"definition": definition(tasks, 60)}))
        .await;
    prepared.map_err(|error| error.to_string())
}

#[tokio::test]
async fn what_runs_already_counts_against_its_own_quota() {
    let used = |on_demand, spot| Vcpus { on_demand, spot };
    with_running("FARGATE", false, used(4.0, 9.0), 6)
        .await
        .unwrap();
    let text = with_running("FARGATE", false, used(4.0, 0.0), 7)
        .await
        .unwrap_err();
    assert!(
        text.contains("need 7 vCPU") && text.contains("of 10, other runs take up 4"),
        "{text}"
    );
    with_running("FARGATE_SPOT", false, used(9.0, 4.0), 6)
        .await
        .unwrap();
    with_running("FARGATE_SPOT", false, used(0.0, 4.0), 7)
        .await
        .unwrap_err();
    // With a fallback there are both quotas, and both are used.
    with_running("FARGATE_SPOT", true, used(4.0, 4.0), 12)
        .await
        .unwrap();
    with_running("FARGATE_SPOT", true, used(4.0, 4.0), 13)
        .await
        .unwrap_err();
}

#[tokio::test]
async fn what_runs_in_a_region_that_does_not_answer_is_a_warning() {
    let stack = Stack::new();
    stack.tasks.in_use.lock().unwrap().clear();
    stack
        .prepare(json!({"definition": definition(1, 60)}))
        .await
        .unwrap();
    let warnings = stack.record().await.warnings;
    assert!(
        warnings.iter().any(|w| w.contains("ECS is away")),
        "{warnings:?}"
    );
}

/// A task without an image would be billed for nothing, and the run found out minutes later.
#[tokio::test]
async fn a_run_without_its_image_is_refused_before_it_costs() {
    let name = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/floodgate/generator-http:0.1.0";
    let place_with = |stack: &Stack| {
        let mut place = placement();
        place["images"] = json!({"http": name});
        stack.place(&place);
    };
    let there = |processors: &[&str]| {
        let processors = processors.iter().map(|p| (*p).to_owned()).collect();
        Some([("floodgate/generator-http:0.1.0".to_owned(), processors)].into())
    };
    let input = json!({"definition": definition(1, 60)});
    for (images, told) in [
        (Some([].into()), "is not in its repository"),
        (
            there(&["amd64"]),
            "was built for amd64, but the tasks use arm64",
        ),
        (there(&[]), "names no processor, and the tasks have arm64"),
    ] {
        let stack = Stack::new();
        place_with(&stack);
        *stack.books.images.lock().unwrap() = images;
        let error = refused(&stack, &input).await;
        sole(&stack.record().await, &error);
        let text = error.to_string();
        let remedy =
            "floodgate deploy --stack floodgate --region eu-west-1 --engine http --arch arm64";
        assert!(
            text.contains(told) && text.contains(name) && text.contains(remedy),
            "{text}"
        );
        assert_eq!(
            stack.records.account("shop", "202311").await.unwrap(),
            Account::default()
        );
    }

    let stack = Stack::new();
    place_with(&stack);
    *stack.books.images.lock().unwrap() = there(&["amd64", "arm64"]);
    stack.prepare(input.clone()).await.unwrap();
    let warns = |record: Execution| {
        record
            .warnings
            .iter()
            .any(|w| w.contains("could not be checked: AccessDenied"))
    };
    assert!(!warns(stack.record().await));

    // Who may not ask does not refuse, and says so.
    let stack = Stack::new();
    place_with(&stack);
    stack.prepare(input).await.unwrap();
    assert!(warns(stack.record().await));
}
