use super::*;
use floodgate_core::definition::model::{HttpOptions, RunOptions};
use floodgate_core::planned::planned_load;
use floodgate_records::engine::Engine;
use floodgate_records::word::Words;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn definition(engine: Engine, executor: Executor) -> Definition {
    let scenario = Scenario {
        name: "browse".into(),
        start_time: Duration::ZERO,
        graceful_stop: Duration::from_secs(30),
        executor,
        share: None,
        side: None,
        pace: None,
        tags: BTreeMap::new(),
        flow: Vec::new(),
        http: HttpOptions::default(),
    };
    Definition {
        project: "shop".into(),
        test: "checkout".into(),
        target: None,
        against: None,
        engine,
        script: None,
        script_files: Vec::new(),
        parameters: Default::default(),
        scenarios: vec![scenario],
        data: Vec::new(),
        thresholds: Vec::new(),
        baseline: None,
        capacity: None,
        warmup: std::time::Duration::ZERO,
        run: RunOptions::default(),
        http: HttpOptions::default(),
        tags: BTreeMap::new(),
        observe: Vec::new(),
        export: Vec::new(),
        notify: Vec::new(),
        setup: Vec::new(),
        teardown: Vec::new(),
        contract: None,
        tier: None,
    }
}

fn rate(rate: u64) -> Executor {
    Executor::ConstantArrivalRate {
        rate,
        time_unit: Duration::from_secs(1),
        duration: Duration::from_secs(60),
        pre_allocated_vus: 10,
        max_vus: 100,
        max_lateness: Duration::from_secs(10),
    }
}

fn auto(definition: &Definition) -> u32 {
    auto_tasks(definition, &planned_load(definition))
}

#[test]
fn the_rate_the_vus_and_the_size_of_a_task_decide() {
    let &[_, scripted, threaded, ..] = Engine::ALL else {
        panic!("there are other engines than the native one");
    };
    let mut test = definition(Engine::Http, rate(45_000));
    assert_eq!(auto(&test), 5);
    test.run.cpu = 4_096;
    assert_eq!(auto(&test), 2);
    test.engine = scripted;
    assert_eq!(auto(&test), 6);
    let vus = Executor::ConstantVus {
        vus: 9_000,
        duration: Duration::from_secs(60),
    };
    assert_eq!(auto(&definition(Engine::Http, vus.clone())), 2);
    assert_eq!(auto(&definition(scripted, vus)), 18);
    assert_eq!(auto(&definition(Engine::Http, rate(1))), 1);
    assert_eq!(auto(&definition(threaded, rate(1_200 * 500))), 1_200);
    assert_eq!(auto(&definition(threaded, rate(u64::MAX))), u32::MAX);
}

struct Nothing;

impl floodgate_core::definition::Resolver for Nothing {
    fn env(&self, _: &str) -> Option<String> {
        None
    }
    fn secret(&self, name: &str) -> Result<String, String> {
        Err(format!("there is no secret {name}"))
    }
    fn file_exists(&self, _: &str) -> bool {
        false
    }
}

/// The tasks that 1,000 iterations a second of a flow want.
fn auto_of(flow: &str) -> u32 {
    let text = format!(
        "version: 1\ntest: t\ntarget: http://127.0.0.1\nscenarios:\n  s:\n    executor: constant-arrival-rate\n    rate: 1000\n    duration: 1m\n    preAllocatedVUs: 10\n{flow}"
    );
    let source = floodgate_core::definition::Source {
        name: "d.yaml",
        text: text.as_bytes(),
    };
    let parsed = floodgate_core::definition::parse(&source, &Default::default(), &Nothing);
    auto(&parsed.unwrap().definition)
}

#[test]
fn loops_choices_and_shares_multiply_requests() {
    let get = "[{get: /}]";
    for (flow, as_many_requests) in [
        (format!("repeat: 30, steps: {get}"), 30),
        (
            format!("repeat: 5, steps: [{{repeat: 8, steps: {get}}}]"),
            40,
        ),
        // How often it is done is the target's to say.
        (
            format!("repeat: {{while: '${{vu}} > 0', max: 9999}}, steps: {get}"),
            10,
        ),
        (
            format!("if: '${{vu}} > 9', steps: [{{repeat: 20, steps: {get}}}], else: {get}"),
            20,
        ),
        (
            format!(
                "choose: [{{weight: 3, steps: [{{repeat: 40, steps: {get}}}]}}, {{steps: [{{think: 1s}}]}}]"
            ),
            30,
        ),
    ] {
        let plain = format!("    flow: [{{repeat: {as_many_requests}, steps: {get}}}]\n");
        let flow = format!("    flow: [{{{flow}}}]\n");
        assert_eq!(auto_of(&flow), auto_of(&plain), "{flow}");
    }
    let heavy = "flow: [{repeat: 60, steps: [{get: /}]}]";
    let mix = format!(
        "    mix: {{a: {{weight: 1, {heavy}}}, b: {{weight: 3, flow: [{{think: 1s}}]}}}}\n"
    );
    // A quarter of the starts, and one request for each of the others.
    assert_eq!(
        auto_of(&mix),
        auto_of("    flow: [{repeat: 15, steps: [{get: /}]}]\n")
    );
    assert!(auto_of(&format!("    {heavy}\n")) > auto_of(&mix));
}

#[test]
fn every_region_gets_a_task_of_an_automatic_number() {
    let mut test = definition(Engine::Http, rate(1));
    test.run.regions = regions(&[1, 1, 1]);
    assert_eq!(auto(&test), 3);
}

#[test]
fn a_thousand_tasks_write_a_shard_a_minute() {
    let secs = |tasks| Intervals::for_tasks(tasks).flush.as_secs();
    assert_eq!(
        [1, 100, 101, 500, 1_000, 9_999].map(secs),
        [10, 10, 20, 50, 60, 60]
    );
    for tasks in 1..2_000 {
        assert_eq!(secs(tasks) % 10, 0, "{tasks}");
    }
}

fn regions(weights: &[u32]) -> Vec<Region> {
    let region = |(i, weight): (usize, &u32)| Region {
        region: format!("r{i}"),
        weight: *weight,
    };
    weights.iter().enumerate().map(region).collect()
}

proptest! {
    #[test]
    fn no_region_is_a_whole_task_from_its_share(
        tasks in 1u32..3_000,
        weights in prop::collection::vec(0u32..1_000, 1..8),
    ) {
        let regions = regions(&weights);
        let spread = spread(tasks, &regions);
        prop_assert_eq!(spread.len(), tasks as usize);
        let all: f64 = weights.iter().map(|w| f64::from(*w)).sum();
        for (region, weight) in regions.iter().zip(&weights) {
            let count = spread.iter().filter(|r| **r == region.region).count() as f64;
            let share = if all > 0.0 {
                f64::from(tasks) * f64::from(*weight) / all
            } else {
                f64::from(tasks) / weights.len() as f64
            };
            prop_assert!((count - share).abs() < 1.0, "{count} of {share}");
        }
    }
}

#[test]
fn equal_remainders_favour_the_first() {
    assert_eq!(spread(3, &regions(&[1, 1])), ["r0", "r0", "r1"]);
    assert_eq!(spread(2, &[]), Vec::<String>::new());
}
