//! What an operation's response may be, and how one that came differs from it.

use crate::difference::{Difference, excerpt};
use crate::document::{Document, Part};
use crate::error::Fault;
use crate::media;
use crate::schema::Schema;
use serde_json::Value;

/// A response as it came.
pub trait Response {
    /// The status code.
    fn status(&self) -> u16;
    /// The value of the first header of that case-insensitive name.
    fn header(&self, name: &str) -> Option<&[u8]>;
    /// The body, decoded; empty without one.
    fn body(&self) -> &[u8];
}

/// What the document says of a response.
#[derive(Debug)]
pub(crate) struct Expected {
    /// Ranges of content types, the narrowest first; none where the document says nothing of bodies.
    content: Vec<(String, Option<Schema>)>,
    headers: Vec<Header>,
}

#[derive(Debug)]
struct Header {
    name: String,
    required: bool,
    schema: Option<Schema>,
}

impl Expected {
    pub(crate) fn of(document: &Document, part: &Part<'_>, faults: &mut Vec<Fault>) -> Self {
        let content = part.get("content");
        let content = content.iter().flat_map(Part::entries);
        let mut content: Vec<_> = content
            .map(|(range, part)| (range.to_owned(), part.get("schema").map(Schema::of)))
            .collect();
        content.sort_by_key(|(range, _)| media::width(range));
        let mut headers = Vec::new();
        let all = part.get("headers");
        for (name, part) in all.iter().flat_map(Part::entries) {
            // The content type stands in `content`.
            if name.eq_ignore_ascii_case("content-type") {
                continue;
            }
            match document.resolve(part) {
                Ok(part) => headers.push(Header {
                    name: name.to_owned(),
                    required: part.value.get("required") == Some(&Value::Bool(true)),
                    schema: part.get("schema").map(Schema::of),
                }),
                Err(fault) => faults.push(fault),
            }
        }
        Self { content, headers }
    }

    /// What of its schemas cannot be used.
    pub(crate) fn compile(&self, document: &Document) -> Vec<Fault> {
        let bodies = self.content.iter();
        let bodies = bodies.filter(|(range, _)| media::is_json(range) || range.contains('*'));
        let bodies = bodies.filter_map(|(_, schema)| schema.as_ref());
        let headers = self
            .headers
            .iter()
            .filter_map(|header| header.schema.as_ref());
        let all = bodies.chain(headers);
        all.filter_map(|schema| schema.ready(document).err().cloned())
            .collect()
    }

    pub(crate) fn compare(
        &self,
        document: &Document,
        response: &impl Response,
        has_body: bool,
        found: &mut Vec<Difference>,
    ) {
        for header in &self.headers {
            header.compare(document, response, found);
        }
        if !has_body || self.content.is_empty() {
            return;
        }
        let given = response.header("content-type").unwrap_or_default();
        let given = String::from_utf8_lossy(given);
        let fits = |(range, _): &&(String, Option<Schema>)| media::is_in(range, &given);
        let Some((_, schema)) = self.content.iter().find(fits) else {
            let known = self.content.iter().map(|(range, _)| range.as_str());
            let known = known.collect::<Vec<_>>().join(", ");
            let got = match given.is_empty() {
                true => "none".to_owned(),
                false => excerpt(&given),
            };
            found.push(Difference::new("content type", known, got));
            return;
        };
        if let Some(schema) = schema.as_ref().filter(|_| media::is_json(&given)) {
            body(document, schema, response.body(), found);
        }
    }
}

fn body(document: &Document, schema: &Schema, body: &[u8], found: &mut Vec<Difference>) {
    const BOM: &[u8] = b"\xef\xbb\xbf";
    let text = body.strip_prefix(BOM).unwrap_or(body);
    if text.trim_ascii().is_empty() {
        found.push(Difference::new("body", "JSON", "nothing"));
        return;
    }
    match serde_json::from_slice::<Value>(text) {
        Ok(value) => schema.compare(document, "$", &value, found),
        Err(error) => {
            let got = excerpt(&String::from_utf8_lossy(&text[..text.len().min(200)]));
            found.push(Difference::new("body", "JSON", format!("{got} ({error})")));
        }
    }
}

impl Header {
    fn compare(&self, document: &Document, response: &impl Response, found: &mut Vec<Difference>) {
        let place = format!("header {}", self.name);
        let Some(value) = response.header(&self.name) else {
            if self.required {
                found.push(Difference::new(place, "a value", "none"));
            }
            return;
        };
        let Some(schema) = &self.schema else { return };
        let text = String::from_utf8_lossy(value);
        // What a header means depends on its schema: text, a number, a list.
        let list = text.split(',').map(|item| scalar(item.trim()));
        let readings = [
            scalar(&text),
            Value::String(text.clone().into_owned()),
            Value::Array(list.collect()),
        ];
        let mut first = None;
        for reading in readings {
            let mut differences = Vec::new();
            schema.compare(document, &place, &reading, &mut differences);
            if differences.is_empty() {
                return;
            }
            first.get_or_insert(differences);
        }
        found.extend(first.into_iter().flatten());
    }
}

/// A number or a boolean, else text.
fn scalar(text: &str) -> Value {
    let parsed = serde_json::from_str(text).ok();
    let parsed = parsed.filter(|value: &Value| value.is_number() || value.is_boolean());
    parsed.unwrap_or_else(|| Value::String(text.to_owned()))
}
