//! Numbers as people read them: three significant digits, thin units.

use floodgate_control::watch::{Progress, Quantiles, TaskState};
use std::time::Duration;

/// `1,234,567`.
pub(super) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `0`, `4.5`, `497`, `12,304`: a rate a second.
pub(super) fn rate(per_s: f64) -> String {
    if per_s == 0.0 || per_s >= 99.95 {
        count(per_s.round().max(0.0) as u64)
    } else {
        format!("{per_s:.1}")
    }
}

/// `0.18 ms`, `12.4 ms`, `1.53 s`.
pub(super) fn millis(ms: f64) -> String {
    match ms {
        ms if ms >= 9_999.5 => format!("{:.1} s", ms / 1_000.0),
        ms if ms >= 999.5 => format!("{:.2} s", ms / 1_000.0),
        ms if ms >= 99.95 => format!("{ms:.0} ms"),
        ms if ms >= 9.995 => format!("{ms:.1} ms"),
        ms => format!("{ms:.2} ms"),
    }
}

/// `0 %`, `0.012 %`, `1.53 %`, `100 %`.
pub(super) fn percent(ratio: f64) -> String {
    let percent = ratio * 100.0;
    match percent {
        p if p == 0.0 || p >= 99.95 => format!("{p:.0} %"),
        p if p >= 9.95 => format!("{p:.1} %"),
        p if p >= 0.1 => format!("{p:.2} %"),
        p => format!("{p:.3} %"),
    }
}

/// `8s`, `2m05s`, `1h02m`.
pub(super) fn clock(duration: Duration) -> String {
    let s = duration.as_secs();
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
        millis(p50_ms),
        millis(p95_ms),
        millis(p99_ms)
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
    fn numbers_have_three_digits_or_so() {
        assert_eq!(
            [0, 7, 999, 1_000, 1_234_567].map(count),
            ["0", "7", "999", "1,000", "1,234,567"]
        );
        assert_eq!(
            [0.0, 4.52, 99.94, 99.96, 12_304.4].map(rate),
            ["0", "4.5", "99.9", "100", "12,304"]
        );
        assert_eq!(
            [0.184, 9.994, 12.44, 99.96, 999.4, 999.6, 12_345.0].map(millis),
            [
                "0.18 ms", "9.99 ms", "12.4 ms", "100 ms", "999 ms", "1.00 s", "12.3 s"
            ]
        );
        assert_eq!(
            [0.0, 0.000_12, 0.015_3, 0.5, 1.0].map(percent),
            ["0 %", "0.012 %", "1.53 %", "50.0 %", "100 %"]
        );
        assert_eq!(
            [8, 125, 3_725].map(|s| clock(Duration::from_secs(s))),
            ["8s", "2m05s", "1h02m"]
        );
    }
}
