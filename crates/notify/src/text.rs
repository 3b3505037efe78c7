//! A message as a person reads it. Names and sentences come from definitions, targets and pipelines: each is made printable here, and
//! what the channel's markup would obey is the channel's business.

use crate::message::{Data, Message};
use floodgate_records::notify::Event;
use floodgate_records::outcome::{Outcome, ThresholdOutcome};
use floodgate_records::printable::printable;
use floodgate_records::status::Status;
use std::fmt::Write as _;

/// Sentences of a kind that are shown.
const SHOWN: usize = 8;
/// Characters of each.
const LONGEST: usize = 300;

/// A few lines that belong together.
pub(crate) struct Part {
    /// What they are about.
    pub(crate) title: &'static str,
    /// Plain text, a line each.
    pub(crate) lines: Vec<String>,
}

/// How bad it is, for colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Good,
    Bad,
    Unsure,
    Neutral,
}

pub(crate) fn tone(data: &Data) -> Tone {
    match data.status {
        Status::Passed if data.events.contains(&Event::Regressed) => Tone::Unsure,
        Status::Passed => Tone::Good,
        Status::Failed | Status::Errored => Tone::Bad,
        Status::Inconclusive | Status::Aborted => Tone::Unsure,
        Status::Preparing | Status::Running | Status::Merging => Tone::Neutral,
    }
}

/// `✗ shop/checkout failed, regressed`.
pub(crate) fn title(message: &Message) -> String {
    let data = &message.data;
    let sign = match tone(data) {
        Tone::Good => "✓",
        Tone::Bad => "✗",
        Tone::Unsure => "?",
        Tone::Neutral => "▶",
    };
    let status = match data.events.as_slice() {
        [Event::Started] => "started".to_owned(),
        events => {
            let also = events
                .iter()
                .filter(|e| matches!(e, Event::Recovered | Event::Regressed));
            let also: String = also.map(|event| format!(", {event}")).collect();
            format!("{}{also}", data.status.as_str())
        }
    };
    let (project, test) = (line(&data.project), line(&data.test));
    format!("{sign} {project}/{test} {status}")
}

/// What there is to say under the title.
pub(crate) fn parts(message: &Message) -> Vec<Part> {
    let data = &message.data;
    let all = [
        part("Why", some(data.reasons.iter().map(String::as_str))),
        part("Thresholds", thresholds(data)),
        part("Against the baseline", baseline(data)),
        part("Load", load(data)),
        part("Capacity", capacity(data)),
        part("Run", run(data)),
    ];
    all.into_iter().flatten().collect()
}

fn part(title: &'static str, lines: Vec<String>) -> Option<Part> {
    (!lines.is_empty()).then_some(Part { title, lines })
}

/// Text from elsewhere on one line, bounded.
fn line(text: &str) -> String {
    let text = printable(text);
    let mut shown: String = text.chars().take(LONGEST).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

fn some<'a>(all: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut lines: Vec<_> = all.map(line).collect();
    let more = lines.len().saturating_sub(SHOWN);
    lines.truncate(SHOWN);
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    lines
}

fn thresholds(data: &Data) -> Vec<String> {
    let all = &data.thresholds;
    let broken: Vec<_> = all
        .iter()
        .filter(|t| t.outcome != Outcome::Passed)
        .collect();
    let of = all.len() + data.thresholds_left_out;
    if of == 0 {
        return Vec::new();
    }
    let mut lines = vec![match broken.len() {
        0 => format!("{of} of {of} hold"),
        n => format!("{n} of {of} do not hold"),
    }];
    let said: Vec<_> = broken.into_iter().map(threshold).collect();
    lines.extend(some(said.iter().map(String::as_str)));
    lines
}

fn threshold(t: &ThresholdOutcome) -> String {
    let observed = t.observed.map_or_else(|| "no data".to_owned(), number);
    format!("{}: {} – observed {observed}", t.key, t.expression)
}

fn baseline(data: &Data) -> Vec<String> {
    let Some(found) = &data.baseline else {
        return Vec::new();
    };
    let base = found.execution.as_deref().unwrap_or("no run");
    let mut lines = vec![format!("{} against {}", found.outcome.as_str(), line(base))];
    lines.extend(some(found.changes.iter().map(String::as_str)));
    lines
}

fn load(data: &Data) -> Vec<String> {
    let Some(load) = &data.load else {
        return Vec::new();
    };
    let mut facts = format!(
        "{} requests in {} s",
        load.http_reqs,
        number(load.duration_s)
    );
    if let Some(failed) = load.failed_ratio {
        // Writing to a string cannot fail.
        let _ = write!(facts, ", {} % failed", number(failed * 100.0));
    }
    if load.dropped_iterations > 0 {
        let _ = write!(facts, ", {} iterations dropped", load.dropped_iterations);
    }
    let times = load.response_ms.iter();
    let times: Vec<_> = times
        .map(|(name, ms)| format!("{name} {} ms", number(*ms)))
        .collect();
    let times = (!times.is_empty()).then(|| format!("response time: {}", times.join(", ")));
    [Some(facts), times].into_iter().flatten().collect()
}

fn capacity(data: &Data) -> Vec<String> {
    let Some(found) = &data.capacity else {
        return Vec::new();
    };
    let unit = found.unit.as_str();
    let load = |load: Option<f64>| load.map_or_else(|| "unknown".to_owned(), number);
    let (low, high) = (load(found.low), load(found.high));
    let mut said = format!("{} {unit} (between {low} and {high})", load(found.estimate));
    if let Some(limit) = &found.limited_by {
        let _ = write!(said, ", limited by {limit}");
    }
    vec![line(&said)]
}

fn run(data: &Data) -> Vec<String> {
    let mut lines = vec![data.execution.clone()];
    let trigger = &data.trigger;
    let by = trigger
        .principal
        .as_deref()
        .map(|by| format!("by {}", line(by)));
    let commit = trigger
        .commit
        .as_deref()
        .map(|c| format!("commit {}", line(c)));
    let branch = trigger
        .branch
        .as_deref()
        .map(|b| format!("branch {}", line(b)));
    let facts: Vec<_> = [by, commit, branch].into_iter().flatten().collect();
    if !facts.is_empty() {
        lines.push(facts.join(", "));
    }
    lines.extend(
        data.target
            .as_deref()
            .map(|target| format!("target {}", line(target))),
    );
    lines.extend(data.cost_usd.map(|usd| format!("${usd:.2}")));
    lines
}

/// Three digits that mean something, and no more than are there.
fn number(v: f64) -> String {
    let places = match v.abs() {
        v if v >= 100.0 => 0,
        v if v >= 10.0 => 1,
        v if v >= 1.0 => 2,
        _ => 4,
    };
    let steps = 10_f64.powi(places);
    format!("{}", (v * steps).round() / steps)
}

/// All of it as plain text.
pub(crate) fn plain(message: &Message) -> String {
    let mut text = format!("{}\n", title(message));
    for Part { title, lines } in parts(message) {
        let _ = write!(text, "\n{title}\n");
        for line in lines {
            let _ = writeln!(text, "  {line}");
        }
    }
    if !message.data.links.is_empty() {
        text.push('\n');
    }
    for link in &message.data.links {
        let _ = writeln!(text, "{}: {}", link.title, link.url);
    }
    text
}
