//! What stands on the page, in its order.

mod compared;
mod course;
mod judged;
mod measured;
mod ran;
mod requests;
mod tasks;

use super::model::{Cell, Section, Text};
use crate::figure::number_of;
use crate::format::{count, duration, number, share};
use crate::style::Tone;
use floodgate_records::execution::Execution;
use floodgate_records::figures::Figures;
use floodgate_records::metric::Builtin;
use floodgate_records::summary::Summary;

/// A number at the head of the page.
#[derive(Debug)]
pub(super) struct Tile {
    pub(super) label: &'static str,
    pub(super) value: Text,
    pub(super) note: Text,
    pub(super) tone: &'static str,
}

impl Tile {
    fn new(label: &'static str, value: String, note: String) -> Self {
        Self {
            label,
            value: Text::of(value),
            note: Text::of(note),
            tone: "",
        }
    }
}

/// The sections that have something in them.
pub(super) fn all(execution: &Execution, summary: &Summary, figures: &Figures) -> Vec<Section> {
    let sections = [
        judged::thresholds(execution, summary),
        compared::section(summary),
        judged::capacity(summary),
        course::drift(summary),
        course::warmup(summary),
        measured::load(summary, figures),
        measured::latency(summary, figures),
        measured::errors(execution, summary, figures),
        measured::generators(figures),
        measured::heat(figures),
        measured::distribution(figures),
        requests::requests(summary, figures),
        requests::traces(summary),
        requests::groups(figures),
        requests::checks(summary),
        requests::custom(summary),
        tasks::tasks(execution, summary),
        ran::warnings(summary),
        ran::ran(execution, summary, figures),
    ];
    let full = |section: &Section| !section.parts.is_empty();
    sections.into_iter().filter(full).collect()
}

/// The numbers that everybody asks for first.
pub(super) fn tiles(summary: &Summary) -> Vec<Tile> {
    let a = &summary.applied;
    let sent = a.http_reqs + a.samples;
    let mut tiles = Vec::new();
    if sent > 0 {
        let rate = match summary.duration_s > 0.0 {
            true => format!("{}/s", number_of(sent as f64 / summary.duration_s)),
            false => String::new(),
        };
        tiles.push(Tile::new("Requests", count(sent), rate));
        let failed: u64 = summary.requests.iter().map(|r| r.failed).sum();
        let all: u64 = summary.requests.iter().map(|r| r.count).sum();
        let mut tile = Tile::new("Failed", share(failed, all), count(failed));
        if failed > 0 {
            tile.tone = Cell::default().toned(Tone::Bad).tone;
        }
        tiles.push(tile);
    }
    let times = [Builtin::HttpReqResponseTime, Builtin::HttpReqDuration];
    let found = times.into_iter().find_map(|metric| {
        let values = &summary.metrics.get(metric.name())?.values;
        (!summary.is_unanswered(metric.name())).then_some((metric, values))
    });
    if let Some((metric, values)) = found {
        let what = match metric {
            Builtin::HttpReqResponseTime => "response time",
            _ => "service time",
        };
        for (label, aggregate) in [("p50", "med"), ("p95", "p(95)"), ("p99", "p(99)")] {
            if let Some(ms) = values.get(aggregate) {
                tiles.push(Tile::new(label, duration(*ms, 3), what.to_owned()));
            }
        }
    }
    if a.iterations > 0 {
        let dropped = match a.dropped_iterations {
            0 => "none dropped".to_owned(),
            n => format!("{} dropped", count(n)),
        };
        tiles.push(Tile::new("Iterations", count(a.iterations), dropped));
    }
    let vus = summary.metrics.get(Builtin::Vus.name());
    if let Some(most) = vus.and_then(|m| m.values.get("max")).filter(|m| **m > 0.0) {
        tiles.push(Tile::new("VUs", number(*most, 6), "at most".to_owned()));
    }
    tiles
}
