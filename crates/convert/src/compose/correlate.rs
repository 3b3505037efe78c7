//! Which values of a request come from a response before it. A replay that sends the recorded ones would ask for a session, an order
//! or a form that is gone.

use super::candidates::{Found, of};
use super::{html, unique};
use crate::recording::Exchange;
use std::collections::{HashMap, HashSet};

/// Values that are remembered, over all responses.
const MAX_PLACES: usize = 200_000;
/// Text of pages in which values are looked for, in bytes.
const MAX_TEXT: usize = 16 << 20;
/// Names that hold one thing among many.
const ID_KEYS: [&str; 11] = [
    "id", "uuid", "guid", "key", "slug", "code", "number", "no", "sku", "handle", "ref",
];
/// Names of amounts and settings, whose equality says nothing.
const NOT_IDS: [&str; 26] = [
    "page", "limit", "offset", "size", "count", "quantity", "qty", "version", "year", "month",
    "day", "price", "amount", "total", "width", "height", "currency", "lang", "language", "locale",
    "country", "sort", "order_by", "status", "type", "rating",
];

/// Where a request has a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot<'a> {
    /// A segment of the path, behind this one.
    Segment { after: &'a str },
    /// A parameter, a field or a header of this name.
    Named(&'a str),
}

/// What a value is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Bound {
    /// A variable that an earlier step extracts.
    Variable(String),
    /// It may be one; a comment says so.
    Hint(String),
    /// Nothing is known of it.
    Literal,
}

#[derive(Debug)]
struct Place {
    exchange: usize,
    label: String,
    ended_ms: Option<i64>,
    found: Found,
    variable: Option<String>,
}

/// What responses gave so far, and requests took of it.
#[derive(Debug, Default)]
pub(super) struct Correlation {
    places: Vec<Place>,
    by_value: HashMap<String, Vec<usize>>,
    /// What the client knew by itself.
    sent: HashSet<String>,
    names: HashMap<String, usize>,
    texts: Vec<(usize, Option<i64>, String)>,
    text_bytes: usize,
}

impl Correlation {
    /// Takes up what a request sent and its response gave.
    pub(super) fn answered(&mut self, index: usize, exchange: &Exchange, sent: &[String]) {
        self.sent.extend(sent.iter().cloned());
        let Some(response) = &exchange.response else {
            return;
        };
        let mut fresh: HashMap<String, Vec<usize>> = HashMap::new();
        for found in of(exchange, response) {
            // What was sent before is an echo, what was given before is known.
            let is_old =
                self.sent.contains(&found.value) || self.by_value.contains_key(&found.value);
            if is_old
                || self.places.len() >= MAX_PLACES
                || !(is_strong(&found.value) || is_weak(&found.value))
            {
                continue;
            }
            fresh
                .entry(found.value.clone())
                .or_default()
                .push(self.places.len());
            let label = format!("{} {}", exchange.method, exchange.url.path());
            self.places.push(Place {
                exchange: index,
                label,
                ended_ms: exchange.ended_ms(),
                found,
                variable: None,
            });
        }
        self.by_value.extend(fresh);
        if let Some(body) = response.body.as_ref().filter(|body| {
            response.mime.contains("html") && self.text_bytes + body.len() <= MAX_TEXT
        }) {
            self.text_bytes += body.len();
            self.texts.push((index, exchange.ended_ms(), body.clone()));
        }
    }

    /// What a value of a request is that is sent at `now_ms`.
    pub(super) fn bind(&mut self, slot: Slot<'_>, value: &str, now_ms: Option<i64>) -> Bound {
        if value.is_empty() {
            return Bound::Literal;
        }
        if is_strong(value) {
            return self
                .strong(value, now_ms)
                .map_or(Bound::Literal, Bound::Variable);
        }
        let Some(places) = self.by_value.get(value).filter(|_| is_weak(value)) else {
            return Bound::Literal;
        };
        let fitting: Vec<usize> = places
            .iter()
            .copied()
            .filter(|&at| in_time(self.places[at].ended_ms, now_ms))
            .filter(|&at| fits(slot, &self.places[at].found, value))
            .collect();
        match fitting.as_slice() {
            [] => Bound::Literal,
            [one] => Bound::Variable(self.variable(*one)),
            many => match many.iter().find(|&&at| self.places[at].variable.is_some()) {
                Some(&at) => Bound::Variable(self.variable(at)),
                None => {
                    let found: Vec<_> = many
                        .iter()
                        .take(3)
                        .map(|&at| self.places[at].found.extractor.as_str())
                        .collect();
                    let from = &self.places[many[0]].label;
                    Bound::Hint(format!(
                        "{} may be a value of the response to {from} ({}): extract it there if it differs from run to run.",
                        floodgate_records::printable::quoted(value),
                        found.join(" or ")
                    ))
                }
            },
        }
    }

    /// The variable for a token that a response gave.
    fn strong(&mut self, value: &str, now_ms: Option<i64>) -> Option<String> {
        if let Some(places) = self.by_value.get(value) {
            let in_time: Vec<usize> = places
                .iter()
                .copied()
                .filter(|&at| in_time(self.places[at].ended_ms, now_ms))
                .collect();
            // JSON and fields stand before headers and cookies; of several the shortest way.
            let first = in_time
                .iter()
                .copied()
                .find(|&at| self.places[at].variable.is_some());
            let best = first.or_else(|| {
                in_time.iter().copied().min_by_key(|&at| {
                    (
                        rank(&self.places[at].found),
                        self.places[at].found.extractor.len(),
                    )
                })
            });
            return best.map(|at| self.variable(at));
        }
        if self.sent.contains(value) {
            return None;
        }
        let found = self.texts.iter().find_map(|(exchange, ended_ms, text)| {
            let regex = in_time(*ended_ms, now_ms)
                .then(|| html::by_context(text, value))
                .flatten()?;
            Some((*exchange, *ended_ms, regex))
        });
        let (exchange, ended_ms, regex) = found?;
        let found = Found {
            value: value.to_owned(),
            key: "value".into(),
            parent: "page".into(),
            extractor: format!("regex:{regex}"),
        };
        self.by_value
            .insert(value.to_owned(), vec![self.places.len()]);
        self.places.push(Place {
            exchange,
            label: String::new(),
            ended_ms,
            found,
            variable: None,
        });
        Some(self.variable(self.places.len() - 1))
    }

    /// Text in which tokens stand, with variables for those that responses gave; the rest of the text is turned into a template by `rest`.
    pub(super) fn embedded(
        &mut self,
        text: &str,
        now_ms: Option<i64>,
        mut rest: impl FnMut(&str) -> String,
    ) -> String {
        let is_token = |c: char| c.is_ascii_alphanumeric() || "_-.~+/=".contains(c);
        let (mut out, mut open, mut plain) = (String::new(), text, String::new());
        while let Some(first) = open.chars().next() {
            if !is_token(first) {
                plain.push(first);
                open = &open[first.len_utf8()..];
                continue;
            }
            let end = open.find(|c| !is_token(c)).unwrap_or(open.len());
            let (token, behind) = open.split_at(end);
            open = behind;
            for part in self.parts(token) {
                match Some(part)
                    .filter(|part| is_strong(part))
                    .and_then(|part| self.strong(part, now_ms))
                {
                    Some(variable) => {
                        out.push_str(&rest(&std::mem::take(&mut plain)));
                        out.push_str(&format!("${{{variable}}}"));
                    }
                    None => plain.push_str(part),
                }
            }
        }
        out.push_str(&rest(&plain));
        out
    }

    /// A token as it is if it is known, else what stands between its separators.
    fn parts<'t>(&self, token: &'t str) -> Vec<&'t str> {
        if self.by_value.contains_key(token) || !token.contains(['/', '=', '+', '.']) {
            return vec![token];
        }
        token
            .split_inclusive(['/', '=', '+', '.'])
            .flat_map(|part| {
                let cut = part.trim_end_matches(['/', '=', '+', '.']).len();
                let (word, separator) = part.split_at(cut);
                [word, separator]
                    .into_iter()
                    .filter(|part| !part.is_empty())
            })
            .collect()
    }

    fn variable(&mut self, at: usize) -> String {
        if let Some(known) = &self.places[at].variable {
            return known.clone();
        }
        let name = unique(&mut self.names, &name(&self.places[at].found));
        self.places[at].variable = Some(name.clone());
        name
    }

    /// What is extracted, with the number of its request.
    pub(super) fn extracts(self) -> impl Iterator<Item = (usize, (String, String))> {
        self.places
            .into_iter()
            .filter_map(|place| Some((place.exchange, (place.variable?, place.found.extractor))))
    }
}

/// Whether a response was there when a request was sent. Without times the order decides.
fn in_time(ended_ms: Option<i64>, now_ms: Option<i64>) -> bool {
    /// Recorders round.
    const TOLERANCE_MS: i64 = 5;
    ended_ms
        .zip(now_ms)
        .is_none_or(|(ended, now)| ended <= now + TOLERANCE_MS)
}

fn rank(found: &Found) -> u8 {
    match found.extractor.split(':').next() {
        Some("header") => 1,
        Some("cookie") => 2,
        _ => 0,
    }
}

/// A value that nobody meets by chance: a token, a UUID, a hash.
pub(super) fn is_strong(value: &str) -> bool {
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let letters = value.bytes().filter(u8::is_ascii_alphabetic).count();
    let token = value
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"_-.~+/=:".contains(&b));
    let cases = value.bytes().any(|b| b.is_ascii_lowercase())
        && value.bytes().any(|b| b.is_ascii_uppercase());
    let is_path = value.contains("//")
        || value.starts_with('/')
        || value.ends_with('/')
        || value.matches('/').count() > 3;
    if !token || value.len() < 8 || is_path || is_date(value) || letters == 0 && value.len() < 16 {
        return false;
    }
    digits >= 3 && value.len() >= 8 && letters + digits >= 8
        || digits >= 2 && value.len() >= 12
        || cases && value.len() >= 16 && !value.contains(['/', '.'])
}

/// A value that may be an id where the names agree.
fn is_weak(value: &str) -> bool {
    value.len() <= 64
        && value.bytes().any(|b| b.is_ascii_digit())
        && value
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b))
        && !is_date(value)
}

fn is_date(value: &str) -> bool {
    let bytes = value.as_bytes();
    bytes.len() >= 8
        && bytes[..4].iter().all(u8::is_ascii_digit)
        && bytes[4] == b'-'
        && bytes[5..7].iter().all(u8::is_ascii_digit)
        && bytes[7] == b'-'
}

fn bare(name: &str) -> String {
    name.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

/// One of what a collection has: `orders` gives `order`.
pub(crate) fn singular(name: &str) -> String {
    let irregular = |end: &str| name.strip_suffix(end);
    if let Some(stem) = irregular("ies").filter(|stem| stem.len() > 1) {
        return format!("{stem}y");
    }
    for end in ["sses", "xes", "ches", "shes"] {
        if let Some(stem) = irregular(end) {
            return format!("{stem}{}", &end[..end.len() - 2]);
        }
    }
    match irregular("s") {
        Some(stem) if !stem.ends_with(['s', 'u', 'i']) && stem.len() > 1 => stem.to_owned(),
        _ => name.to_owned(),
    }
}

fn without_id(name: &str) -> &str {
    let ends = ["id", "uuid", "guid", "key", "number", "code", "ref", "no"];
    ends.iter()
        .find_map(|end| name.strip_suffix(end))
        .filter(|stem| stem.len() > 1)
        .unwrap_or(name)
}

/// Whether the names of where a value is sent and where it was given are about the same thing.
fn fits(slot: Slot<'_>, found: &Found, value: &str) -> bool {
    let (key, parent) = (bare(&found.key), singular(&bare(&found.parent)));
    let wanted = match slot {
        Slot::Segment { after } => singular(&bare(after)),
        Slot::Named(name) => bare(name),
    };
    if wanted.is_empty() || NOT_IDS.contains(&key.as_str()) || NOT_IDS.contains(&wanted.as_str()) {
        return false;
    }
    let is_id = ID_KEYS.iter().any(|id| key.ends_with(id))
        || matches!(
            key.as_str(),
            "order" | "cart" | "token" | "nonce" | "basket"
        );
    if value.bytes().all(|b| b.is_ascii_digit()) && !is_id {
        return false;
    }
    let of_parent = ID_KEYS.contains(&key.as_str()) && without_id(&wanted) == parent;
    let segment_of_parent = matches!(slot, Slot::Segment { .. }) && wanted == parent && is_id;
    wanted == key && !ID_KEYS[..3].contains(&key.as_str())
        || without_id(&wanted) == without_id(&key) && !ID_KEYS.contains(&key.as_str())
        || of_parent
        || segment_of_parent
}

/// A variable's name: what it is called, with what it is of if that says too little.
fn name(found: &Found) -> String {
    let clean = |text: &str| -> String {
        let out: String = text
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
            .collect();
        out.trim_matches('_').to_owned()
    };
    let (key, parent) = (clean(&found.key), clean(&singular(&found.parent)));
    let vague = ID_KEYS.contains(&bare(&key).as_str())
        || ["value", "name", "data", "href", "url"].contains(&key.as_str())
        || key.is_empty();
    let reserved = ["vu", "iteration", "scenario", "task", "data"].contains(&key.as_str());
    let mut name = match (vague || reserved) && !parent.is_empty() {
        true => format!("{parent}_{}", if key.is_empty() { "value" } else { &key }),
        false => key,
    };
    if !name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        || ["vu", "iteration", "scenario", "task", "data"].contains(&name.as_str())
    {
        name.insert_str(0, "value_");
    }
    name.truncate(50);
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(key: &str, parent: &str) -> Found {
        Found {
            value: String::new(),
            key: key.into(),
            parent: parent.into(),
            extractor: format!("$.{key}"),
        }
    }

    #[test]
    fn names_tell_whether_a_number_is_the_same_thing() {
        let segment = |after| Slot::Segment { after };
        for (slot, key, parent, value) in [
            (segment("products"), "id", "products", "7"),
            (segment("orders"), "order", "checkout", "o-1"),
            (Slot::Named("orderId"), "id", "order", "17"),
            (Slot::Named("order_id"), "orderId", "x", "17"),
            (Slot::Named("sku"), "sku", "products", "sku-007"),
            (segment("orders"), "orderNumber", "checkout", "1234"),
        ] {
            assert!(
                fits(slot, &found(key, parent), value),
                "{slot:?} {key} {parent}"
            );
        }
        for (slot, key, parent, value) in [
            (segment("products"), "id", "categories", "7"),
            (Slot::Named("page"), "page", "meta", "2"),
            (Slot::Named("quantity"), "id", "item", "2"),
            (Slot::Named("id"), "id", "other", "2"),
            (segment("products"), "price_cents", "products", "625"),
        ] {
            assert!(
                !fits(slot, &found(key, parent), value),
                "{slot:?} {key} {parent}"
            );
        }
    }

    #[test]
    fn tokens_are_told_from_words_and_dates() {
        for token in [
            "3f2b8c1e-9a47-4a0e-8b6e-2f1d7c9a5b10",
            "eyJhbGciOiJI.UzI1NiJ9.abc123",
            "a8f5f167f44f4964e6c998dee827110c",
            "YW5uOnB3aGVsbG8",
        ] {
            assert!(is_strong(token), "{token}");
        }
        for word in [
            "application/json",
            "2026-11-29T23:00:00Z",
            "checkout-summary",
            "ann@example.com",
            "12345678",
            "v1",
            "en-US",
            "https://a/b1234567",
        ] {
            assert!(!is_strong(word), "{word}");
        }
        assert_eq!(
            ["orders", "categories", "boxes", "status", "address", "news"].map(singular),
            ["order", "category", "box", "status", "address", "new"]
        );
    }

    #[test]
    fn variables_have_telling_names() {
        for (key, parent, expected) in [
            ("id", "orders", "order_id"),
            ("token", "login", "token"),
            ("accessToken", "x", "accessToken"),
            ("vu", "", "value_vu"),
            ("csrf-token", "home", "csrf_token"),
            ("9x", "", "value_9x"),
        ] {
            assert_eq!(name(&found(key, parent)), expected);
        }
    }
}
