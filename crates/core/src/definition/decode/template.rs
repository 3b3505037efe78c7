//! Templates, and what they may name.

use super::context::Decoder;
use crate::definition::tree::{Content, Node, Piece};
use crate::syntax::SyntaxError;
use crate::template::{
    BUILTINS, Builder, FUNCTIONS, Given, References, Template, Variable, expression_with, is_name,
};
use floodgate_records::printable::quoted;
use std::ops::Range;

/// What templates may name at a place in a flow.
pub(super) struct Scope {
    sources: Vec<String>,
    /// Whether there are sources that are not known.
    more_sources: bool,
    locals: Vec<String>,
    /// Whether there are variables that are not known, since a step before is faulty.
    pub(super) more: bool,
    /// In how many lists of steps the place is.
    pub(super) depth: usize,
    /// How often an iteration comes to the place at most.
    pub(super) passes: u64,
    /// Whether a request stands before it.
    pub(super) answered: bool,
    /// Whether it is in setup or teardown.
    once: bool,
}

impl Scope {
    /// What an expression names, which must be known.
    pub(super) fn variable(
        &self,
        at: usize,
        text: &str,
        given: &[Given],
    ) -> Result<Variable, SyntaxError> {
        let mut find = |written: &str| given.iter().find(|own| own.written == written).cloned();
        let variable = expression_with(at, text, &mut References::new(&mut find))?;
        self.check(at..at + text.len(), &variable)?;
        Ok(variable)
    }

    /// Whether a variable is known, and all that a function is given.
    fn check(&self, at: Range<usize>, variable: &Variable) -> Result<(), SyntaxError> {
        match variable {
            Variable::Call(call) => {
                let mut all = call
                    .arguments
                    .iter()
                    .flat_map(|argument| argument.variables());
                all.try_for_each(|variable| self.check(at.clone(), variable))
            }
            Variable::Local(name) if !self.more && !self.locals.contains(name) => {
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
            Variable::Data { source, .. }
                if !self.more_sources && !self.sources.contains(source) =>
            {
                let allowed = if self.once {
                    "none: setup and teardown are done once, and have no rows".to_owned()
                } else if self.sources.is_empty() {
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

    /// Where no iteration has a row.
    pub(super) fn without_rows(&mut self) {
        self.sources.clear();
        self.more_sources = false;
        self.once = true;
    }

    /// All that is known of.
    pub(super) fn into_locals(self) -> Vec<String> {
        self.locals
    }

    /// Makes a variable known.
    pub(super) fn add(&mut self, name: &str) {
        if !self.locals.iter().any(|local| local == name) {
            self.locals.push(name.to_owned());
        }
    }
}

impl Decoder<'_> {
    /// What may be named before the first step of a flow: what setup gives is known.
    pub(super) fn scope(&self) -> Scope {
        Scope {
            sources: self.sources.clone(),
            more_sources: self.more_sources,
            locals: self.given.clone(),
            more: self.more_given,
            depth: 0,
            passes: 1,
            answered: false,
            once: false,
        }
    }

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
                        Piece::Expression { at, text, given } => {
                            let variable = scope.variable(*at, text, given);
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
    pub(super) fn other_templates(&mut self, node: &Node, text: &str) {
        for (open, close) in [("{{", "}}"), ("#{", "}"), ("%{", "}")] {
            let found = text.match_indices(open).find_map(|(at, _)| {
                let rest = &text[at + open.len()..];
                let name = rest[..rest.find(close)?].trim();
                let named = name.split('.').all(is_name);
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
}
