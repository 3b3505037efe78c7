//! What must hold in every run, whatever its definition asks: not all of its requests may have failed.
//!
//! A run whose requests all failed has measured how fast its target fails. Its response times may be excellent, and mean nothing.
//! Whoever wants a status outside of 200–399 says so with `expect`; then it is not a failure.

use super::failures::{Failures, count_requests};
use super::{Known, MetricSource, Threshold, parse_expression};
use floodgate_records::key::Key;
use floodgate_records::metric::{Builtin, Tags};
use floodgate_records::outcome::{Outcome, ThresholdOutcome};
use std::time::Duration;

/// What must hold of the share of failures.
const EXPRESSION: &str = "rate<1";

/// What JMeter's samplers of other protocols than HTTP are judged by, where no HTTP request was.
const OTHER_FAILED: &str = "sample_failed";

/// The implicit threshold's outcome; `None` in a run whose requests nobody judged.
pub(crate) fn outcome(source: &dyn MetricSource, elapsed: Duration) -> Option<ThresholdOutcome> {
    let http = Builtin::HttpReqFailed.name();
    let judged = |metric: &str| source.select(metric, &Tags::new()).map_or(0, |s| s.count);
    let metric = [http, OTHER_FAILED].into_iter().find(|m| judged(m) > 0)?;
    let threshold = Threshold {
        key: Key {
            metric: metric.to_owned(),
            tags: Tags::new(),
        },
        expression: parse_expression(EXPRESSION).ok()?,
        abort_on_fail: false,
        delay_abort_eval: Duration::ZERO,
    };
    let mut outcome = threshold.judge(source, elapsed, &Known::default());
    outcome.implicit = true;
    if outcome.outcome == Outcome::Failed {
        let n = judged(metric);
        outcome.note = Some(match metric == http {
            true => format!("all {} failed: {}", count_requests(n), Failures::of(source)),
            false => format!("all {n} samples failed"),
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
