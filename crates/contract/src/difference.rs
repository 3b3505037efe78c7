//! How a response differs from a document, in words.

use floodgate_core::execution::redact::is_confidential_field;
use floodgate_records::printable::printable;
use jsonschema::JsonType;
use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::paths::LocationSegment;
use serde_json::Value;
use std::fmt::{self, Display, Formatter};

/// The most characters of a value that are shown.
const SHOWN: usize = 80;
/// How deep the nearest of several schemas is looked for.
const DEEPEST: usize = 4;

/// A difference between a response and a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The operation: `GET /pets/{id}`.
    pub operation: String,
    /// `status`, `content type`, `header NAME`, `body`, or a JSONPath of a value in the body.
    pub place: String,
    /// What the document says.
    pub expected: String,
    /// What came, as a short excerpt in which everything shows.
    pub got: String,
}

impl Display for Difference {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self {
            operation,
            place,
            expected,
            got,
        } = self;
        write!(f, "{operation}: {place}: expected {expected}, got {got}")
    }
}

impl Difference {
    pub(crate) fn new(
        place: impl Into<String>,
        expected: impl Into<String>,
        got: impl Into<String>,
    ) -> Self {
        Self {
            operation: String::new(),
            place: place.into(),
            expected: expected.into(),
            got: got.into(),
        }
    }
}

/// One difference of those that only say the same of other items of a list.
pub(crate) fn collapsed(found: Vec<Difference>) -> Vec<Difference> {
    let mut kinds: Vec<(String, Difference, usize)> = Vec::new();
    for difference in found {
        let kind = format!("{} {}", anywhere(&difference.place), difference.expected);
        match kinds.iter_mut().find(|(known, ..)| *known == kind) {
            Some((.., more)) => *more += 1,
            None => kinds.push((kind, difference, 0)),
        }
    }
    let collapsed = kinds.into_iter().map(|(_, mut difference, more)| {
        if more > 0 {
            difference.got.push_str(&format!(", and so {more} more"));
        }
        difference
    });
    collapsed.collect()
}

/// A place whatever the indices in it.
fn anywhere(place: &str) -> String {
    let mut parts = place.split('[');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push('[');
        out.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit()));
    }
    out
}

/// The beginning of a text, on one line, everything in it visible.
pub(crate) fn excerpt(text: &str) -> String {
    let shown = printable(text);
    match shown.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &shown[..end]),
        None => shown.into_owned(),
    }
}

fn json(value: &Value) -> String {
    excerpt(&value.to_string())
}

/// Adds what an error says. `root` is what the value is called that was validated.
pub(crate) fn of_error(root: &str, error: &ValidationError<'_>, found: &mut Vec<Difference>) {
    add(root, error, found, 0);
}

fn add(root: &str, error: &ValidationError<'_>, found: &mut Vec<Difference>, depth: usize) {
    if let Kind::AnyOf { context } | Kind::OneOfNotValid { context } = error.kind()
        && depth < DEEPEST
        && let Some(nearest) = nearest(error, context)
    {
        for inner in nearest {
            add(root, inner, found, depth + 1);
        }
        return;
    }
    let (mut place, expected, got) = said(error);
    let mut path = located(root, error.instance_path().segments());
    if let Some(name) = place.take() {
        step(&mut path, &name);
    }
    let hidden = is_confidential(error);
    let got = if hidden { "***".to_owned() } else { got };
    found.push(Difference::new(path, expected, got));
}

/// Of several schemas that a value does not fit, the errors of the one that it comes nearest to, if that can be told: the one whose kind it
/// has.
fn nearest<'e>(
    error: &ValidationError<'_>,
    context: &'e [Vec<ValidationError<'static>>],
) -> Option<&'e [ValidationError<'static>]> {
    let here = error.instance_path().as_str().len();
    let mut candidates = context.iter().filter(|errors| {
        let wrong_kind = |inner: &ValidationError<'_>| {
            matches!(
                inner.kind(),
                Kind::Type { .. } | Kind::Enum { .. } | Kind::Constant { .. }
            ) && inner.instance_path().as_str().len() <= here
        };
        !errors.is_empty() && !errors.iter().any(wrong_kind)
    });
    match (candidates.next(), candidates.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    }
}

/// The property that is told of rather than the value that lacks it, what was expected, and what came.
fn said(error: &ValidationError<'_>) -> (Option<String>, String, String) {
    let got = || json(error.instance());
    let here = |expected: String| (None, expected, got());
    match error.kind() {
        Kind::Required { property } => {
            let name = property.as_str().unwrap_or_default().to_owned();
            (Some(name), "a value".into(), "none".into())
        }
        Kind::Type { kind } => here(kinds(kind)),
        Kind::Enum { options } => here(format!("one of {}", json(options))),
        Kind::Constant { expected_value } => here(json(expected_value)),
        Kind::Format { format } => here(format!("the format {format}")),
        Kind::Pattern { pattern } => here(format!("what matches /{}/", excerpt(pattern))),
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            let names = excerpt(&unexpected.join(", "));
            (None, "no further properties".into(), names)
        }
        Kind::Minimum { limit } => here(format!("at least {limit}")),
        Kind::Maximum { limit } => here(format!("at most {limit}")),
        Kind::ExclusiveMinimum { limit } => here(format!("more than {limit}")),
        Kind::ExclusiveMaximum { limit } => here(format!("less than {limit}")),
        Kind::MinLength { limit } => here(format!("at least {limit} characters")),
        Kind::MaxLength { limit } => here(format!("at most {limit} characters")),
        Kind::MinItems { limit } => here(format!("at least {limit} items")),
        Kind::MaxItems { limit } => here(format!("at most {limit} items")),
        Kind::AnyOf { context } => here(format!("what fits one of {} schemas", context.len())),
        Kind::OneOfNotValid { context } => here(format!(
            "what fits exactly one of {} schemas",
            context.len()
        )),
        Kind::OneOfMultipleValid { .. } => (
            None,
            "what fits exactly one schema of oneOf".into(),
            format!("several, with {}", got()),
        ),
        Kind::UniqueItems => here("items that all differ".into()),
        other => here(format!("what the keyword {} allows", other.keyword())),
    }
}

fn kinds(kind: &TypeKind) -> String {
    let name = |kind: JsonType| match kind {
        JsonType::Null => "null",
        JsonType::Boolean => "a boolean",
        JsonType::Integer => "an integer",
        JsonType::Number => "a number",
        JsonType::String => "a string",
        JsonType::Array => "an array",
        JsonType::Object => "an object",
    };
    match kind {
        TypeKind::Single(kind) => name(*kind).to_owned(),
        TypeKind::Multiple(kinds) => kinds.iter().map(name).collect::<Vec<_>>().join(" or "),
    }
}

fn located<'a>(root: &str, segments: impl Iterator<Item = LocationSegment<'a>>) -> String {
    let mut path = root.to_owned();
    for segment in segments {
        match segment {
            LocationSegment::Property(name) => step(&mut path, &name),
            LocationSegment::Index(index) => path.push_str(&format!("[{index}]")),
        }
    }
    path
}

/// A name behind a JSONPath (RFC 9535 §2.5.1).
fn step(path: &mut String, name: &str) {
    let mut bytes = name.bytes();
    let simple = bytes
        .next()
        .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_');
    match simple {
        true => path.push_str(&format!(".{name}")),
        false => path.push_str(&format!("[{}]", excerpt(&Value::from(name).to_string()))),
    }
}

/// Whether a value has a name that says that it must not be seen.
fn is_confidential(error: &ValidationError<'_>) -> bool {
    let mut segments = error.instance_path().segments();
    segments.any(|segment| match segment {
        LocationSegment::Property(name) => is_confidential_field(&name),
        LocationSegment::Index(_) => false,
    })
}
