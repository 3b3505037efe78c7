//! Where a run stands: what that is called, and what it ends with.

use serde::{Deserialize, Serialize};

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Created, tasks not started.
    Preparing,
    /// Tasks run.
    Running,
    /// Tasks have ended, shards are merged and judged.
    Merging,
    /// Complete data, every threshold and baseline holds.
    Passed,
    /// A threshold or baseline is breached on valid data.
    Failed,
    /// The data cannot carry a verdict.
    Inconclusive,
    /// Could not run.
    Errored,
    /// Stopped by a person or the budget.
    Aborted,
}

impl Status {
    /// Where a run stands that is not over.
    pub const OPEN: [Self; 3] = [Self::Preparing, Self::Running, Self::Merging];

    /// Whether the run is over.
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Preparing | Self::Running | Self::Merging)
    }

    /// The exit code of the command line: k6's where k6 has the case
    /// (<https://github.com/grafana/k6/blob/v1.8.1/errext/exitcodes/codes.go>: 99, 104, 105). A run that is not over has none
    /// of its own and counts as errored.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Passed => 0,
            Self::Failed => 99,
            Self::Inconclusive => 98,
            Self::Errored | Self::Preparing | Self::Running | Self::Merging => 97,
            Self::Aborted => 105,
        }
    }

    /// The name with which the state machine fails; `None` for a pass and for a run that is not over.
    pub const fn error_name(self) -> Option<&'static str> {
        match self {
            Self::Failed => Some("Floodgate.ThresholdsFailed"),
            Self::Inconclusive => Some("Floodgate.Inconclusive"),
            Self::Errored => Some("Floodgate.Errored"),
            Self::Aborted => Some("Floodgate.Aborted"),
            Self::Passed | Self::Preparing | Self::Running | Self::Merging => None,
        }
    }

    /// The name in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Preparing => "preparing",
            Self::Running => "running",
            Self::Merging => "merging",
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Inconclusive => "inconclusive",
            Self::Errored => "errored",
            Self::Aborted => "aborted",
        }
    }
}

/// The exit code for a definition or arguments that are invalid, as in k6.
pub const EXIT_INVALID: u8 = 104;

/// The error name for a definition that is invalid.
pub const ERROR_INVALID: &str = "Floodgate.InvalidDefinition";
