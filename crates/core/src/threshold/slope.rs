//! Expressions about a slope: `trend(p(95))<2%/h`.

use super::aggregate::Aggregate;
use super::number::number_length;
use crate::syntax::SyntaxError;
use floodgate_records::outcome::Operator;
use floodgate_records::printable::quoted;

/// Units of time that a change may be in, and how many of them an hour has.
const UNITS: [(&str, f64); 3] = [("h", 1.0), ("d", 1.0 / 24.0), ("m", 60.0)];

/// What a change may be written as.
const SAID: &str = "a change in a time, such as 2%/h or 10%/d";

/// What has a slope.
const SLOPES: &str = "trend(p(N)), trend(med), trend(avg) or trend(rate)";

const OPEN: &str = "trend(";

/// What stands between the brackets of `trend(…)`, and where; `None` of anything else.
pub(super) fn of_trend(left: &str) -> Option<(usize, &str)> {
    let inside = left.strip_prefix(OPEN)?.strip_suffix(')')?;
    let trimmed = inside.trim();
    let at = inside.len() - inside.trim_start().len();
    Some((OPEN.len() + at, trimmed))
}

/// The aggregate whose slope is asked for.
pub(super) fn aggregate(text: &str) -> Result<Aggregate, SyntaxError> {
    let aggregate = Aggregate::parse(text)?;
    let problem = match aggregate {
        Aggregate::Count => "is a total that only grows, which has no slope",
        Aggregate::Value => "is the last value of a gauge, which has no slope",
        Aggregate::Min | Aggregate::Max => "is that of one sample, which has no slope",
        Aggregate::Percentile(p) if p <= 0.0 || p >= 100.0 => {
            "is that of one sample, which has no slope"
        }
        _ => return Ok(aggregate),
    };
    let error = SyntaxError::new(0, format!("{aggregate} {problem}")).allowed(SLOPES);
    Err(match aggregate {
        Aggregate::Count => error.hint("\"rate\""),
        _ => error,
    })
}

/// A slope is bounded; it is never exactly a number.
pub(super) fn check_operator(operator: Operator) -> Result<(), SyntaxError> {
    match operator {
        Operator::Lt | Operator::Le | Operator::Gt | Operator::Ge => Ok(()),
        Operator::Eq | Operator::Same | Operator::Ne => {
            let problem = "a slope is known to an interval, so it is never exactly a number";
            Err(SyntaxError::new(0, problem).allowed("< <= > >="))
        }
    }
}

/// A change in a time, as that of an hour: 0.02 for `2%/h`.
pub(super) fn parse(text: &str) -> Result<f64, SyntaxError> {
    if text.is_empty() {
        return Err(SyntaxError::new(0, "a change after the operator is missing").allowed(SAID));
    }
    let bad =
        |problem: &str| SyntaxError::new(0, format!("{} {problem}", quoted(text))).allowed(SAID);
    let length = number_length(text);
    let number: f64 = text[..length]
        .parse()
        .map_err(|_| bad("is not a valid change"))?;
    if !number.is_finite() {
        return Err(bad("is not a valid change"));
    }
    let rest = text[length..].trim_start();
    let Some(time) = rest.strip_prefix('%') else {
        return Err(bad("is no percentage"));
    };
    let Some(unit) = time.trim_start().strip_prefix('/').map(str::trim) else {
        return Err(bad("does not say in which time"));
    };
    let known = UNITS.iter().find(|(name, _)| *name == unit);
    let (_, an_hour) = known.ok_or_else(|| bad("has no valid unit of time"))?;
    Ok(number / 100.0 * an_hour)
}
