//! How the numbers went in the course of the run, and what was left out at its beginning.

use crate::comparison::{change, footnotes, value_of};
use crate::format::{plural, span};
use crate::style::{Align, Field, Style, Tone, plain, table};
use floodgate_records::comparison::Change;
use floodgate_records::drift::{Drift, DriftChange, DriftMetric};
use floodgate_records::outcome::Direction;
use floodgate_records::over_time::Slope;
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
    let changes = drift.metrics.iter().flat_map(|metric| {
        let of_metric = metric.changes.iter();
        of_metric.map(move |change| step(metric, change))
    });
    let changes: Vec<_> = changes.collect();
    if !changes.is_empty() {
        text += &table(style, &[("", Align::Left), ("", Align::Wrap)], changes);
    }
    let notes = drift.metrics.iter();
    let notes = notes.filter_map(|m| Some(format!("{}: {}", m.id, m.note.as_ref()?)));
    let mut notes: Vec<String> = notes.collect();
    notes.push(basis(drift));
    text + &footnotes(notes, style)
}

fn row(metric: &DriftMetric) -> Vec<Field> {
    let mean = value_of(
        &metric.key,
        Some(metric.kind),
        &metric.aggregate,
        metric.mean,
    );
    let Some(slope) = &metric.slope else {
        return vec![
            ("?".to_owned(), Tone::Dim),
            plain(&metric.id),
            plain("–"),
            plain("–"),
            plain("–"),
        ];
    };
    let said = slope.said();
    let (middle, interval) = said.split_once(" (").unwrap_or((&said, ""));
    let (sign, tone) = sign(metric.direction, slope);
    vec![
        (sign.to_owned(), tone),
        plain(&metric.id),
        plain(mean),
        plain(middle),
        (interval.trim_end_matches(')').to_owned(), Tone::Dim),
    ]
}

/// Up or down if that is sure; whether for the worse, by colour.
fn sign(direction: Direction, slope: &Slope) -> (&'static str, Tone) {
    let rises = slope.low > 0.0;
    match (slope.is_sure(), rises, direction) {
        (false, ..) => ("→", Tone::Dim),
        (true, true, Direction::HigherIsWorse) => ("↗", Tone::Warn),
        (true, false, Direction::LowerIsWorse) => ("↘", Tone::Warn),
        (true, true, _) => ("↗", Tone::Plain),
        (true, false, _) => ("↘", Tone::Plain),
    }
}

fn step(metric: &DriftMetric, found: &DriftChange) -> Vec<Field> {
    let (sign, tone) = match found.outcome {
        Change::Improved => ("✓", Tone::Good),
        _ => ("!", Tone::Warn),
    };
    let value = |v| value_of(&metric.key, Some(metric.kind), &metric.aggregate, v);
    let size = found
        .change
        .map_or_else(String::new, |by| format!(" {}", change(1.0 + by)));
    let what = format!(
        "{}{size} from {} on: {} → {}",
        metric.id,
        span(found.at_s),
        value(found.before),
        value(found.after)
    );
    vec![(sign.to_owned(), tone), plain(what)]
}

fn basis(drift: &Drift) -> String {
    let load = match drift.load_changes {
        true => "; the load was to change in this time, which may be what is seen",
        false => "",
    };
    format!(
        "{} to {} after the start, in windows of {} s; {:.0} % confidence for all of them together, → means that there may be no change{load}",
        span(drift.from_s),
        span(drift.to_s),
        drift.window_s,
        drift.confidence * 100.0
    )
}

pub(super) fn warmup(summary: &Summary, style: Style) -> String {
    let Some(warmup) = &summary.warmup else {
        return String::new();
    };
    let failed = match warmup.failed {
        0 => "none failed".to_owned(),
        n => format!("{n} failed"),
    };
    let line = format!(
        "the first {} are measured and not judged: {}, {failed}; all that is said here is about the rest, but for how much was sent",
        span(warmup.seconds),
        plural(warmup.http_reqs, "request")
    );
    table(style, &[("", Align::Wrap)], vec![vec![(line, Tone::Dim)]])
}
