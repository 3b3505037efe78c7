use super::*;
use crate::inspection::ScriptThreshold;
use floodgate_core::definition::model::Stage;

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
        .map(|(number, executor)| PlannedScenario {
            name: format!("s{number}"),
            start: SECOND * number as u32,
            executor: Some(executor),
            graceful_stop: 5 * SECOND,
        });
    Inspection {
        scenarios: planned.collect(),
        thresholds: vec![
            ScriptThreshold {
                key: "http_req_duration{name:home}".into(),
                expression: "p(95)<500".into(),
                abort_on_fail: true,
                delay: 30 * SECOND,
            },
            ScriptThreshold {
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
fn what_is_taken_over_reads_back_as_it_was() {
    let mut map = definition(json!({"version": 1, "test": "t", "engine": "k6", "script": "a.js"}));
    assert!(complete(&mut map, &inspection(), None).is_empty());
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
    assert_eq!(complete(&mut map, &inspection(), None).len(), 1);
    assert_eq!(map, once);
}

#[test]
fn the_definition_comes_first() {
    let mut map = definition(json!({
        "version": 1, "test": "t", "engine": "jmeter", "script": "a.jmx", "files": ["own.csv", "rows.csv"],
        "thresholds": {"http_reqs": ["count>1"]},
        "scenarios": {"own": {"executor": "constant-vus", "duration": "1s"}},
    }));
    let warnings = complete(&mut map, &inspection(), None);
    assert!(
        warnings[0].contains("thresholds (2) are ignored"),
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
    complete(&mut map, &inspection(), Some(90 * SECOND));
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
    let planned = names.map(|name| PlannedScenario {
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
    assert!(complete(&mut map, &found, None).is_empty());
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
    let warnings = complete(&mut map, &many, None);
    assert_eq!(
        warnings,
        ["the load is not planned: 501 scenarios are more than 500"]
    );
    many.scenarios.pop();
    complete(&mut map, &many, None);
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
    let mut map = definition(json!({"version": 1, "test": "t", "engine": "k6", "script": "a.js"}));
    let warnings = complete(&mut map, &odd, None);
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
    let mut map = definition(json!({"version": 1, "test": "t", "engine": "k6", "script": "a.js"}));
    complete(&mut map, &half, None);
    let read = parsed(&map).definition;
    assert_eq!(
        (read.scenarios.len(), read.run.max_duration),
        (0, Some(90 * SECOND))
    );
}
