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
//! 4. **failed**: a threshold or a baseline is breached, the implicit one included (not all requests may fail), a threshold with
//!    `abortOnFail` stopped the run, or the script of an external engine says so: it marked the test as failed, its teardown
//!    threw, or each of its iterations did.
//! 5. **inconclusive**: nothing is breached, but a threshold or the baseline has no outcome, the load fell short of the plan
//!    (started, completed, a scenario, data rows), or the deadline cut the run off. A breach comes before these, since a
//!    target that is too slow for the planned load is the very thing a test is to find.
//! 6. **passed**.
//!
//! # When a generator is saturated
//! Then its own queueing is in the figures, and they say nothing of the target. One task suffices, since its samples are
//! merged with all others:
//! * its CPU use stood above the limit in more than [`SATURATED_SHARE`] of its seconds, two at least: one
//!   second of connection set-up or of catching up after a stall is no saturation;
//! * the cgroup throttled it in more than that share, and p99 of its lag is above [`LAG_LIMIT_US`]: throttling
//!   matters when starts are late for it;
//! * it ran out of open files or local ports, even once: such errors look like the target's.
//!
//! The lag meant here is that of starts that found a VU ready. What waits for a VU of a slow target is late by the
//! target's doing, belongs into the response time, and is not in it. Such lag points at the generator, but alone is only a
//! warning: a moment of a busy machine is in it too, and the response times count it.

use crate::baseline::{BaselineOutcome, unit_of};
use crate::execution::control::{Stop, StopReason};
use crate::execution::manifest::{Health, Manifest, TaskOutcome};
use crate::execution::record::{AppliedLoad, Completeness, Status};
use crate::execution::summary::{Outcome, ThresholdOutcome};

mod warnings;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod law;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

/// The share of its seconds in which a generator may be short of CPU, and of its time that it may have stood still at once.
pub const SATURATED_SHARE: f64 = 0.1;

/// p99 of the lag of starts that found a VU ready, up to which a generator is on time, in µs. Ten times the resolution
/// of an ordinary timer, and small beside what a user notices.
pub const LAG_LIMIT_US: u64 = 10_000;

/// A standstill below it says nothing: a busy machine has such moments, and they are in the lag. In µs.
pub const STANDSTILL_US: u64 = 1_000_000;

impl Status {
    /// The exit code of the command line: k6's where k6 has the case
    /// (<https://github.com/grafana/k6/blob/v1.8.1/errext/exitcodes/codes.go>: 99, 104, 105). A run that is not over has none
    /// of its own and counts as errored.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Passed => 0,
            Self::Failed => 99,
            Self::Inconclusive => 98,
            Self::Errored | Self::Preparing | Self::Running | Self::Merging => 97,
            Self::Aborted => 105,
        }
    }

    /// The name with which the state machine fails; `None` for a pass and for a run that is not over.
    pub const fn error_name(self) -> Option<&'static str> {
        match self {
            Self::Failed => Some("Floodgate.ThresholdsFailed"),
            Self::Inconclusive => Some("Floodgate.Inconclusive"),
            Self::Errored => Some("Floodgate.Errored"),
            Self::Aborted => Some("Floodgate.Aborted"),
            Self::Passed | Self::Preparing | Self::Running | Self::Merging => None,
        }
    }

    /// The name in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Preparing => "preparing",
            Self::Running => "running",
            Self::Merging => "merging",
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Inconclusive => "inconclusive",
            Self::Errored => "errored",
            Self::Aborted => "aborted",
        }
    }
}

/// The exit code for a definition or arguments that are invalid, as in k6.
pub const EXIT_INVALID: u8 = 104;

/// The error name for a definition that is invalid.
pub const ERROR_INVALID: &str = "Floodgate.InvalidDefinition";

/// All that bears on the verdict.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// Outcomes of all thresholds.
    pub thresholds: &'a [ThresholdOutcome],
    /// Outcomes of the comparison with an earlier run.
    pub baseline: &'a [BaselineOutcome],
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
    /// Of what kinds the failed requests are, as words go on after a colon.
    pub failures: &'a str,
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

fn could_not_run(e: &Evidence<'_>) -> Vec<String> {
    let mut why = e.errors.to_vec();
    let failures: Vec<_> = failures(e).collect();
    let c = e.completeness;
    if !failures.is_empty() && failures.len() as u64 >= u64::from(c.tasks_expected) {
        why.extend(
            failures
                .iter()
                .map(|(task, error)| format!("task {task} failed: {error}"))
                .take(3),
        );
    }
    if let Some(Stop {
        reason: StopReason::TasksLost,
        by,
        ..
    }) = e.stop
        && c.shards_merged == 0
        && e.manifests.iter().all(|m| m.planned_start_ms == 0)
    {
        why.push(format!("nothing was started: {by}"));
    }
    if why.is_empty() && c.tasks_reported == 0 && c.shards_merged == 0 {
        why.push(format!(
            "none of {} reported, and no shard was found",
            count(c.tasks_expected.into(), "task")
        ));
    }
    why
}

fn stopped_from_outside(e: &Evidence<'_>) -> Vec<String> {
    match e.stop {
        Some(Stop {
            reason: StopReason::Person,
            by,
            ..
        }) => vec![format!("stopped by {by}")],
        Some(Stop {
            reason: StopReason::Budget,
            by,
            ..
        }) => {
            vec![format!(
                "stopped because the budget was used up ({by}); raise run.max_cost_usd or send less"
            )]
        }
        Some(Stop {
            reason: StopReason::Script,
            by,
            ..
        }) => vec![format!("stopped by {by}")],
        _ => Vec::new(),
    }
}

fn untrustworthy(e: &Evidence<'_>) -> Vec<String> {
    let mut why = Vec::new();
    let c = e.completeness;
    if c.missing_ratio() > e.tolerance {
        if !c.tasks_lost.is_empty() {
            why.push(format!(
                "{} of {} lost: {}",
                c.tasks_lost.len(),
                count(c.tasks_expected.into(), "task"),
                tasks(&c.tasks_lost)
            ));
        }
        let missing = c.shards_expected.saturating_sub(c.shards_merged);
        if missing > 0 {
            let first = c.shards_excluded.first().map_or_else(String::new, |s| {
                format!(" (task {}, shard {}: {})", s.task, s.seq, s.reason)
            });
            why.push(format!(
                "{missing} of {} not merged{first}",
                count(c.shards_expected, "shard")
            ));
        }
    } else if let Some(Stop {
        reason: StopReason::TasksLost,
        by,
        ..
    }) = e.stop
    {
        why.push(format!("stopped because tasks were lost ({by})"));
    }
    why.extend(unfinished(e));
    why.extend(c.disagreements.iter().cloned());
    why.extend(unusable(e));
    why.extend(saturated(e));
    why.extend(stood_still(e));
    why.extend(unheard(e));
    why
}

/// Values that could not be recorded as what they are.
fn unusable(e: &Evidence<'_>) -> Option<String> {
    let n: u64 = e.manifests.iter().map(|m| m.totals.unusable_values).sum();
    (n > 0).then(|| {
        format!(
            "{} of trends or counters cannot be used, being negative or no number; correct what writes them",
            count(n, "value")
        )
    })
}

/// Why the target was not heard of at all.
fn unheard(e: &Evidence<'_>) -> Option<String> {
    let a = e.applied;
    if a.samples > 0 {
        return None;
    }
    if a.http_reqs == 0 && a.iterations == 0 {
        return Some("nothing was sent: no iteration started".to_owned());
    }
    if a.http_reqs == 0 {
        return e
            .expects_requests
            .then(|| "nothing was sent: iterations started, but no request did".to_owned());
    }
    (a.unanswered_reqs >= a.http_reqs).then(|| {
        format!(
            "no response to any of {}, so nothing was measured of the target: {}",
            count(a.http_reqs, "request"),
            e.failures
        )
    })
}

/// Tasks that reported and yet did not do their part, beyond the tolerance.
fn unfinished(e: &Evidence<'_>) -> Vec<String> {
    let expected = f64::from(e.completeness.tasks_expected.max(1));
    let stopped = e
        .manifests
        .iter()
        .filter_map(|m| match (&m.outcome, e.stop) {
            (TaskOutcome::Stopped { by }, None) => Some((m.task, format!("stopped by {by}"))),
            _ => None,
        });
    let all: Vec<_> = failures(e)
        .map(|(task, error)| (task, format!("failed: {error}")))
        .chain(stopped)
        .collect();
    let missing = e.completeness.tasks_lost.len() + all.len();
    if missing as f64 / expected <= e.tolerance {
        return Vec::new();
    }
    let lines = all
        .iter()
        .take(3)
        .map(|(task, what)| format!("task {task} did not finish its part: {what}"));
    let rest = all.len().saturating_sub(3);
    lines
        .chain((rest > 0).then(|| format!("so did {rest} more")))
        .collect()
}

fn failures<'a>(e: &Evidence<'a>) -> impl Iterator<Item = (u32, &'a str)> + use<'a> {
    e.manifests.iter().filter_map(|m| match &m.outcome {
        TaskOutcome::Failed { error } => Some((m.task, error.as_str())),
        _ => None,
    })
}

/// In what way a generator was saturated (see the module's documentation).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saturation {
    /// Short of CPU.
    Cpu,
    /// Held back by its cgroup's quota.
    Throttled,
    /// Out of open files or local ports.
    Exhausted,
}

impl Saturation {
    /// The ways in which a generator was saturated.
    pub fn of(health: &Health) -> Vec<Self> {
        let often = |s: u64| s >= 2 && s as f64 > SATURATED_SHARE * health.measured_seconds as f64;
        let late = health.lag_p99_us > LAG_LIMIT_US;
        let found = [
            (often(health.saturated_seconds), Self::Cpu),
            (often(health.throttled_seconds) && late, Self::Throttled),
            (health.exhausted > 0, Self::Exhausted),
        ];
        found
            .into_iter()
            .filter_map(|(holds, which)| holds.then_some(which))
            .collect()
    }
}

fn saturated(e: &Evidence<'_>) -> Vec<String> {
    let of = |which| -> Vec<_> {
        e.manifests
            .iter()
            .filter(|m| Saturation::of(&m.health).contains(&which))
            .map(|m| m.task)
            .collect()
    };
    let cases = [
        (Saturation::Cpu, "had no CPU left"),
        (Saturation::Throttled, "was held back by its CPU quota"),
        (Saturation::Exhausted, "ran out of open files or ports"),
    ];
    let lines = cases
        .into_iter()
        .map(|(which, what)| (of(which), what))
        .filter(|(tasks, _)| !tasks.is_empty());
    lines
        .map(|(list, what)| {
            format!(
                "the generator {what}, so the figures are its own: {}",
                tasks(&list)
            )
        })
        .collect()
}

/// Generators that were stopped for a while, such as by a paused machine: nothing was sent meanwhile, and what was under way is
/// measured as slow.
fn stood_still(e: &Evidence<'_>) -> Option<String> {
    let stopped: Vec<&Manifest> = e
        .manifests
        .iter()
        .filter(|m| standstill_decides(&m.health))
        .collect();
    let longest = stopped.iter().map(|m| m.health.standstill_max_us).max()?;
    let list: Vec<_> = stopped.iter().map(|m| m.task).collect();
    Some(format!(
        "the generator stood still for {} s, so the figures are its own: {}",
        number(longest as f64 / 1e6),
        tasks(&list)
    ))
}

/// Whether a standstill is too long a part of the run for its figures.
fn standstill_decides(health: &Health) -> bool {
    let longest_s = health.standstill_max_us as f64 / 1e6;
    health.standstill_max_us >= STANDSTILL_US
        && longest_s > SATURATED_SHARE * health.measured_seconds as f64
}

fn breached(e: &Evidence<'_>) -> Vec<String> {
    let mut why = Vec::new();
    let failed = || e.thresholds.iter().filter(|t| t.outcome == Outcome::Failed);
    match e.stop {
        // The threshold itself says it below, unless it holds again or is none of this definition's.
        Some(Stop {
            reason: StopReason::Threshold,
            by,
            ..
        }) if !failed().any(|t| t.aborted) => {
            why.push(format!("stopped by abortOnFail: {by}"));
        }
        _ => {}
    }
    for t in failed() {
        let stopped = if t.aborted {
            " and stopped the run"
        } else {
            ""
        };
        why.push(match (&t.note, t.implicit) {
            (Some(note), true) => note.clone(),
            _ => format!("threshold breached{stopped}: {}, {}", t.id, observed(t)),
        });
    }
    for b in e.baseline.iter().filter(|b| b.outcome == Outcome::Failed) {
        why.push(format!("worse than the baseline: {}", b.sentence()));
    }
    why.extend(failed_by_script(e));
    why
}

/// What the script of an external engine says of the run: that it failed, or nothing but exceptions.
fn failed_by_script(e: &Evidence<'_>) -> Vec<String> {
    let scripts = || e.manifests.iter().map(|m| &m.script);
    let mut why: Vec<String> = Vec::new();
    for said in scripts().filter_map(|script| script.failed.as_ref()) {
        if !why.contains(said) {
            why.push(said.clone());
        }
    }
    let exceptions: u64 = scripts().map(|script| script.exceptions).sum();
    if exceptions > 0 && exceptions >= e.applied.iterations {
        let first = scripts().find_map(|script| script.exception.as_deref());
        why.push(format!(
            "every iteration of the script ended with an exception ({exceptions} in all); the first: {}",
            first.unwrap_or("not told")
        ));
    }
    why
}

/// `observed 512.3 ms`.
fn observed(t: &ThresholdOutcome) -> String {
    let observed = t.observed.map_or_else(String::new, number);
    format!("observed {observed}{}", unit_of(&t.key))
}

fn not_shown(e: &Evidence<'_>) -> Vec<String> {
    let mut why = Vec::new();
    for t in e.thresholds.iter().filter(|t| t.outcome == Outcome::NoData) {
        let note = t.note.as_deref().unwrap_or("no sample was recorded");
        why.push(match t.observed {
            Some(_) => format!("threshold undecided: {}, {}: {note}", t.id, observed(t)),
            None => format!("no data for the threshold {}: {note}", t.id),
        });
    }
    // Without an earlier value there is nothing to fall behind; without a present one there is something missing.
    for b in e
        .baseline
        .iter()
        .filter(|b| b.outcome == Outcome::NoData && b.baseline.is_some())
    {
        let note = b
            .note
            .as_ref()
            .map_or_else(String::new, |n| format!(": {n}"));
        why.push(format!(
            "no data to compare with the baseline: {}{note}",
            b.id
        ));
    }
    if let Some(ratio) = e.applied.ratio.filter(|r| *r < e.min_applied_load) {
        why.push(format!(
            "applied load below plan: {} of the scheduled iterations started, {} must; raise maxVUs, give the target \
             time to recover, or plan a lower rate",
            percent(ratio),
            percent(e.min_applied_load)
        ));
    }
    why.extend(fell_short(e));
    if let Some(Stop {
        reason: StopReason::Deadline,
        by,
        ..
    }) = e.stop
    {
        why.push(format!(
            "cut off at the deadline ({by}); raise run.max_duration or shorten the scenarios"
        ));
    }
    why
}

/// What was planned and did not happen, although as many iterations started as were to.
fn fell_short(e: &Evidence<'_>) -> Vec<String> {
    let mut why = Vec::new();
    for scenario in e.silent_scenarios {
        why.push(format!("the scenario {scenario} sent nothing"));
    }
    let a = e.applied;
    // An order to stop cuts off what is under way, whatever the target does.
    let completed = a.completed_ratio().filter(|_| e.stop.is_none());
    if let Some(ratio) = completed.filter(|r| *r < e.min_completed_load) {
        why.push(format!(
            "{} of {} ran to their end, {} must; raise gracefulStop to let them finish, or lower run.min_completed_load",
            percent(ratio),
            count(a.iterations, "iteration"),
            percent(e.min_completed_load)
        ));
    }
    let without_rows: Vec<_> = e
        .manifests
        .iter()
        .filter(|m| m.totals.data_exhausted)
        .map(|m| m.task)
        .collect();
    if !without_rows.is_empty() {
        why.push(format!(
            "a data file with unique rows ran out before the schedule ended ({}); add rows, or use mode sequential",
            tasks(&without_rows)
        ));
    }
    why
}

fn why_passed(e: &Evidence<'_>) -> String {
    let compared = e
        .baseline
        .iter()
        .filter(|b| b.outcome == Outcome::Passed)
        .count();
    match (own(e.thresholds).count(), compared) {
        (0, 0) => "complete data, and no threshold to hold".to_owned(),
        (0, _) => "no worse than the baseline".to_owned(),
        (1, 0) => "the threshold holds".to_owned(),
        (n, 0) => format!("all {n} thresholds hold"),
        (n, _) => format!("{} and the baseline hold", count(n as u64, "threshold")),
    }
}

/// The thresholds of the definition.
fn own(thresholds: &[ThresholdOutcome]) -> impl Iterator<Item = &ThresholdOutcome> {
    thresholds.iter().filter(|t| !t.implicit)
}

/// A number as a person reads it: up to six significant digits.
fn number(value: f64) -> String {
    if value != 0.0 && value.abs() < 1e6 {
        let digits = (5 - value.abs().log10().floor() as i32).clamp(0, 12);
        let fixed = format!("{value:.*}", digits as usize);
        let trimmed = if fixed.contains('.') {
            fixed.trim_end_matches('0').trim_end_matches('.')
        } else {
            &fixed
        };
        return trimmed.to_owned();
    }
    value.to_string()
}

/// A ratio as a percentage that never rounds up to a round number it has not reached.
fn percent(ratio: f64) -> String {
    format!("{} %", (ratio * 1e4 + 1e-9).floor() / 100.0)
}

fn count(n: u64, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// `task 3`, or `tasks 0, 3, 7 and 5 more`.
fn tasks(list: &[u32]) -> String {
    let shown: Vec<_> = list.iter().take(5).map(u32::to_string).collect();
    let rest = list.len() - shown.len();
    let more = if rest > 0 {
        format!(" and {rest} more")
    } else {
        String::new()
    };
    format!(
        "task{} {}{more}",
        if list.len() == 1 { "" } else { "s" },
        shown.join(", ")
    )
}
