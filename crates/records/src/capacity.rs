//! A run that seeks the capacity of its target: the steps that its tasks follow, and what came of them.

use serde::{Deserialize, Serialize};

/// `control/capacity.json`: the steps so far. The watch alone writes it; tasks follow it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CapacityControl {
    /// In the order in which they are sent. All but the last have an outcome.
    pub steps: Vec<CapacityStep>,
    /// Why no further step comes; `None` while one may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<CapacityEnd>,
}

/// A time at one load.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CapacityStep {
    /// When it begins, in ms after the common start.
    pub from_ms: u64,
    /// From when on it is judged.
    pub settled_ms: u64,
    /// When its last iteration starts at the latest.
    pub until_ms: u64,
    /// Its load over all tasks, in the unit of the search.
    pub load: f64,
    /// What was seen; `None` before it is judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<CapacitySeen>,
}

/// What was seen of a step, from `settled_ms` to `until_ms`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CapacitySeen {
    /// How it is judged.
    pub outcome: StepOutcome,
    /// Where it broke: the thresholds, as `metric{tag:value}: expression`; `dropped_iterations` where too few iterations
    /// could start. Where it was spoiled, one sentence that says why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub why: Vec<String>,
    /// Requests a second that were answered or failed.
    pub requests_per_s: f64,
    /// Iterations a second that were completed.
    pub iterations_per_s: f64,
    /// Response times in ms; `None` without a request.
    pub p50_ms: Option<f64>,
    /// See `p50_ms`.
    pub p95_ms: Option<f64>,
    /// See `p50_ms`.
    pub p99_ms: Option<f64>,
    /// The share of requests that failed, in [0, 1].
    pub failed: f64,
    /// The largest CPU use of a generator in a second, as a share of what it may use.
    pub generator_cpu: f64,
}

/// How a step is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StepOutcome {
    /// The thresholds held, and the load was applied.
    Held,
    /// One did not.
    Broke,
    /// It says nothing of the target: a generator was at its limit, or its figures did not come.
    Spoiled,
}

/// Why a search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CapacityEnd {
    /// The interval is as narrow as was asked for.
    Found,
    /// The thresholds held at the largest load that was allowed.
    MaxLoad,
    /// They held at no load, however small.
    NeverHeld,
    /// The generators were at their limit.
    Generator,
    /// The longest duration was over.
    MaxDuration,
    /// The figures of a step did not come.
    Unmeasured,
}

/// What capacity was found: a part of the summary and of the record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CapacitySummary {
    /// The lower end of the 95 % interval, or the largest load that held; `None` if none did.
    pub low: Option<f64>,
    /// The capacity; `None` if it is not bounded from both sides.
    pub estimate: Option<f64>,
    /// The upper end of the interval, or the smallest load that broke; `None` if none did.
    pub high: Option<f64>,
    /// The unit of loads.
    pub unit: CapacityUnit,
    /// What stood in the way of more: the threshold that broke first, `dropped_iterations`, `generator`, `max` or
    /// `max_duration`.
    pub limited_by: Option<String>,
    /// Half the width of the interval that was asked for, relative to the estimate.
    pub precision: f64,
    /// Why the search ended.
    pub ended: CapacityEnd,
    /// In the order in which they were sent.
    pub steps: Vec<CapacityStep>,
}

/// What a load is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CapacityUnit {
    /// Iterations that start each second.
    #[serde(rename = "iterations/s")]
    IterationsPerSecond,
    /// Virtual users.
    #[serde(rename = "VUs")]
    Vus,
}

impl CapacityUnit {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::IterationsPerSecond => "iterations/s",
            Self::Vus => "VUs",
        }
    }
}
