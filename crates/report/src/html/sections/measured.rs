//! What was sent and what came back, over time and as a whole.

use crate::conclusion::remedy;
use crate::figure::{self, PHASES, QUANTILES, number_of};
use crate::format::{bytes, count, duration, number, percent, plural, share};
use crate::html::model::{Cell, Chart, Part, Section, Table, Text, number as numeric, text};
use crate::style::Tone;
use floodgate_records::execution::{Execution, TriggerKind};
use floodgate_records::figures::Figures;
use floodgate_records::metric::{Builtin, Contains};
use floodgate_records::summary::Summary;

const fn chart(kind: &'static str, title: &'static str, caption: &'static str) -> Chart {
    Chart {
        kind,
        title,
        caption,
        wide: false,
    }
}

/// Charts as the beginning of a section, if there are any.
fn drawn(charts: Vec<Chart>) -> Vec<Part> {
    let charts = Some(charts).filter(|charts| !charts.is_empty());
    charts.map(Part::Charts).into_iter().collect()
}

pub(super) fn load(summary: &Summary, figures: &Figures) -> Section {
    let any = |of: &[u64]| of.iter().any(|n| *n > 0);
    let load = &figures.load;
    let mut charts = Vec::new();
    if any(&load.requests) {
        charts.push(chart(
            "requests",
            "Requests",
            "Requests per second, and those that failed.",
        ));
    }
    if any(&load.completed) || load.planned.is_some() || any(&load.dropped) {
        charts.push(chart(
            "iterations",
            "Iterations",
            "Per second: by the schedule, completed, and dropped.",
        ));
    }
    if any(&load.sent) || any(&load.received) {
        charts.push(chart(
            "data",
            "Data",
            "Bytes per second sent to and received from the target.",
        ));
    }
    let mut parts = drawn(charts);
    parts.extend(applied(summary).part());
    Section::new("load", "Load", parts)
}

fn applied(summary: &Summary) -> Table {
    let a = &summary.applied;
    let per_s = |n: u64| match summary.duration_s > 0.0 {
        true => format!("{}/s", number_of(n as f64 / summary.duration_s)),
        false => "–".into(),
    };
    let row = |what: &str, n: u64, note: Cell| {
        vec![Cell::of(what), Cell::of(count(n)), Cell::of(per_s(n)), note]
    };
    let mut rows = Vec::new();
    if let Some(planned) = summary.planned.iterations {
        rows.push(row("iterations planned", planned, Cell::default()));
    }
    if a.iterations > 0 || a.http_reqs == 0 {
        let note = match a.ratio {
            Some(ratio) if ratio < 1.0 => {
                Cell::of(format!("{} of those scheduled", percent(ratio))).toned(Tone::Warn)
            }
            Some(_) => Cell::dim("all that were scheduled"),
            None => Cell::default(),
        };
        rows.push(row("iterations started", a.iterations, note));
    }
    if a.interrupted_iterations > 0 {
        let note = Cell::of(format!(
            "{} of those started",
            share(a.interrupted_iterations, a.iterations)
        ));
        rows.push(row(
            "cut off before their end",
            a.interrupted_iterations,
            note.toned(Tone::Warn),
        ));
    }
    if a.dropped_iterations > 0 {
        let all = a.iterations + a.dropped_iterations;
        let note = Cell::of(format!("{} of all", share(a.dropped_iterations, all)));
        rows.push(row(
            "iterations dropped",
            a.dropped_iterations,
            note.toned(Tone::Warn),
        ));
    }
    if a.http_reqs > 0 {
        rows.push(row("HTTP requests", a.http_reqs, Cell::default()));
    }
    if a.samples > 0 {
        rows.push(row("other requests", a.samples, Cell::default()));
    }
    if a.unanswered_reqs > 0 {
        let note = Cell::of(format!(
            "{} of requests",
            share(a.unanswered_reqs, a.http_reqs)
        ));
        rows.push(row(
            "without a response",
            a.unanswered_reqs,
            note.toned(Tone::Bad),
        ));
    }
    for (what, metric) in [
        ("sent", Builtin::DataSent),
        ("received", Builtin::DataReceived),
    ] {
        let values = summary.metrics.get(metric.name()).map(|m| &m.values);
        if let Some(n) = values.and_then(|values| values.get("count")) {
            let rate = values.and_then(|values| values.get("rate"));
            let rate = rate.map_or_else(|| "–".into(), |rate| format!("{}/s", bytes(*rate)));
            rows.push(vec![
                Cell::of(what),
                Cell::of(bytes(*n)),
                Cell::of(rate),
                Cell::default(),
            ]);
        }
    }
    Table {
        caption: Text::of("Load of the whole run"),
        columns: vec![
            text("what"),
            numeric("count"),
            numeric("rate"),
            text("note"),
        ],
        rows,
        live: false,
    }
}

pub(super) fn latency(summary: &Summary, figures: &Figures) -> Section {
    let mut charts = Vec::new();
    for time in &figures.times {
        let (kind, title, caption) = match time.metric.as_str() {
            "http_req_response_time" => (
                "response",
                "Response time",
                "From the intended start of a request to its last byte: what a user would have waited.",
            ),
            "http_req_duration" => (
                "service",
                "Service time",
                "Sending, waiting and receiving: what the target took.",
            ),
            "sample_duration" => (
                "sample",
                "Time of other requests",
                "Requests that are not HTTP.",
            ),
            _ => (
                "iteration",
                "Iteration",
                "Complete iterations, think time included.",
            ),
        };
        charts.push(Chart {
            wide: charts.is_empty() && figures.times.len() != 2,
            ..chart(kind, title, caption)
        });
    }
    let mut parts = drawn(charts);
    parts.extend(times(summary).part());
    Section::new("latency", "Latency", parts)
}

fn times(summary: &Summary) -> Table {
    let first = [
        ("response time", Builtin::HttpReqResponseTime),
        ("service time", Builtin::HttpReqDuration),
    ];
    let named = first.into_iter().chain(PHASES);
    let named = named.chain([("iteration", Builtin::IterationDuration)]);
    let whole = named.filter_map(|(label, metric)| {
        let m = summary.metrics.get(metric.name())?;
        // A phase that never took any time says nothing.
        let shown = m.values.get("max").is_some_and(|max| *max > 0.0);
        (shown && !summary.is_unanswered(metric.name())).then_some((label, m))
    });
    let part = |(key, m): &(&String, &floodgate_records::summary::MetricSummary)| {
        key.contains('{') && m.contains == Contains::Time && !summary.is_unanswered(key)
    };
    let parts = summary
        .metrics
        .iter()
        .filter(part)
        .map(|(key, m)| (key.as_str(), m));
    let rows = whole
        .chain(parts)
        .filter(|(_, m)| m.values.contains_key("med"));
    let rows = rows.map(|(label, m)| {
        let time = |(_, aggregate): &(&str, &str)| match m.values.get(*aggregate) {
            Some(ms) => Cell::number(duration(*ms, 3), *ms),
            None => Cell::of("–"),
        };
        std::iter::once(Cell::of(label))
            .chain(QUANTILES.iter().map(time))
            .collect()
    });
    let heads = QUANTILES.iter().map(|(head, _)| numeric(head));
    Table {
        caption: Text::of("Percentiles of the whole run"),
        columns: std::iter::once(text("time")).chain(heads).collect(),
        rows: rows.collect(),
        live: false,
    }
}

pub(super) fn errors(execution: &Execution, summary: &Summary, figures: &Figures) -> Section {
    let list = figure::errors(summary);
    let rows = list.iter().map(|(code, n, said)| {
        vec![
            Cell::of(*code).toned(Tone::Bad),
            Cell::number(count(*n), *n as f64),
            Cell::dim(said.as_str()),
        ]
    });
    let table = Table {
        caption: Text::of("Requests by error code, or by status where that is the failure"),
        columns: vec![text("code"), numeric("requests"), text("share")],
        rows: rows.collect(),
        live: false,
    };
    let mut parts = Vec::new();
    if !figures.errors.is_empty() && !list.is_empty() {
        parts.push(Part::Charts(vec![Chart {
            wide: true,
            ..chart(
                "errors",
                "Errors by code",
                "Requests with an error per second.",
            )
        }]));
    }
    parts.extend(table.part());
    let hit = execution.trigger.kind == TriggerKind::Hit;
    let remedies = summary.errors.keys().filter_map(|code| remedy(code, hit));
    let mut notes: Vec<_> = remedies.map(Text::of).collect();
    let faults = summary.connections.faults.iter();
    notes.extend(faults.map(|f| {
        let times = plural(f.count, "connection");
        Text::of(format!("{times}: {}: {}", f.error_code, f.reason))
    }));
    if let Some(failures) = &summary.failures {
        notes.extend(failures.first.iter().map(Text::of));
        notes.push(Text::of(format!(
            "{} with what was sent and received: floodgate show {} --failures",
            plural(failures.kept, "sample"),
            summary.execution
        )));
    }
    parts.extend((!notes.is_empty()).then_some(Part::List(notes)));
    Section::new("errors", "Errors", parts)
}

pub(super) fn generators(figures: &Figures) -> Section {
    let g = &figures.generators;
    let any = |of: &[Option<f64>]| of.iter().any(Option::is_some);
    let mut charts = Vec::new();
    if any(&g.vus) {
        charts.push(chart(
            "vus",
            "VUs",
            "Virtual users that ran iterations, and those allocated: the most of each slot.",
        ));
    }
    if g.lag.count.iter().any(|n| *n > 0) {
        charts.push(chart(
            "lag",
            "Lag of starts",
            "How much later than intended iterations began.",
        ));
    }
    if any(&g.cpu) {
        let caption = "The busiest second of each slot, as a share of what a generator may use.";
        charts.push(chart("cpu", "CPU of generators", caption));
    }
    let mut parts = drawn(charts);
    if g.more_tasks > 0 {
        parts.push(Part::Note(Text::of(format!(
            "lines of the {} with the highest peak; {} more are in the line of the busiest alone",
            plural(g.tasks.len() as u64, "task"),
            number(g.more_tasks as f64, 6)
        ))));
    }
    Section::new("generators", "Generators", parts)
}

pub(super) fn heat(figures: &Figures) -> Section {
    let parts = figures.heat.iter().map(|heat| {
        let caption = match heat.metric == Builtin::IterationDuration.name() {
            true => {
                "How many iterations took how long, and when. Log scale, both for times and for counts."
            }
            false => {
                "How many requests took how long, and when. Log scale, both for times and for counts."
            }
        };
        Part::Charts(vec![Chart {
            kind: "heat",
            title: "Latency over time",
            caption,
            wide: true,
        }])
    });
    Section::new("heat", "Heat map", parts.collect())
}

pub(super) fn distribution(figures: &Figures) -> Section {
    let any = figures.times.iter().any(|t| !t.distribution.is_empty());
    let chart = any.then(|| {
        Part::Charts(vec![Chart {
            kind: "distribution",
            title: "Percentile distribution",
            caption: "The time within which a share of requests was done, up to the last one.",
            wide: true,
        }])
    });
    Section::new("distribution", "Distribution", chart.into_iter().collect())
}
