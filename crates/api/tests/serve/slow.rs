//! Issuers that answer late: only those wait for one whose keys nobody knows yet.

use crate::support::*;
use async_trait::async_trait;
use axum::body::Body;
use axum::http::{Request, header};
use axum::{Router, routing::get};
use floodgate_api::{Access, Fetch, Identities, Limits, Service, router};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tower::ServiceExt as _;

const MINUTE_MS: i64 = 60_000;
/// The clock of this file's only test.
static CLOCK: AtomicI64 = AtomicI64::new(NOW_MS);

fn clock() -> i64 {
    CLOCK.load(Ordering::Relaxed)
}

/// Asks a server, plainly.
struct Asking;

#[async_trait]
impl Fetch for Asking {
    async fn get(&self, url: &str) -> Result<Vec<u8>, String> {
        let rest = url.strip_prefix("http://").unwrap();
        let (host, path) = rest.split_once('/').unwrap();
        let failed = |error: std::io::Error| error.to_string();
        let mut stream = TcpStream::connect(host).await.map_err(failed)?;
        let head = format!("GET /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).await.map_err(failed)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.map_err(failed)?;
        let (_, body) = answer.split_once("\r\n\r\n").ok_or("no answer")?;
        Ok(body.as_bytes().to_vec())
    }
}

/// Two issuers at one address: one answers at once, the other when it is let.
struct Issuers {
    address: SocketAddr,
    /// One for each request that the slow one has got.
    got: Arc<Semaphore>,
    /// One for each answer that it may give.
    let_go: Arc<Semaphore>,
}

impl Issuers {
    async fn start(jwks: &Value) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (got, let_go) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        let (coming, going, keys) = (got.clone(), let_go.clone(), jwks.to_string());
        let slow = move || async move {
            coming.add_permits(1);
            going.acquire().await.unwrap().forget();
            keys
        };
        let keys = jwks.to_string();
        let routes = Router::new()
            .route("/good", get(move || async move { keys }))
            .route("/slow", get(slow));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self {
            address,
            got,
            let_go,
        }
    }

    async fn was_asked(&self) {
        self.got.acquire().await.unwrap().forget();
    }

    fn answers(&self) {
        self.let_go.add_permits(1);
    }

    fn described(&self) -> Value {
        let issuer = |name: &str| {
            json!({
                "name": name, "issuer": format!("https://{name}.example"), "audiences": [AUDIENCE],
                "jwks": format!("http://{}/{name}", self.address),
                "rules": [{"when": {"repository": "acme/own"}, "project": "own", "role": "viewer"}],
            })
        };
        json!({"issuers": [issuer("good"), issuer("slow")]})
    }
}

#[tokio::test]
async fn nobody_waits_for_an_issuer_but_for_keys_that_are_not_known() {
    let keys = Keys::new();
    let issuers = Issuers::start(&keys.jwks()).await;
    let bench = Bench::new();
    let known = Identities::default();
    let known = known
        .with_tokens(&bench.folder.path().join("tokens.json"))
        .unwrap();
    let oidc = bench.folder.path().join("two.json");
    std::fs::write(&oidc, issuers.described().to_string()).unwrap();
    let known = Arc::new(known.with_issuers(&oidc, Arc::new(Asking)).unwrap());
    let service = Service::new(
        bench.stores(),
        floodgate_control::Trail::Here,
        unknown(),
        clock,
    );
    let access = Access::by_token(known.clone(), Limits::per_second(100_000), clock);
    let routes = router(service.of(known), access);
    let ask = |token: String| -> JoinHandle<u16> {
        let request = Request::builder().uri("/v1/projects");
        let request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        let request = request.body(Body::empty()).unwrap();
        let routes = routes.clone();
        tokio::spawn(async move { routes.oneshot(request).await.unwrap().status().as_u16() })
    };
    let token = |issuer: &str, kid: &str| {
        let mut claims = claims("viewer", "own");
        claims["iss"] = json!(format!("https://{issuer}.example"));
        claims["exp"] = json!(NOW_MS / 1_000 + 100_000);
        keys.sign(&json!({"alg": "ES256", "kid": kid}), &claims)
    };

    // Its keys are not known yet: it waits, and nobody else does.
    let first = ask(token("slow", "e1"));
    issuers.was_asked().await;
    assert_eq!(ask(token("good", "e1")).await.unwrap(), 200);
    assert_eq!(ask(listed("viewer", "own")).await.unwrap(), 200);
    assert!(!first.is_finished());
    issuers.answers();
    assert_eq!(first.await.unwrap(), 200);

    // They have become old: they are read again while those whose keys are known are let in.
    CLOCK.fetch_add(16 * MINUTE_MS, Ordering::Relaxed);
    assert_eq!(ask(token("slow", "e1")).await.unwrap(), 200);
    issuers.was_asked().await;
    assert_eq!(ask(token("slow", "e1")).await.unwrap(), 200);
    // Who brings a key that nobody knows waits for what is on its way.
    let invented = ask(token("slow", "invented"));
    assert_eq!(ask(token("slow", "e1")).await.unwrap(), 200);
    assert_eq!(ask(token("good", "e1")).await.unwrap(), 200);
    assert!(!invented.is_finished());
    issuers.answers();
    assert_eq!(invented.await.unwrap(), 401);

    // Whoever asked may go: the keys come for the others all the same.
    CLOCK.fetch_add(MINUTE_MS, Ordering::Relaxed);
    let gone = ask(token("slow", "invented"));
    issuers.was_asked().await;
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    assert_eq!(ask(token("slow", "e1")).await.unwrap(), 200);
    issuers.answers();
}
