//! The comparison with earlier runs, or of two targets.

use crate::comparison::{basis, change, of_change, value, with};
use crate::figure::value as of_metric;
use crate::format::digits;
use crate::html::model::{Cell, Drawing, Part, Section, Table, Text, number, text};
use crate::style::of_outcome;
use floodgate_records::comparison::{Comparison, Gate};
use floodgate_records::summary::{BaselineSummary, Summary};

pub(super) fn section(summary: &Summary) -> Section {
    if let Some(found) = &summary.comparison {
        let title = if found.in_turns {
            "Base and head"
        } else {
            "Baseline"
        };
        return Section::new("baseline", title, by_intervals(found));
    }
    let with = summary.baseline.as_ref();
    let with = with.and_then(|b| Some((b, b.execution.as_deref()?)));
    let parts = with.map_or_else(Vec::new, |(b, earlier)| by_tolerance(summary, b, earlier));
    Section::new("baseline", "Baseline", parts)
}

fn by_tolerance(summary: &Summary, b: &BaselineSummary, earlier: &str) -> Vec<Part> {
    let rows = b.outcomes.iter().map(|b| {
        let show = |v: Option<f64>| {
            let shown = v.map(|v| of_metric(summary, &b.key, &b.aggregate, v, 5));
            Cell::of(shown.unwrap_or_else(|| "–".into()))
        };
        let by = b.change.map_or_else(
            || "–".to_owned(),
            |c| {
                format!(
                    "{}{} %",
                    if c > 0.0 { "+" } else { "" },
                    digits(c * 100.0, 3)
                )
            },
        );
        vec![
            of_outcome(b.outcome, false).into(),
            Cell::of(format!("{} {}", b.key, b.aggregate)),
            show(b.baseline),
            show(b.observed),
            Cell::of(by),
            Cell::dim(format!("{} %", (b.tolerance * 1e4).round() / 100.0)),
        ]
    });
    let table = Table {
        caption: Text::of("This run beside the earlier one, and by how much it may be worse"),
        columns: vec![
            text(""),
            text("metric"),
            number("before"),
            number("now"),
            number("change"),
            number("allowed"),
        ],
        rows: rows.collect(),
        live: false,
    };
    let note = Part::Note(Text::of(format!("compared with {earlier}")));
    table.part().into_iter().chain([note]).collect()
}

fn by_intervals(c: &Comparison) -> Vec<Part> {
    let scale = Scale::of(c);
    let rows = c.gates.iter().map(|gate| row(c, gate, &scale));
    let table = Table {
        caption: Text::of(
            "This run beside the earlier one: the change of each number with its interval",
        ),
        columns: vec![
            text(""),
            text("metric"),
            number("before"),
            number("now"),
            number("change"),
            number("interval"),
            text("drawn"),
        ],
        rows: rows.collect(),
        live: false,
    };
    let mut notes: Vec<_> = c
        .obstacles
        .iter()
        .map(|why| Text::of(format!("not comparable: {why}")))
        .collect();
    for gate in &c.gates {
        if gate.of_rest && gate.ratio.is_some() {
            notes.push(Text::of(format!(
                "{}: the change is that of the rest",
                gate.id
            )));
        }
        notes.extend(
            gate.note
                .iter()
                .map(|note| Text::of(format!("{}: {note}", gate.id))),
        );
    }
    notes.push(Text::of(format!("{}; {}", with(c), basis(c))));
    if scale.zero > 0.0 {
        let ends = [scale.low, scale.high].map(change);
        notes.push(Text::of(format!(
            "drawn from {} to {} on a log scale: the dashed line is no change, the band what is too small to matter",
            ends[0], ends[1]
        )));
    }
    table
        .part()
        .into_iter()
        .chain([Part::List(notes)])
        .collect()
}

fn row(c: &Comparison, gate: &Gate, scale: &Scale) -> Vec<Cell> {
    let (tone, sign) = of_change(gate.outcome);
    let show = |v: Option<f64>| Cell::of(v.map_or_else(|| "–".to_owned(), |v| value(gate, v)));
    let (by, interval) = match gate.ratio {
        Some(r) => (
            change(r.estimate),
            format!("{} … {}", change(r.low), change(r.high)),
        ),
        None => ("–".to_owned(), "–".to_owned()),
    };
    let drawing = gate.ratio.map(|r| Drawing {
        low: scale.place(r.low),
        estimate: scale.place(r.estimate),
        high: scale.place(r.high),
        zero: scale.zero,
        within: (
            scale.place(1.0 - c.min_effect),
            scale.place(1.0 + c.min_effect),
        ),
    });
    vec![
        Cell::of(format!("{sign} {}", gate.outcome.as_str())).toned(tone),
        Cell::of(&gate.id),
        show(gate.base),
        show(gate.head),
        Cell::of(by),
        Cell::dim(interval),
        Cell {
            drawing,
            ..Cell::default()
        },
    ]
}

/// From ratios to places between 0 and 100, the same for all rows.
struct Scale {
    low: f64,
    high: f64,
    zero: f64,
}

impl Scale {
    /// What is beyond a third or three times as much is at the edge.
    const WIDEST: (f64, f64) = (1.0 / 3.0, 3.0);

    fn of(c: &Comparison) -> Self {
        let ratios = || c.gates.iter().filter_map(|gate| gate.ratio);
        let finite = |v: f64| if v.is_finite() { v } else { Self::WIDEST.1 };
        let low = ratios()
            .map(|r| finite(r.low))
            .fold(1.0 - c.min_effect, f64::min);
        let high = ratios()
            .map(|r| finite(r.high))
            .fold(1.0 + c.min_effect, f64::max);
        let (low, high) = (
            (low * 0.99).max(Self::WIDEST.0),
            (high * 1.01).min(Self::WIDEST.1),
        );
        let mut scale = Self {
            low,
            high,
            zero: 0.0,
        };
        if ratios().next().is_some() {
            scale.zero = scale.place(1.0);
        }
        scale
    }

    /// On a logarithmic scale: half as much is as far from no change as twice as much.
    fn place(&self, ratio: f64) -> f64 {
        let ratio = ratio.clamp(self.low, self.high);
        let share = (ratio / self.low).ln() / (self.high / self.low).ln();
        let place = if share.is_nan() { 0.0 } else { share * 100.0 };
        (place.clamp(0.0, 100.0) * 100.0).round() / 100.0
    }
}
