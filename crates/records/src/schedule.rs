//! Runs that start by the clock.

use crate::execution::PrincipalIs;
use crate::words;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

words! {
    /// What becomes of a scheduled start while the schedule's last run goes on.
    #[derive(Default)]
    pub Overlap {
        /// It is left out.
        #[default]
        Skip = "skip",
        /// It waits for the end of that run; of several one waits.
        Queue = "queue",
        /// That run is stopped in order, and this one starts when it has ended.
        Replace = "replace",
    }
}

/// A schedule of a project.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// Version of this layout: [`Self::SCHEMA`].
    pub schema: u32,
    /// Its name, of its own in the project.
    pub name: String,
    /// The project.
    pub project: String,
    /// The test that is run, as it is on record.
    pub test: String,
    /// Its version, a SHA-256; that of its newest run if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Overrides of the definition by path.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
    /// What `${env:NAME}` stands for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
    /// Processes that share the load.
    pub generators: u32,
    /// `cron(…)`, `rate(…)` or `at(…)`.
    pub expression: String,
    /// The time zone of the expression and of the windows.
    pub timezone: String,
    /// What becomes of a start while the last run goes on.
    #[serde(default)]
    pub overlap: Overlap,
    /// Windows in which nothing starts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blackouts: Vec<String>,
    /// Whether it rests.
    #[serde(default)]
    pub paused: bool,
    /// Who wrote it last.
    pub by: String,
    /// How much that name is worth.
    #[serde(default)]
    pub by_is: PrincipalIs,
    /// When it was made, Unix ms: rates are counted from here.
    pub created_ms: i64,
    /// When it was written last, Unix ms: what was due before is not made up for.
    pub changed_ms: i64,
}

impl Schedule {
    /// The layout that this program writes.
    pub const SCHEMA: u32 = 1;
}

/// What became of a schedule's starts, by whoever starts them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleState {
    /// The last time that was due and was looked at, Unix ms.
    pub due_ms: i64,
    /// A time that was due and waits for the end of the last run, Unix ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_ms: Option<i64>,
    /// The last run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution: Option<String>,
    /// What became of the last starts, the newest first.
    #[serde(default)]
    pub last: Vec<ScheduledStart>,
}

/// Whose turn it is among the executions of a schedule in AWS.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// The last one that was let through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution: Option<String>,
    /// When that was, Unix ms.
    #[serde(default)]
    pub at_ms: i64,
    /// The one that waits for its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<String>,
    /// When it asked last, Unix ms.
    #[serde(default)]
    pub waiting_ms: i64,
}

/// What became of a start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduledStart {
    /// When it was due, Unix ms.
    pub due_ms: i64,
    /// When it was decided, Unix ms.
    pub at_ms: i64,
    /// The run; `None`: it was left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution: Option<String>,
    /// Why it was left out or could not start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}
