//! The control objects that coordinator and tasks exchange.

use serde::{Deserialize, Serialize};

/// `control/ready/NNNN`: a task could start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ready {
    /// The task.
    pub task: u32,
    /// Its clock when it wrote this, Unix ms.
    pub at_ms: i64,
    /// Process id or task ARN.
    pub host: String,
    /// What this generator found wanting before the start (open-file limit, ports, CPU).
    pub warnings: Vec<String>,
}

/// `control/start.json`: one absolute start for all tasks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// Unix milliseconds.
    pub start_ms: i64,
}

/// `control/stop.json`: an order to stop, and who gave it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// Why.
    pub reason: StopReason,
    /// Who or what: a principal, a threshold, a signal.
    pub by: String,
    /// When, Unix ms.
    pub at_ms: i64,
}

/// Why a run was stopped before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StopReason {
    /// A threshold with `abortOnFail` was breached.
    Threshold,
    /// `floodgate abort`, or SIGINT / SIGTERM to the run.
    Person,
    /// The budget was used up.
    Budget,
    /// The deadline passed.
    Deadline,
    /// The script of an external engine ended the test.
    Script,
    /// Tasks died or never became ready.
    TasksLost,
    /// The target does not answer as its contract says; the order says how, a line each.
    Contract,
    /// What drives the run failed; the order says how.
    Error,
}
