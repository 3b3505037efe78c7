//! Assertions as thresholds of ours.
//!
//! | Gatling | here |
//! |---|---|
//! | `responseTime().percentile(95)`, `min`, `max`, `mean` | `http_req_duration`: `p(95)`, `min`, `max`, `avg` |
//! | `allRequests().count()`, `requestsPerSec()` | `http_reqs`: `count`, `rate` |
//! | `failedRequests().count()`, `successfulRequests().count()` | `http_reqs{expected_response:false}`, `…:true`: `count` |
//! | `failedRequests().percent()`, `successfulRequests().percent()` | `http_req_failed`: `rate`, turned round for the latter |
//! | `global()`, `details("group", "name")`, `forAll()` | no tags; `group` and `name`; those of each request, where they are known |
//! | `between` | two expressions |
//!
//! The standard deviation, `in` with several values, and percentages of all requests have no equivalent, and become warnings.

use super::assertion::{Assertion, Condition, Path, Requests, Stat, Target};
use crate::inspection::ScriptThreshold;
use floodgate_records::key::Key;
use floodgate_records::metric::{Builtin, Tags};
use std::time::Duration;

/// A request's place: its groups as the tag has them (`::outer::inner`, empty for none), and its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    /// The tag `group`.
    pub group: String,
    /// The tag `name`.
    pub name: String,
}

/// Thresholds of assertions, and a warning for each that has no equivalent. `requests` are those that are known, for `forAll`: a
/// log has been read, or none before the run.
pub fn thresholds(
    assertions: &[Assertion],
    requests: &[Name],
) -> (Vec<ScriptThreshold>, Vec<String>) {
    let (mut lifted, mut warnings) = (Vec::new(), Vec::new());
    for assertion in assertions {
        let expressions = figure(&assertion.target)
            .and_then(|figure| Ok((figure, expressions(figure, &assertion.condition)?)));
        let (figure, expressions) = match expressions {
            Ok(found) => found,
            Err(why) => {
                warnings.push(format!(
                    "an assertion is not evaluated: {why}; {assertion:?}"
                ));
                continue;
            }
        };
        let places = match &assertion.path {
            Path::Global => vec![Tags::new()],
            Path::Details(parts) => vec![details(parts)],
            Path::ForAll if requests.is_empty() => {
                warnings.push(format!(
                    "an assertion for each request is not evaluated, since their names are known only after the run: \
                     write details(...) instead, or a threshold; {assertion:?}"
                ));
                continue;
            }
            Path::ForAll => requests.iter().map(tags).collect(),
        };
        for place in places {
            let tags = match figure.expected {
                Some(expected) => place.with("expected_response", expected),
                None => place,
            };
            let key = Key {
                metric: figure.metric.name().to_owned(),
                tags,
            };
            lifted.extend(expressions.iter().map(|expression| ScriptThreshold {
                key: key.to_string(),
                expression: expression.clone(),
                abort_on_fail: false,
                delay: Duration::ZERO,
            }));
        }
    }
    (lifted, warnings)
}

fn details(parts: &[String]) -> Tags {
    match parts.split_last() {
        None => Tags::new(),
        Some((name, groups)) => tags(&Name {
            group: groups.iter().flat_map(|group| ["::", group]).collect(),
            name: name.clone(),
        }),
    }
}

fn tags(request: &Name) -> Tags {
    let tags = Tags::new().with("name", &request.name);
    if request.group.is_empty() {
        tags
    } else {
        tags.with("group", &request.group)
    }
}

/// A figure of ours: the aggregate of a metric.
#[derive(Clone, Copy)]
struct Figure {
    metric: Builtin,
    aggregate: Aggregate,
    /// The tag `expected_response`.
    expected: Option<&'static str>,
    /// What Gatling's value is divided by.
    divisor: f64,
    /// Whether Gatling's is the rest to 1 of ours.
    turned: bool,
}

#[derive(Clone, Copy)]
enum Aggregate {
    Named(&'static str),
    Percentile(f64),
}

fn figure(target: &Target) -> Result<Figure, &'static str> {
    let of = |metric, aggregate| Figure {
        metric,
        aggregate,
        expected: None,
        divisor: 1.0,
        turned: false,
    };
    let time = |name| of(Builtin::HttpReqDuration, Aggregate::Named(name));
    let count = of(Builtin::HttpReqs, Aggregate::Named("count"));
    let share = Figure {
        divisor: 100.0,
        ..of(Builtin::HttpReqFailed, Aggregate::Named("rate"))
    };
    Ok(match target {
        Target::MeanRequestsPerSecond => of(Builtin::HttpReqs, Aggregate::Named("rate")),
        Target::Count(Requests::All) => count,
        Target::Count(Requests::Failed) => Figure {
            expected: Some("false"),
            ..count
        },
        Target::Count(Requests::Successful) => Figure {
            expected: Some("true"),
            ..count
        },
        Target::Percent(Requests::Failed) => share,
        Target::Percent(Requests::Successful) => Figure {
            turned: true,
            ..share
        },
        Target::Percent(Requests::All) => return Err("all requests are always 100 percent of all"),
        Target::Time(Stat::Min) => time("min"),
        Target::Time(Stat::Max) => time("max"),
        Target::Time(Stat::Mean) => time("avg"),
        Target::Time(Stat::Percentile(p)) => {
            of(Builtin::HttpReqDuration, Aggregate::Percentile(*p))
        }
        Target::Time(Stat::StandardDeviation) => {
            return Err("thresholds have no standard deviation");
        }
    })
}

fn expressions(figure: Figure, condition: &Condition) -> Result<Vec<String>, &'static str> {
    let of = |operator: &str, value: f64| {
        let operator = match operator {
            "<" if figure.turned => ">",
            "<=" if figure.turned => ">=",
            ">" if figure.turned => "<",
            ">=" if figure.turned => "<=",
            other => other,
        };
        let share = value / figure.divisor;
        // 1 - 0.95 is 0.050000000000000044 in binary; what was written had few digits.
        let value = if figure.turned { 1.0 - share } else { share };
        let value = (value * 1e12).round() / 1e12;
        match figure.aggregate {
            Aggregate::Named(name) => format!("{name}{operator}{value}"),
            Aggregate::Percentile(p) => format!("p({p}){operator}{value}"),
        }
    };
    Ok(match condition {
        Condition::Lt(v) => vec![of("<", *v)],
        Condition::Lte(v) => vec![of("<=", *v)],
        Condition::Gt(v) => vec![of(">", *v)],
        Condition::Gte(v) => vec![of(">=", *v)],
        Condition::Is(v) => vec![of("===", *v)],
        Condition::Between {
            low,
            high,
            inclusive: true,
        } => vec![of(">=", *low), of("<=", *high)],
        Condition::Between { low, high, .. } => vec![of(">", *low), of("<", *high)],
        Condition::In(values) => match values[..] {
            [value] => vec![of("===", value)],
            _ => return Err("thresholds have no list of values"),
        },
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use floodgate_core::threshold::{parse_expression, parse_key};

    fn lifted(path: Path, target: Target, condition: Condition) -> Vec<String> {
        let assertion = Assertion {
            path,
            target,
            condition,
        };
        let requests = [("", "home"), ("::shop", "search")].map(|(group, name)| Name {
            group: group.into(),
            name: name.into(),
        });
        let (lifted, warnings) = thresholds(&[assertion], &requests);
        let all = lifted
            .iter()
            .map(|l| format!("{}: {}", l.key, l.expression));
        all.chain(
            warnings
                .into_iter()
                .map(|w| w.split(';').next().unwrap().to_owned()),
        )
        .collect()
    }

    #[test]
    fn assertions_become_thresholds() {
        use Condition as C;
        let all = |target, condition| lifted(Path::Global, target, condition);
        let failed = Target::Percent(Requests::Failed);
        let passed = Target::Percent(Requests::Successful);
        for (found, expected) in [
            (
                all(Target::Time(Stat::Percentile(99.9)), C::Lt(800.0)),
                "http_req_duration: p(99.9)<800",
            ),
            (
                all(Target::Time(Stat::Mean), C::Lte(20.5)),
                "http_req_duration: avg<=20.5",
            ),
            (
                all(Target::Count(Requests::All), C::Gte(10.0)),
                "http_reqs: count>=10",
            ),
            (
                all(Target::Count(Requests::Failed), C::Is(0.0)),
                "http_reqs{expected_response:false}: count===0",
            ),
            (all(failed, C::Lt(5.0)), "http_req_failed: rate<0.05"),
            (all(passed, C::Gt(95.0)), "http_req_failed: rate<0.05"),
            (
                all(Target::MeanRequestsPerSecond, C::In(vec![7.0])),
                "http_reqs: rate===7",
            ),
        ] {
            assert_eq!(found, [expected]);
        }
        let between = C::Between {
            low: 90.0,
            high: 99.0,
            inclusive: true,
        };
        assert_eq!(
            all(Target::Percent(Requests::Successful), between),
            ["http_req_failed: rate<=0.1", "http_req_failed: rate>=0.01"]
        );
    }

    #[test]
    fn places_become_tags() {
        let details = |parts: &[&str]| {
            let path = Path::Details(parts.iter().map(|p| (*p).to_owned()).collect());
            lifted(path, Target::Time(Stat::Max), Condition::Lt(9.0))
        };
        assert_eq!(details(&["home"]), ["http_req_duration{name:home}: max<9"]);
        assert_eq!(
            details(&["a, b", "c", "buy"]),
            ["http_req_duration{group:\"::a, b::c\",name:buy}: max<9"]
        );
        assert_eq!(details(&[]), ["http_req_duration: max<9"]);
        assert_eq!(
            lifted(Path::ForAll, Target::Time(Stat::Max), Condition::Lt(9.0)),
            [
                "http_req_duration{name:home}: max<9",
                "http_req_duration{group:::shop,name:search}: max<9"
            ]
        );
    }

    #[test]
    fn what_has_no_equivalent_is_said() {
        for (target, condition, expected) in [
            (
                Target::Time(Stat::StandardDeviation),
                Condition::Lt(1.0),
                "thresholds have no standard deviation",
            ),
            (
                Target::Percent(Requests::All),
                Condition::Lt(1.0),
                "all requests are always 100 percent of all",
            ),
            (
                Target::MeanRequestsPerSecond,
                Condition::In(vec![1.0, 2.0]),
                "thresholds have no list of values",
            ),
        ] {
            let found = lifted(Path::Global, target, condition);
            assert_eq!(
                found,
                [format!("an assertion is not evaluated: {expected}")]
            );
        }
    }

    #[test]
    fn what_is_lifted_can_be_parsed() {
        let described = include_bytes!("../../fixtures/gatling/binary/describe.json");
        let inspection = super::super::inspect("sim.jar", described).unwrap();
        assert_eq!(inspection.thresholds.len(), 7);
        for lifted in &inspection.thresholds {
            parse_key(&lifted.key).unwrap();
            parse_expression(&lifted.expression).unwrap();
        }
        // Those on the standard deviation and for each request.
        let dropped = inspection
            .warnings
            .iter()
            .filter(|w| w.starts_with("an assertion"));
        assert_eq!(dropped.count(), 2);
    }
}
