//! How the numbers went in the course of the run, and what was left out at its beginning.

use crate::comparison::footnotes;
use crate::drift::{course, notes, of_warmup, steps};
use crate::style::{Align, Field, Style, Tone, plain, table};
use floodgate_records::drift::DriftMetric;
use floodgate_records::summary::Summary;

pub(super) fn drift(summary: &Summary, style: Style) -> String {
    let Some(drift) = &summary.drift else {
        return String::new();
    };
    let columns = [
        ("", Align::Left),
        ("metric", Align::Wrap),
        ("mean", Align::Right),
        ("an hour", Align::Right),
        ("interval", Align::Right),
    ];
    let rows = drift.metrics.iter().map(row).collect();
    let mut text = table(style, &columns, rows);
    let changes: Vec<_> = steps(drift)
        .map(|(sign, tone, what)| vec![(sign.to_owned(), tone), plain(what)])
        .collect();
    if !changes.is_empty() {
        text += &table(style, &[("", Align::Left), ("", Align::Wrap)], changes);
    }
    text + &footnotes(notes(drift), style)
}

fn row(metric: &DriftMetric) -> Vec<Field> {
    let course = course(metric);
    vec![
        (course.sign.to_owned(), course.tone),
        plain(&metric.id),
        plain(course.mean),
        plain(course.slope),
        (course.interval, Tone::Dim),
    ]
}

pub(super) fn warmup(summary: &Summary, style: Style) -> String {
    let Some(warmup) = &summary.warmup else {
        return String::new();
    };
    let line = vec![(of_warmup(warmup), Tone::Dim)];
    table(style, &[("", Align::Wrap)], vec![line])
}
