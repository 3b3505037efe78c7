//! Reading checks.
//!
//! ```text
//! check   = subject [ "not" ] test
//! subject = "status" | "duration" | "response_time" | "size" | "body" | "protocol"
//!         | "header:" NAME | "cookie:" NAME | JSONPATH (begins with $; ends at a space or operator outside of brackets)
//! test    = ("<" | "<=" | ">" | ">=" | "==" | "===" | "!=") value
//!         | "fits" FILE | "contains" text | "matches" "/" regex "/" ["i"] | "exists" | "in" value ".." value
//! value   = NUMBER [unit] | text | "true" | "false" | "null"
//! text    = '"' … '"' | "'" … "'"      with \" \' \\ \n \r \t as escapes
//! condition = check | "${" EXPRESSION "}" [ "not" ] test
//! ```
//! Times are durations (a bare number is milliseconds), sizes take `KB`, `KiB` and so on. Only `contains`, `matches` and
//! `exists` take `not`.

mod cursor;

use super::{Check, Comparison, Subject, Test};
use crate::decimal::Decimal;
use crate::syntax::SyntaxError;
use crate::template::Variable;
use cursor::{Cursor, no_number};
use floodgate_records::printable::quoted;
use serde_json_path::JsonPath;

/// The longest check in bytes.
pub const MAX_CHECK: usize = 4_096;
/// The deepest nesting of brackets in a JSONPath; its parser is recursive.
const MAX_PATH_DEPTH: usize = 24;
/// The longest JSONPath in bytes.
const MAX_PATH: usize = 1_024;
/// The digits that a number in a JSONPath's filter may have: filters compare in 64-bit floating point, which tells numbers of
/// so many digits apart and none of more (IEEE 754 binary64).
const FILTER_DIGITS: usize = 15;

/// Operators of other tools, and ours.
const FOREIGN: [(&str, &str); 14] = [
    ("=", "=="),
    ("is", "=="),
    ("equals", "=="),
    ("eq", "=="),
    ("<>", "!="),
    ("ne", "!="),
    ("=~", "matches"),
    ("match", "matches"),
    ("has", "contains"),
    ("includes", "contains"),
    ("between", "in"),
    ("=>", ">="),
    ("schema", "fits"),
    ("conforms", "fits"),
];

const SUBJECTS: [&str; 9] = [
    "status",
    "duration",
    "response_time",
    "size",
    "body",
    "protocol",
    "header:Name",
    "cookie:Name",
    "$.json.path",
];

/// The operators on a node of a JSON document.
const JSON: [&str; 14] = [
    "fits",
    "==",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "contains",
    "not contains",
    "matches",
    "not matches",
    "exists",
    "not exists",
    "in",
];

/// What a subject's values are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Values {
    Number,
    Time,
    Bytes,
    Text,
    Json,
}

impl Subject {
    fn values(&self) -> Values {
        match self {
            Self::Status => Values::Number,
            Self::Duration | Self::ResponseTime => Values::Time,
            Self::Size => Values::Bytes,
            Self::Body | Self::Header(_) | Self::Cookie(_) | Self::Protocol => Values::Text,
            Self::JsonPath(_) | Self::Value(_) => Values::Json,
        }
    }

    /// The operators that make sense of it.
    fn operators(&self) -> &'static [&'static str] {
        match self {
            Self::Protocol => &["==", "!="],
            Self::Body => &[
                "==",
                "!=",
                "contains",
                "not contains",
                "matches",
                "not matches",
                "fits",
            ],
            Self::Header(_) | Self::Cookie(_) => &[
                "==",
                "!=",
                "contains",
                "not contains",
                "matches",
                "not matches",
                "exists",
                "not exists",
            ],
            Self::JsonPath(_) => &JSON,
            // All but what needs a document.
            Self::Value(_) => &JSON[1..],
            Self::Status | Self::Duration | Self::ResponseTime | Self::Size => {
                &["==", "!=", "<", "<=", ">", ">=", "in"]
            }
        }
    }
}

impl Check {
    /// Reads a check.
    ///
    /// # Errors
    /// What is wrong and where in the text: an unknown subject or operator, an operator that makes no sense of the
    /// subject, a wrong value, or something after the end.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        let mut cursor = Cursor::bounded(text)?;
        let subject = cursor.subject()?;
        cursor.check(subject)
    }

    /// Reads what must hold of a value: a check without its subject.
    ///
    /// # Errors
    /// As for [`Self::parse`].
    pub(crate) fn of_value(value: Variable, text: &str) -> Result<Self, SyntaxError> {
        Cursor::bounded(text)?.check(Subject::Value(value))
    }
}

/// Reads a JSONPath (RFC 9535), bounded in length and depth, and in the digits of the numbers that its filters compare with.
///
/// # Errors
/// What is wrong and where.
pub fn parse_json_path(text: &str) -> Result<JsonPath, SyntaxError> {
    let fail = |at, problem: String| {
        SyntaxError::new(at, problem).allowed("a JSONPath such as $.items[0].id (RFC 9535)")
    };
    let depth = text.chars().scan(0_usize, |depth, c| {
        match c {
            '[' | '(' => *depth += 1,
            ']' | ')' => *depth = depth.saturating_sub(1),
            _ => {}
        }
        Some(*depth)
    });
    if text.len() > MAX_PATH || depth.max().unwrap_or(0) > MAX_PATH_DEPTH {
        let problem = format!("{} is too long or too deep", quoted(text));
        return Err(SyntaxError::new(0, problem).allowed(format!(
            "{MAX_PATH} bytes, {MAX_PATH_DEPTH} nested brackets"
        )));
    }
    if let Some((at, number)) = filter_numbers(text).find(|(_, number)| {
        let digits = number.trim_start_matches(['0', '.']);
        digits.bytes().filter(u8::is_ascii_digit).count() > FILTER_DIGITS
    }) {
        let problem = format!("{number} has more digits than a filter tells apart");
        return Err(SyntaxError::new(at..at + number.len(), problem)
            .allowed(format!(
                "{FILTER_DIGITS} digits: filters compare in 64-bit floating point"
            ))
            .hint("compare the number in a check of its own, which is exact"));
    }
    JsonPath::parse(text).map_err(|error| {
        let mut at = error.position().saturating_sub(1).min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        fail(
            at,
            format!(
                "{} is not a valid JSONPath: {}",
                quoted(text),
                error.message()
            ),
        )
    })
}

impl<'a> Cursor<'a> {
    /// The beginning of a text that is not too long for a check.
    fn bounded(text: &'a str) -> Result<Self, SyntaxError> {
        if text.len() > MAX_CHECK {
            let problem = format!("a check of {} bytes is too long", text.len());
            return Err(SyntaxError::new(0, problem).allowed(format!("at most {MAX_CHECK} bytes")));
        }
        Ok(Self { text, at: 0 })
    }

    /// The rest of a check, to the end of the text.
    fn check(mut self, subject: Subject) -> Result<Check, SyntaxError> {
        let test = self.test(&subject)?;
        self.end()?;
        Ok(Check {
            name: self.text.to_owned(),
            subject,
            test,
        })
    }

    fn subject(&mut self) -> Result<Subject, SyntaxError> {
        self.skip_spaces();
        let start = self.at;
        if self.rest().starts_with('$') {
            let path = &self.rest()[..path_length(self.rest())];
            self.at += path.len();
            return parse_json_path(path)
                .map(Subject::JsonPath)
                .map_err(|error| error.within(start..self.at));
        }
        let word = self.word();
        let place = start..self.at;
        let fail =
            |problem: String| SyntaxError::new(place.clone(), problem).allowed(SUBJECTS.join(", "));
        let named = |name: &str| !name.is_empty() && name.bytes().all(is_token);
        match (word, word.split_once(':')) {
            ("status", _) => Ok(Subject::Status),
            ("duration", _) => Ok(Subject::Duration),
            ("response_time", _) => Ok(Subject::ResponseTime),
            ("size", _) => Ok(Subject::Size),
            ("body", _) => Ok(Subject::Body),
            ("protocol", _) => Ok(Subject::Protocol),
            (_, Some(("header", name))) if named(name) => Ok(Subject::Header(name.to_owned())),
            (_, Some(("cookie", name))) if named(name) => Ok(Subject::Cookie(name.to_owned())),
            ("header" | "cookie", _) | (_, Some(("header" | "cookie", _))) => Err(
                SyntaxError::new(place, format!("{} lacks the name", quoted(word)))
                    .allowed("header:Name, cookie:Name"),
            ),
            ("", _) if self.rest().is_empty() => Err(fail("the check is empty".to_owned())),
            _ => Err(fail(format!("unknown subject {}", quoted(word))).nearest(word, SUBJECTS)),
        }
    }

    fn test(&mut self, subject: &Subject) -> Result<Test, SyntaxError> {
        self.skip_spaces();
        let start = self.at;
        let allowed = subject.operators();
        let mut operator = self.operator();
        let negated = operator == "not";
        if negated {
            self.skip_spaces();
            operator = self.operator();
        }
        let place = start..self.at;
        let fail = |problem: String| SyntaxError::new(place, problem).allowed(allowed.join(", "));
        let full = if negated {
            format!("not {operator}")
        } else {
            operator.to_owned()
        };
        let full = if full == "===" { "==".to_owned() } else { full };
        if operator.is_empty() {
            return Err(fail("an operator is missing".to_owned()));
        }
        if !allowed.contains(&full.as_str()) {
            let known = Comparison::parse(operator).is_some()
                || ["contains", "matches", "exists", "in", "fits"].contains(&operator);
            let problem = if known {
                "does not fit the subject"
            } else {
                "is not a valid operator"
            };
            let meant = FOREIGN.iter().find(|(theirs, _)| *theirs == operator);
            let meant = meant.map_or(full.as_str(), |(_, ours)| ours);
            return Err(fail(format!("{} {problem}", quoted(&full)))
                .nearest(meant, allowed.iter().copied()));
        }
        self.skip_spaces();
        if let Some(comparison) = Comparison::parse(operator) {
            return self.compare(subject, comparison);
        }
        match operator {
            "contains" => Ok(Test::Contains {
                negated,
                value: self.string()?,
            }),
            "matches" => Ok(Test::Matches {
                negated,
                regex: self.regex()?,
            }),
            "exists" => Ok(Test::Exists { negated }),
            "fits" => Ok(Test::Fits { file: self.file()? }),
            _ => self.range(subject),
        }
    }

    fn compare(&mut self, subject: &Subject, comparison: Comparison) -> Result<Test, SyntaxError> {
        let equal = comparison == Comparison::Eq;
        let equality = equal || comparison == Comparison::Ne;
        let is_text = self.rest().starts_with(['"', '\'']);
        match subject.values() {
            Values::Text => Ok(Test::Text {
                equal,
                value: self.string()?,
            }),
            Values::Json if equality && is_text => Ok(Test::Text {
                equal,
                value: self.string()?,
            }),
            Values::Json if equality => {
                let literal = match self.rest().trim_end() {
                    "true" => serde_json::Value::Bool(true),
                    "false" => serde_json::Value::Bool(false),
                    "null" => serde_json::Value::Null,
                    _ => return Ok(Test::Decimal(comparison, self.decimal()?)),
                };
                self.at = self.text.len();
                Ok(Test::Json {
                    equal,
                    value: literal,
                })
            }
            Values::Json => Ok(Test::Decimal(comparison, self.decimal()?)),
            values => Ok(Test::Number(comparison, self.number(values)?)),
        }
    }

    fn range(&mut self, subject: &Subject) -> Result<Test, SyntaxError> {
        match subject.values() {
            Values::Json => {
                let (low, high) = self.ends(Self::decimal)?;
                Ok(Test::Between(low, high))
            }
            values => {
                let (low, high) = self.ends(|cursor| cursor.number(values))?;
                Ok(Test::InRange(low, high))
            }
        }
    }

    /// The two ends of a range, in order.
    fn ends<T: PartialOrd>(
        &mut self,
        read: impl Fn(&mut Self) -> Result<T, SyntaxError>,
    ) -> Result<(T, T), SyntaxError> {
        let start = self.at;
        let low = read(self)?;
        self.skip_spaces();
        if !self.rest().starts_with("..") {
            return Err(self
                .fail("a range lacks its ..")
                .allowed("LOW..HIGH, both ends included"));
        }
        self.at += 2;
        self.skip_spaces();
        let high = read(self)?;
        if low > high {
            return Err(
                SyntaxError::new(start..self.at, "the range ends before it starts")
                    .allowed("LOW..HIGH, both ends included"),
            );
        }
        Ok((low, high))
    }

    /// A JSON number.
    fn decimal(&mut self) -> Result<Decimal, SyntaxError> {
        let start = self.at;
        let word = self.number_word();
        Decimal::parse(word)
            .ok_or_else(|| no_number(start, word, "a number, \"text\", true, false or null"))
            .map_err(|error| match word {
                "" => error,
                _ => error.hint("text stands in quotes"),
            })
    }
}

impl Comparison {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "<" => Self::Lt,
            "<=" => Self::Le,
            ">" => Self::Gt,
            ">=" => Self::Ge,
            "==" | "===" => Self::Eq,
            "!=" => Self::Ne,
            _ => return None,
        })
    }
}

/// The line of a regex error that says what is wrong; those before it draw a picture.
pub(crate) fn last_line(message: &str) -> &str {
    message
        .lines()
        .last()
        .unwrap_or(message)
        .trim()
        .trim_start_matches("error: ")
}

/// Bytes of a header's or cookie's name (RFC 9110 §5.6.2, without `!`, which begins an operator).
fn is_token(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"#$%&'*+-.^_`|~".contains(&b)
}

/// The numbers within brackets and outside of quotes, and where they begin.
fn filter_numbers(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let part_of_name = |c: char| c.is_alphanumeric() || c == '_';
    let (mut quote, mut depth, mut before, mut done) = (None, 0_usize, ' ', 0);
    text.char_indices().filter_map(move |(at, c)| {
        let last = std::mem::replace(&mut before, c);
        match (quote, c) {
            // A character behind a backslash neither ends nor begins anything.
            (Some(_), _) if last == '\\' => before = ' ',
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '[') => depth += 1,
            (None, ']') => depth = depth.saturating_sub(1),
            (None, c) if c.is_ascii_digit() && depth > 0 && at >= done => {
                let rest = &text[at..];
                let end = rest
                    .find(|c: char| !c.is_ascii_digit() && c != '.')
                    .unwrap_or(rest.len());
                done = at + end;
                return (!part_of_name(last)).then_some((at, &rest[..end]));
            }
            _ => {}
        }
        None
    })
}

/// How far a JSONPath reaches: to a space or an operator that stands outside of brackets and quotes.
fn path_length(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if let Some(open) = quote {
            if !escaped && c == open {
                quote = None;
            }
            escaped = c == '\\' && !escaped;
            continue;
        }
        match c {
            '"' | '\'' if depth > 0 => quote = Some(c),
            '[' | '(' => depth += 1,
            ']' | ')' => depth = depth.saturating_sub(1),
            c if depth == 0 && (c.is_whitespace() || "<>=!".contains(c)) => return at,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
