//! Who is let in by a token in the header `authorization` (RFC 6750).

use super::failures::Failures;
use super::limit::Limits;
use crate::caller::Caller;
use crate::console::is_page;
use crate::identity::{Identities, Refused};
use crate::problem::Problem;
use axum::extract::Request;
use axum::http::header::{AUTHORIZATION, COOKIE as COOKIE_HEADER, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// What anybody may read beside the pages: it says nothing of what lies here.
const DESCRIPTION: &str = "/openapi.json";
/// Where pages keep their token for what a browser opens by itself, such as a report.
const COOKIE: &str = "floodgate-token";

#[derive(Debug)]
pub(super) struct Bearer {
    identities: Arc<Identities>,
    limits: Limits,
    failures: Failures,
    now_ms: fn() -> i64,
}

impl Bearer {
    pub(super) fn new(identities: Arc<Identities>, limits: Limits, now_ms: fn() -> i64) -> Self {
        Self {
            identities,
            limits,
            failures: Failures::new(0),
            now_ms,
        }
    }

    pub(super) fn behind_proxies(&mut self, proxies: usize) {
        self.failures = Failures::new(proxies);
    }
}

/// Lets a request pass whose sender may ask.
pub(super) async fn judge(bearer: &Bearer, mut request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if path == DESCRIPTION || is_page(path) {
        return next.run(request).await;
    }
    let now_ms = (bearer.now_ms)();
    // A gateway in front has proven who asks: no header of a request can put this there.
    let proven = request.extensions().get::<Caller>().cloned();
    let sent = token(request.headers()).or_else(|| kept(&request));
    let from = bearer.failures.source(&request);
    if let (None, Some(_), Some(wait_s)) = (
        &proven,
        sent,
        bearer.failures.wait_s(from.as_deref(), now_ms),
    ) {
        return too_many(wait_s, "too many failed attempts from this address");
    }
    let known = match (proven, sent) {
        (Some(caller), _) if caller.grants.is_empty() => Err(Refused::NoRole),
        (Some(caller), _) => Ok(caller),
        (None, Some(token)) => bearer.identities.caller(token, now_ms).await,
        (None, None) => Err(Refused::Missing),
    };
    let caller = match known {
        Ok(caller) => caller,
        Err(why) => {
            if why.is_failure() {
                bearer.failures.note(from.as_deref(), now_ms);
            }
            return refuse(&why);
        }
    };
    if let Err(wait_s) = bearer.limits.take(&caller.name, now_ms) {
        return too_many(wait_s, "too many requests");
    }
    request.extensions_mut().insert(caller);
    next.run(request).await
}

fn token(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// The token of a page's cookie, for reading alone: a request that changes something says itself who sends it, so that no other site
/// can have a browser send it.
fn kept(request: &Request) -> Option<&str> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return None;
    }
    let all = request.headers().get_all(COOKIE_HEADER).iter();
    let mut pairs = all
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let (_, token) = pairs.find(|(name, _)| *name == COOKIE)?;
    (!token.is_empty()).then_some(token)
}

fn refuse(why: &Refused) -> Response {
    let status = match why {
        Refused::NoRole => StatusCode::FORBIDDEN,
        Refused::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::UNAUTHORIZED,
    };
    let mut response = Problem::new(status, why.to_string()).into_response();
    if status == StatusCode::UNAUTHORIZED {
        let told = match why {
            Refused::Missing => "Bearer realm=\"floodgate\"",
            _ => "Bearer realm=\"floodgate\", error=\"invalid_token\"",
        };
        let headers = response.headers_mut();
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(told));
    }
    response
}

fn too_many(wait_s: u64, why: &str) -> Response {
    let detail = format!("{why}: ask again in {wait_s} s");
    let mut response = Problem::new(StatusCode::TOO_MANY_REQUESTS, detail).into_response();
    let headers = response.headers_mut();
    headers.insert(RETRY_AFTER, HeaderValue::from(wait_s));
    response
}
