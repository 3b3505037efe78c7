//! How the numbers of a run went in its course.

use crate::comparison::Change;
use crate::metric::MetricKind;
use crate::outcome::Direction;
use crate::over_time::Slope;
use serde::{Deserialize, Serialize};

/// Slopes and change points of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// What is looked at begins so many seconds after the start: after the warm-up.
    pub from_s: f64,
    /// It ends so many seconds after the start.
    pub to_s: f64,
    /// Seconds of a window.
    pub window_s: u32,
    /// The confidence of all slopes together, in (0, 1).
    pub confidence: f64,
    /// Whether the load was to change in this time, so that what is seen may be its doing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub load_changes: bool,
    /// One for each number.
    pub metrics: Vec<DriftMetric>,
}

/// One number in the course of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DriftMetric {
    /// `metric{tag:value} aggregate`.
    pub id: String,
    /// The key, `metric{tag:value}`.
    pub key: String,
    /// The aggregate, such as `p(95)`.
    pub aggregate: String,
    /// The metric's type.
    pub kind: MetricKind,
    /// What counts as worse.
    pub direction: Direction,
    /// Its mean over the windows (trends: ms).
    pub mean: f64,
    /// How fast it changes; `None` where that cannot be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slope: Option<Slope>,
    /// Why there is no slope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Where it changed at once, the first one first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<DriftChange>,
}

/// A moment after which a number was another one than before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DriftChange {
    /// Seconds after the start, to the window.
    pub at_s: f64,
    /// Whether it is for the worse.
    pub outcome: Change,
    /// The mean before, from the change before it on (trends: ms).
    pub before: f64,
    /// The mean from here to the next change.
    pub after: f64,
    /// The relative change, a ratio: 0.1 is a tenth more. `None` from zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<f64>,
    /// The chance of such a difference if there is no change.
    pub p_value: f64,
}

/// The beginning of a run that is measured and not judged.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct WarmUp {
    /// How long it is.
    pub seconds: f64,
    /// HTTP requests in it.
    pub http_reqs: u64,
    /// Those of them that failed.
    pub failed: u64,
    /// Iterations that ended in it.
    pub iterations: u64,
}
