//! What a script says of its load goes into the definition that runs it, where the definition itself does not say it.
//!
//! So everything after this knows one form only: thresholds are the definition's, and planned load, sizing and deadline follow from
//! its scenarios as they do for the native engine.

use crate::inspect::{Inspection, Lifted, Planned};
use floodgate_core::definition::model::{Executor, Stage};
use floodgate_core::definition::{Overrides, Resolver, Severity, Source, parse};
use floodgate_core::execution::applied::scenario_name;
use floodgate_core::units::format_duration;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::time::Duration;

/// Adds to a normalised definition what it leaves open. Keys that it has stay as they are. Gives warnings, those of the inspection
/// among them.
///
/// `uncounted` is for an engine whose results do not tell how many iterations there were: a number of iterations is not a plan then that the
/// run could be held against, and the load is planned as VUs for that long at most.
pub fn lift(
    definition: &mut Map<String, Value>,
    inspection: &Inspection,
    uncounted: Option<Duration>,
) -> Vec<String> {
    let mut warnings = inspection.warnings.clone();
    let lifted = &inspection.thresholds;
    if definition.contains_key("thresholds") {
        if !lifted.is_empty() {
            let count = lifted.len();
            warnings.push(format!(
                "the script's own thresholds ({count}) are not looked at: the definition has some; remove its key thresholds to use the script's"
            ));
        }
    } else if !lifted.is_empty() {
        definition.insert("thresholds".into(), thresholds(lifted));
    }
    let (mut scenarios, mut names) = (Map::new(), Names::default());
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
fn by_time(planned: &Planned, duration: Duration) -> Planned {
    let executor = planned.executor.clone().map(|executor| match executor {
        Executor::SharedIterations { vus, .. } | Executor::PerVuIterations { vus, .. } => {
            Executor::ConstantVus { vus, duration }
        }
        other => other,
    });
    Planned {
        executor,
        ..planned.clone()
    }
}

fn thresholds(lifted: &[Lifted]) -> Value {
    let mut all = Map::new();
    for Lifted {
        key,
        expression,
        abort_on_fail,
        delay,
    } in lifted
    {
        let entry = if *abort_on_fail {
            json!({
                "threshold": expression,
                "abortOnFail": true,
                "delayAbortEval": format_duration(*delay),
            })
        } else {
            json!(expression)
        };
        let list = all.entry(key.clone()).or_insert_with(|| json!([]));
        if let Some(list) = list.as_array_mut() {
            list.push(entry);
        }
    }
    all.into()
}

/// The most scenarios that are planned: each has to be read and shown.
const MOST_SCENARIOS: usize = 500;

/// The longest name of a scenario.
const LONGEST_NAME: usize = 64;

/// Names that are taken, and the number of the next that is made of each.
#[derive(Default)]
struct Names(HashMap<String, u64>);

impl Names {
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

/// The scenario as a definition writes it; `None` if its executor is not known.
pub fn scenario(planned: &Planned) -> Option<Value> {
    let mut keys = executor(planned.executor.as_ref()?);
    keys.insert(
        "gracefulStop".into(),
        format_duration(planned.graceful_stop).into(),
    );
    if !planned.start.is_zero() {
        keys.insert("startTime".into(), format_duration(planned.start).into());
    }
    Some(keys.into())
}

/// An executor as a definition writes it.
pub fn executor(executor: &Executor) -> Map<String, Value> {
    let time = |duration: &Duration| Value::from(format_duration(*duration));
    let stages = |stages: &[Stage]| -> Value {
        let stage = |s: &Stage| json!({"duration": time(&s.duration), "target": s.target});
        stages.iter().map(stage).collect()
    };
    let keys = match executor {
        Executor::SharedIterations {
            vus,
            iterations,
            max_duration,
        } => {
            json!({"executor": "shared-iterations", "vus": vus, "iterations": iterations, "maxDuration": time(max_duration)})
        }
        Executor::PerVuIterations {
            vus,
            iterations,
            max_duration,
        } => {
            json!({"executor": "per-vu-iterations", "vus": vus, "iterations": iterations, "maxDuration": time(max_duration)})
        }
        Executor::ConstantVus { vus, duration } => {
            json!({"executor": "constant-vus", "vus": vus, "duration": time(duration)})
        }
        Executor::RampingVus {
            start_vus,
            stages: list,
            graceful_ramp_down,
        } => json!({
            "executor": "ramping-vus",
            "startVUs": start_vus,
            "stages": stages(list),
            "gracefulRampDown": time(graceful_ramp_down),
        }),
        Executor::ConstantArrivalRate {
            rate,
            time_unit,
            duration,
            pre_allocated_vus,
            max_vus,
            ..
        } => json!({
            "executor": "constant-arrival-rate",
            "rate": rate,
            "timeUnit": time(time_unit),
            "duration": time(duration),
            "preAllocatedVUs": pre_allocated_vus,
            "maxVUs": max_vus,
        }),
        Executor::RampingArrivalRate {
            start_rate,
            time_unit,
            stages: list,
            pre_allocated_vus,
            max_vus,
            ..
        } => json!({
            "executor": "ramping-arrival-rate",
            "startRate": start_rate,
            "timeUnit": time(time_unit),
            "stages": stages(list),
            "preAllocatedVUs": pre_allocated_vus,
            "maxVUs": max_vus,
        }),
    };
    match keys {
        Value::Object(keys) => keys,
        _ => Map::new(),
    }
}

impl Inspection {
    /// All of it as JSON, scenarios and thresholds in the form of a definition: what stands in the test's record.
    pub fn to_json(&self) -> Value {
        let scenarios: Vec<_> = self
            .scenarios
            .iter()
            .map(|planned| json!({"name": planned.name, "load": scenario(planned)}))
            .collect();
        json!({
            "scenarios": scenarios,
            "thresholds": thresholds(&self.thresholds),
            "max_vus": self.max_vus,
            "max_duration": self.max_duration.map(format_duration),
            "files": self.files,
            "parameters": self.parameters,
            "metrics": self.metrics,
            "details": self.details,
            "warnings": self.warnings,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn inspection() -> Inspection {
        let stages = vec![Stage {
            duration: 90 * SECOND,
            target: 7,
        }];
        let executors = [
            Executor::SharedIterations {
                vus: 2,
                iterations: 20,
                max_duration: 60 * SECOND,
            },
            Executor::PerVuIterations {
                vus: 2,
                iterations: 20,
                max_duration: 60 * SECOND,
            },
            Executor::ConstantVus {
                vus: 3,
                duration: 1500 * SECOND / 1000,
            },
            Executor::RampingVus {
                start_vus: 0,
                stages: stages.clone(),
                graceful_ramp_down: SECOND,
            },
            Executor::ConstantArrivalRate {
                rate: 5,
                time_unit: 60 * SECOND,
                duration: 90 * SECOND,
                pre_allocated_vus: 1,
                max_vus: 4,
                max_lateness: 10 * SECOND,
            },
            Executor::RampingArrivalRate {
                start_rate: 1,
                time_unit: SECOND,
                stages,
                pre_allocated_vus: 1,
                max_vus: 4,
                max_lateness: 10 * SECOND,
            },
        ];
        let planned = executors
            .into_iter()
            .enumerate()
            .map(|(number, executor)| Planned {
                name: format!("s{number}"),
                start: SECOND * number as u32,
                executor: Some(executor),
                graceful_stop: 5 * SECOND,
            });
        Inspection {
            scenarios: planned.collect(),
            thresholds: vec![
                Lifted {
                    key: "http_req_duration{name:home}".into(),
                    expression: "p(95)<500".into(),
                    abort_on_fail: true,
                    delay: 30 * SECOND,
                },
                Lifted {
                    key: "checks".into(),
                    expression: "rate>0.9".into(),
                    abort_on_fail: false,
                    delay: Duration::ZERO,
                },
            ],
            files: vec!["rows.csv".into()],
            ..Inspection::default()
        }
    }

    fn definition(json: Value) -> Map<String, Value> {
        json.as_object().unwrap().clone()
    }

    fn parsed(map: &Map<String, Value>) -> floodgate_core::definition::Parsed {
        let text = Value::from(map.clone()).to_string();
        let source = Source {
            name: "d.json",
            text: text.as_bytes(),
        };
        parse(&source, &Overrides::default(), &Nowhere)
            .unwrap_or_else(|faults| panic!("{faults:#}\n{text}"))
    }

    #[test]
    fn what_is_lifted_reads_back_as_it_was() {
        let mut map =
            definition(json!({"version": 1, "test": "t", "engine": "k6", "script": "a.js"}));
        assert!(lift(&mut map, &inspection(), None).is_empty());
        let read = parsed(&map).definition;
        let executors: Vec<_> = read
            .scenarios
            .iter()
            .map(|s| Some(s.executor.clone()))
            .collect();
        let planned: Vec<_> = inspection()
            .scenarios
            .into_iter()
            .map(|s| s.executor)
            .collect();
        assert_eq!(executors, planned);
        assert_eq!(read.scenarios[2].start_time, 2 * SECOND);
        assert_eq!(read.scenarios[2].graceful_stop, 5 * SECOND);
        assert_eq!(read.thresholds[0].expression, "p(95)<500");
        assert!(read.thresholds[0].abort_on_fail);
        assert_eq!(read.thresholds[0].delay_abort_eval, 30 * SECOND);
        assert_eq!(read.script_files, ["rows.csv"]);
        // Once more changes nothing but for the word on thresholds, which are the definition's now.
        let once = map.clone();
        assert_eq!(lift(&mut map, &inspection(), None).len(), 1);
        assert_eq!(map, once);
    }

    #[test]
    fn the_definition_comes_first() {
        let mut map = definition(json!({
            "version": 1, "test": "t", "engine": "jmeter", "script": "a.jmx", "files": ["own.csv", "rows.csv"],
            "thresholds": {"http_reqs": ["count>1"]},
            "scenarios": {"own": {"executor": "constant-vus", "duration": "1s"}},
        }));
        let warnings = lift(&mut map, &inspection(), None);
        assert!(
            warnings[0].contains("thresholds (2) are not looked at"),
            "{warnings:?}"
        );
        let read = parsed(&map).definition;
        assert_eq!((read.scenarios.len(), read.thresholds.len()), (1, 1));
        assert_eq!(read.script_files, ["own.csv", "rows.csv"]);
    }

    #[test]
    fn a_number_of_iterations_is_no_plan_where_nobody_counts_them() {
        let mut map =
            definition(json!({"version": 1, "test": "t", "engine": "jmeter", "script": "a.jmx"}));
        lift(&mut map, &inspection(), Some(90 * SECOND));
        let read = parsed(&map).definition;
        let expected = Executor::ConstantVus {
            vus: 2,
            duration: 90 * SECOND,
        };
        assert_eq!(read.scenarios[0].executor, expected);
        assert_eq!(read.scenarios[1].executor, expected);
        assert_eq!(read.scenarios.len(), inspection().scenarios.len());
    }

    #[test]
    fn names_are_made_and_never_refused() {
        let long = "Gruppe, sehr lang ".repeat(8);
        let names = ["", "a b", "a_b", "a b", &long, &long, "名前"];
        let planned = names.map(|name| Planned {
            name: name.to_owned(),
            start: Duration::ZERO,
            executor: Some(Executor::ConstantVus {
                vus: 1,
                duration: SECOND,
            }),
            graceful_stop: Duration::ZERO,
        });
        let found = Inspection {
            scenarios: planned.to_vec(),
            ..Inspection::default()
        };
        let mut map =
            definition(json!({"version": 1, "test": "t", "engine": "jmeter", "script": "a.jmx"}));
        assert!(lift(&mut map, &found, None).is_empty());
        let read = parsed(&map).definition;
        let made: Vec<_> = read.scenarios.iter().map(|s| s.name.as_str()).collect();
        let cut = "Gruppe__sehr_lang_Gruppe__sehr_lang_Gruppe__sehr_lang_Gruppe__se";
        let expected = [
            "scenario",
            "a_b",
            "a_b-2",
            "a_b-3",
            cut,
            &format!("{}-2", &cut[..62]),
            "__",
        ];
        assert_eq!(made, expected);
    }

    #[test]
    fn more_scenarios_than_can_be_shown_are_not_planned() {
        let mut many = inspection();
        many.scenarios = vec![many.scenarios[2].clone(); 501];
        let mut map =
            definition(json!({"version": 1, "test": "t", "engine": "jmeter", "script": "a.jmx"}));
        let warnings = lift(&mut map, &many, None);
        assert_eq!(
            warnings,
            ["the load is not planned: 501 scenarios are more than 500"]
        );
        many.scenarios.pop();
        lift(&mut map, &many, None);
        assert_eq!(parsed(&map).definition.scenarios.len(), 500);
    }

    /// A plan may say what no definition can: it runs, and what is not planned is said.
    #[test]
    fn a_load_that_no_definition_could_have_is_not_planned() {
        let mut odd = inspection();
        odd.scenarios[2].executor = Some(Executor::ConstantVus {
            vus: u64::MAX,
            duration: SECOND,
        });
        odd.max_duration = Some(90 * SECOND);
        let mut map =
            definition(json!({"version": 1, "test": "t", "engine": "k6", "script": "a.js"}));
        let warnings = lift(&mut map, &odd, None);
        assert!(
            warnings[0].starts_with("s2: its load is not planned"),
            "{warnings:?}"
        );
        assert_eq!(parsed(&map).definition.scenarios.len(), 0);
    }

    #[test]
    fn a_load_that_is_half_known_gives_a_longest_time_only() {
        let mut half = inspection();
        half.scenarios[1].executor = None;
        half.max_duration = Some(90 * SECOND);
        let mut map =
            definition(json!({"version": 1, "test": "t", "engine": "k6", "script": "a.js"}));
        lift(&mut map, &half, None);
        let read = parsed(&map).definition;
        assert_eq!(
            (read.scenarios.len(), read.run.max_duration),
            (0, Some(90 * SECOND))
        );
    }
}
