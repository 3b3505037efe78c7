use crate::support::*;
use floodgate_functions::{Function, FunctionError};
use floodgate_records::budget::{Account, Amount};
use floodgate_records::estimate::Estimate;
use floodgate_records::status::Status;
use floodgate_records::test::TestRecord;
use floodgate_store::{ObjectStore, RecordStore};
use serde_json::{Value, json};

fn message(error: &FunctionError) -> String {
    format!("{}: {error}", error.name())
}

#[tokio::test]
async fn an_inline_definition_becomes_a_plan_and_a_record() {
    let stack = Stack::new();
    let input = json!({"definition": definition(3, 60), "env": {"A": "b"},
        "trigger": {"kind": "pipeline", "principal": "ci", "commit": "abc"}});
    let run = stack.prepare(input).await.unwrap();
    assert_eq!(run["execution"], ID);
    assert_eq!(
        (&run["phase"], &run["tasks"]),
        (&json!("launching"), &json!(3))
    );
    let plan = stack.objects.json(&stack.key("plan.json"));
    assert_eq!(plan["tasks"].as_array().unwrap().len(), 3);
    assert_eq!(plan["env"]["A"], "b");
    assert_eq!(plan["run_arn"], ARN);
    let record = stack.record().await;
    assert_eq!(record.infrastructure.architecture.as_str(), "arm64");
    assert_eq!(
        record.infrastructure.image_digest.as_deref(),
        Some("sha256:abc")
    );
    assert!(record.cost.unwrap().estimate_usd.unwrap() > 0.0);
    // Whoever may start runs decides nothing about what schedules run.
    let latest = stack.records.latest_test("shop", "checkout").await;
    assert_eq!(latest.unwrap(), None);
    let account = stack.records.account("shop", "202311").await.unwrap();
    assert!(
        account.total.micro_usd > 0 && account.total.vu_s > 0,
        "{account:?}"
    );
    assert_eq!(account.spent(), Amount::default(), "held, not spent");
}

#[tokio::test]
async fn a_dry_run_says_what_a_run_would_cost_and_leaves_nothing() {
    let stack = Stack::new();
    let input = |dry_run| json!({"definition": definition(3, 60), "dry_run": dry_run});
    let estimate = stack.prepare(input(true)).await.unwrap();
    let estimate: Estimate = serde_json::from_value(estimate).unwrap();
    assert_eq!((estimate.tasks, estimate.longest_s), (3, 90));
    assert_eq!(
        (&*estimate.test, estimate.architecture.as_str()),
        ("checkout", "arm64")
    );
    assert_eq!((estimate.regions.len(), estimate.registered), (1, false));
    let usd = estimate.cost.estimate_usd.unwrap();
    let sum: f64 = estimate.cost.items.iter().map(|item| item.usd).sum();
    assert!(usd > 0.0 && (usd - sum).abs() < 1e-9, "{estimate:?}");
    let records = &stack.records;
    assert_eq!(records.get(None, ID).await.unwrap(), None);
    assert!(!stack.objects.has(&stack.key("plan.json")));
    assert_eq!(
        records.account("shop", "202311").await.unwrap(),
        Account::default()
    );
    assert_eq!(records.latest_test("shop", "checkout").await.unwrap(), None);
    assert!(
        stack
            .log()
            .iter()
            .all(|l| l.get("ExecutionsStarted").is_none())
    );
    // The run itself is estimated alike.
    stack.prepare(input(false)).await.unwrap();
    assert_eq!(stack.record().await.cost.unwrap().estimate_usd, Some(usd));
}

#[tokio::test]
async fn a_dry_run_that_would_be_refused_says_why_and_is_not_on_record() {
    let stack = Stack::new();
    let mut test = definition(10, 3_600);
    test["run"]["max_cost_usd"] = json!(0.01);
    let refused = stack
        .prepare(json!({"definition": test, "dry_run": true}))
        .await;
    let refused: Estimate = serde_json::from_value(refused.unwrap()).unwrap();
    let why = refused.refused.unwrap();
    assert_eq!(why.error, "Floodgate.Errored");
    assert!(
        why.reason.contains("at most $0.01") && why.reason.contains("run.max_cost_usd"),
        "{why:?}"
    );
    assert_eq!(stack.records.get(None, ID).await.unwrap(), None);
}

#[tokio::test]
async fn a_load_that_needs_more_tasks_than_a_run_has_is_refused() {
    let stack = Stack::new();
    let mut test = definition(1, 60);
    test["run"]["tasks"] = json!("auto");
    test["scenarios"]["browse"]["rate"] = json!(20_000_000);
    let error = stack
        .prepare(json!({"definition": test}))
        .await
        .unwrap_err();
    let said = message(&error);
    assert!(
        said.contains("needs 2000 tasks") && said.contains("1000 at most"),
        "{said}"
    );
}

#[tokio::test]
async fn a_retry_gives_the_same_and_another_execution_is_refused() {
    let stack = Stack::new();
    let input = json!({"definition": definition(1, 60)});
    let first = stack.prepare(input.clone()).await.unwrap();
    let plan = stack.objects.json(&stack.key("plan.json"));
    stack.pass(std::time::Duration::from_secs(5));
    assert_eq!(stack.prepare(input.clone()).await.unwrap(), first);
    assert_eq!(stack.objects.json(&stack.key("plan.json")), plan);
    // The first attempt was cut off before its plan.
    stack.objects.delete(&stack.key("plan.json")).await.unwrap();
    assert_eq!(stack.prepare(input.clone()).await.unwrap(), first);
    assert!(stack.objects.has(&stack.key("plan.json")));

    let other =
        json!({"arn": format!("{ARN}x"), "name": "x", "started_at": "2023-11-14T22:13:20Z"});
    let mut input = input;
    input["id"] = json!(ID);
    let payload = json!({"input": input, "run": other});
    let error = stack.call(Function::Prepare, payload).await.unwrap_err();
    assert!(
        message(&error).starts_with("Floodgate.Errored: execution 01JD7"),
        "{error}"
    );
}

#[tokio::test]
async fn a_stored_version_is_run_with_its_files_and_overrides() {
    let stack = Stack::new();
    let mut test = definition(1, 60);
    test["data"] = json!([{"file": "users.csv"}]);
    let folder = "projects/shop/definitions/checkout/v1/";
    stack
        .objects
        .set(&format!("{folder}definition.json"), test.to_string());
    stack
        .objects
        .set(&format!("{folder}users.csv"), "user\nann\n");
    let record = TestRecord {
        project: "shop".into(),
        test: "checkout".into(),
        version: "v1".into(),
        created_ms: NOW,
        files: vec!["definition.json".into(), "users.csv".into()],
        git_revision: None,
    };
    stack.records.put_test(&record).await.unwrap();
    let input = json!({"project": "shop", "test": "checkout",
        "parameters": {"scenarios.browse.rate": 20}});
    stack.prepare(input).await.unwrap();
    let plan = stack.objects.json(&stack.key("plan.json"));
    assert_eq!(plan["load"]["iterations"], 1_200);
    let version = plan["version"].as_str().unwrap();
    assert!(stack.objects.has(&format!(
        "projects/shop/definitions/checkout/{version}/users.csv"
    )));
    // A run with overrides is not the newest version of the test.
    assert_eq!(
        stack.records.latest_test("shop", "checkout").await.unwrap(),
        Some(record)
    );
}

#[tokio::test]
async fn all_faults_are_named_at_once_with_their_remedy() {
    let stack = Stack::new();
    let mut test = definition(1, 60);
    test["scenarios"]["browse"]["rat"] = json!(5);
    test["target"] = json!("${env:HOST}");
    test["http"] = json!({"headers": {"x-token": "${secret:shop/token}"}});
    let error = stack
        .prepare(json!({"definition": test}))
        .await
        .unwrap_err();
    let text = message(&error);
    assert!(text.starts_with("Floodgate.InvalidDefinition"), "{text}");
    for word in ["rat", "HOST", "shop/token", "Secrets Manager", "\"env\""] {
        assert!(text.contains(word), "{word} is missing in {text}");
    }
    assert!(!stack.objects.has(&stack.key("plan.json")));
}

#[tokio::test]
async fn secrets_are_looked_for_and_never_read() {
    let stack = Stack::new();
    stack
        .books
        .secrets
        .lock()
        .unwrap()
        .push("shop/token".into());
    stack.books.secrets.lock().unwrap().push("shop/hook".into());
    let mut test = definition(1, 60);
    test["http"] = json!({"headers": {"x-token": "${secret:shop/token}"}});
    test["notify"] = json!([{"slack": "${secret:shop/hook}", "on": ["failed"]}]);
    stack.prepare(json!({"definition": test})).await.unwrap();
    let plan = stack.objects.json(&stack.key("plan.json")).to_string();
    assert!(!plan.contains("secret.invalid"), "{plan}");
}

fn rules(placement: &mut Value, name: &str, value: Value) {
    placement["projects"]["*"][name] = value;
}

#[tokio::test]
async fn who_how_many_quota_and_budget_are_checked_before_the_launch() {
    let refused = async |place: fn(&mut Value), tasks: u32, seconds: u64, quota: Option<f64>| {
        let stack = Stack::new();
        let mut placement = placement();
        place(&mut placement);
        stack.place(&placement);
        *stack.books.quota.lock().unwrap() = quota;
        let trigger = json!({"principal": "eve"});
        let input = json!({"definition": definition(tasks, seconds), "trigger": trigger});
        let error = stack.prepare(input).await.unwrap_err();
        assert_eq!(error.name(), "Floodgate.Errored");
        assert!(!stack.objects.has(&stack.key("plan.json")));
        error.to_string()
    };
    let text = refused(|p| rules(p, "principals", json!(["ann"])), 1, 60, None).await;
    assert!(
        text.contains("eve may not") && text.contains("ann"),
        "{text}"
    );
    let text = refused(|p| rules(p, "max_tasks", json!(2)), 3, 60, None).await;
    assert!(text.contains("3 tasks; the limit is 2"), "{text}");
    let text = refused(|_| {}, 7, 60, Some(6.0)).await;
    assert!(
        text.contains("need 7 vCPU") && text.contains("L-3032A538"),
        "{text}"
    );
    let text = refused(|p| rules(p, "max_cost_usd", json!(0.001)), 1, 3_600, None).await;
    assert!(
        text.contains("may take $0.") && text.contains("at most $0.001"),
        "{text}"
    );
    let text = refused(
        |p| rules(p, "max_monthly_usd", json!(0.001)),
        1,
        3_600,
        None,
    )
    .await;
    assert!(text.contains("this month"), "{text}");
}

#[tokio::test]
async fn a_quota_that_cannot_be_read_is_a_warning() {
    let stack = Stack::new();
    *stack.books.quota.lock().unwrap() = None;
    stack
        .prepare(json!({"definition": definition(2, 60)}))
        .await
        .unwrap();
    let record = stack.record().await;
    assert_eq!(record.status, Status::Preparing);
    assert!(
        record.warnings.iter().any(|w| w.contains("L-3032A538")),
        "{:?}",
        record.warnings
    );
}

#[tokio::test]
async fn regions_share_the_tasks_by_weight() {
    let stack = Stack::new();
    let mut test = definition(4, 60);
    test["run"]["regions"] = json!([{"region": "eu-west-1", "weight": 3},
        {"region": "us-east-1", "weight": 1}]);
    stack.prepare(json!({"definition": test})).await.unwrap();
    let plan = stack.objects.json(&stack.key("plan.json"));
    let regions: Vec<&str> = plan["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| t["region"].as_str().unwrap())
        .collect();
    assert_eq!(
        regions,
        ["eu-west-1", "eu-west-1", "eu-west-1", "us-east-1"]
    );
    test["run"]["regions"] = json!([{"region": "mars-1", "weight": 1}]);
    let stack = Stack::new();
    let error = stack
        .prepare(json!({"definition": test}))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("mars-1"), "{error}");
}

#[tokio::test]
async fn an_input_that_is_none_is_named() {
    let stack = Stack::new();
    let error = stack.prepare(json!({"projekt": "shop"})).await.unwrap_err();
    assert!(
        message(&error).contains("InvalidDefinition: input: unknown field `projekt`"),
        "{error}"
    );
    let error = stack
        .prepare(json!({"project": "shop", "test": "none"}))
        .await
        .unwrap_err();
    assert!(message(&error).contains("has no test \"none\""), "{error}");
}

#[tokio::test]
async fn a_run_that_outlives_the_state_machine_is_refused() {
    let stack = Stack::new();
    stack
        .prepare(json!({"definition": definition(1, 24 * 3_600)}))
        .await
        .unwrap();
    let stack = Stack::new();
    let long = json!({"definition": definition(1, 25 * 3_600)});
    let error = stack.prepare(long).await.unwrap_err();
    assert!(
        message(&error).contains("InvalidDefinition: the run may take 25.0 h"),
        "{error}"
    );
}
