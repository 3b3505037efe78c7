//! `tasks/{task}.json`: a task's own account of what it wrote and how it fared.

use crate::connections::Connections;
use crate::metric::Tags;
use crate::unwritten::Unwritten;
use crate::words;
use serde::{Deserialize, Serialize};

/// A task's final manifest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this layout: [`Manifest::SCHEMA`].
    pub schema: u32,
    /// The execution.
    pub execution: String,
    /// The task.
    pub task: u32,
    /// How it ended.
    pub outcome: TaskOutcome,
    /// The start that was ordered, Unix ms.
    pub planned_start_ms: i64,
    /// The start that happened, in µs after the planned one.
    pub start_skew_us: i64,
    /// When the task ended, Unix ms.
    pub ended_ms: i64,
    /// What became of connections; empty with an external engine.
    #[serde(default, skip_serializing_if = "Connections::is_empty")]
    pub connections: Connections,
    /// Every shard that was written, in order, those of [`Self::unwritten`] included.
    pub shards: Vec<ShardEntry>,
    /// Shards that the store refused to the end, and where they lie until somebody brings them home; until then they are missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unwritten: Option<Unwritten>,
    /// Totals over all shards, for a check of completeness.
    pub totals: Totals,
    /// Custom trends whose values are times, as the engine says; the others hold plain numbers. By name, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub durations: Vec<String>,
    /// What the script of an external engine said of the run itself.
    #[serde(default, skip_serializing_if = "ScriptSays::is_nothing")]
    pub script: ScriptSays,
    /// The tags of the definition's thresholds and baseline that every series kept, also past the bound on series.
    /// A filter that is missing here may have lost samples to `name=__other__`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept_tags: Vec<Tags>,
    /// How the generator itself fared.
    pub health: Health,
    /// What the reader of the record should know.
    pub warnings: Vec<String>,
}

impl Manifest {
    /// The layout that this code writes and reads.
    pub const SCHEMA: u32 = 1;
}

/// How a task ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum TaskOutcome {
    /// Ran its schedule to the end.
    Completed,
    /// Obeyed an order to stop, a signal or its deadline.
    Stopped {
        /// Which.
        by: String,
    },
    /// Could not go on.
    Failed {
        /// Why.
        error: String,
    },
}

impl TaskOutcome {
    /// How, without the reason.
    pub const fn ending(&self) -> TaskEnding {
        match self {
            Self::Completed => TaskEnding::Completed,
            Self::Stopped { .. } => TaskEnding::Stopped,
            Self::Failed { .. } => TaskEnding::Failed,
        }
    }
}

words! {
    /// The kinds of [`TaskOutcome`].
    pub TaskEnding {
        /// Ran its schedule to the end.
        Completed = "completed",
        /// Obeyed an order to stop, a signal or its deadline.
        Stopped = "stopped",
        /// Could not go on.
        Failed = "failed",
    }
}

/// What a script of an external engine says of a run, past its samples.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScriptSays {
    /// Why the run has failed by its word, in a sentence: it marked the test as failed, or its teardown threw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
    /// It sent nothing, and by its engine's word its part had nothing to send: it has no start that could be early or late.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub idle: bool,
    /// Iterations that ended with an exception.
    #[serde(default)]
    pub exceptions: u64,
    /// The first of these exceptions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception: Option<String>,
}

impl ScriptSays {
    /// Whether there is nothing to tell.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// One shard in a manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardEntry {
    /// Its number, from 0 without a gap.
    pub seq: u32,
    /// Rows.
    pub rows: u64,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 of the object in lower-case hex.
    pub sha256: String,
}

/// Totals of a task.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Requests sent.
    pub http_reqs: u64,
    /// Requests of other protocols, as far as the engine counts them: see [`OTHER_REQUESTS`](crate::metric::OTHER_REQUESTS).
    #[serde(default)]
    pub samples: u64,
    /// Iterations complete.
    pub iterations: u64,
    /// Iterations cut off by the end of a graceful stop.
    pub interrupted_iterations: u64,
    /// Iterations that ended at a step whose extraction found nothing.
    #[serde(default)]
    pub failed_iterations: u64,
    /// Starts dropped.
    pub dropped_iterations: u64,
    /// Starts that the schedule gave this task until it ended or was stopped; `None` in a closed loop by time.
    pub scheduled_iterations: Option<u64>,
    /// Trend values outside of the histogram's range, clamped to its ends.
    pub clamped_values: u64,
    /// Samples whose series was folded into `name=__other__`.
    pub folded_samples: u64,
    /// Values that were not numbers, or were negative where there is no negative value: counted as zero.
    #[serde(default)]
    pub unusable_values: u64,
    /// Whether a scenario ended before its schedule because a data file with unique rows had no more.
    #[serde(default)]
    pub data_exhausted: bool,
}

/// Who sets a limit of a generator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LimitSource {
    /// The machine: its CPUs that the process may run on, its memory. It shares them with whatever else runs there.
    Machine,
    /// A cgroup that the process can see: its own, or one above it.
    Cgroup,
    /// The metadata of its ECS task: the limit of the task's cgroup, which a container cannot see.
    TaskMetadata,
    /// What the run asked for.
    Requested,
}

impl LimitSource {
    /// Goes on from "by": `by the task's metadata`.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Machine => "the machine",
            Self::Cgroup => "its cgroup",
            Self::TaskMetadata => "the task's metadata",
            Self::Requested => "what the run asked for",
        }
    }

    /// Whether CPU use against it tells how much is left. The machine's CPUs are shared: others may use them up.
    pub const fn is_quota(self) -> bool {
        !matches!(self, Self::Machine)
    }
}

/// What a generator may use, and who says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GeneratorLimits {
    /// CPUs that it can use: the tightest of all limits, and no more than it has threads that work; may be fractional.
    pub cpus: f64,
    /// Which limit of its CPUs is the tightest; `None` in manifests of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpus_from: Option<LimitSource>,
    /// Bytes of memory that it may use: the tightest of all limits; `None` in manifests of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// Which limit of its memory is the tightest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_from: Option<LimitSource>,
}

/// A generator's own state over the run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Health {
    /// What it may use.
    #[serde(flatten)]
    pub limits: GeneratorLimits,
    /// Seconds in half of which, at least, something that was ready to run had to wait for a CPU: the pressure of its cgroup, or of
    /// the whole machine where the cgroup tells none. `None` where the kernel tells neither.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contended_seconds: Option<u64>,
    /// Whether it is a task in the cloud, whose limit of CPU it cannot see, and nobody named it: CPU use tells nothing then, and
    /// contention is its own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub blind: bool,
    /// Seconds in which a hypervisor took more than a tenth of the CPU that was wanted. CPU use counts what it takes as used.
    #[serde(default)]
    pub stolen_seconds: u64,
    /// Mean CPU use as a share of them.
    pub cpu_mean: f64,
    /// The largest one-second CPU use.
    pub cpu_max: f64,
    /// Seconds in which CPU use stood above the limit of saturation.
    pub saturated_seconds: u64,
    /// Seconds measured.
    pub measured_seconds: u64,
    /// Seconds in which the cgroup throttled the generator.
    pub throttled_seconds: u64,
    /// p99 in µs of the lag of starts that found a VU ready: the generator's own doing, unlike `generator_lag` as a whole.
    pub lag_p99_us: u64,
    /// Largest such lag in µs.
    pub lag_max_us: u64,
    /// Soft limit of open files.
    pub open_files_limit: u64,
    /// Ports of the local range.
    pub local_ports: u64,
    /// Errors for want of files or ports.
    pub exhausted: u64,
    /// The longest standstill in µs, from the order to start to the end of the load: by how much the latest of the looks was
    /// late that the generator takes every 20 ms (every 50 ms beside an external engine), or the tick that each of its worker
    /// threads has a second; or how long an external engine was stopped by a signal. By a clock that goes on while the machine
    /// is asleep. 0 in manifests of earlier versions.
    #[serde(default)]
    pub standstill_max_us: u64,
    /// Largest resident set in bytes.
    pub peak_rss_bytes: u64,
    /// The store's clock minus this task's, in µs: at least and at most, from the `Date` of the store's answers; `None`
    /// where the store has no clock of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_offset_us: Option<[i64; 2]>,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn limits_stand_among_the_fields_of_health() {
        let health = Health {
            limits: GeneratorLimits {
                cpus: 2.0,
                cpus_from: Some(LimitSource::Cgroup),
                ..GeneratorLimits::default()
            },
            stolen_seconds: 3,
            ..Health::default()
        };
        let text = serde_json::to_string(&health).unwrap();
        let begins = r#"{"cpus":2.0,"cpus_from":"cgroup","stolen_seconds":3,"cpu_mean":0.0,"#;
        assert!(text.starts_with(begins), "{text}");
        assert_eq!(serde_json::from_str::<Health>(&text).unwrap(), health);
    }
}
