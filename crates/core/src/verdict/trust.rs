//! Whether the data can be trusted.

use super::Evidence;
use super::health::{saturated, stood_still};
use super::words::{count, tasks};
use floodgate_records::control::{Stop, StopReason};
use floodgate_records::manifest::TaskOutcome;

pub(super) fn untrustworthy(e: &Evidence<'_>) -> Vec<String> {
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
    why.extend(e.nothing_judged.map(str::to_owned));
    why
}

/// Values that could not be recorded as what they are.
fn unusable(e: &Evidence<'_>) -> Option<String> {
    let n: u64 = e.manifests.iter().map(|m| m.totals.unusable_values).sum();
    (n > 0).then(|| {
        format!(
            "{} of trends or counters are negative or not numbers; fix their source",
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
        let none = match a.http_reqs {
            1 => "no response to the one request".to_owned(),
            n => format!("no response to any of {}", count(n, "request")),
        };
        format!(
            "{none}, so nothing was measured of the target: {}",
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

pub(super) fn failures<'a>(e: &Evidence<'a>) -> impl Iterator<Item = (u32, &'a str)> + use<'a> {
    e.manifests.iter().filter_map(|m| match &m.outcome {
        TaskOutcome::Failed { error } => Some((m.task, error.as_str())),
        _ => None,
    })
}
