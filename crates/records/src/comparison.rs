//! What came of comparing two runs.

use crate::metric::{MetricKind, unit_of};
use crate::outcome::Direction;
use crate::status::Status;
use crate::words;
use serde::{Deserialize, Serialize};

/// A comparison of two runs of a test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Version of this layout: [`Comparison::SCHEMA`].
    pub schema: u32,
    /// The run that is compared with; of several the newest.
    pub base: ComparedRun,
    /// How many runs are compared with together, `base` among them; 0 if it is that one alone.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub pooled: usize,
    /// Whether the two are targets that one run has loaded in turns; then both are that run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_turns: bool,
    /// The run in question.
    pub head: ComparedRun,
    /// What follows from all gates together.
    pub outcome: Change,
    /// Why the runs can't be compared, a sentence each. The gates stand below all the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub obstacles: Vec<String>,
    /// The confidence of all gates together, in (0, 1).
    pub confidence: f64,
    /// The least relative change that matters, a ratio.
    pub min_effect: f64,
    /// Earlier runs that say by how much runs of the test differ anyway.
    pub history: usize,
    /// What a comparison that decides nothing does to the verdict; `None` where none depends on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undecided: Option<IfUndecided>,
    /// One for each number that was compared.
    pub gates: Vec<Gate>,
}

fn is_zero(n: &usize) -> bool {
    *n == 0
}

words! {
    /// What becomes of a run whose comparison decides nothing.
    pub IfUndecided {
        /// It is inconclusive: what was asked is not answered.
        Inconclusive = "inconclusive",
        /// It may pass; a warning says so.
        Pass = "pass",
        /// It fails.
        Fail = "fail",
    }
}

impl Comparison {
    /// The layout that this code writes and reads.
    pub const SCHEMA: u32 = 1;
}

/// A run that is compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComparedRun {
    /// Its id.
    pub execution: String,
    /// Its project and test, `project/test`.
    pub test: String,
    /// Its version of the test.
    pub version: String,
    /// The git revision that it was started for, if that is known.
    pub commit: Option<String>,
    /// How it ended.
    pub status: Status,
    /// Unix ms.
    pub started_ms: Option<i64>,
}

/// What became of a number, or of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// Surely worse, by the least change that matters or more as estimated.
    Regressed,
    /// Surely better, likewise.
    Improved,
    /// Surely not changed by as much as matters.
    Unchanged,
    /// The data don't decide.
    Undecided,
    /// The runs are not of the same kind.
    NotComparable,
}

impl Change {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Regressed => "regressed",
            Self::Improved => "improved",
            Self::Unchanged => "unchanged",
            Self::Undecided => "undecided",
            Self::NotComparable => "not comparable",
        }
    }
}

/// One number of both runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gate {
    /// `metric{tag:value} aggregate`.
    pub id: String,
    /// The key, `metric{tag:value}`.
    pub key: String,
    /// The aggregate, such as `p(95)`.
    pub aggregate: String,
    /// The metric's type; `None` if neither run has a sample of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<MetricKind>,
    /// What counts as worse.
    pub direction: Direction,
    /// The earlier run's value after its warm-up (trends: ms; counters: a second); `None` without data.
    pub base: Option<f64>,
    /// The later run's, likewise.
    pub head: Option<f64>,
    /// The ratio of the later value to the earlier one, with its interval; `None` if it has none.
    pub ratio: Option<Ratio>,
    /// Whether the ratio is that of the rest, 1 less the value: of a share above one half.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub of_rest: bool,
    /// What follows.
    pub outcome: Change,
    /// Seconds left out at the start of both runs.
    pub warmup_s: u32,
    /// Why there is no interval, or what would decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A ratio with its interval; 1 is no change.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ratio {
    /// As estimated.
    pub estimate: f64,
    /// The least that the data allow.
    pub low: f64,
    /// The most.
    pub high: f64,
}

impl Gate {
    /// The comparison in words: `http_req_duration p(95) 230 ms after 200 ms (+15 %, between +9.1 % and +21 %)`.
    pub fn sentence(&self) -> String {
        let value = |v: Option<f64>| match (v, self.kind) {
            (None, _) => "nothing".to_owned(),
            (Some(v), Some(MetricKind::Rate)) => format!("{} %", significant(v * 100.0)),
            (Some(v), Some(MetricKind::Counter)) => format!("{}/s", significant(v)),
            (Some(v), _) => format!("{}{}", significant(v), unit_of(&self.key)),
        };
        let change = |ratio: f64| format!("{:+} %", significant((ratio - 1.0) * 100.0));
        let rest = if self.of_rest { "the rest by " } else { "" };
        let how = self.ratio.map_or_else(String::new, |r| {
            format!(
                " ({rest}{}, between {} and {})",
                change(r.estimate),
                change(r.low),
                change(r.high)
            )
        });
        format!(
            "{} {} after {}{how}",
            self.id,
            value(self.head),
            value(self.base)
        )
    }
}

/// Three digits that mean something, at most three of them after the point.
fn significant(v: f64) -> f64 {
    let places = match v.abs() {
        v if v >= 100.0 => 0,
        v if v >= 10.0 => 1,
        v if v >= 1.0 => 2,
        _ => 3,
    };
    let steps = 10_f64.powi(places);
    (v * steps).round() / steps
}
