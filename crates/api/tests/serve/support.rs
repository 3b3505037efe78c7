//! A folder of runs behind tokens of both kinds, and a provider of identities that signs them.

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use floodgate_api::{
    Access, Definitions, Fetch, Identities, Limits, RunOrder, Service, StartError, Starter, router,
};
use floodgate_control::{Stores, Trail};
use floodgate_core::definition::model::Definition;
use floodgate_records::execution::Execution;
use floodgate_records::plan::Plan;
use floodgate_records::status::Status;
use floodgate_store::local::LocalStore;
use floodgate_store::{RecordStore as _, StoreError};
use ring::rand::SystemRandom;
use ring::rsa::KeyPair as RsaKeyPair;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RsaPublicKeyComponents,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::error::Error;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::Semaphore;
use tower::ServiceExt as _;

pub const NOW_MS: i64 = 1_800_000_000_000;
pub const ISSUER: &str = "https://issuer.example";
pub const AUDIENCE: &str = "floodgate";
/// As many as there are roles, in each of both projects.
pub const ROLES: [&str; 3] = ["viewer", "tester", "admin"];

fn now_ms() -> i64 {
    NOW_MS
}

/// A token of the list.
pub fn listed(role: &str, project: &str) -> String {
    format!("token-of-a-{role}-in-{project}-0123456789")
}

/// Signs tokens.
pub struct Keys {
    ec: EcdsaKeyPair,
    rsa: RsaKeyPair,
}

impl Keys {
    pub fn new() -> Self {
        let random = SystemRandom::new();
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let ec = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, made.as_ref(), &random);
        Self {
            ec: ec.unwrap(),
            rsa: RsaKeyPair::from_der(include_bytes!("rsa.der")).unwrap(),
        }
    }

    /// The public halves.
    pub fn jwks(&self) -> Value {
        let point = self.ec.public_key().as_ref();
        let rsa = RsaPublicKeyComponents::<Vec<u8>>::from(self.rsa.public());
        let b64 = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({"keys": [
            {"kty": "EC", "crv": "P-256", "kid": "e1", "use": "sig", "x": b64(&point[1..33]), "y": b64(&point[33..])},
            {"kty": "RSA", "alg": "RS256", "kid": "r1", "n": b64(&rsa.n), "e": b64(&rsa.e)},
            {"kty": "RSA", "use": "enc", "kid": "r2", "n": b64(&rsa.n), "e": b64(&rsa.e)},
            {"kty": "OKP", "crv": "Ed25519", "kid": "o1", "x": "AA"},
        ]})
    }

    /// A token with this header and these claims.
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(header), part(claims));
        let random = SystemRandom::new();
        let signature = match header["alg"].as_str() {
            Some("ES256") => self
                .ec
                .sign(&random, message.as_bytes())
                .unwrap()
                .as_ref()
                .to_vec(),
            Some("RS256") => {
                let mut signature = vec![0; self.rsa.public().modulus_len()];
                let message = message.as_bytes();
                self.rsa
                    .sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .unwrap();
                signature
            }
            _ => Vec::new(),
        };
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    pub fn es256(&self, claims: &Value) -> String {
        self.sign(&json!({"alg": "ES256", "kid": "e1"}), claims)
    }
}

/// The claims of an identity that has this role in that project.
pub fn claims(role: &str, project: &str) -> Value {
    let now_s = NOW_MS / 1_000;
    json!({
        "iss": ISSUER, "aud": [AUDIENCE, "other"], "sub": format!("repo:acme/{project}:{role}"), "iat": now_s, "nbf": now_s,
        "exp": now_s + 600, "repository": format!("acme/{project}"), "ref": format!("refs/heads/{role}"), "private": true,
    })
}

/// Starts nothing, and puts what is asked for on record.
pub struct Recorded {
    pub orders: Arc<Mutex<Vec<RunOrder>>>,
    store: Arc<LocalStore>,
    places: Semaphore,
}

#[async_trait]
impl Starter for Recorded {
    async fn start(&self, order: RunOrder) -> Result<(), StartError> {
        if order.parameters.contains_key("refuse") {
            return Err(StartError::Invalid("definition.json:1: a fault".into()));
        }
        let place = self.places.try_acquire();
        let _place = place.map_err(|_| StartError::Busy("2 runs go on here".into()))?;
        tokio::task::yield_now().await;
        let mut run = Execution::created(&order.id, &order.project, "started", NOW_MS);
        run.trigger = order.trigger.clone();
        let taken = |error: StoreError| StartError::Failed(error.to_string());
        self.store.create(&run).await.map_err(taken)?;
        self.orders.lock().unwrap().push(order);
        Ok(())
    }
}

struct Unknown;

#[async_trait]
impl Definitions for Unknown {
    async fn of(&self, _: &Plan) -> Result<Definition, Box<dyn Error + Send + Sync>> {
        Err("its references are not known here".into())
    }
}

/// Definitions of no run.
pub fn unknown() -> Box<dyn Definitions> {
    Box::new(Unknown)
}

/// Gives the keys, and counts how often.
pub struct Provider {
    pub jwks: Mutex<Result<Value, String>>,
    pub asked: AtomicUsize,
}

#[async_trait]
impl Fetch for Provider {
    async fn get(&self, url: &str) -> Result<Vec<u8>, String> {
        assert_eq!(url, "https://issuer.example/keys");
        self.asked.fetch_add(1, Ordering::Relaxed);
        let jwks = self.jwks.lock().unwrap().clone();
        jwks.map(|keys| keys.to_string().into_bytes())
    }
}

pub struct Bench {
    routes: Router,
    pub store: Arc<LocalStore>,
    pub keys: Keys,
    pub provider: Arc<Provider>,
    pub orders: Arc<Mutex<Vec<RunOrder>>>,
    pub folder: tempfile::TempDir,
}

/// An answer.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
    pub json: Value,
}

impl Bench {
    pub fn new() -> Self {
        Self::with_rate(100_000)
    }

    pub fn with_rate(rate: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(LocalStore::open(folder.path().join("runs")).unwrap());
        let stores = Stores {
            objects: store.clone(),
            records: store.clone(),
        };
        let keys = Keys::new();
        let provider = Arc::new(Provider {
            jwks: Mutex::new(Ok(keys.jwks())),
            asked: AtomicUsize::new(0),
        });
        let orders = Arc::<Mutex<Vec<RunOrder>>>::default();
        let starter = Recorded {
            orders: orders.clone(),
            store: store.clone(),
            places: Semaphore::new(2),
        };
        let (tokens, oidc) = (
            folder.path().join("tokens.json"),
            folder.path().join("oidc.json"),
        );
        std::fs::write(&tokens, token_file().to_string()).unwrap();
        std::fs::write(&oidc, oidc_file().to_string()).unwrap();
        let known = Identities::default().with_tokens(&tokens).unwrap();
        let known = Arc::new(known.with_issuers(&oidc, provider.clone()).unwrap());
        let service = Service::new(stores, Trail::Here, Box::new(Unknown), now_ms)
            .starting(Box::new(starter))
            .of(known.clone());
        let access = Access::by_token(known, Limits::per_second(rate), now_ms);
        Self {
            routes: router(service, access),
            store,
            keys,
            provider,
            orders,
            folder,
        }
    }

    pub fn stores(&self) -> Stores {
        Stores {
            objects: self.store.clone(),
            records: self.store.clone(),
        }
    }

    pub async fn put(&self, project: &str, n: u8, status: Status) -> String {
        let id = format!("01JD7Q3W5Z8X9Y0A1B2C3D4E{n:02}");
        let run = Execution {
            status,
            version: "abc".into(),
            ..Execution::created(id.clone(), project, "home", i64::from(n))
        };
        self.store.create(&run).await.unwrap();
        id
    }

    pub async fn ask(
        &self,
        (method, path): (Method, &str),
        token: Option<&str>,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = match body {
            Value::Null => Body::empty(),
            body => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(body.to_string())
            }
        };
        let response = self
            .routes
            .clone()
            .oneshot(request.body(body).unwrap())
            .await
            .unwrap();
        let (parts, body) = response.into_parts();
        let text = to_bytes(body, 1 << 22).await.unwrap();
        let text = String::from_utf8(text.to_vec()).unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            json: serde_json::from_str(&text).unwrap_or_default(),
            text,
        }
    }

    /// The status of an answer to somebody at this address, and when to ask again.
    pub async fn from(&self, address: &str, token: Option<&str>) -> (u16, Option<String>) {
        let mut request = Request::builder().uri("/v1/projects");
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let mut request = request.body(Body::empty()).unwrap();
        let peer = SocketAddr::new(address.parse().unwrap(), 4_000);
        request.extensions_mut().insert(ConnectInfo(peer));
        let answer = self.routes.clone().oneshot(request).await.unwrap();
        let again = answer.headers().get(header::RETRY_AFTER);
        let again = again.map(|value| value.to_str().unwrap().to_owned());
        (answer.status().as_u16(), again)
    }

    pub async fn get(&self, path: &str, token: &str) -> Answer {
        self.ask((Method::GET, path), Some(token), &[], &Value::Null)
            .await
    }
}

fn token_file() -> Value {
    let mut tokens = Vec::new();
    for project in ["own", "foreign"] {
        for role in ROLES {
            let digest = Sha256::digest(listed(role, project));
            let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            tokens.push(json!({
                "principal": format!("{role}@{project}"), "sha256": digest, "projects": {project: role}, "expires": "2100-01-01T00:00:00Z"
            }));
        }
    }
    let digest = Sha256::digest(listed("former", "own"));
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    tokens.push(json!({"principal": "former", "sha256": digest, "projects": {"own": "admin"}, "expires": "2026-01-01T00:00:00Z"}));
    json!({ "tokens": tokens })
}

fn oidc_file() -> Value {
    let mut rules = Vec::new();
    for project in ["own", "foreign"] {
        for role in ROLES {
            let when = json!({"repository": format!("acme/{project}"), "ref": format!("refs/heads/{role}*"), "private": "true"});
            rules.push(json!({"when": when, "project": project, "role": role}));
        }
    }
    json!({"issuers": [{
        "name": "github", "issuer": ISSUER, "audiences": [AUDIENCE], "jwks": "https://issuer.example/keys", "rules": rules
    }]})
}
