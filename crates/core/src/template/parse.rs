//! Reading templates.
//!
//! ```text
//! template   = { literal | "$${" | "${" expression "}" }
//! expression = "vu" | "iteration" | "scenario" | "task" | NAME | SOURCE "." COLUMN | function
//! function   = "uuid()" | "now()" | "isoNow()" | "randomInt(" INTEGER "," INTEGER ")" | "randomString(" LENGTH ")"
//!            | "dateAdd(" [ "-" ] DURATION [ "," FORMAT ] ")" | call (see the module of that name)
//! ```
//! A `$` that no `{` follows is itself. Spaces around an expression and its arguments do not count.

pub(super) mod call;

use super::{Part, Template, Variable};
use crate::syntax::SyntaxError;
use call::References;
use floodgate_records::printable::quoted;

/// Names that a variable or a data source cannot have, since they mean something already.
pub const BUILTINS: [&str; 4] = ["vu", "iteration", "scenario", "task"];

/// The functions, as they are written.
pub const FUNCTIONS: [&str; 11] = [
    "uuid()",
    "now()",
    "isoNow()",
    "randomInt(1,6)",
    "randomString(8)",
    "dateAdd(1d)",
    "base64(NAME)",
    "sha256(NAME)",
    "hmacSha256(KEY, NAME)",
    "jsonEscape(NAME)",
    "randomOf(\"a\", \"b\")",
];

/// What a definition resolves while it is read.
pub(crate) const REFERENCES: [&str; 3] = ["env", "secret", "param"];

/// The longest text of `${randomString(N)}`.
pub const MAX_RANDOM_STRING: u32 = 65_536;

/// A piece of a text with `${…}` in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// Text as it is; `$${` gives a literal of `${`.
    Literal(&'a str),
    /// What stands between `${` and `}`.
    Expression {
        /// The byte at which it starts, after `${`.
        at: usize,
        /// Its text.
        text: &'a str,
    },
}

/// The pieces of a text, in order.
///
/// # Errors
/// A `${` without its `}`.
pub(crate) fn tokens(text: &str) -> Result<Vec<Token<'_>>, SyntaxError> {
    let mut tokens = Vec::new();
    let mut done = 0;
    while let Some(found) = text[done..].find("${") {
        let open = done + found;
        if text[done..open].ends_with('$') {
            let before = &text[done..open - 1];
            tokens.extend((!before.is_empty()).then_some(Token::Literal(before)));
            tokens.push(Token::Literal(&text[open..open + 2]));
            done = open + 2;
            continue;
        }
        let before = &text[done..open];
        tokens.extend((!before.is_empty()).then_some(Token::Literal(before)));
        let at = open + 2;
        let Some(length) = call::length(&text[at..]) else {
            return Err(SyntaxError::new(
                open,
                format!("{} is not closed by a }}", quoted(&text[open..])),
            )
            .allowed("${…}, or $${ for a literal ${"));
        };
        tokens.push(Token::Expression {
            at,
            text: &text[at..at + length],
        });
        done = at + length + 1;
    }
    let rest = &text[done..];
    tokens.extend((!rest.is_empty()).then_some(Token::Literal(rest)));
    Ok(tokens)
}

impl Template {
    /// Reads a template; which variables exist is for the caller to know (see [`Self::variables`]).
    ///
    /// # Errors
    /// An open `${`, an unknown function or a wrong argument, a name that is not valid, and references such as
    /// `${env:NAME}`, which only a definition resolves.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        let mut builder = Builder::default();
        for token in tokens(text)? {
            match token {
                Token::Literal(text) => builder.literal(text),
                Token::Expression { at, text } => builder.variable(expression(at, text)?),
            }
        }
        Ok(builder.finish(text))
    }

    /// What is filled in, in order.
    pub fn variables(&self) -> impl Iterator<Item = &Variable> {
        self.parts.iter().filter_map(|part| match part {
            Part::Variable(variable) => Some(variable),
            Part::Literal(_) => None,
        })
    }
}

/// Joins adjacent literals.
#[derive(Default)]
pub(crate) struct Builder {
    parts: Vec<Part>,
}

impl Builder {
    /// Adds text as it is.
    pub(crate) fn literal(&mut self, text: &str) {
        match self.parts.last_mut() {
            Some(Part::Literal(last)) => last.push_str(text),
            _ if text.is_empty() => {}
            _ => self.parts.push(Part::Literal(text.to_owned())),
        }
    }

    /// Adds something to fill in.
    pub(crate) fn variable(&mut self, variable: Variable) {
        self.parts.push(Part::Variable(variable));
    }

    /// The template; `source` is its text in the definition.
    pub(crate) fn finish(self, source: &str) -> Template {
        Template {
            parts: self.parts,
            source: source.to_owned(),
        }
    }
}

/// Whether a text can name a variable: `[A-Za-z_][A-Za-z0-9_]*`.
pub fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Reads what stands between `${` and `}`; `at` is where, for the error. References among arguments are not known.
pub(crate) fn expression(at: usize, text: &str) -> Result<Variable, SyntaxError> {
    expression_with(at, text, &mut References::new(&mut |_| None))
}

/// The same where references among arguments are known.
pub(crate) fn expression_with(
    at: usize,
    text: &str,
    references: &mut References<'_>,
) -> Result<Variable, SyntaxError> {
    let at = at + text.len() - text.trim_start().len();
    let text = text.trim();
    let at = at..at + text.len();
    let fail = |problem: String| SyntaxError::new(at.clone(), problem);
    let called = text
        .split_once('(')
        .filter(|(name, _)| is_name(name.trim()));
    if let Some((name, rest)) = called {
        let arguments = rest
            .strip_suffix(')')
            .ok_or_else(|| fail(format!("${{{text}}} lacks its closing )")))?;
        return call::function(name.trim(), arguments.trim(), references)
            .map_err(|error| error.within(at));
    }
    if let Some((prefix, _)) = text.split_once(':') {
        let known = REFERENCES.contains(&prefix);
        let problem = if known {
            "cannot be resolved here".to_owned()
        } else {
            format!("has the unknown prefix {}", quoted(prefix))
        };
        return Err(fail(format!("${{{text}}} {problem}"))
            .allowed("env:, secret: and param:")
            .nearest(prefix, REFERENCES));
    }
    if let Some((source, column)) = text.split_once('.') {
        return if is_name(source) && !column.is_empty() {
            Ok(Variable::Data {
                source: source.to_owned(),
                column: column.to_owned(),
            })
        } else {
            Err(
                fail(format!("{} is not a column of a data source", quoted(text)))
                    .allowed("${data.column}"),
            )
        };
    }
    Ok(match text {
        "vu" => Variable::Vu,
        "iteration" => Variable::Iteration,
        "scenario" => Variable::Scenario,
        "task" => Variable::Task,
        name if is_name(name) => Variable::Local(name.to_owned()),
        "" => {
            return Err(fail("${} is empty".to_owned()).allowed("a variable's name or a function"));
        }
        other => {
            return Err(fail(format!("{} is not a valid name", quoted(other))).allowed(
                "letters, digits and _, a column such as data.user, or a function such as uuid()",
            ));
        }
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parts(text: &str) -> Vec<Part> {
        Template::parse(text).unwrap().parts
    }

    fn lit(text: &str) -> Part {
        Part::Literal(text.to_owned())
    }

    #[test]
    fn reads_every_expression() {
        assert_eq!(parts(""), []);
        assert_eq!(parts("plain $5 {x}"), [lit("plain $5 {x}")]);
        assert_eq!(parts("a$${vu}b"), [lit("a${vu}b")]);
        assert_eq!(
            parts("$$${vu}"),
            [lit("$${vu}")],
            "the $ before an escape is itself"
        );
        for (text, variable) in [
            ("${vu}", Variable::Vu),
            ("${ iteration }", Variable::Iteration),
            ("${scenario}", Variable::Scenario),
            ("${task}", Variable::Task),
            ("${order_1}", Variable::Local("order_1".into())),
            (
                "${data.first name}",
                Variable::Data {
                    source: "data".into(),
                    column: "first name".into(),
                },
            ),
            ("${uuid()}", Variable::Uuid),
            ("${now()}", Variable::Now),
            ("${isoNow()}", Variable::IsoNow),
            ("${randomInt(-3, 6)}", Variable::RandomInt(-3, 6)),
            ("${randomString(8)}", Variable::RandomString(8)),
            (
                "${dateAdd(1s)}",
                Variable::DateAdd {
                    ms: 1_000,
                    format: None,
                },
            ),
        ] {
            assert_eq!(parts(text), [Part::Variable(variable)], "{text}");
        }
        assert_eq!(
            parts("/u/${vu}/x"),
            [lit("/u/"), Part::Variable(Variable::Vu), lit("/x")],
            "literals stand around the variable"
        );
    }

    #[test]
    fn refuses_with_a_place() {
        for (text, at, part) in [
            ("ab${vu", 2, "not closed"),
            ("${}", 2, "empty"),
            ("x${env:HOME}", 3, "cannot be resolved here"),
            ("${evn:HOME}", 2, "unknown prefix"),
            ("${uid()}", 2, "unknown function"),
            ("${uuid(4)}", 2, "no argument"),
            ("${uuid(}", 2, "closing )"),
            ("${randomInt(6,1)}", 2, "wrong order"),
            ("${randomInt(6)}", 2, "two 64-bit integers"),
            ("${randomString(0)}", 2, "takes a length"),
            ("${ a b}", 3, "not a valid name"),
            ("${.x}", 2, "not a column"),
        ] {
            let error = Template::parse(text).unwrap_err();
            assert_eq!(error.at.start, at, "{text}: {error}");
            assert!(error.problem.contains(part), "{text}: {error}");
        }
        assert_eq!(
            Template::parse("${uid()}").unwrap_err().hint.as_deref(),
            Some("\"uuid\"")
        );
        assert_eq!(
            Template::parse("${evn:X}").unwrap_err().hint.as_deref(),
            Some("\"env\"")
        );
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "[a-z$ {}().,:é]{0,24}") {
            let _ = Template::parse(&text);
        }

        #[test]
        fn an_escaped_text_is_itself(text in "[a-z$ {}]{0,24}") {
            prop_assume!(!text.contains("$${"));
            let escaped = text.replace("${", "$${");
            let template = Template::parse(&escaped).unwrap();
            prop_assert_eq!(template.as_literal(), Some(text.as_str()));
        }
    }
}
