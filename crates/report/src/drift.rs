//! How the numbers went in the course of a run, and what was left out at its beginning: what every account of a run says of it.

use crate::comparison::{change, value_of};
use crate::format::{plural, span};
use crate::style::Tone;
use floodgate_records::comparison::Change;
use floodgate_records::drift::{Drift, DriftChange, DriftMetric, WarmUp};
use floodgate_records::outcome::Direction;
use floodgate_records::over_time::Slope;

/// One number, as text.
pub(crate) struct Course {
    /// Up, down or neither, and `?` where that can't be told.
    pub(crate) sign: &'static str,
    /// Whether it is for the worse.
    pub(crate) tone: Tone,
    pub(crate) mean: String,
    /// By how much it changes in an hour.
    pub(crate) slope: String,
    pub(crate) interval: String,
}

pub(crate) fn course(metric: &DriftMetric) -> Course {
    let none = || "–".to_owned();
    let Some(slope) = &metric.slope else {
        return Course {
            sign: "?",
            tone: Tone::Dim,
            mean: none(),
            slope: none(),
            interval: none(),
        };
    };
    let said = slope.said();
    let (middle, interval) = said.split_once(" (").unwrap_or((&said, ""));
    let (sign, tone) = sign(metric.direction, slope);
    Course {
        sign,
        tone,
        mean: value_of(
            &metric.key,
            Some(metric.kind),
            &metric.aggregate,
            metric.mean,
        ),
        slope: middle.to_owned(),
        interval: interval.trim_end_matches(')').to_owned(),
    }
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

/// Each moment at which a number changed at once, with its sign.
pub(crate) fn steps(drift: &Drift) -> impl Iterator<Item = (&'static str, Tone, String)> {
    drift.metrics.iter().flat_map(|metric| {
        let changes = metric.changes.iter();
        changes.map(move |found| step(metric, found))
    })
}

fn step(metric: &DriftMetric, found: &DriftChange) -> (&'static str, Tone, String) {
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
    (sign, tone, what)
}

/// Why some numbers have no slope, and what all of them rest on.
pub(crate) fn notes(drift: &Drift) -> Vec<String> {
    let notes = drift.metrics.iter();
    let notes = notes.filter_map(|m| Some(format!("{}: {}", m.id, m.note.as_ref()?)));
    notes.chain([basis(drift)]).collect()
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

pub(crate) fn of_warmup(warmup: &WarmUp) -> String {
    let failed = match warmup.failed {
        0 => "none failed".to_owned(),
        n => format!("{n} failed"),
    };
    format!(
        "the first {} are measured and not judged: {}, {failed}; all that is said here is about the rest, but for how much was sent",
        span(warmup.seconds),
        plural(warmup.http_reqs, "request")
    )
}
