//! What a watch remembers between two steps. It is plain data, so that a step may run in another process than the last.

use crate::LostTask;
use floodgate_records::control::Stop;
use floodgate_records::plan::Plan;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Where a run stands for its watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Tasks are becoming ready.
    Waiting,
    /// The start is set; tasks send load.
    Running,
    /// Tasks were told to stop.
    Stopping,
    /// Every task has ended or is lost: the run can be finished.
    Ended,
}

/// Where a task stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum TaskState {
    /// Nothing has been heard of it.
    Pending,
    /// It could start.
    Ready,
    /// It has its start.
    Running,
    /// It has written its manifest.
    Ended,
    /// It will not write one.
    Lost {
        /// Why, as far as can be seen.
        reason: String,
    },
}

impl TaskState {
    /// Whether nothing more is to come from it.
    pub const fn is_over(&self) -> bool {
        matches!(self, Self::Ended | Self::Lost { .. })
    }

    /// Whether it died, or never came up.
    pub const fn is_lost(&self) -> bool {
        matches!(self, Self::Lost { .. })
    }
}

/// The last sign of life of a task, by the clock of the watch: two machines' clocks are never compared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pulse {
    /// The store's version of the live object; empty before the first.
    pub version: String,
    /// When the watch first saw this one, Unix ms.
    pub seen_ms: i64,
}

/// What a watch remembers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchState {
    /// Where the run stands.
    pub phase: Phase,
    /// When the watch began, Unix ms.
    pub since_ms: i64,
    /// The common start, Unix ms.
    pub start_ms: Option<i64>,
    /// The order that stopped it, and when the watch saw it.
    pub stop: Option<(Stop, i64)>,
    /// Where each task stands, by its number.
    pub tasks: Vec<TaskState>,
    /// The last sign of life of each task.
    pub pulses: Vec<Pulse>,
}

impl WatchState {
    /// The state of a run whose tasks have just been asked for.
    pub fn new(tasks: usize, now_ms: i64) -> Self {
        Self {
            phase: Phase::Waiting,
            since_ms: now_ms,
            start_ms: None,
            stop: None,
            tasks: vec![TaskState::Pending; tasks],
            pulses: vec![Pulse::default(); tasks],
        }
    }

    /// The lost tasks, with the reason.
    pub fn lost_tasks(&self) -> Vec<LostTask> {
        let lost = |(task, state): (u32, &TaskState)| match state {
            TaskState::Lost { reason } => Some(LostTask {
                task,
                reason: reason.clone(),
            }),
            _ => None,
        };
        (0..).zip(&self.tasks).filter_map(lost).collect()
    }

    /// How many tasks are lost.
    pub fn lost(&self) -> usize {
        self.tasks.iter().filter(|t| t.is_lost()).count()
    }
}

/// How patient a watch is.
#[derive(Clone, Debug)]
pub struct WatchOptions {
    /// Between two steps, at least.
    pub poll: Duration,
    /// Steps that a run may take: longer runs are looked at less often. A Standard state machine has 25,000 events
    /// and a turn takes about nine of them.
    pub max_steps: u32,
    /// From the moment when all tasks are ready to the common start: long enough for every task to read it.
    pub lead: Duration,
    /// Live intervals without a change after which a running task is taken for dead.
    pub missed_intervals: u32,
    /// The shortest silence after which a running task is taken for dead.
    pub min_silence: Duration,
    /// How long tasks have from an order to stop to their manifest.
    pub stop_grace: Duration,
    /// Whether anybody wants the figures of [`super::Progress`]. Without, live objects are signs of life; they are read only
    /// if a threshold has `abortOnFail`, and nothing of them is kept.
    pub figures: bool,
}

impl WatchOptions {
    /// For tasks on this machine.
    pub fn local() -> Self {
        Self {
            poll: Duration::from_millis(200),
            max_steps: u32::MAX,
            lead: Duration::from_millis(500),
            missed_intervals: 20,
            min_silence: Duration::from_secs(20),
            stop_grace: Duration::from_secs(60),
            figures: true,
        }
    }

    /// For tasks in the cloud, whose caller sees containers end and paces the steps by itself.
    pub fn cloud(plan: &Plan) -> Self {
        let control = Duration::from_millis(plan.control_interval_ms);
        Self {
            poll: Duration::from_secs(1),
            max_steps: u32::MAX,
            // Every task looks at least once, and its answer may take its time.
            lead: control + Duration::from_secs(1),
            missed_intervals: 20,
            min_silence: Duration::from_secs(60),
            // What Fargate gives a container to stop, and a slow last shard.
            stop_grace: Duration::from_secs(150),
            figures: false,
        }
    }
}
