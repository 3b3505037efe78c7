use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn wrap(inner: &str) -> String {
    format!(
        "<jmeterTestPlan><hashTree><TestPlan testname=\"P\" enabled=\"true\"/><hashTree>{inner}</hashTree></hashTree></jmeterTestPlan>"
    )
}

fn group(threads: &str, inner: &str) -> String {
    format!(
        "<ThreadGroup testname=\"g\" enabled=\"true\"><stringProp name=\"ThreadGroup.num_threads\">{threads}</stringProp></ThreadGroup>\
         <hashTree>{inner}</hashTree>"
    )
}

fn try_part(
    text: &str,
    weights: &[u32],
    place: usize,
    folder: &Path,
) -> Result<(Plan, Part), String> {
    let plan = Plan::parse(text.as_bytes())?;
    let values = Values::new(&plan, &BTreeMap::new());
    let folders = Folders {
        plan: folder,
        data: folder,
    };
    let part = split(
        &plan,
        text.as_bytes(),
        &values,
        &Share { weights, place },
        &folders,
    )?;
    let changed = Plan::parse(&part.bytes)?;
    Ok((changed, part))
}

fn parts(text: &str, weights: &[u32]) -> Vec<Plan> {
    (0..weights.len())
        .map(|place| try_part(text, weights, place, Path::new("/")).unwrap().0)
        .collect()
}

fn number(element: &Element, prop: &str) -> f64 {
    element.any(prop).unwrap().text.parse().unwrap()
}

/// The sum of a value over the tasks in which its element runs.
fn sum(plans: &[Plan], class: &str, prop: &str) -> f64 {
    plans
        .iter()
        .flat_map(Plan::enabled)
        .filter(|(_, e)| e.class == class)
        .map(|(_, e)| number(e, prop))
        .sum()
}

#[test]
fn one_task_runs_the_plan_as_it_is() {
    let text = wrap(&group("${__groovy(1)}", ""));
    assert_eq!(
        try_part(&text, &[7], 0, Path::new("/")).unwrap().1.bytes,
        text.as_bytes()
    );
}

#[test]
fn what_cannot_be_known_is_refused_with_the_remedy() {
    let error = try_part(
        &wrap(&group("${__groovy(1)}", "")),
        &[1, 1],
        0,
        Path::new("/"),
    )
    .unwrap_err();
    assert_eq!(
        error,
        "ThreadGroup \"g\": ThreadGroup.num_threads is ${__groovy(1)}, which is not known before the run, and cannot be divided \
         among tasks: give it as ${__P(name,default)} with the parameter name, or run with tasks: 1"
    );
}

#[test]
fn timers_are_divided_among_the_tasks_that_have_threads() {
    let timer = |class: &str, mode: &str| {
        format!(
            "<{class} testname=\"t\" enabled=\"true\"><intProp name=\"calcMode\">{mode}</intProp><stringProp name=\"throughput\">60</stringProp>\
                 <longProp name=\"randomSeed\">5</longProp></{class}><hashTree/>"
        )
    };
    for (class, mode) in [
        ("ConstantThroughputTimer", "1"),
        ("ConstantThroughputTimer", "4"),
        ("PreciseThroughputTimer", "0"),
    ] {
        let plans = parts(&wrap(&group("2", &timer(class, mode))), &[1, 1, 1, 1]);
        assert_eq!(
            plans.iter().map(|p| Group::all(p).len()).sum::<usize>(),
            2,
            "two tasks have a thread"
        );
        assert_eq!(sum(&plans, class, "throughput"), 60.0, "{class} {mode}");
    }
    let plans = parts(
        &wrap(&group("4", &timer("ConstantThroughputTimer", "0"))),
        &[1, 1],
    );
    assert_eq!(
        sum(&plans, "ConstantThroughputTimer", "throughput"),
        120.0,
        "each thread keeps its own"
    );
    let seeds: Vec<_> = parts(
        &wrap(&group("4", &timer("PreciseThroughputTimer", "0"))),
        &[1, 1],
    )
    .iter()
    .flat_map(|plan| {
        plan.elements
            .iter()
            .filter_map(|e| e.any("randomSeed").map(|p| p.text.clone()))
    })
    .collect();
    assert_eq!(seeds, ["5", "6"]);
}

#[test]
fn set_up_runs_once_and_says_so() {
    let text = wrap(
        &(group("1", "")
            .replace("ThreadGroup ", "SetupThreadGroup ")
            .replace("</ThreadGroup", "</SetupThreadGroup")
            + &group("4", "")),
    );
    let plans = parts(&text, &[1, 1]);
    let runs = plans.iter().map(|plan| {
        Group::all(plan)
            .iter()
            .filter(|g| g.kind == Kind::SetUp)
            .count()
    });
    assert_eq!(runs.collect::<Vec<_>>(), [1, 0]);
    let (_, part) = try_part(&text, &[1, 1], 1, Path::new("/")).unwrap();
    assert!(
        part.warnings[0].contains("runs in the first task only"),
        "{:?}",
        part.warnings
    );
}

#[test]
fn tables_and_rates_of_plugins_are_divided() {
    let row = |a: &str, b: &str| {
        format!(
            "<collectionProp name=\"r\"><stringProp name=\"1\">{a}</stringProp><stringProp name=\"2\">{b}</stringProp></collectionProp>"
        )
    };
    let text = wrap(&format!(
        "<kg.apc.jmeter.threads.UltimateThreadGroup testname=\"u\" enabled=\"true\"><collectionProp name=\"ultimatethreadgroupdata\">{}{}</collectionProp></kg.apc.jmeter.threads.UltimateThreadGroup><hashTree/>\
         <com.blazemeter.jmeter.threads.arrivals.ArrivalsThreadGroup testname=\"a\" enabled=\"true\"><stringProp name=\"TargetLevel\">10</stringProp><stringProp name=\"ConcurrencyLimit\">9</stringProp></com.blazemeter.jmeter.threads.arrivals.ArrivalsThreadGroup><hashTree/>\
         <OpenModelThreadGroup testname=\"o\" enabled=\"true\"><stringProp name=\"OpenModelThreadGroup.schedule\">rate(10/sec) random_arrivals(1 min) rate(20/sec)</stringProp></OpenModelThreadGroup><hashTree/>\
         <kg.apc.jmeter.timers.VariableThroughputTimer testname=\"v\" enabled=\"true\"><collectionProp name=\"load_profile\">{}</collectionProp></kg.apc.jmeter.timers.VariableThroughputTimer><hashTree/>",
        row("5", "9"),
        row("3", "9"),
        row("100", "200"),
    ));
    let plans = parts(&text, &[1, 1, 1, 1]);
    let mut threads = 0.0;
    for plan in &plans {
        for (_, e) in plan
            .enabled()
            .filter(|(_, e)| e.class == "UltimateThreadGroup")
        {
            for row in e.rows("ultimatethreadgroupdata") {
                threads += row[0].text.parse::<f64>().unwrap();
                assert_eq!(row[1].text, "9");
            }
        }
    }
    assert_eq!(threads, 8.0);
    assert_eq!(sum(&plans, "ArrivalsThreadGroup", "TargetLevel"), 10.0);
    assert_eq!(
        sum(&plans, "ArrivalsThreadGroup", "ConcurrencyLimit"),
        12.0,
        "rounded up"
    );
    let open = plans[1]
        .elements
        .iter()
        .find(|e| e.class == "OpenModelThreadGroup")
        .unwrap();
    assert_eq!(
        open.text("OpenModelThreadGroup.schedule"),
        "rate(2.5/sec) random_arrivals(1 min) rate(5/sec)"
    );
    let shaping = plans[3]
        .elements
        .iter()
        .find(|e| e.class == "VariableThroughputTimer")
        .unwrap();
    let profile: Vec<_> = shaping.rows("load_profile")[0]
        .iter()
        .map(|p| p.text.clone())
        .collect();
    assert_eq!(profile, ["25", "50"]);
}

#[test]
fn listeners_do_not_write() {
    let text = wrap(
        "<ResultCollector testname=\"v\" enabled=\"true\"><stringProp name=\"filename\">out.jtl</stringProp></ResultCollector><hashTree/>",
    );
    let (plan, part) = try_part(&text, &[1], 0, Path::new("/")).unwrap();
    assert_eq!(plan.elements[1].text("filename"), "");
    assert_eq!(part.warnings.len(), 1);
}

fn data_set(more: &str) -> String {
    wrap(&group(
        "4",
        &format!(
            "<CSVDataSet testname=\"d\" enabled=\"true\"><stringProp name=\"filename\">users.csv</stringProp>{more}</CSVDataSet><hashTree/>"
        ),
    ))
}

#[test]
fn rows_go_to_their_owners_and_the_header_to_all() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("users.csv"),
        "user,note\r\n1,\"a\nb\"\r\n2,x\r\n3,\"\"\"\"\r\n",
    )
    .unwrap();
    let quoted =
        "<boolProp name=\"quotedData\">true</boolProp><stringProp name=\"variableNames\"/>";
    let rows = |place| {
        let (plan, part) = try_part(&data_set(quoted), &[1, 1], place, folder.path()).unwrap();
        let set = plan
            .elements
            .iter()
            .find(|e| e.class == "CSVDataSet")
            .unwrap();
        assert_eq!(Path::new(set.text("filename")), part.files[0].0);
        String::from_utf8(part.files[0].1.clone()).unwrap()
    };
    assert_eq!(rows(0), "user,note\r\n1,\"a\nb\"\r\n3,\"\"\"\"\r\n");
    assert_eq!(rows(1), "user,note\r\n2,x\r\n");
}

#[test]
fn data_that_is_not_shared_or_not_enough_stays_whole() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("users.csv"), "1\n").unwrap();
    let names = "<stringProp name=\"variableNames\">user</stringProp>";
    let part = |more: &str| {
        try_part(
            &data_set(&format!("{names}{more}")),
            &[1, 1],
            1,
            folder.path(),
        )
        .unwrap()
        .1
    };
    let thread = part("<stringProp name=\"shareMode\">shareMode.thread</stringProp>");
    assert!(thread.files.is_empty() && thread.warnings.is_empty());
    let few = part("");
    assert_eq!(few.files[0].1, b"1\n");
    assert!(few.warnings[0].contains("fewer rows than there are tasks"));
    let once = part("<boolProp name=\"recycle\">false</boolProp>");
    assert_eq!((once.files[0].1.len(), once.warnings.len()), (0, 0));
    std::fs::remove_file(folder.path().join("users.csv")).unwrap();
    assert!(part("").warnings[0].contains("users.csv"));
    std::os::unix::fs::symlink("/dev/zero", folder.path().join("users.csv")).unwrap();
    assert!(part("").warnings[0].contains("users.csv is not a file"));
}

proptest! {
    #[test]
    fn the_parts_are_the_whole(threads in prop::collection::vec(0_u64..50, 1..6), weights in prop::collection::vec(1_u32..20, 2..9), limit in 0_u64..100) {
        let mut inner: String = threads.iter().map(|n| group(&n.to_string(), "")).collect();
        inner += &format!("<ThroughputController testname=\"c\" enabled=\"true\"><intProp name=\"ThroughputController.style\">0</intProp>\
            <boolProp name=\"ThroughputController.perThread\">false</boolProp><intProp name=\"ThroughputController.maxThroughput\">{limit}</intProp></ThroughputController><hashTree/>");
        let plans = parts(&wrap(&inner), &weights);
        prop_assert_eq!(sum(&plans, "ThreadGroup", "ThreadGroup.num_threads") as u64, threads.iter().sum::<u64>());
        prop_assert_eq!(sum(&plans, "ThroughputController", "ThroughputController.maxThroughput") as u64, limit);
        for group in plans.iter().flat_map(|plan| plan.enabled()).filter(|(_, e)| e.class == "ThreadGroup") {
            prop_assert!(number(group.1, "ThreadGroup.num_threads") > 0.0, "a group without threads is off");
        }
    }

    #[test]
    fn every_row_has_one_owner(text in "[ab\"\n]{0,60}", quoted: bool, header: bool, tasks in 1_usize..6) {
        let weights = vec![1; tasks];
        let whole = data::part(text.as_bytes(), quoted, header, &Segment::whole());
        let parts: Vec<_> = (0..tasks).map(|place| data::part(text.as_bytes(), quoted, header, &Segment::of_weights(&weights, place).unwrap())).collect();
        prop_assert_eq!(parts.iter().map(|(_, count)| count).sum::<u64>(), whole.1);
        let headers = if header { text.len() - data::part(text.as_bytes(), quoted, true, &Segment::whole()).0.len() } else { 0 };
        prop_assert_eq!(headers, 0);
        prop_assert_eq!(whole.0, text.as_bytes());
    }
}
