//! The API of a stack, asked as API Gateway asks its function, with what its role may do.

use super::shop;
use crate::execution::{PROJECT, arrivals, eventually};
use crate::stack::Stack;
use axum::Router;
use axum::body::to_bytes;
use floodgate_records::execution::PrincipalIs;
use floodgate_store::RecordStore as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

const CI: &str = "arn:aws:sts::000000000000:assumed-role/ci/build-7";
const LEAD: &str = "arn:aws:sts::000000000000:assumed-role/lead/ann";
const STRANGER: &str = "arn:aws:sts::000000000000:assumed-role/other/eve";

/// An answer to an event of an HTTP API, payload version 2.0; of a signed request the gateway tells who has signed it
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>).
async fn ask(
    api: &Router,
    by: Option<&str>,
    (method, path): (&str, &str),
    (headers, body): (&[(&str, &str)], Value),
) -> (u16, Value) {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let (prefix, route, authorizer) = match by {
        Some(arn) => (
            "/iam",
            "ANY /iam/{proxy+}",
            json!({"iam": {"accessKey": "AKIA", "accountId": "000000000000", "callerId": "AROA:x", "userArn": arn, "userId": "AROA:x"}}),
        ),
        None => ("", "$default", Value::Null),
    };
    let mut all = json!({"content-type": "application/json", "host": "api.example"});
    for (name, value) in headers {
        all[*name] = json!(value);
    }
    let path = format!("{prefix}{path}");
    let event = json!({
        "version": "2.0", "routeKey": route, "rawPath": path, "rawQueryString": query, "headers": all,
        "requestContext": {
            "accountId": "000000000000", "apiId": "api", "authorizer": authorizer, "domainName": "api.example", "domainPrefix": "api",
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "test"},
            "requestId": "id", "routeKey": route, "stage": "$default", "time": "30/Nov/2026:00:00:00 +0000", "timeEpoch": 1_795_996_800_000_u64,
        },
        "body": if body.is_null() { Value::Null } else { json!(body.to_string()) }, "isBase64Encoded": false,
    });
    let request = lambda_http::request::from_str(&event.to_string()).unwrap();
    let answer = api.clone().oneshot(request).await.unwrap();
    let status = answer.status().as_u16();
    let bytes = to_bytes(answer.into_body(), 1 << 22).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

async fn get(api: &Router, by: &str, path: &str) -> (u16, Value) {
    ask(api, Some(by), ("GET", path), (&[], Value::Null)).await
}

async fn verdict(api: &Router, of: &Value) -> Value {
    let path = format!("{}?wait=25s", of["verdict"].as_str().unwrap());
    loop {
        let (status, verdict) = get(api, CI, &path).await;
        assert_eq!(status, 200, "{verdict}");
        if verdict["is_final"] == true {
            return verdict;
        }
    }
}

#[tokio::test]
#[ignore = "needs the emulator: cargo xtask test"]
async fn runs_are_started_read_and_stopped_through_the_gateway() {
    let (stack, shop) = (Stack::shared().await, shop());
    let rule = |name: &str, project: &str, role: &str| {
        let principal = format!("arn:aws:iam::000000000000:role/{name}");
        json!({"principal": principal, "project": project, "role": role})
    };
    let rules = json!([
        rule("ci", PROJECT, "tester"),
        rule("lead", PROJECT, "admin"),
        rule("lead", "quiet", "admin"),
    ]);
    let api = stack.api(rules).await;
    let of = |path: &str| format!("/v1/projects/{PROJECT}{path}");
    let runs = of("/executions");

    // Nobody, and somebody without a role.
    assert_eq!(
        ask(&api, None, ("GET", &runs), (&[], Value::Null)).await.0,
        401
    );
    assert_eq!(get(&api, STRANGER, &runs).await.0, 403);
    // A project of others looks like one that isn't there.
    let (foreign, none) = (
        get(&api, CI, "/v1/projects/bank/executions").await,
        get(&api, CI, "/v1/projects/nothing/executions").await,
    );
    let told = |answer: &Value| {
        answer["detail"]
            .as_str()
            .unwrap()
            .replace("bank", "nothing")
    };
    assert_eq!(
        (foreign.0, none.0, told(&foreign.1)),
        (404, 404, told(&none.1))
    );

    let definition = arrivals(
        "api",
        &shop.url(),
        (50, "2s"),
        1,
        "thresholds:\n  http_reqs: [count==100]",
    );
    let body = json!({"definition": definition, "commit": "c0ffee"});
    let key = [("idempotency-key", "once")];
    let (status, started) = ask(&api, Some(CI), ("POST", &runs), (&key, body.clone())).await;
    assert_eq!(status, 201, "{started}");
    let again = ask(&api, Some(CI), ("POST", &runs), (&key, body)).await;
    assert_eq!(
        (again.0, &again.1),
        (201, &started),
        "the same key is the same run"
    );
    let ended = verdict(&api, &started).await;
    assert_eq!(
        (&ended["status"], &ended["passed"]),
        (&json!("passed"), &json!(true)),
        "{ended}"
    );
    assert_eq!(shop.counters().requests(), 100);
    let id = started["execution"].as_str().unwrap();
    let record = stack
        .administrator
        .records
        .get(Some(PROJECT), id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (
            record.trigger.principal.as_deref(),
            record.trigger.principal_is
        ),
        (Some(CI), PrincipalIs::Verified)
    );

    // What is read of it.
    let version = record.version;
    for path in [
        format!("/executions/{id}"),
        format!("/executions/{}", &id[..20]),
        format!("/executions/{id}/live"),
        "/executions?test=api&limit=1".into(),
        "/executions?status=passed&commit=c0ffee".into(),
        "/tests".into(),
        "/tests/api/versions".into(),
        format!("/tests/api/versions/{version}"),
        "/tests/api/trend".into(),
        "/tests/api/thresholds".into(),
        "/tests/api/baseline".into(),
        "/members".into(),
        "/budget".into(),
        "/schedules".into(),
        "/audit?limit=5".into(),
    ] {
        let (status, answer) = get(&api, CI, &of(&path)).await;
        assert!(
            matches!(status, 200 | 404 | 409),
            "{path}: {status}: {answer}"
        );
        assert!(
            status == 200 || path.ends_with("/live") || path.ends_with("/baseline"),
            "{path}: {answer}"
        );
    }
    let (_, listed) = get(&api, CI, &of("/executions?commit=c0ffee")).await;
    assert_eq!(listed["executions"][0]["id"], id);
    assert_eq!(get(&api, CI, "/v1/tests").await.0, 200);

    // What only an admin may do.
    let pin = json!({ "execution": id });
    let baseline = of("/tests/api/baseline");
    assert_eq!(
        ask(&api, Some(CI), ("PUT", &baseline), (&[], pin.clone()))
            .await
            .0,
        403
    );
    assert_eq!(
        ask(&api, Some(LEAD), ("PUT", &baseline), (&[], pin))
            .await
            .0,
        200
    );
    assert_eq!(get(&api, CI, &baseline).await.1["execution"], id);
    // In a project in which nobody runs anything meanwhile.
    let quiet = |path: &str| format!("/v1/projects/quiet{path}");
    let budget = json!({"a_month": {"usd": 1_000_000.0}});
    let (status, answer) = ask(&api, Some(LEAD), ("PUT", &quiet("/budget")), (&[], budget)).await;
    assert_eq!(status, 200, "{answer}");
    let halt = json!({"halted": false, "why": "a test"});
    let (status, answer) = ask(&api, Some(LEAD), ("PUT", &quiet("/halt")), (&[], halt)).await;
    assert_eq!(status, 200, "{answer}");

    // One that goes on is stopped by whoever asks, and says so.
    let definition = arrivals("api", &shop.url(), (20, "60s"), 1, "");
    let (status, started) = ask(
        &api,
        Some(CI),
        ("POST", &runs),
        (&[], json!({ "definition": definition })),
    )
    .await;
    assert_eq!(status, 201, "{started}");
    eventually("the load", || shop.counters().requests() > 110).await;
    let path = format!("{}/abort", started["url"].as_str().unwrap());
    assert_eq!(
        ask(&api, Some(STRANGER), ("POST", &path), (&[], Value::Null))
            .await
            .0,
        403
    );
    assert_eq!(
        ask(&api, Some(CI), ("POST", &path), (&[], Value::Null))
            .await
            .0,
        202
    );
    let ended = verdict(&api, &started).await;
    assert_eq!(ended["status"], "aborted", "{ended}");
}
