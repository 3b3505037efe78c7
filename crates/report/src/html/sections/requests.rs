//! By name: requests, groups, checks, and metrics of the test's own.

use crate::figure::{outcome_of, outcomes, times_of, value};
use crate::format::{count, duration, plural, share, utc};
use crate::html::model::{Cell, Chart, Column, Part, Section, Table, Text, number, text};
use crate::style::Tone;
use floodgate_records::figures::Figures;
use floodgate_records::metric::{Builtin, MetricKind};
use floodgate_records::summary::{RequestSummary, Summary};

pub(super) fn requests(summary: &Summary, figures: &Figures) -> Section {
    let rows = summary.requests.iter().map(|r| row(r, figures));
    let table = Table {
        caption: Text::of("Requests by name"),
        columns: vec![
            text("name"),
            number("requests"),
            number("failed"),
            number("share"),
            number("p50"),
            number("p95"),
            number("p99"),
            number("max"),
            text("responses"),
        ],
        rows: rows.collect(),
        live: true,
    };
    let Some(table) = table.part() else {
        return Section::default();
    };
    let mut parts = vec![table];
    if !figures.names.is_empty() {
        let chart = |kind, title, caption| Chart {
            kind,
            title,
            caption,
            wide: false,
        };
        parts.push(Part::Charts(vec![
            chart(
                "name-requests",
                "Requests of a name",
                "Requests per second of the name that is chosen.",
            ),
            chart(
                "name-times",
                "Times of a name",
                "Their times, from the intended start where the engine knows it.",
            ),
        ]));
    }
    if figures.more_names > 0 {
        parts.push(Part::Note(Text::of(format!(
            "the charts have the first {}; {} more are in the table and in the figures of the run",
            plural(figures.names.len() as u64, "name"),
            count(figures.more_names)
        ))));
    }
    Section::new("requests", "Requests by name", parts)
}

fn row(r: &RequestSummary, figures: &Figures) -> Vec<Cell> {
    let charted = figures
        .names
        .iter()
        .position(|n| r.names == 1 && n.name == r.name);
    let name = match (r.name.as_str(), r.names) {
        (_, 2..) => Cell::dim(plural(r.names, "more name")),
        ("", _) => Cell::dim("(no name)"),
        (name, _) => Cell::of(name),
    };
    let times = times_of(r).map(|(_, times)| times);
    let time = |aggregate: &str| match times.and_then(|times| times.get(aggregate)) {
        Some(ms) => Cell::number(duration(*ms, 3), *ms),
        None => Cell::of("–"),
    };
    let failed = Cell::number(count(r.failed), r.failed as f64);
    let failing = Cell::number(
        share(r.failed, r.count),
        r.failed as f64 / r.count.max(1) as f64,
    );
    let tone = if r.failed > 0 { Tone::Bad } else { Tone::Plain };
    vec![
        Cell {
            name: charted,
            ..name
        },
        Cell::number(count(r.count), r.count as f64),
        failed.toned(tone),
        failing.toned(tone),
        time("med"),
        time("p(95)"),
        time("p(99)"),
        time("max"),
        Cell::dim(outcomes(&r.outcomes)),
    ]
}

/// The slowest requests that can be found in the target's traces.
pub(super) fn traces(summary: &Summary) -> Section {
    let rows = summary.traced.iter().map(|traced| {
        vec![
            Cell::of(&traced.name),
            Cell::of(outcome_of(traced)),
            Cell::number(duration(traced.response_ms, 3), traced.response_ms),
            Cell::dim(utc(traced.at_ms)),
            Cell::of(&traced.trace),
        ]
    });
    let table = Table {
        caption: Text::of("The slowest requests that carried a trace, with its id"),
        columns: vec![
            text("name"),
            text("outcome"),
            number("response time"),
            text("ended"),
            text("trace"),
        ],
        rows: rows.collect(),
        live: true,
    };
    Section::new(
        "traces",
        "Slowest traces",
        table.part().into_iter().collect(),
    )
}

pub(super) fn groups(figures: &Figures) -> Section {
    let time = |ms: f64| Cell::number(duration(ms, 3), ms);
    let rows = figures.groups.iter().map(|g| {
        let name = if g.name.is_empty() {
            "(no group)"
        } else {
            &g.name
        };
        vec![
            Cell::of(name),
            Cell::number(count(g.count), g.count as f64),
            time(g.med),
            time(g.p95),
            time(g.p99),
            time(g.max),
        ]
    });
    let table = Table {
        caption: Text::of("Groups"),
        columns: vec![
            text("group"),
            number("runs"),
            number("p50"),
            number("p95"),
            number("p99"),
            number("max"),
        ],
        rows: rows.collect(),
        live: true,
    };
    let mut parts: Vec<_> = table.part().into_iter().collect();
    if figures.more_groups > 0 {
        let more = plural(figures.more_groups, "more group");
        parts.push(Part::Note(Text::of(format!("{more}, run less often"))));
    }
    Section::new("groups", "Groups", parts)
}

pub(super) fn checks(summary: &Summary) -> Section {
    let rows = summary.checks.iter().map(|c| {
        let all = c.passes + c.fails;
        let (sign, tone) = match c.fails {
            0 => ("✓ held", Tone::Good),
            _ => ("✗ failed", Tone::Bad),
        };
        vec![
            Cell::of(sign).toned(tone),
            Cell::of(&c.name),
            Cell::dim(c.request.as_deref().unwrap_or_default()),
            Cell::dim(c.scenario.as_deref().unwrap_or_default()),
            Cell::number(share(c.passes, all), c.passes as f64 / all.max(1) as f64),
            Cell::number(count(c.fails), c.fails as f64),
            Cell::number(count(all), all as f64),
        ]
    });
    let table = Table {
        caption: Text::of("Checks: how often each held"),
        columns: vec![
            text(""),
            text("check"),
            text("request"),
            text("scenario"),
            number("held"),
            number("failed"),
            number("of"),
        ],
        rows: rows.collect(),
        live: true,
    };
    Section::new("checks", "Checks", table.part().into_iter().collect())
}

pub(super) fn custom(summary: &Summary) -> Section {
    const KINDS: [(MetricKind, &str, &[&str]); 4] = [
        (
            MetricKind::Trend,
            "Trends",
            &[
                "count", "avg", "min", "med", "p(90)", "p(95)", "p(99)", "max",
            ],
        ),
        (MetricKind::Counter, "Counters", &["count", "rate"]),
        (MetricKind::Rate, "Rates", &["rate", "passes", "fails"]),
        (MetricKind::Gauge, "Gauges", &["value", "min", "max"]),
    ];
    let is_own = |key: &str| Builtin::parse(key.split('{').next().unwrap_or(key)).is_none();
    let tables = KINDS.iter().filter_map(|(kind, caption, names)| {
        let own = summary.metrics.iter();
        let own = own.filter(|(key, m)| m.kind == *kind && is_own(key) && !m.values.is_empty());
        let rows = own.map(|(key, m)| {
            let show = |name: &&str| match m.values.get(*name) {
                Some(v) => {
                    let shown = match *name {
                        "passes" | "fails" => count(*v as u64),
                        "count" if *kind == MetricKind::Trend => count(*v as u64),
                        _ => value(summary, key, name, *v, 4),
                    };
                    Cell::number(shown, *v)
                }
                None => Cell::of("–"),
            };
            std::iter::once(Cell::of(key))
                .chain(names.iter().map(show))
                .collect()
        });
        let heads = names.iter().map(|name| number(name));
        let columns: Vec<Column> = std::iter::once(text("metric")).chain(heads).collect();
        let table = Table {
            caption: Text::of(caption),
            columns,
            rows: rows.collect(),
            live: true,
        };
        table.part()
    });
    Section::new("custom", "Custom metrics", tables.collect())
}
