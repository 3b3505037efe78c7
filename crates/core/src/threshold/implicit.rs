//! What must hold in every run, whatever its definition asks: not all requests of the run, nor of one of its scenarios, may have failed.
//!
//! A run whose requests all failed has measured how fast its target fails. Its response times may be excellent, and mean nothing.
//! Whoever wants a status outside of 200–399 says so with `expect`; then it is not a failure.

use super::failures::{Failures, count_requests, is_unanswered};
use super::{MetricSource, MissingSamples, Threshold, parse_expression};
use floodgate_records::key::Key;
use floodgate_records::metric::{Builtin, Tags};
use floodgate_records::outcome::{Outcome, ThresholdOutcome};
use std::time::Duration;

const SCENARIO: &str = "scenario";

/// What must hold of the share of failures.
const EXPRESSION: &str = "rate<1";

/// What JMeter's samplers of other protocols than HTTP are judged by, where no HTTP request was.
const OTHER_FAILED: &str = "sample_failed";

/// The outcomes of the implicit thresholds: that of the whole run, and those of scenarios that breach it although the run does not. None in a
/// run whose requests nobody judged.
pub(crate) fn outcomes(source: &dyn MetricSource, elapsed: Duration) -> Vec<ThresholdOutcome> {
    let http = Builtin::HttpReqFailed.name();
    let judged = |metric: &str| source.select(metric, &Tags::new()).map_or(0, |s| s.count);
    let metric = [http, OTHER_FAILED].into_iter().find(|m| judged(m) > 0);
    let Some(metric) = metric else {
        return Vec::new();
    };
    let whole = outcome(source, elapsed, metric, None);
    let mut outcomes: Vec<_> = whole.into_iter().collect();
    if outcomes.iter().all(|o| o.outcome != Outcome::Failed) {
        let scenarios = answered_scenarios(source, metric);
        let each = scenarios
            .iter()
            .filter_map(|s| outcome(source, elapsed, metric, Some(s)));
        outcomes.extend(each.filter(|o| o.outcome == Outcome::Failed));
    }
    outcomes
}

/// The scenarios some of whose requests got a response; without any, nothing was measured, which the verdict says otherwise.
fn answered_scenarios(source: &dyn MetricSource, metric: &str) -> Vec<String> {
    let all = source.tag_values(metric, SCENARIO).into_iter();
    let all = all.map(|(name, _)| name).filter(|name| !name.is_empty());
    let answered = |name: &String| {
        let of = |tags: &Tags| tags.get(SCENARIO) == Some(name) && !is_unanswered(tags);
        source
            .select_where(metric, &of)
            .is_some_and(|s| s.count > 0)
    };
    all.filter(answered).collect()
}

/// The outcome for the whole run, or for a scenario.
fn outcome(
    source: &dyn MetricSource,
    elapsed: Duration,
    metric: &str,
    scenario: Option<&str>,
) -> Option<ThresholdOutcome> {
    let mut tags = Tags::new();
    if let Some(name) = scenario {
        tags = tags.with(SCENARIO, name);
    }
    let n = source.select(metric, &tags).map_or(0, |s| s.count);
    let key = Key {
        metric: metric.to_owned(),
        tags,
    };
    let threshold = Threshold::new(key, parse_expression(EXPRESSION).ok()?);
    let mut outcome = threshold.judge(source, elapsed, &MissingSamples::default());
    outcome.implicit = true;
    if outcome.outcome == Outcome::Failed {
        let (of, why) = match scenario {
            Some(name) => {
                let own = |tags: &Tags| tags.get(SCENARIO) == Some(name);
                (
                    format!(" of the scenario {name}"),
                    Failures::among(source, &own),
                )
            }
            None => (String::new(), Failures::of(source)),
        };
        let requests = metric == Builtin::HttpReqFailed.name();
        outcome.note = Some(match (requests, n) {
            (true, 1) => format!("the one request{of} failed: {why}"),
            (true, n) => format!("all {}{of} failed: {why}", count_requests(n)),
            (false, 1) => format!("the one sample{of} failed"),
            (false, n) => format!("all {n} samples{of} failed"),
        });
    }
    Some(outcome)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::threshold::testing::Samples;
    use floodgate_records::metric::MetricKind;

    const SECOND: Duration = Duration::from_secs(1);

    /// The outcome of the whole run.
    fn outcome(source: &Samples, elapsed: Duration) -> Option<ThresholdOutcome> {
        outcomes(source, elapsed).into_iter().next()
    }

    fn failing(metric: &str, failed: [f64; 2]) -> Samples {
        Samples::default().with(metric, MetricKind::Rate, &[], failed)
    }

    #[test]
    fn not_everything_may_fail() {
        for (metric, words) in [
            ("http_req_failed", "all 2 requests failed"),
            ("sample_failed", "all 2 samples failed"),
        ] {
            let all = outcome(&failing(metric, [1.0, 1.0]), SECOND).unwrap();
            assert_eq!((all.outcome, all.implicit), (Outcome::Failed, true));
            assert!(all.note.unwrap().starts_with(words));
            let half = outcome(&failing(metric, [1.0, 0.0]), SECOND).unwrap();
            assert_eq!((half.outcome, half.note), (Outcome::Passed, None));
        }
        assert_eq!(outcome(&Samples::default(), SECOND), None);
    }

    #[test]
    fn not_everything_of_a_scenario_may_fail() {
        let of = |scenario: &str, status: &str, failed: &[f64], source: Samples| {
            let tags = [("scenario", scenario), ("status", status)];
            let expected = (
                "expected_response",
                if failed[0] > 0.0 { "false" } else { "true" },
            );
            let requests = [tags[0], tags[1], expected];
            source
                .with("http_req_failed", MetricKind::Rate, &tags, failed.to_vec())
                .with(
                    "http_reqs",
                    MetricKind::Counter,
                    &requests,
                    failed.iter().map(|_| 1.0),
                )
        };
        let good = of("browse", "200", &[0.0, 0.0], Samples::default());
        let found = outcomes(&of("pay", "500", &[1.0, 1.0, 1.0], good), SECOND);
        let breached: Vec<_> = found
            .iter()
            .filter(|o| o.outcome == Outcome::Failed)
            .collect();
        assert_eq!(breached.len(), 1);
        assert_eq!(breached[0].key, "http_req_failed{scenario:pay}");
        assert_eq!(
            breached[0].note.as_deref(),
            Some("all 3 requests of the scenario pay failed: status 500")
        );
        // Not all, or no response at all: the former holds, and the latter is no breach.
        let good = of("browse", "200", &[0.0, 0.0], Samples::default());
        let mixed = of("pay", "500", &[1.0], of("pay", "200", &[0.0], good));
        let good = of("browse", "200", &[0.0, 0.0], Samples::default());
        for source in [mixed, of("pay", "0", &[1.0], good)] {
            assert!(
                outcomes(&source, SECOND)
                    .iter()
                    .all(|o| o.outcome == Outcome::Passed)
            );
        }
        // The whole run says it once.
        let bad = of(
            "pay",
            "500",
            &[1.0],
            of("browse", "404", &[1.0], Samples::default()),
        );
        assert_eq!(outcomes(&bad, SECOND).len(), 1);
    }

    #[test]
    fn http_requests_are_judged_first() {
        let both = failing("sample_failed", [1.0, 1.0]).with(
            "http_req_failed",
            MetricKind::Rate,
            &[],
            [0.0],
        );
        let outcome = outcome(&both, SECOND).unwrap();
        assert_eq!(
            (outcome.key.as_str(), outcome.outcome),
            ("http_req_failed", Outcome::Passed)
        );
    }

    #[test]
    fn the_kinds_of_failures_are_named_by_how_frequent_they_are() {
        let requests = |tags: &[(&str, &str)], n: usize, source: Samples| {
            source.with("http_reqs", MetricKind::Counter, tags, vec![1.0; n])
        };
        let mut source = failing("http_req_failed", [1.0, 1.0]);
        for (status, code, n) in [("404", "", 3), ("0", "timeout", 5), ("200", "", 9)] {
            let mut tags = vec![("status", status)];
            tags.push((
                "expected_response",
                if status == "200" { "true" } else { "false" },
            ));
            if !code.is_empty() {
                tags.push(("error_code", code));
            }
            source = requests(&tags, n, source);
        }
        let note = outcome(&source, SECOND).unwrap().note.unwrap();
        assert_eq!(note, "all 2 requests failed: timeout (5), status 404 (3)");
    }
}
