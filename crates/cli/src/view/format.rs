//! The progress of a run in words.

use floodgate_control::watch::{Progress, Quantiles, TaskState};
use floodgate_report::format::{duration, rate};
use std::time::Duration;

/// `8s`, `2m05s`, `1h02m`.
pub(super) fn clock(elapsed: Duration) -> String {
    let s = elapsed.as_secs();
    match (s / 3_600, s / 60 % 60, s % 60) {
        (0, 0, s) => format!("{s}s"),
        (0, m, s) => format!("{m}m{s:02}s"),
        (h, m, _) => format!("{h}h{m:02}m"),
    }
}

/// `p50 12.1 ms   p95 40.0 ms   p99 88.2 ms`, in columns.
pub(super) fn quantiles(quantiles: Option<Quantiles>) -> String {
    let Some(Quantiles {
        p50_ms,
        p95_ms,
        p99_ms,
    }) = quantiles
    else {
        return "no response yet".into();
    };
    format!(
        "p50 {:<9} p95 {:<9} p99 {:<9}",
        duration(p50_ms, 3),
        duration(p95_ms, 3),
        duration(p99_ms, 3)
    )
}

/// Iterations a second, and what of them an arrival rate wants: `497/s of 500/s`, `178/s, open 150 of 150/s`.
pub(super) fn iterations(p: &Progress) -> String {
    let all = format!("{}/s", rate(p.iterations_per_s));
    match p.offered_per_s {
        Some(offered) if p.achieved_per_s == p.iterations_per_s => {
            format!("{all} of {}/s", rate(offered))
        }
        Some(offered) => format!(
            "{all}, open {} of {}/s",
            rate(p.achieved_per_s),
            rate(offered)
        ),
        None => all,
    }
}

/// `2 running`, or what else there is to say of the tasks.
pub(super) fn tasks(progress: &Progress) -> String {
    let number =
        |wanted: fn(&TaskState) -> bool| progress.tasks.iter().filter(|t| wanted(t)).count();
    let kinds: [(&str, usize); 5] = [
        ("starting", number(|t| *t == TaskState::Pending)),
        ("ready", number(|t| *t == TaskState::Ready)),
        ("running", number(|t| *t == TaskState::Running)),
        ("ended", number(|t| *t == TaskState::Ended)),
        ("lost", number(TaskState::is_lost)),
    ];
    let shown: Vec<_> = kinds
        .iter()
        .filter(|(_, n)| *n > 0)
        .map(|(kind, n)| format!("{n} {kind}"))
        .collect();
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_shows_two_units_at_most() {
        assert_eq!(
            [8, 125, 3_725].map(|s| clock(Duration::from_secs(s))),
            ["8s", "2m05s", "1h02m"]
        );
    }

    #[test]
    fn times_look_as_in_the_report() {
        let times = quantiles(Some(Quantiles {
            p50_ms: 0.184,
            p95_ms: 12.44,
            p99_ms: 999.6,
        }));
        assert_eq!(times, "p50 184 µs    p95 12.4 ms   p99 1.00 s   ");
    }
}
