//! Figures of a summary as texts: what the terminal, the page and Markdown show alike.

use crate::format::{bytes, count, duration, number, percent, share};
use floodgate_records::failure::TracedRequest;
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
        (Some(v), _) if !summary.is_unanswered(&t.key) => {
            value(summary, &t.key, &t.aggregate, v, 5)
        }
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

/// The requests that errors are a share of: those after the warm-up.
pub(crate) fn judged_requests(summary: &Summary) -> u64 {
    let before = summary.warmup.map_or(0, |warmup| warmup.http_reqs);
    summary.applied.http_reqs.saturating_sub(before)
}

/// The code of requests that were cut off.
const INTERRUPTED: &str = "interrupted";

/// Error codes with their requests, the most frequent first, and what these are a share of. Those that the order to stop a run cut off are in
/// no rate: none of them is a failure of the target.
pub(crate) fn errors(summary: &Summary) -> Vec<(&str, u64, String)> {
    let mut list: Vec<_> = summary.errors.iter().collect();
    list.sort_by_key(|(code, n)| (Reverse(**n), code.as_str()));
    let all = judged_requests(summary);
    let lines = list.into_iter().map(|(code, n)| {
        let cut_off = match code.as_str() {
            INTERRUPTED => unrated(summary).min(*n),
            _ => 0,
        };
        let failed = format!("{} of requests", share(n - cut_off, all));
        let said = match cut_off {
            0 => failed,
            cut_off if cut_off == *n => "cut off by the order to stop, in no rate".to_owned(),
            cut_off => format!(
                "{failed}; {} cut off by the order to stop, in no rate",
                count(cut_off)
            ),
        };
        (code.as_str(), *n, said)
    });
    lines.collect()
}

/// How many requests are in no rate of failures; 0 where the run has no such rate.
fn unrated(summary: &Summary) -> u64 {
    let value = |metric: Builtin, name: &str| {
        let values = &summary.metrics.get(metric.name())?.values;
        values.get(name).map(|n| *n as u64)
    };
    let rated = ["passes", "fails"].map(|name| value(Builtin::HttpReqFailed, name));
    let all = value(Builtin::HttpReqs, "count");
    match (all, rated) {
        (Some(all), [Some(passes), Some(fails)]) => all.saturating_sub(passes + fails),
        _ => 0,
    }
}
