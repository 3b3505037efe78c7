use super::load::{UNBOUNDED, ramping};
use super::*;
use floodgate_core::definition::model::{Executor, Stage};

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
    let element =
        |class: &str, inner: &str| format!("<{class} testname=\"e\">{inner}</{class}><hashTree/>");
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
    let many =
        element("ResponseAssertion").repeat(20_000) + &element("HTTPSamplerProxy").repeat(20_000);
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
