//! Checks and extraction: looking at a response.
//!
//! A check never holds for want of data: without a response every check on its content fails, also a negated one, and
//! so does one on a body that broke off or is not JSON. A JSON node that is absent fails every test but `not exists`;
//! a header or cookie that is absent is the empty text.

use super::error::Problem;
use super::files::Files;
use super::io::Io;
use super::json::{self, Node};
use super::series::{CheckTags, OwnTags};
use crate::clock::Nanos;
use crate::http::exchange::{HttpExchange, Version};
use floodgate_core::check::{Check, Comparison, Subject, Test};
use floodgate_core::decimal::Decimal;
use floodgate_core::definition::{Extractor, Recorded};
use floodgate_records::metric::Tags;
use jsonschema::Validator;
use serde_json::Value;
use serde_json_path::JsonPath;
use std::borrow::Cow;
use std::sync::Arc;

/// The largest body that is parsed as JSON, in bytes: a parsed document takes many times its length.
const MAX_JSON_BYTES: usize = 16 << 20;
/// The longest value that is extracted, in bytes; each VU keeps its own.
const MAX_VALUE_BYTES: usize = 1 << 20;

/// A check ready to be evaluated.
#[derive(Debug)]
pub(crate) struct CheckPlan {
    pub(crate) look: Look,
    pub(crate) series: CheckTags,
}

/// What is looked at, and what must hold of it.
#[derive(Debug)]
pub(crate) struct Look {
    subject: Subject,
    test: Test,
    /// What a value is to fit.
    schema: Option<Arc<Validator>>,
}

/// An extraction ready to be done.
#[derive(Debug)]
pub(crate) struct ExtractPlan {
    /// The variable's slot.
    pub(crate) slot: u16,
    from: Extractor,
    /// The check that fails if there is nothing to extract.
    pub(crate) missing: CheckTags,
}

/// What is known of a request beside its response.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome<'a> {
    /// The last exchange of a chain of redirects.
    pub(crate) exchange: &'a HttpExchange,
    /// When the first of them was intended to begin.
    pub(crate) intended: Nanos,
    /// What the others set.
    pub(crate) cookies: &'a HopCookies,
}

/// The cookies that redirects set on the way to a response: a login sets its session there. Only those that the step looks at,
/// the last value of each.
#[derive(Debug, Default)]
pub(crate) struct HopCookies(Vec<(String, Vec<u8>)>);

impl HopCookies {
    /// Notes what the last response sets of these names.
    pub(crate) fn take_in<'a, I: Io>(&mut self, names: impl Iterator<Item = &'a str>, io: &I) {
        for name in names {
            if let Some(value) = io.cookie(name) {
                self.0.retain(|(other, _)| other != name);
                self.0.push((name.to_owned(), value.to_vec()));
            }
        }
    }

    /// The value that the response or else a redirect to it set.
    fn get<'a, I: Io>(&'a self, name: &str, io: &'a I) -> Option<&'a [u8]> {
        let hop = || self.0.iter().find(|(other, _)| other == name);
        io.cookie(name)
            .or_else(|| hop().map(|(_, value)| value.as_slice()))
    }
}

impl CheckPlan {
    pub(crate) fn compile(check: &Check, tags: &Tags, files: &Files) -> Result<Self, Problem> {
        Ok(Self {
            look: Look::compile(check, files)?,
            series: CheckTags::new(tags.clone().with("check", &check.name)),
        })
    }
}

impl Look {
    pub(crate) fn compile(check: &Check, files: &Files) -> Result<Self, Problem> {
        let test = match &check.test {
            // A literal's regex searches with SIMD, which no search for bytes in std does.
            Test::Contains { negated, value } => Test::Matches {
                negated: *negated,
                regex: regex::bytes::RegexBuilder::new(&regex::escape(value))
                    .build()
                    .map_err(|_| Problem::TextTooLong(check.name.clone()))?,
            },
            test => test.clone(),
        };
        Ok(Self {
            subject: check.subject.clone(),
            schema: match check.file() {
                Some(file) => Some(files.schema(file)?),
                None => None,
            },
            test,
        })
    }

    /// The cookie that it looks at.
    pub(crate) fn cookie(&self) -> Option<&str> {
        match &self.subject {
            Subject::Cookie(name) => Some(name),
            _ => None,
        }
    }

    /// Whether a header or cookie has to be kept for it.
    pub(crate) fn needs_headers(&self) -> bool {
        matches!(self.subject, Subject::Header(_) | Subject::Cookie(_))
    }

    /// Whether the body has to be kept for it. The length of a body that comes compressed is known only once it has
    /// been decompressed.
    pub(crate) fn needs_body(&self, compressed: bool) -> bool {
        self.subject.needs_body() || (compressed && matches!(self.subject, Subject::Size))
    }

    /// Whether it holds of a variable's value; the empty one is absent.
    pub(crate) fn holds_of(&self, value: &str) -> bool {
        let number = || Decimal::parse(value.trim());
        match &self.test {
            // As of a JSON node: what is no number is another than each.
            Test::Decimal(Comparison::Ne, right) => number().is_none_or(|left| left != *right),
            test => text(
                test,
                Some(value.as_bytes()).filter(|value| !value.is_empty()),
            ),
        }
    }

    /// Whether it holds.
    #[inline]
    pub(crate) fn holds<I: Io>(&self, outcome: Outcome<'_>, io: &I, json: &mut JsonBody) -> bool {
        let exchange = outcome.exchange;
        match &self.subject {
            Subject::Status => number(&self.test, f64::from(exchange.status)),
            Subject::Duration => number(&self.test, exchange.timings.duration() as f64 / 1_000.0),
            Subject::ResponseTime => number(
                &self.test,
                exchange.timings.end.saturating_sub(outcome.intended) as f64 / 1_000.0,
            ),
            content => self.content_holds(content, outcome, io, json),
        }
    }

    fn fits(&self, value: &Value) -> bool {
        let schema = self.schema.as_ref();
        schema.is_some_and(|schema| schema.is_valid(value))
    }

    fn content_holds<I: Io>(
        &self,
        subject: &Subject,
        outcome: Outcome<'_>,
        io: &I,
        json: &mut JsonBody,
    ) -> bool {
        let exchange = outcome.exchange;
        let whole = exchange.status != 0 && exchange.error.is_none();
        match subject {
            Subject::Size => whole && number(&self.test, io.size() as f64),
            Subject::Body if self.schema.is_some() => {
                whole
                    && json
                        .get(io.body())
                        .is_some_and(|document| self.fits(document))
            }
            Subject::Body => {
                whole && text(&self.test, Some(io.body()).filter(|body| !body.is_empty()))
            }
            Subject::JsonPath(path) => {
                whole
                    && json.get(io.body()).is_some_and(|document| {
                        if self.schema.is_some() {
                            let node = Node::first(document, io.body(), path);
                            return node.is_some_and(|node| self.fits(node.value));
                        }
                        node(&self.test, Node::first(document, io.body(), path))
                    })
            }
            Subject::Header(name) => exchange.status != 0 && text(&self.test, io.header(name)),
            Subject::Cookie(name) => {
                exchange.status != 0 && text(&self.test, outcome.cookies.get(name, io))
            }
            Subject::Protocol => {
                let name: &[u8] = match exchange.version {
                    Version::Http1 => b"HTTP/1.1",
                    Version::Http2 => b"HTTP/2",
                };
                exchange.status != 0 && text(&self.test, Some(name))
            }
            Subject::Status | Subject::Duration | Subject::ResponseTime => {
                unreachable!("these are numbers, which `holds` looks at itself")
            }
            // A value is no content: see `holds_of`.
            Subject::Value(_) => false,
        }
    }
}

/// A metric of the test's own that a response has a value of.
#[derive(Debug)]
pub(crate) struct RecordPlan {
    /// Where the value comes from; its slot means nothing.
    pub(crate) from: ExtractPlan,
    pub(crate) series: OwnTags,
}

impl RecordPlan {
    pub(crate) fn new(recorded: &Recorded, tags: &Tags) -> Self {
        let (metric, kind) = (&recorded.metric, recorded.kind);
        Self {
            from: ExtractPlan::of(&format!("record {metric}"), 0, &recorded.from, tags),
            series: OwnTags::new(metric, kind, tags.clone()),
        }
    }
}

/// A number, or 1 for `true` and 0 for `false`.
pub(crate) fn measured(text: &str) -> Option<f64> {
    match text.trim() {
        "true" => Some(1.0),
        "false" => Some(0.0),
        number => number
            .parse()
            .ok()
            .filter(|number: &f64| number.is_finite()),
    }
}

impl ExtractPlan {
    pub(crate) fn new(name: &str, slot: u16, from: &Extractor, tags: &Tags) -> Self {
        Self::of(&format!("extract {name}"), slot, from, tags)
    }

    /// `check` is the name of the check that fails if there is nothing.
    fn of(check: &str, slot: u16, from: &Extractor, tags: &Tags) -> Self {
        let missing = CheckTags::new(tags.clone().with("check", check));
        Self {
            slot,
            from: from.clone(),
            missing,
        }
    }

    /// The cookie that it takes.
    pub(crate) fn cookie(&self) -> Option<&str> {
        match &self.from {
            Extractor::Cookie(name) => Some(name),
            _ => None,
        }
    }

    pub(crate) fn needs_headers(&self) -> bool {
        matches!(self.from, Extractor::Header(_) | Extractor::Cookie(_))
    }

    pub(crate) fn needs_body(&self) -> bool {
        matches!(self.from, Extractor::JsonPath(_) | Extractor::Regex(_))
    }

    /// The value; `None` if the response has none, or one that is longer than [`MAX_VALUE_BYTES`].
    pub(crate) fn value<'a, I: Io>(
        &self,
        exchange: &HttpExchange,
        cookies: &'a HopCookies,
        io: &'a I,
        json: &'a mut JsonBody,
    ) -> Option<Cow<'a, str>> {
        if exchange.status == 0 || (self.needs_body() && exchange.error.is_some()) {
            return None;
        }
        let value = match &self.from {
            Extractor::JsonPath(path) => {
                Node::first(json.get(io.body())?, io.body(), path)?.shown()
            }
            Extractor::Regex(regex) => group(regex, String::from_utf8_lossy(io.body()))?,
            Extractor::Header(name) => String::from_utf8_lossy(io.header(name)?),
            Extractor::Cookie(name) => String::from_utf8_lossy(cookies.get(name, io)?),
        };
        (value.len() <= MAX_VALUE_BYTES).then_some(value)
    }
}

fn group<'a>(regex: &regex::Regex, body: Cow<'a, str>) -> Option<Cow<'a, str>> {
    let found = regex.captures(&body)?;
    // A group that took no part in the match counts as absent, not as the whole match.
    let range = if regex.captures_len() > 1 {
        found.get(1)?
    } else {
        found.get(0)?
    }
    .range();
    drop(found);
    Some(match body {
        Cow::Borrowed(body) => Cow::Borrowed(&body[range]),
        Cow::Owned(body) => Cow::Owned(body[range].to_owned()),
    })
}

/// A body parsed at most once, when something first looks into it.
#[derive(Debug, Default)]
pub(crate) enum JsonBody {
    #[default]
    Unread,
    Invalid,
    Parsed(Value),
}

impl JsonBody {
    /// The document; `None` if the body is not JSON, nested deeper than 128 levels or longer than [`MAX_JSON_BYTES`].
    fn get(&mut self, body: &[u8]) -> Option<&Value> {
        if matches!(self, Self::Unread) {
            let parsed = if body.len() <= MAX_JSON_BYTES {
                json::parse(body).ok()
            } else {
                None
            };
            *self = parsed.map_or(Self::Invalid, Self::Parsed);
        }
        match self {
            Self::Parsed(value) => Some(value),
            _ => None,
        }
    }

    /// The nodes that a path selects, at most so many, each as text if it is a string, else as JSON. Together they are not longer
    /// than the longest document.
    pub(crate) fn nodes(&mut self, body: &[u8], path: &JsonPath, most: usize) -> Vec<String> {
        let Some(document) = self.get(body) else {
            return Vec::new();
        };
        let mut room = MAX_JSON_BYTES;
        json::all(document, body, path)
            .take(most)
            .map_while(|text| {
                room = room.checked_sub(text.len())?;
                Some(text.into_owned())
            })
            .collect()
    }
}

#[inline]
fn number(test: &Test, value: f64) -> bool {
    match test {
        Test::Number(comparison, right) => comparison.holds(value, *right),
        Test::InRange(low, high) => (*low..=*high).contains(&value),
        Test::Exists { negated } => (value != 0.0) != *negated,
        other => text(other, Some(value.to_string().as_bytes())),
    }
}

fn text(test: &Test, value: Option<&[u8]>) -> bool {
    let bytes = value.unwrap_or_default();
    let parsed = || {
        std::str::from_utf8(bytes)
            .ok()
            .and_then(|text| text.trim().parse::<f64>().ok())
    };
    let exact = || Decimal::parse(std::str::from_utf8(bytes).ok()?.trim());
    match test {
        Test::Number(comparison, right) => {
            parsed().is_some_and(|left| comparison.holds(left, *right))
        }
        Test::InRange(low, high) => parsed().is_some_and(|left| (*low..=*high).contains(&left)),
        Test::Decimal(comparison, right) => {
            exact().is_some_and(|left| comparison.accepts(left.cmp(right)))
        }
        Test::Between(low, high) => exact().is_some_and(|left| (low..=high).contains(&&left)),
        Test::Text { equal, value } => (bytes == value.as_bytes()) == *equal,
        Test::Json { equal, value } => (bytes == value.to_string().as_bytes()) == *equal,
        Test::Contains { negated, value } => {
            let found = value.is_empty()
                || bytes
                    .windows(value.len())
                    .any(|window| window == value.as_bytes());
            found != *negated
        }
        Test::Matches { negated, regex } => regex.is_match(bytes) != *negated,
        Test::Exists { negated } => value.is_some() != *negated,
        // A document fits, a text does not: see `Look::fits`.
        Test::Fits { .. } => false,
    }
}

fn node(test: &Test, node: Option<Node<'_, '_>>) -> bool {
    let Some(node) = node else {
        return matches!(test, Test::Exists { negated: true });
    };
    let value = node.value;
    match test {
        Test::Exists { negated } => !*negated,
        Test::Decimal(comparison, right) => {
            node.number().map_or(*comparison == Comparison::Ne, |left| {
                comparison.accepts(left.cmp(right))
            })
        }
        Test::Between(low, high) => node
            .number()
            .is_some_and(|left| (low..=high).contains(&&left)),
        Test::Text {
            equal,
            value: right,
        } => (value.as_str() == Some(right)) == *equal,
        Test::Json {
            equal,
            value: right,
        } => (value == right) == *equal,
        Test::Contains { .. } | Test::Matches { .. } => text(test, Some(node.shown().as_bytes())),
        // Tests of what is measured, and of what `Look::fits` looks at.
        Test::Number(..) | Test::InRange(..) | Test::Fits { .. } => false,
    }
}
