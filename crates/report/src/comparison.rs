//! Two runs side by side.

use crate::format::{digits, duration, number, percent, plural};
use crate::style::{Align, Field, Style, Tone, plain, table};
use floodgate_records::comparison::{Change, Comparison, Gate};
use floodgate_records::metric::{MetricKind, unit_of};

/// What came of a comparison: `floodgate compare`.
pub fn comparison(c: &Comparison, style: Style) -> String {
    let (tone, sign) = of_change(c.outcome);
    let word = c.outcome.as_str().to_uppercase();
    let mut text = format!(
        "{}  {}  {} after {}\n",
        style.strong(&format!("{sign} {word}"), tone),
        style.paint(&c.head.test, Tone::Plain),
        style.paint(&c.head.execution, Tone::Plain),
        style.paint(&c.base.execution, Tone::Plain)
    );
    let mut lines: Vec<Vec<Field>> = Vec::new();
    for obstacle in &c.obstacles {
        lines.push(vec![plain(obstacle)]);
    }
    for gate in c.gates.iter().filter(|g| g.outcome == Change::Regressed) {
        lines.push(vec![plain(gate.sentence())]);
    }
    if !lines.is_empty() {
        text += &table(style, &[("", Align::Wrap)], lines);
    }
    text.push('\n');
    text += &gates(c, style);
    text.push('\n');
    text + &footnotes(vec![basis(c)], style)
}

/// The comparison that a test asks for, in the account of its run.
pub(crate) fn section(c: &Comparison, style: Style) -> String {
    let with = with(c);
    let mut notes: Vec<String> = c
        .obstacles
        .iter()
        .map(|why| format!("not comparable: {why}"))
        .collect();
    notes.push(format!("{with}; {}", basis(c)));
    gates(c, style) + &footnotes(notes, style)
}

/// What the later run is compared with.
pub(crate) fn with(c: &Comparison) -> String {
    match c.pooled {
        _ if c.in_turns => "base and head in turns".to_owned(),
        0 => format!("compared with {}", c.base.execution),
        n => format!(
            "compared with {n} runs together, the newest {}",
            c.base.execution
        ),
    }
}

fn gates(c: &Comparison, style: Style) -> String {
    let columns = [
        ("", Align::Left),
        ("metric", Align::Wrap),
        ("before", Align::Right),
        ("now", Align::Right),
        ("change", Align::Right),
        ("interval", Align::Right),
    ];
    let text = table(style, &columns, c.gates.iter().map(row).collect());
    let rest = "the change is that of the rest";
    let notes = c.gates.iter().flat_map(|gate| {
        let rest = gate.of_rest.then(|| format!("{}: {rest}", gate.id));
        let note = gate
            .note
            .as_ref()
            .map(|note| format!("{}: {note}", gate.id));
        rest.filter(|_| gate.ratio.is_some())
            .into_iter()
            .chain(note)
    });
    text + &footnotes(notes.collect(), style)
}

/// Notes below a table; nothing without one.
pub(crate) fn footnotes(notes: Vec<String>, style: Style) -> String {
    if notes.is_empty() {
        return String::new();
    }
    let rows = notes.into_iter().map(|note| vec![(note, Tone::Dim)]);
    table(style, &[("", Align::Wrap)], rows.collect())
}

/// What the outcome rests on.
pub(crate) fn basis(c: &Comparison) -> String {
    let warmup = c.gates.iter().map(|gate| gate.warmup_s).max().unwrap_or(0);
    let warmup = match warmup {
        0 => String::new(),
        s => format!("; up to {s} s at the start left out as warm-up"),
    };
    let history = match c.history {
        _ if c.in_turns => "what drifts meets both alike".to_owned(),
        0 => "too few earlier runs to tell how much runs differ anyway".to_owned(),
        n => format!(
            "{} tell how much runs differ anyway",
            plural(n as u64, "earlier run")
        ),
    };
    format!(
        "{} confidence for all of them together, changes from {} on count; {history}{warmup}",
        whole(c.confidence),
        whole(c.min_effect)
    )
}

fn row(gate: &Gate) -> Vec<Field> {
    let (tone, sign) = of_change(gate.outcome);
    let show = |v: Option<f64>| v.map_or_else(|| "–".to_owned(), |v| value(gate, v));
    let (by, interval) = match gate.ratio {
        Some(ratio) => (
            change(ratio.estimate),
            format!("{} … {}", change(ratio.low), change(ratio.high)),
        ),
        None => ("–".to_owned(), "–".to_owned()),
    };
    vec![
        (format!("{sign} {}", gate.outcome.as_str()), tone),
        plain(&gate.id),
        plain(show(gate.base)),
        plain(show(gate.head)),
        plain(by),
        (interval, Tone::Dim),
    ]
}

pub(crate) fn value(gate: &Gate, v: f64) -> String {
    // Of a counter, what it gains a second is compared, whatever the aggregate is called.
    value_of(&gate.key, gate.kind, "rate", v)
}

/// A value of a metric as a person reads it.
pub(crate) fn value_of(key: &str, kind: Option<MetricKind>, aggregate: &str, v: f64) -> String {
    match kind {
        Some(MetricKind::Rate) => percent(v),
        Some(MetricKind::Counter) if aggregate == "rate" => format!("{}/s", number(v, 4)),
        _ if unit_of(key).trim() == "ms" => duration(v, 3),
        _ => number(v, 4),
    }
}

/// A ratio as a change in percent.
pub(crate) fn change(ratio: f64) -> String {
    let change = (ratio - 1.0) * 100.0;
    let sign = if change > 0.0 { "+" } else { "" };
    let digits = digits(change, if change.abs() < 10.0 { 2 } else { 3 });
    format!("{sign}{digits} %")
}

fn whole(ratio: f64) -> String {
    format!("{} %", number(ratio * 100.0, 3))
}

pub(crate) const fn of_change(change: Change) -> (Tone, &'static str) {
    match change {
        Change::Regressed => (Tone::Bad, "✗"),
        Change::Improved | Change::Unchanged => (Tone::Good, "✓"),
        Change::Undecided | Change::NotComparable => (Tone::Warn, "?"),
    }
}
