//! What a script says of itself before it runs.

use floodgate_core::definition::model::Executor;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// What was extracted from a script. It stands in the test's record, and gives a run its planned load.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inspection {
    /// The load by scenario (k6: scenarios, JMeter: thread groups, Gatling: populations), where it can be read.
    pub scenarios: Vec<PlannedScenario>,
    /// Thresholds in our grammar, lifted from the script (k6's options, Gatling's assertions): metric key and expression.
    pub thresholds: Vec<ScriptThreshold>,
    /// The most VUs at any time, if the script says more than `scenarios` does.
    pub max_vus: Option<u64>,
    /// The longest time of a run with all graceful stops, if it is known.
    pub max_duration: Option<Duration>,
    /// Files that the script reads, relative to its folder: they travel along.
    pub files: Vec<String>,
    /// Parameters that the script reads, with their defaults.
    pub parameters: BTreeMap<String, Option<String>>,
    /// The metrics of the script's own that it declares, as far as its text tells.
    pub metrics: Vec<String>,
    /// Everything else, as the engine's own words: samplers, assertions, timers, tags.
    pub details: Value,
    /// What the reader should know: what could not be read or split.
    pub warnings: Vec<String>,
}

/// The load of one scenario of a script.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedScenario {
    /// Its name; also the tag `scenario`.
    pub name: String,
    /// When it starts, from the start of the run.
    pub start: Duration,
    /// When iterations start; `None` if it cannot be said before the run.
    pub executor: Option<Executor>,
    /// How long running iterations may go on after its end.
    pub graceful_stop: Duration,
}

impl PlannedScenario {
    /// Whether a schedule starts its iterations, whatever the target does: an arrival rate.
    pub fn is_open(&self) -> bool {
        self.executor.as_ref().is_some_and(Executor::is_open)
    }
}

/// A threshold out of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptThreshold {
    /// `metric{tag:value}`.
    pub key: String,
    /// `p(95)<500`.
    pub expression: String,
    /// Whether a breach ends the run.
    pub abort_on_fail: bool,
    /// How long after the start that is not looked at.
    pub delay: Duration,
}
