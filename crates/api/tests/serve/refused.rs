//! What is refused, and how it is said.

use crate::support::*;
use axum::http::{Method, StatusCode};
use floodgate_api::{Fetch, Identities};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;

#[tokio::test]
async fn an_identity_without_a_rule_has_no_role() {
    let bench = Bench::new();
    for (claim, value) in [
        ("repository", json!("evil/own")),
        ("repository", json!("acme/own-fork")),
        ("ref", json!("refs/heads/other")),
        ("private", json!(false)),
        ("private", Value::Null),
    ] {
        let mut claims = claims("admin", "own");
        claims[claim] = value;
        let answer = bench.get("/v1/projects", &bench.keys.es256(&claims)).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{claims}");
    }
}

#[tokio::test]
async fn a_token_is_taken_back_by_taking_it_out_of_the_file() {
    let bench = Bench::new();
    let token = listed("admin", "own");
    assert_eq!(
        bench.get("/v1/projects", &token).await.status,
        StatusCode::OK
    );
    let path = bench.folder.path().join("tokens.json");
    std::fs::write(&path, "{\"tokens\": []}").unwrap();
    let answer = bench.get("/v1/projects", &token).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    // While nobody can read it, nobody is let in.
    std::fs::write(&path, "{\"tok").unwrap();
    let answer = bench.get("/v1/projects", &token).await;
    assert_eq!(
        answer.status,
        StatusCode::SERVICE_UNAVAILABLE,
        "{}",
        answer.text
    );
}

#[tokio::test]
async fn keys_are_read_once_and_again_for_an_unknown_one_but_not_often() {
    let bench = Bench::new();
    let good = bench.keys.es256(&claims("viewer", "own"));
    for _ in 0..5 {
        assert_eq!(
            bench.get("/v1/projects", &good).await.status,
            StatusCode::OK
        );
    }
    assert_eq!(bench.provider.asked.load(Ordering::Relaxed), 1);
    for _ in 0..5 {
        let header = json!({"alg": "ES256", "kid": "invented"});
        let bad = bench.keys.sign(&header, &claims("viewer", "own"));
        let answer = bench.get("/v1/projects", &bad).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(bench.provider.asked.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn without_keys_nothing_is_believed() {
    let bench = Bench::new();
    *bench.provider.jwks.lock().unwrap() = Err("no route".into());
    let good = bench.keys.es256(&claims("viewer", "own"));
    for _ in 0..2 {
        let answer = bench.get("/v1/projects", &good).await;
        assert_eq!(
            answer.status,
            StatusCode::SERVICE_UNAVAILABLE,
            "{}",
            answer.text
        );
    }
    let token = listed("viewer", "own");
    assert_eq!(
        bench.get("/v1/projects", &token).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_ask_again() {
    let bench = Bench::with_rate(1);
    let token = listed("viewer", "own");
    for _ in 0..10 {
        assert_eq!(
            bench.get("/v1/projects", &token).await.status,
            StatusCode::OK
        );
    }
    let answer = bench.get("/v1/projects", &token).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.headers["retry-after"], "1");
    let other = bench.get("/v1/projects", &listed("tester", "own")).await;
    assert_eq!(other.status, StatusCode::OK, "each has their own");
}

#[tokio::test]
async fn wrong_tokens_hold_up_the_address_that_sends_them_and_nobody_else() {
    let bench = Bench::new();
    let (wrong, right) = ("no-such-token-0123456789", listed("viewer", "own"));
    let (eve, ann) = ("192.0.2.1", "192.0.2.2");
    for _ in 0..20 {
        assert_eq!(bench.from(eve, Some(wrong)).await, (401, None));
        assert_eq!(bench.from(eve, None).await.0, 401, "no token is no attempt");
        assert_eq!(bench.from(ann, Some(&right)).await.0, 200);
    }
    let later = (429, Some("1".to_owned()));
    assert_eq!(bench.from(eve, Some(wrong)).await, later);
    assert_eq!(bench.from(eve, Some(&right)).await, later);
    assert_eq!(bench.from(ann, Some(&right)).await.0, 200);
    assert_eq!(bench.from(ann, Some(wrong)).await.0, 401);
    // Somebody whom a gateway would have to prove is none of these: without an address nobody is held up.
    assert_eq!(
        bench.get("/v1/projects", &right).await.status,
        StatusCode::OK
    );
    // Tokens that nobody can check now are no attempts.
    *bench.provider.jwks.lock().unwrap() = Err("no route".into());
    let unchecked = bench.keys.es256(&claims("viewer", "own"));
    for _ in 0..30 {
        assert_eq!(bench.from("192.0.2.3", Some(&unchecked)).await.0, 503);
    }
}

#[tokio::test]
async fn whatever_is_wrong_is_a_problem() {
    let bench = Bench::new();
    let admin = listed("admin", "own");
    let start = "/v1/projects/own/executions";
    let bad_key = "k".repeat(201);
    for (method, path, headers, body, status) in [
        ("GET", "/elsewhere", &[][..], Value::Null, 404),
        ("GET", "/v2", &[], Value::Null, 404),
        ("DELETE", start, &[], Value::Null, 405),
        ("GET", "/v1/executions?limit=many", &[], Value::Null, 400),
        ("GET", "/v1/executions?brunch=main", &[], Value::Null, 400),
        (
            "GET",
            "/v1/projects/own/executions/%FF/verdict",
            &[],
            Value::Null,
            404,
        ),
        (
            "GET",
            "/v1/projects/own/executions/01JD7Q/verdict?wait=1h",
            &[],
            Value::Null,
            400,
        ),
        (
            "GET",
            "/v1/projects/own/tests/..%2F..%2Fx/baseline",
            &[],
            Value::Null,
            404,
        ),
        ("POST", start, &[], Value::Null, 415),
        ("POST", start, &[], json!([]), 422),
        ("POST", start, &[], json!(["version: 1"]), 422),
        ("PUT", "/v1/projects/own/budget", &[], json!([]), 422),
        (
            "PUT",
            "/v1/projects/own/budget",
            &[],
            json!([[5, null], [null, 7]]),
            422,
        ),
        (
            "PUT",
            "/v1/projects/own/budget",
            &[],
            json!({"a_month": [5, null]}),
            422,
        ),
        (
            "PUT",
            "/v1/projects/own/halt",
            &[],
            json!([true, "why", false]),
            422,
        ),
        (
            "PUT",
            "/v1/projects/own/members/ann",
            &[],
            json!(["viewer", "00".repeat(32)]),
            422,
        ),
        (
            "PUT",
            "/v1/projects/own/tests/home/baseline",
            &[],
            json!(["01JD7Q3W5Z8X9Y"]),
            422,
        ),
        (
            "PUT",
            "/v1/projects/own/schedules/x",
            &[],
            json!(["home", null, "rate(1 hour)"]),
            422,
        ),
        (
            "GET",
            "/v1/executions?since=2026-01-01",
            &[],
            Value::Null,
            400,
        ),
        ("POST", start, &[], json!({}), 422),
        (
            "POST",
            start,
            &[],
            json!({"definition": "x", "test": "y"}),
            422,
        ),
        (
            "POST",
            start,
            &[],
            json!({"definition": "x", "principal": "root"}),
            422,
        ),
        (
            "POST",
            start,
            &[],
            json!({"definition": "x", "generators": 0}),
            422,
        ),
        (
            "POST",
            start,
            &[],
            json!({"definition": "x", "branch": "a\nb"}),
            422,
        ),
        (
            "POST",
            start,
            &[],
            json!({"definition": "x", "parameters": {"refuse": ""}}),
            422,
        ),
        ("POST", start, &[], json!({"test": "never-run"}), 422),
        (
            "POST",
            start,
            &[("idempotency-key", "")],
            json!({"definition": "x"}),
            400,
        ),
        (
            "POST",
            start,
            &[("idempotency-key", bad_key.as_str())],
            json!({"definition": "x"}),
            400,
        ),
        (
            "PUT",
            "/v1/projects/own/tests/home/baseline",
            &[],
            json!({"execution": "01JD7Q3W5Z8X9Y"}),
            404,
        ),
    ] {
        let of = (method.parse::<Method>().unwrap(), path);
        let answer = bench.ask(of, Some(&admin), headers, &body).await;
        let what = format!("{method} {path} {body}: {}", answer.text);
        assert_eq!(answer.status.as_u16(), status, "{what}");
        assert_eq!(
            answer.headers["content-type"], "application/problem+json",
            "{what}"
        );
        assert_eq!(answer.json["status"], status, "{what}");
        let detail = answer.json["detail"].as_str().unwrap();
        assert!(!detail.is_empty(), "{what}");
        for internal in [
            "struct ",
            "untagged",
            "f64",
            "deserialize",
            "invalid digit",
            "expected",
        ] {
            assert!(!detail.contains(internal), "{what}");
        }
    }
    assert!(bench.orders.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_is_wrong_is_said_in_terms_of_the_caller() {
    let bench = Bench::new();
    let (admin, tester) = (listed("admin", "own"), listed("tester", "own"));
    let of = |path: &str| format!("/v1/projects/own{path}");
    let read = [
        (
            "/executions?status=passed,foo",
            400,
            "status: \"foo\" is not valid; write one or several of preparing, running",
        ),
        ("/executions?after=zzz", 400, "after: \"zzz\" is not valid"),
        (
            "/executions?limit=0",
            400,
            "limit: 0 is not valid; write 1 or more",
        ),
        (
            "/executions?since=2026-01-01",
            400,
            "since: \"2026-01-01\" is not valid; write a time in Unix ms",
        ),
        ("/audit?limit=0", 400, "limit: 0"),
        ("/tests/home/thresholds?limit=0", 400, "limit: 0"),
        ("/tests/home/thresholds?after=zzz", 400, "after: \"zzz\""),
        ("/tests/home/trend?runs=0", 400, "runs: 0"),
        (
            "/tests/..%2F..%2Fx/baseline",
            404,
            "test \"../../x\" is not a valid name: it has a slash in it",
        ),
        (
            "/tests/.x/versions/ab",
            404,
            "test \".x\" is not a valid name: it starts with a dot",
        ),
        (
            "/schedules/..%2Fx",
            404,
            "schedule \"../x\" is not a valid name",
        ),
    ];
    for (path, status, told) in read {
        let answer = bench.get(&of(path), &admin).await;
        let detail = answer.json["detail"].as_str().unwrap_or_default();
        assert_eq!(answer.status.as_u16(), status, "{path}: {}", answer.text);
        assert!(
            detail.contains(told) && !detail.contains("projects/"),
            "{detail}"
        );
    }
    let starts = json!({"definition": "x", "version": "ab"});
    let written = [
        (
            "PUT",
            "/budget",
            json!({"a_month": {"usd": -1}}),
            "a_month.usd: -1 is not a valid bound",
        ),
        (
            "PUT",
            "/budget",
            json!({"a_month": [5, null]}),
            "a_month: a list is not valid; write an object",
        ),
        ("PUT", "/halt", json!([true]), "the body is not an object"),
        (
            "POST",
            "/executions",
            starts,
            "version: it is that of a test on record",
        ),
        (
            "POST",
            "/executions",
            json!({"definition": 5}),
            "definition: 5 is not valid; write a definition: YAML or JSON",
        ),
        (
            "PUT",
            "/schedules/x",
            json!({"test": "a", "expression": "rate(1 day)", "overlap": "both"}),
            "overlap: \"both\" is not valid; write one of skip, queue, replace",
        ),
    ];
    for (method, path, body, told) in written {
        let path = of(path);
        let to = (method.parse::<Method>().unwrap(), path.as_str());
        let answer = bench.ask(to, Some(&admin), &[], &body).await;
        assert_eq!(
            answer.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{}",
            answer.text
        );
        let detail = answer.json["detail"].as_str().unwrap_or_default();
        assert!(detail.contains(told), "{detail}");
    }
    let halt = of("/halt");
    let body = json!({"halted": true});
    let answer = bench
        .ask((Method::PUT, &halt), Some(&tester), &[], &body)
        .await;
    assert!(
        answer
            .text
            .contains("halt the project takes the role admin"),
        "{}",
        answer.text
    );
    let large = json!({"definition": "x".repeat(3 << 20)});
    let start = of("/executions");
    let answer = bench
        .ask((Method::POST, &start), Some(&tester), &[], &large)
        .await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(answer.text.contains("larger than 2 MiB"), "{}", answer.text);
    let mut endless = claims("admin", "own");
    endless.as_object_mut().unwrap().remove("exp");
    let answer = bench.get("/v1/projects", &bench.keys.es256(&endless)).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(
        answer.text.contains("needs the claim exp"),
        "{}",
        answer.text
    );
}

#[tokio::test]
async fn the_description_says_what_the_routes_take() {
    let described = serde_json::to_value(floodgate_api::description()).unwrap();
    let start = &described["components"]["schemas"]["Start"]["properties"];
    let kinds = start["definition"]["oneOf"].as_array().unwrap();
    let kinds: Vec<_> = kinds
        .iter()
        .map(|kind| kind["type"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["string", "object", "null"]);
    let overlap = &described["components"]["schemas"]["NewSchedule"]["properties"]["overlap"];
    assert_eq!(overlap["enum"], json!(["skip", "queue", "replace"]));
    let answers = |path: &str| &described["paths"][path]["put"]["responses"];
    assert_eq!(answers("/v1/projects/{project}/budget")["412"], Value::Null);
    let pinned = answers("/v1/projects/{project}/tests/{test}/baseline");
    assert_ne!(pinned["412"], Value::Null);
}

#[test]
fn a_file_that_would_let_anybody_in_is_refused() {
    struct None;
    #[async_trait::async_trait]
    impl Fetch for None {
        async fn get(&self, _: &str) -> Result<Vec<u8>, String> {
            Err("never asked".into())
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file.json");
    let issuer = |key: &str, value: Value| {
        let rule =
            json!({"when": {"repository": "acme/shop"}, "project": "shop", "role": "tester"});
        let mut issuer = json!({
            "name": "github", "issuer": ISSUER, "audiences": [AUDIENCE], "jwks": "https://issuer.example/keys", "rules": [rule]
        });
        issuer[key] = value;
        std::fs::write(&path, json!({"issuers": [issuer]}).to_string()).unwrap();
        Identities::default()
            .with_issuers(&path, Arc::new(None))
            .map(drop)
            .map_err(|e| e.to_string())
    };
    issuer("name", json!("github")).unwrap();
    let rule = |when: Value| json!([{"when": when, "project": "shop", "role": "admin"}]);
    for (key, value, said) in [
        ("audiences", json!([]), "audiences"),
        (
            "jwks",
            json!("no-such-keys.json"),
            "no-such-keys.json: No such file",
        ),
        (
            "rules",
            json!([{"when": {"a": "b"}, "project": "../x", "role": "tester"}]),
            "project: \"../x\" is not a valid name",
        ),
        ("jwks", json!("http://issuer.example/keys"), "https"),
        ("rules", rule(json!({})), "names no claim"),
        ("rules", rule(json!({"repository": "*"})), "names no claim"),
        (
            "rules",
            json!([{"project": "shop", "role": "admin"}]),
            "when",
        ),
        (
            "rules",
            json!([{"when": {"a": "b"}, "project": "shop", "role": "owner"}]),
            "owner",
        ),
        ("secret", json!("x"), "secret"),
    ] {
        let told = issuer(key, value).unwrap_err();
        assert!(told.contains(said) && told.contains("file.json"), "{told}");
    }
    for (token, said) in [
        (
            json!({"principal": "a", "sha256": "abc", "projects": {"shop": "viewer"}}),
            "sha256sum",
        ),
        (
            json!({"principal": "a", "sha256": "a".repeat(64), "projects": {"../x": "viewer"}}),
            "projects: \"../x\" is not a valid name: it has a slash in it",
        ),
        (
            json!({"principal": "schedule/nightly", "sha256": "a".repeat(64), "projects": {"shop": "viewer"}}),
            "token 1 (\"schedule/nightly\"): \"schedule/nightly\" is not a valid name: these are the names of schedules; choose another",
        ),
        (
            json!({"principal": "github:repo:acme/shop", "sha256": "a".repeat(64), "projects": {"shop": "viewer"}}),
            "names with a colon are those of issuers",
        ),
        (
            json!({"principal": "a", "sha256": "a".repeat(64), "projects": {}}),
            "name a principal",
        ),
        (
            json!({"principal": "a", "sha256": "a".repeat(64), "projects": {"shop": "root"}}),
            "root",
        ),
        (
            json!({"principal": "a", "sha256": "a".repeat(64), "projects": {"shop": "viewer"}, "expires": "soon"}),
            "expires",
        ),
        (
            json!({"principal": "a", "token": "plain", "projects": {"shop": "viewer"}}),
            "token",
        ),
    ] {
        std::fs::write(&path, json!({"tokens": [token]}).to_string()).unwrap();
        let told = Identities::default()
            .with_tokens(&path)
            .map(drop)
            .unwrap_err()
            .to_string();
        assert!(told.contains(said), "{told}");
    }
}

#[tokio::test]
async fn pages_are_for_everybody_and_their_cookie_reads_and_changes_nothing() {
    let bench = Bench::new();
    for path in ["/", "/console/app.js", "/report/assets/theme.js"] {
        let answer = bench
            .ask((Method::GET, path), None, &[], &Value::Null)
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert!(
            answer.headers["content-security-policy"]
                .to_str()
                .unwrap()
                .contains("'self'")
        );
    }
    let cookie = format!("a=b; floodgate-token={}", listed("tester", "own"));
    let with = [("cookie", cookie.as_str())];
    let read = bench
        .ask((Method::GET, "/v1/projects"), None, &with, &Value::Null)
        .await;
    assert_eq!(read.status, StatusCode::OK, "{}", read.text);
    // Another site can have a browser send a cookie; a header it can't.
    let start = json!({"definition": {"version": 1, "test": "home"}});
    let path = "/v1/projects/own/executions";
    let changed = bench.ask((Method::POST, path), None, &with, &start).await;
    assert_eq!(changed.status, StatusCode::UNAUTHORIZED);
    assert!(bench.orders.lock().unwrap().is_empty());
    let empty = [("cookie", "floodgate-token=")];
    let none = bench
        .ask((Method::GET, "/v1/projects"), None, &empty, &Value::Null)
        .await;
    assert_eq!(none.status, StatusCode::UNAUTHORIZED);
}
