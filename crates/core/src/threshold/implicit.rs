//! What must hold in every run, whatever its definition asks: not all of its requests may have failed.
//!
//! A run whose requests all failed has measured how fast its target fails. Its response times may be excellent, and mean nothing.
//! Whoever wants a status outside of 200–399 says so with `expect`; then it is no failure.

use super::failures::{Failures, count_requests};
use super::{Key, Known, MetricSource, Threshold, parse_expression};
use crate::execution::summary::{Outcome, ThresholdOutcome};
use crate::metric::{Builtin, Tags};
use std::time::Duration;

/// What must hold of `http_req_failed`.
const EXPRESSION: &str = "rate<1";

/// The implicit threshold's outcome; `None` in a run whose requests nobody judged.
pub(crate) fn outcome(source: &dyn MetricSource, elapsed: Duration) -> Option<ThresholdOutcome> {
    let key = Key {
        metric: Builtin::HttpReqFailed.name().to_owned(),
        tags: Tags::new(),
    };
    let judged = source.select(&key.metric, &key.tags)?.count;
    let threshold = Threshold {
        key,
        expression: parse_expression(EXPRESSION).ok()?,
        abort_on_fail: false,
        delay_abort_eval: Duration::ZERO,
    };
    let mut outcome = threshold.judge(source, elapsed, &Known::default());
    outcome.implicit = true;
    if outcome.outcome == Outcome::Failed {
        outcome.note = Some(format!(
            "all {} failed: {}",
            count_requests(judged),
            Failures::of(source)
        ));
    }
    (outcome.outcome != Outcome::NoData).then_some(outcome)
}
