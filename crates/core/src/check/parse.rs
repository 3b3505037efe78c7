//! Reading checks.
//!
//! ```text
//! check   = subject [ "not" ] test
//! subject = "status" | "duration" | "response_time" | "size" | "body" | "protocol"
//!         | "header:" NAME | "cookie:" NAME | JSONPATH (begins with $; ends at a space or operator outside of brackets)
//! test    = ("<" | "<=" | ">" | ">=" | "==" | "===" | "!=") value
//!         | "contains" text | "matches" "/" regex "/" ["i"] | "exists" | "in" value ".." value
//! value   = NUMBER [unit] | text | "true" | "false" | "null"
//! text    = '"' … '"' | "'" … "'"      with \" \' \\ \n \r \t as escapes
//! ```
//! Times are durations (a bare number is milliseconds), sizes take `KB`, `KiB` and so on. Only `contains`, `matches` and
//! `exists` take `not`.

use super::{Check, Comparison, Subject, Test};
use crate::syntax::{SyntaxError, quoted};
use crate::units::{parse_bytes, parse_duration};
use serde_json_path::JsonPath;

/// The longest check in bytes.
pub const MAX_CHECK: usize = 4_096;
/// The deepest nesting of brackets in a JSONPath; its parser is recursive.
const MAX_PATH_DEPTH: usize = 24;
/// The longest JSONPath in bytes.
const MAX_PATH: usize = 1_024;
/// The largest compiled regular expression in bytes.
const MAX_REGEX: usize = 1 << 20;

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
            Self::JsonPath(_) => Values::Json,
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
            Self::JsonPath(_) => &[
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
            ],
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
        if text.len() > MAX_CHECK {
            return Err(SyntaxError::new(
                0,
                format!("a check of {} bytes is too long", text.len()),
            )
            .allowed(format!("at most {MAX_CHECK} bytes")));
        }
        let mut cursor = Cursor { text, at: 0 };
        let subject = cursor.subject()?;
        let test = cursor.test(&subject)?;
        cursor.end()?;
        Ok(Self {
            name: text.to_owned(),
            subject,
            test,
        })
    }
}

/// Reads a JSONPath (RFC 9535), bounded in length and depth.
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
    JsonPath::parse(text).map_err(|error| {
        let mut at = error.position().saturating_sub(1).min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        fail(
            at,
            format!("{} is no JSONPath: {}", quoted(text), error.message()),
        )
    })
}

struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn skip_spaces(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn fail(&self, problem: impl Into<String>) -> SyntaxError {
        SyntaxError::new(self.at, problem)
    }

    /// Everything up to a space or an operator character.
    fn word(&mut self) -> &'a str {
        let rest = self.rest();
        let end = rest
            .find(|c: char| c.is_whitespace() || "<>=!".contains(c))
            .unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn subject(&mut self) -> Result<Subject, SyntaxError> {
        self.skip_spaces();
        let start = self.at;
        if self.rest().starts_with('$') {
            let path = &self.rest()[..path_length(self.rest())];
            self.at += path.len();
            return parse_json_path(path)
                .map(Subject::JsonPath)
                .map_err(|error| error.shifted(start));
        }
        let word = self.word();
        let fail = |problem: String| SyntaxError::new(start, problem).allowed(SUBJECTS.join(", "));
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
                SyntaxError::new(start, format!("{} lacks the name", quoted(word)))
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
        let fail = |problem: String| SyntaxError::new(start, problem).allowed(allowed.join(", "));
        let mut operator = self.operator();
        let negated = operator == "not";
        if negated {
            self.skip_spaces();
            operator = self.operator();
        }
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
                || ["contains", "matches", "exists", "in"].contains(&operator);
            let problem = if known {
                "does not fit the subject"
            } else {
                "is no operator"
            };
            return Err(fail(format!("{} {problem}", quoted(&full)))
                .nearest(&full, allowed.iter().copied()));
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
            _ => self.range(subject),
        }
    }

    fn operator(&mut self) -> &'a str {
        let rest = self.rest();
        let symbols = rest.find(|c| !"<>=!".contains(c)).unwrap_or(rest.len());
        if symbols > 0 {
            self.at += symbols;
            &rest[..symbols]
        } else {
            self.word()
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
                    _ => return Ok(Test::Number(comparison, self.number(Values::Json)?)),
                };
                self.at = self.text.len();
                Ok(Test::Json {
                    equal,
                    value: literal,
                })
            }
            values => Ok(Test::Number(comparison, self.number(values)?)),
        }
    }

    fn range(&mut self, subject: &Subject) -> Result<Test, SyntaxError> {
        let start = self.at;
        let low = self.number(subject.values())?;
        self.skip_spaces();
        if !self.rest().starts_with("..") {
            return Err(self
                .fail("a range lacks its ..")
                .allowed("LOW..HIGH, both ends included"));
        }
        self.at += 2;
        self.skip_spaces();
        let high = self.number(subject.values())?;
        if low > high {
            return Err(SyntaxError::new(start, "the range ends before it starts")
                .allowed("LOW..HIGH, both ends included"));
        }
        Ok(Test::InRange(low, high))
    }

    /// A number in the unit of the values: µs, bytes, or plain.
    fn number(&mut self, values: Values) -> Result<f64, SyntaxError> {
        let start = self.at;
        let rest = self.rest();
        let end = rest.find("..").unwrap_or(rest.len());
        let word = rest[..end].split_whitespace().next().unwrap_or("");
        self.at += word.len();
        match values {
            Values::Time => Ok(parse_duration(word)
                .map_err(|error| error.shifted(start))?
                .as_nanos() as f64
                / 1_000.0),
            Values::Bytes => Ok(parse_bytes(word).map_err(|error| error.shifted(start))? as f64),
            Values::Number | Values::Json | Values::Text => {
                let allowed = if values == Values::Json {
                    "a number, \"text\", true, false or null"
                } else {
                    "a number"
                };
                word.parse::<f64>()
                    .ok()
                    .filter(|number| number.is_finite())
                    .ok_or_else(|| {
                        let problem = if word.is_empty() {
                            "a value is missing".to_owned()
                        } else {
                            format!("{} is no number", quoted(word))
                        };
                        let error = SyntaxError::new(start, problem).allowed(allowed);
                        let hint = (values == Values::Json && !word.is_empty())
                            .then(|| "text stands in quotes".to_owned());
                        SyntaxError { hint, ..error }
                    })
            }
        }
    }

    /// A quoted text.
    fn string(&mut self) -> Result<String, SyntaxError> {
        let Some(quote) = self
            .rest()
            .chars()
            .next()
            .filter(|c| matches!(c, '"' | '\''))
        else {
            let problem = match self.rest().trim_end() {
                "" => "a text is missing".to_owned(),
                other => format!("{} stands without quotes", quoted(other)),
            };
            return Err(self
                .fail(problem)
                .allowed("text in quotes, such as \"Welcome\""));
        };
        let mut value = String::new();
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((offset, c)) = chars.next() {
            match c {
                c if c == quote => {
                    self.at += offset + 1;
                    return Ok(value);
                }
                '\\' => value.push(match chars.next() {
                    Some((_, 'n')) => '\n',
                    Some((_, 'r')) => '\r',
                    Some((_, 't')) => '\t',
                    Some((_, c @ ('"' | '\'' | '\\'))) => c,
                    other => {
                        let shown: String = other.map(|(_, c)| c).into_iter().collect();
                        return Err(SyntaxError::new(
                            self.at + offset,
                            format!("unknown escape \\{shown}"),
                        )
                        .allowed("\\\" \\' \\\\ \\n \\r \\t"));
                    }
                }),
                c => value.push(c),
            }
        }
        Err(self.fail("the text has no closing quote"))
    }

    /// `/…/`, `/…/i`; `\/` is a slash.
    fn regex(&mut self) -> Result<regex::bytes::Regex, SyntaxError> {
        let start = self.at;
        let rest = self.rest();
        let fail = |problem: String| {
            SyntaxError::new(start, problem)
                .allowed("a regular expression in slashes, such as /id=\\d+/")
        };
        let Some(body) = rest.strip_prefix('/') else {
            return Err(fail(format!("{} is no regular expression", quoted(rest))));
        };
        let mut escaped = false;
        let close = body.find(|c| {
            let closes = c == '/' && !escaped;
            escaped = c == '\\' && !escaped;
            closes
        });
        let close =
            close.ok_or_else(|| fail("the regular expression has no closing /".to_owned()))?;
        self.at += close + 2;
        let ignore_case = self.rest().starts_with('i');
        self.at += usize::from(ignore_case);
        regex::bytes::RegexBuilder::new(&body[..close].replace("\\/", "/"))
            .case_insensitive(ignore_case)
            .size_limit(MAX_REGEX)
            .build()
            .map_err(|error| {
                fail(format!(
                    "{} is no regular expression: {}",
                    quoted(&body[..close]),
                    last_line(&error.to_string())
                ))
            })
    }

    fn end(&mut self) -> Result<(), SyntaxError> {
        self.skip_spaces();
        if self.rest().is_empty() {
            return Ok(());
        }
        Err(self
            .fail(format!(
                "{} stands after the end of the check",
                quoted(self.rest())
            ))
            .allowed("one condition a check"))
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
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str) -> (Subject, Test) {
        let check = Check::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(check.name, text);
        (check.subject, check.test)
    }

    #[test]
    fn reads_numbers_in_the_subjects_unit() {
        use Comparison::*;
        assert_eq!(
            check("status == 200"),
            (Subject::Status, Test::Number(Eq, 200.0))
        );
        assert_eq!(
            check("status===200"),
            (Subject::Status, Test::Number(Eq, 200.0))
        );
        assert_eq!(
            check("status in 200..299"),
            (Subject::Status, Test::InRange(200.0, 299.0))
        );
        assert_eq!(
            check("duration < 800ms"),
            (Subject::Duration, Test::Number(Lt, 800_000.0))
        );
        assert_eq!(
            check("duration<800"),
            (Subject::Duration, Test::Number(Lt, 800_000.0)),
            "bare numbers are ms"
        );
        assert_eq!(
            check("response_time <= 1.5s"),
            (Subject::ResponseTime, Test::Number(Le, 1_500_000.0))
        );
        assert_eq!(
            check("duration in 1ms .. 2ms"),
            (Subject::Duration, Test::InRange(1_000.0, 2_000.0))
        );
        assert_eq!(
            check("size > 4KiB"),
            (Subject::Size, Test::Number(Gt, 4_096.0))
        );
        let (subject, test) = check("$.items[?@.id == 1].price >= -2.5");
        assert!(matches!(subject, Subject::JsonPath(_)));
        assert_eq!(test, Test::Number(Ge, -2.5));
    }

    #[test]
    fn reads_texts() {
        let text = |equal, value: &str| Test::Text {
            equal,
            value: value.to_owned(),
        };
        let contains = |negated, value: &str| Test::Contains {
            negated,
            value: value.to_owned(),
        };
        assert_eq!(
            check("body contains \"Welcome\""),
            (Subject::Body, contains(false, "Welcome"))
        );
        assert_eq!(
            check("body not contains 'a\\'b\\n'"),
            (Subject::Body, contains(true, "a'b\n"))
        );
        assert_eq!(
            check("header:Content-Type == \"x y\"").0,
            Subject::Header("Content-Type".into())
        );
        assert_eq!(
            check("cookie:sid exists"),
            (
                Subject::Cookie("sid".into()),
                Test::Exists { negated: false }
            )
        );
        assert_eq!(
            check("header:X not exists").1,
            Test::Exists { negated: true }
        );
        assert_eq!(check("protocol != \"HTTP/2\"").1, text(false, "HTTP/2"));
        assert_eq!(check("$.state == \"open\"").1, text(true, "open"));
        assert_eq!(
            check("$['a b'].c == null").1,
            Test::Json {
                equal: true,
                value: serde_json::Value::Null
            }
        );
        assert_eq!(
            check("$.ok != true").1,
            Test::Json {
                equal: false,
                value: true.into()
            }
        );
        let (_, Test::Matches { negated, regex }) = check("body not matches /A\\/b+/i") else {
            panic!()
        };
        assert!(negated && regex.is_match(b"xa/BBB"));
    }

    #[test]
    fn refuses_with_a_place() {
        for (text, at, part) in [
            ("", 0, "empty"),
            ("  ", 2, "empty"),
            ("sttus == 200", 0, "unknown subject \"sttus\""),
            ("header Content-Type exists", 0, "lacks the name"),
            ("status", 6, "operator is missing"),
            ("status = 200", 7, "\"=\" is no operator"),
            ("status contains \"2\"", 7, "does not fit"),
            ("status == abc", 10, "\"abc\" is no number"),
            ("status == ", 10, "value is missing"),
            ("status == 200 and body", 14, "after the end"),
            ("status in 200", 13, "lacks its .."),
            ("status in 299..200", 10, "ends before"),
            ("duration < 5 parsecs", 13, "after the end"),
            ("duration < 5parsecs", 12, "unknown unit"),
            ("body contains Welcome", 14, "without quotes"),
            ("body contains \"Wel", 14, "no closing quote"),
            ("body contains \"\\q\"", 15, "unknown escape"),
            ("body matches /(/", 13, "unclosed group"),
            ("body matches (", 13, "no regular expression"),
            ("body matches /a", 13, "no closing /"),
            ("$.a[ == 1", 5, "no JSONPath"),
            ("$.state == open", 11, "no number"),
            ("body exists", 5, "does not fit"),
            ("status not == 2", 7, "does not fit"),
        ] {
            let error = Check::parse(text).unwrap_err();
            assert!(error.problem.contains(part), "{text}: {error}");
            if !text.starts_with("$.a[") {
                assert_eq!(error.at, at, "{text}: {error}");
            }
        }
        assert_eq!(
            Check::parse("sttus == 1").unwrap_err().hint.as_deref(),
            Some("\"status\"")
        );
        assert_eq!(
            Check::parse("body contain \"x\"")
                .unwrap_err()
                .hint
                .as_deref(),
            Some("\"contains\"")
        );
    }

    #[test]
    fn hostile_texts_are_bounded() {
        let deep = format!("$[?{}@.a{}] == 1", "(".repeat(300), ")".repeat(300));
        assert!(
            Check::parse(&deep)
                .unwrap_err()
                .problem
                .contains("too deep")
        );
        assert!(
            Check::parse(&"x".repeat(MAX_CHECK + 1))
                .unwrap_err()
                .problem
                .contains("too long")
        );
        assert!(
            Check::parse("body matches /(a{1000}){1000}/")
                .unwrap_err()
                .problem
                .contains("regular expression")
        );
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "(status|duration|body|\\$|header:)?[a-z$.\\[\\]()?@ <>=!\"'/\\\\0-9é]{0,30}") {
            if let Err(error) = Check::parse(&text) {
                prop_assert!(text.is_char_boundary(error.at), "{} in {:?}", error, text);
            }
        }
    }
}
