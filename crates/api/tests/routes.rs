//! The routes over a folder of runs: who is let in, what is answered, and what a wrong request is told.
#![allow(clippy::unwrap_used, missing_docs)]

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode, header};
use axum::response::Response;
use floodgate_api::{Access, Caller, Definitions, Service, router};
use floodgate_control::{Stores, Trail};
use floodgate_core::definition::model::Definition;
use floodgate_policy::{Grants, Role};
use floodgate_records::audit::{Action, AuditEntry};
use floodgate_records::execution::{Execution, PrincipalIs};
use floodgate_records::keys::{DEFINITION_FILE, ExecutionKeys, definition_file};
use floodgate_records::plan::Plan;
use floodgate_records::status::Status;
use floodgate_store::local::LocalStore;
use floodgate_store::{ObjectStore, RecordStore as _};
use serde_json::Value;
use std::error::Error;
use std::sync::Arc;
use tower::ServiceExt as _;

const TOKEN: &str = "0123456789abcdef";
const HOST: &str = "127.0.0.1:7";
const NOW_MS: i64 = 1_800_000_000_000;

struct Unknown;

#[async_trait]
impl Definitions for Unknown {
    async fn of(&self, _: &Plan) -> Result<Definition, Box<dyn Error + Send + Sync>> {
        Err("its references are not known here".into())
    }
}

struct Bench {
    routes: Router,
    store: Arc<LocalStore>,
    _folder: tempfile::TempDir,
}

impl Bench {
    fn new(project: Option<&str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(LocalStore::open(folder.path()).unwrap());
        let stores = Stores {
            objects: store.clone(),
            records: store.clone(),
        };
        let definitions = Box::new(Unknown);
        let service = Service::new(stores, Trail::Here, definitions, || NOW_MS);
        let caller = Caller {
            name: "ann".into(),
            is: PrincipalIs::Claimed,
            grants: match project {
                Some(project) => Grants::of([(project.to_owned(), Role::Admin)]),
                None => Grants::owner(),
            },
        };
        Self {
            routes: router(service, Access::on_loopback(7, TOKEN.into(), caller)),
            store,
            _folder: folder,
        }
    }

    async fn put(&self, project: &str, test: &str, n: u8, status: Status) -> String {
        let id = format!("01JD7Q3W5Z8X9Y0A1B2C3D4E{n:02}");
        let run = Execution {
            status,
            ..Execution::created(id.clone(), project, test, i64::from(n))
        };
        self.store.create(&run).await.unwrap();
        id
    }

    async fn ask(&self, request: Request<Body>) -> Response {
        self.routes.clone().oneshot(request).await.unwrap()
    }

    /// What is answered to whoever has the token.
    async fn get(&self, path: &str) -> (StatusCode, Value) {
        let response = self.ask(with_token(Method::GET, path)).await;
        let status = response.status();
        let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }
}

fn with_token(method: Method, path: &str) -> Request<Body> {
    let request = Request::builder().method(method).uri(path);
    let request = request.header(header::HOST, HOST);
    let request = request.header(header::AUTHORIZATION, format!("Bearer {TOKEN}"));
    request.body(Body::empty()).unwrap()
}

fn without_token(path: &str, headers: &[(header::HeaderName, &str)]) -> Request<Body> {
    let request = Request::builder().uri(path);
    let request = headers.iter().fold(request, |r, (k, v)| r.header(k, *v));
    request.body(Body::empty()).unwrap()
}

#[tokio::test]
async fn nobody_is_let_in_without_the_token_or_under_another_name() {
    let bench = Bench::new(None);
    let own = (header::HOST, HOST);
    for path in [
        "/",
        "/console/app.js",
        "/v1/executions",
        "/v1/nothing",
        "/?token=0123456789abcdeF",
    ] {
        let refused = bench
            .ask(without_token(path, std::slice::from_ref(&own)))
            .await;
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED, "{path}");
    }
    let wrong = (header::COOKIE, "floodgate-8=0123456789abcdef");
    let refused = bench.ask(without_token("/", &[own.clone(), wrong])).await;
    assert_eq!(
        refused.status(),
        StatusCode::UNAUTHORIZED,
        "another process's cookie"
    );
    // A name that somebody makes point here.
    let other = (header::HOST, "evil.example:7");
    let path = format!("/?token={TOKEN}");
    for headers in [&[other][..], &[]] {
        let refused = bench.ask(without_token(&path, headers)).await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    }
}

#[tokio::test]
async fn the_token_moves_from_the_address_into_a_cookie() {
    let bench = Bench::new(None);
    let own = (header::HOST, "localhost:7");
    let path = format!("//evil.example/?a=1&token={TOKEN}");
    let entered = bench
        .ask(without_token(&path, std::slice::from_ref(&own)))
        .await;
    assert_eq!(entered.status(), StatusCode::SEE_OTHER);
    assert_eq!(entered.headers()[header::LOCATION], "/evil.example/?a=1");
    let cookie = entered.headers()[header::SET_COOKIE].to_str().unwrap();
    assert!(cookie.contains("HttpOnly; SameSite=Strict"), "{cookie}");
    let pair = cookie.split(';').next().unwrap();
    let cookie = format!("a=b; {pair}");
    let page = bench
        .ask(without_token("/", &[own, (header::COOKIE, &cookie)]))
        .await;
    assert_eq!(page.status(), StatusCode::OK);
    let policy = page.headers()[header::CONTENT_SECURITY_POLICY]
        .to_str()
        .unwrap();
    assert!(policy.starts_with("default-src 'self'"), "{policy}");
}

#[tokio::test]
async fn the_console_has_every_file_that_its_files_name() {
    let bench = Bench::new(None);
    let mut open = vec!["/".to_owned()];
    let mut seen = Vec::new();
    while let Some(path) = open.pop() {
        if seen.contains(&path) {
            continue;
        }
        let page = bench.ask(with_token(Method::GET, &path)).await;
        assert_eq!(page.status(), StatusCode::OK, "{path}");
        let text = to_bytes(page.into_body(), 1 << 20).await.unwrap();
        let text = String::from_utf8(text.to_vec()).unwrap();
        let folder = path.rsplit_once('/').unwrap().0;
        let (parent, _) = folder.rsplit_once('/').unwrap_or_default();
        for word in text.split('"').filter(|w| !w.contains(char::is_whitespace)) {
            if !word.ends_with(".js") && !word.ends_with(".css") {
                continue;
            }
            open.push(match (word.strip_prefix("./"), word.strip_prefix("../")) {
                (Some(beside), _) => format!("{folder}/{beside}"),
                (_, Some(above)) => format!("{parent}/{above}"),
                _ => word.to_owned(),
            });
        }
        seen.push(path);
    }
    assert!(seen.len() > 15, "{seen:?}");
}

#[tokio::test]
async fn runs_are_listed_by_project_test_and_status() {
    let bench = Bench::new(None);
    bench.put("shop", "home", 1, Status::Passed).await;
    bench.put("shop", "cart", 2, Status::Failed).await;
    let newest = bench.put("other", "home", 3, Status::Passed).await;
    let (status, all) = bench.get("/v1/executions").await;
    assert_eq!(
        (status, all["executions"].as_array().unwrap().len()),
        (StatusCode::OK, 3)
    );
    assert_eq!(all["executions"][0]["id"], *newest);
    let (_, failed) = bench
        .get("/v1/executions?project=shop&status=failed,errored")
        .await;
    assert_eq!(failed["executions"][0]["test"], "cart");
    assert_eq!(failed["next"], Value::Null);
    let (_, first) = bench.get("/v1/executions?limit=2").await;
    let next = first["next"].as_str().unwrap();
    let (_, rest) = bench
        .get(&format!("/v1/executions?limit=2&after={next}"))
        .await;
    assert_eq!(rest["executions"].as_array().unwrap().len(), 1);
    let (_, tests) = bench.get("/v1/tests").await;
    assert_eq!(tests.as_array().unwrap().len(), 3);
    let (wrong, _) = bench.get("/v1/executions?limit=many").await;
    assert_eq!(wrong, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_project_of_ones_own_is_all_there_is() {
    let bench = Bench::new(Some("shop"));
    bench.put("shop", "home", 1, Status::Passed).await;
    let foreign = bench.put("other", "home", 2, Status::Running).await;
    let (_, all) = bench.get("/v1/executions").await;
    assert_eq!(all["executions"].as_array().unwrap().len(), 1);
    for path in [
        "/v1/executions?project=other".to_owned(),
        format!("/v1/projects/other/executions/{foreign}"),
        format!("/v1/projects/other/executions/{foreign}/live"),
        format!("/v1/projects/other/executions/{foreign}/report"),
        "/v1/projects/other/tests/home/trend".to_owned(),
        "/v1/projects/other/tests/home/versions".to_owned(),
        "/v1/projects/other/tests/home/versions/v1".to_owned(),
        format!("/v1/projects/other/comparisons?executions={foreign},{foreign}"),
        "/v1/projects/other/audit".to_owned(),
        // What lies in another project is not found by its id in one's own.
        format!("/v1/projects/shop/executions/{foreign}"),
    ] {
        let (status, problem) = bench.get(&path).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(problem["status"], 404, "{path}");
    }
    let abort = format!("/v1/projects/other/executions/{foreign}/abort");
    let refused = bench.ask(with_token(Method::POST, &abort)).await;
    assert_eq!(refused.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_report_may_run_and_may_not_ask_in_the_readers_name() {
    let bench = Bench::new(None);
    let id = bench.put("shop", "home", 1, Status::Passed).await;
    let path = format!("/v1/projects/shop/executions/{id}");
    let (_, shown) = bench.get(&path).await;
    assert_eq!(
        (&shown["has_report"], &shown["summary"]),
        (&false.into(), &Value::Null)
    );
    let report = format!("{path}/report");
    assert_eq!(bench.get(&report).await.0, StatusCode::NOT_FOUND);
    let key = ExecutionKeys::new("shop", &id).report();
    bench.store.put(&key, "<p>page".into()).await.unwrap();
    assert_eq!(bench.get(&path).await.1["has_report"], true);
    let page = bench.ask(with_token(Method::GET, &report)).await;
    let policy = page.headers()[header::CONTENT_SECURITY_POLICY]
        .to_str()
        .unwrap();
    assert!(
        policy.contains("sandbox") && !policy.contains("allow-same-origin"),
        "{policy}"
    );
}

#[tokio::test]
async fn a_run_is_stopped_by_a_page_of_this_process_alone() {
    let bench = Bench::new(None);
    let id = bench.put("shop", "home", 1, Status::Running).await;
    let ended = bench.put("shop", "home", 2, Status::Passed).await;
    let abort = |id: &str, origin: Option<&str>| {
        let mut request = with_token(
            Method::POST,
            &format!("/v1/projects/shop/executions/{id}/abort"),
        );
        if let Some(origin) = origin {
            request
                .headers_mut()
                .insert(header::ORIGIN, origin.parse().unwrap());
        }
        request
    };
    for origin in ["https://evil.example", "null", "http://127.0.0.1:8"] {
        let refused = bench.ask(abort(&id, Some(origin))).await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{origin}");
    }
    let stop = ExecutionKeys::new("shop", &id).stop();
    assert!(
        ObjectStore::get(&*bench.store, &stop)
            .await
            .unwrap()
            .is_none()
    );
    let accepted = bench.ask(abort(&id, Some("http://127.0.0.1:7"))).await;
    assert_eq!(accepted.status(), StatusCode::ACCEPTED);
    let order = ObjectStore::get(&*bench.store, &stop)
        .await
        .unwrap()
        .unwrap();
    assert!(String::from_utf8_lossy(&order).contains("ann"));
    let late = bench.ask(abort(&ended, None)).await;
    assert_eq!(late.status(), StatusCode::CONFLICT);
    let (_, live) = bench
        .get(&format!("/v1/projects/shop/executions/{ended}/live"))
        .await;
    assert_eq!(live["is_final"], true);
}

#[tokio::test]
async fn versions_trends_and_the_trail_are_told() {
    let bench = Bench::new(None);
    let run = Execution {
        version: "abc".into(),
        status: Status::Passed,
        ..Execution::created("01JD7Q3W5Z8X9Y0A1B2C3D4E01", "shop", "home", 5)
    };
    bench.store.create(&run).await.unwrap();
    let key = definition_file("shop", "home", "abc", DEFINITION_FILE);
    bench.store.put(&key, "{}".into()).await.unwrap();
    let (_, versions) = bench.get("/v1/projects/shop/tests/home/versions").await;
    assert_eq!(
        (&versions[0]["version"], &versions[0]["runs"]),
        (&"abc".into(), &1.into())
    );
    let text = bench
        .ask(with_token(
            Method::GET,
            "/v1/projects/shop/tests/home/versions/abc",
        ))
        .await;
    assert_eq!(text.headers()[header::CONTENT_TYPE], "application/json");
    let outside = bench
        .get("/v1/projects/shop/tests/home/versions/..%2F..%2Fx")
        .await;
    assert_eq!(outside.0, StatusCode::NOT_FOUND);
    let (status, trend) = bench.get("/v1/projects/shop/tests/home/trend").await;
    assert_eq!(status, StatusCode::OK);
    assert!(
        trend["left_out"][0]
            .as_str()
            .unwrap()
            .contains("no summary")
    );
    let (status, problem) = bench
        .get("/v1/projects/shop/tests/home/trend?metrics=nonsense")
        .await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(
        problem["detail"].as_str().unwrap().contains("aggregate"),
        "{problem}"
    );
    let (status, _) = bench
        .get("/v1/projects/shop/comparisons?executions=a")
        .await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    for at_ms in [1, 2] {
        let entry = AuditEntry {
            at_ms,
            principal: "ann".into(),
            principal_is: PrincipalIs::Claimed,
            action: Action::Start.into(),
            execution: run.id.clone(),
            version: "abc".into(),
            outcome: "running".into(),
            ..AuditEntry::default()
        };
        bench.store.audit("shop", &entry).await.unwrap();
    }
    let (_, trail) = bench.get("/v1/projects/shop/audit").await;
    assert_eq!([&trail[0]["at_ms"], &trail[1]["at_ms"]], [2, 1]);
}
