//! References in scalars: `${env:NAME}`, `${env:NAME:-DEFAULT}`, `${secret:NAME}`, `${param:NAME}`.
//!
//! What they give is never read again, neither as YAML nor as a template: a password with `${` in it is that password.

use super::fault::{Issue, Sink};
use super::keys::root as keys;
use super::model::ExportSpec;
use super::place::{Mark, Path};
use super::shape::EXTENSION;
use super::tree::{Content, Entry, Kind, Node, Piece, Plain, Scalar, plain};
use crate::syntax::SyntaxError;
use crate::template::{Given, REFERENCES, Token, expression, references_of, tokens};
use floodgate_records::printable::quoted;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The key of the parameters.
const PARAMETERS: &str = keys::PARAMETERS.key.name;
/// The longest text that a reference may give, in bytes.
const MAX_RESOLVED: usize = 64 << 10;

/// What a definition may ask of its surroundings.
pub trait Resolver {
    /// An environment variable; `None` if it is not set.
    fn env(&self, name: &str) -> Option<String>;
    /// A secret by its ARN or name.
    ///
    /// # Errors
    /// Why there is none, in words.
    fn secret(&self, reference: &str) -> Result<String, String>;
    /// Whether a file that the definition names exists; the path is relative to the definition's folder and never
    /// leads out of it.
    fn file_exists(&self, relative: &str) -> bool;
    /// What to do about a file that doesn't exist.
    fn missing_file(&self) -> &'static str {
        "paths start from the definition's folder"
    }
    /// Whether a reference that stands for nothing here may be left open: what it gives is known, and checked, only where the
    /// test runs. Unless said otherwise it may not, and is a fault.
    fn leaves_open(&self, _reference: &Reference) -> bool {
        false
    }
    /// What is wrong with where an export goes, and the remedy: for whoever knows the sinks. Unless said otherwise nobody does, and they check
    /// their own options when they are opened.
    fn export_fault(&self, _export: &ExportSpec) -> Option<String> {
        None
    }
}

/// Where every reference is left open, and every file is there.
#[derive(Clone, Copy, Debug)]
pub struct LeftOpen;

impl Resolver for LeftOpen {
    fn env(&self, _: &str) -> Option<String> {
        None
    }

    fn secret(&self, _: &str) -> Result<String, String> {
        Err("it is left open".into())
    }

    fn file_exists(&self, _: &str) -> bool {
        true
    }

    fn leaves_open(&self, _: &Reference) -> bool {
        true
    }
}

/// A reference to what lies outside of a definition.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reference {
    /// `${env:NAME}`.
    Env(String),
    /// `${secret:NAME}`.
    Secret(String),
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "${{env:{name}}}"),
            Self::Secret(name) => write!(f, "${{secret:{name}}}"),
        }
    }
}

/// What a parameter gives.
#[derive(Clone)]
struct Parameter {
    text: String,
    secret: bool,
    plain: Plain,
    open: bool,
}

struct Resolve<'a> {
    resolver: &'a dyn Resolver,
    /// `None` while the parameters themselves are read.
    parameters: Option<BTreeMap<String, Option<Parameter>>>,
    /// Whether there are parameters that are not known, since what declares them is faulty.
    more_parameters: bool,
    used: BTreeSet<String>,
    /// The first place of each reference that is left open.
    open: BTreeMap<Reference, Issue>,
    /// Where the text stands that is resolved.
    at: (Mark, Path),
    sink: &'a mut Sink,
}

/// Resolves all references in the tree, and gives those that are left open, each with a warning.
pub(super) fn resolve(
    root: &mut Node,
    resolver: &dyn Resolver,
    sink: &mut Sink,
) -> BTreeMap<Reference, Issue> {
    let mut resolve = Resolve {
        resolver,
        parameters: None,
        more_parameters: false,
        used: BTreeSet::new(),
        open: BTreeMap::new(),
        at: (root.mark, root.path.clone()),
        sink,
    };
    let is_meant = keys::DEFINITION.means(root, PARAMETERS);
    let is_map = (root.get(PARAMETERS)).is_some_and(|node| matches!(node.kind, Kind::Map(_)));
    resolve.more_parameters = is_meant && !is_map;
    let Kind::Map(entries) = &mut root.kind else {
        return BTreeMap::new();
    };
    let mut parameters = BTreeMap::new();
    if let Some(declared) = entries.iter_mut().find(|entry| entry.key == PARAMETERS) {
        resolve.node(&mut declared.value);
        for entry in declared.value.entries() {
            parameters.insert(entry.key.clone(), entry.value.scalar().and_then(parameter));
        }
    }
    resolve.parameters = Some(parameters);
    for entry in entries
        .iter_mut()
        .filter(|entry| entry.key != PARAMETERS && !entry.key.starts_with(EXTENSION))
    {
        resolve.node(&mut entry.value);
    }
    let Resolve {
        used, open, sink, ..
    } = resolve;
    let declared = entries
        .iter()
        .find(|entry| entry.key == PARAMETERS)
        .map_or(&[][..], |entry| entry.value.entries());
    // A script is given all parameters; what it does with them is not known here.
    let scripted = entries
        .iter()
        .any(|entry| entry.key == keys::SCRIPT.key.name);
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
    open
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
    /// Those of a normalised definition. A text that is not a template has none: reading the definition reports it.
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

    fn reference(&mut self, text: &str) {
        match text.split_once(':') {
            Some(("env", name)) => {
                let (name, default) = variable(name);
                if default.is_none() {
                    self.required_env.insert(name.to_owned());
                }
                self.env.insert(name.to_owned());
            }
            Some(("secret", name)) => {
                self.secrets.insert(name.to_owned());
            }
            _ => {}
        }
    }

    fn collect(&mut self, value: &Value) {
        match value {
            Value::String(text) => tokens(text).into_iter().flatten().for_each(|token| {
                if let Token::Expression { text, .. } = token {
                    self.reference(text);
                    references_of(text)
                        .iter()
                        .for_each(|own| self.reference(own));
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
        open: scalar.is_open(),
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
                self.at = (node.mark, node.path.clone());
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

    /// The parts of a text; no error: it uses what has been reported where it stands.
    fn pieces(&mut self, raw: &str) -> Result<Vec<Piece>, Vec<SyntaxError>> {
        let mut errors = Vec::new();
        let mut is_broken = false;
        let mut pieces = Vec::new();
        for token in tokens(raw).map_err(|error| vec![error])? {
            match token {
                Token::Literal(text) => pieces.push(Piece::Literal(text.to_owned())),
                Token::Expression { at, text } => match text.split_once(':') {
                    Some((kind, name)) if REFERENCES.contains(&kind) => {
                        match self.reference(kind, name) {
                            Ok(Some(piece)) => pieces.push(piece),
                            Ok(None) => is_broken = true,
                            Err(error) => errors.push(error.within(at..at + text.len())),
                        }
                    }
                    Some(_) if !text.contains('(') => errors.extend(expression(at, text).err()),
                    _ => match self.given(text) {
                        Ok(None) => is_broken = true,
                        Ok(Some(given)) => pieces.push(Piece::Expression {
                            at,
                            text: text.to_owned(),
                            given,
                        }),
                        Err(error) => errors.push(error.within(at..at + text.len())),
                    },
                },
            }
        }
        if errors.is_empty() && !is_broken {
            Ok(pieces)
        } else {
            Err(errors)
        }
    }

    /// What the references among the arguments of an expression give; `None` as for [`Self::reference`].
    fn given(&mut self, text: &str) -> Result<Option<Vec<Given>>, SyntaxError> {
        let references = references_of(text).into_iter();
        references
            .map(|written| {
                let (kind, name) = written.split_once(':').unwrap_or((&written, ""));
                let Some(piece) = self.reference(kind, name)? else {
                    return Ok(None);
                };
                let (text, secret) = match piece {
                    Piece::Resolved { text, secret, .. } => (Some(text), secret),
                    Piece::Open { secret, .. } => (None, secret),
                    // A reference is nothing else.
                    Piece::Literal(text) | Piece::Expression { text, .. } => (Some(text), false),
                };
                Ok(Some(Given {
                    written,
                    text,
                    secret,
                }))
            })
            .collect()
    }

    /// What a reference stands for; `None` if that is a parameter which has been reported.
    fn reference(&mut self, kind: &str, name: &str) -> Result<Option<Piece>, SyntaxError> {
        if name.is_empty() {
            return Err(SyntaxError::new(0, format!("${{{kind}:}} lacks a name"))
                .allowed(format!("${{{kind}:NAME}}")));
        }
        let piece = match kind {
            "env" => self.environment(name)?,
            "secret" => self.secret(name)?,
            _ => match self.parameter(name)? {
                Some(piece) => piece,
                None => return Ok(None),
            },
        };
        match &piece {
            Piece::Resolved { text, .. } if text.len() > MAX_RESOLVED => Err(SyntaxError::new(
                0,
                format!("${{{kind}:{name}}} gives {} bytes", text.len()),
            )
            .allowed(format!("at most {MAX_RESOLVED} bytes"))),
            _ => Ok(Some(piece)),
        }
    }

    /// Leaves a reference open, if it may be.
    fn open(&mut self, reference: Reference) -> Option<Piece> {
        self.resolver.leaves_open(&reference).then(|| {
            let piece = Piece::Open {
                written: reference.to_string(),
                secret: matches!(reference, Reference::Secret(_)),
            };
            let (mark, path) = &self.at;
            let unset = || {
                let problem =
                    format!("{reference} has no value here: it is checked where the test runs");
                Issue::new(*mark, path, problem).warning()
            };
            self.open.entry(reference.clone()).or_insert_with(unset);
            piece
        })
    }

    fn secret(&mut self, name: &str) -> Result<Piece, SyntaxError> {
        match self.resolver.secret(name) {
            Ok(text) => Ok(Piece::Resolved {
                text,
                secret: true,
                plain: Plain::Text,
            }),
            Err(why) => self
                .open(Reference::Secret(name.to_owned()))
                .ok_or_else(|| {
                    let problem = format!("the secret {} cannot be read: {why}", quoted(name));
                    SyntaxError::new(0, problem)
                        .allowed("the name or ARN of a secret that can be read")
                }),
        }
    }

    fn environment(&mut self, name: &str) -> Result<Piece, SyntaxError> {
        let (name, default) = variable(name);
        // As in a shell, the default also stands in for an empty value.
        let found = self
            .resolver
            .env(name)
            .filter(|text| default.is_none() || !text.is_empty());
        match found.or_else(|| default.map(str::to_owned)) {
            Some(text) => Ok(Piece::Resolved {
                text,
                secret: false,
                plain: Plain::Text,
            }),
            None => self.open(Reference::Env(name.to_owned())).ok_or_else(|| {
                let problem = format!("the environment variable {} is not set", quoted(name));
                SyntaxError::new(0, problem).hint(format!(
                    "set it, or give a default: ${{env:{name}:-DEFAULT}}"
                ))
            }),
        }
    }

    fn parameter(&mut self, name: &str) -> Result<Option<Piece>, SyntaxError> {
        let Some(parameters) = &self.parameters else {
            return Err(
                SyntaxError::new(0, "a parameter cannot refer to a parameter")
                    .allowed("${env:NAME}, ${secret:NAME}"),
            );
        };
        let Some(parameter) = parameters.get(name) else {
            if self.more_parameters {
                return Ok(None);
            }
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
        let Some(parameter) = parameter else {
            return Ok(None);
        };
        let Parameter {
            text,
            secret,
            plain,
            open,
        } = parameter.clone();
        Ok(Some(match open {
            true => Piece::Open {
                written: format!("${{param:{name}}}"),
                secret,
            },
            false => Piece::Resolved {
                text,
                secret,
                plain,
            },
        }))
    }
}
