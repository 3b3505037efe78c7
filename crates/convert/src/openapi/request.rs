//! Requests of operations.

use super::document::Document;
use super::link::{self, Link};
use super::operation::{Operation, text};
use super::sample::Sampler;
use super::security;
use crate::compose::{Budget, shown, unique};
use crate::confidential::is_secret_field;
use crate::draft::{Body, Content, Part, Request, Secret, literal};
use crate::secrets::Secrets;
use serde_json::Value;
use std::collections::HashMap;

/// Writes requests; what they share is collected.
pub(super) struct Writer<'a> {
    document: &'a Document,
    secrets: Secrets,
    budget: Budget,
    variables: HashMap<String, usize>,
    made_up: usize,
}

impl<'a> Writer<'a> {
    pub(super) fn new(document: &'a Document) -> Self {
        Self {
            document,
            secrets: Secrets::default(),
            budget: Budget::default(),
            variables: HashMap::new(),
            made_up: 0,
        }
    }

    pub(super) fn into_secrets(self) -> Vec<Secret> {
        self.secrets.all
    }

    pub(super) fn notes(&self) -> Vec<String> {
        match self.made_up {
            0 => Vec::new(),
            n => {
                let (requests, have, they) = if n == 1 {
                    ("request", "has", "it is")
                } else {
                    ("requests", "have", "they are")
                };
                vec![format!(
                    "{n} {requests} {have} values that are made up, since the document has no examples for them: {they} marked."
                )]
            }
        }
    }

    /// The requests of a group. Ids that one of them creates are the variables of those behind it.
    pub(super) fn group(&mut self, operations: &[Operation<'_>]) -> Vec<Request> {
        let mut written: Vec<Request> = Vec::new();
        let mut known: HashMap<(usize, String), String> = HashMap::new();
        for (index, operation) in operations.iter().enumerate() {
            let mut request = Request {
                method: operation.method.clone(),
                name: shown(&called(operation)),
                ..Request::default()
            };
            let summary = text(operation.about, "summary");
            if !summary.is_empty() {
                request.comments.push(summary.chars().take(100).collect());
            }
            let mut sampler = Sampler::new(self.document);
            let path = self.path(
                operation,
                &operations[..index],
                &mut known,
                &mut written,
                &mut sampler,
            );
            request.url = path;
            self.parameters(operation, &mut sampler, &mut request);
            security::apply(self.document, operation, &mut self.secrets, &mut request);
            self.body(operation, &mut sampler, &mut request);
            if sampler.made_up {
                self.made_up += 1;
                request.comments.push("Some values are made up.".into());
            }
            checks(operation, &mut request);
            written.push(request);
        }
        written
    }

    fn path(
        &mut self,
        operation: &Operation<'_>,
        before: &[Operation<'_>],
        known: &mut HashMap<(usize, String), String>,
        written: &mut [Request],
        sampler: &mut Sampler<'_>,
    ) -> String {
        let mut url = String::new();
        let mut rest = operation.path.as_str();
        while let Some((lead, name, behind)) = placeholder(rest) {
            url.push_str(&encoded(lead));
            rest = behind;
            let parameter = operation
                .parameters_in("path")
                .find(|one| text(one, "name") == name);
            let has_example = parameter.is_some_and(has_example);
            match link::find(self.document, before, &operation.path, name)
                .filter(|link| link.creates || !has_example)
            {
                Some(Link {
                    from, extractor, ..
                }) => {
                    let variable = known.entry((from, extractor.clone())).or_insert_with(|| {
                        let variable = unique(&mut self.variables, &variable(name));
                        written[from].extract.push((variable.clone(), extractor));
                        variable
                    });
                    url.push_str(&format!("${{{variable}}}"));
                }
                None => {
                    let made_up = std::mem::take(&mut sampler.made_up);
                    let value =
                        parameter.map_or_else(|| Value::String("1".into()), |one| sampler.of(one));
                    sampler.made_up |= made_up || !has_example;
                    url.push_str(&segment(&value));
                }
            }
        }
        url.push_str(&encoded(rest));
        url
    }

    /// What has to be in the query, in headers and in cookies.
    fn parameters(
        &mut self,
        operation: &Operation<'_>,
        sampler: &mut Sampler<'_>,
        request: &mut Request,
    ) {
        let required = |one: &&Value| one.get("required") == Some(&Value::Bool(true));
        for one in operation.parameters_in("query").filter(required) {
            let name = text(one, "name");
            let value = sampler.of(one);
            if name.chars().count() > 256 || name.contains("${") || name.contains('\0') {
                continue;
            }
            for value in each(&value) {
                let value = self.confidential(name, value, operation);
                request.params.push((name.to_owned(), value));
            }
        }
        for one in operation.parameters_in("header").filter(required) {
            let name = text(one, "name");
            let is_token = name.len() <= 200
                && name
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"!#%&'*+-.^_`|~".contains(&b));
            let is_own = ["accept", "content-type", "authorization"]
                .contains(&name.to_ascii_lowercase().as_str());
            if is_token && !is_own {
                let value = sampler.of(one);
                let value = each(&value).next().unwrap_or_default();
                let value = self.confidential(name, value, operation);
                request.headers.extend(
                    (!value.chars().any(char::is_control)).then(|| (name.to_owned(), value)),
                );
            }
        }
        for one in operation.parameters_in("cookie").filter(required) {
            let name: String = text(one, "name")
                .chars()
                .filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c))
                .collect();
            let value = self.secrets.keep(
                &name,
                &format!("cookie {name}"),
                &format!("cookie {name} of {}", shown(&called(operation))),
            );
            request
                .headers
                .push(("Cookie".to_owned(), format!("{name}={value}")));
        }
    }

    fn confidential(&mut self, name: &str, value: String, operation: &Operation<'_>) -> String {
        match is_secret_field(name) {
            true => self.secrets.keep(
                name,
                &format!("{name} {value}"),
                &format!("{name} of {}", shown(&called(operation))),
            ),
            false => value,
        }
    }

    fn body(
        &mut self,
        operation: &Operation<'_>,
        sampler: &mut Sampler<'_>,
        request: &mut Request,
    ) {
        let body = self.document.member(operation.about, "requestBody");
        let Some(content) = body.get("content").and_then(Value::as_object) else {
            return;
        };
        let is = |mime: &str, kind: &str| {
            mime.split(';')
                .next()
                .is_some_and(|own| own.trim().eq_ignore_ascii_case(kind))
        };
        let json = content
            .iter()
            .find(|(mime, _)| is(mime, "application/json"))
            .or_else(|| {
                content
                    .iter()
                    .find(|(mime, _)| mime.contains("json") || mime.as_str() == "*/*")
            });
        if let Some((mime, media)) = json {
            let mut value = sampler.of(media);
            self.secret_members(&mut value, "", operation);
            let text = value.to_string();
            if !matches!(value, Value::Array(_) | Value::Object(_)) {
                // A template has quotes of its own, which are none of the text's.
                let is_template = |text: &&str| text.contains("${") && !text.contains("$${");
                request.body = Body::Text(match value.as_str().filter(is_template) {
                    Some(template) => format!("\"{template}\""),
                    None => text,
                });
                request
                    .headers
                    .push(("Content-Type".into(), "application/json".into()));
            } else if self.budget.json(&value, text.len()) {
                request.body = Body::Json(value);
                if mime.as_str() != "*/*"
                    && !is(mime, "application/json")
                    && mime.bytes().all(|b| (0x20..0x7f).contains(&b))
                {
                    request.headers.push(("Content-Type".into(), literal(mime)));
                }
            } else {
                request
                    .comments
                    .push("The body is left out: it is too long for a definition.".into());
            }
            return;
        }
        let form = content
            .iter()
            .find(|(mime, _)| is(mime, "application/x-www-form-urlencoded"));
        let multipart = content
            .iter()
            .find(|(mime, _)| is(mime, "multipart/form-data"));
        if let Some((_, media)) = form.or(multipart) {
            let fields = self.fields(&sampler.of(media), operation);
            request.body = match (fields.is_empty(), form.is_some()) {
                (true, _) => Body::None,
                (false, true) => Body::Form(fields),
                (false, false) => Body::Multipart(
                    fields
                        .into_iter()
                        .map(|(name, value)| Part {
                            name,
                            content: Content::Text(value),
                            content_type: None,
                        })
                        .collect(),
                ),
            };
            if form.is_none() {
                request
                    .comments
                    .push("Files of the form stand as text: write { name, file } for them.".into());
            }
            return;
        }
        match content
            .iter()
            .find(|(mime, _)| mime.starts_with("text/") || mime.contains("xml"))
        {
            Some((mime, media)) => {
                let value = sampler.of(media);
                let Value::String(text) = value else {
                    return request
                        .comments
                        .push(format!("The body is left out: {mime} without an example."));
                };
                request.body = Body::Text(text);
                request.headers.extend(
                    mime.bytes()
                        .all(|b| (0x20..0x7f).contains(&b))
                        .then(|| ("Content-Type".to_owned(), literal(mime))),
                );
            }
            None => {
                let kinds: Vec<_> = content.keys().take(3).map(String::as_str).collect();
                request.comments.push(format!(
                    "The body is left out: {}. Write file: NAME for one of your own.",
                    kinds.join(", ")
                ));
            }
        }
    }

    fn fields(&mut self, value: &Value, operation: &Operation<'_>) -> Vec<(String, String)> {
        let mut fields = Vec::new();
        for (name, value) in value.as_object().into_iter().flatten() {
            let can_be_named = (1..=256).contains(&name.chars().count())
                && !name.contains("${")
                && !name.chars().any(char::is_control);
            for value in each(value).filter(|_| can_be_named) {
                let value = self.confidential(name, value, operation);
                fields.push((name.clone(), value));
            }
        }
        fields
    }

    /// Puts references in the place of what is confidential by its name.
    fn secret_members(&mut self, value: &mut Value, name: &str, operation: &Operation<'_>) {
        match value {
            Value::String(text) if is_secret_field(name) && !text.is_empty() => {
                let text = std::mem::take(text);
                *value = Value::String(self.confidential(name, text, operation));
            }
            Value::Array(items) => items
                .iter_mut()
                .for_each(|item| self.secret_members(item, name, operation)),
            Value::Object(map) => map
                .iter_mut()
                .for_each(|(key, item)| self.secret_members(item, key, operation)),
            _ => {}
        }
    }
}

/// `{name}` in a path: what is before it, its name, and the rest.
fn placeholder(path: &str) -> Option<(&str, &str, &str)> {
    let open = path.find('{')?;
    let close = open + path[open..].find('}')?;
    Some((&path[..open], &path[open + 1..close], &path[close + 1..]))
}

fn called(operation: &Operation<'_>) -> String {
    let mut path = String::new();
    let mut rest = operation.path.as_str();
    while let Some((lead, name, behind)) = placeholder(rest) {
        path.push_str(&format!("{lead}:{name}"));
        rest = behind;
    }
    format!("{} {path}{rest}", operation.method)
}

fn variable(name: &str) -> String {
    let mut out: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .take(50)
        .collect();
    if !out.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        || ["vu", "iteration", "scenario", "task", "data"].contains(&out.as_str())
    {
        out.insert_str(0, "value_");
    }
    out
}

/// Text of a path as a URL has it.
fn encoded(text: &str) -> String {
    use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
    const PATH: &AsciiSet = &CONTROLS
        .add(b' ')
        .add(b'"')
        .add(b'<')
        .add(b'>')
        .add(b'?')
        .add(b'#')
        .add(b'`')
        .add(b'{')
        .add(b'}')
        .add(b'$')
        .add(b'\\')
        .add(b'^')
        .add(b'|');
    utf8_percent_encode(text, PATH).to_string()
}

/// A value as one segment; templates stay.
fn segment(value: &Value) -> String {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~')
        .remove(b'@')
        .remove(b':')
        .remove(b',');
    let text = each(value).next().unwrap_or_else(|| "1".to_owned());
    if text.starts_with("${") && text.ends_with('}') && !text.contains(' ') {
        return text;
    }
    let text = text.replace("$${", "${");
    utf8_percent_encode(&text, SEGMENT).to_string()
}

/// A scalar as text, or each of a list.
fn each(value: &Value) -> impl Iterator<Item = String> {
    let one = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => literal(&other.to_string()),
    };
    let all: Vec<String> = match value {
        Value::Array(items) => items.iter().map(one).collect(),
        other => vec![one(other)],
    };
    all.into_iter()
}

fn has_example(parameter: &Value) -> bool {
    let has = |holder: &Value| {
        ["example", "examples", "default", "enum"]
            .iter()
            .any(|key| holder.get(*key).is_some())
    };
    has(parameter) || parameter.get("schema").is_some_and(has)
}

/// The statuses of the document that mean success.
fn checks(operation: &Operation<'_>, request: &mut Request) {
    let responses = operation.about.get("responses").and_then(Value::as_object);
    let good: Vec<&str> = responses
        .into_iter()
        .flatten()
        .map(|(status, _)| status.as_str())
        .filter(|status| status.starts_with('2'))
        .collect();
    let exact = match good.as_slice() {
        [one] => one
            .parse::<u16>()
            .ok()
            .filter(|status| (200..300).contains(status)),
        _ => None,
    };
    request.checks.push(exact.map_or_else(
        || "status in 200..299".to_owned(),
        |status| format!("status == {status}"),
    ));
}
