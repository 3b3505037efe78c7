//! What a definition may ask: names, types and units, before there is any data.

use super::aggregate::Aggregate;
use super::error::{Fault, ThresholdError};
use super::expression::{Expression, parse_expression};
use super::key::{Key, parse_key};
use crate::check::Comparison;
use crate::metric::{Builtin, Contains, MetricKind};

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
/// A [`ThresholdError`]; its text is of `key` or of `expression`, whichever is at fault.
pub fn check(key: &str, expression: &str) -> Result<(), ThresholdError> {
    let key = checked_key(key)?;
    check_expression(&key, &parse_expression(expression)?)
}

/// Why no value could meet a threshold of a definition, or none could miss it; `None` if both are possible or it does not parse.
/// A script may have such thresholds: `count>=0` is how k6 is made to show a metric.
pub(crate) fn pointless(key: &str, expression: &str) -> Option<ThresholdError> {
    let (parsed_key, parsed) = (parse_key(key).ok()?, parse_expression(expression).ok()?);
    Some(ThresholdError::at(
        expression,
        0,
        pointless_fault(&parsed_key, &parsed)?,
    ))
}

/// Parses a key, and refuses a metric that is nearly a built-in one.
pub(crate) fn checked_key(text: &str) -> Result<Key, ThresholdError> {
    let key = parse_key(text)?;
    match misspelt(&key.metric) {
        Some(nearest) => Err(ThresholdError::at(
            text,
            0,
            Fault::UnknownMetric {
                name: key.metric.clone(),
                nearest,
            },
        )),
        None => Ok(key),
    }
}

/// Whether the metric's type has the aggregate, as far as the type is known.
pub(crate) fn check_aggregate(metric: &str, aggregate: Aggregate) -> Result<(), Fault> {
    let Some(kind) = Builtin::parse(metric)
        .map(Builtin::kind)
        .filter(|k| !aggregate.is_of(*k))
    else {
        return Ok(());
    };
    Err(Fault::Unsupported {
        metric: metric.to_owned(),
        kind,
        aggregate: aggregate.to_string(),
        allowed: Aggregate::allowed(kind),
        nearest: aggregate.nearest_of(kind),
    })
}

pub(super) fn check_expression(key: &Key, expression: &Expression) -> Result<(), ThresholdError> {
    let fail = |fault| Err(ThresholdError::at(&expression.text, 0, fault));
    check_aggregate(&key.metric, expression.aggregate).or_else(fail)?;
    let no_time = Builtin::parse(&key.metric).is_some_and(|m| m.contains() != Contains::Time);
    if let (Some(unit), true) = (expression.unit, no_time) {
        let (metric, aggregate) = (key.metric.clone(), expression.aggregate.to_string());
        return fail(Fault::UnitOfNoTime {
            metric,
            aggregate,
            unit,
        });
    }
    Ok(())
}

/// An expression that no value of a built-in metric can meet, or none can miss: none of them is negative, and shares are at most 1.
fn pointless_fault(key: &Key, expression: &Expression) -> Option<Fault> {
    let kind = Builtin::parse(&key.metric)?.kind();
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
    (always || never).then(|| Fault::Pointless {
        metric: key.metric.clone(),
        range: if is_ratio {
            "a share in [0, 1]"
        } else {
            "never negative"
        },
        expression: expression.text.clone(),
        always: if always {
            "always holds"
        } else {
            "never holds"
        },
        is_ratio,
    })
}

/// What is allowed and probably not meant: sentences for the reader of the definition.
pub(super) fn doubts(
    key: &Key,
    expression: &Expression,
    abort_on_fail: bool,
    delayed: bool,
) -> Vec<String> {
    let mut doubts = Vec::new();
    let metric = &key.metric;
    let builtin = Builtin::parse(metric);
    if builtin.is_none() {
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
                "threshold {key}: {tag:?} is no tag of the engine; did you mean {near:?}?"
            ));
        }
    }
    let grows =
        matches!(expression.aggregate, Aggregate::Count) && expression.operator.starts_with('>');
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
