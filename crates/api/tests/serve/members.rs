//! Roles that are given and taken while the service goes on.

use crate::support::*;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const TOKEN: &str = "a-token-that-somebody-new-has-made";
const ANN: &str = "/v1/projects/own/members/ann";

fn sha256(token: &str) -> String {
    let digest = Sha256::digest(token);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Bench {
    async fn give(&self, path: &str, body: &Value) -> Answer {
        let admin = listed("admin", "own");
        self.ask((Method::PUT, path), Some(&admin), &[], body).await
    }

    async fn take(&self, path: &str) -> Answer {
        let admin = listed("admin", "own");
        let take = (Method::DELETE, path);
        self.ask(take, Some(&admin), &[], &Value::Null).await
    }

    /// What somebody with the new token may do: 200, or why not.
    async fn reads(&self) -> u16 {
        self.get("/v1/projects/own/members", TOKEN)
            .await
            .status
            .as_u16()
    }
}

#[tokio::test]
async fn somebody_new_is_let_in_until_the_role_is_taken() {
    let bench = Bench::new();
    assert_eq!(bench.reads().await, 401);
    let body =
        json!({"role": "viewer", "sha256": sha256(TOKEN), "expires": "2100-01-01T00:00:00Z"});
    let given = bench.give(ANN, &body).await;
    assert_eq!(given.status, StatusCode::OK, "{}", given.text);
    let members = given.json.as_array().unwrap();
    let ann = members.iter().find(|member| member["principal"] == "ann");
    assert_eq!(ann.unwrap()["role"], "viewer");
    assert!(!given.text.contains("sha256"), "{}", given.text);
    assert_eq!(bench.reads().await, 200);
    let budget = ("/v1/projects/own/budget", json!({}));
    let sets = async |bench: &Bench| {
        let of = (Method::PUT, budget.0);
        bench.ask(of, Some(TOKEN), &[], &budget.1).await.status
    };
    assert_eq!(sets(&bench).await, StatusCode::FORBIDDEN);
    // More, without another token; nothing in a project that the admin has no role in.
    let given = bench.give(ANN, &json!({"role": "admin"})).await;
    assert_eq!(given.status, StatusCode::OK, "{}", given.text);
    assert_eq!(sets(&bench).await, StatusCode::OK);
    let foreign = bench.get("/v1/projects/foreign/members", TOKEN).await;
    assert_eq!(foreign.status, StatusCode::NOT_FOUND);
    let beyond = "/v1/projects/foreign/members/ann";
    let given = bench.give(beyond, &json!({"role": "viewer"})).await;
    assert_eq!(given.status, StatusCode::NOT_FOUND);

    assert_eq!(bench.take(ANN).await.status, StatusCode::NO_CONTENT);
    assert_eq!(bench.reads().await, 401);
    assert_eq!(bench.take(ANN).await.status, StatusCode::NOT_FOUND);
    let viewer = listed("viewer", "own");
    let trail = bench.get("/v1/projects/own/audit", &viewer).await.json;
    let said: Vec<_> = trail
        .as_array()
        .unwrap()
        .iter()
        .map(|e| {
            (
                e["action"].as_str().unwrap(),
                e["outcome"].as_str().unwrap(),
            )
        })
        .filter(|(action, _)| action.ends_with("member"))
        .collect();
    let expected = [
        ("remove member", "ann"),
        ("set member", "ann: admin"),
        ("set member", "ann: viewer"),
    ];
    assert_eq!(said, expected);
    assert_eq!(trail[0]["principal"], "admin@own");
}

#[tokio::test]
async fn what_makes_no_sense_changes_nothing() {
    let bench = Bench::new();
    let file = bench.folder.path().join("tokens.json");
    let before = std::fs::read(&file).unwrap();
    let theirs = sha256(&listed("viewer", "foreign"));
    for (name, body, status, part) in [
        ("ann", json!({"role": "viewer"}), 404, "send the SHA-256"),
        (
            "ann",
            json!({"role": "viewer", "sha256": "x"}),
            422,
            "not a SHA-256",
        ),
        (
            "ann",
            json!({"role": "viewer", "sha256": sha256(TOKEN), "expires": "soon"}),
            422,
            "write 2027-01-31T00:00:00Z",
        ),
        (
            "ann",
            json!({"role": "viewer", "sha256": sha256(TOKEN), "expires": "2020-01-01T00:00:00Z"}),
            422,
            "expires: 2020-01-01T00:00:00Z has passed",
        ),
        (
            "ann",
            json!({"role": "viewer", "sha256": theirs}),
            409,
            "another token",
        ),
        (
            "viewer@own",
            json!({"role": "tester", "sha256": sha256(TOKEN)}),
            409,
            "has a token already",
        ),
        (
            "viewer@own",
            json!({"role": "tester", "expires": "2100-01-01T00:00:00Z"}),
            422,
            "only a new token",
        ),
        ("viewer@own", json!({"role": "owner"}), 422, "owner"),
        (
            "schedule%2Fnightly",
            json!({"role": "viewer", "sha256": sha256(TOKEN)}),
            422,
            "names of schedules; choose another",
        ),
        (
            "github:repo:acme%2Fshop:ref:refs%2Fheads%2Fmain",
            json!({"role": "viewer", "sha256": sha256(TOKEN)}),
            422,
            "those of issuers",
        ),
        (
            "%20ann",
            json!({"role": "viewer", "sha256": sha256(TOKEN)}),
            422,
            "not a valid name",
        ),
    ] {
        let path = format!("/v1/projects/own/members/{name}");
        let answer = bench.give(&path, &body).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.text);
        assert!(answer.text.contains(part), "{body}: {}", answer.text);
        assert!(!answer.text.contains("foreign"), "{}", answer.text);
    }
    assert_eq!(std::fs::read(&file).unwrap(), before);
    // Nobody writes over what cannot be read.
    std::fs::write(&file, "{").unwrap();
    let answer = bench.take(ANN).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(std::fs::read(&file).unwrap(), b"{");
}
