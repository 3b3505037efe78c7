//! Request bodies: what is sent, and its default type.

use super::encode::{Encoding, encode};
use super::error::Problem;
use super::files::Files;
use super::symbols::SymbolTable;
use super::text::{Scope, Text};
use bytes::Bytes;
use floodgate_core::definition::{Body, JsonTemplate, Part, PartContent};

/// A body ready to be filled in.
#[derive(Debug)]
pub(crate) enum BodyPlan {
    /// Always the same.
    Fixed(Bytes),
    /// Text with values in it.
    Text(Text),
    /// Text and files in turn.
    Mixed(Vec<Chunk>),
}

#[derive(Debug)]
pub(crate) enum Chunk {
    Text(Text),
    File(Bytes),
}

impl BodyPlan {
    /// The plan and the `Content-Type` that goes with it unless a header says otherwise. `boundary` separates the parts
    /// of a multipart body; it must not occur in them.
    pub(crate) fn compile(
        body: &Body,
        names: &SymbolTable<'_>,
        files: &Files,
        boundary: &str,
    ) -> Result<(Self, Option<String>), Problem> {
        let of = |text: Text, content_type: &str| (Self::text(text), Some(content_type.to_owned()));
        Ok(match body {
            Body::Empty => (Self::Fixed(Bytes::new()), None),
            Body::Text(template) => of(
                Text::compile(template, names, Encoding::Raw)?,
                "text/plain; charset=utf-8",
            ),
            Body::Json(template) => {
                let mut text = Text::default();
                json(template, names, &mut text)?;
                of(text, "application/json")
            }
            Body::Form(fields) => {
                let mut text = Text::default();
                for (index, (name, value)) in fields.iter().enumerate() {
                    let mut literal = String::from(if index == 0 { "" } else { "&" });
                    encode(name, Encoding::Form, &mut literal);
                    text.push_literal(&literal);
                    text.push_literal("=");
                    text.push_template(value, names, Encoding::Form, |s, out| {
                        encode(s, Encoding::Form, out);
                    })?;
                }
                of(text, "application/x-www-form-urlencoded")
            }
            Body::File { path, content_type } => {
                let content_type = content_type
                    .as_deref()
                    .unwrap_or("application/octet-stream");
                (
                    Self::Fixed(file(files, path)?),
                    Some(content_type.to_owned()),
                )
            }
            Body::Multipart(parts) => {
                let content_type = format!("multipart/form-data; boundary={boundary}");
                (
                    multipart(parts, names, files, boundary)?,
                    Some(content_type),
                )
            }
        })
    }

    fn text(text: Text) -> Self {
        match text.as_literal() {
            Some(literal) => Self::Fixed(Bytes::copy_from_slice(literal.as_bytes())),
            None => Self::Text(text),
        }
    }

    /// Whether it is the same for every request.
    pub(crate) fn is_fixed(&self) -> bool {
        matches!(self, Self::Fixed(_))
    }

    /// The body with everything filled in.
    pub(crate) fn render(&self, scope: &mut Scope<'_>) -> Bytes {
        match self {
            Self::Fixed(bytes) => bytes.clone(),
            Self::Text(text) => text.rendered(scope).into(),
            Self::Mixed(chunks) => {
                let mut out = Vec::new();
                for chunk in chunks {
                    match chunk {
                        Chunk::Text(text) => out.extend_from_slice(text.rendered(scope).as_bytes()),
                        Chunk::File(bytes) => out.extend_from_slice(bytes),
                    }
                }
                out.into()
            }
        }
    }
}

fn file(files: &Files, path: &str) -> Result<Bytes, Problem> {
    files
        .body(path)
        .cloned()
        .ok_or_else(|| Problem::MissingFile(path.to_owned()))
}

fn json(template: &JsonTemplate, names: &SymbolTable<'_>, text: &mut Text) -> Result<(), Problem> {
    use floodgate_core::template::Part as TemplatePart;
    match template {
        JsonTemplate::Literal(value) => text.push_literal(&value.to_string()),
        JsonTemplate::Number(digits) => text.push_literal(digits),
        JsonTemplate::String(template) => match template.parts.as_slice() {
            [TemplatePart::Variable(alone)] => {
                text.push_variable(alone, names, Encoding::JsonValue)?;
            }
            _ => {
                text.push_literal("\"");
                text.push_template(template, names, Encoding::JsonText, |s, out| {
                    encode(s, Encoding::JsonText, out);
                })?;
                text.push_literal("\"");
            }
        },
        JsonTemplate::Array(items) => {
            text.push_literal("[");
            for (index, item) in items.iter().enumerate() {
                text.push_literal(if index == 0 { "" } else { "," });
                json(item, names, text)?;
            }
            text.push_literal("]");
        }
        JsonTemplate::Object(fields) => {
            text.push_literal("{");
            for (index, (name, item)) in fields.iter().enumerate() {
                let mut literal = String::from(if index == 0 { "\"" } else { ",\"" });
                encode(name, Encoding::JsonText, &mut literal);
                text.push_literal(&literal);
                text.push_literal("\":");
                json(item, names, text)?;
            }
            text.push_literal("}");
        }
    }
    Ok(())
}

/// RFC 7578; names are escaped as browsers do
/// (<https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#multipart-form-data>).
fn multipart(
    parts: &[Part],
    names: &SymbolTable<'_>,
    files: &Files,
    boundary: &str,
) -> Result<BodyPlan, Problem> {
    let mut chunks = Vec::new();
    let mut text = Text::default();
    for part in parts {
        text.push_literal(&format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"",
            quoted(&part.name)
        ));
        if let PartContent::File { file_name, .. } = &part.content {
            text.push_literal(&format!("; filename=\"{}\"", quoted(file_name)));
        }
        let default =
            matches!(part.content, PartContent::File { .. }).then_some("application/octet-stream");
        if let Some(content_type) = part.content_type.as_deref().or(default) {
            if content_type.chars().any(char::is_control) {
                return Err(Problem::BadHeaderValue(format!(
                    "Content-Type of part {}",
                    part.name
                )));
            }
            text.push_literal(&format!("\r\nContent-Type: {content_type}"));
        }
        text.push_literal("\r\n\r\n");
        match &part.content {
            PartContent::Text(template) => {
                text.push_template(template, names, Encoding::Raw, |s, out| out.push_str(s))?;
            }
            PartContent::File { path, .. } => {
                chunks.push(Chunk::Text(std::mem::take(&mut text)));
                chunks.push(Chunk::File(file(files, path)?));
            }
        }
        text.push_literal("\r\n");
    }
    text.push_literal(&format!("--{boundary}--\r\n"));
    chunks.push(Chunk::Text(text));
    Ok(join(chunks))
}

/// One fixed body if no chunk has anything to fill in.
fn join(chunks: Vec<Chunk>) -> BodyPlan {
    let mut joined = Vec::new();
    for chunk in &chunks {
        match chunk {
            Chunk::File(bytes) => joined.extend_from_slice(bytes),
            Chunk::Text(text) => match text.as_literal() {
                Some(literal) => joined.extend_from_slice(literal.as_bytes()),
                None => return BodyPlan::Mixed(chunks),
            },
        }
    }
    BodyPlan::Fixed(joined.into())
}

fn quoted(name: &str) -> String {
    name.replace('"', "%22")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}
