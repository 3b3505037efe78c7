//! What a plan says of itself before it runs.

mod load;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use super::files::files;
use super::plan::{
    Group, Kind, Plan, Values, checks, is_assertion, is_sampler, is_timer, parameters, resolved,
};
use crate::error::LaunchError;
use crate::inspection::{Inspection, PlannedScenario, ScriptThreshold};
use floodgate_records::metric::Builtin;
use load::{executor, start};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Reads a plan's metadata, given its bytes, its name for messages, the parameters that it will run with, and whether a file is there, named
/// relative to the plan's folder.
///
/// # Errors
/// [`LaunchError::Script`] if it is not a plan.
pub fn inspect(
    bytes: &[u8],
    script: &str,
    with: &BTreeMap<String, String>,
    there: &dyn Fn(&str) -> bool,
) -> Result<Inspection, LaunchError> {
    let plan =
        Plan::parse(&resolved(bytes)).map_err(|problem| LaunchError::script(script, problem))?;
    let values = Values::new(&plan, with);
    let groups = Group::all(&plan);
    let mut inspection = Inspection {
        parameters: parameters(&plan),
        details: details(&plan, &groups),
        ..Inspection::default()
    };
    let warnings = &mut inspection.warnings;
    let (idle, busy): (Vec<&Group<'_>>, Vec<_>) =
        groups.iter().partition(|group| group.is_idle(&values));
    for group in &idle {
        warnings.push(format!(
            "{}: it has no threads or starts, and sends nothing",
            group.element.name
        ));
    }
    let (silent, busy): (Vec<&Group<'_>>, Vec<_>) = busy
        .into_iter()
        .partition(|group| group.is_speechless(&plan));
    for group in &silent {
        warnings.push(format!(
            "{}: it has no sampler that is known here, and is not expected to send anything",
            group.element.name
        ));
    }
    for group in busy {
        let executor = match executor(group, &values) {
            Ok(executor) => executor,
            Err(why) => {
                warnings.push(format!(
                    "{}: its load is not known before the run: {why}",
                    group.element.name
                ));
                None
            }
        };
        inspection.scenarios.push(PlannedScenario {
            name: group.element.name.clone(),
            start: start(group, &values).unwrap_or_default(),
            executor,
            graceful_stop: Duration::ZERO,
        });
    }
    let serial = plan
        .enabled()
        .any(|(_, e)| e.class == "TestPlan" && e.text("TestPlan.serialize_threadgroups") == "true");
    if serial && groups.len() > 1 {
        warnings.push(
            "the thread groups run one after the other: their starts are not known before the run"
                .to_owned(),
        );
    }
    if let Some(kind) = unknown_groups(&plan).first() {
        warnings.push(format!(
            "{kind} is not a known thread group: its load can be neither planned nor split"
        ));
    }
    inspection.max_vus = max_vus(&groups, &values, serial);
    inspection.files = files(&plan, &values, there, warnings);
    let idle: BTreeSet<usize> = idle.iter().map(|group| group.number).collect();
    if checks(&plan, |number| !idle.contains(&number)).any() {
        inspection.thresholds.push(assertions_hold());
    }
    Ok(inspection)
}

/// Threads at once: of all groups that run beside each other.
fn max_vus(groups: &[Group<'_>], values: &Values, serial: bool) -> Option<u64> {
    let mut all = Vec::new();
    let mut around = 0;
    for group in groups {
        let threads = group.threads(values).ok().flatten()?;
        match group.kind {
            Kind::SetUp | Kind::TearDown => around = around.max(threads),
            _ => all.push(threads),
        }
    }
    let beside: u64 = if serial {
        all.iter().copied().max().unwrap_or(0)
    } else {
        all.iter()
            .fold(0, |sum: u64, threads| sum.saturating_add(*threads))
    };
    Some(beside.max(around))
}

/// Elements right under the plan that look like thread groups.
fn unknown_groups(plan: &Plan) -> Vec<&str> {
    let known: BTreeSet<usize> = Group::all(plan).iter().map(|group| group.number).collect();
    plan.enabled()
        .filter(|(number, e)| e.class.ends_with("ThreadGroup") && !known.contains(number))
        .map(|(_, e)| e.class.as_str())
        .collect()
}

/// JMeter's own word on a sample whose assertion fails is that it has failed; so every check has to hold.
fn assertions_hold() -> ScriptThreshold {
    ScriptThreshold {
        key: Builtin::Checks.name().to_owned(),
        expression: "rate==1".to_owned(),
        abort_on_fail: false,
        delay: Duration::ZERO,
    }
}

/// The plan in JMeter's own words.
fn details(plan: &Plan, groups: &[Group<'_>]) -> Value {
    let list = |wanted: fn(&str) -> bool| -> Vec<Value> {
        plan.enabled()
            .filter(|(_, e)| wanted(&e.class))
            .map(|(_, e)| json!({"type": e.class, "name": e.name}))
            .collect()
    };
    let mut of_groups: BTreeMap<usize, Vec<&str>> = groups
        .iter()
        .map(|group| (group.number, Vec::new()))
        .collect();
    for (number, sampler) in plan.enabled().filter(|(_, e)| is_sampler(&e.class)) {
        for above in plan.above(number) {
            if let Some(samplers) = of_groups.get_mut(&above) {
                samplers.push(&sampler.name);
            }
        }
    }
    let of_group = |group: &Group<'_>| {
        let samplers = &of_groups[&group.number];
        json!({"type": group.element.class, "name": group.element.name, "samplers": samplers})
    };
    let data: Vec<Value> = plan
        .enabled()
        .filter(|(_, e)| e.class == "CSVDataSet")
        .map(|(_, e)| {
            json!({
                "name": e.name,
                "file": e.text("filename"),
                "variables": e.text("variableNames"),
                "share": e.text("shareMode"),
                "recycle": e.text("recycle") != "false",
            })
        })
        .collect();
    let disabled = plan.elements.iter().filter(|e| !e.enabled).count();
    json!({
        "jmeter": plan.jmeter,
        "thread_groups": groups.iter().map(of_group).collect::<Vec<_>>(),
        "samplers": list(is_sampler),
        "assertions": list(is_assertion),
        "timers": list(is_timer),
        "data_sets": data,
        "fragments": list(|class| matches!(class, "TestFragmentController" | "ModuleController" | "IncludeController")),
        "disabled_elements": disabled,
    })
}
