//! How the numbers went in the course of the run, and what was left out at its beginning.

use crate::drift::{course, notes, of_warmup, steps};
use crate::html::model::{Cell, Part, Section, Table, Text, number, text};
use floodgate_records::drift::DriftMetric;
use floodgate_records::summary::Summary;

pub(super) fn drift(summary: &Summary) -> Section {
    let Some(drift) = &summary.drift else {
        return Section::default();
    };
    let table = Table {
        caption: Text::of("How fast each number changed in the course of the run"),
        columns: vec![
            text(""),
            text("metric"),
            number("mean"),
            number("an hour"),
            number("interval"),
        ],
        rows: drift.metrics.iter().map(row).collect(),
        live: false,
    };
    let steps = steps(drift).map(|(sign, _, what)| Text::of(format!("{sign} {what}")));
    let notes = notes(drift).into_iter().map(Text::of);
    let list = Part::List(steps.chain(notes).collect());
    let parts = table.part().into_iter().chain([list]).collect();
    Section::new("drift", "Drift", parts)
}

fn row(metric: &DriftMetric) -> Vec<Cell> {
    let course = course(metric);
    vec![
        Cell::of(course.sign).toned(course.tone),
        Cell::of(&metric.id),
        Cell::of(course.mean),
        Cell::of(course.slope),
        Cell::dim(course.interval),
    ]
}

pub(super) fn warmup(summary: &Summary) -> Section {
    let part = summary.warmup.as_ref();
    let part = part.map(|warmup| Part::Note(Text::of(of_warmup(warmup))));
    Section::new("warm-up", "Warm-up", part.into_iter().collect())
}
