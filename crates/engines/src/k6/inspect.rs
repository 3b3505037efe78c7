//! What `k6 inspect --execution-requirements` says of a script: scenarios with all shortcuts resolved, thresholds, and the options.

use super::error_code;
use super::read::tags::is_kept;
use crate::error::LaunchError;
use crate::inspection::{Inspection, PlannedScenario, ScriptThreshold};
use floodgate_core::definition::model::{Executor, Stage};
use floodgate_core::threshold::{check, parse_key};
use floodgate_core::units::parse_duration;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// k6's defaults (<https://grafana.com/docs/k6/latest/using-k6/scenarios/executors/>).
const GRACE: Duration = Duration::from_secs(30);
const MAX_DURATION: Duration = Duration::from_secs(600);

/// Reads what k6 printed for a script.
///
/// # Errors
/// [`LaunchError::Script`] if it is not what k6 prints, an executor's option is missing, or a threshold is none that can be evaluated
/// here: to leave it out would let a run pass that it fails.
pub fn inspect(script: &str, printed: &[u8]) -> Result<Inspection, LaunchError> {
    let wrong = |problem: String| LaunchError::script(script, problem);
    let options: Value = serde_json::from_slice(printed).map_err(|error| {
        LaunchError::script_for(
            script,
            "k6 inspect printed something else than JSON: ",
            error,
        )
    })?;
    let mut inspection = Inspection::default();
    for (name, options) in entries(&options["scenarios"]) {
        let planned = scenario(name, options, &mut inspection.warnings).map_err(wrong)?;
        inspection.scenarios.push(planned);
    }
    for (key, list) in entries(&options["thresholds"]) {
        for threshold in list.as_array().into_iter().flatten() {
            let own = self::threshold(key, threshold, &mut inspection.warnings).map_err(wrong)?;
            inspection.thresholds.push(own);
        }
    }
    if !options["executionSegment"].is_null() {
        return Err(wrong(
            "the option executionSegment is for the run to set: leave it out".to_owned(),
        ));
    }
    inspection.max_vus = options["maxVUs"].as_u64();
    inspection.max_duration = duration(&options, "totalDuration").map_err(wrong)?;
    inspection.details = details(&options);
    if inspection.scenarios.iter().any(PlannedScenario::is_open) {
        inspection.warnings.push(OMISSION.to_owned());
    }
    Ok(inspection)
}

/// How coordinated omission stands with k6.
const OMISSION: &str = "k6 does not write when an iteration was due: http_req_response_time counts from when it started, and for dropped starts it is estimated from when they were dropped (corrected:dropped_start)";

fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn scenario(
    name: &str,
    options: &Value,
    warnings: &mut Vec<String>,
) -> Result<PlannedScenario, String> {
    let of = |problem: String| format!("scenario {name}: {problem}");
    let time = |key: &str| duration(options, key).map_err(of);
    let needed_time = |key: &str| time(key)?.ok_or_else(|| of(format!("{key} is missing")));
    let number = |key: &str| count(options, key).map_err(of);
    let needed = |key: &str| number(key)?.ok_or_else(|| of(format!("{key} is missing")));
    let arrivals = || -> Result<(u64, u64), String> {
        let before = needed("preAllocatedVUs")?;
        Ok((before, number("maxVUs")?.unwrap_or(before)))
    };
    let unit = || Ok::<_, String>(time("timeUnit")?.unwrap_or(Duration::from_secs(1)));
    let executor = options["executor"].as_str().unwrap_or_default();
    let executor = match executor {
        "shared-iterations" => Some(Executor::SharedIterations {
            vus: number("vus")?.unwrap_or(1),
            iterations: number("iterations")?.unwrap_or(1),
            max_duration: time("maxDuration")?.unwrap_or(MAX_DURATION),
        }),
        "per-vu-iterations" => Some(Executor::PerVuIterations {
            vus: number("vus")?.unwrap_or(1),
            iterations: number("iterations")?.unwrap_or(1),
            max_duration: time("maxDuration")?.unwrap_or(MAX_DURATION),
        }),
        "constant-vus" => Some(Executor::ConstantVus {
            vus: number("vus")?.unwrap_or(1),
            duration: needed_time("duration")?,
        }),
        "ramping-vus" => Some(Executor::RampingVus {
            start_vus: number("startVUs")?.unwrap_or(1),
            stages: stages(options).map_err(of)?,
            graceful_ramp_down: time("gracefulRampDown")?.unwrap_or(GRACE),
        }),
        "constant-arrival-rate" => Some(Executor::ConstantArrivalRate {
            rate: needed("rate")?,
            time_unit: unit()?,
            duration: needed_time("duration")?,
            pre_allocated_vus: arrivals()?.0,
            max_vus: arrivals()?.1,
            // k6 drops at once what finds no VU.
            max_lateness: Duration::ZERO,
        }),
        "ramping-arrival-rate" => Some(Executor::RampingArrivalRate {
            start_rate: number("startRate")?.unwrap_or(0),
            time_unit: unit()?,
            stages: stages(options).map_err(of)?,
            pre_allocated_vus: arrivals()?.0,
            max_vus: arrivals()?.1,
            max_lateness: Duration::ZERO,
        }),
        "externally-controlled" => {
            return Err(of(
                "its executor waits for orders during the run, which nobody gives here: use another, such as constant-vus"
                    .to_owned(),
            ));
        }
        other => {
            warnings.push(of(format!(
                "the load of the executor {other:?} is not known before the run"
            )));
            None
        }
    };
    Ok(PlannedScenario {
        name: name.to_owned(),
        start: time("startTime")?.unwrap_or_default(),
        executor,
        graceful_stop: time("gracefulStop")?.unwrap_or(GRACE),
    })
}

fn stages(options: &Value) -> Result<Vec<Stage>, String> {
    let stages = options["stages"].as_array().ok_or("stages are missing")?;
    let stage = |stage: &Value| {
        Ok(Stage {
            duration: duration(stage, "duration")?.ok_or("a stage has no duration")?,
            target: count(stage, "target")?.ok_or("a stage has no target")?,
        })
    };
    stages.iter().map(stage).collect()
}

/// A duration as k6 prints it: Go's form, or `null`.
fn duration(options: &Value, key: &str) -> Result<Option<Duration>, String> {
    let text = match &options[key] {
        Value::Null => return Ok(None),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let parsed = parse_duration(&text).map_err(|error| format!("{key}: {error}"))?;
    Ok(Some(parsed))
}

fn count(options: &Value, key: &str) -> Result<Option<u64>, String> {
    match &options[key] {
        Value::Null => Ok(None),
        value => value
            .as_u64()
            .map(Some)
            .ok_or_else(|| format!("{key} is {value}, not a whole number")),
    }
}

fn threshold(
    key: &str,
    threshold: &Value,
    warnings: &mut Vec<String>,
) -> Result<ScriptThreshold, String> {
    let expression = threshold
        .as_str()
        .or_else(|| threshold["threshold"].as_str())
        .unwrap_or_default();
    let key = rewritten(key, warnings)?;
    check(&key, expression).map_err(|error| {
        format!("the threshold {expression:?} on {key} cannot be evaluated here: {error}; change it, or give the run thresholds of its own")
    })?;
    Ok(ScriptThreshold {
        key,
        expression: expression.to_owned(),
        abort_on_fail: threshold["abortOnFail"].as_bool().unwrap_or(false),
        delay: duration(threshold, "delayAbortEval")?.unwrap_or_default(),
    })
}

/// The key with our tags for k6's: `url` is `name` (k6 gives both the same value), error codes have our names.
fn rewritten(text: &str, warnings: &mut Vec<String>) -> Result<String, String> {
    let mut key =
        parse_key(text).map_err(|error| format!("the threshold's key {text:?}: {error}"))?;
    for (tag, value) in std::mem::take(&mut key.tags.0) {
        let (tag, value) = match tag.as_str() {
            "url" => ("name".to_owned(), value),
            "error_code" => {
                let (tag, value) = error_code::of_filter(&value);
                (tag.to_owned(), value)
            }
            dropped if !is_kept(dropped) => {
                warnings.push(format!(
                    "the threshold on {text} never has data: the tag {tag} is not kept"
                ));
                (tag, value)
            }
            _ => (tag, value),
        };
        key.tags.0.insert(tag, value);
    }
    Ok(key.to_string())
}

/// The options that are set, without keys of certificates.
fn details(options: &Value) -> Value {
    fn set(value: &Value) -> Option<Value> {
        match value {
            Value::Null => None,
            Value::Object(map) => {
                let map: Map<_, _> = map
                    .iter()
                    .filter_map(|(key, value)| Some((key.clone(), set(value)?)))
                    .collect();
                (!map.is_empty()).then_some(Value::Object(map))
            }
            other => Some(other.clone()),
        }
    }
    let mut all = set(options).unwrap_or_else(|| json!({}));
    if let Some(map) = all.as_object_mut() {
        map.remove("tlsAuth");
    }
    all
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn fixture(name: &str) -> Inspection {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("fixtures/k6")
            .join(name);
        inspect("record.js", &std::fs::read(path).unwrap()).unwrap()
    }

    #[test]
    fn both_versions_tell_all_six_executors() {
        let inspection = fixture("inspect.json");
        let of = |name: &str| {
            inspection
                .scenarios
                .iter()
                .find(|planned| planned.name == name)
                .unwrap()
                .clone()
        };
        let s = Duration::from_secs;
        assert_eq!(
            of("browse").executor,
            Some(Executor::SharedIterations {
                vus: 2,
                iterations: 6,
                max_duration: s(600)
            })
        );
        assert_eq!(
            of("each").executor,
            Some(Executor::PerVuIterations {
                vus: 2,
                iterations: 2,
                max_duration: s(90)
            })
        );
        assert_eq!(
            of("loop").executor,
            Some(Executor::ConstantVus {
                vus: 1,
                duration: s(1)
            })
        );
        assert_eq!(
            of("ramp").executor,
            Some(Executor::RampingVus {
                start_vus: 1,
                stages: vec![
                    Stage {
                        duration: Duration::from_millis(500),
                        target: 2
                    },
                    Stage {
                        duration: Duration::from_millis(500),
                        target: 0
                    }
                ],
                graceful_ramp_down: s(1),
            })
        );
        assert_eq!(
            (of("ramp").start, of("ramp").graceful_stop),
            (Duration::from_millis(500), s(30))
        );
        assert_eq!(
            of("api").executor,
            Some(Executor::ConstantArrivalRate {
                rate: 20,
                time_unit: s(1),
                duration: s(1),
                pre_allocated_vus: 1,
                max_vus: 1,
                max_lateness: Duration::ZERO
            })
        );
        assert_eq!(of("api").graceful_stop, s(5));
        assert_eq!(
            of("open").executor,
            Some(Executor::RampingArrivalRate {
                start_rate: 30,
                time_unit: s(60),
                stages: vec![
                    Stage {
                        duration: s(1),
                        target: 120
                    },
                    Stage {
                        duration: Duration::ZERO,
                        target: 60
                    }
                ],
                pre_allocated_vus: 2,
                max_vus: 2,
                max_lateness: Duration::ZERO,
            })
        );
        assert_eq!(inspection.max_vus, Some(10));
        assert_eq!(inspection.max_duration, Some(s(630)));
        assert_eq!(inspection.details["rps"], 500);
        assert!(inspection.details.get("noSetup").is_none());
        assert_eq!(inspection.warnings, [OMISSION]);
        let old = fixture("inspect-v1.json");
        assert_eq!(old.scenarios, inspection.scenarios);
        assert_eq!(old.thresholds, inspection.thresholds);
    }

    #[test]
    fn thresholds_are_lifted_with_our_tags() {
        let shown: Vec<_> = fixture("inspect.json")
            .thresholds
            .iter()
            .map(|lifted| {
                format!(
                    "{}: {} {} {:?}",
                    lifted.key, lifted.expression, lifted.abort_on_fail, lifted.delay
                )
            })
            .collect();
        for wanted in [
            "http_req_duration: p(95)<500 false 0ns",
            "http_req_duration: avg<200 true 10s",
            "http_req_failed{scenario:browse}: rate<0.5 false 0ns",
            "checks{check:says <welcome>,group:::front::home}: rate>0 false 0ns",
        ] {
            assert!(
                shown.iter().any(|lifted| lifted == wanted),
                "{wanted} is not in {shown:#?}"
            );
        }
        let one = |key: &str| {
            inspect(
                "x.js",
                json!({"thresholds": {key: ["rate<0.1"]}})
                    .to_string()
                    .as_bytes(),
            )
        };
        assert_eq!(
            one("http_req_failed{url:http://x/}").unwrap().thresholds[0].key,
            "http_req_failed{name:http://x/}"
        );
        assert_eq!(
            one("http_req_failed{error_code:1404}").unwrap().thresholds[0].key,
            "http_req_failed{status:404}"
        );
        assert_eq!(
            one("http_req_failed{error_code:1212}").unwrap().thresholds[0].key,
            "http_req_failed{error_code:connection_refused}"
        );
        let dropped = one("http_req_failed{proto:HTTP/1.1}").unwrap();
        assert!(
            dropped.warnings[0].contains("tag proto is not kept"),
            "{:?}",
            dropped.warnings
        );
        let error = one("http_req_duration").unwrap_err().to_string();
        assert!(
            error.starts_with("x.js: the threshold \"rate<0.1\" on http_req_duration"),
            "{error}"
        );
    }

    #[test]
    fn what_is_not_known_is_said() {
        let text =
            json!({"scenarios": {"a": {"executor": "of-an-extension", "vus": 1}}}).to_string();
        let inspection = inspect("x.js", text.as_bytes()).unwrap();
        assert_eq!(inspection.scenarios[0].executor, None);
        assert!(inspection.warnings[0].contains("of-an-extension"));
        for (text, problem) in [
            (
                r#"{"scenarios":{"a":{"executor":"externally-controlled","vus":1}}}"#,
                "x.js: scenario a: its executor waits for orders",
            ),
            (
                r#"{"executionSegment":"0:1/2"}"#,
                "executionSegment is for the run to set",
            ),
            ("k6 says no", "something else than JSON"),
            (
                r#"{"scenarios":{"a":{"executor":"constant-vus"}}}"#,
                "scenario a: duration is missing",
            ),
            (
                r#"{"scenarios":{"a":{"executor":"shared-iterations","vus":-1}}}"#,
                "vus is -1",
            ),
            (
                r#"{"scenarios":{"a":{"executor":"ramping-vus","stages":[{"duration":"1x","target":1}]}}}"#,
                "duration",
            ),
        ] {
            let error = inspect("x.js", text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
        }
    }
}
