//! What a script says, as a definition writes it.

use crate::inspection::{Inspection, PlannedScenario, ScriptThreshold};
use floodgate_core::definition::model::{Executor, Stage};
use floodgate_core::units::format_duration;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// The scenario as a definition writes it; `None` if its executor is not known.
pub fn scenario(planned: &PlannedScenario) -> Option<Value> {
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

/// Thresholds as a definition writes them.
pub(super) fn thresholds(own: &[ScriptThreshold]) -> Value {
    let mut all = Map::new();
    for ScriptThreshold {
        key,
        expression,
        abort_on_fail,
        delay,
    } in own
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
