//! What a search for the capacity found: how the target behaves from load to load.

use crate::format::{duration, number, percent};
use crate::style::{Align, Style, Tone, plain, table};
use floodgate_records::capacity::{CapacitySeen, CapacityStep, CapacitySummary, StepOutcome};
use floodgate_records::summary::Summary;

/// The widest bar, in columns.
const BAR: f64 = 16.0;
/// Columns of a terminal that has room for bars.
const WIDE: u16 = 80;
/// Parts of a column, from one eighth on.
const PARTS: [char; 8] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];

/// The steps from the smallest load to the largest, with a bar for the 95th percentile.
pub(super) fn capacity(summary: &Summary, style: Style) -> String {
    let Some(capacity) = &summary.capacity else {
        return String::new();
    };
    let mut steps: Vec<(&CapacityStep, &CapacitySeen)> = capacity
        .steps
        .iter()
        .filter_map(|step| Some((step, step.seen.as_ref()?)))
        .collect();
    if steps.is_empty() {
        return String::new();
    }
    steps.sort_by(|(a, _), (b, _)| a.load.total_cmp(&b.load));
    let times = || steps.iter().filter_map(|(_, seen)| seen.p95_ms);
    let range = (
        times().fold(f64::INFINITY, f64::min),
        times().fold(0.0, f64::max),
    );
    let with_bars = style.width >= WIDE;
    let rows = steps.iter().map(|(step, seen)| {
        let time = |ms: Option<f64>| ms.map_or_else(|| "–".to_owned(), |ms| duration(ms, 3));
        let mut row = vec![
            of_step(seen.outcome),
            plain(number(step.load, 4)),
            plain(format!("{}/s", number(seen.iterations_per_s, 4))),
            plain(time(seen.p50_ms)),
            plain(time(seen.p95_ms)),
            plain(time(seen.p99_ms)),
            plain(percent(seen.failed)),
        ];
        if with_bars {
            row.push((bar(seen.p95_ms, range), Tone::Dim));
        }
        row
    });
    let unit = capacity.unit.as_str();
    let mut columns = vec![
        ("", Align::Left),
        (unit, Align::Right),
        ("completed", Align::Right),
        ("p50", Align::Right),
        ("p95", Align::Right),
        ("p99", Align::Right),
        ("failed", Align::Right),
    ];
    if with_bars {
        columns.push(("p95, log scale", Align::Left));
    }
    let mut text = table(style, &columns, rows.collect());
    let note = result(capacity);
    text += &table(style, &[("", Align::Wrap)], vec![vec![plain(note)]]);
    text
}

/// `523 iterations/s, between 510 and 541 with 95 % confidence; limited by http_req_duration: p(95)<300`.
pub(crate) fn result(capacity: &CapacitySummary) -> String {
    let unit = capacity.unit.as_str();
    let load = |load: f64| number(load, 4);
    let known = match (capacity.low, capacity.estimate, capacity.high) {
        (Some(low), Some(estimate), Some(high)) => format!(
            "{} {unit}, between {} and {} with 95 % confidence",
            load(estimate),
            load(low),
            load(high)
        ),
        (Some(low), ..) => format!("at least {} {unit}", load(low)),
        (_, _, Some(high)) => format!("below {} {unit}", load(high)),
        _ => "nothing is known of the capacity".to_owned(),
    };
    match &capacity.limited_by {
        Some(by) => format!("{known}; limited by {by}"),
        None => known,
    }
}

pub(crate) fn of_step(outcome: StepOutcome) -> (String, Tone) {
    match outcome {
        StepOutcome::Held => ("✓ held".into(), Tone::Good),
        StepOutcome::Broke => ("✗ broke".into(), Tone::Bad),
        StepOutcome::Spoiled => ("? spoiled".into(), Tone::Warn),
    }
}

/// A bar on a logarithmic scale: response times beyond the capacity are many times those below it.
fn bar(ms: Option<f64>, (least, most): (f64, f64)) -> String {
    let Some(ms) = ms.filter(|ms| *ms > 0.0) else {
        return String::new();
    };
    let decades = (most / least).log10().max(1.0);
    let length = 1.0 + (BAR - 1.0) * (ms / least).log10() / decades;
    let eighths = (length * 8.0).round().max(1.0) as usize;
    let mut bar = "█".repeat(eighths / 8);
    if let Some(part) = (eighths % 8).checked_sub(1) {
        bar.push(PARTS[part]);
    }
    bar
}
