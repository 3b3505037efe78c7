//! The verdict: what all the evidence of a run amounts to. A pure function of it.
//!
//! # Order
//! The first that applies decides; reasons that would lead to the same status are all named.
//! 1. **errored**: the run could not be carried out (placement, engine, permission, internal), or nothing came of any task: also where too
//!    many tasks were lost before the start, as when a script's setup throws.
//! 2. **aborted**: a person, the budget, or its own script stopped it.
//! 3. **inconclusive**: the data cannot be trusted: tasks or shards are missing beyond the tolerance, what they wrote does not add
//!    up, a generator was saturated (below) or stood still, nothing was sent, or no request got a response. A breach in such
//!    data proves nothing, nor does the lack of one.
//! 4. **failed**: a threshold or a baseline is breached, or the run has regressed, the implicit one included (not all requests may fail), a threshold with
//!    `abortOnFail` stopped the run, or the script of an external engine says so: it marked the test as failed, its teardown
//!    threw, or each of its iterations did.
//! 5. **inconclusive**: nothing is breached, but a threshold or the baseline has no outcome, or the runs are not comparable, the load fell short of the plan
//!    (started, completed, a scenario, data rows), or the deadline cut the run off. A breach comes before these, since a
//!    target that is too slow for the planned load is the very thing a test is to find.
//! 6. **passed**.

use floodgate_records::capacity::CapacitySummary;
use floodgate_records::comparison::Comparison;
use floodgate_records::control::Stop;
use floodgate_records::execution::{AppliedLoad, Completeness};
use floodgate_records::manifest::Manifest;
use floodgate_records::outcome::{BaselineOutcome, ThresholdOutcome};
use floodgate_records::status::Status;
use held::{breached, not_shown, why_passed};
use ran::{could_not_run, stopped_from_outside};
use trust::untrustworthy;

mod compared;
mod health;
mod held;
mod ran;
mod sought;
mod trust;
mod warnings;
mod words;

pub use health::{LAG_LIMIT_US, SATURATED_CPU, SATURATED_SHARE, STANDSTILL_US, Saturation};

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod law;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

/// All that bears on the verdict.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// Outcomes of all thresholds.
    pub thresholds: &'a [ThresholdOutcome],
    /// Outcomes of the comparison with an earlier run.
    pub baseline: &'a [BaselineOutcome],
    /// The comparison with an earlier run by intervals, if there is one.
    pub comparison: Option<&'a Comparison>,
    /// Why there is nothing to compare with although there should be, a sentence each.
    pub baseline_missing: &'a [String],
    /// Expected against received.
    pub completeness: &'a Completeness,
    /// The share of tasks and shards that may be missing, in [0, 1].
    pub tolerance: f64,
    /// What was sent.
    pub applied: &'a AppliedLoad,
    /// The share of the scheduled iterations that must have started, in [0, 1].
    pub min_applied_load: f64,
    /// The share of the started iterations that must have run to their end, in [0, 1].
    pub min_completed_load: f64,
    /// Whether the test sends HTTP requests at all; if so, a run without one is inconclusive.
    pub expects_requests: bool,
    /// Scenarios that were to send something and sent nothing.
    pub silent_scenarios: &'a [String],
    /// Scenarios none of whose requests got a response, and how many these were.
    pub unanswered_scenarios: &'a [(String, u64)],
    /// Why nothing was measured where it counts, a sentence: after the warm-up.
    pub nothing_judged: Option<&'a str>,
    /// Of what kinds the failed requests are, as words go on after a colon.
    pub failures: &'a str,
    /// What capacity was sought and found.
    pub capacity: Option<&'a CapacitySummary>,
    /// Each task's own account.
    pub manifests: &'a [Manifest],
    /// The order that stopped the run, if one did.
    pub stop: Option<&'a Stop>,
    /// What kept the run from being carried out, a sentence each.
    pub errors: &'a [String],
}

/// A verdict with its grounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// One of the final statuses.
    pub status: Status,
    /// Why, a sentence each; never empty.
    pub reasons: Vec<String>,
    /// What a reader should know beside it, each with what to change.
    pub warnings: Vec<String>,
}

/// Judges a run.
pub fn judge(evidence: &Evidence<'_>) -> Verdict {
    type Grounds = fn(&Evidence<'_>) -> Vec<String>;
    let tiers: [(Status, Grounds); 5] = [
        (Status::Errored, could_not_run),
        (Status::Aborted, stopped_from_outside),
        (Status::Inconclusive, untrustworthy),
        (Status::Failed, breached),
        (Status::Inconclusive, not_shown),
    ];
    let decided = tiers
        .into_iter()
        .map(|(status, why)| (status, why(evidence)))
        .find(|(_, why)| !why.is_empty());
    let (status, reasons) = decided.unwrap_or_else(|| (Status::Passed, vec![why_passed(evidence)]));
    Verdict {
        status,
        reasons,
        warnings: warnings::collect(evidence),
    }
}

/// The thresholds of the definition.
fn own(thresholds: &[ThresholdOutcome]) -> impl Iterator<Item = &ThresholdOutcome> {
    thresholds.iter().filter(|t| !t.implicit)
}
