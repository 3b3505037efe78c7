//! What a plan says of itself before it runs.

use super::files::files;
use super::plan::{
    Element, Group, Kind, Plan, Values, checks, is_assertion, is_sampler, is_timer, parameters,
    resolved,
};
use crate::inspect::{Inspection, Lifted, Planned};
use crate::launch::LaunchError;
use floodgate_core::definition::model::{Executor, Stage};
use floodgate_core::metric::Builtin;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How long JMeter lets a group with a number of loops run: until it is done.
const UNBOUNDED: Duration = Duration::from_secs(366 * 24 * 3_600);

/// The most steps of a stepping group that are planned one by one.
const MOST_STEPS: u64 = 1_000;

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
    let plan = Plan::parse(&resolved(bytes)).map_err(|problem| LaunchError::Script {
        script: script.to_owned(),
        problem,
    })?;
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
        inspection.scenarios.push(Planned {
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
fn assertions_hold() -> Lifted {
    Lifted {
        key: Builtin::Checks.name().to_owned(),
        expression: "rate==1".to_owned(),
        abort_on_fail: false,
        delay: Duration::ZERO,
    }
}

/// Seconds in a value; JMeter reads what is empty as 0.
fn seconds(values: &Values, text: &str) -> Result<Duration, String> {
    values.whole(text).map(Duration::from_secs)
}

fn start(group: &Group<'_>, values: &Values) -> Result<Duration, String> {
    match group.kind {
        Kind::Plain | Kind::SetUp | Kind::TearDown
            if group.element.text("ThreadGroup.scheduler") == "true" =>
        {
            seconds(values, group.element.text("ThreadGroup.delay"))
        }
        Kind::Stepping => seconds(values, group.element.text("Threads initial delay")),
        _ => Ok(Duration::ZERO),
    }
}

fn executor(group: &Group<'_>, values: &Values) -> Result<Option<Executor>, String> {
    let element = group.element;
    match group.kind {
        Kind::Plain | Kind::SetUp | Kind::TearDown => plain(element, values),
        Kind::Ultimate => ultimate(element, values).map(Some),
        Kind::Stepping => stepping(element, values),
        Kind::Concurrency => {
            let target = values.whole(element.text("TargetLevel"))?;
            let (ramp, hold) = ramp_and_hold(element, values)?;
            let stages = vec![
                Stage {
                    duration: ramp,
                    target,
                },
                Stage {
                    duration: hold,
                    target,
                },
            ];
            Ok(Some(ramping(stages)))
        }
        Kind::Arrivals => {
            let (ramp, hold) = ramp_and_hold(element, values)?;
            let target = values.whole(element.text("TargetLevel"))?;
            let most = values.whole(element.text("ConcurrencyLimit"))?;
            Ok(Some(Executor::RampingArrivalRate {
                start_rate: 0,
                time_unit: unit(element),
                stages: vec![
                    Stage {
                        duration: ramp,
                        target,
                    },
                    Stage {
                        duration: hold,
                        target,
                    },
                ],
                pre_allocated_vus: 0,
                max_vus: most,
                max_lateness: UNBOUNDED,
            }))
        }
        Kind::FreeArrivals | Kind::OpenModel => Ok(None),
    }
}

/// JMeter's own: threads that start over the ramp, each with a number of loops or until the duration is over.
fn plain(element: &Element, values: &Values) -> Result<Option<Executor>, String> {
    let vus = values.whole(element.text("ThreadGroup.num_threads"))?;
    let ramp = seconds(values, element.text("ThreadGroup.ramp_time"))?;
    let loops = element
        .any("LoopController.loops")
        .map_or("1", |prop| prop.text.trim());
    let loops = values.evaluate(loops)?;
    let forever = loops.trim() == "-1"
        || element
            .any("LoopController.continue_forever")
            .is_some_and(|prop| prop.text == "true");
    let scheduled = element.text("ThreadGroup.scheduler") == "true";
    let duration = match scheduled {
        true => {
            Some(seconds(values, element.text("ThreadGroup.duration"))?).filter(|d| !d.is_zero())
        }
        false => None,
    };
    if !forever {
        let iterations = values.whole(&loops)?;
        return Ok(Some(Executor::PerVuIterations {
            vus,
            iterations,
            max_duration: duration.unwrap_or(UNBOUNDED),
        }));
    }
    // Without an end only the samplers or a person stop it.
    let Some(duration) = duration else {
        return Ok(None);
    };
    if ramp.is_zero() {
        return Ok(Some(Executor::ConstantVus { vus, duration }));
    }
    let ramp = ramp.min(duration);
    Ok(Some(ramping(vec![
        Stage {
            duration: ramp,
            target: vus,
        },
        Stage {
            duration: duration - ramp,
            target: vus,
        },
    ])))
}

fn ramping(stages: Vec<Stage>) -> Executor {
    Executor::RampingVus {
        start_vus: 0,
        stages,
        graceful_ramp_down: Duration::ZERO,
    }
}

fn unit(element: &Element) -> Duration {
    match element.text("Unit") {
        "S" => Duration::from_secs(1),
        _ => Duration::from_secs(60),
    }
}

fn ramp_and_hold(element: &Element, values: &Values) -> Result<(Duration, Duration), String> {
    let long = |name: &str| -> Result<Duration, String> {
        let count = values.number(element.text(name)).or_else(|why| {
            if element.text(name).is_empty() {
                Ok(0.0)
            } else {
                Err(why)
            }
        })?;
        Ok(unit(element).mul_f64(count.clamp(0.0, 1e6)))
    };
    Ok((long("RampUp")?, long("Hold")?))
}

/// The corners of a table of ramps: each row has threads, delay, ramp up, hold, ramp down in seconds.
fn ultimate(element: &Element, values: &Values) -> Result<Executor, String> {
    let mut ramps = Vec::new();
    let rows = element.rows("ultimatethreadgroupdata");
    if rows.len() as u64 > MOST_STEPS {
        return Err(format!("a table of {} rows", rows.len()));
    }
    for row in rows {
        let cell = |n: usize| row.get(n).map_or(Ok(0), |prop| values.whole(&prop.text));
        let (threads, delay, up, hold, down) = (cell(0)?, cell(1)?, cell(2)?, cell(3)?, cell(4)?);
        let risen = delay.saturating_add(up);
        let falling = risen.saturating_add(hold);
        ramps.push((
            threads,
            [delay, risen, falling, falling.saturating_add(down)],
        ));
    }
    let level = |at: u64| -> u64 {
        let each = ramps
            .iter()
            .map(|&(threads, [delay, risen, falling, ended])| {
                let part =
                    |from: u64, to: u64| threads as f64 * (at - from) as f64 / (to - from) as f64;
                match at {
                    at if at < delay || at >= ended => 0.0,
                    at if at < risen => part(delay, risen),
                    at if at < falling => threads as f64,
                    _ => threads as f64 - part(falling, ended),
                }
            });
        each.sum::<f64>().round() as u64
    };
    let corners: BTreeSet<u64> = ramps.iter().flat_map(|(_, corners)| *corners).collect();
    let (mut stages, mut last) = (Vec::new(), 0);
    for at in corners {
        // A jump at a corner is a ramp to just before it and a stage without length.
        let before = if at > last { level(at - 1) } else { 0 };
        stages.push(Stage {
            duration: Duration::from_secs(at - last),
            target: before,
        });
        stages.push(Stage {
            duration: Duration::ZERO,
            target: level(at),
        });
        last = at;
    }
    Ok(ramping(stages))
}

/// Steps up, a flight, steps down.
fn stepping(element: &Element, values: &Values) -> Result<Option<Executor>, String> {
    let whole = |name: &str| values.whole(element.text(name));
    let all = whole("ThreadGroup.num_threads")?;
    let (count, burst, period) = (
        whole("Start users count")?,
        whole("Start users count burst")?,
        seconds(values, element.text("Start users period"))?,
    );
    let (stop, stop_period) = (
        whole("Stop users count")?,
        seconds(values, element.text("Stop users period"))?,
    );
    let flight = seconds(values, element.text("flighttime"))?;
    let ramp = seconds(values, element.text("rampUp"))?;
    if count == 0
        || stop == 0
        || all.div_ceil(count) > MOST_STEPS
        || all.div_ceil(stop) > MOST_STEPS
    {
        return Ok(None);
    }
    let mut stages = Vec::new();
    let mut now = if burst > 0 {
        burst.min(all)
    } else {
        count.min(all)
    };
    stages.push(Stage {
        duration: ramp,
        target: now,
    });
    while now < all {
        stages.push(Stage {
            duration: period.saturating_sub(ramp),
            target: now,
        });
        now = (now + count).min(all);
        stages.push(Stage {
            duration: ramp,
            target: now,
        });
    }
    stages.push(Stage {
        duration: flight,
        target: all,
    });
    while now > 0 {
        now = now.saturating_sub(stop);
        stages.push(Stage {
            duration: Duration::ZERO,
            target: now,
        });
        if now > 0 {
            stages.push(Stage {
                duration: stop_period,
                target: now,
            });
        }
    }
    Ok(Some(ramping(stages)))
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn of(inner: &str, with: &[(&str, &str)]) -> Inspection {
        let text = format!(
            "<jmeterTestPlan jmeter=\"5.6.3\"><hashTree><TestPlan testname=\"P\" enabled=\"true\"/><hashTree>{inner}</hashTree></hashTree></jmeterTestPlan>"
        );
        let with = with
            .iter()
            .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
            .collect();
        inspect(text.as_bytes(), "plan.jmx", &with, &|_| true).unwrap()
    }

    fn group(threads: &str, loops: &str, more: &str) -> String {
        format!(
            "<ThreadGroup testname=\"g\" enabled=\"true\"><elementProp name=\"ThreadGroup.main_controller\">\
             <stringProp name=\"LoopController.loops\">{loops}</stringProp></elementProp>\
             <stringProp name=\"ThreadGroup.num_threads\">{threads}</stringProp>{more}</ThreadGroup><hashTree/>"
        )
    }

    fn scheduled(ramp: u32, duration: u32) -> String {
        format!(
            "<stringProp name=\"ThreadGroup.ramp_time\">{ramp}</stringProp><boolProp name=\"ThreadGroup.scheduler\">true</boolProp>\
             <stringProp name=\"ThreadGroup.duration\">{duration}</stringProp><stringProp name=\"ThreadGroup.delay\">5</stringProp>"
        )
    }

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn groups_become_executors() {
        let loops = of(&group("${__P(n,4)}", "3", ""), &[("n", "6")]);
        assert_eq!(
            loops.scenarios[0].executor,
            Some(Executor::PerVuIterations {
                vus: 6,
                iterations: 3,
                max_duration: UNBOUNDED
            })
        );
        assert_eq!(loops.max_vus, Some(6));
        assert_eq!(loops.parameters["n"].as_deref(), Some("4"));
        let flat = of(&group("4", "-1", &scheduled(0, 60)), &[]);
        assert_eq!(flat.scenarios[0].start, s(5));
        let expected = Executor::ConstantVus {
            vus: 4,
            duration: s(60),
        };
        assert_eq!(flat.scenarios[0].executor, Some(expected));
        let ramp = of(&group("4", "-1", &scheduled(20, 60)), &[]);
        let stages = [(20, 4), (40, 4)].map(|(seconds, target)| Stage {
            duration: s(seconds),
            target,
        });
        assert_eq!(ramp.scenarios[0].executor, Some(ramping(stages.to_vec())));
        assert_eq!(of(&group("4", "-1", ""), &[]).scenarios[0].executor, None);
    }

    /// JMeter runs such a plan: the group does nothing, the others do theirs.
    #[test]
    fn a_group_that_starts_nothing_is_no_scenario() {
        let empty = "<kg.apc.jmeter.threads.UltimateThreadGroup testname=\"u\" enabled=\"true\">\
            <collectionProp name=\"ultimatethreadgroupdata\"/></kg.apc.jmeter.threads.UltimateThreadGroup><hashTree/>";
        let renamed = |group: String, name: &str| {
            group.replace("testname=\"g\"", &format!("testname=\"{name}\""))
        };
        let plan = [
            empty.to_owned(),
            renamed(group("0", "1", ""), "none"),
            renamed(group("2", "0", ""), "never"),
            renamed(group("2", "-1", &scheduled(0, 60)), "works"),
        ];
        let found = of(&plan.concat(), &[]);
        let names: Vec<_> = found.scenarios.iter().map(|s| s.name.as_str()).collect();
        assert_eq!(names, ["works"]);
        let said = |name: &str| format!("{name}: it has no threads or starts, and sends nothing");
        assert_eq!(found.warnings, ["u", "none", "never"].map(said));
        assert_eq!(found.max_vus, Some(4));
    }

    #[test]
    fn assertions_of_what_runs_have_to_hold() {
        let asserted = "<hashTree><HTTPSamplerProxy testname=\"s\"/><hashTree>\
            <ResponseAssertion testname=\"a\"/><hashTree/></hashTree></hashTree>";
        let with = |threads: &str| {
            of(
                &group(threads, "1", "").replace("<hashTree/>", asserted),
                &[],
            )
        };
        let lifted: Vec<_> = with("1")
            .thresholds
            .into_iter()
            .map(|t| format!("{}: {}", t.key, t.expression))
            .collect();
        assert_eq!(lifted, ["checks: rate==1"]);
        assert_eq!(with("0").thresholds, [], "its sampler never runs");
        let fragment = format!("<TestFragmentController testname=\"f\"/>{asserted}");
        assert_eq!(of(&fragment, &[]).thresholds, [], "nothing runs it");
        let module = format!("{fragment}<ModuleController testname=\"m\"/><hashTree/>");
        assert_eq!(of(&module, &[]).thresholds.len(), 1);
    }

    #[test]
    fn files_that_are_read_travel_and_those_that_are_written_do_not() {
        let prop =
            |name: &str, value: &str| format!("<stringProp name=\"{name}\">{value}</stringProp>");
        let element = |class: &str, inner: &str| {
            format!("<{class} testname=\"e\">{inner}</{class}><hashTree/>")
        };
        let plan = [
            element("CSVDataSet", &prop("filename", "../data/users.csv")),
            element("CSVDataSet", &prop("filename", "gone.csv")),
            element("ResultCollector", &prop("filename", "there.jtl")),
            element(
                "kg.apc.jmeter.reporters.FlexibleFileWriter",
                &prop("filename", "there.out"),
            ),
            element(
                "kg.apc.jmeter.perfmon.PerfMonCollector",
                &prop("filename", "perfmon.csv"),
            ),
            element("a.plugin.of.Somebody", &prop("filename", "perhaps.out")),
            element("JSR223Sampler", &prop("filename", "there.groovy")),
            element(
                "HTTPSamplerProxy",
                &prop("x", "${__FileToString(there.json,,)} ${__CSVRead(*list,0)}"),
            ),
        ];
        let text = format!(
            "<jmeterTestPlan><hashTree><TestPlan/><hashTree>{}</hashTree></hashTree></jmeterTestPlan>",
            plan.concat()
        );
        let there = |name: &str| name.contains("there.") || name.starts_with("../");
        let found = inspect(text.as_bytes(), "plan.jmx", &BTreeMap::new(), &there).unwrap();
        assert_eq!(
            found.files,
            ["../data/users.csv", "there.groovy", "there.json"]
        );
        assert_eq!(
            found.warnings,
            ["CSVDataSet \"e\" reads gone.csv, which is not there"]
        );
    }

    /// Plans that would take for ever, or more memory than there is, if each thing were looked at for each other.
    #[test]
    fn hostile_plans_are_read_in_no_time() {
        let cell = |text: &str| format!("<stringProp name=\"c\">{text}</stringProp>");
        let row = format!(
            "<collectionProp name=\"r\">{}</collectionProp>",
            ["1", "0", "1", "1", "1"].map(cell).concat()
        );
        let table = format!(
            "<kg.apc.jmeter.threads.UltimateThreadGroup testname=\"u\"><collectionProp name=\"ultimatethreadgroupdata\">{}</collectionProp>\
             </kg.apc.jmeter.threads.UltimateThreadGroup><hashTree/>",
            row.repeat(50_000)
        );
        let found = of(&table, &[]);
        assert_eq!(
            found.warnings,
            ["u: its load is not known before the run: a table of 50000 rows"]
        );

        let most = i64::MAX.to_string();
        let found = of(&group(&most, "1", "").repeat(3), &[]);
        assert_eq!(found.max_vus, Some(u64::MAX));

        let variable = |n: usize, value: &str| {
            format!(
                "<elementProp name=\"\"><stringProp name=\"Argument.name\">v{n}</stringProp><stringProp name=\"Argument.value\">{value}</stringProp></elementProp>"
            )
        };
        let nested: String = (1..15)
            .map(|n| variable(n, &format!("${{v{}}}", n - 1).repeat(100)))
            .collect();
        let variables = format!(
            "<Arguments testname=\"a\">{}{nested}</Arguments><hashTree/>",
            variable(0, "")
        );
        let found = of(&format!("{variables}{}", group("${v14}", "1", "")), &[]);
        assert_eq!(found.scenarios[0].executor, None);

        let element = |class: &str| format!("<{class} testname=\"e\"/><hashTree/>");
        let many = element("ResponseAssertion").repeat(20_000)
            + &element("HTTPSamplerProxy").repeat(20_000);
        let found = of(
            &group("1", "1", "").replace("<hashTree/>", &format!("<hashTree>{many}</hashTree>")),
            &[],
        );
        assert_eq!(found.thresholds.len(), 1);
    }

    #[test]
    fn what_is_not_known_is_left_out_with_a_warning() {
        let found = of(&group("${__groovy(1)}", "1", ""), &[]);
        assert_eq!(found.scenarios[0].executor, None);
        assert_eq!(found.max_vus, None);
        assert_eq!(
            found.warnings,
            ["g: its load is not known before the run: ${__groovy(1)}"]
        );
        let odd = of(
            "<x.y.OddThreadGroup testname=\"o\" enabled=\"true\"/><hashTree/>",
            &[],
        );
        assert!(odd.warnings[0].starts_with("OddThreadGroup is not a known thread group"));
    }

    #[test]
    fn tables_of_plugins_become_stages() {
        let cell = |text: &str| format!("<stringProp name=\"c\">{text}</stringProp>");
        let row: String = ["10", "5", "10", "20", "0"]
            .iter()
            .map(|text| cell(text))
            .collect();
        let ultimate = format!(
            "<kg.apc.jmeter.threads.UltimateThreadGroup testname=\"u\" enabled=\"true\"><collectionProp name=\"ultimatethreadgroupdata\">\
             <collectionProp name=\"r\">{row}</collectionProp></collectionProp></kg.apc.jmeter.threads.UltimateThreadGroup><hashTree/>"
        );
        let found = of(&ultimate, &[]);
        let Some(Executor::RampingVus { stages, .. }) = &found.scenarios[0].executor else {
            panic!("{:?}", found.scenarios);
        };
        let length: Duration = stages.iter().map(|stage| stage.duration).sum();
        assert_eq!(length, s(35));
        assert_eq!(stages.iter().map(|stage| stage.target).max(), Some(10));
        assert_eq!(stages.last().map(|stage| stage.target), Some(0));
        let prop =
            |name: &str, value: &str| format!("<stringProp name=\"{name}\">{value}</stringProp>");
        let stepping = format!(
            "<kg.apc.jmeter.threads.SteppingThreadGroup testname=\"s\" enabled=\"true\">{}{}{}{}{}{}</kg.apc.jmeter.threads.SteppingThreadGroup><hashTree/>",
            prop("ThreadGroup.num_threads", "10"),
            prop("Start users count", "4"),
            prop("Start users period", "30"),
            prop("Stop users count", "5"),
            prop("Stop users period", "1"),
            prop("flighttime", "60"),
        );
        let found = of(&stepping, &[]);
        let Some(Executor::RampingVus { stages, .. }) = &found.scenarios[0].executor else {
            panic!("{:?}", found.scenarios);
        };
        let targets: Vec<u64> = stages.iter().map(|stage| stage.target).collect();
        assert_eq!(targets, [4, 4, 8, 8, 10, 10, 5, 5, 0]);
        let length: Duration = stages.iter().map(|stage| stage.duration).sum();
        assert_eq!(length, s(30 + 30 + 60 + 1));
    }

    #[test]
    fn the_plan_is_told_in_its_own_words() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/fixtures/jmeter/plans/everything.jmx"
        );
        let found = inspect(
            &std::fs::read(path).unwrap(),
            "everything.jmx",
            &BTreeMap::new(),
            &|_| true,
        )
        .unwrap();
        let names: Vec<_> = found
            .scenarios
            .iter()
            .map(|planned| planned.name.as_str())
            .collect();
        assert_eq!(names, ["Shop, \"A\" 1", "Second-2", "Before", "After"]);
        assert_eq!(found.details["jmeter"], "5.6.3");
        assert_eq!(found.details["assertions"].as_array().unwrap().len(), 3);
        let samplers = found.details["thread_groups"][0]["samplers"]
            .as_array()
            .unwrap();
        assert!(samplers.contains(&json!("page")) && !samplers.contains(&json!("off")));
        assert_eq!(found.max_vus, Some(3));
        assert_eq!(found.warnings, Vec::<String>::new());
    }
}
