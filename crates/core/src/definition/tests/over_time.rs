//! Warm-up, parts of a run, objectives and slopes: what they mean, and what is wrong with them.

use super::*;
use crate::definition::model::{Objective, RunPart};
use std::time::Duration;

const SCENARIOS: &str = "scenarios:\n  climb: {executor: ramping-arrival-rate, preAllocatedVUs: 5, stages: [{duration: 1m, target: 10}, {duration: 30s, target: 10}], flow: [{get: /}]}\n  soak: {executor: constant-vus, duration: 20m, startTime: 90s, flow: [{get: /}]}\n";

fn with(keys: &str) -> String {
    format!("{HEAD}{SCENARIOS}{keys}\n")
}

fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn parts_objectives_and_slopes_have_their_meaning() {
    let text = with(concat!(
        "warmup: 30s\n",
        "thresholds:\n",
        "  http_req_duration:\n",
        "    - p(95)<500\n",
        "    - {threshold: p(95)<300, from: 1m, to: 10m}\n",
        "    - {threshold: p(95)<300, stage: climb.2, abortOnFail: true}\n",
        "    - {threshold: p(95)<300, stage: climb}\n",
        "    - trend(p(95)) < 2%/h\n",
        "  trend(http_req_failed{scenario:soak} rate): <0.1%/h\n",
        "slo:\n",
        "  - {http_req_duration: p(95)<300, of: 99%}\n",
        "  - {http_req_failed: rate<0.01, of: 95%, window: 1m, from: 2m}",
    ));
    let definition = good(&text).definition;
    assert_eq!(definition.warmup, s(30));
    let all = &definition.thresholds;
    assert_eq!(all.len(), 8);
    assert!(all[0].part.is_whole());
    let part = |from, to, stage: Option<&str>| RunPart {
        from: Some(s(from)),
        to: Some(s(to)),
        stage: stage.map(str::to_owned),
    };
    assert_eq!(all[1].part, part(60, 600, None));
    assert_eq!(all[2].part, part(60, 90, Some("climb.2")));
    // What of it is warm-up is not judged.
    assert_eq!(all[3].part, part(30, 90, Some("climb")));
    assert_eq!(all[5].key, "http_req_failed{scenario:soak}");
    assert_eq!(all[5].expression, "trend(rate)<0.1%/h");
    let objective = |of, window| {
        Some(Objective {
            of,
            window: s(window),
        })
    };
    assert_eq!(all[6].objective, objective(0.99, 10));
    assert_eq!(all[7].objective, objective(0.95, 60));
    assert_eq!((all[7].part.from, all[7].part.to), (Some(s(120)), None));
    assert_eq!(definition.phase_window_s(), 10);
    assert_eq!(definition.live_marks(), [60, 90]);
    let thresholds = crate::threshold::Thresholds::of(&definition).unwrap();
    assert_eq!(
        thresholds.items[5].id(),
        "http_req_failed{scenario:soak}: trend(rate)<0.1%/h"
    );
    let odd = with("warmup: 15s\nslo: {http_req_duration: p(95)<300, of: 99%, window: 4s}");
    assert_eq!(good(&odd).definition.phase_window_s(), 1);
}

#[track_caller]
fn fault(keys: &str, parts: &[&str]) {
    let said = faults(&with(keys));
    for part in parts {
        assert!(said.contains(part), "{said}\ndoes not say {part:?}");
    }
}

fn threshold(keys: &str) -> String {
    format!("thresholds:\n  http_req_duration: [{{threshold: p(95)<300, {keys}}}]")
}

#[test]
fn what_cannot_be_judged_is_said_with_its_place_and_remedy() {
    for (keys, parts) in [
        (
            "from: 30m",
            &[
                "8:52: thresholds.http_req_duration[0].from: the run is over before 30m, at 21m30s",
                "allowed: less than 21m30s",
            ][..],
        ),
        ("to: 30m", &["the run is over before 30m", "leave to out"]),
        ("from: 2m, to: 1m", &["is empty", "more than 2m"]),
        (
            "from: 1500ms",
            &["no whole number of seconds", "whole seconds, such as 30s"],
        ),
        (
            "stage: cilmb",
            &["there is no scenario \"cilmb\"", "did you mean \"climb\"?"],
        ),
        (
            "stage: climb.3",
            &["has no such stage", "climb.1 to climb.2"],
        ),
        (
            "stage: soak.1",
            &["has no such stage", "its executor has no stages"],
        ),
        (
            "stage: climb, from: 1m",
            &["a stage has a beginning and an end"],
        ),
        ("stage: a b", &["is not a valid name here"]),
    ] {
        fault(&threshold(keys), parts);
    }
    fault(
        &format!("warmup: 2m\n{}", threshold("from: 1m")),
        &["within the warm-up of 2m", "2m or more"],
    );
    fault(
        &format!("warmup: 2m\n{}", threshold("stage: climb.1")),
        &["over within the warm-up"],
    );
    fault(
        "warmup: 30m",
        &["nothing of a run of 21m30s is left to judge"],
    );
    fault("warmup: 500ms", &["no whole number of seconds"]);
}

#[test]
fn objectives_are_checked() {
    for (keys, parts) in [
        ("{of: 99%}", &["it does not say what must hold"][..]),
        (
            "{http_req_duration: p(95)<300}",
            &["the key \"of\" is missing"],
        ),
        (
            "{http_req_duration: p(95)<300, of: 0%}",
            &["asks for nothing", "more than 0%"],
        ),
        ("{http_req_duration: p(95)<300, of: 101%}", &["from 0 to 1"]),
        (
            "{http_req_duration: p(95)<300, of: 99%, window: 0s}",
            &["too short"],
        ),
        (
            "{http_req_duration: p(95)<300, of: 99%, window: 30m}",
            &["longer than the 21m30s", "at most"],
        ),
        (
            "{http_req_duration: p(95)<300, of: 99%, windw: 10s}",
            &["windw", "did you mean \"window\"?"],
        ),
        (
            "{http_req_duration: p(95), of: 99%}",
            &["there is no operator"],
        ),
        (
            "{http_req_duraton: p(95)<3, of: 99%}",
            &["did you mean \"http_req_duration\"?"],
        ),
        (
            "{http_req_duration: trend(p(95))<2%/h, of: 99%}",
            &["a slope is about all windows", "under thresholds"],
        ),
        (
            "{http_reqs: rate>9, http_req_failed: rate<1, of: 99%}",
            &["about one metric"],
        ),
    ] {
        fault(&format!("slo: {keys}"), parts);
    }
}

#[test]
fn slopes_are_checked() {
    for (key, expression, parts) in [
        (
            "http_reqs",
            "trend(count)<2%/h",
            &["has no slope", "did you mean \"rate\"?"][..],
        ),
        (
            "http_reqs",
            "trend(p(95))<2%/h",
            &["http_reqs is a counter"],
        ),
        (
            "http_req_duration",
            "trend(max)<2%/h",
            &["is that of one sample"],
        ),
        ("vus", "trend(value)<2%/h", &["last value of a gauge"]),
        (
            "http_req_duration",
            "trend(p(95))==2%/h",
            &["never exactly a number", "< <= > >="],
        ),
        (
            "http_req_duration",
            "trend(p(95))<2",
            &["is no percentage", "2%/h"],
        ),
        (
            "http_req_duration",
            "trend(p(95))<2%",
            &["does not say in which time"],
        ),
        (
            "http_req_duration",
            "trend(p(95))<2%/y",
            &["has no valid unit of time"],
        ),
        (
            "\"trend(http_req_duratio p(95))\"",
            "<2%/h",
            &["did you mean \"http_req_duration\"?"],
        ),
        ("\"trend(http_reqs count)\"", "<2%/h", &["has no slope"]),
    ] {
        fault(&format!("thresholds:\n  {key}: {expression}"), parts);
    }
    fault(
        "thresholds:\n  http_req_duration: [{threshold: trend(p(95))<2%/h, abortOnFail: true}]",
        &["known at the end of a run", "remove abortOnFail"],
    );
    let short = "thresholds:\n  http_req_duration: [{threshold: trend(p(95))<2%/h, to: 5m}]";
    let warnings = good(&with(short)).warnings;
    assert!(
        warnings
            .iter()
            .any(|w| w.to_string().contains("a slope takes 10 minutes")),
        "{warnings:?}"
    );
}

#[test]
fn a_search_for_the_capacity_judges_its_steps() {
    let capacity = format!(
        "{HEAD}scenarios:\n  s: {{executor: constant-arrival-rate, rate: 5, duration: 1m, preAllocatedVUs: 5, flow: [{{get: /}}]}}\ncapacity: {{max: 10}}\n"
    );
    for keys in [
        threshold("from: 10s"),
        "slo: {http_req_duration: p(95)<300, of: 99%}".to_owned(),
        "thresholds:\n  http_req_duration: trend(p(95))<2%/h".to_owned(),
    ] {
        let said = faults(&format!("{capacity}{keys}\n"));
        assert!(
            said.contains("a search for the capacity judges its steps"),
            "{said}"
        );
    }
    good(&format!("{capacity}warmup: 30s\n"));
}

#[test]
fn what_is_open_is_looked_at_where_it_is_known() {
    let open = "version: 1\ntest: t\ntarget: http://127.0.0.1:8080\nscenarios:\n  s: {executor: constant-vus, duration: \"${env:OPEN_TIME}\", flow: [{get: /}]}\nwarmup: 30s\nthresholds:\n  http_req_duration: [{threshold: p(95)<3, from: 1m}]\n";
    good(open);
}
