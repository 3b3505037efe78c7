//! Expressions of thresholds: `aggregate operator number[unit]`.

use super::aggregate::Aggregate;
use super::error::{Fault, ThresholdError};
use crate::check::Comparison;
use std::fmt;

/// A parsed expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    /// As written, without spaces around it.
    pub text: String,
    /// The left side.
    pub aggregate: Aggregate,
    /// How the sides are compared.
    pub comparison: Comparison,
    /// The operator as written; `===` and `==` are one comparison.
    pub operator: &'static str,
    /// The right side: ms where the left side is a trend's, else a plain number.
    pub target: f64,
    /// The unit of time that was written, if any.
    pub unit: Option<&'static str>,
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Longer ones first, so that a prefix never wins.
const OPERATORS: [(&str, Comparison); 7] = [
    ("===", Comparison::Eq),
    ("==", Comparison::Eq),
    ("!=", Comparison::Ne),
    ("<=", Comparison::Le),
    (">=", Comparison::Ge),
    ("<", Comparison::Lt),
    (">", Comparison::Gt),
];

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
/// number may have one of the units `us`, `ms`, `s`, `m`, `h`; a bare number at a trend is in ms.
///
/// # Errors
/// A [`ThresholdError`] with the column of the fault.
pub fn parse_expression(text: &str) -> Result<Expression, ThresholdError> {
    let fail = |offset, fault| ThresholdError::at(text, offset, fault);
    if text.trim().is_empty() {
        return Err(fail(
            0,
            Fault::Empty {
                example: "an expression, such as p(95)<500",
            },
        ));
    }
    let at = text
        .find(['<', '>', '=', '!'])
        .ok_or_else(|| fail(text.trim_end().len(), Fault::NoOperator))?;
    let (operator, comparison) = operator_at(&text[at..]).map_err(|fault| fail(at, fault))?;

    let left = text[..at].trim();
    let left_at = at - text[..at].trim_start().len();
    if left.is_empty() {
        return Err(fail(
            left_at,
            Fault::Empty {
                example: "an aggregate before the operator, such as p(95)",
            },
        ));
    }
    let aggregate = Aggregate::parse(left).map_err(|fault| fail(left_at, fault))?;

    let right = text[at + operator.len()..].trim();
    let right_at = text.len() - text[at + operator.len()..].trim_start().len();
    let (target, unit) =
        parse_target(right).map_err(|(offset, fault)| fail(right_at + offset, fault))?;
    if let (Some(unit), false) = (unit, aggregate.is_of_trend()) {
        let (metric, aggregate) = ("any metric".into(), aggregate.to_string());
        return Err(fail(
            right_at,
            Fault::UnitOfNoTime {
                metric,
                aggregate,
                unit,
            },
        ));
    }
    Ok(Expression {
        text: text.trim().to_owned(),
        aggregate,
        comparison,
        operator,
        target,
        unit,
    })
}

/// The operator that `text` starts with.
fn operator_at(text: &str) -> Result<(&'static str, Comparison), Fault> {
    let run = text
        .find(|c| !matches!(c, '<' | '>' | '=' | '!'))
        .unwrap_or(text.len());
    let written = &text[..run];
    if let Some(found) = OPERATORS.into_iter().find(|(o, _)| *o == written) {
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
    Err(Fault::Operator {
        operator: written.to_owned(),
        nearest,
    })
}

/// A number and its unit, in ms if it has one; an error with its byte offset.
fn parse_target(text: &str) -> Result<(f64, Option<&'static str>), (usize, Fault)> {
    if text.is_empty() {
        return Err((
            0,
            Fault::Empty {
                example: "a number after the operator, such as 500",
            },
        ));
    }
    let length = number_length(text);
    let digits = &text[..length];
    let bad_number = || {
        (
            0,
            Fault::Number {
                number: text.to_owned(),
            },
        )
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
        return Err((
            0,
            Fault::Percentage {
                number: digits.to_owned(),
            },
        ));
    }
    if !suffix.starts_with(char::is_alphabetic) {
        return Err(bad_number());
    }
    let &(unit, exponent, factor) =
        UNITS
            .iter()
            .find(|(name, ..)| *name == suffix)
            .ok_or_else(|| {
                (
                    text.len() - suffix.len(),
                    Fault::Unit {
                        unit: suffix.to_owned(),
                    },
                )
            })?;
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

/// How many bytes at the start of `text` are a number: `[+-]digits[.digits][e[+-]digits]`, with digits on one side of the
/// point at least.
pub(super) fn number_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digits = |from: usize| {
        bytes[from..]
            .iter()
            .take_while(|b| b.is_ascii_digit())
            .count()
    };
    let sign = |from: usize| usize::from(matches!(bytes.get(from), Some(b'+' | b'-')));
    let mut end = sign(0);
    let whole = digits(end);
    end += whole;
    if bytes.get(end) == Some(&b'.') {
        let fraction = digits(end + 1);
        if whole + fraction == 0 {
            return 0;
        }
        end += 1 + fraction;
    } else if whole == 0 {
        return 0;
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let start = end + 1 + sign(end + 1);
        match digits(start) {
            0 => {}
            n => end = start + n,
        }
    }
    end
}
