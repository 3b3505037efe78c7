//! Whether a run could be carried out, and ran until its own end.

use super::Evidence;
use super::trust::failures;
use super::words::count;
use floodgate_records::control::{Stop, StopReason};

pub(super) fn could_not_run(e: &Evidence<'_>) -> Vec<String> {
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
    if let Some(Stop {
        reason: StopReason::Contract,
        by,
        ..
    }) = e.stop
    {
        why.extend(by.lines().map(str::to_owned));
    }
    if why.is_empty() && c.tasks_reported == 0 && c.shards_merged == 0 {
        why.push(format!(
            "none of {} reported, and no shard was found",
            count(c.tasks_expected.into(), "task")
        ));
    }
    why
}

pub(super) fn stopped_from_outside(e: &Evidence<'_>) -> Vec<String> {
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
