//! Thresholds and the baseline.

use super::grammar::{
    BASELINE_METRICS, COMPARE as EARLIER, CONFIDENCE as LEVEL, EXPRESSION as ONE_EXPRESSION,
    EXPRESSION_GRAMMAR, MIN_EFFECT as EFFECT, SHARE,
};
use super::names::{METRIC, STAGE as STAGE_RULE};
use super::shared::named;
use super::times::{ANY_DURATION, RUN_DURATION};
use crate::definition::field::{Field, Parts, Share, keys};
use crate::definition::model::MethodName;
use crate::definition::shape::{Key, Shape, Table};
use floodgate_records::comparison::IfUndecided;
use std::time::Duration;

static STAGE_NAME: Shape = named(STAGE_RULE);

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

keys! { PART_KEYS:
    FROM: Duration = "from", ANY_DURATION; "Judges what was measured from then on, counted from the start of the run.";
    TO: Duration = "to", RUN_DURATION; "Judges what was measured until then.";
    STAGE: String = "stage", STAGE_NAME; "Judges what was measured during a scenario (NAME), or during one of its stages (NAME.2).";
}

/// A threshold as a map.
static THRESHOLD: Table = Table::new(
    "threshold",
    "A threshold that may end the run, or is of a part of it.",
    &[THRESHOLD_KEYS, PART_KEYS],
);

keys! { SLO_KEYS:
    OF: Share = "of", SHARE, required; "The share of windows in which it must hold.";
    WINDOW: Duration = "window", RUN_DURATION, default "\"10s\""; "The length of a window.";
}

/// An objective: `{http_req_duration: p(95)<300, of: 99%}`.
static SLO_TABLE: Table = Table::new(
    "slo",
    "An objective: a metric with what must hold, in which share of windows.",
    &[SLO_KEYS, PART_KEYS],
)
.others(METRIC, &ONE_EXPRESSION);

/// `slo:`.
pub(super) static SLO: Shape = Shape::Either(&[
    Shape::Object(&SLO_TABLE),
    Shape::List {
        of: &Shape::Object(&SLO_TABLE),
        min: 1,
    },
]);

static EARLIER_ONE_OR_MORE: Shape =
    Shape::Either(&[Shape::Grammar(EARLIER), Shape::Object(&ROLLING_TABLE)]);

keys! { BASELINE_KEYS:
    COMPARE: String = "compare", EARLIER_ONE_OR_MORE, default "\"last-passed\"";
        "The last run that passed, the one that is pinned, an execution's id, or the last runs that passed, together.";
    METHOD: MethodName = "method", { Shape::Choice(MethodName::WORDS) };
        "By intervals, or by single numbers and a tolerance; without it, what the other keys belong to, else tolerance.";
    TOLERANCE: Share = "tolerance", SHARE, default "\"10%\""; "Method tolerance: how much worse a metric may be.";
    MIN_EFFECT: Share = "min_effect", EFFECT; "Method compare: the least relative change that matters; 5% by default.";
    CONFIDENCE: Share = "confidence", LEVEL; "Method compare: the confidence of all metrics together; 95% by default.";
    UNDECIDED: IfUndecided = "undecided", { Shape::Choice(IfUndecided::WORDS) };
        "Method compare: what becomes of the run if the data decide nothing; inconclusive by default.";
    METRICS: Parts = "metrics", BASELINE_METRICS, required; "What is compared: a metric and an aggregate each.";
}

keys! { ROLLING_KEYS:
    ROLLING: u32 = "rolling", { Shape::Integer { min: 5, max: 50 } }, required;
        "How many of the last runs that passed are compared with together.";
}

/// `baseline.compare` as a map.
static ROLLING_TABLE: Table = Table::new(
    "rolling",
    "The last runs that passed, together.",
    &[ROLLING_KEYS],
);

/// `baseline:`.
pub(super) static BASELINE: Table = Table::new(
    "baseline",
    "The comparison with an earlier run.",
    &[BASELINE_KEYS],
);
