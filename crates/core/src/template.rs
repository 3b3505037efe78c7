//! Templates: text with `${…}` in it, parsed once and rendered for each request.
//!
//! `${vu}`, `${iteration}`, `${scenario}`, `${task}`, `${data.column}`, `${NAME}` (a variable that a step set or
//! extracted), and the functions `${uuid()}`, `${now()}` (Unix milliseconds), `${isoNow()}`, `${randomInt(1,6)}`, `${randomString(8)}`,
//! `${dateAdd(1d)}`, and those of texts: `${base64(NAME)}`, `${sha256(NAME)}`, `${hmacSha256(secret:KEY, NAME)}`, `${jsonEscape(NAME)}`,
//! `${randomOf("a", "b")}`.
//! `$${` is a literal `${`. `${env:NAME}`, `${secret:NAME}` and `${param:NAME}` are resolved while the definition is
//! read and never reach this type.

mod parse;

pub(crate) use parse::call::{Given, References, references_of};
pub use parse::{BUILTINS, FUNCTIONS, MAX_RANDOM_STRING, is_name};
pub(crate) use parse::{Builder, REFERENCES, Token, expression, expression_with, tokens};

/// Text with variables in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// Its parts in order; adjacent literals are joined, and an empty template has none.
    pub parts: Vec<Part>,
    /// The text in the definition, for names and messages.
    pub source: String,
}

/// A part of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Text as it is.
    Literal(String),
    /// Something that is filled in.
    Variable(Variable),
}

/// What is filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Variable {
    /// The VU's number in its scenario, from 1, global over all tasks.
    Vu,
    /// The iteration's number in its scenario, from 0, global over all tasks.
    Iteration,
    /// The scenario's name.
    Scenario,
    /// The task's number, from 0.
    Task,
    /// A column of the iteration's row of a data source.
    Data {
        /// The data source's name.
        source: String,
        /// The column.
        column: String,
    },
    /// What a step set or extracted.
    Local(String),
    /// A reference as it is written, whose value is known only where the test runs: nothing can be sent with it.
    Open(String),
    /// A random UUID (version 4).
    Uuid,
    /// Unix time in milliseconds.
    Now,
    /// UTC time in RFC 3339 with milliseconds.
    IsoNow,
    /// A uniformly distributed integer, both ends included.
    RandomInt(i64, i64),
    /// So many characters of `[A-Za-z0-9]`.
    RandomString(u32),
    /// UTC time, so many milliseconds from now.
    DateAdd {
        /// Milliseconds; negative for a time in the past.
        ms: i64,
        /// How it is written, as chrono's `strftime` has it; RFC 3339 with milliseconds unless given.
        format: Option<String>,
    },
    /// What a function makes of texts.
    Call(Box<Call>),
}

/// A function with its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Which.
    pub function: Function,
    /// Its arguments, as many as it takes.
    pub arguments: Vec<Template>,
    /// Whether a secret is among them, so that samples leave out what it gives.
    pub secret: bool,
}

/// A function of texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// Base64 of the UTF-8 of a text, with padding (RFC 4648 §4).
    Base64,
    /// SHA-256 of a text (FIPS 180-4).
    Sha256(Digits),
    /// HMAC-SHA-256 with a key, the first argument, of a text, the second (RFC 2104).
    HmacSha256(Digits),
    /// A text as it stands within the quotes of a JSON string (RFC 8259 §7).
    JsonEscape,
    /// One of the arguments, each as likely.
    RandomOf,
}

/// How the bytes of a hash are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Digits {
    /// In lower case.
    Hex,
    /// With padding.
    Base64,
}

impl Template {
    /// A template without variables.
    pub fn literal(text: impl Into<String>) -> Self {
        let source = text.into();
        let parts = if source.is_empty() {
            Vec::new()
        } else {
            vec![Part::Literal(source.clone())]
        };
        Self { parts, source }
    }

    /// The text, if there is nothing to fill in.
    pub fn as_literal(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Literal(text)] => Some(text),
            _ => None,
        }
    }
}
