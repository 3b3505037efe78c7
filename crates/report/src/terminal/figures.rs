//! What was measured: latency, phases, load, errors, custom metrics.

use crate::conclusion::remedy;
use crate::figure::{self, PHASES, QUANTILES, judged_requests, number_of, value};
use crate::format::{bytes, count, duration, number, percent, share};
use crate::style::{Align, Field, Style, Tone, fitting, plain, table};
use floodgate_records::execution::{Execution, TriggerKind};
use floodgate_records::metric::{Builtin, Contains, MetricKind};
use floodgate_records::summary::{MetricSummary, Summary};
use floodgate_records::word::Word;

pub(super) fn latency(summary: &Summary, style: Style) -> String {
    let mut rows: Vec<_> = [
        ("response time", Builtin::HttpReqResponseTime),
        ("service time", Builtin::HttpReqDuration),
        ("iteration", Builtin::IterationDuration),
    ]
    .into_iter()
    .filter(|(_, metric)| !summary.is_unanswered(metric.name()))
    .filter_map(|(label, metric)| {
        quantiles(label, summary.metrics.get(metric.name())?, Tone::Plain)
    })
    .collect();
    let is_part = |key: &str| key.contains('{') && !summary.is_unanswered(key);
    let trends = summary
        .metrics
        .iter()
        .filter(|(key, m)| is_part(key) && m.contains == Contains::Time);
    rows.extend(trends.filter_map(|(key, m)| quantiles(key, m, Tone::Plain)));
    times(rows, style)
}

pub(super) fn phases(summary: &Summary, style: Style) -> String {
    let measured = PHASES.into_iter().filter_map(|(label, metric)| {
        let m = summary.metrics.get(metric.name())?;
        // A phase that never took any time (TLS without TLS) says nothing.
        m.values.get("max").filter(|v| **v > 0.0)?;
        quantiles(label, m, Tone::Dim)
    });
    times(measured.collect(), style)
}

fn quantiles(label: &str, m: &MetricSummary, tone: Tone) -> Option<Vec<Field>> {
    m.values.get("med")?;
    let show = |(_, name): &(&str, &str)| {
        m.values
            .get(*name)
            .map_or_else(|| "–".into(), |v| duration(*v, 3))
    };
    let values = QUANTILES.iter().map(|q| (show(q), tone));
    Some(
        std::iter::once((label.to_owned(), tone))
            .chain(values)
            .collect(),
    )
}

fn times(rows: Vec<Vec<Field>>, style: Style) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let heads = QUANTILES.iter().map(|(head, _)| (*head, Align::Right));
    // A name that is broken into pieces is harder to read than fewer figures are.
    let name = if style.width < 80 {
        Align::Left
    } else {
        Align::Wrap
    };
    let columns: Vec<_> = std::iter::once(("", name)).chain(heads).collect();
    const LESS: [usize; 3] = [2, 5, 1];
    fitting(style, &columns, rows, &LESS)
}

pub(super) fn load(summary: &Summary, style: Style) -> String {
    let get = |metric: Builtin, name: &str| {
        summary
            .metrics
            .get(metric.name())
            .and_then(|m| m.values.get(name))
            .copied()
    };
    let a = &summary.applied;
    let per_s = |n: f64| {
        if summary.duration_s > 0.0 {
            format!("{}/s", number_of(n / summary.duration_s))
        } else {
            "–".into()
        }
    };
    let mut rows = Vec::new();
    // All of the run, the warm-up included, as what was applied is.
    let before = summary.warmup.map_or(0, |warmup| warmup.failed);
    let failed = get(Builtin::HttpReqFailed, "passes").unwrap_or(0.0) as u64 + before;
    let note = match failed {
        _ if a.http_reqs == 0 => plain(""),
        0 => ("none failed".to_owned(), Tone::Dim),
        n => (
            format!("{} failed ({})", count(n), share(n, a.http_reqs)),
            Tone::Bad,
        ),
    };
    rows.push(vec![
        plain("requests"),
        plain(count(a.http_reqs)),
        plain(per_s(a.http_reqs as f64)),
        note,
    ]);
    let planned = match (summary.planned.iterations, a.ratio) {
        (Some(planned), _) if planned == a.iterations => {
            ("all that were planned".to_owned(), Tone::Dim)
        }
        (planned, Some(ratio)) => {
            let whole = planned.map_or_else(String::new, |n| format!(", {} planned", count(n)));
            let tone = if ratio < 1.0 { Tone::Warn } else { Tone::Dim };
            (
                format!("{} of those scheduled{whole}", percent(ratio)),
                tone,
            )
        }
        _ => plain(""),
    };
    rows.push(vec![
        plain("iterations"),
        plain(count(a.iterations)),
        plain(per_s(a.iterations as f64)),
        planned,
    ]);
    if a.dropped_iterations > 0 {
        let note = (
            format!(
                "{} of all",
                share(a.dropped_iterations, a.iterations + a.dropped_iterations)
            ),
            Tone::Warn,
        );
        let dropped = a.dropped_iterations;
        rows.push(vec![
            plain("dropped"),
            (count(dropped), Tone::Warn),
            plain(per_s(dropped as f64)),
            note,
        ]);
    }
    if let Some(most) = get(Builtin::Vus, "max") {
        let note = format!("at most {} planned", count(summary.planned.max_vus));
        rows.push(vec![
            plain("VUs, at most"),
            plain(number(most, 6)),
            plain(""),
            (note, Tone::Dim),
        ]);
    }
    for (label, metric) in [
        ("sent", Builtin::DataSent),
        ("received", Builtin::DataReceived),
    ] {
        if let Some(n) = get(metric, "count") {
            let rate =
                get(metric, "rate").map_or_else(|| "–".into(), |r| format!("{}/s", bytes(r)));
            rows.push(vec![plain(label), plain(bytes(n)), plain(rate), plain("")]);
        }
    }
    table(
        style,
        &[
            ("", Align::Left),
            ("", Align::Right),
            ("", Align::Right),
            ("", Align::Wrap),
        ],
        rows,
    )
}

/// How many error codes are listed.
const MAX_ERRORS: usize = 12;

pub(super) fn errors(execution: &Execution, summary: &Summary, style: Style) -> String {
    if summary.errors.is_empty() {
        return String::new();
    }
    let list = figure::errors(summary);
    let rest: u64 = list.iter().skip(MAX_ERRORS).map(|(_, n, _)| *n).sum();
    let line = |code: &str, n: u64, said: String| {
        vec![
            (code.to_owned(), Tone::Bad),
            plain(count(n)),
            (said, Tone::Dim),
        ]
    };
    let shown = list.iter().take(MAX_ERRORS);
    let mut rows: Vec<_> = shown
        .map(|(code, n, said)| line(code, *n, said.clone()))
        .collect();
    if rest > 0 {
        let more = format!("{} more codes", list.len() - MAX_ERRORS);
        let said = format!("{} of requests", share(rest, judged_requests(summary)));
        rows.push(line(&more, rest, said));
    }
    let mut text = table(
        style,
        &[("", Align::Left), ("", Align::Right), ("", Align::Left)],
        rows,
    );
    // `hit` has said so at its head.
    let remedies = summary.errors.keys().filter_map(|code| remedy(code, false));
    if execution.trigger.kind != TriggerKind::Hit {
        let rows: Vec<_> = remedies.map(|r| vec![(r.to_owned(), Tone::Dim)]).collect();
        if !rows.is_empty() {
            text += &table(style, &[("", Align::Wrap)], rows);
        }
    }
    text
}

/// How connections were made, and why some were not. Left out where nothing about them is out of the ordinary.
pub(super) fn connections(summary: &Summary, style: Style) -> String {
    let all = &summary.connections;
    let mut rows = Vec::new();
    if all.tls_handshakes > 0 {
        let whose: Vec<_> = all.tls_resumption.iter().map(Word::as_str).collect();
        let resumed = format!(
            "TLS handshakes, {} resumed (sessions: {})",
            count(all.tls_resumed),
            whose.join(", ")
        );
        rows.push(vec![plain(count(all.tls_handshakes)), plain(resumed)]);
    }
    for (way, n) in &all.routes {
        rows.push(vec![plain(count(*n)), plain(format!("made through {way}"))]);
    }
    if all.spoiled > 0 {
        let said = "given up for bytes that nobody had asked for";
        rows.push(vec![plain(count(all.spoiled)), plain(said.to_owned())]);
    }
    for fault in &all.faults {
        let said = format!("{}: {}", fault.error_code, fault.reason);
        rows.push(vec![plain(count(fault.count)), (said, Tone::Bad)]);
    }
    table(style, &[("", Align::Right), ("", Align::Wrap)], rows)
}

pub(super) fn custom(summary: &Summary, style: Style) -> String {
    let own = |key: &str| Builtin::parse(key.split('{').next().unwrap_or(key)).is_none();
    let rows: Vec<_> = summary
        .metrics
        .iter()
        .filter(|(key, m)| own(key) && !m.values.is_empty())
        .map(|(key, m)| {
            let names: &[&str] = match m.kind {
                MetricKind::Counter => &["count", "rate"],
                MetricKind::Gauge => &["value", "min", "max"],
                MetricKind::Rate => &["rate", "passes", "fails"],
                MetricKind::Trend => &["avg", "med", "p(95)", "p(99)", "max"],
            };
            let show = |n: &&str| {
                m.values
                    .get(*n)
                    .map(|v| format!("{n}={}", value(summary, key, n, *v, 4)))
            };
            vec![
                plain(key),
                plain(names.iter().filter_map(show).collect::<Vec<_>>().join("  ")),
            ]
        })
        .collect();
    if rows.is_empty() {
        String::new()
    } else {
        table(style, &[("", Align::Left), ("", Align::Wrap)], rows)
    }
}
