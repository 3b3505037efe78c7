//! What can be wrong with a threshold as written.

use crate::metric::MetricKind;

/// A threshold or a baseline metric that cannot be used, and where the fault stands in its text.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{input:?}, column {column}: {fault}")]
pub struct ThresholdError {
    /// The text as written.
    pub input: String,
    /// Where the fault stands in `input`: characters from 1.
    pub column: usize,
    /// What is wrong.
    pub fault: Box<Fault>,
}

impl ThresholdError {
    /// An error at a byte offset of `input`.
    pub(crate) fn at(input: &str, offset: usize, fault: Fault) -> Self {
        let before = input.get(..offset).unwrap_or(input);
        Self {
            input: input.to_owned(),
            column: before.chars().count() + 1,
            fault: Box::new(fault),
        }
    }
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Fault {
    /// Nothing is written.
    #[error("empty; write {example}")]
    Empty {
        /// What belongs here.
        example: &'static str,
    },
    /// No metric can have this name.
    #[error(
        "{name:?} is no metric name; a name has 2 to 129 letters, digits and underscores and does not start with a digit"
    )]
    MetricName {
        /// The name.
        name: String,
    },
    /// The name is nearly that of a metric that every run has.
    #[error("there is no metric {name:?}; did you mean {nearest:?}?")]
    UnknownMetric {
        /// The name.
        name: String,
        /// The built-in metric that it resembles.
        nearest: &'static str,
    },
    /// The braces of a key do not match.
    #[error("{problem}; write metric{{tag:value,tag:value}}")]
    Braces {
        /// How.
        problem: &'static str,
    },
    /// A tag is not `name:value`.
    #[error("tag {tag:?} {problem}; write name:value, and quote a value with a comma in it")]
    Tag {
        /// The tag.
        tag: String,
        /// What it lacks.
        problem: &'static str,
    },
    /// There is no operator.
    #[error("no operator; allowed are < <= > >= == === !=")]
    NoOperator,
    /// Something like an operator that is none.
    #[error("unknown operator {operator:?}; did you mean {nearest:?}?")]
    Operator {
        /// What stands there.
        operator: String,
        /// The operator that it resembles.
        nearest: &'static str,
    },
    /// The left side is no aggregate.
    #[error("unknown aggregate {aggregate:?}; allowed are count, rate, value, avg, min, max, med and p(N){}", hint(.nearest.as_deref()))]
    Aggregate {
        /// What stands there.
        aggregate: String,
        /// The aggregate that it resembles.
        nearest: Option<String>,
    },
    /// The number of a percentile is not one.
    #[error(
        "{percentile:?} is no percentile; N of p(N) is a number from 0 to 100, such as p(95) or p(99.9)"
    )]
    Percentile {
        /// What stands between the parentheses.
        percentile: String,
    },
    /// The metric's type has no such aggregate.
    #[error("{metric} is a {kind}, which has no {aggregate:?}; allowed are {allowed}{}", hint(.nearest.as_deref()))]
    Unsupported {
        /// The metric.
        metric: String,
        /// Its type.
        kind: MetricKind,
        /// The aggregate as written.
        aggregate: String,
        /// What the type has.
        allowed: &'static str,
        /// The aggregate that it resembles.
        nearest: Option<String>,
    },
    /// The right side is no number.
    #[error("{number:?} is no number; write digits with an optional fraction, such as 500 or 0.01")]
    Number {
        /// What stands there.
        number: String,
    },
    /// A percentage.
    #[error("{number}% is a percentage; a ratio is in [0, 1]: write {}", ratio(.number))]
    Percentage {
        /// The number before the sign.
        number: String,
    },
    /// The unit is unknown.
    #[error(
        "unknown unit {unit:?}; a time trend takes us, ms, s, m or h, and anything else no unit"
    )]
    Unit {
        /// What follows the number.
        unit: String,
    },
    /// Every value of the metric compares in the same way.
    #[error(
        "{metric} is {range}, so {expression} {always}; write a number that it can be on either side of{}",
        if *.is_ratio { ", such as 0.01 for one percent" } else { "" }
    )]
    Pointless {
        /// The metric.
        metric: String,
        /// What its values are.
        range: &'static str,
        /// The expression as written.
        expression: String,
        /// `always holds` or `never holds`.
        always: &'static str,
        /// Whether it is a share.
        is_ratio: bool,
    },
    /// A unit of time at something that is no time.
    #[error("{aggregate} of {metric} is no time; write the number without the unit {unit:?}")]
    UnitOfNoTime {
        /// The metric.
        metric: String,
        /// The aggregate.
        aggregate: String,
        /// The unit.
        unit: &'static str,
    },
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |n| format!("; did you mean {n:?}?"))
}

fn ratio(percentage: &str) -> String {
    percentage
        .parse::<f64>()
        .map_or_else(|_| "0.1".into(), |p| (p / 100.0).to_string())
}
