//! Bodies of requests.

use super::budget::MAX_KEY;
use super::correlate::{Bound, Correlation, Slot};
use super::headers::is_valid;
use super::writer::Writer;
use crate::confidential::{is_secret_field, is_secret_value};
use crate::draft::{Body, Content, Part, literal};
use crate::recording::{Exchange, FormPart, PartContent, Payload};
use serde_json::Value;

/// A JSON text as a value, if its numbers keep their digits that way and it is a list or an object.
pub(crate) fn json_body(text: &str) -> Option<Value> {
    let value: Value = serde_json::from_str(text).ok()?;
    let again = value.to_string();
    let is_collection = matches!(value, Value::Array(_) | Value::Object(_));
    (is_collection && numbers(text).eq(numbers(&again))).then_some(value)
}

/// The numbers of a JSON text, as they are written.
fn numbers(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            let at = rest.find(|c: char| c == '"' || c == '-' || c.is_ascii_digit())?;
            rest = &rest[at..];
            if let Some(inner) = rest.strip_prefix('"') {
                let mut escaped = false;
                let end = inner.find(|c| {
                    let is_end = c == '"' && !escaped;
                    escaped = c == '\\' && !escaped;
                    is_end
                })?;
                rest = &inner[end + 1..];
                continue;
            }
            let end = rest
                .find(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c)))
                .unwrap_or(rest.len());
            let (number, behind) = rest.split_at(end);
            rest = behind;
            return Some(number);
        }
    })
}

/// What is made of a body.
pub(super) struct Written {
    pub(super) body: Body,
    /// A Content-Type that the body does not imply.
    pub(super) content_type: Option<String>,
    pub(super) comments: Vec<String>,
    /// The values in it as they were sent.
    pub(super) sent: Vec<String>,
}

impl Written {
    fn of(body: Body) -> Self {
        Self {
            body,
            content_type: None,
            comments: Vec::new(),
            sent: Vec::new(),
        }
    }

    fn left_out(why: &str) -> Self {
        Self {
            comments: vec![format!("The body is left out: {why}.")],
            ..Self::of(Body::None)
        }
    }
}

impl Writer<'_> {
    /// The body of a request, with variables and references in the place of values that are not its own.
    pub(super) fn body(&mut self, exchange: &Exchange, correlation: &mut Correlation) -> Written {
        match &exchange.body {
            Payload::None => Written::of(Body::None),
            Payload::Lost { why } => Written::left_out(why),
            Payload::Text { text, mime } => self.text(exchange, text, mime, correlation),
            Payload::Fields(fields) => self.form(exchange, fields, correlation),
            Payload::Multipart(parts) => self.multipart(exchange, parts, correlation),
            Payload::Bytes { bytes, mime } => self.file(exchange, bytes, mime),
            Payload::File { path, mime } => {
                let content_type = content_type(mime);
                Written::of(Body::File {
                    path: path.clone(),
                    content_type,
                })
            }
        }
    }

    fn text(
        &mut self,
        exchange: &Exchange,
        text: &str,
        mime: &str,
        correlation: &mut Correlation,
    ) -> Written {
        let kind = mime
            .split(';')
            .next()
            .unwrap_or("")
            .trim()
            .to_ascii_lowercase();
        if kind == "application/x-www-form-urlencoded"
            && let Some(fields) = fields(text)
        {
            return self.form(exchange, &fields, correlation);
        }
        let is_json = kind.ends_with("json") || kind.is_empty() && text.starts_with(['{', '[']);
        if let Some(mut value) = is_json
            .then(|| json_body(text))
            .flatten()
            .filter(|value| self.budget.json(value, text.len()))
        {
            let mut written = Written::of(Body::None);
            self.json(&mut value, "", exchange, correlation, &mut written);
            written.body = Body::Json(value);
            written.content_type =
                Some(mime.to_owned()).filter(|_| kind != "application/json" && !kind.is_empty());
            return written;
        }
        let place = self.place(exchange, "body");
        if self.budget.text(text.len()) {
            let secrets = &mut self.secrets;
            let body = correlation.embedded(text, exchange.started_ms, |rest| {
                secrets.in_text(rest, &place)
            });
            let mut written = Written::of(Body::Text(body));
            written.content_type = Some(mime.to_owned()).filter(|mime| !mime.is_empty());
            return written;
        }
        if crate::secrets::Secrets::default().in_text(text, "") != literal(text) {
            return Written::left_out(
                "it is too long for a definition, and has values that must not be written to a file",
            );
        }
        self.file(exchange, text.as_bytes(), mime)
    }

    fn file(&mut self, exchange: &Exchange, bytes: &[u8], mime: &str) -> Written {
        let kind = mime.split(';').next().unwrap_or("").trim();
        let about = format!(
            "{} bytes of {}",
            bytes.len(),
            if kind.is_empty() {
                "unknown type"
            } else {
                kind
            }
        );
        match self.keep_file(exchange, "body", bytes) {
            Ok(path) => Written::of(Body::File {
                path,
                content_type: content_type(kind),
            }),
            Err(why) => Written::left_out(&format!("{about}; {why}")),
        }
    }

    fn form(
        &mut self,
        exchange: &Exchange,
        fields: &[(String, String)],
        correlation: &mut Correlation,
    ) -> Written {
        let writable = |(name, _): &(String, String)| {
            (1..=MAX_KEY).contains(&name.chars().count())
                && !name.contains('\0')
                && !name.contains("${")
        };
        let bytes = fields
            .iter()
            .map(|(name, value)| name.len() + value.len() + 8)
            .sum();
        if !fields.iter().all(writable) || !in_runs(fields) || !self.budget.text(bytes) {
            return Written::left_out(
                "its form has fields that a definition can't have, or too many",
            );
        }
        let mut written = Written::of(Body::None);
        let mut all = Vec::new();
        for (name, value) in fields {
            written.sent.push(value.clone());
            let value = self.value(name, value, exchange, correlation, &mut written.comments);
            all.push((name.clone(), value));
        }
        written.body = if all.is_empty() {
            Body::None
        } else {
            Body::Form(all)
        };
        written
    }

    fn multipart(
        &mut self,
        exchange: &Exchange,
        parts: &[FormPart],
        correlation: &mut Correlation,
    ) -> Written {
        let mut written = Written::of(Body::None);
        let mut all = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            let content = match &part.content {
                PartContent::Named(path) => Some(Content::File {
                    path: path.clone(),
                    file_name: part.file_name.as_deref().map(literal),
                }),
                PartContent::Lost => {
                    let name = part.file_name.as_deref().unwrap_or("a file");
                    written.comments.push(format!("The part {} was the file {name}, which the recording does not have: add {{ name, file }} with one of your own.", floodgate_records::printable::quoted(&part.name)));
                    None
                }
                PartContent::Bytes(bytes) if part.file_name.is_some() => {
                    match self.keep_file(exchange, &format!("part-{}", index + 1), bytes) {
                        Ok(path) => Some(Content::File {
                            path,
                            file_name: part.file_name.as_deref().map(literal),
                        }),
                        Err(why) => {
                            written.comments.push(format!(
                                "The file of the part {} is left out: {why}.",
                                floodgate_records::printable::quoted(&part.name)
                            ));
                            None
                        }
                    }
                }
                PartContent::Bytes(bytes) => {
                    let text = String::from_utf8_lossy(bytes).into_owned();
                    let fits = self.budget.text(text.len()) && !text.contains('\0');
                    written.sent.push(text.clone());
                    fits.then(|| {
                        Content::Text(self.value(
                            &part.name,
                            &text,
                            exchange,
                            correlation,
                            &mut written.comments,
                        ))
                    })
                }
            };
            let name = part.name.replace("${", "$${");
            let fits = |text: &String| text.len() <= 1_000 && !text.chars().any(char::is_control);
            all.extend(content.filter(|_| fits(&name)).map(|content| Part {
                name,
                content,
                content_type: part.mime.clone().filter(fits).map(|mime| literal(&mime)),
            }));
        }
        if all.is_empty() {
            written
                .comments
                .push("The form is left out: nothing is left of its parts.".into());
        } else {
            written.body = Body::Multipart(all);
        }
        written
    }

    fn json(
        &mut self,
        value: &mut Value,
        name: &str,
        exchange: &Exchange,
        correlation: &mut Correlation,
        written: &mut Written,
    ) {
        match value {
            Value::String(text) => {
                written.sent.push(text.clone());
                *value = Value::String(self.json_text(
                    name,
                    text,
                    exchange,
                    correlation,
                    &mut written.comments,
                ));
            }
            Value::Number(number) => {
                let text = number.to_string();
                written.sent.push(text.clone());
                if is_secret_field(name) && text.len() > 2 {
                    *value = Value::String(self.secret(name, &text, exchange));
                } else if let Bound::Variable(variable) =
                    correlation.bind(Slot::Named(name), &text, exchange.started_ms)
                {
                    *value = Value::String(format!("${{{variable}}}"));
                }
            }
            Value::Array(items) => items
                .iter_mut()
                .for_each(|item| self.json(item, name, exchange, correlation, written)),
            Value::Object(map) => map.iter_mut().for_each(|(key, item)| {
                self.json(item, key, exchange, correlation, written);
            }),
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// Text in JSON: a template alone that gives a number would become one.
    fn json_text(
        &mut self,
        name: &str,
        text: &str,
        exchange: &Exchange,
        correlation: &mut Correlation,
        comments: &mut Vec<String>,
    ) -> String {
        if text.parse::<f64>().is_ok() {
            let secret = is_secret_field(name) || is_secret_value(text);
            return if secret {
                self.secret(name, text, exchange)
            } else {
                literal(text)
            };
        }
        self.value(name, text, exchange, correlation, comments)
    }
}

/// A type that a file can be sent with.
fn content_type(mime: &str) -> Option<String> {
    let fits = !mime.is_empty() && is_valid("content-type", mime);
    fits.then(|| literal(mime))
}

/// Fields of a form as they were sent; `None` if it is none.
fn fields(text: &str) -> Option<Vec<(String, String)>> {
    let decoded = |text: &str| {
        percent_encoding::percent_decode_str(&text.replace('+', " "))
            .decode_utf8()
            .ok()
            .map(|text| text.into_owned())
    };
    let pairs = text
        .trim_end_matches(['\r', '\n'])
        .split('&')
        .filter(|pair| !pair.is_empty());
    let fields: Option<Vec<_>> = pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=')?;
            Some((
                decoded(name).filter(|name| !name.is_empty() && !name.contains("${"))?,
                decoded(value)?,
            ))
        })
        .collect();
    fields.filter(|fields| !fields.is_empty() && in_runs(fields))
}

/// Whether fields of the same name follow each other, so that a list says them all.
fn in_runs(fields: &[(String, String)]) -> bool {
    let mut seen = std::collections::HashSet::new();
    let mut last = None;
    fields.iter().all(|(name, _)| {
        let goes_on = last == Some(name);
        last = Some(name);
        goes_on || seen.insert(name)
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_digits_or_the_text_stays() {
        for json in [
            "{\"a\": 1, \"b\": [2.5, -3e5, {\"c\\\"1.10\": \"1.10\"}]}",
            "[10.0]",
        ] {
            let exact = json_body(json).is_some();
            assert_eq!(exact, !json.contains("e5"), "{json}");
        }
        for json in [
            "{\"price\": 1.10}",
            "[12345678901234567890123]",
            "{\"a\":1,\"a\":2}",
            "7",
            "{",
        ] {
            assert!(json_body(json).is_none(), "{json}");
        }
    }

    #[test]
    fn a_form_is_one_if_a_list_can_say_it() {
        assert_eq!(
            fields("a=1&b[]=x+y&b[]=%C3%A9").unwrap()[2],
            ("b[]".into(), "é".into())
        );
        for none in ["a=1&b=2&a=3", "plain text", "=x", "a=%FF"] {
            assert!(fields(none).is_none(), "{none}");
        }
    }
}
