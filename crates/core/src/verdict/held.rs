//! Whether what was asked held, and was shown to.

use super::sought::{found, shortfall};
use super::words::{count, number, percent, tasks};
use super::{Evidence, compared, own};
use floodgate_records::control::{Stop, StopReason};
use floodgate_records::metric::unit_of;
use floodgate_records::outcome::{Outcome, ThresholdOutcome};

pub(super) fn breached(e: &Evidence<'_>) -> Vec<String> {
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
    why.extend(e.comparison.into_iter().flat_map(compared::breached));
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
    if let Some(said) = t.over_time.said() {
        return match t.over_time.trend {
            Some(_) => format!("observed {said}"),
            None => said,
        };
    }
    let observed = t.observed.map_or_else(String::new, number);
    format!("observed {observed}{}", unit_of(&t.key))
}

pub(super) fn not_shown(e: &Evidence<'_>) -> Vec<String> {
    let mut why: Vec<String> = e
        .capacity
        .and_then(|capacity| shortfall(capacity, e.manifests.len()))
        .into_iter()
        .collect();
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
    why.extend(e.comparison.into_iter().flat_map(compared::not_shown));
    why.extend_from_slice(e.baseline_missing);
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
    for (scenario, sent) in e.unanswered_scenarios {
        let none = match *sent {
            1 => "no response to the one request".to_owned(),
            sent => format!("no response to any of {}", count(sent, "request")),
        };
        why.push(format!(
            "{none} of the scenario {scenario}, so nothing was measured of what it sends to"
        ));
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

pub(super) fn why_passed(e: &Evidence<'_>) -> String {
    if let Some(capacity) = e.capacity {
        return found(capacity);
    }
    let held = e.baseline.iter().filter(|b| b.outcome == Outcome::Passed);
    let compared = held.count() + usize::from(e.comparison.is_some_and(compared::holds));
    match (own(e.thresholds).count(), compared) {
        (0, 0) => "complete data, and no threshold to hold".to_owned(),
        (0, _) => "no worse than the baseline".to_owned(),
        (1, 0) => "the threshold holds".to_owned(),
        (n, 0) => format!("all {n} thresholds hold"),
        (n, _) => format!("{} and the baseline hold", count(n as u64, "threshold")),
    }
}
