//! The list of executions.

use crate::format::{count, span, utc_minute};
use crate::style::{Align, Field, Style, Tone, of_status, plain, table};
use floodgate_records::execution::{Execution, TriggerKind};
use floodgate_records::status::Status;

/// Below it a run has two lines: the id is never cut, since it is there to be copied, and nothing else is left out.
const ONE_LINE: u16 = 96;

/// A line for each execution, in the order given, or two on a narrow terminal: `floodgate runs`.
pub fn runs(executions: &[Execution], style: Style) -> String {
    if executions.is_empty() {
        return "no runs yet; `floodgate run FILE` starts one\n".to_owned();
    }
    if style.width < ONE_LINE {
        return executions.iter().map(|e| two_lines(e, style)).collect();
    }
    let columns = [
        ("execution", Align::Left),
        ("test", Align::Wrap),
        ("status", Align::Left),
        ("took", Align::Right),
        ("created (UTC)", Align::Left),
        ("requests", Align::Right),
    ];
    table(style, &columns, executions.iter().map(row).collect())
}

fn two_lines(e: &Execution, style: Style) -> String {
    let fields = row(e);
    let text = |index: usize| fields[index].0.clone();
    let facts = [
        (text(1), Tone::Plain),
        (format!("{} UTC", text(4)), Tone::Dim),
        (text(3), Tone::Plain),
        (format!("{} requests", text(5)), Tone::Plain),
    ];
    let facts: Vec<_> = facts
        .iter()
        .filter(|(text, _)| !text.starts_with('–'))
        .map(|(text, _)| text.as_str())
        .collect();
    let head = vec![vec![plain(text(0)), (text(2), fields[2].1)]];
    let rest = vec![vec![plain("  "), plain(facts.join(" · "))]];
    table(style, &[("", Align::Left), ("", Align::Left)], head)
        + &table(style, &[("", Align::Left), ("", Align::Wrap)], rest)
}

fn row(e: &Execution) -> Vec<Field> {
    let (tone, sign) = of_status(e.status);
    let hit = e.trigger.kind == TriggerKind::Hit;
    // A hit passes nothing: it is done.
    let status = match e.status {
        Status::Passed if hit => "done",
        status => status.as_str(),
    };
    let test = match &e.target {
        Some(url) if hit => format!("{} {url}", TriggerKind::Hit),
        _ => format!("{}/{}", e.project, e.test),
    };
    let took = e
        .started_ms
        .zip(e.ended_ms)
        .map_or_else(|| "–".into(), |(s, t)| span((t - s) as f64 / 1e3));
    let requests = e
        .applied
        .as_ref()
        .map_or_else(|| "–".into(), |a| count(a.http_reqs));
    vec![
        plain(&e.id),
        plain(test),
        (format!("{sign} {status}"), tone),
        plain(took),
        (utc_minute(e.created_ms), Tone::Dim),
        plain(requests),
    ]
}
