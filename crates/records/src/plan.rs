//! `plan.json`: what each task has to know beside the definition.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Tasks of a run at most: what its coordinator was measured with. (Keys of objects number them with four digits.)
pub const MAX_TASKS: u32 = 1_000;

/// The plan of one execution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Version of this layout: [`Plan::SCHEMA`].
    pub schema: u32,
    /// The execution's ULID.
    pub execution: String,
    /// The tenant.
    pub project: String,
    /// The test's name.
    pub test: String,
    /// SHA-256 of the normalised definition and its files, in lower-case hex.
    pub version: String,
    /// The definition's files: `definition.json` (normalised, references unresolved) and the files it names, all below
    /// [`crate::keys::definition_file`].
    pub files: Vec<String>,
    /// The folder that relative paths of the definition start from, for a run on the machine that holds it.
    pub base_dir: Option<String>,
    /// The tasks; a task's segment follows from the weights of all.
    pub tasks: Vec<PlannedTask>,
    /// Unix milliseconds after which every task stops by itself.
    pub deadline_ms: i64,
    /// How long tasks wait for `start.json` after they are ready, in ms.
    pub start_timeout_ms: u64,
    /// Between two shards of a task, in ms: what a killed task loses at most.
    pub flush_interval_ms: u64,
    /// Between two live objects of a task, in ms.
    pub live_interval_ms: u64,
    /// Between two looks at `stop.json`, in ms.
    pub control_interval_ms: u64,
    /// What the schedule wants in all; see [`PlannedLoad`].
    pub load: PlannedLoad,
    /// What `${env:NAME}` stands for where the tasks have no environment of the caller's. It is stored as it is: what must
    /// not be read by everybody who may read the run is a `${secret:…}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// The state machine's execution that runs this one, as an ARN; `None` on one machine. Two of them cannot share an id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_arn: Option<String>,
    /// What load may be sent to, wherever it is sent from, as `Targets::in_cloud` of the core reads it; `None` where the project has
    /// no list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_targets: Option<Vec<String>>,
    /// How many of the first exchanges each task samples, whatever comes of them: `run --debug-requests`.
    #[serde(default)]
    pub debug_requests: u32,
    /// The folder for what the store refuses to the end, laid out as the store is, where somebody will look for it: on one machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spool: Option<String>,
}

impl Plan {
    /// The layout that this code writes and reads.
    pub const SCHEMA: u32 = 1;
}

/// One expected task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedTask {
    /// From 0.
    pub index: u32,
    /// Relative share of the load.
    pub weight: u32,
    /// Where it runs; `local` on one machine.
    pub region: String,
}

/// The load that the schedule of a definition wants, over all tasks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PlannedLoad {
    /// Iterations, where the executors fix a number (arrival rates and iteration counts); `None` with a closed loop by time.
    pub iterations: Option<u64>,
    /// Most VUs at any time.
    pub max_vus: u64,
    /// From start to the last scheduled start, in ms, without graceful stops.
    pub duration_ms: u64,
    /// The same with all graceful stops.
    pub max_duration_ms: u64,
}
