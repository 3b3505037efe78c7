//! How much of the planned load was applied, and how evenly it began.

use crate::definition::model::{Definition, Step};
use crate::threshold::{MetricSource, is_unanswered};
use floodgate_records::execution::AppliedLoad;
use floodgate_records::manifest::Manifest;
use floodgate_records::metric::{Builtin, MetricKind, OTHER_REQUESTS, Tags};
use std::collections::BTreeSet;

/// What was sent. Counts come from the merged data, since they know of lost tasks too; how many starts a task was given
/// only its manifest says. `planned` is what all tasks together were to start if nothing stopped the run.
pub fn applied_load(
    manifests: &[Manifest],
    source: &dyn MetricSource,
    planned: Option<u64>,
    stopped: bool,
) -> AppliedLoad {
    let sum = |metric: Builtin| {
        source
            .select(metric.name(), &Tags::new())
            .map_or(0.0, |s| s.sum)
            .round() as u64
    };
    let interrupted: u64 = manifests
        .iter()
        .map(|m| m.totals.interrupted_iterations)
        .sum();
    // An iteration that ended early for want of a value did not run to its end either.
    let interrupted = interrupted + sum(Builtin::FailedIterations);
    let iterations = sum(Builtin::Iterations) + interrupted;
    let dropped_iterations = sum(Builtin::DroppedIterations);
    let scheduled: Option<u64> = manifests
        .iter()
        .filter_map(|m| m.totals.scheduled_iterations)
        .reduce(u64::saturating_add);
    let share = |part: u64, of: u64| (of > 0).then(|| (part as f64 / of as f64).min(1.0));
    let ratio = match (planned, scheduled) {
        // A run that was stopped early cannot have applied all of its plan: what counts is what was due by then.
        (Some(_), Some(due)) if stopped => share(iterations, due),
        (Some(planned), _) if !stopped => share(iterations, planned),
        // Beside a closed loop the iterations do not tell which scenario they are of; drops do.
        (None, Some(due)) => share(due.saturating_sub(dropped_iterations), due),
        _ => None,
    };
    AppliedLoad {
        iterations,
        interrupted_iterations: interrupted,
        dropped_iterations,
        http_reqs: sum(Builtin::HttpReqs),
        samples: other_requests(source),
        unanswered_reqs: source
            .select_where(Builtin::HttpReqs.name(), &is_unanswered)
            .map_or(0, |s| s.sum.round() as u64),
        ratio,
    }
}

/// The scenarios none of whose requests got a response, with how many these were.
pub fn unanswered_scenarios(source: &dyn MetricSource) -> Vec<(String, u64)> {
    let requests = Builtin::HttpReqs.name();
    let all = source.tag_values(requests, "scenario").into_iter();
    let all = all.map(|(name, sent)| (name, sent.sum.round() as u64));
    all.filter(|(name, sent)| {
        let answered = source.select_where(requests, &|tags| {
            tags.get("scenario") == Some(name) && !is_unanswered(tags)
        });
        *sent > 0 && !name.is_empty() && answered.is_none_or(|answered| answered.sum == 0.0)
    })
    .collect()
}

/// Requests of other protocols, as far as an external engine counts them.
fn other_requests(source: &dyn MetricSource) -> u64 {
    let counted = OTHER_REQUESTS.iter().filter_map(|metric| {
        let all = source.select(metric, &Tags::new())?;
        Some(match all.kind {
            MetricKind::Counter => all.sum.round() as u64,
            _ => all.count,
        })
    });
    counted.sum()
}

/// The scenarios of the native engine that were to send something and did not: a request if they have any, else an iteration that
/// was at least begun, which is all that is known if it was cut off.
pub fn silent_scenarios(
    definition: &Definition,
    source: &dyn MetricSource,
    interrupted: u64,
) -> Vec<String> {
    if definition.engine.runs_scripts() {
        return silent_in_a_script(definition, source);
    }
    let counted = |metric: Builtin, scenario: &str| {
        let filter = Tags::new().with("scenario", scenario);
        source
            .select(metric.name(), &filter)
            .is_some_and(|s| s.sum > 0.0)
    };
    let silent = definition.scenarios.iter().filter(|scenario| {
        let heard = if has_requests(&scenario.flow) {
            counted(Builtin::HttpReqs, &scenario.name)
        } else {
            interrupted > 0 || counted(Builtin::Iterations, &scenario.name)
        };
        !heard
    });
    silent.map(|scenario| scenario.name.clone()).collect()
}

/// The same of a script's scenarios, whose names the definition has in its own alphabet: see [`scenario_name`]. Where some scenario was heard
/// of under a name that the plan has not (one that is made while the script runs), it is not known which was silent.
fn silent_in_a_script(definition: &Definition, source: &dyn MetricSource) -> Vec<String> {
    let names = |metric: &str, least: f64| {
        let tagged = source.tag_values(metric, "scenario").into_iter();
        let loud = tagged.filter(move |(_, samples)| samples.sum >= least);
        loud.map(|(name, _)| scenario_name(&name))
    };
    let heard: BTreeSet<String> = match definition.engine.tells_scenarios_of_requests() {
        false => BTreeSet::new(),
        true => {
            let metrics = source.metrics();
            let telling = metrics.iter().filter(|(metric, _)| {
                Builtin::parse(metric).is_none_or(|known| known.name().starts_with("http_req"))
                    && metric != "group_duration"
            });
            let of_requests = telling.flat_map(|(metric, _)| names(metric, 0.0));
            let sent = names(Builtin::DataSent.name(), 1.0);
            of_requests.chain(sent).collect()
        }
    };
    let planned = || definition.scenarios.iter().map(|scenario| &scenario.name);
    let is_planned = |name: &String| planned().any(|planned| planned == name);
    if heard.is_empty() || !heard.iter().all(is_planned) {
        return Vec::new();
    }
    // Of two names that became one, the second has a number at its end.
    let is_heard = |name: &str| {
        let first = name.rsplit_once('-').filter(|(_, number)| {
            !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit())
        });
        let cut = name.len() == LONGEST_NAME;
        heard.contains(name)
            || first.is_some_and(|(first, _)| {
                heard
                    .iter()
                    .any(|heard| heard == first || cut && heard.starts_with(first))
            })
    };
    planned().filter(|name| !is_heard(name)).cloned().collect()
}

/// The longest name of a scenario.
const LONGEST_NAME: usize = 64;

/// An engine's name for a scenario in the alphabet of definitions: what is not a letter of ASCII, digit, `_` or `-` becomes `_`, what is longer
/// than 64 is cut, and without a name it is `scenario`. Names are made, never refused.
pub fn scenario_name(of_engine: &str) -> String {
    let letters = of_engine.chars().map(|c| {
        if c.is_ascii_alphanumeric() || c == '_' || c == '-' {
            c
        } else {
            '_'
        }
    });
    let name: String = letters.take(LONGEST_NAME).collect();
    if name.is_empty() {
        "scenario".to_owned()
    } else {
        name
    }
}

/// Whether a flow sends requests.
pub fn has_requests(flow: &[Step]) -> bool {
    flow.iter()
        .any(|step| matches!(step, Step::Request(_)) || step.blocks().into_iter().any(has_requests))
}

/// The largest difference between the actual starts of two tasks in µs; `None` without a task that started.
pub fn start_skew_us(manifests: &[Manifest]) -> Option<i64> {
    let started = || manifests.iter().filter(|m| !m.script.idle);
    let skews = || started().map(|m| m.start_skew_us);
    Some(skews().max()?.saturating_sub(skews().min()?))
}
