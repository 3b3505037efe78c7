//! Times of a schedule, and what refers to them.

use super::edit::{Scale, change, change_scalar, each_value, entry_mut, scalar};
use crate::definition::field::Value as _;
use crate::definition::keys::root;
use crate::definition::tree::{Entry, Kind, Node};
use crate::units::{format_duration, parse_duration};
use std::time::Duration;

/// What an executor of iterations has as its longest time unless it is given.
const MAX_DURATION: Duration = Duration::from_secs(600);
const SECOND: Duration = Duration::from_secs(1);

/// How long the schedule is, from the start of the run to the end of its last scenario, without graceful stops.
pub(super) fn length(root: &Node) -> Option<Duration> {
    let mut longest = Duration::ZERO;
    for entry in root::SCENARIOS.entries(root) {
        let scenario = &entry.value;
        let of = |key: &str| scenario.get(key).map(Duration::read);
        let own = if let Some(duration) = of("duration") {
            duration?
        } else if let Some(stages) = scenario.get("stages") {
            let stages = stages.items().iter();
            let times = stages.map(|stage| stage.get("duration").and_then(Duration::read));
            times.sum::<Option<Duration>>()?
        } else {
            of("maxDuration").unwrap_or(Some(MAX_DURATION))?
        };
        let start = of("startTime").unwrap_or(Some(Duration::ZERO))?;
        longest = longest.max(start.saturating_add(own));
    }
    (longest > Duration::ZERO).then_some(longest)
}

/// Times of a scenario.
pub(super) fn scenario(scenario: &mut Node, scale: &Scale) {
    let at_least = |least: Duration| move |text: &str| scaled(text, scale, least);
    change(scenario, "startTime", at_least(Duration::ZERO));
    change(scenario, "duration", at_least(SECOND));
    if let Some(stages) = entry_mut(scenario, "stages") {
        each_value(stages, |stage| {
            change(stage, "duration", at_least(Duration::ZERO));
        });
    } else if scenario.get("duration").is_none() {
        max_duration(scenario, scale);
    }
}

/// The longest time of iterations, also if it stands nowhere.
fn max_duration(scenario: &mut Node, scale: &Scale) {
    if scenario.get("maxDuration").is_some() {
        change(scenario, "maxDuration", |text| scaled(text, scale, SECOND));
        return;
    }
    let (mark, path) = (scenario.mark, scenario.path.key("maxDuration"));
    let raw = scaled(&format_duration(MAX_DURATION), scale, SECOND);
    if let (Kind::Map(entries), Some(raw)) = (&mut scenario.kind, raw) {
        entries.push(Entry {
            key: "maxDuration".to_owned(),
            key_mark: mark,
            value: Node {
                mark,
                path,
                kind: scalar(raw),
            },
        });
    }
}

/// The beginning and the end of what a threshold or an objective judges.
pub(super) fn part(item: &mut Node, scale: &Scale) {
    if !matches!(item.kind, Kind::Map(_)) {
        return;
    }
    for key in ["from", "to", "delayAbortEval"] {
        if let Some(time) = entry_mut(item, key) {
            whole_seconds(time, scale);
        }
    }
}

/// A time that is counted in whole seconds; what is not zero does not become it.
pub(super) fn whole_seconds(node: &mut Node, scale: &Scale) {
    change_scalar(node, |text| {
        let time = parse_duration(text).ok()?;
        let seconds = time.as_secs_f64() * scale.time;
        let least = u8::from(!time.is_zero()).into();
        let seconds = seconds.round().max(least);
        Some(format_duration(Duration::from_secs_f64(seconds)))
    });
}

/// The longest time of the whole run: a longer schedule has a later end, and a shorter one an end of its own anyway.
pub(super) fn bound(run: &mut Node, scale: &Scale) {
    if scale.time > 1.0 {
        change(run, "max_duration", |text| scaled(text, scale, SECOND));
    }
}

/// A time in whole milliseconds.
fn scaled(text: &str, scale: &Scale, least: Duration) -> Option<String> {
    let time = parse_duration(text).ok()?.as_secs_f64() * scale.time;
    let ms = (time * 1_000.0).round();
    let time = Duration::try_from_secs_f64(ms / 1_000.0).ok()?;
    Some(format_duration(
        time.max(least).min(scale.duration.max(least)),
    ))
}
