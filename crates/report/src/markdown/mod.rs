//! The verdict as Markdown, for the comment of a pull request and the summary of a job. It fits GitHub's limit of 65,536 characters whatever the run
//! is called and however many names it has.

mod escape;

use crate::comparison::{basis, change, of_change, value as of_gate, with};
use crate::conclusion::{Conclusion, conclusion};
use crate::drift::{course, notes, of_warmup, steps};
use crate::figure::{number_of, observed, times_of, value};
use crate::format::{count, digits, duration, plural, share, span, utc};
use crate::style::of_outcome;
use escape::{code, text};
use floodgate_records::comparison::Comparison;
use floodgate_records::drift::Drift;
use floodgate_records::execution::Execution;
use floodgate_records::outcome::Outcome;
use floodgate_records::summary::{BaselineSummary, RequestSummary, Summary};

/// The most bytes: fewer than the characters that GitHub takes, with room for what a bot adds.
const MOST: usize = 60_000;
/// The most bytes of each table or list; what is more is counted.
const MOST_OF_PART: usize = 7_000;

/// The account of a run as Markdown. `place`: where its report is, a path, an address or a command.
pub fn markdown(execution: &Execution, summary: &Summary, place: Option<&str>) -> String {
    let Conclusion { head, reasons, .. } = conclusion(execution, summary);
    let test = format!("{}/{}", summary.project, summary.test);
    let mut all = format!("### {} {}\n\n", text(&head), code(&test));
    all += &list(reasons.iter().map(|reason| text(reason)));
    all += &facts(summary);
    all += &thresholds(execution, summary);
    all += &match (&summary.comparison, &summary.baseline) {
        (Some(found), _) => compared(found),
        (None, Some(b)) if b.execution.is_some() => baseline(summary, b),
        _ => String::new(),
    };
    all += &summary.drift.as_ref().map_or_else(String::new, drift);
    if let Some(warmup) = &summary.warmup {
        all += &format!("#### Warm-up\n\n{}\n\n", text(&of_warmup(warmup)));
    }
    all += &requests(summary);
    if !summary.warnings.is_empty() {
        all += "#### Warnings\n\n";
        all += &list(summary.warnings.iter().map(|warning| text(warning)));
    }
    let place = place.map(|place| format!("Report: {} · ", code(place)));
    let id = code(&summary.execution);
    let end = format!("{}{id}\n", place.unwrap_or_default());
    // No part is so long that it can be, but names of many fields are.
    debug_assert!(all.len() + end.len() <= MOST, "{} bytes", all.len());
    if all.len() + end.len() > MOST {
        let room = MOST.saturating_sub(end.len() + 8);
        let cut = all[..all.floor_char_boundary(room)]
            .rfind('\n')
            .unwrap_or(0);
        all.truncate(cut);
        all += "\n\n…\n\n";
    }
    all + &end
}

/// Lines until there is no more room; then how many are left.
fn bounded(
    head: &str,
    lines: impl Iterator<Item = String>,
    more: impl Fn(usize) -> String,
) -> String {
    let mut part = head.to_owned();
    let mut left = 0;
    for line in lines {
        if left > 0 || part.len() + line.len() > MOST_OF_PART {
            left += 1;
        } else {
            part += &line;
        }
    }
    if left > 0 {
        part += &more(left);
    }
    part + "\n"
}

fn list(items: impl Iterator<Item = String>) -> String {
    let lines = items.map(|item| format!("- {item}\n"));
    bounded("", lines, |left| format!("- and {left} more\n"))
}

fn facts(summary: &Summary) -> String {
    let a = &summary.applied;
    let sent = a.http_reqs + a.samples;
    let per_s = |n: u64| match summary.duration_s > 0.0 {
        true => format!(" ({}/s)", number_of(n as f64 / summary.duration_s)),
        false => String::new(),
    };
    let failed: u64 = summary.requests.iter().map(|r| r.failed).sum();
    let all: u64 = summary.requests.iter().map(|r| r.count).sum();
    let facts = [
        (sent > 0).then(|| format!("{}{}", plural(sent, "request"), per_s(sent))),
        (all > 0).then(|| format!("{} failed", share(failed, all))),
        (a.dropped_iterations > 0)
            .then(|| format!("{} dropped", plural(a.dropped_iterations, "iteration"))),
        (summary.duration_s > 0.0).then(|| span(summary.duration_s)),
        summary.started_ms.map(utc),
        summary.target.as_deref().map(code),
    ];
    let facts: Vec<_> = facts.into_iter().flatten().collect();
    match facts.is_empty() {
        true => String::new(),
        false => format!("{}\n\n", facts.join(" · ")),
    }
}

fn table(title: &str, columns: &[(&str, bool)], rows: impl Iterator<Item = Vec<String>>) -> String {
    let heads: Vec<_> = columns.iter().map(|(head, _)| *head).collect();
    let lines: Vec<_> = columns
        .iter()
        .map(|(_, right)| if *right { "---:" } else { "---" })
        .collect();
    let head = format!(
        "#### {title}\n\n| {} |\n| {} |\n",
        heads.join(" | "),
        lines.join(" | ")
    );
    let rows = rows.map(|cells| format!("| {} |\n", cells.join(" | ")));
    let width = columns.len();
    bounded(&head, rows, |left| {
        format!("| and {left} more |{}\n", " |".repeat(width - 1))
    })
}

fn thresholds(execution: &Execution, summary: &Summary) -> String {
    let shown = execution.thresholds.iter();
    let shown = shown.filter(|t| !(t.implicit && t.outcome == Outcome::Passed));
    // What did not hold comes first: it is what a reader looks for.
    let mut shown: Vec<_> = shown.collect();
    shown.sort_by_key(|t| t.outcome == Outcome::Passed && !t.aborted);
    if shown.is_empty() {
        return String::new();
    }
    let rows = shown.into_iter().map(|t| {
        let no_response = summary.is_unanswered(&t.key);
        let outcome = match no_response && t.outcome == Outcome::Passed {
            true => "? no response".to_owned(),
            false => of_outcome(t.outcome, t.aborted).0,
        };
        vec![
            outcome,
            code(&t.key),
            code(&t.expression),
            text(&observed(summary, t)),
        ]
    });
    table(
        "Thresholds",
        &[
            ("", false),
            ("metric", false),
            ("must hold", false),
            ("observed", true),
        ],
        rows,
    )
}

fn baseline(summary: &Summary, b: &BaselineSummary) -> String {
    let rows = b.outcomes.iter().map(|b| {
        let show = |v: Option<f64>| match v {
            Some(v) => text(&value(summary, &b.key, &b.aggregate, v, 5)),
            None => "–".to_owned(),
        };
        let sign = if b.change.is_some_and(|c| c > 0.0) {
            "+"
        } else {
            ""
        };
        let by = b
            .change
            .map(|c| format!("{sign}{} %", digits(c * 100.0, 3)));
        vec![
            of_outcome(b.outcome, false).0,
            code(&format!("{} {}", b.key, b.aggregate)),
            show(b.baseline),
            show(b.observed),
            by.unwrap_or_else(|| "–".into()),
            format!("{} %", (b.tolerance * 1e4).round() / 100.0),
        ]
    });
    let columns = [
        ("", false),
        ("metric", false),
        ("before", true),
        ("now", true),
        ("change", true),
        ("allowed", true),
    ];
    let earlier = code(b.execution.as_deref().unwrap_or_default());
    format!(
        "{}compared with {earlier}\n\n",
        table("Change against the baseline", &columns, rows)
    )
}

fn compared(c: &Comparison) -> String {
    let rows = c.gates.iter().map(|gate| {
        let (_, sign) = of_change(gate.outcome);
        let show = |v: Option<f64>| v.map_or_else(|| "–".to_owned(), |v| text(&of_gate(gate, v)));
        let (by, interval) = match gate.ratio {
            Some(r) => (
                change(r.estimate),
                format!("{} … {}", change(r.low), change(r.high)),
            ),
            None => ("–".to_owned(), "–".to_owned()),
        };
        vec![
            format!("{sign} {}", gate.outcome.as_str()),
            code(&gate.id),
            show(gate.base),
            show(gate.head),
            by,
            interval,
        ]
    });
    let columns = [
        ("", false),
        ("metric", false),
        ("before", true),
        ("now", true),
        ("change", true),
        ("interval", true),
    ];
    let title = if c.in_turns {
        "Base and head"
    } else {
        "Change against the baseline"
    };
    let mut notes: Vec<_> = c
        .obstacles
        .iter()
        .map(|why| text(&format!("not comparable: {why}")))
        .collect();
    notes.push(text(&format!("{}; {}", with(c), basis(c))));
    table(title, &columns, rows) + &list(notes.into_iter())
}

fn drift(found: &Drift) -> String {
    let rows = found.metrics.iter().map(|metric| {
        let course = course(metric);
        vec![
            course.sign.to_owned(),
            code(&metric.id),
            text(&course.mean),
            text(&course.slope),
            text(&course.interval),
        ]
    });
    let columns = [
        ("", false),
        ("metric", false),
        ("mean", true),
        ("an hour", true),
        ("interval", true),
    ];
    let steps = steps(found).map(|(sign, _, what)| text(&format!("{sign} {what}")));
    let notes = notes(found).into_iter().map(|note| text(&note));
    table("Drift", &columns, rows) + &list(steps.chain(notes))
}

fn requests(summary: &Summary) -> String {
    if summary.requests.is_empty() {
        return String::new();
    }
    let rows = summary.requests.iter().map(row);
    let columns = [
        ("name", false),
        ("requests", true),
        ("failed", true),
        ("p50", true),
        ("p95", true),
        ("p99", true),
    ];
    table("Requests by name", &columns, rows)
}

fn row(r: &RequestSummary) -> Vec<String> {
    let name = match (r.name.as_str(), r.names) {
        (_, 2..) => plural(r.names, "more name"),
        ("", _) => "(no name)".to_owned(),
        (name, _) => code(name),
    };
    let failed = match r.failed {
        0 => "0".to_owned(),
        n => format!("{} ({})", count(n), text(&share(n, r.count))),
    };
    let times = times_of(r).map(|(_, times)| times);
    let time = |aggregate: &str| {
        let ms = times.and_then(|times| times.get(aggregate));
        ms.map_or_else(|| "–".to_owned(), |ms| duration(*ms, 3))
    };
    vec![
        name,
        count(r.count),
        failed,
        time("med"),
        time("p(95)"),
        time("p(99)"),
    ]
}
