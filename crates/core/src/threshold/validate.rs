//! What a definition may ask: names, types and units, before there is any data.

use super::aggregate::Aggregate;
use super::expression::{Expression, no_time, parse_expression, sides};
use super::parse_key;
use crate::check::Comparison;
use crate::syntax::SyntaxError;
use floodgate_records::key::Key;
use floodgate_records::metric::{Builtin, Contains, MetricKind};
use floodgate_records::printable::quoted;

/// Tags that the engines set by themselves (<https://grafana.com/docs/k6/latest/using-k6/tags-and-groups/>, and ours).
const KNOWN_TAGS: [&str; 11] = [
    "scenario",
    "group",
    "name",
    "method",
    "status",
    "error_code",
    "expected_response",
    "check",
    "region",
    "task",
    "corrected",
];

/// Checks a threshold as written in a definition: both parts parse, the metric's name is not a misspelt built-in one,
/// and a built-in metric has the aggregate. Any other metric is taken for a custom one, whose type is known
/// when the run has measured it.
///
/// # Errors
/// What is wrong; the place is one in `key` or in `expression`, whichever is at fault.
pub fn check(key: &str, expression: &str) -> Result<(), SyntaxError> {
    checked_expression(&checked_key(key)?, expression).map(drop)
}

/// Parses a key, and refuses a metric that is nearly a built-in one.
pub(crate) fn checked_key(text: &str) -> Result<Key, SyntaxError> {
    let key = parse_key(text)?;
    match misspelt(&key.metric) {
        Some(nearest) => {
            let problem = format!("there is no metric {}", quoted(&key.metric));
            Err(SyntaxError::new(0..key.metric.len(), problem).hint(format!("\"{nearest}\"")))
        }
        None => Ok(key),
    }
}

/// Whether the metric's type has the aggregate, as far as the type is known.
pub(crate) fn check_aggregate(metric: &str, aggregate: Aggregate) -> Result<(), SyntaxError> {
    let Some(kind) = Builtin::parse(metric)
        .map(Builtin::kind)
        .filter(|k| !aggregate.is_of(*k))
    else {
        return Ok(());
    };
    let problem = format!("{metric} is a {kind}, which has no \"{aggregate}\"");
    let error = SyntaxError::new(0, problem).allowed(Aggregate::allowed(kind));
    Err(match aggregate.nearest_of(kind) {
        Some(nearest) => error.hint(format!("\"{nearest}\"")),
        None => error,
    })
}

/// Parses the expression of a key, and refuses an aggregate or a unit that the metric does not have.
pub(crate) fn checked_expression(key: &Key, text: &str) -> Result<Expression, SyntaxError> {
    let expression = parse_expression(text)?;
    let sides = sides(text);
    check_aggregate(&key.metric, expression.aggregate).map_err(|error| error.within(sides.left))?;
    let no_times = Builtin::parse(&key.metric).is_some_and(|m| m.contains() != Contains::Time);
    if let (Some(unit), true) = (expression.unit, no_times) {
        let what = format!("{} of {}", expression.aggregate, key.metric);
        return Err(no_time(&what, unit).within(sides.right));
    }
    Ok(expression)
}

/// Why no value of a built-in metric could meet the expression, or none could miss it: none of them is negative, and shares are at most
/// 1. `None` if both are possible. A script may have such thresholds: `count>=0` is how k6 is made to show a metric.
pub(crate) fn pointless(key: &Key, expression: &Expression) -> Option<SyntaxError> {
    let kind = Builtin::parse(&key.metric)?.kind();
    if expression.is_trend {
        return None;
    }
    let is_ratio = kind == MetricKind::Rate;
    let (least, most) = (0.0, if is_ratio { 1.0 } else { f64::INFINITY });
    let (target, comparison) = (expression.target, expression.comparison);
    // Between the ends of the range both outcomes are possible; at or beyond them the comparison decides.
    let (always, never) = match comparison {
        Comparison::Lt => (target > most, target <= least),
        Comparison::Le => (target >= most, target < least),
        Comparison::Gt => (target < least, target >= most),
        Comparison::Ge => (target <= least, target > most),
        Comparison::Eq => (false, target < least || target > most),
        Comparison::Ne => (target < least || target > most, false),
    };
    if !always && !never {
        return None;
    }
    let (metric, outcome) = (&key.metric, if always { "always" } else { "never" });
    let (range, example) = match is_ratio {
        true => ("a share in [0, 1]", ", such as 0.01 for one percent"),
        false => ("never negative", ""),
    };
    let problem = format!("{metric} is {range}, so {expression} {outcome} holds");
    let remedy = format!("write a number that it can be on either side of{example}");
    Some(SyntaxError::new(0, problem).hint(remedy))
}

/// What is allowed and probably not meant: sentences for the reader of the definition.
pub(super) fn doubts(
    key: &Key,
    expression: &Expression,
    abort_on_fail: bool,
    delayed: bool,
    recorded: bool,
) -> Vec<String> {
    let mut doubts = Vec::new();
    let metric = &key.metric;
    let builtin = Builtin::parse(metric);
    if builtin.is_none() && !recorded {
        doubts.push(format!(
            "threshold {key}: {metric} is not built in; if the test never records it, the run is inconclusive"
        ));
    }
    for tag in key.tags.0.keys() {
        let near = KNOWN_TAGS
            .into_iter()
            .find(|k| k != tag && strsim::osa_distance(k, tag) <= usize::from(tag.len() >= 3));
        if let Some(near) = near.filter(|_| !KNOWN_TAGS.contains(&tag.as_str())) {
            doubts.push(format!(
                "threshold {key}: {tag:?} is not a tag of the engine; did you mean {near:?}?"
            ));
        }
    }
    let grows = matches!(expression.aggregate, Aggregate::Count)
        && matches!(expression.comparison, Comparison::Gt | Comparison::Ge);
    if abort_on_fail && grows && !delayed {
        doubts.push(format!(
            "threshold {key}: {expression} is breached until enough has been counted, so abortOnFail stops the run at \
             once; set delayAbortEval"
        ));
    }
    doubts
}

/// The built-in metric that a name not built in is nearly equal to: one edit in five letters at most, two at any length.
/// A custom metric that happens to be so close has to be renamed; a misspelt one would cost a whole run.
fn misspelt(name: &str) -> Option<&'static str> {
    if Builtin::parse(name).is_some() {
        return None;
    }
    let allowed = (name.len() / 5).min(2);
    let distance = |m: &&Builtin| strsim::osa_distance(m.name(), &name.to_lowercase());
    Builtin::ALL
        .iter()
        .filter(|m| distance(m) <= allowed)
        .min_by_key(distance)
        .map(|m| m.name())
}
