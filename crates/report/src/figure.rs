//! Figures of a summary as texts: what the terminal, the page and Markdown show alike.

use crate::format::{bytes, count, duration, number, percent};
use floodgate_records::failure::TracedRequest;
use floodgate_records::key::Key;
use floodgate_records::metric::{Builtin, Contains, MetricKind};
use floodgate_records::outcome::ThresholdOutcome;
use floodgate_records::summary::{RequestSummary, Summary};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// What a request does one after the other.
pub(crate) const PHASES: [(&str, Builtin); 7] = [
    ("blocked", Builtin::HttpReqBlocked),
    ("looking up", Builtin::HttpReqLookingUp),
    ("connecting", Builtin::HttpReqConnecting),
    ("TLS handshake", Builtin::HttpReqTlsHandshaking),
    ("sending", Builtin::HttpReqSending),
    ("waiting", Builtin::HttpReqWaiting),
    ("receiving", Builtin::HttpReqReceiving),
];

/// Quantiles of the tables: their heading and their name in a summary.
pub(crate) const QUANTILES: [(&str, &str); 6] = [
    ("p50", "med"),
    ("p90", "p(90)"),
    ("p95", "p(95)"),
    ("p99", "p(99)"),
    ("p99.9", "p(99.9)"),
    ("max", "max"),
];

/// The outcomes that are listed for a name.
const MAX_OUTCOMES: usize = 6;

/// A value of a metric in the unit of its kind.
pub(crate) fn value(
    summary: &Summary,
    key: &str,
    aggregate: &str,
    v: f64,
    significant: i32,
) -> String {
    let metric = summary.metrics.get(key);
    let is = |kind| metric.is_some_and(|m| m.kind == kind);
    match metric.map_or(Contains::Default, |m| m.contains) {
        Contains::Time => duration(v, significant),
        Contains::Data if aggregate == "rate" => format!("{}/s", bytes(v)),
        Contains::Data => bytes(v),
        Contains::Default if aggregate == "rate" && is(MetricKind::Counter) => {
            format!("{}/s", number(v, significant + 1))
        }
        Contains::Default => number(v, significant + 1),
    }
}

/// What a threshold observed; a dash without data.
pub(crate) fn observed(summary: &Summary, t: &ThresholdOutcome) -> String {
    let over_time = &t.over_time;
    match (t.observed, over_time.said()) {
        (_, Some(said)) if over_time.trend.is_some() => {
            said.split(" (").next().unwrap_or_default().to_owned()
        }
        (Some(v), _) if over_time.objective.is_some() => percent(v),
        (Some(v), _) if !unanswered(summary, &t.key) => value(summary, &t.key, &t.aggregate, v, 5),
        _ => "–".to_owned(),
    }
}

/// What there is to say of a threshold beside that: an interval, the windows, why it has no outcome.
pub(crate) fn note_of(t: &ThresholdOutcome) -> Option<String> {
    let said = [t.over_time.said(), t.note.clone()].into_iter().flatten();
    let said: Vec<_> = said.collect();
    (!said.is_empty()).then(|| format!("{}: {}", t.id, said.join("; ")))
}

/// A rate: whole from a thousand up.
pub(crate) fn number_of(v: f64) -> String {
    if v >= 1_000.0 {
        number(v.round(), 6)
    } else {
        number((v * 10.0).round() / 10.0, 4)
    }
}

/// `503`, `503 body_too_large`, `timeout`.
pub(crate) fn outcome_of(traced: &TracedRequest) -> String {
    let status = traced.status.map(|status| status.to_string());
    let parts: Vec<_> = status.into_iter().chain(traced.error.clone()).collect();
    parts.join(" ")
}

/// `200 ×7, 404 ×2`, the most frequent first.
pub(crate) fn outcomes(all: &BTreeMap<String, u64>) -> String {
    let mut list: Vec<_> = all.iter().collect();
    list.sort_by_key(|(outcome, n)| (Reverse(**n), outcome.as_str()));
    let mut shown: Vec<_> = list
        .iter()
        .take(MAX_OUTCOMES)
        .map(|(outcome, n)| format!("{outcome} ×{}", count(**n)))
        .collect();
    if list.len() > MAX_OUTCOMES {
        let rest = &list[MAX_OUTCOMES..];
        let n: u64 = rest.iter().map(|(_, n)| **n).sum();
        shown.push(format!("{} more ×{}", rest.len(), count(n)));
    }
    shown.join(", ")
}

/// The metric that tells how long requests of a name took, and its values: from the intended start, if the engine knows it, which is what a
/// user would have waited.
pub(crate) fn times_of(r: &RequestSummary) -> Option<(&str, &BTreeMap<String, f64>)> {
    let best = [Builtin::HttpReqResponseTime, Builtin::HttpReqDuration];
    let best = best
        .iter()
        .find_map(|metric| r.times.get_key_value(metric.name()));
    let (metric, times) = best.or_else(|| r.times.iter().next())?;
    Some((metric, times))
}

/// Whether a metric is a time of requests of which none was answered, so that a figure of it says nothing of the target.
pub(crate) fn unanswered(summary: &Summary, key: &str) -> bool {
    let Ok(key) = key.parse::<Key>() else {
        return false;
    };
    let is_time = Builtin::parse(&key.metric)
        .is_some_and(|m| m.contains() == Contains::Time && m.name().starts_with("http_req_"));
    let name = key.tags.get("name");
    let mut those = summary
        .requests
        .iter()
        .filter(|r| name.is_none_or(|name| r.names == 1 && r.name == name))
        .peekable();
    is_time && those.peek().is_some() && those.all(|r| r.responses == 0)
}
