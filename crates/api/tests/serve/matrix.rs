//! Every route × role × own and foreign project × tokens of every kind, from the description that the routes give of themselves.

use crate::support::*;
use axum::http::{Method, StatusCode};
use floodgate_records::keys::ExecutionKeys;
use floodgate_records::status::Status;
use floodgate_store::ObjectStore as _;
use serde_json::{Value, json};

/// An operation of the description.
struct Operation {
    method: Method,
    path: String,
    /// The role that it takes.
    needs: String,
}

async fn operations(bench: &Bench) -> Vec<Operation> {
    let described = bench
        .ask((Method::GET, "/openapi.json"), None, &[], &Value::Null)
        .await;
    assert_eq!(described.status, StatusCode::OK);
    let mut all = Vec::new();
    for (path, methods) in described.json["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let needs = operation["security"][0]["token"][0].as_str();
            let needs = needs.unwrap_or_else(|| panic!("{method} {path} names no role"));
            all.push(Operation {
                method: method.to_uppercase().parse().unwrap(),
                path: path.clone(),
                needs: needs.to_owned(),
            });
        }
    }
    assert!(all.len() >= 20, "{}", all.len());
    all
}

impl Operation {
    /// In a project, over a run of it; the body that it takes.
    fn of(&self, project: &str, running: &str, passed: &str) -> (String, Value) {
        let id = if self.path.ends_with("/abort") {
            running
        } else {
            passed
        };
        let path = self.path.replace("{project}", project).replace("{id}", id);
        let path = path.replace("{test}", "home").replace("{version}", "abc");
        let path = path.replace("{schedule}", "nightly");
        let path = path.replace("{principal}", "helper");
        let body = match (self.method.as_str(), self.path.rsplit('/').next()) {
            ("POST", Some("executions")) => json!({"definition": "version: 1"}),
            ("PUT", Some("baseline")) => json!({"execution": passed}),
            ("PUT", Some("budget")) => json!({"a_run": {"usd": 5}, "a_month": {"vu_hours": 10.5}}),
            ("PUT", Some("{schedule}")) => json!({"test": "home", "expression": "rate(1 day)"}),
            ("PUT", Some("{principal}")) => helper(),
            ("PUT", Some("halt")) => json!({"halted": false}),
            _ => Value::Null,
        };
        match self.path.ends_with("/comparisons") {
            true => (format!("{path}?executions={passed},{running}"), body),
            false => (path, body),
        }
    }

    fn is_in_a_project(&self) -> bool {
        self.path.contains("{project}")
    }
}

fn rank(role: &str) -> usize {
    ROLES.iter().position(|r| *r == role).unwrap()
}

/// A running and a passed run of each project, with all that there is of them.
async fn fill(bench: &Bench) -> [(String, String); 2] {
    let mut all = Vec::new();
    for (n, project) in (0..).zip(["own", "foreign"]) {
        let running = bench.put(project, 2 * n + 1, Status::Running).await;
        let passed = bench.put(project, 2 * n + 2, Status::Passed).await;
        let report = ExecutionKeys::new(project, &passed).report();
        bench.store.put(&report, "<p>page".into()).await.unwrap();
        let definition = format!("projects/{project}/definitions/home/abc/definition.json");
        bench.store.put(&definition, "{}".into()).await.unwrap();
        all.push((running, passed));
    }
    all.try_into().unwrap()
}

/// A member who has a token of their own.
fn helper() -> Value {
    json!({"role": "viewer", "sha256": "5f".repeat(32)})
}

/// A schedule and a member in each project: operations remove them.
async fn plan(bench: &Bench) {
    let schedule = json!({"test": "home", "expression": "rate(1 day)"});
    for project in ["own", "foreign"] {
        for (what, body) in [
            ("schedules/nightly", &schedule),
            ("members/helper", &helper()),
        ] {
            let path = format!("/v1/projects/{project}/{what}");
            let admin = listed("admin", project);
            let planned = bench.ask((Method::PUT, &path), Some(&admin), &[], body);
            let planned = planned.await;
            assert!(planned.status.is_success(), "{}", planned.text);
        }
    }
}

#[tokio::test]
async fn every_route_does_what_the_role_allows_and_knows_no_foreign_project() {
    let bench = Bench::new();
    let [own, foreign] = fill(&bench).await;
    let mut looked_at = 0;
    for operation in operations(&bench).await {
        for role in ROLES {
            let jwt = claims(role, "own");
            let rs256 = bench.keys.sign(&json!({"alg": "RS256", "kid": "r1"}), &jwt);
            for token in [listed(role, "own"), bench.keys.es256(&jwt), rs256] {
                let what = format!("{} {} by {role}", operation.method, operation.path);
                if ["{schedule}", "{principal}"]
                    .iter()
                    .any(|part| operation.path.contains(part))
                {
                    plan(&bench).await;
                }
                let (path, body) = operation.of("own", &own.0, &own.1);
                let of = (operation.method.clone(), path.as_str());
                let answer = bench.ask(of, Some(&token), &[], &body).await;
                let allowed = rank(role) >= rank(&operation.needs);
                match allowed {
                    true => assert!(answer.status.is_success(), "{what}: {}", answer.text),
                    false => assert_eq!(answer.status, StatusCode::FORBIDDEN, "{what}"),
                }
                assert!(!answer.text.contains("foreign"), "{what}: {}", answer.text);
                looked_at += 1;
                if !operation.is_in_a_project() {
                    continue;
                }
                let (path, body) = operation.of("foreign", &foreign.0, &foreign.1);
                let of = (operation.method.clone(), path.as_str());
                let answer = bench.ask(of, Some(&token), &[], &body).await;
                assert_eq!(answer.status, StatusCode::NOT_FOUND, "{what}, foreign");
                // One that is not there looks the same.
                let (path, body) = operation.of("nowhere", &foreign.0, &foreign.1);
                let of = (operation.method.clone(), path.as_str());
                let absent = bench.ask(of, Some(&token), &[], &body).await;
                let as_absent = answer.text.replace("foreign", "nowhere");
                assert_eq!(
                    (absent.status, absent.text),
                    (answer.status, as_absent),
                    "{what}"
                );
                // A run of another project is not found in one's own.
                if operation.path.contains("{id}") {
                    let (path, body) = operation.of("own", &foreign.0, &foreign.1);
                    let of = (operation.method.clone(), path.as_str());
                    let answer = bench.ask(of, Some(&token), &[], &body).await;
                    let refused = [StatusCode::NOT_FOUND, StatusCode::FORBIDDEN];
                    assert!(refused.contains(&answer.status), "{what}, foreign run");
                }
            }
        }
    }
    assert!(looked_at >= 20 * 9, "{looked_at}");
    let orders = bench.orders.lock().unwrap();
    assert!(orders.iter().all(|order| order.project == "own"));
    assert_eq!(
        orders.len(),
        2 * 3,
        "testers and admins, by each kind of token"
    );
}

#[tokio::test]
async fn no_route_is_open_to_a_token_that_is_expired_forged_or_meant_for_another() {
    let bench = Bench::new();
    let [own, _] = fill(&bench).await;
    let good = claims("admin", "own");
    let with = |claim: &str, value: Value| {
        let mut claims = good.clone();
        claims[claim] = value;
        bench.keys.es256(&claims)
    };
    let without = |claim: &str| {
        let mut claims = good.clone();
        claims.as_object_mut().unwrap().remove(claim);
        bench.keys.es256(&claims)
    };
    let now_s = NOW_MS / 1_000;
    let whole = bench.keys.es256(&good);
    let (signed, _) = whole.rsplit_once('.').unwrap();
    let (_, of_another) = with("sub", json!("x"))
        .rsplit_once('.')
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    let header = |header: Value| bench.keys.sign(&header, &good);
    let tokens = [
        ("none", None),
        ("empty", Some(String::new())),
        ("unknown", Some("an-unknown-token-0123456789".to_owned())),
        ("short", Some("x".to_owned())),
        ("listed, expired", Some(listed("former", "own"))),
        ("expired", Some(with("exp", json!(now_s - 31)))),
        ("without end", Some(without("exp"))),
        ("not yet valid", Some(with("nbf", json!(now_s + 31)))),
        ("another audience", Some(with("aud", json!("another")))),
        ("no audience", Some(without("aud"))),
        ("audiences of others", Some(with("aud", json!(["a", "b"])))),
        (
            "another issuer",
            Some(with("iss", json!("https://evil.example"))),
        ),
        ("no issuer", Some(without("iss"))),
        ("signed by another key", Some(Keys::new().es256(&good))),
        (
            "another's signature",
            Some(format!("{signed}.{of_another}")),
        ),
        ("no signature", Some(format!("{signed}."))),
        ("alg none", Some(header(json!({"alg": "none"})))),
        (
            "alg HS256",
            Some(header(json!({"alg": "HS256", "kid": "e1"}))),
        ),
        (
            "key of another kind",
            Some(header(json!({"alg": "RS256", "kid": "e1"}))),
        ),
        (
            "key for encryption",
            Some(header(json!({"alg": "RS256", "kid": "r2"}))),
        ),
        (
            "unknown key",
            Some(header(json!({"alg": "ES256", "kid": "e2"}))),
        ),
        (
            "critical",
            Some(header(
                json!({"alg": "ES256", "kid": "e1", "crit": ["b64"], "b64": false}),
            )),
        ),
        ("no JWT", Some("a.b.c".to_owned())),
    ];
    for operation in operations(&bench).await {
        let (path, body) = operation.of("own", &own.0, &own.1);
        for (what, token) in &tokens {
            let of = (operation.method.clone(), path.as_str());
            let answer = bench.ask(of, token.as_deref(), &[], &body).await;
            let what = format!("{} {path}, {what}: {}", operation.method, answer.text);
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{what}");
            assert_eq!(
                answer.headers["content-type"], "application/problem+json",
                "{what}"
            );
            assert!(
                answer.headers["www-authenticate"]
                    .to_str()
                    .unwrap()
                    .starts_with("Bearer")
            );
            assert!(
                !answer.text.contains("acme") && !answer.text.contains("admin"),
                "{what}"
            );
        }
    }
    assert!(bench.orders.lock().unwrap().is_empty());
}
