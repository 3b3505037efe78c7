//! What became of the requests, by name or another tag: where a run failed.

use crate::figure::{outcome_of, outcomes, times_of};
use crate::format::{count, duration, share};
use crate::style::{Align, Field, Style, Tone, plain, table};
use floodgate_records::printable::printable;
use floodgate_records::requests::RequestsBy;
use floodgate_records::summary::{RequestSummary, Summary};
use std::collections::BTreeMap;

/// The names with a line of their own; the summary as JSON has more.
const MAX_LINES: usize = 20;

pub(super) fn requests(summary: &Summary, style: Style) -> String {
    lines("name", &summary.requests, MAX_LINES, style)
}

/// The requests of a run by a tag: `floodgate show ID --by TAG`.
pub fn requests_by(found: &RequestsBy, style: Style) -> String {
    lines(&found.by, &found.requests, usize::MAX - 1, style)
}

/// The slowest requests that can be found in the target's traces.
pub(super) fn traces(summary: &Summary, style: Style) -> String {
    const MOST: usize = 5;
    if summary.traced.is_empty() {
        return String::new();
    }
    let rows = summary.traced.iter().take(MOST).map(|traced| {
        vec![
            plain(&traced.name),
            plain(outcome_of(traced)),
            plain(duration(traced.response_ms, 3)),
            plain(&traced.trace),
        ]
    });
    let columns = [
        ("name", Align::Wrap),
        ("outcome", Align::Left),
        ("response", Align::Right),
        ("trace", Align::Left),
    ];
    table(style, &columns, rows.collect())
}

fn lines(tag: &str, requests: &[RequestSummary], most: usize, style: Style) -> String {
    if requests.is_empty() {
        return String::new();
    }
    // One line more than there is room for needs no line that says so.
    let shown = match requests.len() {
        n if n <= most + 1 => n,
        _ => most,
    };
    let (shown, rest) = requests.split_at(shown);
    let room = Room::of(style.width);
    let mut rows: Vec<_> = shown.iter().map(|r| row(tag, r, room)).collect();
    if !rest.is_empty() {
        let sum = |of: fn(&RequestSummary) -> u64| rest.iter().map(of).sum();
        let mut outcomes = BTreeMap::new();
        for (outcome, n) in rest.iter().flat_map(|r| &r.outcomes) {
            *outcomes.entry(outcome.clone()).or_default() += n;
        }
        rows.push(row(
            tag,
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
    let heading = printable(tag);
    let columns: Vec<_> = [
        (heading.as_ref(), Align::Wrap),
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

fn row(tag: &str, r: &RequestSummary, room: Room) -> Vec<Field> {
    let several = if tag == "name" { "names" } else { "values" };
    let name = match (r.name.as_str(), r.names) {
        (_, 2..) => (format!("{} more {several}", count(r.names)), Tone::Dim),
        ("", _) => (format!("(no {tag})"), Tone::Dim),
        (name, _) => plain(name),
    };
    let failed = match r.failed {
        0 => plain("0"),
        n if room.share => (format!("{} ({})", count(n), share(n, r.count)), Tone::Bad),
        n => (count(n), Tone::Bad),
    };
    let times = times_of(r).map(|(_, times)| times);
    let time = |name: &str| {
        let ms = times.and_then(|times| times.get(name));
        plain(ms.map_or_else(|| "–".into(), |ms| duration(*ms, 3)))
    };
    let mut fields = vec![name, plain(count(r.count)), failed];
    fields.extend(room.times.iter().map(|(_, aggregate)| time(aggregate)));
    fields.push((outcomes(&r.outcomes), Tone::Dim));
    fields
}
