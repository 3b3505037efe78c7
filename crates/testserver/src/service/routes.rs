//! Which path gives which answer.

use super::Shop;
use super::answer::Answer;
use super::digest::Page;
use base64::Engine as _;
use bytes::Bytes;
use http::header::{
    AUTHORIZATION, CONTENT_ENCODING, COOKIE, HeaderName, HeaderValue, LOCATION, SET_COOKIE,
    WWW_AUTHENTICATE,
};
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Map, Value, json};
use std::io::Write as _;
use std::time::Duration;

/// Products in the shop.
const PRODUCTS: u64 = 20;
/// The longest that `/delay` waits.
const MAX_DELAY: Duration = Duration::from_secs(60);
/// The most that `/bytes` sends.
const MAX_BYTES: usize = 64 << 20;
/// The most redirects that `/redirect` promises.
const MAX_REDIRECTS: u32 = 1_000;

impl Shop {
    /// Answers one request.
    pub(super) fn route(&self, head: &Parts, body: &Bytes) -> Answer {
        let path = head.uri.path();
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        match segments.as_slice() {
            [""] => home().after(self.next_latency()),
            ["api", rest @ ..] => self
                .api(&head.method, rest, body)
                .after(self.next_latency()),
            ["count"] => self.count(),
            ["redirect", n] => number(n, MAX_REDIRECTS).map_or_else(bad_number, redirect),
            ["status", code] => status(code),
            ["delay", ms] => delay(ms, 1_000),
            ["delay-us", us] => delay(us, 1),
            ["queue", servers, per_s] => match (number(servers, 10_000), number(per_s, u32::MAX)) {
                (Ok(servers), Ok(per_s)) => {
                    Answer::text(StatusCode::OK, "served").after(self.limits.queue(servers, per_s))
                }
                (Err(problem), _) | (_, Err(problem)) => bad_number(problem),
            },
            ["bucket", per_s, burst] => match (number(per_s, u32::MAX), number(burst, u32::MAX)) {
                (Ok(per_s), Ok(burst)) => Answer::status(match self.limits.admits(per_s, burst) {
                    true => StatusCode::OK,
                    false => StatusCode::TOO_MANY_REQUESTS,
                }),
                (Err(problem), _) | (_, Err(problem)) => bad_number(problem),
            },
            ["bytes", n] => number(n, MAX_BYTES).map_or_else(bad_number, |n| {
                Answer::new(StatusCode::OK, "application/octet-stream", vec![b'f'; n])
            }),
            ["gzip"] => encoded("gzip", gzip),
            ["deflate"] => encoded("deflate", deflate),
            ["brotli"] => encoded("br", |_| Ok(BROTLI.to_vec())),
            ["echo"] => echo(head, body),
            ["cookies"] => Answer::json(
                StatusCode::OK,
                &json!({ "cookies": cookies(&head.headers) }),
            ),
            ["cookies", "set"] => set_cookies(head.uri.query().unwrap_or("")),
            ["basic-auth", user, password] => basic_auth(&head.headers, user, password),
            ["digest-auth", algorithm, qop, uses, user, password] => number(uses, u32::MAX)
                .map_or_else(bad_number, |uses| {
                    let page = Page {
                        algorithm,
                        qop,
                        uses,
                        user,
                        password,
                    };
                    self.digest_auth(&page, head, body)
                }),
            ["bearer"] => bearer(&head.headers),
            _ => Answer::status(StatusCode::NOT_FOUND),
        }
    }

    fn api(&self, method: &Method, path: &[&str], body: &Bytes) -> Answer {
        match path {
            ["products"] => {
                let all: Vec<Value> = (1..=PRODUCTS).map(product).collect();
                Answer::json(StatusCode::OK, &json!({ "products": all }))
            }
            ["products", id] => match id.parse() {
                Ok(id @ 1..=PRODUCTS) => Answer::json(StatusCode::OK, &product(id)),
                _ => Answer::json(
                    StatusCode::NOT_FOUND,
                    &json!({ "error": format!("no product {id}") }),
                ),
            },
            ["login"] => only_post(method, || login(body)),
            ["checkout"] => only_post(method, || self.checkout(body)),
            ["orders", order] => self.order(order),
            _ => Answer::status(StatusCode::NOT_FOUND),
        }
    }

    fn checkout(&self, body: &Bytes) -> Answer {
        match serde_json::from_slice::<Value>(body) {
            Ok(basket) => {
                let sku = basket.get("sku").cloned().unwrap_or(Value::Null);
                let order = format!("o-{}", self.next_order());
                Answer::json(
                    StatusCode::CREATED,
                    &json!({ "order": order, "state": "open", "sku": sku }),
                )
            }
            Err(error) => not_json(&error),
        }
    }

    /// An order by its id; only those that were made are known.
    fn order(&self, order: &str) -> Answer {
        let number = order.strip_prefix("o-").and_then(|n| n.parse().ok());
        match number {
            Some(1..) if number <= Some(self.orders()) => {
                Answer::json(StatusCode::OK, &json!({ "order": order, "state": "open" }))
            }
            _ => Answer::json(
                StatusCode::NOT_FOUND,
                &json!({ "error": format!("no order {order}") }),
            ),
        }
    }

    fn digest_auth(&self, page: &Page<'_>, head: &Parts, body: &Bytes) -> Answer {
        let uri = head.uri.path_and_query().map_or("", |uri| uri.as_str());
        let method = head.method.as_str();
        match self.nonces.check(page, method, uri, &head.headers, body) {
            Ok(()) => Answer::json(StatusCode::OK, &json!({ "user": page.user })),
            Err(challenge) => header(
                Answer::status(StatusCode::UNAUTHORIZED),
                WWW_AUTHENTICATE,
                &challenge,
            ),
        }
    }

    fn count(&self) -> Answer {
        let counted = json!({
            "requests": self.counters.requests(),
            "connections": self.counters.connections(),
            "paths": self.counters.by_path(),
        });
        Answer::json(StatusCode::OK, &counted)
    }
}

fn home() -> Answer {
    const PAGE: &str = "<!doctype html>\n<html lang=\"en\"><head><title>Floodgate demo shop</title></head>\n\
        <body><h1>Welcome</h1><p>Twenty products, all in stock.</p><a href=\"/api/products\">Products</a></body></html>\n";
    Answer::new(StatusCode::OK, "text/html; charset=utf-8", PAGE)
}

fn product(id: u64) -> Value {
    json!({ "id": id, "sku": format!("sku-{id:03}"), "name": format!("Sluice no. {id}"), "price_cents": 500 + 125 * id })
}

fn only_post(method: &Method, answer: impl FnOnce() -> Answer) -> Answer {
    if *method == Method::POST {
        answer()
    } else {
        Answer::status(StatusCode::METHOD_NOT_ALLOWED)
    }
}

fn login(body: &Bytes) -> Answer {
    let login = match serde_json::from_slice::<Value>(body) {
        Ok(login) => login,
        Err(error) => return not_json(&error),
    };
    let user = login.get("user").and_then(Value::as_str).unwrap_or("guest");
    // The token is made of the user so that a test can tell whose it got back.
    let token = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(user);
    let answer = Answer::json(StatusCode::OK, &json!({ "token": token, "user": user }));
    header(
        answer,
        SET_COOKIE,
        &format!("session={token}; Path=/; HttpOnly"),
    )
}

fn not_json(error: &serde_json::Error) -> Answer {
    Answer::json(
        StatusCode::BAD_REQUEST,
        &json!({ "error": format!("the body is not json: {error}") }),
    )
}

fn redirect(n: u32) -> Answer {
    match n.checked_sub(1) {
        None => Answer::text(StatusCode::OK, "arrived"),
        Some(left) => header(
            Answer::status(StatusCode::FOUND),
            LOCATION,
            &format!("/redirect/{left}"),
        ),
    }
}

fn status(code: &str) -> Answer {
    match code
        .parse()
        .ok()
        .filter(|code| (200..600).contains(code))
        .map(StatusCode::from_u16)
    {
        Some(Ok(status)) => Answer::status(status),
        _ => bad_number(format!("status {code:?}: not a number from 200 to 599")),
    }
}

fn delay(amount: &str, unit_us: u64) -> Answer {
    let most = u64::try_from(MAX_DELAY.as_micros()).unwrap_or(u64::MAX) / unit_us;
    number(amount, most).map_or_else(bad_number, |amount| {
        Answer::text(StatusCode::OK, "late").exactly_after(Duration::from_micros(amount * unit_us))
    })
}

fn encoded(name: &'static str, encode: fn(&[u8]) -> std::io::Result<Vec<u8>>) -> Answer {
    let body = json!({ "encoding": name, "text": "the quick brown fox jumps over the lazy dog. ".repeat(20) }).to_string();
    match encode(body.as_bytes()) {
        Ok(body) => Answer::new(StatusCode::OK, "application/json", body)
            .header(CONTENT_ENCODING, HeaderValue::from_static(name)),
        Err(error) => Answer::text(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}

fn gzip(body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(body)?;
    encoder.finish()
}

/// HTTP's `deflate` is the zlib format (RFC 9110, 8.4.1.2).
fn deflate(body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(body)?;
    encoder.finish()
}

/// The text of [`encoded`], packed beforehand: an encoder would be a part of every program that serves this.
const BROTLI: &[u8] = include_bytes!("text.json.br");

fn echo(head: &Parts, body: &Bytes) -> Answer {
    let mut headers = Map::new();
    for name in head.headers.keys() {
        let values: Vec<_> = head
            .headers
            .get_all(name)
            .iter()
            .map(|value| String::from_utf8_lossy(value.as_bytes()))
            .collect();
        headers.insert(name.to_string(), Value::from(values.join(", ")));
    }
    let request = json!({
        "method": head.method.as_str(),
        "path": head.uri.path(),
        "query": head.uri.query(),
        "version": format!("{:?}", head.version),
        "headers": headers,
        "body": String::from_utf8_lossy(body),
    });
    Answer::json(StatusCode::OK, &request)
}

/// The cookies of a request by name. HTTP/2 may split them over several headers (RFC 9113, 8.2.3).
fn cookies(headers: &HeaderMap) -> Map<String, Value> {
    let sent = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    sent.flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .map(|(name, value)| (name.to_owned(), Value::from(value)))
        .collect()
}

fn set_cookies(query: &str) -> Answer {
    let pairs = query.split('&').filter(|pair| pair.contains('='));
    pairs.fold(Answer::text(StatusCode::OK, "set"), |answer, pair| {
        header(answer, SET_COOKIE, &format!("{pair}; Path=/"))
    })
}

fn basic_auth(headers: &HeaderMap, user: &str, password: &str) -> Answer {
    let expected = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
    match credentials(headers, "basic") {
        Some(sent) if sent == expected => Answer::json(StatusCode::OK, &json!({ "user": user })),
        _ => header(
            Answer::status(StatusCode::UNAUTHORIZED),
            WWW_AUTHENTICATE,
            "Basic realm=\"shop\"",
        ),
    }
}

fn bearer(headers: &HeaderMap) -> Answer {
    match credentials(headers, "bearer") {
        Some(token) if !token.is_empty() => {
            Answer::json(StatusCode::OK, &json!({ "token": token }))
        }
        _ => header(
            Answer::status(StatusCode::UNAUTHORIZED),
            WWW_AUTHENTICATE,
            "Bearer",
        ),
    }
}

/// What follows the scheme in `authorization`, if it is this scheme.
fn credentials<'a>(headers: &'a HeaderMap, scheme: &str) -> Option<&'a str> {
    let (sent, credentials) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    sent.eq_ignore_ascii_case(scheme)
        .then(|| credentials.trim())
}

/// A number in the path, at most `most`.
fn number<N: std::str::FromStr + PartialOrd + std::fmt::Display>(
    text: &str,
    most: N,
) -> Result<N, String> {
    text.parse()
        .ok()
        .filter(|n| *n <= most)
        .ok_or_else(|| format!("{text:?}: not a number from 0 to {most}"))
}

fn bad_number(problem: String) -> Answer {
    Answer::text(StatusCode::BAD_REQUEST, problem)
}

/// Adds a header; one that its value does not allow becomes a 400.
fn header(answer: Answer, name: HeaderName, value: &str) -> Answer {
    match HeaderValue::from_str(value) {
        Ok(value) => answer.header(name, value),
        Err(_) => bad_number(format!("{name}: {value:?} is not a valid header value")),
    }
}
