//! How the numbers of a test went over its runs.

use crate::comparison::{Change, ComparedRun};
use crate::metric::MetricKind;
use crate::outcome::Direction;
use serde::{Deserialize, Serialize};

/// The last runs of a test, and where their numbers changed for good.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trend {
    /// Version of this layout: [`Trend::SCHEMA`].
    pub schema: u32,
    /// Project and test, `project/test`.
    pub test: String,
    /// The chance of a change point where there is none, in (0, 1).
    pub max_p_value: f64,
    /// The least relative change that is one, a ratio.
    pub min_effect: f64,
    /// The runs, the oldest first: those that passed or failed, whose data can be trusted.
    pub runs: Vec<ComparedRun>,
    /// Runs that can't be read, a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// Why runs lack a number, a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// One for each number.
    pub metrics: Vec<TrendMetric>,
}

impl Trend {
    /// The layout that this code writes and reads.
    pub const SCHEMA: u32 = 1;
}

/// One number over the runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrendMetric {
    /// `metric{tag:value} aggregate`.
    pub id: String,
    /// The key, `metric{tag:value}`.
    pub key: String,
    /// The aggregate, such as `p(95)`.
    pub aggregate: String,
    /// The metric's type; `None` if no run has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<MetricKind>,
    /// What counts as worse.
    pub direction: Direction,
    /// By run, its value (trends: ms); `None` where it has none.
    pub values: Vec<Option<f64>>,
    /// Where they changed, the oldest first.
    pub changes: Vec<TrendChange>,
}

/// A place where what came after differs from what came before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrendChange {
    /// The first run after the change, as its place among the runs, from 0.
    pub run: usize,
    /// Its id.
    pub execution: String,
    /// The git revision that it was started for, if that is known.
    pub commit: Option<String>,
    /// Whether it is a regression or an improvement.
    pub outcome: Change,
    /// The mean before, from the change before it on (trends: ms).
    pub before: f64,
    /// The mean from here to the next change.
    pub after: f64,
    /// The relative change, a ratio: 0.1 is a tenth more. `None` from zero.
    pub change: Option<f64>,
    /// The chance of such a difference if there is no change.
    pub p_value: f64,
    /// What else is different from the run before, a sentence each: the test itself, its load, where it ran.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
}
