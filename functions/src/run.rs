//! What goes from state to state: a few hundred bytes. All else lies in the bucket.

use floodgate_core::cost::Watched;
use floodgate_records::status::Status;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Where a run stands for the state machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunPhase {
    /// Tasks are being started.
    Launching,
    /// Tasks are becoming ready.
    Waiting,
    /// Tasks send load.
    Running,
    /// Tasks were told to stop.
    Stopping,
    /// Every task has ended or is lost.
    Ended,
}

impl RunPhase {
    /// Its name, in lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Launching => "launching",
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Ended => "ended",
        }
    }
}

/// A run, as the states hand it on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The tenant.
    pub project: String,
    /// The execution's ULID.
    pub execution: String,
    /// `http`, `k6`, `jmeter` or `gatling`.
    pub engine: String,
    /// Where it stands.
    pub phase: RunPhase,
    /// How long to wait before the next call, in seconds.
    pub wait_s: u64,
    /// Tasks of the plan.
    pub tasks: u32,
    /// Tasks that ECS has accepted.
    pub placed: u32,
    /// Parts of the merge; 0: at once.
    pub parts: u32,
    /// The verdict, once there is one.
    pub status: Option<Status>,
    /// Turns of the watch so far.
    pub turn: u32,
    /// Looks at the tasks' objects in all these turns.
    #[serde(default)]
    pub looks: u64,
    /// How long these turns have lasted in all, in ms.
    #[serde(default)]
    pub watched_ms: u64,
    /// What kept the run from being carried out; after the verdict why it did not pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Run {
    /// What the watch has done so far.
    pub(crate) fn watched(&self) -> Watched {
        Watched {
            turns: u64::from(self.turn),
            looks: self.looks,
            time: Duration::from_millis(self.watched_ms),
        }
    }
}
