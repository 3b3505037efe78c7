//! Thresholds and the baseline.

use super::grammar::{
    BASELINE_METRICS, COMPARE as EARLIER, EXPRESSION as ONE_EXPRESSION, EXPRESSION_GRAMMAR, SHARE,
};
use super::names::METRIC;
use super::times::ANY_DURATION;
use crate::definition::field::{Field, Parts, Share, keys};
use crate::definition::shape::{Key, Shape, Table};
use std::time::Duration;

pub(super) static THRESHOLDS: Shape = Shape::Map {
    keys: METRIC,
    of: &THRESHOLD_VALUE,
    min: 0,
};
static THRESHOLD_VALUE: Shape = Shape::Either(&[
    Shape::Grammar(EXPRESSION_GRAMMAR),
    Shape::List {
        of: &THRESHOLD_ITEM,
        min: 1,
    },
]);
static THRESHOLD_ITEM: Shape = Shape::Either(&[
    Shape::Grammar(EXPRESSION_GRAMMAR),
    Shape::Object(&THRESHOLD),
]);

keys! { THRESHOLD_KEYS:
    EXPRESSION: String = "threshold", ONE_EXPRESSION, required; "The expression.";
    ABORT_ON_FAIL: bool = "abortOnFail", { Shape::Boolean }, default "false"; "Whether a breach ends the run.";
    DELAY_ABORT_EVAL: Duration = "delayAbortEval", ANY_DURATION, default "\"0s\"";
        "How long after the start a breach is ignored.";
}

/// A threshold as a map.
static THRESHOLD: Table = Table::new(
    "threshold",
    "A threshold that may end the run.",
    &[THRESHOLD_KEYS],
);

keys! { BASELINE_KEYS:
    COMPARE: String = "compare", EARLIER, default "\"last-passed\""; "The last run that passed, or an execution's id.";
    TOLERANCE: Share = "tolerance", SHARE, default "\"10%\""; "How much worse a metric may be.";
    METRICS: Parts = "metrics", BASELINE_METRICS, required; "What is compared: a metric and an aggregate each.";
}

/// `baseline:`.
pub(super) static BASELINE: Table = Table::new(
    "baseline",
    "The comparison with an earlier run.",
    &[BASELINE_KEYS],
);
