//! Pages that lie elsewhere and read the API from there (<https://fetch.spec.whatwg.org/#http-cors-protocol>).

use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN,
    VARY,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use std::str::FromStr;

/// What a preflight is told. No credentials are allowed: a page sends its token itself, and no cookie goes with it.
const ALLOWED: [(HeaderName, &str); 3] = [
    (
        ACCESS_CONTROL_ALLOW_METHODS,
        "GET, HEAD, POST, PUT, PATCH, DELETE",
    ),
    (
        ACCESS_CONTROL_ALLOW_HEADERS,
        "authorization, content-type, idempotency-key, if-match, if-none-match",
    ),
    (ACCESS_CONTROL_MAX_AGE, "600"),
];
/// What a page may read of an answer beside its body.
const READABLE: &str = "etag, location, retry-after, www-authenticate";

/// Where pages may lie: `https://console.example`, as a browser sends it in `origin`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(String);

/// Not an origin.
#[derive(Clone, Debug, thiserror::Error)]
#[error(
    "{0:?} is not an origin: give scheme and host, and a port if it isn't the scheme's own, such as https://console.example"
)]
pub struct BadOrigin(String);

impl FromStr for Origin {
    type Err = BadOrigin;

    fn from_str(text: &str) -> Result<Self, BadOrigin> {
        let bad = || BadOrigin(text.to_owned());
        let uri: axum::http::Uri = text.parse().map_err(|_| bad())?;
        let (Some(scheme), Some(host)) = (uri.scheme_str(), uri.authority()) else {
            return Err(bad());
        };
        let is_web = matches!(scheme, "http" | "https");
        // What a browser sends is in lower case, without a path, a user and the scheme's own port.
        let own_port = matches!(
            (scheme, host.port_u16()),
            ("http", Some(80)) | ("https", Some(443))
        );
        let sent = format!("{scheme}://{host}");
        let is_sent =
            sent == text && text == text.to_ascii_lowercase() && !text.contains(['@', '*']);
        match is_web && is_sent && !own_port {
            true => Ok(Self(sent)),
            false => Err(bad()),
        }
    }
}

/// The origin of a request, if pages from there may read the API.
pub(super) fn allowed(origins: &[Origin], headers: &HeaderMap) -> Option<HeaderValue> {
    let sent = headers.get(ORIGIN)?;
    let known = origins
        .iter()
        .any(|own| own.0.as_bytes() == sent.as_bytes());
    known.then(|| sent.clone())
}

/// Answers a browser that asks before it sends a request of a page.
pub(super) fn preflight(method: &Method, headers: &HeaderMap) -> Option<Response> {
    let asks = method == Method::OPTIONS && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    asks.then(|| {
        let mut response = StatusCode::NO_CONTENT.into_response();
        for (name, value) in ALLOWED {
            response
                .headers_mut()
                .insert(name, HeaderValue::from_static(value));
        }
        response
    })
}

/// Lets a page from there read an answer.
pub(super) fn allow(origin: HeaderValue, response: &mut Response) {
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(
        ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static(READABLE),
    );
    headers.append(VARY, HeaderValue::from_static("origin"));
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_what_browsers_send() {
        for text in [
            "https://console.example",
            "http://127.0.0.1:8080",
            "http://[::1]:8080",
        ] {
            assert_eq!(text.parse::<Origin>().unwrap().0, text);
        }
        for text in [
            "",
            "*",
            "null",
            "console.example",
            "https://console.example/",
            "https://console.example/a",
            "https://Console.example",
            "https://console.example:443",
            "http://console.example:80",
            "https://a@console.example",
            "https://*.example",
            "file:///a",
            "ftp://console.example",
        ] {
            let told = text.parse::<Origin>().unwrap_err().to_string();
            assert!(told.contains("such as https://"), "{text}: {told}");
        }
    }
}
