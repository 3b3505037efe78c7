//! The summary on a terminal: the verdict first, then what it rests on, then what a reader would ask next.

mod capacity;
mod data;
mod drift;
mod figures;
mod judged;
mod requests;

pub(crate) use capacity::{of_step, result as capacity_result};
pub use requests::requests_by;

use crate::conclusion::{Conclusion, conclusion};
use crate::format::{plural, span, utc};
use crate::style::{Align, Style, Tone, plain, table};
use floodgate_records::execution::{Execution, TriggerKind};
use floodgate_records::printable::printable;
use floodgate_records::status::Status;
use floodgate_records::summary::Summary;

/// The whole account of a run, ending in a line feed. Sections without content are left out.
pub fn summary(execution: &Execution, summary: &Summary, style: Style) -> String {
    let sections = [
        ("Capacity", capacity::capacity(summary, style)),
        ("Thresholds", judged::thresholds(execution, summary, style)),
        ("Baseline", judged::baseline(summary, style)),
        ("Drift", drift::drift(summary, style)),
        ("Warm-up", drift::warmup(summary, style)),
        ("Requests", requests::requests(summary, style)),
        ("Latency", figures::latency(summary, style)),
        ("Phases of a request", figures::phases(summary, style)),
        ("Load", figures::load(summary, style)),
        ("Errors", figures::errors(execution, summary, style)),
        ("Connections", figures::connections(summary, style)),
        ("Checks", judged::checks(summary, style)),
        ("First failures", first_failures(summary, style)),
        ("Slowest traces", requests::traces(summary, style)),
        ("Custom metrics", figures::custom(summary, style)),
        ("Generators", data::generators(summary, style)),
        ("Data", data::completeness(summary, style)),
        ("Cost", data::cost(summary, style)),
        ("Warnings", warnings(summary, style)),
    ];
    let mut text = headline(execution, summary, style);
    for (title, body) in sections.into_iter().filter(|(_, body)| !body.is_empty()) {
        text += &format!("\n{}\n{body}", style.strong(title, Tone::Plain));
    }
    text += &format!("\n{}", verdict(execution, summary, style));
    text
}

/// The verdict on one line, with as much of the reasons as there is room for: the last line is what is still to be seen when
/// the rest has scrolled away.
fn verdict(execution: &Execution, summary: &Summary, style: Style) -> String {
    let Conclusion {
        tone,
        head: verdict,
        reasons,
    } = conclusion(execution, summary);
    let room = usize::from(style.width).saturating_sub(verdict.chars().count() + 2);
    let reasons = printable(&reasons.join("; ")).into_owned();
    let reasons = match reasons.char_indices().nth(room) {
        None => reasons,
        Some(_) => reasons
            .chars()
            .take(room.saturating_sub(1))
            .chain(['…'])
            .collect(),
    };
    let line = format!("{}  {reasons}", style.strong(&verdict, tone));
    format!("{}\n", line.trim_end())
}

fn headline(execution: &Execution, summary: &Summary, style: Style) -> String {
    let Conclusion {
        tone,
        head: verdict,
        reasons,
    } = conclusion(execution, summary);
    let test = if execution.trigger.kind == TriggerKind::Hit {
        TriggerKind::Hit.to_string()
    } else {
        format!("{}/{}", summary.project, summary.test)
    };
    let target = execution.target.as_ref();
    let target = target.map_or_else(String::new, |t| {
        format!(" → {}", style.paint(t, Tone::Plain))
    });
    let facts = [
        (summary.duration_s > 0.0).then(|| span(summary.duration_s)),
        summary.started_ms.map(utc),
        Some(summary.execution.clone()),
    ];
    let facts = facts.into_iter().flatten().collect::<Vec<_>>().join(" · ");
    let (verdict, test) = (
        style.strong(&verdict, tone),
        style.strong(&test, Tone::Plain),
    );
    let facts = sentences(&[facts], Tone::Dim, style);
    match reasons.split_first() {
        // The first line of a log says why, whoever cuts the rest off.
        Some((first, rest))
            if summary.status != Status::Passed && execution.trigger.kind != TriggerKind::Hit =>
        {
            let first = style.paint(first, tone);
            let rest = sentences(rest, tone, style);
            format!("{verdict}  {first}\n{rest}  {test}{target}\n{facts}")
        }
        _ => {
            let reasons = sentences(&reasons, tone, style);
            format!("{verdict}  {test}{target}\n{reasons}{facts}")
        }
    }
}

/// Sentences, each from its own line on.
fn sentences(list: &[String], tone: Tone, style: Style) -> String {
    if list.is_empty() {
        return String::new();
    }
    let rows = list.iter().map(|s| vec![(unbroken(s), tone)]).collect();
    table(style, &[("", Align::Wrap)], rows)
}

/// One line for each kind of failure; the samples say more.
fn first_failures(summary: &Summary, style: Style) -> String {
    let Some(failures) = &summary.failures else {
        return String::new();
    };
    let row = |line: &String| vec![("✗".to_owned(), Tone::Bad), plain(unbroken(line))];
    let mut rows: Vec<_> = failures.first.iter().map(row).collect();
    let more = format!(
        "{} with what was sent and received: floodgate show {} --failures",
        plural(failures.kept, "sample"),
        summary.execution
    );
    rows.push(vec![plain(""), (more, Tone::Dim)]);
    table(style, &[("", Align::Left), ("", Align::Wrap)], rows)
}

fn warnings(summary: &Summary, style: Style) -> String {
    if summary.warnings.is_empty() {
        return String::new();
    }
    let row = |w: &String| vec![("!".to_owned(), Tone::Warn), plain(unbroken(w))];
    let rows = summary.warnings.iter().map(row).collect();
    table(style, &[("", Align::Left), ("", Align::Wrap)], rows)
}

/// The sentence with each number kept on the line of its unit.
fn unbroken(sentence: &str) -> String {
    sentence.replace(" %", "\u{a0}%").replace(" ms", "\u{a0}ms")
}
