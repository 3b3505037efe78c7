//! The steps of a flow.

use super::Build;
use super::http::one_or_more;
use crate::check::{Check, Subject};
use crate::definition::keys::grammar::{extractor, statuses, think};
use crate::definition::model::{
    Body, Extractor, JsonTemplate, OnMissing, Part, PartContent, RequestStep, Step,
};
use crate::definition::tree::{Content, Node, Piece, Plain, plain};
use crate::definition::without_credentials;
use crate::syntax::{SyntaxError, quoted};
use crate::template::{self, BUILTINS, Builder, FUNCTIONS, Template, Variable, expression};
use serde_json::Value;
use serde_json_path::JsonPath;
use std::ops::Range;

/// What templates may name at a place in a flow.
pub(super) struct Scope {
    sources: Vec<String>,
    locals: Vec<String>,
}

impl Scope {
    /// Before the first step.
    pub(super) fn new(sources: &[String]) -> Self {
        Self {
            sources: sources.to_vec(),
            locals: Vec::new(),
        }
    }

    fn check(&self, at: Range<usize>, variable: &Variable) -> Result<(), SyntaxError> {
        match variable {
            Variable::Local(name) if !self.locals.contains(name) => {
                let names = || {
                    BUILTINS
                        .into_iter()
                        .chain(self.locals.iter().map(String::as_str))
                };
                let error = SyntaxError::new(at, format!("unknown variable {}", quoted(name)))
                    .allowed(format!(
                        "{}, {}",
                        names().collect::<Vec<_>>().join(", "),
                        FUNCTIONS.join(", ")
                    ))
                    .nearest(name, names());
                Err(if self.sources.contains(name) {
                    error.hint(format!("name a column: ${{{name}.COLUMN}}"))
                } else if error.hint.is_none() {
                    error.hint("a step before this one has to set or extract it")
                } else {
                    error
                })
            }
            Variable::Data { source, .. } if !self.sources.contains(source) => {
                let allowed = if self.sources.is_empty() {
                    "none is declared below data".to_owned()
                } else {
                    self.sources.join(", ")
                };
                Err(
                    SyntaxError::new(at, format!("unknown data source {}", quoted(source)))
                        .allowed(allowed)
                        .nearest(source, self.sources.iter().map(String::as_str)),
                )
            }
            _ => Ok(()),
        }
    }

    fn add(&mut self, name: &str) {
        if !self.locals.iter().any(|local| local == name) {
            self.locals.push(name.to_owned());
        }
    }
}

impl Build<'_> {
    /// A scalar as a template.
    pub(super) fn template(&mut self, node: &Node, scope: &Scope) -> Option<Template> {
        let scalar = node.scalar()?;
        self.other_templates(node, &scalar.raw);
        let mut builder = Builder::default();
        match &scalar.content {
            Content::Broken => return None,
            Content::AsWritten => builder.literal(&scalar.raw),
            Content::Pieces(pieces) => {
                let mut sound = true;
                for piece in pieces {
                    match piece {
                        Piece::Literal(text) | Piece::Resolved { text, .. } => {
                            builder.literal(text);
                        }
                        Piece::Open { written, .. } => {
                            builder.variable(Variable::Open(written.clone()));
                        }
                        Piece::Expression { at, text } => {
                            let place = *at..*at + text.len();
                            let variable = expression(*at, text).and_then(|variable| {
                                scope.check(place, &variable).map(|()| variable)
                            });
                            match variable {
                                Ok(variable) => builder.variable(variable),
                                Err(error) => {
                                    self.sink.push(node.syntax(error));
                                    sound = false;
                                }
                            }
                        }
                    }
                }
                if !sound {
                    return None;
                }
            }
        }
        Some(builder.finish(&scalar.raw))
    }

    /// Templates of other tools are sent as they stand, which is hardly meant.
    fn other_templates(&mut self, node: &Node, text: &str) {
        for (open, close) in [("{{", "}}"), ("#{", "}"), ("%{", "}")] {
            let found = text.match_indices(open).find_map(|(at, _)| {
                let rest = &text[at + open.len()..];
                let name = rest[..rest.find(close)?].trim();
                let named = name.split('.').all(template::is_name);
                (named && name.len() <= 64).then_some((at, name))
            });
            if let Some((at, name)) = found {
                let written = &text[at..];
                let end = written
                    .find(close)
                    .map_or(written.len(), |end| end + close.len());
                let problem = format!("{} is sent as it stands", quoted(&written[..end]));
                let error = SyntaxError::new(at..at + end, problem)
                    .hint(format!("what is filled in is written ${{{name}}}"));
                self.sink.push(node.syntax(error).warning());
                return;
            }
        }
    }

    /// The steps of a flow or a group.
    pub(super) fn steps(&mut self, node: &Node, scope: &mut Scope) -> Vec<Step> {
        node.items()
            .iter()
            .filter_map(|step| self.step(step, scope))
            .collect()
    }

    fn step(&mut self, node: &Node, scope: &mut Scope) -> Option<Step> {
        if let Some(time) = node.get("think") {
            let (min, max) = think(&time.text()?).ok()?;
            return Some(Step::Think { min, max });
        }
        if let Some(name) = node.get("group") {
            let steps = node
                .get("steps")
                .map(|steps| self.steps(steps, scope))
                .unwrap_or_default();
            return Some(Step::Group {
                name: self.shown(name)?,
                steps,
            });
        }
        if let Some(set) = node.get("set") {
            let mut assignments = Vec::new();
            for entry in set.entries() {
                assignments.extend(
                    self.template(&entry.value, scope)
                        .map(|template| (entry.key.clone(), template)),
                );
                // Known from here on even if its value is wrong, or each use of it would be a fault too.
                scope.add(&entry.key);
            }
            return Some(Step::Set(assignments));
        }
        let request = self.request(node, scope);
        for entry in node.get("extract").map_or(&[][..], Node::entries) {
            scope.add(&entry.key);
        }
        request.map(|request| Step::Request(Box::new(request)))
    }

    fn request(&mut self, node: &Node, scope: &Scope) -> Option<RequestStep> {
        let line = ["get", "post", "put", "patch", "delete", "head", "options"]
            .into_iter()
            .find_map(|method| Some((method, node.get(method)?)));
        let (method, url) = match (line, node.get("request")) {
            (Some((method, url)), _) => (Some(method.to_owned()), Some(url)),
            (None, Some(line)) => (line.get("method").and_then(Node::string), line.get("url")),
            (None, None) => return None,
        };
        let url = url.and_then(|url| self.url(url, scope));
        // Everything is looked at before the first thing that is missing ends it.
        let params = node
            .get("params")
            .map(|params| self.fields(params, scope))
            .unwrap_or_default();
        let headers = node
            .get("headers")
            .map(|headers| self.headers(headers, scope))
            .unwrap_or_default();
        let body = self.body(node, scope);
        let auth = node.get("auth").and_then(|auth| self.auth(auth, scope));
        let checks = node
            .get("checks")
            .map_or(&[][..], Node::items)
            .iter()
            .filter_map(|node| self.check(node))
            .collect();
        let extract = node
            .get("extract")
            .map(|extract| self.extract(extract))
            .unwrap_or_default();
        let expected = node.get("expect").map_or(&[][..], one_or_more);
        let on_missing = match node.get("onMissing") {
            Some(place) if node.get("extract").is_none() => {
                let issue = place.issue("onMissing has no effect without extract");
                self.sink.push(issue.hint("remove it").warning());
                OnMissing::End
            }
            Some(place) if place.string().as_deref() == Some("continue") => OnMissing::Continue,
            _ => OnMissing::End,
        };
        let url = url?;
        Some(RequestStep {
            method: method?.to_ascii_uppercase(),
            name: node
                .get("name")
                .and_then(|name| self.shown(name))
                .filter(|name| !name.is_empty())
                .unwrap_or_else(|| without_credentials(&url.source)),
            url,
            params,
            headers,
            body,
            auth,
            timeout: node.get("timeout").and_then(Node::duration),
            max_redirects: node
                .get("maxRedirects")
                .and_then(Node::count)
                .and_then(|count| u32::try_from(count).ok()),
            expected_statuses: expected
                .iter()
                .filter_map(|item| statuses(&item.text()?).ok())
                .collect(),
            tags: self.tags(node),
            checks,
            extract,
            on_missing,
        })
    }

    fn url(&mut self, node: &Node, scope: &Scope) -> Option<Template> {
        let template = self.template(node, scope)?;
        let first = match template.parts.first() {
            Some(template::Part::Literal(text)) => text.to_ascii_lowercase(),
            Some(template::Part::Variable(_)) => return Some(template),
            None => String::new(),
        };
        let is_absolute = first.starts_with("http://") || first.starts_with("https://");
        if !is_absolute && !first.starts_with('/') {
            let issue = node.issue(format!(
                "the URL {} is neither absolute nor a path",
                node.shown()
            ));
            self.sink.push(
                issue.allowed("a path of the target that begins with /, or http://… or https://…"),
            );
        } else if !is_absolute && !self.has_target {
            let issue = node.issue(format!(
                "{} is a path, and the definition has no target to join it to",
                node.shown()
            ));
            self.sink
                .push(issue.hint("add target: http://HOST, or write the whole URL"));
        }
        let odd = |text: &String| text.contains(|c: char| c.is_whitespace() || c.is_control());
        if template
            .parts
            .iter()
            .any(|part| matches!(part, template::Part::Literal(text) if odd(text)))
        {
            let issue = node.issue(format!(
                "the URL {} has a space or a control character in it",
                node.shown()
            ));
            self.sink.push(
                issue.hint("write %20 for a space, or use params, which are encoded for you"),
            );
        }
        Some(template)
    }

    fn fields(&mut self, node: &Node, scope: &Scope) -> Vec<(String, Template)> {
        let mut fields = Vec::new();
        for entry in node.entries() {
            for value in one_or_more(&entry.value) {
                fields.extend(
                    self.template(value, scope)
                        .map(|template| (entry.key.clone(), template)),
                );
            }
        }
        fields
    }

    fn extract(&mut self, node: &Node) -> Vec<(String, Extractor)> {
        let mut extract = Vec::new();
        for entry in node.entries() {
            let text = entry.value.text();
            let Some(from) = text.and_then(|text| extractor(&text).ok()) else {
                continue;
            };
            if let Extractor::JsonPath(path) = &from {
                self.no_length(&entry.value, path);
            }
            extract.push((entry.key.clone(), from));
        }
        extract
    }

    fn check(&mut self, node: &Node) -> Option<Check> {
        let mut check = Check::parse(&node.text()?).ok()?;
        // The name is a tag: it shows what is written, never what a secret became.
        if let Some(scalar) = node.scalar() {
            check.name.clone_from(&scalar.raw);
        }
        if let Subject::JsonPath(path) = &check.subject {
            self.no_length(node, path);
        }
        Some(check)
    }

    /// A JSONPath has no lengths (RFC 9535): `.length` is a member of that name.
    fn no_length(&mut self, node: &Node, path: &JsonPath) {
        let path = path.to_string();
        let list = ["length", "size", "count"].iter().find_map(|word| {
            let by_name = path.strip_suffix(&format!("['{word}']"));
            let list = by_name.or_else(|| path.strip_suffix(&format!(".{word}")))?;
            Some((list, word))
        });
        if let Some((list, word)) = list {
            let problem = format!("{word} is a member of that name, not how many items a list has");
            let issue = node.issue(problem).hint(format!(
                "for at least one item write {list}[0] exists, for at least three {list}[2] exists"
            ));
            self.sink.push(issue.warning());
        }
    }

    fn body(&mut self, node: &Node, scope: &Scope) -> Body {
        let body = if let Some(text) = node.get("body") {
            self.template(text, scope).map(Body::Text)
        } else if let Some(json) = node.get("json") {
            self.json(json, scope).map(Body::Json)
        } else if let Some(form) = node.get("form") {
            Some(Body::Form(self.fields(form, scope)))
        } else if let Some(file) = node.get("file") {
            let path = if file.scalar().is_some() {
                Some(file)
            } else {
                file.get("path")
            };
            let content_type = file.get("contentType").and_then(Node::string);
            path.and_then(|path| self.file(path))
                .map(|path| Body::File { path, content_type })
        } else {
            node.get("multipart").map(|parts| {
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
        let content = match (node.get("value"), node.get("file")) {
            (Some(value), _) => PartContent::Text(self.template(value, scope)?),
            (None, Some(file)) => {
                let path = self.file(file)?;
                let own = path.rsplit('/').next().unwrap_or(&path).to_owned();
                let file_name = node.get("fileName").and_then(Node::string).unwrap_or(own);
                PartContent::File { path, file_name }
            }
            (None, None) => return None,
        };
        let content_type = node.get("contentType").and_then(Node::string);
        Some(Part {
            name: node.get("name").and_then(Node::string)?,
            content,
            content_type,
        })
    }

    fn json(&mut self, node: &Node, scope: &Scope) -> Option<JsonTemplate> {
        use crate::definition::tree::Kind;
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
