//! The tree of a definition: values with their places, before anything is known about what they mean.

use super::fault::Issue;
use super::place::{Mark, Path};
use crate::decimal::{is_json_number, to_json_number};
use crate::syntax::SyntaxError;
use crate::template::{Given, Token, tokens};
use floodgate_records::printable::quoted;
use serde_json::Value;
use std::borrow::Cow;

/// A value with its place.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) mark: Mark,
    pub(super) path: Path,
    pub(super) kind: Kind,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key with its value.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_mark: Mark,
    pub(super) value: Node,
}

/// A scalar.
#[derive(Clone, Debug)]
pub(super) struct Scalar {
    /// The text as it is written, without YAML's quotes and escapes.
    pub(super) raw: String,
    /// Whether it stands without quotes, so that `5` is a number.
    pub(super) plain: bool,
    /// What became of the `${…}` in it.
    pub(super) content: Content,
}

#[derive(Clone, Debug)]
pub(super) enum Content {
    /// There are none.
    AsWritten,
    /// References are resolved, templates are left.
    Pieces(Vec<Piece>),
    /// They are malformed; that has been reported.
    Broken,
}

#[derive(Clone, Debug)]
pub(super) enum Piece {
    /// Text of the definition, `$${` already undone.
    Literal(String),
    /// What a reference gave; never read as a template again.
    Resolved {
        text: String,
        secret: bool,
        /// What it is where a JSON value stands.
        plain: Plain,
    },
    /// A reference as it is written: what it gives is known only where the test runs. It is of the type that its place wants.
    Open { written: String, secret: bool },
    /// A template's expression, at which byte of the raw text it stands, and what references among its arguments give.
    Expression {
        at: usize,
        text: String,
        given: Vec<Given>,
    },
}

/// What a plain scalar is in YAML 1.2's core schema (<https://yaml.org/spec/1.2.2/#103-core-schema>).
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Core {
    Null,
    Boolean(bool),
    Integer(i128),
    Float(f64),
    /// A number past what 128 bits, or a float, can hold.
    Huge,
    /// An infinity, or not a number.
    Unusable,
    Text,
}

impl Core {
    pub(super) fn of(text: &str) -> Self {
        match text {
            "" | "~" | "null" | "Null" | "NULL" => return Self::Null,
            "true" | "True" | "TRUE" => return Self::Boolean(true),
            "false" | "False" | "FALSE" => return Self::Boolean(false),
            ".nan" | ".NaN" | ".NAN" => return Self::Unusable,
            _ => {}
        }
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
            return Self::Unusable;
        }
        let radix = |digits: &str, radix| {
            i128::from_str_radix(digits, radix).map_or(Self::Huge, Self::Integer)
        };
        let all = |digits: &str, valid: fn(&u8) -> bool| {
            !digits.is_empty() && digits.as_bytes().iter().all(valid)
        };
        if let Some(digits) = text
            .strip_prefix("0x")
            .filter(|digits| all(digits, u8::is_ascii_hexdigit))
        {
            return radix(digits, 16);
        }
        if let Some(digits) = text
            .strip_prefix("0o")
            .filter(|digits| all(digits, |b| (b'0'..=b'7').contains(b)))
        {
            return radix(digits, 8);
        }
        if all(unsigned, u8::is_ascii_digit) {
            return radix(text, 10);
        }
        let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        let is_float = digits(whole)
            && digits(fraction)
            && whole.len() + fraction.len() > 0
            && !exponent.is_empty()
            && digits(exponent);
        match text.parse::<f64>() {
            Ok(number) if is_float && number.is_finite() => Self::Float(number),
            Ok(_) if is_float => Self::Huge,
            _ => Self::Text,
        }
    }
}

/// What a plain scalar is as JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Plain {
    Null,
    Boolean(bool),
    /// The digits as they are written.
    Number(String),
    /// Text, and what only YAML takes for a number: `007`, `.inf`.
    Text,
}

/// How [`Node::to_json`] writes a number that a reader of JSON could give back in other digits: `"${number:1.10}"` is the
/// plain `1.10`.
const NUMBER: &str = "${number:";

/// The plain scalar that a text stands for.
pub(super) fn number_reference(text: &str) -> Option<&str> {
    let digits = text.strip_prefix(NUMBER)?.strip_suffix('}')?;
    Core::of(digits).is_number().then_some(digits)
}

impl Core {
    /// Whether it is a number of any kind.
    pub(super) const fn is_number(&self) -> bool {
        matches!(self, Self::Integer(_) | Self::Float(_) | Self::Huge)
    }
}

impl Scalar {
    /// What it is without regard to references.
    pub(super) fn core(&self) -> Core {
        if self.plain && matches!(self.content, Content::AsWritten) {
            Core::of(&self.raw)
        } else {
            Core::Text
        }
    }

    /// The text with references resolved, and open ones as they are written; `None` if templates are left in it, or it is
    /// broken.
    pub(super) fn text(&self) -> Option<Cow<'_, str>> {
        match &self.content {
            Content::AsWritten => Some(Cow::Borrowed(&self.raw)),
            Content::Broken => None,
            Content::Pieces(pieces) => pieces
                .iter()
                .map(|piece| match piece {
                    Piece::Literal(text)
                    | Piece::Resolved { text, .. }
                    | Piece::Open { written: text, .. } => Some(text.as_str()),
                    Piece::Expression { .. } => None,
                })
                .collect::<Option<String>>()
                .map(Cow::Owned),
        }
    }

    fn has(&self, is: impl Fn(&Piece) -> bool) -> bool {
        matches!(&self.content, Content::Pieces(pieces) if pieces.iter().any(is))
    }

    /// Whether something in it was resolved, so that a number may stand in quotes.
    pub(super) fn is_resolved(&self) -> bool {
        self.has(|piece| matches!(piece, Piece::Resolved { .. }))
    }

    /// Whether something in it is known only where the test runs.
    pub(super) fn is_open(&self) -> bool {
        self.has(|piece| match piece {
            Piece::Expression { given, .. } => given.iter().any(|given| given.text.is_none()),
            piece => matches!(piece, Piece::Open { .. }),
        })
    }

    /// Whether a secret stands in it.
    pub(super) fn is_secret(&self) -> bool {
        self.has(|piece| match piece {
            Piece::Resolved { secret, .. } | Piece::Open { secret, .. } => *secret,
            Piece::Expression { given, .. } => given.iter().any(|given| given.secret),
            Piece::Literal(_) => false,
        })
    }

    /// The text for reports: references resolved, but secrets, and parameters that hold one, as they are written. `None` if
    /// it is broken.
    pub(super) fn disclosed(&self) -> Option<String> {
        let pieces = match &self.content {
            Content::AsWritten => return Some(self.raw.clone()),
            Content::Broken => return None,
            Content::Pieces(pieces) => pieces,
        };
        // Pieces were made of these very tokens, one of each.
        let tokens = tokens(&self.raw).ok()?;
        let shown = pieces.iter().zip(tokens).map(|piece| match piece {
            (
                Piece::Resolved {
                    text,
                    secret: false,
                    ..
                }
                | Piece::Literal(text),
                _,
            ) => text.clone(),
            (_, Token::Literal(text)) => text.to_owned(),
            (_, Token::Expression { text, .. }) => format!("${{{text}}}"),
        });
        Some(shown.collect())
    }

    /// What a message shows: the text as written, and what it became unless it holds a secret.
    pub(super) fn shown(&self) -> String {
        let written = quoted(&self.raw);
        match self.text() {
            Some(text) if self.is_resolved() && !self.is_secret() && !self.is_open() => {
                format!("{written} (resolved to {})", quoted(&text))
            }
            _ if self.plain && self.core() != Core::Text => self.raw.chars().take(60).collect(),
            _ => written,
        }
    }

    /// Whether a value of YAML stands there that is not text, such as `null`.
    pub(super) fn is_null(&self) -> bool {
        self.core() == Core::Null
    }
}

impl Entry {
    /// A fault within the key's text.
    pub(super) fn key_syntax(&self, error: SyntaxError) -> Issue {
        let mark = self.key_mark.part(&self.key, error.at);
        Issue::syntax(mark, &self.value.path, error)
    }

    /// A fault of the key.
    pub(super) fn key_issue(&self, problem: impl Into<String>) -> Issue {
        Issue::new(self.key_mark, &self.value.path, problem)
    }
}

impl Node {
    pub(super) fn scalar(&self) -> Option<&Scalar> {
        match &self.kind {
            Kind::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    pub(super) fn items(&self) -> &[Self] {
        match &self.kind {
            Kind::List(items) => items,
            _ => &[],
        }
    }

    pub(super) fn entries(&self) -> &[Entry] {
        match &self.kind {
            Kind::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The value of a key, if this is a map that has it.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        self.entries()
            .iter()
            .find(|entry| entry.key == key)
            .map(|entry| &entry.value)
    }

    /// The entry of a key.
    pub(super) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    /// The text of a scalar with references resolved.
    pub(super) fn text(&self) -> Option<Cow<'_, str>> {
        self.scalar().and_then(Scalar::text)
    }

    /// The text of a scalar that is known here.
    pub(super) fn known(&self) -> Option<Cow<'_, str>> {
        self.text().filter(|_| !self.is_open())
    }

    /// The text of a scalar, references resolved, open ones as they are written.
    pub(super) fn string(&self) -> Option<String> {
        self.text().map(Cow::into_owned)
    }

    /// The value, or each of a list.
    pub(super) fn one_or_more(&self) -> &[Self] {
        match self.kind {
            Kind::Scalar(_) => std::slice::from_ref(self),
            _ => self.items(),
        }
    }

    /// Whether the value is known only where the test runs.
    pub(super) fn is_open(&self) -> bool {
        self.scalar().is_some_and(Scalar::is_open)
    }

    /// A fault of this value.
    pub(super) fn issue(&self, problem: impl Into<String>) -> Issue {
        Issue::new(self.mark, &self.path, problem)
    }

    /// A fault within a scalar's text: the place is exact where the text stands in the file letter by letter.
    pub(super) fn syntax(&self, error: SyntaxError) -> Issue {
        let mark = self
            .scalar()
            .map_or(self.mark, |scalar| self.mark.part(&scalar.raw, error.at));
        Issue::syntax(mark, &self.path, error)
    }

    /// What it is, for messages.
    pub(super) fn shown(&self) -> String {
        match &self.kind {
            Kind::Scalar(scalar) if scalar.is_null() => "empty".to_owned(),
            Kind::Scalar(scalar) => scalar.shown(),
            Kind::List(items) => format!("a list of {}", items.len()),
            Kind::Map(_) => "a map".to_owned(),
        }
    }

    /// Writes each node's path into it.
    pub(super) fn label(&mut self, path: Path) {
        self.path = path;
        match &mut self.kind {
            Kind::Scalar(_) => {}
            Kind::List(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    item.label(self.path.index(index));
                }
            }
            Kind::Map(entries) => {
                for entry in entries {
                    entry.value.label(self.path.key(&entry.key));
                }
            }
        }
    }

    /// The tree as JSON with references unresolved: the same for all ways to write the same.
    pub(super) fn to_json(&self) -> Value {
        match &self.kind {
            Kind::Scalar(scalar) => scalar_json(scalar),
            Kind::List(items) => Value::Array(items.iter().map(Self::to_json).collect()),
            Kind::Map(entries) => Value::Object(
                entries
                    .iter()
                    .map(|entry| (entry.key.clone(), entry.value.to_json()))
                    .collect(),
            ),
        }
    }
}

/// A scalar as JSON, references unresolved.
fn scalar_json(scalar: &Scalar) -> Value {
    match plain(scalar) {
        Plain::Null => Value::Null,
        Plain::Boolean(value) => Value::Bool(value),
        Plain::Number(_) | Plain::Text if plain_core(scalar).is_number() => {
            let number = is_json_number(&scalar.raw)
                .then(|| scalar.raw.parse::<serde_json::Number>().ok())
                .flatten()
                .filter(|number| number.to_string() == scalar.raw);
            number.map_or_else(
                || Value::String(format!("{NUMBER}{}}}", scalar.raw)),
                Value::Number,
            )
        }
        Plain::Number(_) | Plain::Text => Value::String(scalar.raw.clone()),
    }
}

fn plain_core(scalar: &Scalar) -> Core {
    if scalar.plain && !scalar.raw.contains("${") {
        Core::of(&scalar.raw)
    } else {
        Core::Text
    }
}

/// What a scalar is as JSON, references aside.
pub(super) fn plain(scalar: &Scalar) -> Plain {
    match plain_core(scalar) {
        Core::Null => Plain::Null,
        Core::Boolean(value) => Plain::Boolean(value),
        Core::Integer(value) if scalar.raw.starts_with("0x") || scalar.raw.starts_with("0o") => {
            Plain::Number(value.to_string())
        }
        Core::Integer(_) | Core::Float(_) | Core::Huge => {
            to_json_number(&scalar.raw).map_or(Plain::Text, Plain::Number)
        }
        Core::Unusable | Core::Text => Plain::Text,
    }
}
