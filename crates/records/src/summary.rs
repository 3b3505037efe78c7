//! `summary.json`: the one published account of a run, in k6's shape where k6 has one.

use crate::capacity::CapacitySummary;
use crate::comparison::Comparison;
use crate::connections::Connections;
use crate::cost::Cost;
use crate::drift::{Drift, WarmUp};
use crate::execution::{AppliedLoad, Completeness, Infrastructure};
use crate::failure::{FailuresSummary, TracedRequest};
use crate::key::Key;
use crate::manifest::{GeneratorLimits, TaskEnding};
use crate::metric::{Builtin, Contains, MetricKind};
use crate::outcome::BaselineOutcome;
use crate::plan::PlannedLoad;
use crate::status::Status;
use crate::word::Word;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// The summary of one execution. Trends are in milliseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Version of this layout: [`Summary::SCHEMA`].
    pub schema: u32,
    /// The execution's ULID.
    pub execution: String,
    /// The tenant.
    pub project: String,
    /// The test's name.
    pub test: String,
    /// SHA-256 of the definition and its files.
    pub version: String,
    /// Where the load went, as the record shows it; absent if only the steps say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The verdict.
    pub status: Status,
    /// Why, one sentence each.
    pub reasons: Vec<String>,
    /// Common start, Unix ms.
    pub started_ms: Option<i64>,
    /// Seconds from the start to the last window with data.
    pub duration_s: f64,
    /// Expected against received.
    pub completeness: Completeness,
    /// What was to be applied.
    pub planned: PlannedLoad,
    /// What was applied of it.
    pub applied: AppliedLoad,
    /// By metric, or `metric{tag:value}` where a threshold names a sub-metric.
    pub metrics: BTreeMap<String, MetricSummary>,
    /// Requests by name: those that failed most come first; what does not fit into [`RequestSummary::MAX_ROWS`] is summed up
    /// in one more row.
    #[serde(default)]
    pub requests: Vec<RequestSummary>,
    /// Checks by scenario, request and text: how often they held and did not.
    pub checks: Vec<CheckSummary>,
    /// Failed requests by `error_code`, or by status where a response came and was not an expected one.
    pub errors: BTreeMap<String, u64>,
    /// Connections of all generators: how many, which way they went, why some failed. Empty with an external engine.
    #[serde(default, skip_serializing_if = "Connections::is_empty")]
    pub connections: Connections,
    /// The samples of failures that were kept; absent if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failures: Option<FailuresSummary>,
    /// The slowest requests that were traced, the slowest first; absent if none was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub traced: Vec<TracedRequest>,
    /// The comparison with an earlier run by a tolerance; absent if the test asks for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<BaselineSummary>,
    /// The same by intervals (`method: compare`); absent if the test asks for none, or there is no run to compare with yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comparison: Option<Box<Comparison>>,
    /// The beginning that no number of this summary is about but those under `applied`; absent without a warm-up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warmup: Option<WarmUp>,
    /// How the numbers went in the course of the run; absent if it was too short to tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<Drift>,
    /// What capacity was found; absent if none was sought.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<CapacitySummary>,
    /// How each generator fared, by task.
    #[serde(default)]
    pub generators: Vec<GeneratorSummary>,
    /// What a reader should know.
    pub warnings: Vec<String>,
    /// Where it ran.
    pub infrastructure: Infrastructure,
    /// In US dollars; absent for local runs.
    pub cost: Option<Cost>,
}

impl Summary {
    /// The layout that this code writes and reads.
    pub const SCHEMA: u32 = 1;

    /// How long what it is of took: all but the warm-up.
    pub fn judged(&self) -> Duration {
        let warmup = self.warmup.as_ref().map_or(0.0, |warmup| warmup.seconds);
        Duration::try_from_secs_f64(self.duration_s - warmup).unwrap_or_default()
    }

    /// Whether a key names a time of HTTP requests of which none was answered, so that a figure of it says nothing of the target.
    pub fn is_unanswered(&self, key: &str) -> bool {
        let Ok(key) = key.parse::<Key>() else {
            return false;
        };
        let is_time = Builtin::parse(&key.metric)
            .is_some_and(|m| m.contains() == Contains::Time && m.name().starts_with("http_req_"));
        let name = key.tags.get("name");
        let mut those = self
            .requests
            .iter()
            .filter(|r| name.is_none_or(|name| r.names == 1 && r.name == name))
            .peekable();
        is_time && those.peek().is_some() && those.all(|r| r.responses == 0)
    }
}

/// One metric in the summary.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricSummary {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: MetricKind,
    /// What its values are.
    pub contains: Contains,
    /// counter: `count`, `rate`; gauge: `value`, `min`, `max`; rate: `rate`, `passes`, `fails`;
    /// trend: `count`, `avg`, `min`, `med`, `max`, `p(90)`, `p(95)`, `p(99)`, `p(99.9)` and those that thresholds name.
    pub values: BTreeMap<String, f64>,
    /// By expression.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub thresholds: BTreeMap<String, ThresholdResult>,
}

/// A threshold at its metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ThresholdResult {
    /// Whether it holds.
    pub ok: bool,
    /// The observed value in the expression's unit (trends: ms); `None` without data.
    pub observed: Option<f64>,
}

/// The comparison with an earlier run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BaselineSummary {
    /// The earlier execution; `None` if there was none yet.
    pub execution: Option<String>,
    /// One for each metric of the definition's `baseline`, in its order.
    pub outcomes: Vec<BaselineOutcome>,
}

/// How a generator fared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GeneratorSummary {
    /// The task.
    pub task: u32,
    /// How its task ended.
    pub outcome: Word<TaskEnding>,
    /// Whether it was saturated, by the verdict's rule.
    pub saturated: bool,
    /// What it may use.
    #[serde(flatten)]
    pub limits: GeneratorLimits,
    /// Seconds in which a CPU was waited for; `None` where the kernel does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contended_seconds: Option<u64>,
    /// Seconds in which a hypervisor took more than a tenth of the CPU that was wanted.
    #[serde(default)]
    pub stolen_seconds: u64,
    /// Mean CPU use as a share of them.
    pub cpu_mean: f64,
    /// Largest one-second CPU use.
    pub cpu_max: f64,
    /// Seconds in which CPU use stood above the limit.
    pub saturated_seconds: u64,
    /// Seconds in which its cgroup throttled it.
    pub throttled_seconds: u64,
    /// Seconds measured.
    pub measured_seconds: u64,
    /// p99 in ms of the lag of starts that found a VU ready.
    pub lag_p99_ms: f64,
    /// Largest such lag in ms.
    pub lag_max_ms: f64,
    /// Its actual start after the planned one, in ms.
    pub start_skew_ms: f64,
    /// Largest resident set in bytes.
    pub peak_rss_bytes: u64,
}

/// The requests of one name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RequestSummary {
    /// Their name; empty where the engine gave them none, and in the row that sums up the rest.
    pub name: String,
    /// How many names the row stands for: 1, or more in the row that sums up the rest.
    pub names: u64,
    /// How many there were.
    pub count: u64,
    /// How many of them failed, as `http_req_failed` counts.
    pub failed: u64,
    /// How many of them got a response, whatever its status.
    pub responses: u64,
    /// How they ended: by status (`200`), by `error_code` without one (`timeout`), by both where a response broke off
    /// (`200 timeout`), `other` where the engine tells neither.
    pub outcomes: BTreeMap<String, u64>,
    /// `http_req_duration` and `http_req_response_time` (what is not HTTP: `sample_duration`) in ms, each with `med`, `p(95)`, `p(99)`, `max`. Empty where no
    /// request got a response, and in the row that sums up the rest.
    pub times: BTreeMap<String, BTreeMap<String, f64>>,
}

impl RequestSummary {
    /// The names with a row of their own.
    pub const MAX_ROWS: usize = 50;
}

/// How often a check held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckSummary {
    /// The check's text.
    pub name: String,
    /// The request that it looks at, if the engine tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// The scenario, if the engine tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scenario: Option<String>,
    /// How often it held.
    pub passes: u64,
    /// How often it did not.
    pub fails: u64,
}
