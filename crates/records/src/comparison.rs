//! What came of comparing two runs.

use crate::outcome::Direction;
use crate::status::Status;
use serde::{Deserialize, Serialize};

/// A comparison of two runs of a test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Version of this layout: [`Comparison::SCHEMA`].
    pub schema: u32,
    /// The run that is compared with.
    pub base: ComparedRun,
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
    /// One for each number that was compared.
    pub gates: Vec<Gate>,
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
    /// What counts as worse.
    pub direction: Direction,
    /// The earlier run's value after its warm-up (trends: ms; counters: a second); `None` without data.
    pub base: Option<f64>,
    /// The later run's, likewise.
    pub head: Option<f64>,
    /// The ratio of the later value to the earlier one, with its interval; `None` if it has none.
    pub ratio: Option<Ratio>,
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
