//! What the verdict rests on: thresholds, and the steps of a search.

use crate::figure::{note_of, observed};
use crate::format::{duration, number, percent};
use crate::html::model::{Cell, Chart, Part, Section, Table, Text, number as numeric, text};
use crate::style::{Tone, of_outcome};
use crate::terminal::{capacity_result, of_step};
use floodgate_records::execution::Execution;
use floodgate_records::outcome::Outcome;
use floodgate_records::summary::Summary;

pub(super) fn thresholds(execution: &Execution, summary: &Summary) -> Section {
    let shown = || {
        let all = execution.thresholds.iter();
        all.filter(|t| !(t.implicit && t.outcome == Outcome::Passed))
    };
    let rows = shown().map(|t| {
        let no_response = summary.is_unanswered(&t.key);
        let outcome = match no_response && t.outcome == Outcome::Passed {
            true => ("? no response".to_owned(), Tone::Warn),
            false => of_outcome(t.outcome, t.aborted),
        };
        vec![
            outcome.into(),
            Cell::of(&t.key),
            Cell::of(&t.expression),
            Cell::of(observed(summary, t)),
        ]
    });
    let table = Table {
        caption: Text::of("Thresholds: what must hold, and what was observed"),
        columns: vec![
            text(""),
            text("metric"),
            text("must hold"),
            numeric("observed"),
        ],
        rows: rows.collect(),
        live: false,
    };
    let notes = shown().filter_map(|t| Some(Text::of(note_of(t)?)));
    let notes: Vec<_> = notes.collect();
    let mut parts: Vec<_> = table.part().into_iter().collect();
    parts.extend((!notes.is_empty()).then_some(Part::List(notes)));
    Section::new("thresholds", "Thresholds", parts)
}

pub(super) fn capacity(summary: &Summary) -> Section {
    let Some(found) = &summary.capacity else {
        return Section::default();
    };
    let mut steps: Vec<_> = found
        .steps
        .iter()
        .filter(|step| step.seen.is_some())
        .collect();
    steps.sort_by(|a, b| a.load.total_cmp(&b.load));
    let time = |ms: Option<f64>| ms.map_or_else(|| "–".to_owned(), |ms| duration(ms, 3));
    let row = |step: &&floodgate_records::capacity::CapacityStep| {
        let seen = step.seen.as_ref()?;
        Some(vec![
            of_step(seen.outcome).into(),
            Cell::number(number(step.load, 4), step.load),
            Cell::of(format!("{}/s", number(seen.iterations_per_s, 4))),
            Cell::of(time(seen.p50_ms)),
            Cell::of(time(seen.p95_ms)),
            Cell::of(time(seen.p99_ms)),
            Cell::of(percent(seen.failed)),
            Cell::of(percent(seen.generator_cpu)),
            Cell::dim(seen.why.join("; ")),
        ])
    };
    let table = Table {
        caption: Text::of(
            "Steps of the search for the capacity, from the smallest load to the largest",
        ),
        columns: vec![
            text(""),
            numeric(found.unit.as_str()),
            numeric("completed"),
            numeric("p50"),
            numeric("p95"),
            numeric("p99"),
            numeric("failed"),
            numeric("generator CPU"),
            text("why"),
        ],
        rows: steps.iter().filter_map(row).collect(),
        live: false,
    };
    let chart = Chart {
        kind: "capacity",
        title: "Response time by load",
        caption: "Each step's percentiles; the band is the interval in which the capacity is.",
        wide: true,
    };
    let mut parts = vec![Part::Note(Text::of(capacity_result(found)))];
    if let Some(table) = table.part() {
        parts.extend([Part::Charts(vec![chart]), table]);
    }
    Section::new("capacity", "Capacity", parts)
}
