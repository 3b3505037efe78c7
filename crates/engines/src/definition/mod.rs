//! What a script says of its load goes into the definition that runs it, where the definition itself does not say it.
//!
//! So everything after this knows one form only: thresholds are the definition's, and planned load, sizing and deadline follow from
//! its scenarios as they do for the native engine.

mod keys;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

pub use keys::{executor, scenario};

use crate::inspection::{Inspection, PlannedScenario};
use floodgate_core::definition::model::Executor;
use floodgate_core::definition::{Overrides, Resolver, Severity, Source, parse};
use floodgate_core::execution::applied::scenario_name;
use floodgate_core::units::format_duration;
use keys::thresholds;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::time::Duration;

/// Adds to a normalised definition what it leaves open. Keys that it has stay as they are. Gives warnings, those of the inspection
/// among them.
///
/// `uncounted` is for an engine whose results do not tell how many iterations there were: a number of iterations is not a plan then that the
/// run could be held against, and the load is planned as VUs for that long at most.
pub fn complete(
    definition: &mut Map<String, Value>,
    inspection: &Inspection,
    uncounted: Option<Duration>,
) -> Vec<String> {
    let mut warnings = inspection.warnings.clone();
    let own = &inspection.thresholds;
    if definition.contains_key("thresholds") {
        if !own.is_empty() {
            let count = own.len();
            warnings.push(format!(
                "the script's own thresholds ({count}) are ignored, because the definition has some; remove its key thresholds to use the script's"
            ));
        }
    } else if !own.is_empty() {
        definition.insert("thresholds".into(), thresholds(own));
    }
    let (mut scenarios, mut names) = (Map::new(), TakenNames::default());
    let many = inspection.scenarios.len() > MOST_SCENARIOS;
    if many {
        warnings.push(format!(
            "the load is not planned: {} scenarios are more than {MOST_SCENARIOS}",
            inspection.scenarios.len()
        ));
    }
    for planned in inspection.scenarios.iter().filter(|_| !many) {
        let load = match uncounted {
            None => scenario(planned),
            Some(longest) => scenario(&by_time(planned, longest)),
        };
        let name = names.unused(scenario_name(&planned.name));
        let Some(load) = load else { continue };
        match doubt(&load) {
            None => drop(scenarios.insert(name, load)),
            Some(why) => warnings.push(format!(
                "{}: its load is not planned, since no scenario of a definition could say it: {why}",
                planned.name
            )),
        }
    }
    let all = scenarios.len() == inspection.scenarios.len();
    if !definition.contains_key("scenarios") && !scenarios.is_empty() && all {
        definition.insert("scenarios".into(), scenarios.into());
    } else if let Some(longest) = inspection.max_duration
        && !definition.contains_key("scenarios")
    {
        let run = definition.entry("run").or_insert_with(|| Map::new().into());
        if let Some(run) = run.as_object_mut() {
            run.entry("max_duration")
                .or_insert_with(|| format_duration(longest).into());
        }
    }
    let files = definition.get("files").and_then(Value::as_array).cloned();
    let mut files = files.unwrap_or_default();
    for file in &inspection.files {
        if !files.iter().any(|known| known == file) {
            files.push(file.clone().into());
        }
    }
    if !files.is_empty() {
        definition.insert("files".into(), files.into());
    }
    warnings
}

/// The same load as VUs for a time, if a number of iterations ends it.
fn by_time(planned: &PlannedScenario, duration: Duration) -> PlannedScenario {
    let executor = planned.executor.clone().map(|executor| match executor {
        Executor::SharedIterations { vus, .. } | Executor::PerVuIterations { vus, .. } => {
            Executor::ConstantVus { vus, duration }
        }
        other => other,
    });
    PlannedScenario {
        executor,
        ..planned.clone()
    }
}

/// The most scenarios that are planned: each has to be read and shown.
const MOST_SCENARIOS: usize = 500;

/// The longest name of a scenario.
const LONGEST_NAME: usize = 64;

/// Names that are taken, and the number of the next that is made of each.
#[derive(Default)]
struct TakenNames(HashMap<String, u64>);

impl TakenNames {
    /// The name, with `-2`, `-3`, … in place of its end if others have it.
    fn unused(&mut self, name: String) -> String {
        let mut made = name.clone();
        while self.0.contains_key(&made) {
            let next = self.0.entry(name.clone()).or_insert(1);
            *next += 1;
            let end = format!("-{next}");
            let kept = name.len().min(LONGEST_NAME - end.len());
            made = format!("{}{end}", &name[..kept]);
        }
        self.0.insert(made.clone(), 1);
        made
    }
}

/// Surroundings of a definition that is made up: nothing is looked for.
struct Nowhere;

impl Resolver for Nowhere {
    fn env(&self, _: &str) -> Option<String> {
        None
    }

    fn secret(&self, _: &str) -> Result<String, String> {
        Err("there are none".to_owned())
    }

    fn file_exists(&self, _: &str) -> bool {
        true
    }
}

/// Why a definition cannot have a scenario with this load. An engine's plan may be anything, and runs all the same.
fn doubt(load: &Value) -> Option<String> {
    let text = json!({
        "version": 1, "test": "t", "engine": "k6", "script": "s", "scenarios": {"s": load},
    });
    let text = text.to_string();
    let source = Source {
        name: "s",
        text: text.as_bytes(),
    };
    let faults = parse(&source, &Overrides::default(), &Nowhere).err()?;
    let first = faults
        .0
        .iter()
        .find(|fault| fault.severity == Severity::Error)?;
    Some(first.problem.clone())
}
