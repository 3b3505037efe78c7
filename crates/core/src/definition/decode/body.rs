//! Bodies of requests.

use super::context::Decoder;
use super::template::Scope;
use crate::definition::keys::step;
use crate::definition::model::{Body, JsonTemplate, Part, PartContent};
use crate::definition::tree::{Content, Kind, Node, Piece, Plain, plain};
use serde_json::Value;

impl Decoder<'_> {
    /// The body of a request.
    pub(super) fn body(&mut self, node: &Node, scope: &Scope) -> Body {
        let body = if let Some(text) = step::BODY.place(node) {
            self.template(text, scope).map(Body::Text)
        } else if let Some(json) = step::JSON.place(node) {
            self.json(json, scope).map(Body::Json)
        } else if let Some(form) = step::FORM.place(node) {
            Some(Body::Form(self.fields(form, scope)))
        } else if let Some(file) = step::FILE.place(node) {
            let path = if file.scalar().is_some() {
                Some(file)
            } else {
                step::BODY_PATH.place(file)
            };
            let content_type = step::BODY_TYPE.of(file);
            path.and_then(|path| self.file(path))
                .map(|path| Body::File { path, content_type })
        } else {
            step::MULTIPART.place(node).map(|parts| {
                Body::Multipart(
                    parts
                        .items()
                        .iter()
                        .filter_map(|part| self.part(part, scope))
                        .collect(),
                )
            })
        };
        body.unwrap_or(Body::Empty)
    }

    fn part(&mut self, node: &Node, scope: &Scope) -> Option<Part> {
        let content = match (step::PART_VALUE.place(node), step::PART_FILE.place(node)) {
            (Some(value), _) => PartContent::Text(self.template(value, scope)?),
            (None, Some(file)) => {
                let path = self.file(file)?;
                let own = path.rsplit('/').next().unwrap_or(&path).to_owned();
                let file_name = step::PART_FILE_NAME.of(node).unwrap_or(own);
                PartContent::File { path, file_name }
            }
            (None, None) => return None,
        };
        let content_type = step::PART_TYPE.of(node);
        Some(Part {
            name: step::PART_NAME.of(node)?,
            content,
            content_type,
        })
    }

    fn json(&mut self, node: &Node, scope: &Scope) -> Option<JsonTemplate> {
        match &node.kind {
            Kind::List(items) => Some(JsonTemplate::Array(
                items
                    .iter()
                    .filter_map(|item| self.json(item, scope))
                    .collect(),
            )),
            Kind::Map(entries) => {
                let fields = entries
                    .iter()
                    .filter_map(|entry| Some((entry.key.clone(), self.json(&entry.value, scope)?)));
                Some(JsonTemplate::Object(fields.collect()))
            }
            Kind::Scalar(scalar) => match &scalar.content {
                // A parameter that stands alone keeps its own type; other references give text.
                Content::Pieces(pieces) => match pieces.as_slice() {
                    [Piece::Resolved { text, plain, .. }] => {
                        Some(json_literal(plain.clone(), text))
                    }
                    _ => {
                        let template = self.template(node, scope)?;
                        Some(match template.as_literal() {
                            Some(text) => JsonTemplate::Literal(Value::String(text.to_owned())),
                            None => JsonTemplate::String(template),
                        })
                    }
                },
                Content::AsWritten => {
                    self.other_templates(node, &scalar.raw);
                    Some(json_literal(plain(scalar), &scalar.raw))
                }
                Content::Broken => None,
            },
        }
    }
}

fn json_literal(plain: Plain, text: &str) -> JsonTemplate {
    JsonTemplate::Literal(match plain {
        Plain::Number(digits) => return JsonTemplate::Number(digits),
        Plain::Null => Value::Null,
        Plain::Boolean(value) => Value::Bool(value),
        Plain::Text => Value::String(text.to_owned()),
    })
}
