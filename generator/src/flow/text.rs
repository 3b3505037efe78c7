//! Templates made ready: names resolved to slots, literals encoded once, one flat list of pieces to write.

mod function;

use super::data::Table;
use super::encode::{Encoding, encode};
use super::error::Problem;
use super::symbols::SymbolTable;
use super::variable::Var;
use crate::clock::unix_ms;
use floodgate_core::template::{Part, Template, Variable};
use function::{Made, date};
use std::fmt::Write as _;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Literal(Box<str>),
    Value(Var, Encoding),
    Made(Box<Made>, Encoding),
}

/// What values come from, for one rendering.
pub(crate) struct Scope<'a> {
    pub(crate) vu: u64,
    pub(crate) iteration: u64,
    pub(crate) locals: &'a [String],
    /// The row of each data source of the scenario.
    pub(crate) rows: &'a [u32],
    pub(crate) tables: &'a [std::sync::Arc<Table>],
    pub(crate) rng: &'a mut fastrand::Rng,
    /// What samples leave out of all that was made of secrets.
    pub(crate) hidden: &'a mut Vec<String>,
}

/// A template ready to be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Text {
    pieces: Vec<Piece>,
}

impl Text {
    /// The template with literals as they are and values in `encoding`.
    pub(crate) fn compile(
        template: &Template,
        names: &SymbolTable<'_>,
        encoding: Encoding,
    ) -> Result<Self, Problem> {
        let mut text = Self::default();
        text.push_template(template, names, encoding, |literal, out| {
            out.push_str(literal);
        })?;
        Ok(text)
    }

    /// Appends text that is already encoded.
    pub(crate) fn push_literal(&mut self, literal: &str) {
        if literal.is_empty() {
            return;
        }
        if let Some(Piece::Literal(last)) = self.pieces.last_mut() {
            *last = format!("{last}{literal}").into();
        } else {
            self.pieces.push(Piece::Literal(literal.into()));
        }
    }

    /// Appends a template whose literals are written by `literal` and values in `encoding`.
    pub(crate) fn push_template(
        &mut self,
        template: &Template,
        names: &SymbolTable<'_>,
        encoding: Encoding,
        literal: impl Fn(&str, &mut String),
    ) -> Result<(), Problem> {
        for part in &template.parts {
            match part {
                Part::Literal(text) => {
                    let mut written = String::new();
                    literal(text, &mut written);
                    self.push_literal(&written);
                }
                Part::Variable(variable) => self.push_variable(variable, names, encoding)?,
            }
        }
        Ok(())
    }

    /// Appends a value; one that is known already becomes a literal.
    pub(crate) fn push_variable(
        &mut self,
        variable: &Variable,
        names: &SymbolTable<'_>,
        encoding: Encoding,
    ) -> Result<(), Problem> {
        match variable {
            Variable::DateAdd { ms, format } => {
                let (ms, format) = (*ms, format.clone());
                let made = Box::new(Made::Date { ms, format });
                self.pieces.push(Piece::Made(made, encoding));
                return Ok(());
            }
            Variable::Call(call) => {
                let arguments = call.arguments.iter();
                let arguments = arguments
                    .map(|argument| Self::compile(argument, names, Encoding::Raw))
                    .collect::<Result<_, _>>()?;
                let made = Box::new(Made::Call {
                    function: call.function,
                    arguments,
                    secret: call.secret,
                });
                self.pieces.push(Piece::Made(made, encoding));
                return Ok(());
            }
            _ => {}
        }
        match names.resolve(variable)? {
            Ok(var) => self.pieces.push(Piece::Value(var, encoding)),
            Err(known) => {
                let mut written = String::new();
                encode(&known, encoding, &mut written);
                self.push_literal(&written);
            }
        }
        Ok(())
    }

    /// The text, if there is nothing to fill in.
    pub(crate) fn as_literal(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [] => Some(""),
            [Piece::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// Appends the text with everything filled in.
    pub(crate) fn render(&self, scope: &mut Scope<'_>, out: &mut String) {
        for piece in &self.pieces {
            match piece {
                Piece::Literal(text) => out.push_str(text),
                Piece::Value(var, encoding) => write_value(*var, *encoding, scope, out),
                Piece::Made(made, encoding) => made.write(*encoding, scope, out),
            }
        }
    }

    /// The text with everything filled in.
    pub(crate) fn rendered(&self, scope: &mut Scope<'_>) -> String {
        let mut out = String::new();
        self.render(scope, &mut out);
        out
    }
}

fn write_value(var: Var, encoding: Encoding, scope: &mut Scope<'_>, out: &mut String) {
    const OK: &str = "writing to a string cannot fail";
    match var {
        // Digits and a minus are the same in every encoding, and a JSON number is always one.
        Var::Vu => write!(out, "{}", scope.vu).expect(OK),
        Var::Iteration => write!(out, "{}", scope.iteration).expect(OK),
        Var::Now => write!(out, "{}", unix_ms()).expect(OK),
        Var::RandomInt(low, high) => write!(out, "{}", scope.rng.i64(low..=high)).expect(OK),
        Var::Data { source, column } => {
            let source = usize::from(source);
            encode(
                scope.tables[source].cell(scope.rows[source], usize::from(column)),
                encoding,
                out,
            );
        }
        Var::Local(slot) => encode(&scope.locals[usize::from(slot)], encoding, out),
        Var::IsoNow => encode(&date(unix_ms(), None), encoding, out),
        // What follows is letters, digits and hyphens; only the quotes of a JSON value are to be added.
        Var::Uuid => quoted(encoding, out, |out| uuid(scope.rng.u128(..), out)),
        Var::RandomString(length) => quoted(encoding, out, |out| {
            out.extend((0..length).map(|_| scope.rng.alphanumeric()));
        }),
    }
}

fn quoted(encoding: Encoding, out: &mut String, write: impl FnOnce(&mut String)) {
    let quote = encoding == Encoding::JsonValue;
    if quote {
        out.push('"');
    }
    write(out);
    if quote {
        out.push('"');
    }
}

/// A version 4 UUID of these random bits (RFC 9562 §5.4).
fn uuid(random: u128, out: &mut String) {
    let bits = (random & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    write!(
        out,
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        (bits >> 96) as u32,
        (bits >> 80) as u16,
        (bits >> 64) as u16,
        (bits >> 48) as u16,
        bits as u64 & 0xffff_ffff_ffff
    )
    .expect("writing to a string cannot fail");
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn at(unix_ms: i64) -> String {
        date(unix_ms, None)
    }

    #[test]
    fn times_are_written_in_utc() {
        assert_eq!(at(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(at(951_782_400_123), "2000-02-29T00:00:00.123Z");
        assert_eq!(at(1_735_689_599_999), "2024-12-31T23:59:59.999Z");
        assert_eq!(at(4_107_542_400_000), "2100-03-01T00:00:00.000Z");
    }

    #[test]
    fn uuids_are_of_version_4() {
        for random in [0, u128::MAX, 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef] {
            let mut out = String::new();
            uuid(random, &mut out);
            let groups: Vec<_> = out.split('-').map(str::len).collect();
            assert_eq!(groups, [8, 4, 4, 4, 12], "{out}");
            assert_eq!(&out[14..15], "4", "{out}");
            assert!("89ab".contains(&out[19..20]), "{out}");
        }
    }
}
