//! What a metric is called in thresholds and summaries: `metric` or `metric{tag:value,tag:value}`.

use crate::metric::Tags;
use crate::printable::quoted;
use std::fmt;
use std::str::FromStr;

/// A metric, and the tags that a series must have to count.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The metric's name.
    pub metric: String,
    /// All must match; empty for the whole metric.
    pub tags: Tags,
}

impl fmt::Display for Key {
    /// The normal form: tags by name, a value quoted only where it would not be read back otherwise.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.metric)?;
        for (i, (name, value)) in self.tags.0.iter().enumerate() {
            f.write_str(if i == 0 { "{" } else { "," })?;
            let edge = |c: char| c.is_whitespace() || c == '"' || c == '\'';
            let quote =
                if !(value.contains(',') || value.starts_with(edge) || value.ends_with(edge)) {
                    ""
                } else if value.contains('"') {
                    "'"
                } else {
                    "\""
                };
            write!(f, "{name}:{quote}{value}{quote}")?;
        }
        f.write_str(if self.tags.0.is_empty() { "" } else { "}" })
    }
}

/// Why a text is not a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}; allowed: {allowed}")]
pub struct KeyError {
    /// Where in the text, in bytes: the beginning, and the end where it is not that of the text.
    pub at: (usize, Option<usize>),
    /// What is wrong, with the offending part.
    pub problem: String,
    /// What would be right.
    pub allowed: &'static str,
}

impl FromStr for Key {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text)
    }
}

/// Parses a key by k6's rules (`ParseMetricName` in
/// <https://github.com/grafana/k6/blob/v1.8.1/metrics/metric.go>): the tags stand between the first `{` and a `}` at the
/// very end, are parted by commas, and each is a name and a value at its first colon, trimmed and without quotes
/// around. Beyond k6, a quoted value may hold commas; and an empty value, which would match nothing, is an error.
///
/// # Errors
/// What is wrong, and where.
fn parse(text: &str) -> Result<Key, KeyError> {
    let braces = |at: usize, problem: &str| {
        Err(KeyError {
            at: (at, None),
            problem: problem.to_owned(),
            allowed: "metric{tag:value,tag:value}",
        })
    };
    let (name, tags) = match (text.find('{'), text.rfind('}')) {
        (None, None) => (text, None),
        (Some(open), None) => return braces(open, "the brace is not closed"),
        (None, Some(close)) => return braces(close, "the brace is not opened"),
        (Some(open), Some(close)) if close < open => {
            return braces(close, "the brace closes before it opens");
        }
        (Some(_), Some(close)) if close + 1 != text.len() => {
            return braces(close + 1, "text stands after the closing brace");
        }
        (Some(open), Some(close)) => (&text[..open], Some((open + 1, &text[open + 1..close]))),
    };
    if name.is_empty() {
        return Err(KeyError {
            at: (0, None),
            problem: "the metric's name is empty".to_owned(),
            allowed: "a metric such as http_req_duration",
        });
    }
    if !is_metric_name(name) {
        return Err(KeyError {
            at: (0, Some(name.len())),
            problem: format!("{} is not a valid metric name", quoted(name)),
            allowed: "2 to 129 letters, digits and _, not beginning with a digit",
        });
    }
    let mut key = Key {
        metric: name.to_owned(),
        tags: Tags::new(),
    };
    let Some((mut at, body)) = tags else {
        return Ok(key);
    };
    for part in split_tags(body) {
        let fail = |problem: &str| KeyError {
            at: (at, Some(at + part.len())),
            problem: format!("the tag {} {problem}", quoted(part)),
            allowed: "name:value, a value with a comma in it in quotes",
        };
        let (tag, value) = parse_tag(part).map_err(fail)?;
        if key.tags.get(tag).is_some_and(|earlier| earlier != value) {
            return Err(fail(
                "is given twice with different values, which no series can match",
            ));
        }
        key.tags.0.insert(tag.to_owned(), value.to_owned());
        at += part.len() + 1;
    }
    Ok(key)
}

/// k6's rule for metric names: `^[a-zA-Z_][a-zA-Z0-9_]{1,128}$`
/// (<https://github.com/grafana/k6/blob/v1.8.1/metrics/registry.go>).
fn is_metric_name(name: &str) -> bool {
    (2..=129).contains(&name.len())
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Splits at commas, except inside of a value that is quoted as a whole.
fn split_tags(body: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = body;
    loop {
        let end = quoted_end(rest)
            .or_else(|| rest.find(','))
            .unwrap_or(rest.len());
        parts.push(&rest[..end]);
        match rest.get(end + 1..) {
            Some(next) if end < rest.len() => rest = next,
            _ => return parts,
        }
    }
}

/// If `rest` starts with a tag whose value is quoted and followed by a comma or the end, where that tag ends.
fn quoted_end(rest: &str) -> Option<usize> {
    let colon = rest.find(':')?;
    if rest[..colon].contains(',') {
        return None;
    }
    let value = rest[colon + 1..].trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let open = rest.len() - value.len();
    let mut search = open + 1;
    while let Some(close) = rest[search..].find(quote).map(|i| i + search) {
        let after = &rest[close + 1..];
        let trimmed = after.trim_start();
        if trimmed.is_empty() || trimmed.starts_with(',') {
            return Some(rest.len() - trimmed.len());
        }
        search = close + 1;
    }
    None
}

fn parse_tag(part: &str) -> Result<(&str, &str), &'static str> {
    if part.trim().is_empty() {
        return Err("is empty");
    }
    let (name, value) = part.split_once(':').ok_or("has no colon")?;
    let quotes = ['"', '\''];
    let (name, value) = (
        name.trim().trim_matches(quotes),
        value.trim().trim_matches(quotes),
    );
    match (name.is_empty(), value.is_empty()) {
        (true, _) => Err("has no name"),
        (_, true) => Err("has no value"),
        _ => Ok((name, value)),
    }
}
