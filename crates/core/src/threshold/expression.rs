//! Expressions of thresholds: `aggregate operator number[unit]`.

use super::aggregate::Aggregate;
use super::number::number_length;
use super::slope;
use crate::check::Comparison;
use crate::syntax::SyntaxError;
use floodgate_records::outcome::Operator;
use floodgate_records::printable::quoted;
use floodgate_records::word::Words;
use std::fmt;
use std::ops::Range;

/// A parsed expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    /// As written, without spaces around it.
    pub text: String,
    /// The left side, or what its trend is of.
    pub aggregate: Aggregate,
    /// Whether it is about the slope of the aggregate: `trend(p(95))`.
    pub is_trend: bool,
    /// How the sides are compared.
    pub comparison: Comparison,
    /// The operator as written; `===` and `==` are one comparison.
    pub operator: Operator,
    /// The right side: an hour's change where it is about a slope (0.02 for 2 %/h), ms where the left side is a trend's, else a plain number.
    pub target: f64,
    /// The unit of time that was written, if any.
    pub unit: Option<&'static str>,
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

const fn comparison(operator: Operator) -> Comparison {
    match operator {
        Operator::Lt => Comparison::Lt,
        Operator::Le => Comparison::Le,
        Operator::Gt => Comparison::Gt,
        Operator::Ge => Comparison::Ge,
        Operator::Eq | Operator::Same => Comparison::Eq,
        Operator::Ne => Comparison::Ne,
    }
}

/// Units of time, with what they are in ms as a power of ten and a factor: so that `0.29s` is exactly 290.
const UNITS: [(&str, i32, f64); 6] = [
    ("us", -3, 1.0),
    ("µs", -3, 1.0),
    ("ms", 0, 1.0),
    ("s", 3, 1.0),
    ("m", 3, 60.0),
    ("h", 3, 3_600.0),
];

/// Parses an expression by k6's grammar
/// (<https://github.com/grafana/k6/blob/v1.8.1/metrics/thresholds_parser.go>), with optional white space around each
/// of its three parts. As in k6's code, and beyond its documented grammar, a number may have a sign and an exponent;
/// unlike there it may not be infinite, NaN or hexadecimal, and N of `p(N)` lies in [0, 100]. Beyond k6, a
/// number may have one of the units `us`, `ms`, `s`, `m`, `h`; a bare number at a trend is in ms. And there is the slope of an aggregate,
/// `trend(p(95))<2%/h`.
///
/// # Errors
/// What is wrong, and where.
pub fn parse_expression(text: &str) -> Result<Expression, SyntaxError> {
    if text.trim().is_empty() {
        return Err(SyntaxError::new(0, "the threshold is empty")
            .allowed("an expression such as p(95)<500"));
    }
    let at = text.find(SIGNS).ok_or_else(|| {
        SyntaxError::new(text.trim_end().len(), "there is no operator")
            .allowed(Operator::WORDS.join(" "))
    })?;
    let operator = operator_at(&text[at..]).map_err(|error| error.within(at..text.len()))?;
    let Sides { left, right } = sides(text);
    if left.is_empty() {
        return Err(SyntaxError::new(
            at..at + operator.as_str().len(),
            "an aggregate before the operator is missing",
        )
        .allowed("an expression such as p(95)<500"));
    }
    if let Some((inside, of)) = slope::of_trend(&text[left.clone()]) {
        let aggregate = slope::aggregate(of)
            .map_err(|error| error.within(left.start + inside..left.start + inside + of.len()))?;
        let at = at..at + operator.as_str().len();
        slope::check_operator(operator).map_err(|error| error.within(at))?;
        let target =
            slope::parse(&text[right.clone()]).map_err(|error| error.within(right.clone()))?;
        return Ok(Expression {
            text: text.trim().to_owned(),
            aggregate,
            is_trend: true,
            comparison: comparison(operator),
            operator,
            target,
            unit: None,
        });
    }
    let aggregate = Aggregate::parse(&text[left.clone()]).map_err(|error| error.within(left))?;
    let (target, unit) =
        parse_target(&text[right.clone()]).map_err(|error| error.within(right.clone()))?;
    if let (Some(unit), false) = (unit, aggregate.is_of_trend()) {
        return Err(no_time(&aggregate.to_string(), unit).within(right));
    }
    Ok(Expression {
        text: text.trim().to_owned(),
        aggregate,
        is_trend: false,
        comparison: comparison(operator),
        operator,
        target,
        unit,
    })
}

/// What operators are made of.
const SIGNS: [char; 4] = ['<', '>', '=', '!'];

/// Where the two sides of an expression stand, without the spaces around them.
pub(super) struct Sides {
    pub(super) left: Range<usize>,
    pub(super) right: Range<usize>,
}

/// The sides of an expression's text; without an operator all of it is the left one.
pub(super) fn sides(text: &str) -> Sides {
    let trimmed = |range: Range<usize>| {
        let part = &text[range.clone()];
        let start = range.start + part.len() - part.trim_start().len();
        start..(range.start + part.trim_end().len()).max(start)
    };
    let at = text.find(SIGNS).unwrap_or(text.len());
    let signs = text[at..].len() - text[at..].trim_start_matches(SIGNS).len();
    Sides {
        left: trimmed(0..at),
        right: trimmed(at + signs..text.len()),
    }
}

/// A unit of time at something that is not a time.
pub(super) fn no_time(what: &str, unit: &str) -> SyntaxError {
    SyntaxError::new(0, format!("{what} is not a valid time")).hint(format!(
        "write the number without the unit {}",
        quoted(unit)
    ))
}

/// The operator that `text` starts with.
fn operator_at(text: &str) -> Result<Operator, SyntaxError> {
    let run = text.len() - text.trim_start_matches(SIGNS).len();
    let written = &text[..run];
    if let Some(found) = Operator::parse(written) {
        return Ok(found);
    }
    let nearest = match written {
        "=" => "==",
        "=<" => "<=",
        "=>" => ">=",
        "<>" | "!" | "!==" => "!=",
        w if w.starts_with('<') => "<",
        w if w.starts_with('>') => ">",
        _ => "==",
    };
    let problem = format!("unknown operator {}", quoted(written));
    Err(SyntaxError::new(0..run, problem).hint(format!("\"{nearest}\"")))
}

/// A number and its unit, in ms if it has one.
fn parse_target(text: &str) -> Result<(f64, Option<&'static str>), SyntaxError> {
    if text.is_empty() {
        return Err(
            SyntaxError::new(0, "a number after the operator is missing")
                .allowed("a number such as 500"),
        );
    }
    let length = number_length(text);
    let digits = &text[..length];
    let bad_number = || {
        SyntaxError::new(0, format!("{} is not a valid number", quoted(text)))
            .allowed("digits with an optional fraction, such as 500 or 0.01")
    };
    let number: f64 = digits.parse().map_err(|_| bad_number())?;
    if !number.is_finite() {
        return Err(bad_number());
    }
    let suffix = text[length..].trim_start();
    if suffix.is_empty() {
        return Ok((number, None));
    }
    if suffix == "%" {
        let ratio = format!("a ratio is in [0, 1]: write {}", number / 100.0);
        return Err(SyntaxError::new(0, format!("{digits}% is a percentage")).hint(ratio));
    }
    if !suffix.starts_with(char::is_alphabetic) {
        return Err(bad_number());
    }
    let unknown = || {
        let problem = format!("unknown unit {}", quoted(suffix));
        SyntaxError::new(text.len() - suffix.len(), problem)
            .allowed("us, ms, s, m or h for a time trend, and no unit for anything else")
    };
    let &(unit, exponent, factor) = UNITS
        .iter()
        .find(|(name, ..)| *name == suffix)
        .ok_or_else(unknown)?;
    // Moving the point in the text keeps decimal fractions exact where a multiplication would not.
    let shifted = if digits.contains(['e', 'E']) {
        number * 10f64.powi(exponent)
    } else {
        format!("{digits}e{exponent}")
            .parse()
            .map_err(|_| bad_number())?
    };
    Ok((shifted * factor, Some(unit)))
}
