//! Numbers and lists as a person reads them.

/// A number as a person reads it: up to six significant digits.
pub(super) fn number(value: f64) -> String {
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
pub(super) fn percent(ratio: f64) -> String {
    format!("{} %", (ratio * 1e4 + 1e-9).floor() / 100.0)
}

pub(super) fn count(n: u64, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// `task 3`, or `tasks 0, 3, 7 and 5 more`.
pub(super) fn tasks(list: &[u32]) -> String {
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
