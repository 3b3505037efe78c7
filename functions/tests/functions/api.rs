//! The API behind its gateway, over the stack's own functions.

use crate::support::*;
use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use floodgate_api::Fetch;
use floodgate_control::{Stores, note_order, read_stop};
use floodgate_functions::api::{Machines, Settings, router_of};
use floodgate_functions::*;
use floodgate_records::execution::{Execution, PrincipalIs};
use floodgate_records::keys::ExecutionKeys;
use floodgate_records::status::Status;
use floodgate_store::aws::ecr::ImageName;
use floodgate_store::aws::secret::Secret;
use floodgate_store::{ObjectInfo, ObjectStore, RecordStore as _};
use lambda_http::RequestExt as _;
use lambda_http::request::RequestContext;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tower::ServiceExt as _;

const LEAD: &str = "arn:aws:sts::1:assumed-role/lead/ann";
const CI: &str = "arn:aws:sts::1:assumed-role/ci/build-7";
const MACHINE: &str = "arn:aws:states:eu-west-1:1:stateMachine:floodgate";

/// A state machine that comes as far as preparing.
struct Preparing(Arc<Stack>);

type Answer<T> = std::result::Result<T, Refused>;

#[async_trait]
impl Account for Preparing {
    async fn vcpu_quota(&self, region: &str, code: &str) -> Answer<f64> {
        self.0.books.vcpu_quota(region, code).await
    }
    async fn secret(&self, reference: &str) -> Answer<String> {
        self.0.books.secret(reference).await
    }
    async fn read_secret(&self, reference: &str) -> Answer<Secret> {
        self.0.books.read_secret(reference).await
    }
    async fn call_later(&self, function: &str, payload: &Value) -> Answer<()> {
        self.0.books.call_later(function, payload).await
    }
    async fn image(&self, name: &ImageName) -> Answer<Vec<String>> {
        self.0.books.image(name).await
    }
    async fn start(&self, machine: &str, name: &str, input: &str) -> Answer<StartOutcome> {
        let outcome = self.0.books.start(machine, name, input).await?;
        if outcome == StartOutcome::Now {
            let input: Value = serde_json::from_str(input).unwrap();
            let arn = format!(
                "{}:{name}",
                machine.replace(":stateMachine:", ":execution:")
            );
            let run = json!({"arn": arn, "name": name, "started_at": "2023-11-14T22:13:20.000Z"});
            let payload = json!({"input": input, "run": run});
            let stack = Arc::clone(&self.0);
            // In a process of its own, as on AWS: here, on a thread.
            let preparing = tokio::task::spawn_blocking(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .unwrap();
                // What it refuses is on record.
                let _ = runtime.block_on(stack.call(Function::Prepare, payload));
            });
            preparing.await.unwrap();
        }
        Ok(outcome)
    }
    async fn execution(&self, arn: &str) -> Answer<Described> {
        self.0.books.execution(arn).await
    }
}

struct NoKeys;

#[async_trait]
impl Fetch for NoKeys {
    async fn get(&self, url: &str) -> std::result::Result<Vec<u8>, String> {
        Err(format!("{url} is not asked in this test"))
    }
}

fn stores(stack: &Stack) -> Stores {
    Stores {
        objects: stack.objects.clone(),
        records: stack.records.clone(),
    }
}

fn api(stack: &Arc<Stack>) -> Router {
    api_over(stack, &stores(stack))
}

/// The same over these stores: those of its function, while the others keep theirs.
fn api_over(stack: &Arc<Stack>, stores: &Stores) -> Router {
    let settings = json!({"schema": 1, "requests_per_second": 100, "state_machines": {"*": MACHINE}, "iam": [
        {"principal": "arn:aws:iam::1:role/ci", "project": "shop", "role": "tester"},
        {"principal": "arn:aws:iam::1:role/lead", "project": "shop", "role": "admin"}]});
    let settings = Arc::new(Settings::parse(settings.to_string().as_bytes()).unwrap());
    let starter = Machines::new(
        stores.clone(),
        Arc::new(Preparing(Arc::clone(stack))),
        stack.clock.clone(),
        settings.state_machines.clone(),
    );
    router_of(
        settings,
        stores.clone(),
        Box::new(starter),
        Arc::new(NoKeys),
    )
    .unwrap()
}

/// Asks as API Gateway hands it on: with the ARN of whoever signed, if the route checks that.
async fn ask(
    api: &Router,
    method: &str,
    path: &str,
    by: Option<&str>,
    body: Value,
) -> (StatusCode, Value) {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()))
        .unwrap();
    let authorizer = match by {
        Some(arn) => json!({"iam": {"userArn": arn}}),
        None => Value::Null,
    };
    let http = json!({"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "test"});
    let context = json!({"authorizer": authorizer, "http": http, "timeEpoch": 0});
    let context = serde_json::from_value(context).unwrap();
    let request = request.with_request_context(RequestContext::ApiGatewayV2(context));
    let response = api.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

async fn started(stack: &Stack, answer: &Value) -> Execution {
    let id = answer["execution"].as_str().unwrap();
    stack.records.get(None, id).await.unwrap().unwrap()
}

const RUNS: &str = "/iam/v1/projects/shop/executions";

#[tokio::test]
async fn whoever_signed_a_start_is_proven_in_the_record() {
    let stack = Arc::new(Stack::new());
    let api = api(&stack);
    let start =
        json!({"definition": definition(1, 60), "environment": {"A": "b"}, "commit": "abc"});
    let (status, answer) = ask(&api, "POST", RUNS, Some(CI), start).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    let run = started(&stack, &answer).await;
    assert_eq!(run.status, Status::Preparing);
    let trigger = &run.trigger;
    assert_eq!(trigger.principal.as_deref(), Some(CI));
    assert_eq!(trigger.principal_is, PrincipalIs::Verified);
    assert_eq!(
        (trigger.kind.as_str(), trigger.commit.as_deref()),
        ("api", Some("abc"))
    );
    // What the state machine is told is where that lies: nobody can tell it another name.
    let (name, told) = stack.books.started.lock().unwrap()[0].clone();
    let expected = json!({"project": "shop", "id": run.id, "order": true});
    assert_eq!(
        (name, serde_json::from_str(&told).ok()),
        (run.id.clone(), Some(expected))
    );
    let (status, verdict) = ask(
        &api,
        "GET",
        &format!("{RUNS}/{}/verdict", run.id),
        Some(CI),
        Value::Null,
    )
    .await;
    assert_eq!(
        (status, &verdict["is_final"]),
        (StatusCode::OK, &json!(false))
    );
}

#[tokio::test]
async fn a_definition_with_faults_is_a_run_that_says_so() {
    let stack = Arc::new(Stack::new());
    let api = api(&stack);
    let start = json!({"definition": "version: 1\nproject: shop\n"});
    let (status, answer) = ask(&api, "POST", RUNS, Some(CI), start).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    let run = started(&stack, &answer).await;
    assert!(
        run.status.is_final() && run.status != Status::Passed,
        "{run:?}"
    );
    assert!(
        run.reasons.join(" ").contains("\"test\" is missing"),
        "{:?}",
        run.reasons
    );
    assert_eq!(run.trigger.principal_is, PrincipalIs::Verified);
}

#[tokio::test]
async fn nobody_gets_in_by_saying_who_they_are() {
    let stack = Arc::new(Stack::new());
    let api = api(&stack);
    let start = || json!({"definition": definition(1, 60)});
    // The path of signed requests proves nothing by itself.
    for path in [RUNS, "/v1/projects/shop/executions"] {
        let (status, _) = ask(&api, "POST", path, None, start()).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{path}");
    }
    let (status, answer) = ask(&api, "POST", RUNS, Some("arn:aws:iam::1:user/eve"), start()).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "{answer}");
    let elsewhere = "/iam/v1/projects/bank/executions";
    let (status, answer) = ask(&api, "GET", elsewhere, Some(CI), Value::Null).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "{answer}");
    let mut claimed = start();
    claimed["principal"] = json!("boss");
    let (status, answer) = ask(&api, "POST", RUNS, Some(CI), claimed).await;
    assert!(status.is_client_error(), "{answer}");
    assert!(stack.books.started.lock().unwrap().is_empty());
}

#[tokio::test]
async fn an_order_is_found_where_only_the_api_writes() {
    let stack = Stack::new();
    let order = |more: Value| {
        let mut input = json!({"project": "shop", "id": ID, "order": true});
        for (key, value) in more.as_object().unwrap() {
            input[key] = value.clone();
        }
        input
    };
    let refusal =
        |result: std::result::Result<Value, FunctionError>| result.unwrap_err().to_string();
    let missing = refusal(stack.prepare(order(json!({}))).await);
    assert!(
        missing.contains("control/order.json is not there"),
        "{missing}"
    );

    let stack = Stack::new();
    let beside = refusal(
        stack
            .prepare(order(json!({"trigger": {"principal": "boss"}})))
            .await,
    );
    assert!(beside.contains("nothing beside it"), "{beside}");

    let stack = Stack::new();
    let written = json!({"project": "shop", "id": "01JD7Q3W5Z8X9Y0A1B2C3D4E5G", "definition": definition(1, 60)});
    stack
        .objects
        .set(&stack.key("control/order.json"), written.to_string());
    let other = refusal(stack.prepare(order(json!({}))).await);
    assert!(other.contains("for another run"), "{other}");
    assert_eq!(
        stack.record().await.trigger.principal_is,
        PrincipalIs::Claimed
    );
}

#[tokio::test]
async fn an_order_to_stop_that_the_api_vouches_for_is_proven_in_the_trail() {
    let stack = Arc::new(Stack::new());
    let api = api(&stack);
    let (_, answer) = ask(
        &api,
        "POST",
        RUNS,
        Some(CI),
        json!({"definition": definition(1, 60)}),
    )
    .await;
    let run = started(&stack, &answer).await;
    let (status, answer) = ask(
        &api,
        "POST",
        &format!("{RUNS}/{}/abort", run.id),
        Some(CI),
        json!({}),
    )
    .await;
    assert!(status.is_success(), "{status} {answer}");
    let keys = ExecutionKeys::new("shop", &run.id);
    let stores = stores(&stack);
    let order = read_stop(stores.objects.as_ref(), &keys)
        .await
        .unwrap()
        .unwrap();
    note_order(&stores, &run, &order).await.unwrap();
    // Another name in the order is not what was vouched for.
    let mut forged = order.clone();
    forged.by = "boss".into();
    note_order(&stores, &run, &forged).await.unwrap();
    let trail = stack.records.audit_trail("shop").await.unwrap();
    let aborts: BTreeMap<_, _> = trail
        .iter()
        .filter(|entry| entry.outcome == "stop ordered")
        .map(|entry| (entry.principal.as_str(), entry.principal_is))
        .collect();
    assert_eq!(
        aborts,
        BTreeMap::from([(CI, PrincipalIs::Verified), ("boss", PrincipalIs::Claimed)])
    );
}

/// The Terraform code of the role that the function has.
const ROLE: &str = include_str!("../../../terraform/modules/api/roles.tf");

/// Objects, and which of them were asked for how.
struct Noted {
    objects: Arc<dyn ObjectStore>,
    asked: Mutex<Vec<(&'static str, String)>>,
}

impl Noted {
    fn note(&self, action: &'static str, key: &str) {
        self.asked.lock().unwrap().push((action, key.to_owned()));
    }
}

#[async_trait]
impl ObjectStore for Noted {
    async fn put(&self, key: &str, data: bytes::Bytes) -> floodgate_store::Result<()> {
        self.note("s3:PutObject", key);
        self.objects.put(key, data).await
    }
    async fn put_new(&self, key: &str, data: bytes::Bytes) -> floodgate_store::Result<()> {
        self.note("s3:PutObject", key);
        self.objects.put_new(key, data).await
    }
    async fn get(&self, key: &str) -> floodgate_store::Result<Option<bytes::Bytes>> {
        self.note("s3:GetObject", key);
        self.objects.get(key).await
    }
    async fn list(&self, prefix: &str) -> floodgate_store::Result<Vec<ObjectInfo>> {
        self.objects.list(prefix).await
    }
    async fn delete(&self, key: &str) -> floodgate_store::Result<()> {
        self.note("s3:DeleteObject", key);
        self.objects.delete(key).await
    }
}

/// Objects of the bucket that the role may do this with, `*` for any characters.
fn allowed(action: &str) -> Vec<String> {
    let statements = ROLE.split("Sid ").filter(|text| text.contains(action));
    let quoted = statements.flat_map(|text| text.split('"'));
    let keys = quoted.filter_map(|text| text.strip_prefix("${var.bucket_arn}/"));
    keys.map(str::to_owned).collect()
}

fn fits(pattern: &str, key: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == key,
        Some((start, rest)) => key.strip_prefix(start).is_some_and(|left| {
            let mut ends = left.char_indices().map(|(at, _)| at).chain([left.len()]);
            ends.any(|at| fits(rest, &left[at..]))
        }),
    }
}

/// A permission that is missing shows on AWS alone, where it refuses what the caller's role allows.
#[tokio::test]
async fn the_role_of_the_function_allows_what_its_routes_do() {
    let stack = Arc::new(Stack::new());
    let noted = Arc::new(Noted {
        objects: stack.objects.clone(),
        asked: Mutex::default(),
    });
    let stores = Stores {
        objects: noted.clone(),
        ..stores(&stack)
    };
    let api = api_over(&stack, &stores);
    let start = json!({"definition": definition(1, 60)});
    let (status, answer) = ask(&api, "POST", RUNS, Some(CI), start).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    let run = started(&stack, &answer).await;
    let (id, test) = (&run.id, &run.test);
    let of = |path: &str| format!("/iam/v1/projects/shop{path}");
    for path in [
        format!("/executions/{id}"),
        format!("/executions/{id}/verdict"),
        format!("/executions/{id}/live"),
        format!("/executions/{id}/report"),
        format!("/comparisons?executions={id},{id}"),
        format!("/tests/{test}/versions"),
        format!("/tests/{test}/trend"),
        format!("/tests/{test}/thresholds"),
        format!("/tests/{test}/baseline"),
        "/tests".into(),
        "/executions".into(),
        "/budget".into(),
        "/members".into(),
        "/audit".into(),
    ] {
        // Whatever is there to be shown.
        let (status, answer) = ask(&api, "GET", &of(&path), Some(CI), Value::Null).await;
        assert!(
            !status.is_server_error() || path.ends_with("/live"),
            "{path}: {status} {answer}"
        );
    }
    // An empty list would say that the stack has none.
    let schedule = json!({"test": test, "expression": "rate(1 day)"});
    for (method, path, body) in [
        ("GET", "/schedules", Value::Null),
        ("GET", "/schedules/nightly", Value::Null),
        ("PUT", "/schedules/nightly", schedule),
        ("DELETE", "/schedules/nightly", Value::Null),
    ] {
        let (status, answer) = ask(&api, method, &of(path), Some(LEAD), body).await;
        let detail = answer["detail"].as_str().unwrap_or_default();
        assert!(
            status == StatusCode::NOT_FOUND && detail.contains("in Terraform"),
            "{method} {path}: {status} {answer}"
        );
    }
    let abort = of(&format!("/executions/{id}/abort"));
    let (status, answer) = ask(&api, "POST", &abort, Some(CI), json!({})).await;
    assert!(status.is_success(), "{status} {answer}");
    let mut passed = run.clone();
    passed.status = Status::Passed;
    stack.records.update(&passed, &[run.status]).await.unwrap();
    for (path, body) in [
        ("/budget".to_owned(), json!({"a_month": {"usd": 5}})),
        ("/halt".into(), json!({"halted": true, "why": "a test"})),
        (
            format!("/tests/{test}/baseline"),
            json!({ "execution": id }),
        ),
    ] {
        let (status, answer) = ask(&api, "PUT", &of(&path), Some(LEAD), body).await;
        assert!(
            status.is_success() || path.ends_with("/baseline"),
            "{path}: {status} {answer}"
        );
    }
    let asked = noted.asked.lock().unwrap().clone();
    let read = |key: &str| asked.contains(&("s3:GetObject", key.to_owned()));
    assert!(read("config/halt.json") && read("projects/shop/budget.json"));
    for (action, key) in asked {
        let patterns = allowed(action);
        let is_allowed = patterns.iter().any(|pattern| fits(pattern, &key));
        assert!(is_allowed, "{action} {key}: {patterns:?}");
    }
}
