//! The words of a check: operators, numbers, texts and regular expressions.

use super::{Values, last_line};
use crate::syntax::SyntaxError;
use crate::units::{parse_bytes, parse_duration};
use floodgate_records::printable::quoted;

/// The largest compiled regular expression in bytes.
const MAX_REGEX: usize = 1 << 20;

/// What stands where a number should.
pub(super) fn no_number(at: usize, word: &str, allowed: &str) -> SyntaxError {
    let problem = if word.is_empty() {
        "a value is missing".to_owned()
    } else {
        format!("{} is not a valid number", quoted(word))
    };
    SyntaxError::new(at..at + word.len(), problem).allowed(allowed)
}

/// A place in a check.
pub(super) struct Cursor<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    pub(super) fn skip_spaces(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    pub(super) fn fail(&self, problem: impl Into<String>) -> SyntaxError {
        SyntaxError::new(self.at, problem)
    }

    /// Everything up to a space or an operator character.
    pub(super) fn word(&mut self) -> &'a str {
        let rest = self.rest();
        let end = rest
            .find(|c: char| c.is_whitespace() || "<>=!".contains(c))
            .unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    pub(super) fn operator(&mut self) -> &'a str {
        let rest = self.rest();
        let symbols = rest.find(|c| !"<>=!~".contains(c)).unwrap_or(rest.len());
        if symbols > 0 {
            self.at += symbols;
            &rest[..symbols]
        } else {
            self.word()
        }
    }

    /// A number in the unit of the values: µs, bytes, or plain.
    pub(super) fn number(&mut self, values: Values) -> Result<f64, SyntaxError> {
        let start = self.at;
        let word = self.number_word();
        match values {
            Values::Time => Ok(parse_duration(word)
                .map_err(|error| error.within(start..self.at))?
                .as_nanos() as f64
                / 1_000.0),
            Values::Bytes => {
                Ok(parse_bytes(word).map_err(|error| error.within(start..self.at))? as f64)
            }
            Values::Number | Values::Json | Values::Text => word
                .parse::<f64>()
                .ok()
                .filter(|number| number.is_finite())
                .ok_or_else(|| no_number(start, word, "a number")),
        }
    }

    /// Up to a space or the two dots of a range.
    pub(super) fn number_word(&mut self) -> &'a str {
        let rest = self.rest();
        let end = rest.find("..").unwrap_or(rest.len());
        let word = rest[..end].split_whitespace().next().unwrap_or("");
        self.at += word.len();
        word
    }

    /// A quoted text.
    pub(super) fn string(&mut self) -> Result<String, SyntaxError> {
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

    /// The path of a file, in quotes or up to a space.
    pub(super) fn file(&mut self) -> Result<String, SyntaxError> {
        if self.rest().starts_with(['"', '\'']) {
            return self.string();
        }
        let file = self.rest().split_whitespace().next().unwrap_or_default();
        if file.is_empty() {
            return Err(self
                .fail("a file is missing")
                .allowed("the path of a JSON Schema, such as schemas/order.json"));
        }
        self.at += file.len();
        Ok(file.to_owned())
    }

    /// `/…/`, `/…/i`; `\/` is a slash.
    pub(super) fn regex(&mut self) -> Result<regex::bytes::Regex, SyntaxError> {
        let start = self.at;
        let rest = self.rest();
        let fail = |problem: String| {
            SyntaxError::new(start, problem)
                .allowed("a regular expression in slashes, such as /id=\\d+/")
        };
        let Some(body) = rest.strip_prefix('/') else {
            return Err(fail(format!(
                "{} is not a valid regular expression",
                quoted(rest)
            )));
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
                    "{} is not a valid regular expression: {}",
                    quoted(&body[..close]),
                    last_line(&error.to_string())
                ))
            })
    }

    pub(super) fn end(&mut self) -> Result<(), SyntaxError> {
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
