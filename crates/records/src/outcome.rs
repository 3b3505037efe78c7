//! What came of thresholds, and of the comparison with an earlier run.

use crate::metric::{Builtin, MetricKind, unit_of};
use crate::over_time::OverTime;
use crate::word::Word;
use crate::words;
use serde::{Deserialize, Serialize};

/// A threshold's outcome in the record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ThresholdOutcome {
    /// `metric{tag:value}: expression`.
    pub id: String,
    /// The key, `metric{tag:value}`.
    pub key: String,
    /// The expression as written, with the part of the run or the share of windows that it is about.
    pub expression: String,
    /// Aggregate, such as `p(95)`, `trend(p(95))`, or `windows` for the share of windows in which an objective held.
    pub aggregate: String,
    /// How the two sides are compared, as written.
    pub operator: Word<Operator>,
    /// The right-hand side: in ms for time trends, an hour's change for a slope (0.02 for 2 %/h), a share for an objective.
    pub target: f64,
    /// The left-hand side; `None` without data.
    pub observed: Option<f64>,
    /// What came of it.
    pub outcome: Outcome,
    /// Whether its breach stopped the run.
    pub aborted: bool,
    /// Why there is no data, or what the outcome rests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Whether every run has it, and not the definition: not all requests may fail.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub implicit: bool,
    /// What it says of the course of the run.
    #[serde(flatten)]
    pub over_time: OverTime,
}

words! {
    /// The operators of thresholds.
    pub Operator {
        /// Less.
        Lt = "<",
        /// Less or equal.
        Le = "<=",
        /// Greater.
        Gt = ">",
        /// Greater or equal.
        Ge = ">=",
        /// Equal.
        Eq = "==",
        /// Equal, as JavaScript has it: no different from [`Self::Eq`].
        Same = "===",
        /// Not equal.
        Ne = "!=",
    }
}

/// What came of a threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Holds.
    Passed,
    /// Breached.
    Failed,
    /// There is nothing to judge.
    NoData,
}

/// One comparison with an earlier run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BaselineOutcome {
    /// `metric{tag:value} aggregate`.
    pub id: String,
    /// The key, `metric{tag:value}`.
    pub key: String,
    /// The aggregate, such as `p(95)`.
    pub aggregate: String,
    /// What counts as worse.
    pub direction: Direction,
    /// Allowed relative worsening, a ratio.
    pub tolerance: f64,
    /// The earlier run's value (trends: ms); `None` if it has none.
    pub baseline: Option<f64>,
    /// This run's value (trends: ms); `None` without data.
    pub observed: Option<f64>,
    /// The relative change, a ratio: 0.1 is a tenth more. `None` without both values, or from zero.
    pub change: Option<f64>,
    /// What came of it.
    pub outcome: Outcome,
    /// Why nothing could be compared, and what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl BaselineOutcome {
    /// The comparison in words: `http_req_duration p(95) 230 ms after 200 ms (+15 %, allowed 10 %)`.
    pub fn sentence(&self) -> String {
        let unit = unit_of(&self.key);
        let value = |v: Option<f64>| match v {
            Some(v) => format!("{}{unit}", round(v, 1e3)),
            None => "no data".to_owned(),
        };
        let percent = |ratio: f64| round(ratio * 100.0, 1e2);
        let change = self
            .change
            .map_or_else(String::new, |c| format!("{:+} %, ", percent(c)));
        let (now, before) = (value(self.observed), value(self.baseline));
        let allowed = percent(self.tolerance);
        format!(
            "{} {now} after {before} ({change}allowed {allowed} %)",
            self.id
        )
    }
}

fn round(v: f64, steps: f64) -> f64 {
    (v * steps).round() / steps
}

/// What counts as worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// More.
    HigherIsWorse,
    /// Less.
    LowerIsWorse,
    /// Any change.
    EitherIsWorse,
}

impl Direction {
    /// What counts as worse for a metric of that name and type.
    pub fn of(metric: &str, kind: MetricKind) -> Self {
        match (Builtin::parse(metric), kind) {
            (_, MetricKind::Trend) => Self::HigherIsWorse,
            (
                Some(Builtin::HttpReqFailed | Builtin::DroppedIterations | Builtin::GeneratorCpu),
                _,
            ) => Self::HigherIsWorse,
            (Some(Builtin::HttpReqs | Builtin::Iterations | Builtin::Checks), _) => {
                Self::LowerIsWorse
            }
            _ => Self::EitherIsWorse,
        }
    }

    /// Whether `observed` is no worse than `baseline` by more than `tolerance` of it.
    pub fn holds(self, baseline: f64, observed: f64, tolerance: f64) -> bool {
        let slack = baseline.abs() * tolerance;
        match self {
            Self::HigherIsWorse => observed <= baseline + slack,
            Self::LowerIsWorse => observed >= baseline - slack,
            Self::EitherIsWorse => (observed - baseline).abs() <= slack,
        }
    }
}
