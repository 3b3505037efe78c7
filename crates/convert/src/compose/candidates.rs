//! Values that a response gives, and how each can be taken out of it.

use super::html;
use super::names::is_id;
use crate::recording::{Exchange, Response};
use serde_json::Value;

/// Values of one response that are looked at.
const MAX_LEAVES: usize = 5_000;
/// How deep JSON is looked into; a JSONPath may have 24 brackets.
const MAX_DEPTH: usize = 16;
/// The longest JSONPath that a definition takes.
const MAX_PATH: usize = 900;
/// The longest value.
const MAX_VALUE: usize = 8 << 10;

/// A value in a response.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) value: String,
    /// What it is called.
    pub(super) key: String,
    /// What it is of: `order` of `{"order": {"id": 1}}`, and of `POST /orders`.
    pub(super) parent: String,
    /// What `extract` takes.
    pub(super) extractor: String,
}

/// The values of a response.
pub(super) fn of(exchange: &Exchange, response: &Response) -> Vec<Found> {
    let mut found = Vec::new();
    let collection = collection(exchange.url.path());
    if let Some(body) = &response.body {
        let is_markup = response.mime.contains("html") || body.trim_start().starts_with('<');
        if is_markup {
            found.extend(html::hidden(body).into_iter().map(|hidden| Found {
                value: hidden.value,
                key: hidden.name,
                parent: collection.clone(),
                extractor: format!("regex:{}", hidden.regex),
            }));
        } else if let Ok(value) = serde_json::from_str::<Value>(body) {
            json(
                &value,
                &mut Walk {
                    path: "$".into(),
                    key: String::new(),
                    parent: collection.clone(),
                    depth: 0,
                },
                &mut found,
            );
        }
    }
    for (name, value) in &response.headers {
        let is_name = name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        let lower = name.to_ascii_lowercase();
        let volatile = [
            "set-cookie",
            "date",
            "server",
            "cf-ray",
            "etag",
            "last-modified",
            "alt-svc",
            "report-to",
            "nel",
            "content-security-policy",
        ];
        if is_name && !volatile.contains(&lower.as_str()) && !lower.starts_with("x-amz-cf") {
            push(
                value,
                name,
                &collection,
                format!("header:{name}"),
                &mut found,
            );
        }
    }
    for (name, value) in response
        .cookies()
        .into_iter()
        .chain(response.hop_cookies.iter().cloned())
    {
        if name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        {
            push(
                &value,
                &name,
                &collection,
                format!("cookie:{name}"),
                &mut found,
            );
        }
    }
    found
}

fn push(value: &str, key: &str, parent: &str, extractor: String, found: &mut Vec<Found>) {
    if value.is_empty()
        || value.len() > MAX_VALUE
        || extractor.contains("${")
        || found.len() >= MAX_LEAVES
    {
        return;
    }
    found.push(Found {
        value: value.to_owned(),
        key: key.to_owned(),
        parent: parent.to_owned(),
        extractor,
    });
}

/// What a path is about: its last segment that is no id.
pub(super) fn collection(path: &str) -> String {
    let segments: Vec<_> = path
        .split('/')
        .filter(|segment| !segment.is_empty() && !is_id(segment))
        .collect();
    segments
        .last()
        .map(|segment| (*segment).to_owned())
        .unwrap_or_default()
}

struct Walk {
    path: String,
    key: String,
    parent: String,
    depth: usize,
}

fn json(value: &Value, walk: &mut Walk, found: &mut Vec<Found>) {
    if found.len() >= MAX_LEAVES || walk.depth > MAX_DEPTH || walk.path.len() > MAX_PATH {
        return;
    }
    match value {
        Value::String(text) => push(text, &walk.key, &walk.parent, walk.path.clone(), found),
        Value::Number(number) if number.is_u64() || number.is_i64() => {
            push(
                &number.to_string(),
                &walk.key,
                &walk.parent,
                walk.path.clone(),
                found,
            );
        }
        Value::Array(items) => {
            let length = walk.path.len();
            for (index, item) in items.iter().enumerate() {
                walk.path.push_str(&format!("[{index}]"));
                walk.depth += 1;
                json(item, walk, found);
                walk.depth -= 1;
                walk.path.truncate(length);
            }
        }
        Value::Object(map) => {
            for (key, value) in map {
                let Some(member) = member(key) else { continue };
                let mut inner = Walk {
                    path: format!("{}{member}", walk.path),
                    key: key.clone(),
                    // At the top the request says what it is about.
                    parent: if walk.key.is_empty() {
                        walk.parent.clone()
                    } else {
                        walk.key.clone()
                    },
                    depth: walk.depth + 1,
                };
                json(value, &mut inner, found);
            }
        }
        _ => {}
    }
}

/// A member in a JSONPath (RFC 9535); `None` for names that few would write. `.length` would be doubted.
fn member(key: &str) -> Option<String> {
    let simple = key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if simple && !matches!(key, "length" | "size" | "count") {
        return Some(format!(".{key}"));
    }
    let quotable = !key.is_empty()
        && key
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-.:@ /".contains(&b));
    (quotable && !simple).then(|| format!("['{key}']"))
}
