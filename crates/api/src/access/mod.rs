//! Who is let in: see [`Access`].

mod bearer;
mod browser;
mod limit;

pub use limit::Limits;

use crate::caller::Caller;
use crate::identity::Identities;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use bearer::Bearer;
use browser::Browser;
use std::sync::Arc;

/// What every page and every answer carries: nothing is loaded from elsewhere, framed elsewhere, kept, or told to other sites.
const HEADERS: [(&str, &str); 5] = [
    (
        "content-security-policy",
        "default-src 'self'; img-src 'self' data:; frame-ancestors 'self'; base-uri 'none'; form-action 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cache-control", "no-store"),
];

/// Who is let in, and as whom.
#[derive(Debug)]
pub struct Access(Way);

#[derive(Debug)]
enum Way {
    Browser(Browser),
    Bearer(Bearer),
}

impl Access {
    /// One person in a browser, on the machine that this process listens on: whoever knows this token is the caller, under the name of a
    /// loopback host alone.
    pub fn on_loopback(port: u16, token: String, caller: Caller) -> Self {
        Self(Way::Browser(Browser::new(port, token, caller)))
    }

    /// Whoever brings a token that these know, as often as the limits allow; and whoever a gateway in front has proven, as a [`Caller`]
    /// among the request's extensions.
    pub fn by_token(identities: Arc<Identities>, limits: Limits, now_ms: fn() -> i64) -> Self {
        Self(Way::Bearer(Bearer::new(identities, limits, now_ms)))
    }
}

/// Lets a request pass whose sender may ask.
pub(crate) async fn admit(
    State(access): State<Arc<Access>>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = match &access.0 {
        Way::Browser(browser) => browser::judge(browser, request, next).await,
        Way::Bearer(bearer) => bearer::judge(bearer, request, next).await,
    };
    for (name, value) in HEADERS {
        let name = HeaderName::from_static(name);
        // A report has a stricter policy of its own.
        let headers = response.headers_mut();
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    response
}
