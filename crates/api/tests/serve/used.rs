//! What the routes do for those who may use them.

use crate::support::*;
use axum::http::{Method, StatusCode};
use floodgate_api::RunWhat;
use floodgate_records::execution::{Execution, PrincipalIs};
use floodgate_records::status::Status;
use floodgate_store::RecordStore as _;
use serde_json::{Value, json};
use std::time::Duration;

const START: &str = "/v1/projects/own/executions";

#[tokio::test]
async fn a_run_is_started_in_the_name_of_whom_the_token_is_of() {
    let bench = Bench::new();
    let jwt = bench.keys.es256(&claims("tester", "own"));
    let body = json!({
        "definition": {"version": 1, "test": "home"}, "parameters": {"scenarios.one.rate": "5"}, "environment": {"HOST": "a"},
        "commit": "c0ffee", "generators": 2
    });
    let answer = bench
        .ask((Method::POST, START), Some(&jwt), &[], &body)
        .await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    let id = answer.json["execution"].as_str().unwrap();
    assert_eq!(answer.headers["location"], format!("{START}/{id}"));
    let order = bench.orders.lock().unwrap()[0].clone();
    assert_eq!((order.id.as_str(), order.generators), (id, 2));
    let RunWhat::Definition(text) = &order.what else {
        panic!("{order:?}");
    };
    assert_eq!(text, r#"{"version":1,"test":"home"}"#);
    let trigger = &order.trigger;
    assert_eq!(
        trigger.principal.as_deref(),
        Some("github:repo:acme/own:tester")
    );
    assert_eq!(trigger.principal_is, PrincipalIs::Verified);
    assert_eq!(
        (trigger.kind.as_str(), trigger.commit.as_deref()),
        ("api", Some("c0ffee"))
    );
    let verdict = bench.get(&format!("{START}/{id}/verdict"), &jwt).await.json;
    assert_eq!(verdict["principal_is"], "verified");
    assert_eq!(
        (&verdict["is_final"], &verdict["passed"]),
        (&json!(false), &json!(false))
    );
    assert_eq!(verdict["exit_code"], Value::Null);
}

#[tokio::test]
async fn the_same_key_is_the_same_run() {
    let bench = Bench::new();
    let (ann, bob) = (listed("tester", "own"), listed("admin", "own"));
    let start = async |token: &str, key: &str, definition: &str| {
        let headers = [("idempotency-key", key)];
        let body = json!({ "definition": definition });
        bench
            .ask((Method::POST, START), Some(token), &headers, &body)
            .await
    };
    let first = start(&ann, "k", "a").await;
    let again = start(&ann, "k", "a").await;
    assert_eq!(
        (first.status, again.status),
        (StatusCode::CREATED, StatusCode::CREATED)
    );
    assert_eq!(first.text, again.text);
    assert!(!first.headers.contains_key("idempotency-replayed"));
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(
        start(&ann, "k", "b").await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let of_bob = start(&bob, "k", "a").await;
    let other = start(&ann, "other", "a").await;
    let ids = [&first, &of_bob, &other].map(|a| a.json["execution"].as_str().unwrap().to_owned());
    assert!(
        ids[0] != ids[1] && ids[0] != ids[2] && ids[1] != ids[2],
        "{ids:?}"
    );
    assert_eq!(bench.orders.lock().unwrap().len(), 3);
    // Nobody is told that there is no place, which the first of them takes.
    let once = || start(&ann, "race", "a");
    let all = tokio::join!(once(), once(), once(), once());
    for other in [all.0, all.1, all.2] {
        assert_eq!(other.status, StatusCode::CREATED, "{}", other.text);
        assert_eq!(other.json["execution"], all.3.json["execution"]);
    }
}

#[tokio::test]
async fn a_request_that_is_refused_keeps_no_key() {
    let bench = Bench::new();
    let ann = listed("tester", "own");
    let start = async |body: Value| {
        let headers = [("idempotency-key", "k")];
        bench
            .ask((Method::POST, START), Some(&ann), &headers, &body)
            .await
    };
    let faulty = json!({"definition": "x", "parameters": {"refuse": ""}});
    for _ in 0..2 {
        let answer = start(faulty.clone()).await;
        assert!(answer.text.contains("a fault"), "{}", answer.text);
    }
    let corrected = start(json!({"definition": "y"})).await;
    assert_eq!(corrected.status, StatusCode::CREATED, "{}", corrected.text);
    let again = start(json!({"definition": "y"})).await;
    assert_eq!(again.text, corrected.text);
    // Now it is taken.
    let other = start(json!({"definition": "z"})).await;
    assert!(other.text.contains("another request had"), "{}", other.text);
    assert_eq!(bench.orders.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_test_runs_again_in_the_version_of_its_newest_run() {
    let bench = Bench::new();
    bench.put("own", 1, Status::Passed).await;
    let tester = listed("tester", "own");
    let body = json!({"test": "home"});
    let answer = bench
        .ask((Method::POST, START), Some(&tester), &[], &body)
        .await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    let expected = RunWhat::Version {
        test: "home".into(),
        version: "abc".into(),
    };
    assert_eq!(bench.orders.lock().unwrap()[0].what, expected);
}

#[tokio::test(start_paused = true)]
async fn a_verdict_is_waited_for_and_comes_as_soon_as_there_is_one() {
    let bench = Bench::new();
    let id = bench.put("own", 1, Status::Running).await;
    let path = format!("{START}/{id}/verdict?wait=30s");
    let viewer = listed("viewer", "own");
    let store = bench.store.clone();
    let ending = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        let mut run = Execution::created(&id, "own", "home", 1);
        run.status = Status::Failed;
        run.reasons = vec!["slow".into()];
        store.update(&run, &[Status::Running]).await.unwrap();
    };
    let begun = tokio::time::Instant::now();
    let (answer, ()) = tokio::join!(bench.get(&path, &viewer), ending);
    // The clock is paused: files take longer than none, and the wait must not.
    assert!(
        begun.elapsed() < Duration::from_secs(30),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(
        (&answer.json["status"], &answer.json["exit_code"]),
        (&json!("failed"), &json!(99))
    );
    assert_eq!(answer.json["reasons"], json!(["slow"]));
    let known = answer.headers["etag"].to_str().unwrap();
    let of = (Method::GET, path.as_str());
    let same = bench
        .ask(of, Some(&viewer), &[("if-none-match", known)], &Value::Null)
        .await;
    assert_eq!(
        (same.status, same.text.as_str()),
        (StatusCode::NOT_MODIFIED, "")
    );
}

#[tokio::test]
async fn a_baseline_is_pinned_by_whoever_has_seen_the_one_before() {
    let bench = Bench::new();
    let ids = [
        bench.put("own", 1, Status::Passed).await,
        bench.put("own", 2, Status::Passed).await,
        bench.put("own", 3, Status::Failed).await,
    ];
    let (path, admin) = (
        "/v1/projects/own/tests/home/baseline",
        listed("admin", "own"),
    );
    let none = bench.get(path, &admin).await;
    assert_eq!(none.json["execution"], Value::Null);
    let set = async |id: &str, seen: &str| {
        let body = json!({ "execution": id });
        bench
            .ask(
                (Method::PUT, path),
                Some(&admin),
                &[("if-match", seen)],
                &body,
            )
            .await
    };
    let seen = none.headers["etag"].to_str().unwrap().to_owned();
    let first = set(&ids[0], &seen).await;
    assert_eq!(
        (first.status, &first.json["by"]),
        (StatusCode::OK, &json!("admin@own"))
    );
    assert_eq!(
        set(&ids[1], &seen).await.status,
        StatusCode::PRECONDITION_FAILED
    );
    assert_eq!(
        set(&ids[2], "*").await.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "it failed"
    );
    let of = (Method::DELETE, path);
    let cleared = bench.ask(of, Some(&admin), &[], &Value::Null).await;
    assert_eq!(cleared.status, StatusCode::NO_CONTENT);
    let trail = bench
        .get("/v1/projects/own/audit?limit=2", &admin)
        .await
        .json;
    let said = |n: usize| {
        (
            trail[n]["action"].as_str(),
            trail[n]["principal_is"].as_str(),
        )
    };
    assert_eq!(
        [said(0), said(1)],
        [
            (Some("unpin"), Some("verified")),
            (Some("pin"), Some("verified"))
        ]
    );
    let log = bench.store.audit_log("own").await.unwrap();
    let found = floodgate_store::chain::verify("own", &log, &[]);
    assert_eq!((found.chained, found.findings.len()), (2, 0));
}

#[tokio::test]
async fn pages_follow_one_another_without_gap_however_many_projects() {
    let bench = Bench::new();
    for n in 0..30 {
        let project = if n % 3 == 0 { "foreign" } else { "own" };
        let status = if n % 2 == 0 {
            Status::Passed
        } else {
            Status::Failed
        };
        bench.put(project, n, status).await;
    }
    let viewer = listed("viewer", "own");
    for (query, expected) in [("", 20), ("&status=failed", 10), ("&test=none", 0)] {
        let (mut ids, mut after) = (Vec::new(), String::new());
        loop {
            let path = format!("/v1/executions?limit=3{query}{after}");
            let page = bench.get(&path, &viewer).await.json;
            let rows = page["executions"].as_array().unwrap();
            ids.extend(
                rows.iter()
                    .map(|row| row["id"].as_str().unwrap().to_owned()),
            );
            assert!(rows.iter().all(|row| row["project"] == "own"));
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        assert!(ids.is_sorted_by(|a, b| a > b), "{ids:?}");
        assert_eq!(ids.len(), expected, "{query}");
    }
    let judged = bench
        .get("/v1/projects/own/tests/home/thresholds?limit=5", &viewer)
        .await
        .json;
    assert_eq!(judged["runs"].as_array().unwrap().len(), 5);
    assert!(judged["next"].is_string());
}

#[tokio::test]
async fn members_are_those_of_the_list_and_of_the_rules() {
    let bench = Bench::new();
    let members = bench
        .get("/v1/projects/own/members", &listed("viewer", "own"))
        .await;
    let all = members.json.as_array().unwrap();
    let of = |via: &str| all.iter().filter(|m| m["via"] == via).count();
    assert_eq!((of("token"), of("oidc")), (4, 3), "{}", members.text);
    assert!(!members.text.contains("foreign") && !members.text.contains("sha256"));
    let rule = all.iter().find(|m| m["via"] == "oidc").unwrap();
    assert_eq!(rule["when"]["repository"], "acme/own");
}

#[test]
fn the_description_names_each_operation_once() {
    let described = serde_json::to_value(floodgate_api::description()).unwrap();
    assert!(described["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut names = Vec::new();
    for (path, methods) in described["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            names.push(operation["operationId"].as_str().unwrap().to_owned());
            let answers = operation["responses"].as_object().unwrap();
            for status in ["401", "403", "404", "429"] {
                assert!(answers.contains_key(status), "{method} {path}: {status}");
            }
        }
    }
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count);
}
