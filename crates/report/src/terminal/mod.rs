//! The summary on a terminal: the verdict first, then what it rests on, then what a reader would ask next.

mod data;
mod figures;
mod judged;

use crate::format::{span, utc};
use crate::style::{Style, Tone, of_status, plain, table};
use floodgate_core::execution::record::Execution;
use floodgate_core::execution::summary::Summary;

/// The whole account of a run, ending in a line feed. Sections without content are left out.
pub fn summary(execution: &Execution, summary: &Summary, style: Style) -> String {
    let sections = [
        ("Thresholds", judged::thresholds(execution, summary, style)),
        ("Baseline", judged::baseline(summary, style)),
        ("Latency", figures::latency(summary, style)),
        ("Phases of a request", figures::phases(summary, style)),
        ("Load", figures::load(summary, style)),
        ("Errors", figures::errors(summary, style)),
        ("Checks", judged::checks(summary, style)),
        ("Custom metrics", figures::custom(summary, style)),
        ("Generators", data::generators(summary, style)),
        ("Data", data::completeness(summary, style)),
        ("Cost", data::cost(summary, style)),
        ("Warnings", notes(&summary.warnings, "!", Tone::Warn, style)),
    ];
    let mut text = headline(execution, summary, style);
    for (title, body) in sections.into_iter().filter(|(_, body)| !body.is_empty()) {
        text += &format!("\n{}\n{body}", style.strong(title, Tone::Plain));
    }
    text
}

fn headline(execution: &Execution, summary: &Summary, style: Style) -> String {
    let (tone, sign) = of_status(summary.status);
    let verdict = style.strong(
        &format!("{sign} {}", summary.status.as_str().to_uppercase()),
        tone,
    );
    let test = style.strong(
        &format!("{}/{}", summary.project, summary.test),
        Tone::Plain,
    );
    let target = execution.target.as_ref().map(|t| format!("→ {t}"));
    let facts = [
        Some(span(summary.duration_s)),
        summary.started_ms.map(utc),
        Some(summary.execution.clone()),
    ];
    let facts = facts.into_iter().flatten().collect::<Vec<_>>().join(" · ");
    let mut text =
        format!("{verdict}  {test} {}\n", target.unwrap_or_default()).replace(" \n", "\n");
    text += &notes(&summary.reasons, "", tone, style);
    text += &format!("  {}\n", style.paint(&facts, Tone::Dim));
    text
}

/// Sentences, each wrapped behind its sign.
fn notes(sentences: &[String], sign: &str, tone: Tone, style: Style) -> String {
    use crate::style::Align::Left;
    if sentences.is_empty() {
        return String::new();
    }
    if sign.is_empty() {
        return table(
            style,
            &[("", Left)],
            sentences.iter().map(|s| vec![(s.clone(), tone)]).collect(),
        );
    }
    let rows = sentences
        .iter()
        .map(|s| vec![(sign.to_owned(), tone), plain(s)])
        .collect();
    table(style, &[("", Left), ("", Left)], rows)
}
