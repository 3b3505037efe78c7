//! What an iteration does: steps, requests, bodies and what is taken from answers.

mod control;

pub use control::*;

use super::retry::Retry;
use crate::check::Check;
use crate::template::Template;
use floodgate_records::metric::MetricKind;
use floodgate_records::words;
use std::collections::BTreeMap;
use std::time::Duration;

/// One step of a flow.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// An HTTP request.
    Request(Box<RequestStep>),
    /// Think time: uniformly distributed between the two.
    Think {
        /// Shortest.
        min: Duration,
        /// Longest; equal to `min` for a fixed time.
        max: Duration,
    },
    /// Steps under the tag `group` (nested groups join with `::`, and lead with it, as in k6).
    Group {
        /// The group's own name.
        name: String,
        /// Its steps.
        steps: Vec<Step>,
    },
    /// Variables of the iteration.
    Set(Vec<(String, Template)>),
    /// Steps that are done again and again.
    Repeat(Box<Repeat>),
    /// Steps that depend on a condition.
    If(Box<Branch>),
    /// One of several ways, by weight: a function of the iteration's number alone.
    Choose(Vec<Way>),
    /// Steps for each node of the last response's body.
    Each(Box<Each>),
    /// Ends the iteration, which is complete.
    Stop,
}

/// A request of the native engine.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestStep {
    /// Upper-case method token.
    pub method: String,
    /// Absolute URL, or path joined to the target.
    pub url: Template,
    /// The tag `name`; defaults to `url` as written in the definition (before templates are filled in), so that
    /// a variable never makes new series.
    pub name: String,
    /// Query parameters to add, percent-encoded when sent.
    pub params: Vec<(String, Template)>,
    /// Headers on top of those of [`HttpOptions`](super::HttpOptions); a name given twice is sent twice.
    pub headers: Vec<(String, Template)>,
    /// What is sent.
    pub body: Body,
    /// Instead of the scenario's.
    pub auth: Option<Auth>,
    /// Instead of the scenario's.
    pub timeout: Option<Duration>,
    /// Instead of the scenario's.
    pub max_redirects: Option<u32>,
    /// Which statuses are expected (for `http_req_failed` and `expected_response`); empty: 200–399, as in k6.
    pub expected_statuses: Vec<(u16, u16)>,
    /// Further tags.
    pub tags: BTreeMap<String, String>,
    /// Checks in order.
    pub checks: Vec<Check>,
    /// Variables to take out of the response.
    pub extract: Vec<(String, Extractor)>,
    /// What follows where there is nothing to take.
    pub on_missing: OnMissing,
    /// When it is made again.
    pub retry: Option<Retry>,
    /// Metrics of the test's own that the response has values of.
    pub record: Vec<Recorded>,
}

/// A value of a response that is measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// The metric's name.
    pub metric: String,
    /// Its type.
    pub kind: MetricKind,
    /// Where its value comes from.
    pub from: Extractor,
}

words! {
    /// What follows an extraction that finds nothing.
    pub OnMissing {
        /// The iteration ends: a request made of an empty variable would be another one than the test means.
        End = "end",
        /// The next step, with the variable empty.
        Continue = "continue",
    }
}

/// A request body.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// None.
    Empty,
    /// Text, sent as it is (`text/plain; charset=utf-8` unless a header says otherwise).
    Text(Template),
    /// JSON text with templates in its strings; a string that is one template alone, `"${vu}"`, is replaced by a JSON
    /// value: a number if the variable is numeric, otherwise a string.
    Json(JsonTemplate),
    /// `application/x-www-form-urlencoded`.
    Form(Vec<(String, Template)>),
    /// A file's bytes, its path relative to the definition.
    File {
        /// The path.
        path: String,
        /// `application/octet-stream` unless given.
        content_type: Option<String>,
    },
    /// `multipart/form-data`.
    Multipart(Vec<Part>),
}

/// JSON with templates in its strings.
#[derive(Clone, Debug, PartialEq)]
pub enum JsonTemplate {
    /// null, a boolean, or a string without a template.
    Literal(serde_json::Value),
    /// A number, in the digits of the definition (RFC 8259 §6): no reader's 64 bits round it.
    Number(String),
    /// A string with a template in it.
    String(Template),
    /// An array.
    Array(Vec<JsonTemplate>),
    /// An object in the order of the file.
    Object(Vec<(String, JsonTemplate)>),
}

/// A part of a multipart body.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// The field's name.
    pub name: String,
    /// The content.
    pub content: PartContent,
    /// The part's type, if given.
    pub content_type: Option<String>,
}

/// What a part holds.
#[derive(Clone, Debug, PartialEq)]
pub enum PartContent {
    /// A value.
    Text(Template),
    /// A file, its path relative to the definition, sent under `file_name`.
    File {
        /// The path.
        path: String,
        /// The name that is sent (default: the path's last component).
        file_name: String,
    },
}

/// Where a variable comes from.
#[derive(Clone, Debug)]
pub enum Extractor {
    /// The first node of a JSONPath (RFC 9535) as text if it is a string, else as JSON.
    JsonPath(serde_json_path::JsonPath),
    /// The first group of a regular expression in the body, or the whole match.
    Regex(regex::Regex),
    /// A response header, by its case-insensitive name.
    Header(String),
    /// A cookie that the response sets.
    Cookie(String),
}

impl PartialEq for Extractor {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::JsonPath(a), Self::JsonPath(b)) => a.to_string() == b.to_string(),
            (Self::Regex(a), Self::Regex(b)) => a.as_str() == b.as_str(),
            (Self::Header(a), Self::Header(b)) | (Self::Cookie(a), Self::Cookie(b)) => a == b,
            _ => false,
        }
    }
}

/// Credentials sent with each request.
#[derive(Clone, Debug, PartialEq)]
pub enum Auth {
    /// RFC 7617.
    Basic {
        /// User.
        username: Template,
        /// Password.
        password: Template,
    },
    /// By challenge, RFC 7616.
    Digest {
        /// User.
        username: Template,
        /// Password.
        password: Template,
    },
    /// RFC 6750.
    Bearer(Template),
}
