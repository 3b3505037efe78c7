//! References in scalars: `${env:NAME}`, `${env:NAME:-DEFAULT}`, `${secret:NAME}`, `${param:NAME}`.
//!
//! What they give is never read again, neither as YAML nor as a template: a password with `${` in it is that password.

use super::Resolver;
use super::fault::{Issue, Sink};
use super::shape::EXTENSION;
use super::tree::{Content, Entry, Kind, Node, Piece, Plain, Scalar, plain};
use crate::syntax::{SyntaxError, quoted};
use crate::template::{REFERENCES, Token, expression, tokens};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The longest text that a reference may give, in bytes.
const MAX_RESOLVED: usize = 64 << 10;

/// What a parameter gives.
struct Parameter {
    text: String,
    secret: bool,
    plain: Plain,
}

struct Resolve<'a> {
    resolver: &'a dyn Resolver,
    /// `None` while the parameters themselves are read.
    parameters: Option<BTreeMap<String, Option<Parameter>>>,
    used: BTreeSet<String>,
    sink: &'a mut Sink,
}

/// Resolves all references in the tree.
pub(super) fn resolve(root: &mut Node, resolver: &dyn Resolver, sink: &mut Sink) {
    let mut resolve = Resolve {
        resolver,
        parameters: None,
        used: BTreeSet::new(),
        sink,
    };
    let Kind::Map(entries) = &mut root.kind else {
        return;
    };
    let mut parameters = BTreeMap::new();
    if let Some(declared) = entries.iter_mut().find(|entry| entry.key == "parameters") {
        resolve.node(&mut declared.value);
        for entry in declared.value.entries() {
            parameters.insert(entry.key.clone(), entry.value.scalar().and_then(parameter));
        }
    }
    resolve.parameters = Some(parameters);
    for entry in entries
        .iter_mut()
        .filter(|entry| entry.key != "parameters" && !entry.key.starts_with(EXTENSION))
    {
        resolve.node(&mut entry.value);
    }
    let Resolve { used, sink, .. } = resolve;
    let declared = entries
        .iter()
        .find(|entry| entry.key == "parameters")
        .map_or(&[][..], |entry| entry.value.entries());
    // A script is given all parameters; what it does with them is not known here.
    let scripted = entries.iter().any(|entry| entry.key == "script");
    let unused = |entry: &&Entry| !scripted && !used.contains(&entry.key);
    for entry in declared.iter().filter(unused) {
        let issue = Issue::new(
            entry.key_mark,
            &entry.value.path,
            "the parameter is never used",
        );
        sink.push(
            issue
                .hint(format!(
                    "write ${{param:{}}} where it belongs, or remove it",
                    entry.key
                ))
                .warning(),
        );
    }
}

/// Name and default of an `${env:…}`.
fn variable(text: &str) -> (&str, Option<&str>) {
    match text.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (text, None),
    }
}

/// What a definition asks of its surroundings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct References {
    /// Environment variables: `${env:NAME}` and `${env:NAME:-DEFAULT}`.
    pub env: BTreeSet<String>,
    /// Those of them that stand somewhere without a default.
    pub required_env: BTreeSet<String>,
    /// Secrets by name or ARN: `${secret:NAME}`.
    pub secrets: BTreeSet<String>,
}

impl References {
    /// Those of a normalised definition. A text that is no template has none: reading the definition reports it.
    pub fn of(definition: &Value) -> Self {
        let mut references = Self::default();
        match definition {
            Value::Object(entries) => entries
                .iter()
                .filter(|(key, _)| !key.starts_with(EXTENSION))
                .for_each(|(_, value)| references.collect(value)),
            other => references.collect(other),
        }
        references
    }

    fn collect(&mut self, value: &Value) {
        match value {
            Value::String(text) => tokens(text).into_iter().flatten().for_each(|token| {
                if let Token::Expression { text, .. } = token {
                    match text.split_once(':') {
                        Some(("env", name)) => {
                            let (name, default) = variable(name);
                            if default.is_none() {
                                self.required_env.insert(name.to_owned());
                            }
                            self.env.insert(name.to_owned())
                        }
                        Some(("secret", name)) => self.secrets.insert(name.to_owned()),
                        _ => false,
                    };
                }
            }),
            Value::Array(values) => values.iter().for_each(|v| self.collect(v)),
            Value::Object(entries) => entries.values().for_each(|v| self.collect(v)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

fn parameter(scalar: &Scalar) -> Option<Parameter> {
    let text = scalar.text()?.into_owned();
    let plain = match plain(scalar) {
        Plain::Null => Plain::Text,
        other => other,
    };
    Some(Parameter {
        text,
        secret: scalar.is_secret(),
        plain,
    })
}

impl Resolve<'_> {
    fn node(&mut self, node: &mut Node) {
        match &mut node.kind {
            Kind::List(items) => items.iter_mut().for_each(|item| self.node(item)),
            Kind::Map(entries) => entries
                .iter_mut()
                .for_each(|entry| self.node(&mut entry.value)),
            Kind::Scalar(scalar) if !scalar.raw.contains("${") => {}
            Kind::Scalar(scalar) => {
                let raw = scalar.raw.clone();
                match self.pieces(&raw) {
                    Ok(pieces) => scalar.content = Content::Pieces(pieces),
                    Err(errors) => {
                        scalar.content = Content::Broken;
                        for error in errors {
                            self.sink.push(node.syntax(error));
                        }
                    }
                }
            }
        }
    }

    fn pieces(&mut self, raw: &str) -> Result<Vec<Piece>, Vec<SyntaxError>> {
        let mut errors = Vec::new();
        let mut pieces = Vec::new();
        for token in tokens(raw).map_err(|error| vec![error])? {
            match token {
                Token::Literal(text) => pieces.push(Piece::Literal(text.to_owned())),
                Token::Expression { at, text } => match text.split_once(':') {
                    Some((kind, name)) if REFERENCES.contains(&kind) => {
                        match self.reference(kind, name) {
                            Ok(piece) => pieces.push(piece),
                            Err(error) => errors.push(error.within(at..at + text.len())),
                        }
                    }
                    Some(_) => errors.extend(expression(at, text).err()),
                    None => pieces.push(Piece::Expression {
                        at,
                        text: text.to_owned(),
                    }),
                },
            }
        }
        if errors.is_empty() {
            Ok(pieces)
        } else {
            Err(errors)
        }
    }

    fn reference(&mut self, kind: &str, name: &str) -> Result<Piece, SyntaxError> {
        if name.is_empty() {
            return Err(SyntaxError::new(0, format!("${{{kind}:}} lacks a name"))
                .allowed(format!("${{{kind}:NAME}}")));
        }
        let piece = match kind {
            "env" => self.environment(name)?,
            "secret" => {
                let text = self.resolver.secret(name).map_err(|why| {
                    SyntaxError::new(
                        0,
                        format!("the secret {} cannot be read: {why}", quoted(name)),
                    )
                    .allowed("the name or ARN of a secret that can be read")
                })?;
                Piece::Resolved {
                    text,
                    secret: true,
                    plain: Plain::Text,
                }
            }
            _ => self.parameter(name)?,
        };
        match &piece {
            Piece::Resolved { text, .. } if text.len() > MAX_RESOLVED => Err(SyntaxError::new(
                0,
                format!("${{{kind}:{name}}} gives {} bytes", text.len()),
            )
            .allowed(format!("at most {MAX_RESOLVED} bytes"))),
            _ => Ok(piece),
        }
    }

    fn environment(&self, name: &str) -> Result<Piece, SyntaxError> {
        let (name, default) = variable(name);
        // As in a shell, the default also stands in for an empty value.
        let found = self
            .resolver
            .env(name)
            .filter(|text| default.is_none() || !text.is_empty());
        let text = found
            .or_else(|| default.map(str::to_owned))
            .ok_or_else(|| {
                let problem = format!("the environment variable {} is not set", quoted(name));
                SyntaxError::new(0, problem).hint(format!(
                    "set it, or give a default: ${{env:{name}:-DEFAULT}}"
                ))
            })?;
        Ok(Piece::Resolved {
            text,
            secret: false,
            plain: Plain::Text,
        })
    }

    fn parameter(&mut self, name: &str) -> Result<Piece, SyntaxError> {
        let Some(parameters) = &self.parameters else {
            return Err(
                SyntaxError::new(0, "a parameter cannot refer to a parameter")
                    .allowed("${env:NAME}, ${secret:NAME}"),
            );
        };
        let Some(parameter) = parameters.get(name) else {
            let declared: Vec<_> = parameters.keys().map(String::as_str).collect();
            let allowed = if declared.is_empty() {
                "none is declared".to_owned()
            } else {
                declared.join(", ")
            };
            return Err(SyntaxError::new(
                0,
                format!(
                    "the parameter {} is not declared below parameters",
                    quoted(name)
                ),
            )
            .allowed(allowed)
            .nearest(name, declared.iter().copied()));
        };
        self.used.insert(name.to_owned());
        // A parameter that is broken has been reported where it stands.
        let (text, secret, plain) = match parameter {
            Some(parameter) => (
                parameter.text.clone(),
                parameter.secret,
                parameter.plain.clone(),
            ),
            None => {
                return Err(SyntaxError::new(
                    0,
                    format!("the parameter {} has no usable value", quoted(name)),
                ));
            }
        };
        Ok(Piece::Resolved {
            text,
            secret,
            plain,
        })
    }
}
