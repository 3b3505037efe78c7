//! The execution's record: what DynamoDB and the local folder keep of a run.

use crate::architecture::Architecture;
use crate::capacity::CapacitySummary;
use crate::comparison::Comparison;
use crate::control::Stop;
use crate::cost::Cost;
use crate::engine::Engine;
use crate::failure::FailureCounts;
use crate::outcome::ThresholdOutcome;
use crate::plan::PlannedLoad;
use crate::status::{ERROR_INVALID, EXIT_INVALID, Status};
use crate::unwritten::Unwritten;
use crate::word::Word;
use crate::words;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Execution {
    /// Version of this layout: [`Execution::SCHEMA`].
    pub schema: u32,
    /// ULID.
    pub id: String,
    /// The tenant.
    pub project: String,
    /// The test's name.
    pub test: String,
    /// SHA-256 of the definition and its files.
    pub version: String,
    /// Who sends its load; empty if a refused definition doesn't say.
    pub engine: Word<Engine>,
    /// The target, references resolved but secrets' as they are written.
    pub target: Option<String>,
    /// Who started it and from where.
    pub trigger: Trigger,
    /// Unix ms.
    pub created_ms: i64,
    /// Unix ms; the common start.
    pub started_ms: Option<i64>,
    /// Unix ms.
    pub ended_ms: Option<i64>,
    /// Where it stands.
    pub status: Status,
    /// Why, one sentence each.
    pub reasons: Vec<String>,
    /// Where it ran.
    pub infrastructure: Infrastructure,
    /// What was to be applied.
    pub planned: PlannedLoad,
    /// What was applied.
    pub applied: Option<AppliedLoad>,
    /// Expected against received.
    pub completeness: Option<Completeness>,
    /// Largest difference between two tasks' actual starts in µs.
    pub start_skew_us: Option<i64>,
    /// Outcomes, in the order of the definition.
    pub thresholds: Vec<ThresholdOutcome>,
    /// The comparison with an earlier run by intervals, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comparison: Option<Box<Comparison>>,
    /// The order that stopped it, if any.
    pub stopped_by: Option<Stop>,
    /// What a reader should know.
    pub warnings: Vec<String>,
    /// Estimated US dollars before and actual after; absent for local runs.
    pub cost: Option<Cost>,
    /// The tier that its definition was scaled to, if any: `smoke`, `load` or `soak`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<String>,
    /// Overrides given with `--set`, by name.
    pub parameters: BTreeMap<String, String>,
    /// The state machine's execution that runs this one, as an ARN; `None` on one machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_arn: Option<String>,
    /// The name of the error, such as `Floodgate.InvalidDefinition`, with which a run was refused before it had a plan; `None`
    /// for every other run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Whether its coordinator ended before it, so that a later command finished it from what its tasks had written.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub orphaned: bool,
    /// How many samples of failures are kept; `None` if nothing failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failures: Option<FailureCounts>,
    /// What its tasks could not write into the store, and where it lies until a command brings it home.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unwritten: Vec<Unwritten>,
    /// Whether it was given up before what its tasks had written was merged, as on a disk that stayed full.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unmerged: bool,
    /// What capacity was found; absent if none was sought.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<CapacitySummary>,
}

impl Execution {
    /// The layout that this code writes and reads.
    pub const SCHEMA: u32 = 1;

    /// Puts these warnings in the place of those that begin with `about`, at the end; `false` if that changes nothing.
    pub fn replace_warnings(&mut self, about: &str, warnings: &[String]) -> bool {
        let (old, mut kept): (Vec<_>, Vec<_>) = self
            .warnings
            .drain(..)
            .partition(|warning| warning.starts_with(about));
        kept.extend_from_slice(warnings);
        self.warnings = kept;
        old != warnings
    }

    /// One that is being prepared: of the rest nothing is known yet.
    pub fn created(
        id: impl Into<String>,
        project: impl Into<String>,
        test: impl Into<String>,
        created_ms: i64,
    ) -> Self {
        Self {
            schema: Self::SCHEMA,
            id: id.into(),
            project: project.into(),
            test: test.into(),
            version: String::new(),
            engine: Word::default(),
            target: None,
            trigger: Trigger::default(),
            created_ms,
            started_ms: None,
            ended_ms: None,
            status: Status::Preparing,
            reasons: Vec::new(),
            infrastructure: Infrastructure::default(),
            planned: PlannedLoad::default(),
            applied: None,
            completeness: None,
            start_skew_us: None,
            thresholds: Vec::new(),
            comparison: None,
            stopped_by: None,
            warnings: Vec::new(),
            cost: None,
            tier: None,
            parameters: BTreeMap::new(),
            run_arn: None,
            error: None,
            orphaned: false,
            failures: None,
            unwritten: Vec::new(),
            unmerged: false,
            capacity: None,
        }
    }

    /// Whether it has ended, and some of what was measured is not merged that a later command may merge. Its verdict stands.
    pub fn is_due(&self) -> bool {
        self.status.is_final() && (self.unmerged || !self.unwritten.is_empty())
    }

    /// The exit code of the command line: that of the status, but for a run that was refused because of its definition.
    pub fn exit_code(&self) -> u8 {
        match self.error.as_deref() {
            Some(ERROR_INVALID) => EXIT_INVALID,
            _ => self.status.exit_code(),
        }
    }
}

words! {
    /// What starts runs.
    pub TriggerKind {
        /// A person at a terminal.
        Cli = "cli",
        /// A pipeline.
        Pipeline = "pipeline",
        /// A schedule.
        Schedule = "schedule",
        /// Whoever called the state machine.
        Api = "api",
        /// `floodgate hit`, which answers a question and gates nothing.
        Hit = "hit",
        /// `floodgate import`, which reads results of a run that took place elsewhere.
        Import = "import",
    }
}

words! {
    /// What runs take place on.
    pub InfrastructureKind {
        /// One machine.
        Local = "local",
        /// Tasks in an account of AWS.
        Aws = "aws",
        /// Somewhere else: `floodgate import` read its results.
        Import = "import",
    }
}

/// How much a principal's name is worth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PrincipalIs {
    /// Whoever started it said so of themselves.
    #[default]
    Claimed,
    /// Nobody else could have: AWS says so, or a token that was checked.
    Verified,
}

impl PrincipalIs {
    fn is_claimed(&self) -> bool {
        *self == Self::Claimed
    }
}

/// Who started a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trigger {
    /// From where; empty in a record that no command wrote.
    pub kind: Word<TriggerKind>,
    /// Who.
    pub principal: Option<String>,
    /// The pipeline's page.
    pub build_url: Option<String>,
    /// The git revision.
    pub commit: Option<String>,
    /// The branch, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// How much [`Self::principal`] is worth.
    #[serde(default, skip_serializing_if = "PrincipalIs::is_claimed")]
    pub principal_is: PrincipalIs,
}

/// Where a run ran.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Infrastructure {
    /// On what.
    pub kind: Word<InfrastructureKind>,
    /// Tasks.
    pub tasks: u32,
    /// Regions.
    pub regions: Vec<String>,
    /// CPU units of a task; 0 for a local run.
    pub cpu: u32,
    /// MiB of a task; 0 for a local run.
    pub memory: u32,
    /// The processor of a task; empty for a local run.
    #[serde(default)]
    pub architecture: Word<Architecture>,
    /// Tasks that ran on interruptible capacity.
    #[serde(default)]
    pub spot_tasks: u32,
    /// The generator image's digest.
    pub image_digest: Option<String>,
    /// Version of the engine.
    pub engine_version: String,
}

/// What was applied of the planned load.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AppliedLoad {
    /// Iterations started.
    pub iterations: u64,
    /// Of these, iterations that were cut off before their end.
    #[serde(default)]
    pub interrupted_iterations: u64,
    /// Starts dropped.
    pub dropped_iterations: u64,
    /// Requests sent.
    pub http_reqs: u64,
    /// Requests of other protocols than HTTP, as far as an external engine counts them.
    #[serde(default)]
    pub samples: u64,
    /// Of these, requests that got no response: no status came, whatever the reason.
    #[serde(default)]
    pub unanswered_reqs: u64,
    /// Iterations started as a share of those scheduled, in [0, 1]; `None` in a closed loop.
    pub ratio: Option<f64>,
}

impl AppliedLoad {
    /// Iterations that ran to their end as a share of those started, in [0, 1]; `None` if none started.
    pub fn completed_ratio(&self) -> Option<f64> {
        let complete = self.iterations.saturating_sub(self.interrupted_iterations);
        (self.iterations > 0).then(|| complete as f64 / self.iterations as f64)
    }
}

/// Expected against received.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Completeness {
    /// Tasks planned.
    pub tasks_expected: u32,
    /// Tasks with a final manifest.
    pub tasks_reported: u32,
    /// Tasks lost: no manifest.
    pub tasks_lost: Vec<u32>,
    /// Shards named by manifests, plus those found of tasks without one.
    pub shards_expected: u64,
    /// Shards merged.
    pub shards_merged: u64,
    /// Shards left out, with the reason.
    pub shards_excluded: Vec<ExcludedShard>,
    /// Where totals of manifests and merged data differ although every shard is there, a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disagreements: Vec<String>,
}

impl Completeness {
    /// The share of what was expected that is missing, in [0, 1]: the larger of that of tasks and that of shards.
    pub fn missing_ratio(&self) -> f64 {
        let share = |missing: u64, of: u64| {
            if of == 0 {
                0.0
            } else {
                missing as f64 / of as f64
            }
        };
        let tasks = share(self.tasks_lost.len() as u64, u64::from(self.tasks_expected));
        let shards = share(
            self.shards_expected.saturating_sub(self.shards_merged),
            self.shards_expected,
        );
        tasks.max(shards)
    }
}

/// A shard that was not merged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExcludedShard {
    /// The task.
    pub task: u32,
    /// The shard's number.
    pub seq: u32,
    /// Why.
    pub reason: String,
}
