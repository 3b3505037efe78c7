//! Scenarios that share a rate, runs that are compared with others, and targets that take turns.

use super::*;
use floodgate_records::comparison::IfUndecided;
use std::time::Duration;

const S: fn(u64) -> Duration = Duration::from_secs;

#[test]
fn scenarios_of_a_mix_share_one_arrival_rate() {
    let text = format!(
        "{HEAD}scenarios:\n  shop:\n    executor: constant-arrival-rate\n    rate: 10\n    duration: 10s\n    preAllocatedVUs: 10\n    tags: {{a: x, b: y}}\n    mix:\n      browse: {{weight: 7, flow: [{{get: /a}}]}}\n      buy: {{weight: 3, tags: {{b: z}}, flow: [{{get: /b}}]}}\n"
    );
    let scenarios = good(&text).definition.scenarios;
    let names: Vec<_> = scenarios.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names, ["browse", "buy"]);
    assert_eq!(
        scenarios[1].tags,
        [("a", "x"), ("b", "z")]
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .into()
    );
    // All starts are there, each once, evenly as those of one scenario.
    let mut starts = Vec::new();
    for (scenario, own) in scenarios.iter().zip([70, 30]) {
        let crate::schedule::Schedule::Arrivals(arrivals) =
            crate::schedule::schedule_of(scenario, &crate::schedule::Segment::whole())
        else {
            panic!("an arrival rate")
        };
        assert_eq!((arrivals.total(), arrivals.max_vus()), (own, own / 10));
        let own: Vec<_> = (0..).map_while(|k| arrivals.start(k)).collect();
        // Numbers of a scenario have no gaps: rows of data are not wasted.
        assert!(own.iter().zip(0..).all(|(start, n)| start.iteration == n));
        starts.extend(own.iter().map(|start| start.at));
    }
    starts.sort();
    let expected: Vec<_> = (0..100).map(|n| Duration::from_millis(100 * n)).collect();
    assert_eq!(starts, expected);
}

#[test]
fn a_mix_is_refused_with_its_place() {
    let mix = |keys: &str, parts: &str| {
        format!(
            "{HEAD}scenarios:\n  a: {{executor: constant-vus, duration: 1s, flow: [{{get: /}}]}}\n  m:\n    executor: constant-arrival-rate\n    rate: 1\n    duration: 1s\n    preAllocatedVUs: 1\n{keys}    mix: {parts}\n"
        )
    };
    for (text, said) in [
        (
            mix("", "{a: {flow: [{get: /}]}}"),
            "11:11: scenarios.m.mix.a: there are two scenarios called \"a\"",
        ),
        (
            mix("    flow: [{get: /}]\n", "{b: {flow: [{get: /}]}}"),
            "\"flow\" and \"mix\" exclude each other",
        ),
        (
            mix("", "{b: {weight: 0, flow: [{get: /}]}}"),
            "a whole number from 1 to 1000",
        ),
        (mix("", "{b: {weight: 1}}"), "the key \"flow\" is missing"),
        (mix("", "{}"), "the map is empty"),
        (
            with_executor("executor: constant-vus, duration: 1s, mix: {b: {flow: [{get: /}]}}"),
            "it belongs to constant-arrival-rate, ramping-arrival-rate",
        ),
        (
            with_executor("executor: constant-vus, duration: 1s, weight: 3"),
            "stand below mix",
        ),
        (
            with_executor(
                "executor: constant-arrival-rate, rate: 1, duration: 1s, preAllocatedVUs: 1, pace: 1s",
            ),
            "it belongs to shared-iterations, per-vu-iterations, constant-vus, ramping-vus",
        ),
    ] {
        let message = faults(&text);
        assert!(message.contains(said), "{text}\n{message}");
    }
    assert_eq!(
        good(&with_executor(
            "executor: constant-vus, duration: 1s, pace: 2s"
        ))
        .definition
        .scenarios[0]
            .pace,
        Some(S(2))
    );
}

#[test]
fn the_method_of_a_baseline_follows_from_its_keys() {
    let of = |keys: &str| {
        let text = with_top(&format!("baseline: {{metrics: [http_reqs rate]{keys}}}"));
        let spec = good(&text).definition.baseline.unwrap();
        (spec.compare, spec.method)
    };
    let tolerance = BaselineMethod::Tolerance;
    let compare = BaselineMethod::Compare;
    let default = ByIntervals::default();
    for (keys, expected) in [
        ("", (BaselineRef::LastPassed, tolerance(0.1))),
        (
            ", tolerance: 0.2",
            (BaselineRef::LastPassed, tolerance(0.2)),
        ),
        (", compare: pinned", (BaselineRef::Pinned, tolerance(0.1))),
        (
            ", compare: {rolling: 10}",
            (BaselineRef::Rolling(10), compare(default)),
        ),
        (
            ", method: compare",
            (BaselineRef::LastPassed, compare(default)),
        ),
        (
            ", compare: pinned, min_effect: 2%, confidence: 99%, undecided: fail",
            (
                BaselineRef::Pinned,
                compare(ByIntervals {
                    min_effect: 0.02,
                    confidence: 0.99,
                    undecided: IfUndecided::Fail,
                }),
            ),
        ),
    ] {
        assert_eq!(of(keys), expected, "{keys}");
    }
}

#[test]
fn against_a_base_each_scenario_has_two_sides() {
    let definition = good(include_str!("full-turns.yaml")).definition;
    let sides: Vec<_> = definition
        .scenarios
        .iter()
        .map(|s| {
            (
                s.name.as_str(),
                s.side,
                s.target(&definition),
                s.tags["side"].as_str(),
            )
        })
        .collect();
    let expected = [
        (
            "browse",
            Some(Side::Head),
            Some("http://127.0.0.1:8080"),
            "head",
        ),
        (
            "browse-base",
            Some(Side::Base),
            Some("http://127.0.0.1:8081"),
            "base",
        ),
    ];
    assert_eq!(sides, expected);
    // Together they have each start once, in turns of two and a half seconds.
    let schedules = definition.scenarios.iter().map(|scenario| {
        let whole = crate::schedule::Segment::whole();
        match crate::schedule::schedule_of(scenario, &whole) {
            crate::schedule::Schedule::Arrivals(arrivals) => arrivals,
            other => panic!("{other:?}"),
        }
    });
    let schedules: Vec<_> = schedules.collect();
    assert!(schedules.iter().all(|own| own.total() == 1_500));
    let mut all = Vec::new();
    for (own, inner) in schedules.iter().zip([true, false]) {
        for start in (0..).map_while(|k| own.start(k)) {
            let turn = start.at.as_millis() / 2_500;
            let is_inner = matches!(turn % 4, 1 | 2);
            let is_even = (turn / 4) % 2 == 0;
            assert_eq!(is_inner == is_even, inner, "{start:?}");
            let due = own.scheduled_by(start.at);
            assert_eq!(due, start.iteration + 1, "{start:?}");
            all.push(start.at);
        }
        // Between its turns nobody is due.
        let tenth = own.scheduled_by(S(10));
        assert!((50..=51).contains(&tenth), "{tenth}");
        assert_eq!(own.scheduled_by(S(300)), 1_500);
    }
    all.sort();
    let every = (0..3_000).map(|n| Duration::from_millis(100 * n));
    assert!(all.into_iter().eq(every));
}

#[test]
fn what_cannot_take_turns_is_refused() {
    let text = include_str!("full-turns.yaml");
    for (changed, said) in [
        (
            text.replace("target: http://127.0.0.1:8080\n", ""),
            "there is no target to compare with it",
        ),
        (
            format!("{text}baseline: {{metrics: [http_reqs rate]}}\n"),
            "the run compares its two targets with each other",
        ),
        (text.replace("8081", "8081/?a=b"), "8081/?a=b"),
        (
            text.replace("constant-arrival-rate\n    rate: 10", "constant-vus")
                .replace("    preAllocatedVUs: 10\n", ""),
            "the scenario \"browse\" has no arrival rate",
        ),
    ] {
        let message = faults(&changed);
        assert!(message.contains(said), "{changed}\n{message}");
    }
}
