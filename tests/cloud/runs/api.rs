//! The API of a stack, through API Gateway and its function, with what their roles may do.

use super::shop;
use crate::execution::{PROJECT, arrivals, eventually};
use crate::stack::{Api, Stack};
use floodgate_records::execution::PrincipalIs;
use floodgate_store::RecordStore as _;
use serde_json::{Value, json};

/// Roles of whoever calls: what one runs, who answers for it, and somebody without a role in the project.
const CI: &str = "api-tester";
const LEAD: &str = "api-lead";
const STRANGER: &str = "api-stranger";

async fn get(api: &Api, by: &str, path: &str) -> (u16, Value) {
    api.ask(Some(by), ("GET", path), (&[], Value::Null)).await
}

async fn verdict(api: &Api, of: &Value) -> Value {
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
    let role = |name: &str| stack.role(name);
    let rules = json!([
        {"principal": role(CI), "project": PROJECT, "role": "tester"},
        {"principal": role(LEAD), "project": PROJECT, "role": "admin"},
        {"principal": role(LEAD), "project": "quiet", "role": "admin"},
    ]);
    let api = stack.api(rules).await;
    let of = |path: &str| format!("/v1/projects/{PROJECT}{path}");
    let runs = of("/executions");

    // Nobody, somebody without a signature where one is needed, and somebody without a role.
    let unsigned = async |path: &str| api.ask(None, ("GET", path), (&[], Value::Null)).await.0;
    assert_eq!(unsigned(&runs).await, 401);
    assert_eq!(unsigned(&format!("/iam{runs}")).await, 403);
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
    let (status, started) = api
        .ask(Some(CI), ("POST", &runs), (&key, body.clone()))
        .await;
    assert_eq!(status, 201, "{started}");
    let again = api.ask(Some(CI), ("POST", &runs), (&key, body)).await;
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
        (Some(api.caller(CI).as_str()), PrincipalIs::Verified)
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
        api.ask(Some(CI), ("PUT", &baseline), (&[], pin.clone()))
            .await
            .0,
        403
    );
    assert_eq!(
        api.ask(Some(LEAD), ("PUT", &baseline), (&[], pin)).await.0,
        200
    );
    assert_eq!(get(&api, CI, &baseline).await.1["execution"], id);
    // In a project in which nobody runs anything meanwhile.
    let quiet = |path: &str| format!("/v1/projects/quiet{path}");
    let budget = json!({"a_month": {"usd": 1_000_000.0}});
    let (status, answer) = api
        .ask(Some(LEAD), ("PUT", &quiet("/budget")), (&[], budget))
        .await;
    assert_eq!(status, 200, "{answer}");
    let halt = json!({"halted": false, "why": "a test"});
    let (status, answer) = api
        .ask(Some(LEAD), ("PUT", &quiet("/halt")), (&[], halt))
        .await;
    assert_eq!(status, 200, "{answer}");

    // One that goes on is stopped by whoever asks, and says so.
    let definition = arrivals("api", &shop.url(), (20, "60s"), 1, "");
    let (status, started) = api
        .ask(
            Some(CI),
            ("POST", &runs),
            (&[], json!({ "definition": definition })),
        )
        .await;
    assert_eq!(status, 201, "{started}");
    eventually("the load", || shop.counters().requests() > 110).await;
    let path = format!("{}/abort", started["url"].as_str().unwrap());
    assert_eq!(
        api.ask(Some(STRANGER), ("POST", &path), (&[], Value::Null))
            .await
            .0,
        403
    );
    assert_eq!(
        api.ask(Some(CI), ("POST", &path), (&[], Value::Null))
            .await
            .0,
        202
    );
    let ended = verdict(&api, &started).await;
    assert_eq!(ended["status"], "aborted", "{ended}");
}
