//! One entry of an archive. Recorders disagree about types and leave fields out: what is missing is taken as absent, and only an entry
//! without a usable request is none.

use super::body::{payload, response_body};
use crate::recording::{Exchange, Recording, Response, User};
use chrono::DateTime;
use serde_json::Value;
use std::collections::HashMap;
use url::Url;

/// The longest URL in bytes that a definition takes.
const MAX_URL: usize = 60 << 10;

/// Ids and titles of pages.
pub(super) fn pages(pages: &Value) -> Vec<(String, String)> {
    let pages = pages.as_array().map_or(&[][..], Vec::as_slice).iter();
    pages
        .filter_map(|page| {
            let title = page.get("title").and_then(Value::as_str).unwrap_or("");
            Some((page.get("id")?.as_str()?.to_owned(), title.to_owned()))
        })
        .collect()
}

/// Puts pages into the order in which they were visited; until then an entry has the place of its page's id.
pub(super) fn number_pages(recording: &mut Recording, known: &[(String, String)]) {
    let mut ids: HashMap<String, usize> = HashMap::new();
    for exchange in &mut recording.exchanges {
        let Some(id) = exchange.comments.pop() else {
            continue;
        };
        let next = ids.len();
        let number = *ids.entry(id.clone()).or_insert(next);
        if number == recording.pages.len() {
            let title = known
                .iter()
                .find(|(known, _)| *known == id)
                .map_or("", |(_, title)| title);
            recording.pages.push(title.to_owned());
        }
        exchange.page = Some(number);
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or("")
}

/// A number, also as text, also a fraction.
fn number(value: &Value, key: &str) -> Option<f64> {
    let value = value.get(key)?;
    value
        .as_f64()
        .or_else(|| value.as_str()?.trim().parse().ok())
        .filter(|n| n.is_finite())
}

fn pairs(value: Option<&Value>) -> Vec<(String, String)> {
    let list = value
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    list.iter()
        .filter_map(|pair| {
            let name = pair.get("name").and_then(Value::as_str)?;
            let value = match pair.get("value") {
                Some(Value::String(value)) => value.clone(),
                None | Some(Value::Null) => String::new(),
                Some(other) => other.to_string(),
            };
            Some((name.to_owned(), value))
        })
        .collect()
}

/// An entry as an exchange; its page's id is left as the only comment. At most `room` bytes of the response's body are kept.
///
/// # Errors
/// Why it is none, in words.
pub(super) fn exchange(number_: usize, mut entry: Value, room: usize) -> Result<Exchange, String> {
    let request = entry.get("request").ok_or("it has no request")?;
    let method = text(request, "method").trim().to_owned();
    let valid = |b: u8| b.is_ascii_alphabetic() || b"!#$%&'*+-.^_`|~".contains(&b);
    if method.is_empty()
        || method.len() > 32
        || !method.bytes().all(valid)
        || method.eq_ignore_ascii_case("connect")
    {
        return Err(format!(
            "it has no usable method ({})",
            floodgate_records::printable::quoted(&method)
        ));
    }
    let (url, user) = url(text(request, "url"))?;
    let headers = pairs(request.get("headers"));
    let body = payload(request, &headers);
    let response = entry.get("response").map(response);
    let is_static = is_static(&entry, &url, response.as_ref());
    let started_ms = DateTime::parse_from_rfc3339(text(&entry, "startedDateTime"))
        .ok()
        .map(|time| time.timestamp_millis());
    let took_ms = number(&entry, "time")
        .filter(|ms| (0.0..1e9).contains(ms))
        .unwrap_or(0.0);
    let page = entry
        .get("pageref")
        .and_then(Value::as_str)
        .map(str::to_owned);
    let response = response.map(|mut response| {
        if !is_static {
            response.body = response_body(&mut entry, &response.mime, room);
        }
        response
    });
    Ok(Exchange {
        label: format!("entry {number_}"),
        page: None,
        started_ms,
        took_ms: took_ms.round() as i64,
        method,
        url,
        headers,
        body,
        is_static,
        user,
        timeout: None,
        follows: false,
        comments: page.into_iter().collect(),
        response,
    })
}

/// A URL without user, password and fragment.
fn url(text: &str) -> Result<(Url, Option<User>), String> {
    if text.is_empty() {
        return Err("it has no URL".into());
    }
    let shown = || floodgate_records::printable::quoted(text);
    if text.len() > MAX_URL {
        return Err(format!("its URL has {} bytes", text.len()));
    }
    let mut url =
        Url::parse(text).map_err(|error| format!("its URL {} is not valid ({error})", shown()))?;
    url.set_fragment(None);
    let user = (!url.username().is_empty()).then(|| User {
        name: decoded(url.username()),
        password: decoded(url.password().unwrap_or("")),
        digest: false,
    });
    // Neither can fail for a URL with a host; one without is left out later.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    Ok((url, user))
}

fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text)
        .decode_utf8_lossy()
        .into_owned()
}

fn response(response: &Value) -> Response {
    let status = number(response, "status")
        .filter(|status| (100.0..1_000.0).contains(status))
        .unwrap_or(0.0);
    let mut headers = pairs(response.get("headers"));
    let location = text(response, "redirectURL");
    let has = |headers: &[(String, String)], name: &str| {
        headers
            .iter()
            .any(|(known, _)| known.eq_ignore_ascii_case(name))
    };
    if !location.is_empty() && !has(&headers, "location") {
        headers.push(("Location".into(), location.to_owned()));
    }
    if !has(&headers, "set-cookie") {
        for (name, value) in pairs(response.get("cookies")) {
            headers.push(("Set-Cookie".into(), format!("{name}={value}")));
        }
    }
    let content = response.get("content").unwrap_or(&Value::Null);
    let mut mime = text(content, "mimeType").to_ascii_lowercase();
    if mime.is_empty() || mime == "x-unknown" {
        let found = headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        mime = found
            .map(|(_, value)| value.to_ascii_lowercase())
            .unwrap_or_default();
    }
    Response {
        status: status as u16,
        headers,
        body: None,
        mime,
        hop_cookies: Vec::new(),
    }
}

/// Whether it is fetched for the looks of a page: by what the browser says, else by the type, else by the name.
fn is_static(entry: &Value, url: &Url, response: Option<&Response>) -> bool {
    const KINDS: [&str; 8] = [
        "image",
        "imageset",
        "font",
        "stylesheet",
        "script",
        "media",
        "manifest",
        "texttrack",
    ];
    const FETCHES: [&str; 6] = [
        "document",
        "xhr",
        "fetch",
        "main_frame",
        "sub_frame",
        "eventsource",
    ];
    const ENDINGS: [&str; 27] = [
        "png",
        "jpg",
        "jpeg",
        "gif",
        "svg",
        "webp",
        "avif",
        "ico",
        "bmp",
        "woff",
        "woff2",
        "ttf",
        "otf",
        "eot",
        "css",
        "js",
        "mjs",
        "map",
        "mp4",
        "webm",
        "mp3",
        "ogg",
        "wav",
        "m4a",
        "wasm",
        "webmanifest",
        "vtt",
    ];
    let kind = text(entry, "_resourceType");
    if KINDS.contains(&kind) {
        return true;
    }
    let mime = response.map_or("", |response| response.mime.as_str());
    let by_type = [
        "image/",
        "font/",
        "audio/",
        "video/",
        "text/css",
        "application/font",
        "application/x-font",
        "application/wasm",
    ]
    .iter()
    .any(|lead| mime.starts_with(lead))
        || mime.contains("javascript")
        || mime.contains("ecmascript")
        || mime.contains("manifest+json");
    if FETCHES.contains(&kind) || !mime.is_empty() {
        return by_type && !matches!(kind, "xhr" | "fetch");
    }
    let ending = url
        .path()
        .rsplit('/')
        .next()
        .and_then(|name| name.rsplit_once('.'))
        .map(|(_, ending)| ending.to_ascii_lowercase());
    ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
}
