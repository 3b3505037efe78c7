//! Gatling's assertions (<https://docs.gatling.io/concepts/assertions/>), as the helper prints them and logs hold them.

use serde_json::Value;

/// One assertion.
#[derive(Clone, Debug, PartialEq)]
pub struct Assertion {
    /// Of which requests.
    pub path: Path,
    /// Which figure.
    pub target: Target,
    /// What must hold.
    pub condition: Condition,
}

/// Of which requests a figure is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Path {
    /// All together.
    Global,
    /// Each on its own.
    ForAll,
    /// One request or group, by its groups and name.
    Details(Vec<String>),
}

/// A figure.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// A number of requests.
    Count(Requests),
    /// A share of requests in percent.
    Percent(Requests),
    /// Of the response time in ms.
    Time(Stat),
    /// Requests a second.
    MeanRequestsPerSecond,
}

/// Which requests are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requests {
    /// All.
    All,
    /// Those that failed.
    Failed,
    /// Those that did not.
    Successful,
}

/// A figure of a distribution.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Stat {
    /// The smallest value.
    Min,
    /// The largest value.
    Max,
    /// The mean.
    Mean,
    /// The standard deviation.
    StandardDeviation,
    /// A percentile, in [0, 100].
    Percentile(f64),
}

/// What must hold of a figure.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// At most.
    Lte(f64),
    /// At least.
    Gte(f64),
    /// Less than.
    Lt(f64),
    /// More than.
    Gt(f64),
    /// Exactly.
    Is(f64),
    /// Between two values.
    Between {
        /// The lower one.
        low: f64,
        /// The upper one.
        high: f64,
        /// Whether both ends are allowed.
        inclusive: bool,
    },
    /// One of several values.
    In(Vec<f64>),
}

/// Reads an assertion as the helper writes Gatling's case classes: `["Assertion", ["Global"], ["Count", ["AllRequests"]], ["Lt", 5]]`.
/// `None` if it is of a kind that this build does not know.
pub(super) fn parse(value: &Value) -> Option<Assertion> {
    let ("Assertion", [path, target, condition]) = class(value)? else {
        return None;
    };
    Some(Assertion {
        path: path_of(path)?,
        target: target_of(target)?,
        condition: condition_of(condition)?,
    })
}

/// A case class: its name and its values.
pub(super) fn class(value: &Value) -> Option<(&str, &[Value])> {
    let (name, values) = value.as_array()?.split_first()?;
    Some((name.as_str()?, values))
}

fn path_of(value: &Value) -> Option<Path> {
    Some(match class(value)? {
        ("Global", []) => Path::Global,
        ("ForAll", []) => Path::ForAll,
        ("Details", [parts]) => {
            let parts = parts
                .as_array()?
                .iter()
                .map(|p| Some(p.as_str()?.to_owned()));
            Path::Details(parts.collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

fn target_of(value: &Value) -> Option<Target> {
    Some(match class(value)? {
        ("MeanRequestsPerSecond", []) => Target::MeanRequestsPerSecond,
        ("Count", [requests]) => Target::Count(requests_of(requests)?),
        ("Percent", [requests]) => Target::Percent(requests_of(requests)?),
        ("Time", [metric, stat]) if class(metric)?.0 == "ResponseTime" => {
            Target::Time(match class(stat)? {
                ("Min", []) => Stat::Min,
                ("Max", []) => Stat::Max,
                ("Mean", []) => Stat::Mean,
                ("StandardDeviation", []) => Stat::StandardDeviation,
                ("Percentile", [value]) => Stat::Percentile(value.as_f64()?),
                _ => return None,
            })
        }
        _ => return None,
    })
}

fn requests_of(value: &Value) -> Option<Requests> {
    Some(match class(value)? {
        ("AllRequests", []) => Requests::All,
        ("FailedRequests", []) => Requests::Failed,
        ("SuccessfulRequests", []) => Requests::Successful,
        _ => return None,
    })
}

fn condition_of(value: &Value) -> Option<Condition> {
    Some(match class(value)? {
        ("Lte", [v]) => Condition::Lte(v.as_f64()?),
        ("Gte", [v]) => Condition::Gte(v.as_f64()?),
        ("Lt", [v]) => Condition::Lt(v.as_f64()?),
        ("Gt", [v]) => Condition::Gt(v.as_f64()?),
        ("Is", [v]) => Condition::Is(v.as_f64()?),
        ("Between", [low, high, inclusive]) => Condition::Between {
            low: low.as_f64()?,
            high: high.as_f64()?,
            inclusive: inclusive.as_bool()?,
        },
        ("In", [all]) => {
            let all = all.as_array()?.iter().map(Value::as_f64);
            Condition::In(all.collect::<Option<_>>()?)
        }
        _ => return None,
    })
}
