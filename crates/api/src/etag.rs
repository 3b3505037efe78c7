//! Entity tags: whoever has an answer already is told that it still stands, and nobody changes what they have not seen.

use crate::problem::Problem;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use floodgate_records::printable::hex;
use sha2::{Digest, Sha256};

/// Digits of a tag: half of a SHA-256.
const DIGITS: usize = 32;

/// The tag of what is answered.
pub(crate) fn tag_of(body: &[u8]) -> String {
    let mut digits = hex(Sha256::digest(body));
    digits.truncate(DIGITS);
    format!("\"{digits}\"")
}

/// Tags answers of JSON, and answers 304 to whoever has the same already (RFC 9110, section 13).
pub(crate) async fn tag(request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let known = given(request.headers(), &IF_NONE_MATCH);
    let response = next.run(request).await;
    let kind = response.headers().get(CONTENT_TYPE);
    let is_json = kind.is_some_and(|kind| kind.as_bytes() == b"application/json");
    if !reads || response.status() != StatusCode::OK || !is_json {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(body) = to_bytes(body, usize::MAX).await else {
        let problem = "the answer could not be made";
        return Problem::new(StatusCode::INTERNAL_SERVER_ERROR, problem).into_response();
    };
    let tag = tag_of(&body);
    let same = known.is_some_and(|known| names(&known, &tag));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        parts.headers.insert(ETAG, tag);
    }
    let fresh = HeaderValue::from_static("private, no-cache");
    parts.headers.insert(CACHE_CONTROL, fresh);
    if !same {
        return Response::from_parts(parts, Body::from(body));
    }
    parts.status = StatusCode::NOT_MODIFIED;
    parts.headers.remove(CONTENT_TYPE);
    Response::from_parts(parts, Body::empty())
}

/// Whether the sender has seen what stands; whoever doesn't say so has.
pub(crate) fn has_seen(headers: &HeaderMap, standing: &[u8]) -> Result<(), Problem> {
    match given(headers, &IF_MATCH) {
        Some(wanted) if !names(&wanted, &tag_of(standing)) => Err(Problem::new(
            StatusCode::PRECONDITION_FAILED,
            "it is another one by now: read it again",
        )),
        _ => Ok(()),
    }
}

fn given(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    Some(value.to_owned())
}

fn names(list: &str, tag: &str) -> bool {
    let weak = |text: &str| text.trim().trim_start_matches("W/").to_owned();
    list.split(',').any(|one| {
        let one = weak(one);
        one == "*" || one == tag
    })
}
