//! What the steps of a run come to.

use super::{Load, Search, Trial};
use crate::definition::model::{CapacitySpec, Definition};
use floodgate_records::capacity::{
    CapacityControl, CapacityEnd, CapacitySeen, CapacityStep, CapacitySummary, StepOutcome,
};
use floodgate_records::metric::Builtin;
use std::time::Duration;

/// Iterations that a step judges, as far as its longest duration allows: with fewer, chance decides more than the load does.
const JUDGED_ITERATIONS: f64 = 4_000.0;
/// The longest judged part, unless a longer one was asked for.
const LONGEST_STEP: Duration = Duration::from_secs(60);
/// Steps are judged from a multiple of it to another, and so are the windows of all metrics: shards have this length.
pub const GRAIN: Duration = Duration::from_secs(5);

/// The search that a definition asks for; `None` if it asks for none, or has no load to scale.
pub fn search(definition: &Definition) -> Option<(CapacitySpec, Load, Search)> {
    let spec = definition.capacity?;
    let load = Load::of(&definition.scenarios)?;
    let search = Search {
        start: spec.start.unwrap_or(load.total / 10.0),
        max: spec.max,
        precision: spec.precision,
        whole: load.is_whole(),
    };
    Some((spec, load, search))
}

/// When a step is judged that begins at `from`: from when, and until when, in whole [`GRAIN`]s. While the load still doubles, the
/// shortest step will do; near the capacity chance has a say, and a step is long enough for many iterations.
pub fn judged_between(
    spec: &CapacitySpec,
    from: Duration,
    load: f64,
    is_near: bool,
) -> (Duration, Duration) {
    let enough = match is_near {
        true => Duration::try_from_secs_f64(JUDGED_ITERATIONS / load)
            .unwrap_or(LONGEST_STEP)
            .min(LONGEST_STEP),
        false => Duration::ZERO,
    };
    let settled = whole(from.saturating_add(spec.settle), GRAIN);
    let until = whole(settled.saturating_add(spec.step.max(enough)), GRAIN);
    (settled, until)
}

/// Rounded up to a multiple.
fn whole(duration: Duration, of: Duration) -> Duration {
    let parts = duration.as_nanos().div_ceil(of.as_nanos());
    of.saturating_mul(u32::try_from(parts).unwrap_or(u32::MAX))
}

/// The steps that say something of the target.
pub fn trials(steps: &[CapacityStep]) -> Vec<Trial> {
    let seen = steps
        .iter()
        .filter_map(|step| Some((step.load, step.seen.as_ref()?)));
    seen.filter_map(|(load, seen)| {
        let held = match seen.outcome {
            StepOutcome::Held => true,
            StepOutcome::Broke => false,
            StepOutcome::Spoiled => return None,
        };
        Some(Trial { load, held })
    })
    .collect()
}

/// What was found, whether or not the search came to its end. `None` if the definition asks for no capacity.
pub fn conclude(definition: &Definition, control: &CapacityControl) -> Option<CapacitySummary> {
    let (spec, load, search) = search(definition)?;
    let trials = trials(&control.steps);
    let of = |held: bool| {
        let those = trials.iter().filter(move |trial| trial.held == held);
        those.map(|trial| trial.load)
    };
    let interval = search.interval(&trials);
    let ended = control.ended.unwrap_or(CapacityEnd::Unmeasured);
    Some(CapacitySummary {
        low: interval
            .map(|i| i.low)
            .or_else(|| of(true).reduce(f64::max)),
        estimate: interval.map(|i| i.estimate),
        high: interval
            .map(|i| i.high)
            .or_else(|| of(false).reduce(f64::min)),
        unit: load.unit,
        limited_by: limited_by(&control.steps, ended),
        precision: spec.precision,
        ended,
        steps: control.steps.clone(),
    })
}

/// What broke at the smallest load that broke; without one, what ended the search.
fn limited_by(steps: &[CapacityStep], ended: CapacityEnd) -> Option<String> {
    let broke = |step: &CapacityStep| {
        let seen: &CapacitySeen = step.seen.as_ref()?;
        (seen.outcome == StepOutcome::Broke).then(|| (step.load, seen.why.first().cloned()))
    };
    if ended == CapacityEnd::Generator {
        return Some("generator".to_owned());
    }
    let first = steps
        .iter()
        .filter_map(broke)
        .min_by(|(a, _), (b, _)| a.total_cmp(b));
    match (first, ended) {
        (Some((_, why)), _) => why,
        (None, CapacityEnd::MaxLoad) => Some("max".to_owned()),
        (None, CapacityEnd::MaxDuration) => Some("max_duration".to_owned()),
        (None, _) => None,
    }
}

/// Whether a threshold bounds a time; without one, the capacity is where errors and dropped iterations begin.
pub fn bounds_a_time(definition: &Definition) -> bool {
    let times = |key: &str| {
        let metric = key.split('{').next().unwrap_or(key).trim();
        Builtin::parse(metric).is_none_or(|metric| {
            metric.name().contains("duration") || metric.name().contains("waiting")
        })
    };
    definition
        .thresholds
        .iter()
        .any(|threshold| times(&threshold.key))
}
