//! Whose runs, tests and targets: no input leads from one project into another.

use crate::support::*;
use floodgate_functions::{Described, Function};
use floodgate_records::audit::Action;
use floodgate_records::execution::PrincipalIs;
use floodgate_store::RecordStore;
use serde_json::{Value, json};

/// A stack whose project `shop` is named.
fn stack() -> Stack {
    let stack = Stack::new();
    let mut place = placement();
    place["projects"]["shop"] = json!({"principals": ["*"]});
    stack.place(&place);
    stack
}

/// One whose rules for `shop` are these.
fn ruled(rules: Value) -> Stack {
    let stack = Stack::new();
    let mut place = placement();
    place["projects"]["shop"] = rules;
    stack.place(&place);
    stack
}

async fn refusal(stack: &Stack, project: &str, input: Value) -> String {
    let error = stack.prepare_of(project, input).await.unwrap_err();
    assert!(!stack.objects.has(&stack.key("plan.json")));
    error.to_string()
}

#[tokio::test]
async fn a_machine_prepares_runs_of_its_own_project_alone() {
    let own = stack();
    own.prepare_of("shop", json!({"definition": definition(1, 60)}))
        .await
        .unwrap();
    let claim = own.record().await.trigger;
    assert_eq!(claim.principal_is, PrincipalIs::Claimed);

    // Another's machine: by the input, by the definition, by a stored test.
    for input in [
        json!({"definition": definition(1, 60)}),
        json!({"project": "shop", "definition": definition(1, 60)}),
        json!({"project": "shop", "test": "checkout"}),
        json!({"project": "shop", "tset": 1}),
    ] {
        let stack = stack();
        refusal(&stack, "search", input).await;
        // It lies with the machine's project, and nothing with the one that was named.
        assert!(stack.records.audit_trail("shop").await.unwrap().is_empty());
        let recorded = stack.records.get(None, ID).await.unwrap();
        assert!(recorded.is_none_or(|record| record.project == "search"));
    }

    // The machine of all others.
    let stack = stack();
    let why = refusal(&stack, "*", json!({"definition": definition(1, 60)})).await;
    assert!(why.contains("of its own"), "{why}");
    assert_eq!(stack.records.get(None, ID).await.unwrap(), None);
    assert!(stack.records.audit_trail("shop").await.unwrap().is_empty());
}

#[tokio::test]
async fn recovery_is_bounded_to_the_project_of_its_machine() {
    let stack = stack();
    let run = stack
        .prepare_of("shop", json!({"definition": definition(1, 600)}))
        .await;
    stack.call(Function::Launch, run.unwrap()).await.unwrap();
    let arn = stack.record().await.run_arn.unwrap();
    let recover = json!({"run_arn": arn, "status": "FAILED", "id": ID});
    for other in ["search", "*"] {
        let payload = json!({"recover": recover, "project": other});
        let error = stack.call(Function::Reap, payload).await.unwrap_err();
        assert!(error.to_string().contains("\"shop\""), "{error}");
        assert!(!stack.objects.has(&stack.key("control/stop.json")));
    }
    let payload = json!({"recover": recover, "project": "shop"});
    stack.manifest(0, json!([]));
    stack.call(Function::Reap, payload).await.unwrap();
    assert!(stack.objects.has(&stack.key("control/stop.json")));
}

#[tokio::test]
async fn an_event_without_its_input_is_looked_into_and_recovered_by_its_own_machine() {
    let stack = stack();
    let input = json!({"definition": definition(1, 600), "env": {"TOKEN": "hunter2"}});
    let run = stack.prepare_of("shop", input.clone()).await.unwrap();
    stack.call(Function::Launch, run).await.unwrap();
    let arn = stack.record().await.run_arn.unwrap();
    let event = |arn: &str| json!({"detail": {"executionArn": arn, "name": ID, "status": "ABORTED", "startDate": NOW}});
    stack.call(Function::Reap, event(&arn)).await.unwrap();
    let machines = stack.books.machines.lock().unwrap().clone();
    assert_eq!(
        machines,
        ["arn:aws:states:eu-west-1:1:stateMachine:floodgate_shop"]
    );
    let foreign = arn.replace("floodgate_shop", "another");
    stack
        .call(Function::Reap, event(&foreign))
        .await
        .unwrap_err();

    // One that never got a record: its input names a project, its machine another.
    let stack = self::stack();
    let arn = arn.replace("_shop", "_search");
    let told = Described {
        input: Some(json!({"project": "shop", "test": "checkout"}).to_string()),
        error: Some("Floodgate.Storage".into()),
        cause: Some("the table is away".into()),
    };
    stack
        .books
        .executions
        .lock()
        .unwrap()
        .insert(arn.clone(), told);
    let mut failed = event(&arn);
    failed["detail"]["status"] = json!("FAILED");
    stack.call(Function::Reap, failed).await.unwrap();
    let record = stack.record().await;
    assert_eq!(
        (record.project.as_str(), record.test.as_str()),
        ("search", "checkout")
    );
    assert_eq!(record.reasons, ["Floodgate.Storage: the table is away"]);
    assert!(stack.records.audit_trail("shop").await.unwrap().is_empty());
}

#[tokio::test]
async fn a_schedule_runs_what_the_stack_says_of_it_and_is_vouched_for() {
    let stack = Stack::new();
    let mut place = placement();
    place["schedules"] = json!({"soak": {"project": "shop", "test": "checkout", "version": null,
        "parameters": {"scenarios.browse.rate": "20"}, "env": {"TOKEN": "hunter2"}}});
    stack.place(&place);
    stack.register().await;
    // Somebody tries out something else under the same name meanwhile: that is not what the schedule runs.
    let run = |name: &str, input: Value, scheduled: &str| {
        let run = json!({"arn": format!("{ARN}{name}"), "name": name, "started_at": "2023-11-14T22:13:20Z"});
        json!({"input": input, "run": run, "project": "*", "scheduled": scheduled})
    };
    let trial = run("trial", json!({"definition": definition(3, 60)}), "no");
    stack.call(Function::Prepare, trial).await.unwrap();

    let soak = run("soak", json!({"schedule": "soak"}), "yes");
    let run_of = stack.call(Function::Prepare, soak).await.unwrap();
    let id = run_of["execution"].as_str().unwrap();
    let plan = stack
        .objects
        .json(&format!("projects/shop/executions/{id}/plan.json"));
    assert_eq!(
        (
            plan["tasks"].as_array().unwrap().len(),
            &plan["load"]["iterations"]
        ),
        (1, &json!(1_200))
    );
    assert_eq!(plan["env"]["TOKEN"], "hunter2");
    let record = stack.records.get(None, id).await.unwrap().unwrap();
    assert_eq!(
        record.trigger.principal.as_deref(),
        Some("schedule/floodgate/soak")
    );
    assert_eq!(record.trigger.principal_is, PrincipalIs::Verified);
    let trail = stack.records.audit_trail("shop").await.unwrap();
    assert_eq!(trail.last().unwrap().principal_is, PrincipalIs::Verified);
    assert_eq!(trail[0].principal_is, PrincipalIs::Claimed);

    // Whoever says that it was the schedule only claims it, and may not change what it runs.
    let claimed = run("claimed", json!({"schedule": "soak"}), "no");
    let id = stack.call(Function::Prepare, claimed).await.unwrap()["execution"].clone();
    let record = stack
        .records
        .get(None, id.as_str().unwrap())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(record.trigger.principal_is, PrincipalIs::Claimed);
    for (input, word) in [
        (
            json!({"schedule": "soak", "env": {"TOKEN": "mine"}}),
            "nothing beside it",
        ),
        (json!({"schedule": "hourly"}), "it has soak"),
    ] {
        let error = stack
            .call(Function::Prepare, run(word, input, "yes"))
            .await
            .unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
    }
}

#[tokio::test]
async fn only_a_stored_version_is_registered_and_only_if_somebody_says_so() {
    let stack = stack();
    let folder = "projects/shop/definitions/checkout/v1/";
    let text = definition(1, 60).to_string();
    stack.objects.set(&format!("{folder}definition.json"), text);
    let stored = json!({"project": "shop", "test": "checkout", "version": "v1"});
    let with = |key: &str, value: Value| {
        let mut input = stored.clone();
        input[key] = value;
        input
    };
    for (key, value) in [
        ("definition", json!(definition(1, 60))),
        ("parameters", json!({"scenarios.browse.rate": 5})),
    ] {
        let mut input = with(key, value);
        input["register"] = json!(true);
        let why = refusal(&self::stack(), "shop", input).await;
        assert!(why.contains("register"), "{why}");
    }
    let input = with("trigger", json!({"commit": "abc"}));
    let mut registered = input.clone();
    registered["register"] = json!(true);
    // Without a run, too.
    let mut dry = registered.clone();
    dry["dry_run"] = json!(true);
    let only = self::stack();
    let text = definition(1, 60).to_string();
    only.objects.set(&format!("{folder}definition.json"), text);
    assert_eq!(
        only.prepare_of("shop", dry).await.unwrap()["registered"],
        true
    );
    let known = only
        .records
        .latest_test("shop", "checkout")
        .await
        .unwrap()
        .unwrap();
    let folder_of_it = format!("projects/shop/definitions/checkout/{}/", known.version);
    assert!(only.objects.has(&format!("{folder_of_it}definition.json")));
    assert_eq!(only.records.get(None, ID).await.unwrap(), None);
    stack.prepare_of("shop", registered).await.unwrap();
    let latest = stack
        .records
        .latest_test("shop", "checkout")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(latest.git_revision.as_deref(), Some("abc"));
    // By what it contains, whatever it was called.
    assert_eq!(latest.version, stack.record().await.version);
    assert_ne!(latest.version, "v1");
}

#[tokio::test]
async fn load_goes_only_where_the_project_may_send_it() {
    let rules = |targets: Value| json!({"principals": ["*"], "allowed_targets": targets});
    let to = |target: &str| {
        let mut test = definition(1, 60);
        test["target"] = json!(target);
        json!({"definition": test})
    };
    let stack = ruled(rules(json!(["*.shop.example", "10.0.0.0/8"])));
    stack
        .prepare_of("shop", to("https://www.shop.example"))
        .await
        .unwrap();
    let plan = stack.objects.json(&stack.key("plan.json"));
    assert_eq!(
        plan["allowed_targets"],
        json!(["*.shop.example", "10.0.0.0/8"])
    );

    let names = || ruled(rules(json!(["*.shop.example"])));
    for target in [
        "https://shop.example.evil",
        "http://10.0.0.1",
        "http://evil.example:8080/x",
    ] {
        let why = refusal(&names(), "shop", to(target)).await;
        assert!(
            why.contains("*.shop.example") && why.contains("allowed_targets"),
            "{why}"
        );
    }
    // What only the address can tell the tasks look at.
    let networks = ruled(rules(json!(["10.0.0.0/8"])));
    networks
        .prepare_of("shop", to("http://internal.example"))
        .await
        .unwrap();

    let mut ways = definition(1, 60);
    ways["target"] = json!("https://www.shop.example");
    for (key, value, word) in [
        (
            "hosts",
            json!({"www.shop.example": "192.0.2.1"}),
            "192.0.2.1",
        ),
        ("proxy", json!("http://proxy.example:3128"), "proxy.example"),
    ] {
        ways["http"] = json!({key: value});
        let why = refusal(&names(), "shop", json!({"definition": ways})).await;
        assert!(why.contains(word), "{why}");
    }
    let mut step = definition(1, 60);
    step["target"] = json!("https://www.shop.example");
    step["scenarios"]["browse"]["flow"] =
        json!([{"group": "all", "steps": [{"get": "http://evil.example/${vu}"}]}]);
    let why = refusal(&names(), "shop", json!({"definition": step})).await;
    assert!(why.contains("evil.example"), "{why}");

    // Nobody needs a list for this.
    let open = ruled(json!({"principals": ["*"]}));
    let why = refusal(&open, "shop", to("http://169.254.170.2")).await;
    assert!(
        why.contains("169.254.170.2") && why.contains("credentials"),
        "{why}"
    );
}

#[tokio::test]
async fn secrets_are_the_projects_own() {
    let of = |secrets: Value| {
        let stack = Stack::new();
        let mut place = placement();
        place["secret_arns"] = json!([]);
        place["projects"]["shop"] = json!({"principals": ["*"], "secret_arns": secrets});
        stack.place(&place);
        stack
            .books
            .secrets
            .lock()
            .unwrap()
            .push("shop/token".into());
        stack
    };
    let mut test = definition(1, 60);
    test["http"] = json!({"headers": {"x-token": "${secret:shop/token}"}});
    let input = json!({"definition": test});
    let own = of(json!([
        "arn:aws:secretsmanager:eu-west-1:1:secret:shop/token-??????"
    ]));
    own.prepare_of("shop", input.clone()).await.unwrap();
    let none = of(json!([
        "arn:aws:secretsmanager:eu-west-1:1:secret:search/*"
    ]));
    let why = refusal(&none, "shop", input).await;
    assert!(
        why.contains("not a secret of project") && why.contains("secret_arns"),
        "{why}"
    );
}

#[tokio::test]
async fn a_task_has_the_role_of_its_project() {
    let stack = Stack::new();
    let mut place = placement();
    place["task_roles"] = json!({"*": "arn:all", "shop": "arn:shop"});
    place["projects"]["shop"] = json!({"principals": ["*"]});
    stack.place(&place);
    let run = stack
        .prepare_of("shop", json!({"definition": definition(2, 60)}))
        .await;
    stack.call(Function::Launch, run.unwrap()).await.unwrap();
    let requests = stack.tasks.requests.lock().unwrap().clone();
    assert_eq!(requests.len(), 2);
    assert!(
        requests
            .iter()
            .all(|r| r.task_role.as_deref() == Some("arn:shop"))
    );
}

#[tokio::test]
async fn a_persons_order_to_stop_is_noted_at_the_end() {
    let stack = stack();
    let run = stack
        .prepare_of("shop", json!({"definition": definition(1, 600)}))
        .await;
    let run = stack.call(Function::Launch, run.unwrap()).await.unwrap();
    let stop = json!({"reason": "person", "by": "arn:aws:iam::1:user/ann", "at_ms": NOW});
    stack
        .objects
        .set(&stack.key("control/stop.json"), stop.to_string());
    stack.manifest(0, json!([]));
    let run = stack.call(Function::Watch, run).await.unwrap();
    let plan = json!({"op": "plan", "run": run});
    let run = stack.call(Function::Merge, plan).await.unwrap();
    for _ in 0..2 {
        stack.call(Function::Finish, run.clone()).await.unwrap();
    }
    let trail = stack.records.audit_trail("shop").await.unwrap();
    let orders: Vec<_> = trail.iter().filter(|e| e.action == Action::Abort).collect();
    assert_eq!(orders.len(), 1, "{trail:?}");
    assert_eq!(orders[0].principal, "arn:aws:iam::1:user/ann");
    assert_eq!(orders[0].principal_is, PrincipalIs::Claimed);
}
