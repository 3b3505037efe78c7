//! Which headers are the test's, and which the browser's, the connection's or the moment's.

use crate::draft::{Auth, Request};
use crate::recording::Exchange;

/// Headers that a client sets by itself, or that say something about the moment of the recording.
const VOLATILE: [&str; 41] = [
    "accept-encoding",
    "alt-used",
    "authority",
    "baggage",
    "cache-control",
    "connection",
    "content-length",
    "cookie",
    "dnt",
    "expect",
    "forwarded",
    "host",
    "http2-settings",
    "if-modified-since",
    "if-none-match",
    "keep-alive",
    "method",
    "newrelic",
    "path",
    "pragma",
    "priority",
    "proxy-connection",
    "purpose",
    "referer",
    "save-data",
    "scheme",
    "sentry-trace",
    "te",
    "traceparent",
    "tracestate",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "upgrade-insecure-requests",
    "user-agent",
    "via",
    "x-client-data",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
];

/// Headers with a new id for each request.
const FRESH: [&str; 5] = [
    "idempotency-key",
    "x-idempotency-key",
    "x-request-id",
    "x-correlation-id",
    "request-id",
];

/// Whether a header is left out, or written by other means.
pub(super) fn is_volatile(name: &str, value: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let leads = [
        "sec-",
        ":",
        "x-b3-",
        "x-datadog-",
        "x-newrelic-",
        "cf-",
        "x-amzn-trace",
    ];
    let browsers_accept = lower == "accept"
        && (value.trim() == "*/*" || value.starts_with("text/html,application/xhtml+xml"));
    VOLATILE.contains(&lower.as_str())
        || leads.iter().any(|lead| lower.starts_with(lead))
        || browsers_accept
}

/// Whether a header has a new id for each request.
pub(super) fn is_fresh(name: &str) -> bool {
    FRESH.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// Whether a header can be sent (RFC 9110 §5.5).
pub(super) fn is_valid(name: &str, value: &str) -> bool {
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    (1..=256).contains(&name.len())
        && name.bytes().all(token)
        && value.len() <= 32 << 10
        && !value.chars().any(|c| c.is_control() && c != '\t')
}

/// The compressions that were asked for and are supported.
pub(super) fn encodings(exchanges: &[Exchange]) -> Vec<&'static str> {
    let asked = exchanges
        .iter()
        .filter_map(|exchange| exchange.header("accept-encoding"))
        .next()
        .unwrap_or("")
        .to_ascii_lowercase();
    let has = |name: &&str| {
        asked
            .split(',')
            .any(|one| one.split(';').next().is_some_and(|one| one.trim() == *name))
    };
    ["gzip", "deflate", "br", "zstd"]
        .into_iter()
        .filter(has)
        .collect()
}

/// Takes credentials out that all requests have, if they are not of this iteration.
pub(crate) fn shared_auth(requests: &mut [&mut Request]) -> Option<Auth> {
    let first = requests.first()?.auth.clone()?;
    let texts = match &first {
        Auth::Basic { username, password } | Auth::Digest { username, password } => {
            vec![username, password]
        }
        Auth::Bearer(token) => vec![token],
    };
    let is_fixed = texts
        .iter()
        .all(|text| !text.contains("${") || text.starts_with("${secret:"));
    if requests.len() < 2
        || !is_fixed
        || requests
            .iter()
            .any(|request| request.auth.as_ref() != Some(&first))
    {
        return None;
    }
    requests.iter_mut().for_each(|request| request.auth = None);
    Some(first)
}

/// Takes headers out that all requests have with the same value.
pub(crate) fn shared(requests: &mut [&mut Request]) -> Vec<(String, String)> {
    if requests.len() < 2 {
        return Vec::new();
    }
    let of_all = |header: &&(String, String)| {
        let same = |(name, value): &(String, String)| {
            name.eq_ignore_ascii_case(&header.0) && *value == header.1
        };
        let is_static = !header.1.contains("${")
            || header.1.contains("${param:")
            || header.1.contains("${secret:");
        is_static
            && requests.iter().all(|request| {
                request
                    .headers
                    .iter()
                    .filter(|one| one.0.eq_ignore_ascii_case(&header.0))
                    .count()
                    == 1
                    && request.headers.iter().any(same)
            })
    };
    let common: Vec<_> = requests[0].headers.iter().filter(of_all).cloned().collect();
    for request in requests {
        request.headers.retain(|(name, _)| {
            !common
                .iter()
                .any(|(known, _)| known.eq_ignore_ascii_case(name))
        });
    }
    common
}
