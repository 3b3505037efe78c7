//! What the verdict rests on: thresholds, baseline, checks.

use crate::comparison::footnotes;
use crate::figure::{note_of, observed, value};
use crate::format::{count, digits, share};
use crate::style::{Align, Style, Tone, of_outcome, plain, table};
use floodgate_records::execution::Execution;
use floodgate_records::outcome::Outcome;
use floodgate_records::summary::Summary;

pub(super) fn thresholds(execution: &Execution, summary: &Summary, style: Style) -> String {
    // What every run must hold is worth a line where it does not.
    let shown = || {
        let all = execution.thresholds.iter();
        all.filter(|t| !(t.implicit && t.outcome == Outcome::Passed))
    };
    if shown().next().is_none() {
        return String::new();
    }
    let mut last = "";
    let rows = shown().map(|t| {
        // A metric with several thresholds is named once.
        let key = if last == t.key {
            String::new()
        } else {
            t.key.clone()
        };
        last = &t.key;
        let unanswered = summary.is_unanswered(&t.key);
        vec![
            if unanswered && t.outcome == Outcome::Passed {
                ("? no response".into(), Tone::Warn)
            } else {
                of_outcome(t.outcome, t.aborted)
            },
            plain(key),
            plain(&t.expression),
            plain(observed(summary, t)),
        ]
    });
    let columns = [
        ("", Align::Left),
        ("metric", Align::Wrap),
        ("must hold", Align::Left),
        ("observed", Align::Right),
    ];
    let text = table(style, &columns, rows.collect());
    text + &footnotes(shown().filter_map(note_of).collect(), style)
}

pub(super) fn baseline(summary: &Summary, style: Style) -> String {
    if let Some(found) = &summary.comparison {
        return crate::comparison::section(found, style);
    }
    let Some(baseline) = summary.baseline.as_ref().filter(|b| b.execution.is_some()) else {
        return String::new();
    };
    let rows = baseline.outcomes.iter().map(|b| {
        let show = |v: Option<f64>| {
            v.map_or_else(
                || "–".into(),
                |v| value(summary, &b.key, &b.aggregate, v, 5),
            )
        };
        let change = b.change.map_or_else(
            || "–".into(),
            |c| {
                let sign = if c > 0.0 { "+" } else { "" };
                format!("{sign}{} %", digits(c * 100.0, 3))
            },
        );
        vec![
            of_outcome(b.outcome, false),
            plain(format!("{} {}", b.key, b.aggregate)),
            plain(show(b.baseline)),
            plain(show(b.observed)),
            plain(change),
            (
                format!("{} %", (b.tolerance * 1e4).round() / 100.0),
                Tone::Dim,
            ),
        ]
    });
    let columns = [
        ("", Align::Left),
        ("metric", Align::Wrap),
        ("before", Align::Right),
        ("now", Align::Right),
        ("change", Align::Right),
        ("allowed", Align::Right),
    ];
    let execution = baseline.execution.as_deref().unwrap_or_default();
    let text = table(style, &columns, rows.collect());
    format!(
        "{text}  {}\n",
        style.paint(&format!("compared with {execution}"), Tone::Dim)
    )
}

pub(super) fn checks(summary: &Summary, style: Style) -> String {
    if summary.checks.is_empty() {
        return String::new();
    }
    let named = summary.checks.iter().any(|c| c.request.is_some());
    let rows = summary.checks.iter().map(|c| {
        let all = c.passes + c.fails;
        let sign = if c.fails == 0 {
            ("✓", Tone::Good)
        } else {
            ("✗", Tone::Bad)
        };
        vec![
            (sign.0.to_owned(), sign.1),
            plain(&c.name),
            (c.request.clone().unwrap_or_default(), Tone::Dim),
            plain(share(c.passes, all)),
            (format!("{} of {}", count(c.passes), count(all)), Tone::Dim),
        ]
    });
    table(
        style,
        &[
            ("", Align::Left),
            (if named { "check" } else { "" }, Align::Wrap),
            (if named { "request" } else { "" }, Align::Wrap),
            ("", Align::Right),
            ("", Align::Right),
        ],
        rows.collect(),
    )
}
