//! What became of the requests, by name: where a run failed.

use crate::format::{count, duration, share};
use crate::style::{Align, Field, Style, Tone, plain, table};
use floodgate_records::key::Key;
use floodgate_records::metric::{Builtin, Contains};
use floodgate_records::summary::{RequestSummary, Summary};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// The names with a line of their own; the summary as JSON has more.
const MAX_LINES: usize = 20;
/// The outcomes that are listed for a name.
const MAX_OUTCOMES: usize = 6;

pub(super) fn requests(summary: &Summary, style: Style) -> String {
    if summary.requests.is_empty() {
        return String::new();
    }
    // One line more than there is room for needs no line that says so.
    let shown = match summary.requests.len() {
        n if n <= MAX_LINES + 1 => n,
        _ => MAX_LINES,
    };
    let (shown, rest) = summary.requests.split_at(shown);
    let room = Room::of(style.width);
    let mut rows: Vec<_> = shown.iter().map(|r| row(r, room)).collect();
    if !rest.is_empty() {
        let sum = |of: fn(&RequestSummary) -> u64| rest.iter().map(of).sum();
        let mut outcomes = BTreeMap::new();
        for (outcome, n) in rest.iter().flat_map(|r| &r.outcomes) {
            *outcomes.entry(outcome.clone()).or_default() += n;
        }
        rows.push(row(
            &RequestSummary {
                names: sum(|r| r.names),
                count: sum(|r| r.count),
                failed: sum(|r| r.failed),
                responses: sum(|r| r.responses),
                outcomes,
                ..RequestSummary::default()
            },
            room,
        ));
    }
    let times = room.times.iter().map(|(head, _)| (*head, Align::Right));
    let columns: Vec<_> = [
        ("name", Align::Wrap),
        ("requests", Align::Right),
        ("failed", Align::Right),
    ]
    .into_iter()
    .chain(times)
    .chain([("responses", Align::Wrap)])
    .collect();
    table(style, &columns, rows)
}

/// What a line has room for.
#[derive(Clone, Copy)]
struct Room {
    share: bool,
    times: &'static [(&'static str, &'static str)],
}

impl Room {
    fn of(width: u16) -> Self {
        const TIMES: [(&str, &str); 3] = [("p50", "med"), ("p95", "p(95)"), ("p99", "p(99)")];
        match width {
            0..70 => Self {
                share: false,
                times: &[("p95", "p(95)")],
            },
            70..90 => Self {
                share: false,
                times: &[("p50", "med"), ("p95", "p(95)")],
            },
            _ => Self {
                share: true,
                times: &TIMES,
            },
        }
    }
}

fn row(r: &RequestSummary, room: Room) -> Vec<Field> {
    let name = match (r.name.as_str(), r.names) {
        (_, 2..) => (format!("{} more names", count(r.names)), Tone::Dim),
        ("", _) => ("(no name)".to_owned(), Tone::Dim),
        (name, _) => plain(name),
    };
    let failed = match r.failed {
        0 => plain("0"),
        n if room.share => (format!("{} ({})", count(n), share(n, r.count)), Tone::Bad),
        n => (count(n), Tone::Bad),
    };
    // From the intended start, if the engine knows it: what a user would have waited.
    let times = [Builtin::HttpReqResponseTime, Builtin::HttpReqDuration]
        .iter()
        .find_map(|metric| r.times.get(metric.name()))
        .or_else(|| r.times.values().next());
    let time = |name: &str| {
        let ms = times.and_then(|times| times.get(name));
        plain(ms.map_or_else(|| "–".into(), |ms| duration(*ms, 3)))
    };
    let mut fields = vec![name, plain(count(r.count)), failed];
    fields.extend(room.times.iter().map(|(_, aggregate)| time(aggregate)));
    fields.push((outcomes(&r.outcomes), Tone::Dim));
    fields
}

/// `200 ×7, 404 ×2`, the most frequent first.
fn outcomes(all: &BTreeMap<String, u64>) -> String {
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

/// Whether a metric is a time of requests of which none was answered, so that a figure of it says nothing of the target.
pub(super) fn unanswered(summary: &Summary, key: &str) -> bool {
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
