//! Names of requests: what differs from one user to the next is not part of them, so that a report has a line for each kind.

use super::hide::Hidden;
use crate::recording::{Exchange, Payload};
use serde_json::Value;
use std::collections::HashMap;

/// The longest name in characters.
const MAX: usize = 120;

/// A name for each request, without what must not be written.
pub(super) fn names(exchanges: &[Exchange], hidden: &Hidden) -> Vec<String> {
    let single = |exchange: &&Exchange| exchange.url.host_str() == exchanges[0].url.host_str();
    let one_host = exchanges.iter().all(|exchange| single(&exchange));
    exchanges
        .iter()
        .map(|exchange| shown(&hidden.in_words(&name(exchange, !one_host))))
        .collect()
}

fn name(exchange: &Exchange, with_host: bool) -> String {
    let host = exchange.url.host_str().filter(|_| with_host).unwrap_or("");
    let operation = operation(&exchange.body)
        .map(|name| format!(" {name}"))
        .unwrap_or_default();
    format!(
        "{} {host}{}{operation}",
        exchange.method.to_ascii_uppercase(),
        path(exchange.url.path())
    )
}

/// Names stand in reports and in the keys of thresholds.
pub(crate) fn shown(name: &str) -> String {
    let safe = |c: char| match c {
        '{' | '}' | '"' | '\\' | '$' => '_',
        c if !floodgate_records::printable::shows(c) => '_',
        c => c,
    };
    name.chars().take(MAX).map(safe).collect()
}

/// A path with `:id` for each segment that names a single thing.
pub(super) fn path(path: &str) -> String {
    let path = percent_encoding::percent_decode_str(path)
        .decode_utf8_lossy()
        .into_owned();
    path.split('/')
        .map(|segment| if is_id(segment) { ":id" } else { segment })
        .collect::<Vec<_>>()
        .join("/")
}

/// Whether a segment of a path is an id: a number, a UUID, a hash, a token.
pub(super) fn is_id(segment: &str) -> bool {
    let digits = segment.bytes().filter(u8::is_ascii_digit).count();
    let hex = segment.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    let token = segment
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"-_.~=".contains(&b));
    let is_version = segment.len() <= 4 && segment.starts_with(['v', 'V']);
    let ends_in_number = segment.rsplit_once(['-', '_']).is_some_and(|(lead, n)| {
        lead.len() <= 4 && !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit())
    });
    if segment.is_empty()
        || is_version
        || digits == 0
        || !token
        || segment.contains('.') && segment.len() < 24
    {
        return false;
    }
    digits == segment.len()
        || hex && segment.len() >= 8
        || ends_in_number
        || segment.len() >= 16 && digits >= 3
}

/// The operation of a GraphQL request.
fn operation(body: &Payload) -> Option<String> {
    let Payload::Text { text, mime } = body else {
        return None;
    };
    if !mime.contains("json") && !mime.contains("graphql") || text.len() > 1 << 20 {
        return None;
    }
    let value: Value = serde_json::from_str(text).ok()?;
    let one = value.get(0).unwrap_or(&value);
    let query = one.get("query").and_then(Value::as_str);
    let named = one
        .get("operationName")
        .and_then(Value::as_str)
        .filter(|name| !name.is_empty());
    if let Some(name) = named.filter(|_| query.is_some() || one.get("extensions").is_some()) {
        return Some(name.to_owned());
    }
    // `query Name(…)`
    let mut words = query?
        .split(|c: char| c.is_whitespace() || matches!(c, '(' | '{'))
        .filter(|word| !word.is_empty());
    let kind = words
        .next()
        .filter(|word| matches!(*word, "query" | "mutation"))?;
    let is_name = |word: &&str| {
        word.starts_with(|c: char| c.is_ascii_alphabetic())
            && query.is_some_and(|query| {
                !query.trim_start()[kind.len()..]
                    .trim_start()
                    .starts_with(['{', '('])
            })
    };
    words.next().filter(is_name).map(str::to_owned)
}

/// Names in order, a number behind each that is taken: for what must be unique.
pub(crate) fn unique(taken: &mut HashMap<String, usize>, name: &str) -> String {
    let n = taken.entry(name.to_owned()).or_default();
    *n += 1;
    match *n {
        1 => name.to_owned(),
        n => unique(taken, &format!("{name}_{n}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_grouped_and_words_are_not() {
        for (recorded, expected) in [
            ("/api/products/7", "/api/products/:id"),
            ("/api/v2/orders/o-17/items", "/api/v2/orders/:id/items"),
            ("/u/3f2b8c1e-9a47-4a0e-8b6e-2f1d7c9a5b10", "/u/:id"),
            ("/blob/deadbeef01", "/blob/:id"),
            ("/iphone15", "/iphone15"),
            ("/faceted/decade", "/faceted/decade"),
            ("/p/summer-sale-of-shoes", "/p/summer-sale-of-shoes"),
            ("/oauth2/token", "/oauth2/token"),
            ("/a%20b/", "/a b/"),
            ("/s/eyJhbGciOiJIUzI1NiJ9abc123", "/s/:id"),
        ] {
            assert_eq!(path(recorded), expected);
        }
    }
}
