//! Checks of a response: `status == 200`, `duration < 800ms`, `body contains "Welcome"`, `$.state == "open"`.

mod parse;

pub(crate) use parse::last_line;
pub use parse::{MAX_CHECK, parse_json_path};

use crate::decimal::Decimal;
use crate::template::Variable;
use serde_json_path::JsonPath;
use std::cmp::Ordering;

/// One check: `subject op value`.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// The text in the definition; also the tag `check`.
    pub name: String,
    /// What is looked at.
    pub subject: Subject,
    /// What must hold.
    pub test: Test,
}

/// What a check looks at.
#[derive(Clone, Debug)]
pub enum Subject {
    /// The status code; 0 without a response.
    Status,
    /// The service time; values are µs.
    Duration,
    /// The response time; values are µs.
    ResponseTime,
    /// The body's length in bytes, after decompression.
    Size,
    /// The body as text.
    Body,
    /// A header's value, by its case-insensitive name; absent is the empty text, and `exists` is false.
    Header(String),
    /// A cookie that the response sets.
    Cookie(String),
    /// The nodes that a JSONPath (RFC 9535) selects in the body; comparisons look at the first one.
    JsonPath(JsonPath),
    /// `HTTP/1.1` or `HTTP/2`.
    Protocol,
    /// What a variable stands for, whatever the response is; in conditions only.
    Value(Variable),
}

impl Subject {
    /// Whether the body has to be kept for it.
    pub fn needs_body(&self) -> bool {
        matches!(self, Self::Body | Self::JsonPath(_))
    }
}

impl Check {
    /// The file that it compares with.
    pub fn file(&self) -> Option<&str> {
        match &self.test {
            Test::Fits { file } => Some(file),
            _ => None,
        }
    }
}

impl PartialEq for Subject {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Header(a), Self::Header(b)) | (Self::Cookie(a), Self::Cookie(b)) => a == b,
            (Self::JsonPath(a), Self::JsonPath(b)) => a.to_string() == b.to_string(),
            (Self::Value(a), Self::Value(b)) => a == b,
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

/// What must hold of the subject.
#[derive(Clone, Debug)]
pub enum Test {
    /// A comparison of what is measured (`status`, `duration`, `size`).
    Number(Comparison, f64),
    /// A comparison with a JSON number, exact whatever its length.
    Decimal(Comparison, Decimal),
    /// `== "text"` or `!= "text"`.
    Text {
        /// Whether they must be equal.
        equal: bool,
        /// With what.
        value: String,
    },
    /// `== true`, `== null` and their negations on a JSONPath.
    Json {
        /// Whether they must be equal.
        equal: bool,
        /// With what.
        value: serde_json::Value,
    },
    /// `contains "text"` (`not contains`).
    Contains {
        /// Whether it must be absent.
        negated: bool,
        /// The text.
        value: String,
    },
    /// `matches /regex/` (`not matches`).
    Matches {
        /// Whether it must not match.
        negated: bool,
        /// The expression.
        regex: regex::bytes::Regex,
    },
    /// `fits schema.json`: a JSON value that a JSON Schema describes.
    Fits {
        /// The schema's path, relative to the definition.
        file: String,
    },
    /// `exists` (`not exists`).
    Exists {
        /// Whether it must be absent.
        negated: bool,
    },
    /// `in 200..299` (inclusive), of what is measured.
    InRange(f64, f64),
    /// `in 1.10..2` (inclusive), of JSON numbers.
    Between(Decimal, Decimal),
}

impl PartialEq for Test {
    fn eq(&self, other: &Self) -> bool {
        format!("{self:?}") == format!("{other:?}")
    }
}

/// Operators on numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `==` and `===`
    Eq,
    /// `!=`
    Ne,
}

impl Comparison {
    /// Whether it holds of two values that are in this order.
    pub fn accepts(self, order: Ordering) -> bool {
        match self {
            Self::Lt => order.is_lt(),
            Self::Le => order.is_le(),
            Self::Gt => order.is_gt(),
            Self::Ge => order.is_ge(),
            Self::Eq => order.is_eq(),
            Self::Ne => order.is_ne(),
        }
    }

    /// Whether `left op right`.
    pub fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Lt => left < right,
            Self::Le => left <= right,
            Self::Gt => left > right,
            Self::Ge => left >= right,
            Self::Eq => left == right,
            Self::Ne => left != right,
        }
    }
}
