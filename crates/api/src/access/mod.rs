//! Who is let in: see [`Access`].

mod bearer;
mod browser;
mod failures;
mod limit;
mod origins;

pub use failures::ClientAddress;
pub use limit::Limits;
pub use origins::{BadOrigin, Origin};

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
pub struct Access {
    way: Way,
    origins: Vec<Origin>,
}

#[derive(Debug)]
enum Way {
    Browser(Browser),
    Bearer(Bearer),
}

impl Access {
    /// One person in a browser, on the machine that this process listens on: whoever knows this token is the caller, under the name of a
    /// loopback host alone.
    pub fn on_loopback(port: u16, token: String, caller: Caller) -> Self {
        Self::by(Way::Browser(Browser::new(port, token, caller)))
    }

    /// Whoever brings a token that these know, as often as the limits allow; and whoever a gateway in front has proven, as a [`Caller`]
    /// among the request's extensions.
    pub fn by_token(identities: Arc<Identities>, limits: Limits, now_ms: fn() -> i64) -> Self {
        Self::by(Way::Bearer(Bearer::new(identities, limits, now_ms)))
    }

    /// The same behind so many proxies, each of which adds the address of whom it asks for to `x-forwarded-for`: by that of the outermost
    /// it is counted who fails to be let in. Without any it is the address of the connection.
    #[must_use]
    pub fn behind_proxies(mut self, proxies: u8) -> Self {
        if let Way::Bearer(bearer) = &mut self.way {
            bearer.behind_proxies(usize::from(proxies));
        }
        self
    }

    /// Lets pages read the API that lie at these places: those of [`crate::console_files`]. Who asks is found out as ever.
    #[must_use]
    pub fn from_pages_at(mut self, origins: Vec<Origin>) -> Self {
        self.origins = origins;
        self
    }

    fn by(way: Way) -> Self {
        Self {
            way,
            origins: Vec::new(),
        }
    }

    async fn judge(&self, request: Request, next: Next) -> Response {
        match &self.way {
            Way::Browser(browser) => browser::judge(browser, request, next).await,
            Way::Bearer(bearer) => bearer::judge(bearer, request, next).await,
        }
    }
}

/// Lets a request pass whose sender may ask.
pub(crate) async fn admit(
    State(access): State<Arc<Access>>,
    request: Request,
    next: Next,
) -> Response {
    let origin = origins::allowed(&access.origins, request.headers());
    let asked = origin
        .as_ref()
        .and_then(|_| origins::preflight(request.method(), request.headers()));
    let mut response = match asked {
        Some(response) => response,
        None => access.judge(request, next).await,
    };
    if let Some(origin) = origin {
        origins::allow(origin, &mut response);
    }
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
